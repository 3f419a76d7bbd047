"""Notifications as JSON and as cards, in which nothing from outside is markup."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from location_policy.integrations.notify.event import KINDS, SHOWN_PROBLEMS, Event
from location_policy.integrations.notify.formats import LONGEST_TEXT, LONGEST_TITLE, body_of
from location_policy.integrations.notify.options import Format
from location_policy.problems import Problem, Problems
from tests.integrations.notify.receiving import EVENT
from tests.support.maps import COMMIT

UNTIL = datetime(2026, 3, 2, 12, tzinfo=UTC)
FOUND = Problems(Problem("locations.csv", line, 1, "host-bits", f"row {line} <is> wrong") for line in range(1, 9))
REFUSED = replace(EVENT, kind="refused", problems=FOUND, message="8 errors", serving="a" * 40, subnets=None, took=None)
PINNED = replace(EVENT, kind="pinned", by="bob", reason="*bold* [x](http://evil.example)", until=UNTIL)
HOSTILE = replace(COMMIT, subject="<!channel> *all* [pay](https://evil.example) & \x1b[2J\u202e" + "x" * 9000)


def told(event: Event, form: Format) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body_of(event, form))
    return found


def runs(card: dict[str, Any]) -> list[str]:
    """The lines of a card for Teams."""
    body = card["attachments"][0]["content"]["body"]
    return ["".join(run["text"] for run in block["inlines"]) for block in body]


def test_the_generic_form_has_the_facts() -> None:
    found = told(EVENT, "json")
    assert (found["type"], found["timestamp"]) == ("active", "2026-03-01T12:30:00.000Z")
    data = found["data"]
    assert data["title"] == "Commit cccccccccc active in 0.4 s"
    assert (data["commit"], data["author"], data["subnets"], data["took"]) == (COMMIT.id, "Alice", 3, 0.4)
    assert (data["server"], data["repository"], data["branch"]) == ("policy-1", "/srv/locations.git", "main")


def test_a_refusal_has_its_first_problems_and_how_many_there_are() -> None:
    data = told(REFUSED, "json")["data"]
    assert (data["title"], data["total"], data["active"]) == ("Commit cccccccccc rejected: 8 problems", 8, "a" * 40)
    assert [one["line"] for one in data["problems"]] == list(range(1, SHOWN_PROBLEMS + 1))
    lines = runs(told(REFUSED, "teams"))
    assert lines[0] == "Commit cccccccccc rejected: 8 problems"
    assert "Problem: locations.csv:1:1: error: row 1 <is> wrong [host-bits]" in lines
    assert lines[-5:-3] == ["More: 3 problems", "Answers come from: commit aaaaaaaaaa"]


def test_a_card_for_teams_is_one_that_workflows_take_and_has_no_markdown() -> None:
    card = told(PINNED, "teams")
    assert card["type"] == "message"
    assert card["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"
    content = card["attachments"][0]["content"]
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.4")
    assert {block["type"] for block in content["body"]} == {"RichTextBlock"}
    assert runs(card)[0] == "Commit cccccccccc pinned until 2026-03-02T12:00:00Z"
    assert "Reason: *bold* [x](http://evil.example)" in runs(card)


def test_a_card_for_slack_has_a_text_for_where_there_are_no_blocks() -> None:
    card = told(REFUSED, "slack")
    assert card["text"] == "Commit cccccccccc rejected: 8 problems"
    header, section = card["blocks"]
    assert header["text"] == {"type": "plain_text", "text": card["text"], "emoji": False}
    assert section["text"]["verbatim"]
    assert "*Problem:* locations.csv:1:1: error: row 1 &lt;is&gt; wrong" in section["text"]["text"]


@pytest.mark.parametrize("form", ["teams", "slack"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_commit_calls_no_one_and_is_cut(form: Format, kind: Any) -> None:  # noqa: ANN401  a Kind
    event = replace(REFUSED, kind=kind, commit=HOSTILE, until=UNTIL, ends=UNTIL, message=HOSTILE.subject)
    body = body_of(event, form)
    assert len(body) < 8_000
    assert not set("\x1b\u202e") & set(json.dumps(json.loads(body), ensure_ascii=False).replace("\\u001b", "\x1b"))
    if form == "slack":
        card = json.loads(body)
        assert "<" not in card["text"] + card["blocks"][1]["text"]["text"]
        assert len(card["blocks"][0]["text"]["text"]) <= LONGEST_TITLE
        assert len(card["blocks"][1]["text"]["text"]) <= LONGEST_TEXT


def test_a_refusal_without_problems_says_why() -> None:
    unsigned = replace(REFUSED, problems=Problems(), message="it is not signed", hint="git commit -S")
    assert unsigned.title() == "Commit cccccccccc rejected: it is not signed"
    assert ("Hint", "git commit -S") in list(unsigned.lines())
