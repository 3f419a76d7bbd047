"""The status of a commit on each forge, by its API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from location_policy.errors import NoAnswer
from location_policy.integrations.forges.commit_status import LONGEST, TOLD, CommitStatus, Forge, statuses_of
from location_policy.integrations.http_client import trust
from location_policy.integrations.notify.delivery import NotDelivered
from location_policy.integrations.notify.event import Sender
from location_policy.problems import Problem, Problems
from location_policy.repository.remote.failures import RemoteError
from location_policy.rollout.notify.notifier import Notifier
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from tests.integrations.notify.receiving import EVENT
from tests.support.maps import COMMIT
from tests.support.peer import PeerHandler, running_peer
from tests.support.repositories import BAD, GOOD, force_commit, make_repository
from tests.support.service import wait_until

TOKEN = "a-token-that-nobody-may-see"
FOUND = Problems([Problem("locations.csv", 1, 1, "host-bits", "wrong")] * 3)
REFUSED = replace(EVENT, kind="refused", problems=FOUND, took=None)


@dataclass
class Asked:
    answer: tuple[int, bytes] = (201, b"{}")
    url: str = ""
    requests: list[tuple[str, str | None, dict[str, str]]] = field(default_factory=list)


class Handler(PeerHandler, BaseHTTPRequestHandler):
    asked: Asked

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        token = self.headers["Private-Token"] or self.headers["Authorization"]
        self.asked.requests.append((self.path, token, body))
        self.say(*self.asked.answer)


@contextmanager
def running(answer: tuple[int, bytes] = (201, b"{}")) -> Iterator[Asked]:
    asked = Asked(answer)
    with running_peer(Handler, asked=asked) as asked.url:
        yield asked


def status_of(asked: Asked, forge: Forge) -> CommitStatus:
    return CommitStatus(forge, statuses_of(forge, f"{asked.url}/noc/locations"), lambda: TOKEN, trust(None))


@pytest.mark.parametrize(
    ("forge", "path", "name", "failure"),
    [
        ("github", "/api/v3/repos/noc/locations/statuses/", "context", "failure"),
        ("gitea", "/api/v1/repos/noc/locations/statuses/", "context", "failure"),
        ("forgejo", "/api/v1/repos/noc/locations/statuses/", "context", "failure"),
        ("gitlab", "/api/v4/projects/noc%2Flocations/statuses/", "name", "failed"),
    ],
)
def test_a_commit_gets_the_status_that_its_forge_knows(forge: Forge, path: str, name: str, failure: str) -> None:
    with running() as asked:
        assert status_of(asked, forge).send(EVENT) is None
        assert status_of(asked, forge).send(REFUSED) is None
    token = TOKEN if forge == "gitlab" else f"token {TOKEN}"
    told = [("success", "active in 0.4 s"), (failure, "rejected: 3 problems")]
    assert asked.requests == [
        (f"{path}{COMMIT.id}", token, {"state": state, name: "location-policy", "description": said})
        for state, said in told
    ]


@pytest.mark.parametrize(
    ("forge", "page", "where"),
    [
        ("github", "https://github.com/noc/locations", "https://api.github.com/repos/noc/locations/statuses/"),
        ("github", "https://x.ghe.com/noc/locations", "https://api.x.ghe.com/repos/noc/locations/statuses/"),
        ("gitlab", "https://gitlab.com/a/b/c", "https://gitlab.com/api/v4/projects/a%2Fb%2Fc/statuses/"),
        ("gitea", "https://x.example/git/noc/l%C3%B6", "https://x.example/git/api/v1/repos/noc/l%C3%B6/statuses/"),
    ],
)
def test_where_statuses_are_set(forge: Forge, page: str, where: str) -> None:
    found = statuses_of(forge, page)
    assert f"{found.origin}{found.path}" == where


@pytest.mark.parametrize("page", ["https://github.com/locations", "https://localhost", "http://forge.example.com/a/b"])
def test_where_none_can_be_set_is_told(page: str) -> None:
    with pytest.raises(NoAnswer):
        statuses_of("github", page)


def test_what_becomes_of_the_commits_of_a_repository_is_shown_on_its_forge(tmp_path: Path) -> None:
    active, state = ActiveState(), tmp_path / "state"
    state.mkdir()
    repository = make_repository(tmp_path / "locations.git", GOOD)
    with running() as asked:
        status = status_of(asked, "gitea")
        notifier = Notifier(active, status, TOLD, Sender("policy-1", "x"), state / "told.json", lambda: None)
        look = notifier.around(Refresher(repository, active, state).refresh)
        look()
        bad = force_commit(repository, BAD)
        look()
        notifier.outbox.start()
        wait_until(lambda: notifier.outbox.sent == 2)
        notifier.outbox.stop()
    (_, _, first), (path, _, second) = asked.requests
    assert first["description"].startswith("active in ")
    assert (path.rpartition("/")[2], second["description"]) == (bad, "rejected: 1 problem")


def test_a_long_reason_is_cut_to_what_a_forge_takes() -> None:
    with running() as asked:
        status_of(asked, "github").send(replace(REFUSED, problems=Problems(), message="x" * 500))
    assert len(asked.requests[0][2]["description"]) == LONGEST + 1


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ((403, b"{}"), NotDelivered("status 403: the token may not set the status of commits", is_final=True)),
        ((502, b""), NotDelivered("status 502")),
        ((400, b'{"message":"Cannot transition status via :run from :success"}'), None),
        ((400, b"{}"), NotDelivered("status 400", is_final=True)),
    ],
)
def test_a_forge_that_takes_none(answer: tuple[int, bytes], refusal: NotDelivered | None) -> None:
    with running(answer) as asked:
        assert status_of(asked, "gitlab").send(EVENT) == refusal


def test_a_token_that_cannot_be_read_now_is_read_again_later() -> None:
    def token() -> str:
        raise RemoteError("credentials", "the file cannot be read")

    with running() as asked:
        found = replace(status_of(asked, "github"), token=token).send(EVENT)
    assert found == NotDelivered("the file cannot be read")
