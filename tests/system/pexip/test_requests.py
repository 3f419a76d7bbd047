"""Every line of `requests.tsv`, asked of a real server over a socket (Pexip contract, parts 1 to 3)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.service import Service
from tests.system.pexip.conference_node import Response, ask, judge

REQUESTS = Path(__file__).parent / "requests.tsv"
KNOWN = frozenset(("Sydney", "Melbourne", "Singapore"))


@dataclass(frozen=True, slots=True)
class Line:
    """One request and what is expected of its answer; the columns are explained in the file's head."""

    number: int
    request: str
    http: int
    verdict: str
    status: str
    subnet: str | None
    note: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A line and the response that it got."""

    line: Line
    response: Response

    @property
    def answer(self) -> dict[str, object]:
        """The JSON object in the response."""
        answer = json.loads(self.response.body)
        assert isinstance(answer, dict)
        return answer


def read_lines(path: Path) -> Iterator[Line]:
    for number, text in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        if text and not text.startswith("#"):
            request, http, verdict, status, subnet, note = text.split("\t")
            yield Line(number, request, int(http), verdict, status, subnet or None, note)


LINES = tuple(read_lines(REQUESTS))


def lines_with(status: str) -> pytest.MarkDecorator:
    """Only the lines whose answer says this."""
    chosen = [line for line in LINES if line.status == status]
    return pytest.mark.parametrize("exchange", chosen, indirect=True, ids=line_id, scope="module")


def line_id(line: Line) -> str:
    return f"line-{line.number}"


@pytest.fixture(scope="module", params=LINES, ids=line_id)
def exchange(request: pytest.FixtureRequest, pexip_service: Service) -> Exchange:
    """Each line is asked once, and looked at by every test."""
    assert isinstance(request.param, Line)
    return Exchange(request.param, ask(pexip_service.port, request.param.request))


def test_the_status_code_is_the_expected_one(exchange: Exchange) -> None:
    assert exchange.response.status == exchange.line.http, exchange.line.note


def test_a_node_makes_of_the_answer_what_is_expected(exchange: Exchange) -> None:
    """Pexip contract 2.4."""
    verdict = judge(exchange.response, KNOWN)
    assert str(verdict) == exchange.line.verdict, (verdict, exchange.line.note)


def test_the_answer_says_success_or_the_reason(exchange: Exchange) -> None:
    """Exactly `success`, or the reason, " - " and words: the statuses that pexsubnet's users know, and ours."""
    status = exchange.answer["status"]
    assert isinstance(status, str)
    reason, _, words = status.partition(" - ")
    assert reason == exchange.line.status, exchange.line.note
    assert bool(words) == (reason != "success")


def test_the_answer_names_the_subnet_that_decided(exchange: Exchange) -> None:
    assert exchange.answer.get("policy.subnet") == exchange.line.subnet, exchange.line.note


def test_the_answer_is_json_of_a_stated_length(exchange: Exchange) -> None:
    """Under /policy/ every answer is, with any status; a node rejects any other type (Pexip contract 1.7)."""
    headers = exchange.response.headers
    assert headers["content-type"].partition(";")[0] == "application/json"
    assert headers["content-length"] == str(len(exchange.response.body))


def test_the_answer_says_which_commit_is_active(exchange: Exchange) -> None:
    """40 hex digits, or 64 in a SHA-256 repository; also on an answer that refuses."""
    assert re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", exchange.response.headers["x-location-policy-commit"])


def test_there_is_never_a_redirect(exchange: Exchange) -> None:
    """A node does not follow one (Pexip contract 1.6)."""
    assert not 300 <= exchange.response.status < 400
    assert "location" not in exchange.response.headers


def test_no_control_character_of_a_request_gets_into_a_header(exchange: Exchange) -> None:
    assert all(value.isprintable() for value in exchange.response.headers.values())


@lines_with(status="success")
def test_the_commit_in_the_answer_is_the_one_in_the_header(exchange: Exchange) -> None:
    assert exchange.answer["policy.commit"] == exchange.response.headers["x-location-policy-commit"]


@lines_with(status="policy.reason.bad.address")
def test_a_refused_address_comes_with_a_message(exchange: Exchange) -> None:
    """pexsubnet answered 400 with `message` too."""
    message = exchange.answer["message"]
    assert isinstance(message, str)
    assert message


@lines_with(status="policy.reason.not.provided")
def test_a_request_type_that_is_not_ours_is_told_to_continue(exchange: Exchange) -> None:
    """404 with this action asks the node to use its own database (Pexip contract 2.3 and 3)."""
    assert exchange.answer["action"] == "continue"


def test_a_doubled_policy_path_gets_the_hint_where_the_base_url_ends(pexip_service: Service) -> None:
    response = ask(pexip_service.port, "/policy/v1/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0")
    assert "base URL" in response.body.decode()


def test_every_outcome_of_the_contract_is_in_the_table() -> None:
    """A line that gets lost in an edit is noticed."""
    assert {(line.http, line.status) for line in LINES} == {
        (200, "success"),
        (200, "policy.reason.no.mssip"),
        (200, "policy.reason.no.match"),
        (200, "policy.reason.no.subnetmatch"),
        (400, "policy.reason.bad.address"),
        (404, "policy.reason.not.provided"),
    }
