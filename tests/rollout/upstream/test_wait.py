"""The wait for the word of a service, whose answers a server of ours gives: one after the other, the last for good."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from location_policy.calls.hand_up import HandUp, decode
from location_policy.errors import RepositoryError
from location_policy.repository.remote.credentials import RemoteAccess
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.remote.upstream import ServiceTip
from location_policy.rollout.upstream import wait as module
from location_policy.rollout.upstream.question import can_tell
from location_policy.rollout.upstream.wait import APART, BURST, DOUBT, GRACE, HOURLY, LONGEST, WAIT, UpstreamWait
from tests.calls.situations import situation
from tests.support.access import PASSWORD, Pki
from tests.support.peer import PeerHandler, running_peer
from tests.support.service import wait_until

COMMIT, NEW = "a" * 40, "b" * 40
SERVICE, OTHER = "0123456789abcdef", "f" * 16
HELD = (0, b"")
"""An answer that does not come."""

Said = tuple[int, bytes]


def told(commit: str = COMMIT, service: str = SERVICE) -> Said:
    """A tip."""
    return 200, json.dumps({"commit": commit, "branch": "main", "service": service}).encode()


@dataclass
class Script:
    """What is answered in turn, and the requests; `next` lets what is held go on."""

    answers: list[Said]
    heard: list[dict[str, str]] = field(default_factory=list)
    rest: str = ""
    next: threading.Event = field(default_factory=threading.Event)


class Handler(PeerHandler):
    script: Script

    def do_GET(self) -> None:  # noqa: N802  as http.server has it
        self.script.heard.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        answers = self.script.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        while (status, body) == HELD:
            assert self.script.next.wait(20)
            self.script.next.clear()
            status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.say(status, body, Location="http://127.0.0.1:9/tip", Retry_After=self.script.rest)


class Waiting:
    """A wait, of which the pauses are written down and none is made longer than a test can bear."""

    def __init__(self, url: str, folder: Path, access: RemoteAccess | None = None) -> None:
        self.report = {"X-Location-Policy-Name": "replica-1"}
        self.mirror = Mirror(url, folder, None, 3600, access=access)
        self.drawn: list[float] = []
        self.woken = 0
        self.now = self.step = 0.0
        """What the clock says, and by how much each pause lets it go on."""
        self.calls = HandUp()
        self.wait = UpstreamWait(self.mirror, lambda: self.report, self._draw, lambda: self.now, self.calls)
        self.wait.wake = self._wake

    def _draw(self, low: float, high: float) -> float:
        assert low == 0
        self.drawn.append(high)
        self.now += self.step
        return 0.01

    def _wake(self) -> None:
        self.woken += 1
        self.report = {**self.report, "X-Location-Policy-Commit": "c" * 40}

    def current(self, *, was_service: bool = False) -> ServiceTip | None:
        return self.wait.current(was_service=was_service)

    def failure(self, *, was_service: bool = True) -> str:
        """Why it tells nothing."""
        with pytest.raises(RepositoryError) as caught:
            self.current(was_service=was_service)
        return caught.value.message


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is put in force here, so nobody waits for that."""
    monkeypatch.setattr(module, "SETTLE", 0.01)


@contextmanager
def waiting(
    folder: Path,
    *answers: Said,
    pki: Pki | None = None,
    access: RemoteAccess | None = None,
    address: Callable[[str], str] = lambda url: url,
) -> Iterator[tuple[Waiting, Script]]:
    """A wait that has begun, for a server with these answers."""
    script = Script(list(answers))
    with running_peer(Handler, pki, script=script) as url:
        found = Waiting(f"{address(url)}/a%20b/locations.git", folder, access)
        found.wait.start()
        try:
            yield found, script
        finally:
            found.wait.close()
            script.answers[:] = [(404, b"")]
            script.next.set()


def test_calls_are_handed_up_with_a_request_that_is_held_and_once(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), HELD, told(NEW), HELD) as (found, script):
        found.calls.add(739_000, {situation(): 3})
        wait_until(lambda: len(script.heard) == 2)
        script.next.set()
        wait_until(lambda: len(script.heard) == 3)
        batches = [decode(one.get("x-location-policy-calls", "")) for one in script.heard]
        assert [batch and batch.counts for batch in batches] == [None, {situation(): 3}, None]


def test_calls_are_not_handed_up_again_soon_where_that_has_failed(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), (431, b"")) as (found, script):
        found.calls.add(739_000, {situation(): 3})
        wait_until(lambda: len(script.heard) >= 4)
        assert sum("x-location-policy-calls" in one for one in script.heard) == 1


def test_a_service_is_asked_once_and_then_waited_for(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), HELD, told(NEW), HELD) as (found, script):
        assert found.current() == ServiceTip("main", COMMIT, SERVICE)
        wait_until(lambda: len(script.heard) == 2)
        first, second = script.heard
        assert (first["path"], first["x-location-policy-name"]) == ("/a%20b/locations.git/tip", "replica-1")
        assert {"prefer", "if-none-match"}.isdisjoint(first)
        assert (second["prefer"], second["if-none-match"]) == ("wait=30", f'"{COMMIT}"')
        assert found.woken == 1
        answered_at = found.wait.answered_at
        script.next.set()
        wait_until(lambda: len(script.heard) == 3)
        assert found.current() == ServiceTip("main", NEW, SERVICE)
        assert found.woken == 2
        assert script.heard[2]["if-none-match"] == f'"{NEW}"'
        assert answered_at
        assert found.wait.answered_at
        assert found.wait.answered_at > answered_at


@pytest.mark.parametrize("answer", [(404, b""), (401, b""), (302, b""), (200, b"{}"), (304, b"")])
def test_what_is_no_service_is_asked_again_when_it_cannot_be_read_and_else_each_hour(
    tmp_path: Path, answer: Said
) -> None:
    with waiting(tmp_path, answer, answer, told(), HELD) as (found, script):
        assert found.current(was_service=True) is None
        assert found.drawn == []
        assert HOURLY == 3600
        found.wait.doubt()
        assert found.current() is None
        assert len(script.heard) == 2
        found.wait.doubt()
        assert found.current() == ServiceTip("main", COMMIT, SERVICE)
        assert found.woken == 1


def test_a_service_is_believed_to_be_one_for_a_minute_then_it_is_none(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), (404, b"")) as (found, _):
        found.current()
        wait_until(lambda: bool(found.drawn))
        assert found.failure().endswith("no longer says which commit is active: it answers 404")
        found.now = DOUBT
        wait_until(lambda: found.woken == 2)
        assert found.current(was_service=True) is None


def test_where_the_wait_breaks_it_is_asked_ever_more_rarely_and_told_when_it_is_back(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), (500, b"no")) as (found, script):
        found.step = 200
        wait_until(lambda: len(found.drawn) > 9)
        assert found.drawn[:9] == [1.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 60.0, LONGEST]
        assert found.failure().endswith("does not say which commit is active: 500 no")
        assert "prefer" not in script.heard[-1]  # what is unchanged is to be told at once
        woken = found.woken
        script.answers[:] = [told(), HELD]
        wait_until(lambda: "prefer" in script.heard[-1])
        assert found.current() == ServiceTip("main", COMMIT, SERVICE)
        assert found.woken == woken + 1
        drawn = len(found.drawn)
        script.answers[:] = [(500, b"no")]
        script.next.set()
        wait_until(lambda: len(found.drawn) > drawn)
        assert found.drawn[drawn] == LONGEST  # no wait has gone well since


def test_it_is_not_asked_again_before_the_service_wants_to_be(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), (503, b"no")) as (found, script):
        script.rest = "30"
        wait_until(lambda: len(found.drawn) == 1)
        time.sleep(0.2)
        assert len(script.heard) == 2


def test_a_look_tells_of_a_wait_that_stays_broken_and_of_none_that_is_back_at_once(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), HELD) as (found, script):
        found.current()
        wait_until(lambda: "prefer" in script.heard[-1])
        script.answers[:] = [(500, b"no"), told(), HELD]
        script.next.set()
        wait_until(lambda: found.woken == 2)  # that it is back
        wait_until(lambda: "prefer" in script.heard[-1])
        found.step = 3
        script.answers[:] = [(500, b"no")]
        script.next.set()
        wait_until(lambda: found.woken == 3)
        assert found.now >= 6
        with suppress(RepositoryError):
            found.mirror.upstream = found.wait
            found.mirror.update()
        assert found.mirror.looks.unreachable_since
        woken, heard = found.woken, len(script.heard)
        wait_until(lambda: len(script.heard) > heard + 3)
        assert found.woken <= woken + 1  # one may have been on its way


def test_a_service_that_answers_and_lets_none_wait_is_asked_ever_more_rarely(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), *[(503, b"full"), told()] * 3, HELD) as (found, script):
        found.step = 200
        wait_until(lambda: len(script.heard) == 8)
        assert found.drawn == [1.0, 10.0, 20.0]


def test_one_that_follows_itself_is_told_so_also_when_it_has_told_nothing_before(tmp_path: Path) -> None:
    with waiting(tmp_path, (409, b"a loop: A follows A")) as (found, _):
        assert found.failure(was_service=False).endswith("lets no service follow itself: a loop: A follows A")


def test_a_wait_that_ends_too_soon_is_not_begun_again_at_once(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), (304, b"")) as (found, script):
        found.current()
        wait_until(lambda: len(script.heard) > 3)
        assert set(found.drawn) == {2.0}


def test_two_services_that_tell_now_this_and_now_that_are_asked_ever_more_rarely(tmp_path: Path) -> None:
    with waiting(tmp_path, *[told(), told(NEW, OTHER)] * 3, HELD) as (found, _):
        found.step = 200
        wait_until(lambda: len(found.drawn) >= 2)
        assert found.drawn[:2] == [1.0, 10.0]


def test_one_that_tells_another_commit_with_each_answer_is_not_asked_as_fast_as_it_answers(tmp_path: Path) -> None:
    with waiting(tmp_path, *(told(f"{number:040x}") for number in range(9)), HELD) as (found, script):
        wait_until(lambda: len(script.heard) == 10)
        assert found.drawn == [2.0] * (9 - BURST)


def test_what_is_told_anew_begins_the_wait_anew(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), HELD) as (found, script):
        found.current()
        wait_until(lambda: "prefer" in script.heard[-1])
        heard = len(script.heard)
        look = found.wait.around(lambda: found.report.update({"X-Location-Policy-State": "rejected"}))
        look()
        found.now = APART
        assert len(script.heard) == heard  # it has only just begun
        look()
        wait_until(lambda: script.heard[-1].get("x-location-policy-state") == "rejected")
        assert "prefer" in script.heard[-1]
        assert found.current() == ServiceTip("main", COMMIT, SERVICE)
        look()
        time.sleep(0.1)
        assert len(script.heard) == heard + 1
        assert found.drawn == []


def test_an_answer_without_an_end_is_given_up(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), HELD) as (found, script):
        found.current()
        wait_until(lambda: "prefer" in script.heard[-1])
        found.now = WAIT + GRACE + 1
        assert found.failure().endswith("has not ended its answer in time")
        wait_until(lambda: bool(found.drawn))


def test_an_answer_that_is_too_large_is_no_answer(tmp_path: Path) -> None:
    with waiting(tmp_path, (200, b"[" * 70_000)) as (found, _):
        assert "is longer than 65,536 bytes" in found.failure()
        assert found.current() is None  # nothing says that it is a service


def test_its_end_waits_for_nobody(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), HELD) as (found, script):
        found.current()
        wait_until(lambda: "prefer" in script.heard[-1])
        found.wait.close()
        wait_until(lambda: not any(thread.name == "upstream" for thread in threading.enumerate()), within=2)


def test_it_is_asked_with_what_git_is_asked_with(tmp_path: Path) -> None:
    pki, file = Pki(tmp_path / "pki"), tmp_path / "credentials"
    access = RemoteAccess(credentials=file, ca=pki.ca_file)

    def write(url: str) -> str:
        file.write_text(f"https://other:no@127.0.0.1\n{url.replace('//', '//alice%40x:s%2Fecret@')}\n")
        return url

    with waiting(tmp_path, told(), HELD, pki=pki, access=access, address=write) as (found, script):
        assert found.current() == ServiceTip("main", COMMIT, SERVICE)
        assert script.heard[0]["authorization"] == f"Basic {b64encode(b'alice@x:s/ecret').decode()}"


def test_a_password_in_the_url_is_sent_and_never_told(tmp_path: Path) -> None:
    def with_login(url: str) -> str:
        return url.replace("//", "//bob:hunter2@")

    with waiting(tmp_path, (500, b"no"), address=with_login) as (found, script):
        assert "hunter2" not in found.failure()
        assert script.heard[0]["authorization"] == f"Basic {b64encode(b'bob:hunter2').decode()}"


def test_a_certificate_that_is_not_trusted_is_told(tmp_path: Path) -> None:
    with waiting(tmp_path, told(), pki=Pki(tmp_path / "pki")) as (found, script):
        assert "is not trusted" in found.failure()
        assert script.heard == []


def test_a_file_of_credentials_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    access = RemoteAccess(credentials=tmp_path / "gone")
    with waiting(tmp_path, told(), access=access) as (found, _):
        assert found.failure() == f"{tmp_path / 'gone'} cannot be read: No such file or directory"


def test_through_a_proxy_it_is_asked_as_curl_asks(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    script = Script([told(), HELD])
    with running_peer(Handler, script=script) as proxy:
        file.write_text(f"{proxy.replace('//', f'//carol:{PASSWORD}@'.replace(' ', '%20'))}\nhttp://d:e@up.example\n")
        found = Waiting("http://up.example/locations.git", tmp_path, RemoteAccess(credentials=file, proxy=proxy))
        found.wait.start()
        assert found.current() == ServiceTip("main", COMMIT, SERVICE)
        found.wait.close()
        script.next.set()
    assert script.heard[0]["path"] == "http://up.example/locations.git/tip"
    assert script.heard[0]["proxy-authorization"] == f"Basic {b64encode(f'carol:{PASSWORD}'.encode()).decode()}"
    assert script.heard[0]["authorization"] == f"Basic {b64encode(b'd:e').decode()}"


def test_a_proxy_of_another_kind_is_told_and_no_hindrance(tmp_path: Path) -> None:
    found = Waiting("http://up.example/locations.git", tmp_path, RemoteAccess(proxy="socks5://127.0.0.1:9"))
    found.wait.start()
    assert found.current() is None
    assert "goes through no proxy of this kind: socks5://127.0.0.1:9" in found.failure()
    found.wait.close()


@pytest.mark.parametrize("url", ["file:///srv/map.git", "ssh://git@host/x", "git@host:x", "git://host/x"])
def test_only_what_is_asked_over_http_can_tell(url: str) -> None:
    assert not can_tell(url)
    assert can_tell("https://host/x.git")
