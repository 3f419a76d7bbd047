"""Who is told of changes, as `serve` was asked for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from location_policy.cli.service.notify import open_receivers
from location_policy.cli.service.options import ServeOptions
from location_policy.cli.service.remote_secrets import refuse_typed_receiver
from location_policy.errors import CannotStart, LocationPolicyError
from location_policy.integrations.forges.commit_status import CommitStatus
from location_policy.integrations.http_client import Question
from location_policy.integrations.notify.options import NotifyOptions
from location_policy.integrations.notify.receiver import Receiver
from location_policy.repository.remote.credentials import RemoteAccess
from tests.integrations.notify.receiving import EVENT, HIDDEN, SECRET, running_receiver
from tests.support.program import run_program

URL = f"https://hooks.example.com/services/{HIDDEN}"


def test_the_file_of_a_url_and_that_of_a_secret_are_read_again(tmp_path: Path) -> None:
    file, secret = tmp_path / "url", tmp_path / "secret"
    secret.write_bytes(SECRET)
    with running_receiver() as old, running_receiver() as new:
        file.write_text(f"{old.url}\n")
        options = ServeOptions(notify=NotifyOptions(str(file), secrets=secret))
        receivers, looks = open_receivers(options)
        assert receivers["notify"].send(EVENT) is None
        file.write_text(f"{new.url}\n")
        secret.write_bytes(b"the-secret-that-comes-after-it")
        for look in looks:
            look(asked=False)
        assert receivers["notify"].send(EVENT) is None
    assert old.messages[0].is_proven(SECRET)
    assert new.messages[0].is_proven(b"the-secret-that-comes-after-it")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (ServeOptions(notify=NotifyOptions(None, "slack")), "need --notify too"),
        (ServeOptions(notify=NotifyOptions("hooks.example.com/x")), "neither a URL nor a file"),
        (ServeOptions(notify=NotifyOptions("http://example.com/x")), "over http everybody"),
        (ServeOptions(notify=NotifyOptions(URL, receiver_ca=Path("nowhere"))), "nowhere cannot be read"),
        (ServeOptions(commit_status="github"), "followed by its URL"),
        (ServeOptions(repo="https://github.com/a/b", commit_status="github"), "needs a token"),
    ],
)
def test_what_cannot_be_is_told_at_the_start(options: ServeOptions, told: str) -> None:
    with pytest.raises(LocationPolicyError, match=told):
        open_receivers(options)


@pytest.mark.parametrize(
    "repo", ["https://github.com/noc/map.git", "git@github.com:noc/map.git", "ssh://git@github.com/noc/map"]
)
def test_the_status_is_set_with_the_credentials_of_the_remote(repo: str, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("https://bot:to%2Fken@github.com\n")
    options = ServeOptions(repo=repo, remote=RemoteAccess(credentials=file), commit_status="github")
    status = open_receivers(options)[0]["commit-status"]
    assert status.shown == "api.github.com"
    assert isinstance(status, CommitStatus)
    assert status.token() == "to/ken"
    file.write_text("https://bot:other@gitlab.com\n")
    with pytest.raises(LocationPolicyError, match="has no line for https://github"):
        open_receivers(options)


def test_the_status_is_set_with_the_password_in_the_url() -> None:
    options = ServeOptions(repo="https://bot:token@github.com/noc/map", commit_status="github")
    status = open_receivers(options)[0]["commit-status"]
    assert isinstance(status, CommitStatus)
    assert status.token() == "token"


def test_a_secret_url_that_is_typed_is_refused_with_the_line_that_does_it_right(tmp_path: Path) -> None:
    done = run_program("serve", "--port", "0", "--notify", URL, "--notify-format", "slack", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert HIDDEN not in done.stderr
    write, then = done.stderr.partition("hint: ")[2].strip().rsplit("; then ", 1)
    file = tmp_path / "notify-url"
    command = write.replace("/etc/location-policy/notify-url", str(file))
    subprocess.run(["bash", "-c", command], input=f"{URL}\n", text=True, check=True, timeout=20)
    assert then == "--notify /etc/location-policy/notify-url"
    assert file.stat().st_mode & 0o777 == 0o600
    receiver = open_receivers(ServeOptions(notify=NotifyOptions(str(file), "slack")))[0]["notify"]
    assert isinstance(receiver, Receiver)
    assert receiver.shown == "hooks.example.com"
    assert receiver.target().path == f"/services/{HIDDEN}"


def test_what_serves_shows_no_secret_in_a_traceback() -> None:
    receivers, _ = open_receivers(ServeOptions(notify=NotifyOptions(URL)))
    question = Question(f"/{HIDDEN}", None)
    assert HIDDEN not in f"{receivers} {NotifyOptions(URL)} {question}"


@pytest.mark.parametrize(
    ("url", "is_chat"), [(URL, False), ("https://[", True), ("/etc/url", True), ("http://127.0.0.1:1/x?y", True)]
)
def test_what_is_no_secret_may_be_typed(url: str, is_chat: bool) -> None:
    refuse_typed_receiver(url, is_chat=is_chat)


@pytest.mark.parametrize("url", [f"{URL}?sig=x", "https://a:b@example.com/"])
def test_a_query_or_a_login_is_a_secret_in_any_form(url: str) -> None:
    with pytest.raises(CannotStart):
        refuse_typed_receiver(url, is_chat=False)
