"""`serve --notify URL`: a real service tells a real receiver, once, and never shows where."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integrations.notify.receiving import HIDDEN, SECRET, hangs, running_receiver, status
from tests.support.access import Pki
from tests.support.repositories import BAD, GOOD, force_commit, make_repository
from tests.support.service import running_service, started_service, wait_until


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


def test_a_receiver_is_told_of_each_change_once_and_shown_by_its_host_alone(repository: Path, tmp_path: Path) -> None:
    pki, secret, url = Pki(tmp_path / "pki"), tmp_path / "secret", tmp_path / "url"
    secret.write_bytes(SECRET)
    with running_receiver(pki) as inbox:
        url.write_text(inbox.url)
        options = ("--notify", url, "--notify-secret", secret, "--notify-ca", pki.ca_file)
        with running_service(repository, *options) as service:
            inbox.wait_for("active")
            force_commit(repository, BAD)
            inbox.wait_for("active", "refused")
            wait_until(lambda: service.status()["notifications"]["notify"]["waiting"] == 0)
            told = service.status()["notifications"]["notify"]
            assert (told["to"], told["sent"], told["failed"], told["last_error"]) == ("127.0.0.1", 2, 0, None)
            shown = "".join(service.ask(path).body.decode() for path in ("/", "/status", "/metrics"))
            assert 'location_policy_notifications_total{receiver="notify",result="sent"} 2.0' in shown
            assert service.stop() == 0
        with running_service(repository, *options) as service:
            service.wait_for("rejected")
            force_commit(repository, {"locations/apac.csv": "Perth,10.61.2.0/24\n"})
            inbox.wait_for("active", "refused", "active")
        assert all(message.is_proven() for message in inbox.messages)
    for secret_text in (HIDDEN, SECRET.decode()):
        assert secret_text not in shown + service.log.read_text()


def test_a_receiver_that_takes_nothing_holds_up_no_answer_no_rollout_and_no_end(repository: Path) -> None:
    with running_receiver(None, hangs) as inbox, running_service(repository, "--notify", inbox.url) as service:
        wait_until(lambda: not inbox.says)
        newer = force_commit(repository, {"locations/apac.csv": "Perth,10.61.2.0/24\n"})
        service.wait_for("in-sync", newer)
        began = time.monotonic()
        assert service.locate("10.61.2.0").json()["result"]["location"] == "Perth"
        assert time.monotonic() - began < 2
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 5


def test_a_certificate_that_ends_soon_is_told_of(repository: Path, tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    pki.renew(ends=datetime.now(UTC) + timedelta(days=3))
    options = ("--repo", repository, *pki.arguments())
    with running_receiver() as inbox, started_service(*options, "--notify", inbox.url, cwd=tmp_path):
        wait_until(lambda: sorted(inbox.kinds) == ["active", "certificate"], lambda: inbox.kinds)


def test_it_ends_soon_while_it_waits_to_try_again(repository: Path) -> None:
    with (
        running_receiver(None, *[status(503, Retry_After="600")] * 9) as inbox,
        running_service(repository, "--notify", inbox.url) as service,
    ):
        wait_until(lambda: service.status()["notifications"]["notify"]["last_error"] is not None)
        assert service.status()["notifications"]["notify"]["last_error"]["message"] == "status 503"
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 5
        assert len(inbox.says) == 8
