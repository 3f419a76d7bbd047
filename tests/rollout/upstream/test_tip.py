"""What a remote answers when it is asked for its tip."""

from __future__ import annotations

import json

import pytest

from location_policy.integrations.http_client import Reply
from location_policy.repository.remote.upstream import ServiceTip
from location_policy.rollout.upstream.tip import NoService, NotTold, read_tip

URL = "https://up.example.com/locations.git"
COMMIT, SERVICE = "a" * 40, "0123456789abcdef"


def reply(status: int = 200, body: object = b"", kind: str = "application/json", retry_after: str = "") -> Reply:
    """An answer; what is no bytes is JSON."""
    return Reply(status, kind, "", retry_after, body if isinstance(body, bytes) else json.dumps(body).encode())


def told(**more: object) -> Reply:
    """A tip with these keys."""
    return reply(body={"commit": COMMIT, "branch": "main", "state": "in-sync", "service": SERVICE, **more})


def test_a_tip_is_a_branch_a_commit_and_a_service_and_other_keys_are_passed_over() -> None:
    assert read_tip(URL, told(newer=[1], since=None)) == ServiceTip("main", COMMIT, SERVICE)
    assert read_tip(URL, told(commit="b" * 64, branch="eu/w-1")) == ServiceTip("eu/w-1", "b" * 64, SERVICE)


@pytest.mark.parametrize(
    ("version", "shown"), [("0.2.0", "0.2.0"), (7, "7"), ("\x1b[1m" + "v" * 99, "\\x1b[1m" + "v" * 60 + "…")]
)
def test_its_version_is_bounded_and_escaped(version: object, shown: str) -> None:
    found = read_tip(URL, told(version=version))
    assert found
    assert found.version == shown


def test_what_was_held_to_its_end_tells_nothing_new() -> None:
    assert read_tip(URL, reply(304)) is None


@pytest.mark.parametrize("service", [None, 7, "", "G" * 16, "0" * 17, "0123456789abcdef\n"])
def test_a_service_whose_id_is_none_has_none(service: object) -> None:
    assert read_tip(URL, told(service=service)) == ServiceTip("main", COMMIT, "")


@pytest.mark.parametrize(
    "answer",
    [
        reply(404),
        reply(401),
        reply(403),
        reply(302),
        reply(204),
        reply(200, b"<html>", "text/html; charset=utf-8"),
        reply(200, b"{}", ""),
        reply(200, b"not JSON"),
        reply(200, b"[" * 60_000),
        reply(200, b"\xff"),
        reply(200, [COMMIT]),
        reply(200, {"message": "moved"}),
    ],
)
def test_what_answers_otherwise_is_no_service(answer: Reply) -> None:
    with pytest.raises(NoService):
        read_tip(URL, answer)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (told(commit=None), f"{URL} has no active commit yet"),
        (told(commit="main"), f"{URL} tells of a commit whose id is none"),
        (told(commit=["a"]), f"{URL} tells of a commit whose id is none"),
        *(
            (told(branch=name), f"{URL} tells of a branch whose name git does not take")
            for name in (
                None,
                "",
                "-x",
                "../x",
                "a..b",
                "a b",
                "x.lock",
                "x/",
                "a\nb",
                "/a",
                "a//b",
                "a@{1}",
                "a" * 201,
            )
        ),
        (reply(500, b"{}"), f"{URL} does not say which commit is active: 500 {{}}"),
        (
            reply(503, b"no commit is active\nmore"),
            f"{URL} does not say which commit is active: 503 no commit is active",
        ),
        (reply(409, b"a loop: \x1b[1m"), f"{URL} lets no service follow itself: a loop: \\x1b[1m"),
    ],
)
def test_a_service_that_tells_nothing_that_can_be_taken_is_a_failure_in_a_sentence(answer: Reply, message: str) -> None:
    with pytest.raises(NotTold) as caught:
        read_tip(URL, answer)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("answer", "is_service"),
    [
        (reply(409, b"a loop", "text/plain"), True),
        (told(commit=None), True),
        (told(branch=None), True),
        (reply(503, b"no commit is active yet", "text/plain; charset=utf-8", "1"), True),
        (reply(503, b"nothing", "text/plain"), False),
        (reply(503, b"<html>", "text/html", "1"), False),
        (reply(502, b"no", "text/plain", "1"), False),
        (reply(429, b"{}", retry_after="1"), False),
    ],
)
def test_some_answers_show_that_it_is_a_service_though_they_tell_no_tip(answer: Reply, is_service: bool) -> None:
    with pytest.raises(NotTold) as caught:
        read_tip(URL, answer)
    assert caught.value.is_service == is_service


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("7", 7.0), ("86400", 60.0), ("-1", 0.0), ("soon", 0.0), ("", 0.0), ("nan", 0.0)]
)
def test_it_is_asked_again_when_it_wants_to_be_but_within_a_minute(retry_after: str, seconds: float) -> None:
    with pytest.raises(NotTold) as caught:
        read_tip(URL, reply(503, retry_after=retry_after))
    assert caught.value.retry_after == seconds
