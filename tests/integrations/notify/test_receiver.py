"""Notifications sent to a receiver, which may be slow, wrong, or none."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from location_policy.errors import NoAnswer, UnusableFile
from location_policy.integrations.notify import receiver
from location_policy.integrations.notify.delivery import LONGEST_WAIT, NotDelivered
from location_policy.integrations.notify.receiver import parse_target, read_target
from tests.integrations.notify.receiving import (
    EVENT,
    HIDDEN,
    SECRET,
    Say,
    drips,
    hangs,
    receiver_of,
    running_receiver,
    status,
)
from tests.support.access import Pki
from tests.support.service import wait_until

OTHER = b"the-secret-that-comes-after-it"


def test_a_receiver_can_prove_who_has_sent_it_and_by_either_secret_while_it_is_changed() -> None:
    with running_receiver() as inbox:
        assert receiver_of(inbox.url, "json", SECRET, OTHER).send(EVENT) is None
    (message,) = inbox.messages
    assert message.is_proven(SECRET)
    assert message.is_proven(OTHER)
    assert not message.is_proven(b"a-secret-of-another-service")
    assert message.headers["webhook-id"] == EVENT.id
    assert message.headers["content-type"] == "application/json"
    assert message.path == f"/services/{HIDDEN}?sig={HIDDEN}"


def test_without_a_secret_nothing_is_signed_and_a_login_in_the_url_is_shown_to_the_receiver() -> None:
    with running_receiver() as inbox:
        assert receiver_of(inbox.url.replace("://", "://noc:p%2Fw@")).send(EVENT) is None
    assert "webhook-signature" not in inbox.messages[0].headers
    assert inbox.messages[0].headers["authorization"] == "Basic bm9jOnAvdw=="


@pytest.mark.parametrize(
    ("say", "refusal"),
    [
        (status(500), NotDelivered("status 500")),
        (status(503, Retry_After="7"), NotDelivered("status 503", after=7)),
        (status(429, Retry_After="99999999999"), NotDelivered("status 429", after=LONGEST_WAIT)),
        (status(429, Retry_After="Mon, 02 Jan 2006 15:04:05 GMT"), NotDelivered("status 429")),
        (status(429, Retry_After="soon"), NotDelivered("status 429")),
        (status(410), NotDelivered("status 410", is_final=True)),
    ],
)
def test_a_receiver_that_takes_nothing_says_whether_it_is_to_be_asked_again(say: Say, refusal: NotDelivered) -> None:
    with running_receiver(None, say) as inbox:
        assert receiver_of(inbox.url).send(EVENT) == refusal


def test_a_redirect_is_not_followed() -> None:
    with running_receiver() as elsewhere, running_receiver(None, status(302, Location=elsewhere.url)) as inbox:
        refusal = receiver_of(inbox.url).send(EVENT)
        assert refusal == NotDelivered("status 302 is a redirect, which is not followed", is_final=True)
        assert elsewhere.messages == []


@pytest.mark.parametrize("say", [hangs, drips])
def test_a_receiver_that_reads_nothing_or_never_ends_is_left_in_time_and_leaves_no_thread(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "SECONDS", 0.2)
    with running_receiver(None, say) as inbox:
        ours = set(threading.enumerate())
        began = time.monotonic()
        refusal = receiver_of(inbox.url).send(EVENT)
        assert refusal
        assert refusal.reason.endswith("has not answered in time")
        assert time.monotonic() - began < 2
        wait_until(lambda: not any(one.is_alive() for one in set(threading.enumerate()) - ours))


def test_a_receiver_of_another_ca_is_not_believed_until_that_is_named(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    with running_receiver(pki) as inbox:
        refusal = receiver_of(inbox.url).send(EVENT)
        assert refusal
        assert "is not trusted" in refusal.reason
        assert HIDDEN not in refusal.reason
        assert not refusal.is_final
        assert receiver_of(inbox.url, ca=pki.ca_file).send(EVENT) is None


def test_a_receiver_that_is_not_there_is_tried_again_and_only_its_host_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refusal = receiver_of(f"http://127.0.0.1:{port}/{HIDDEN}").send(EVENT)
    assert refusal == NotDelivered(f"http://127.0.0.1:{port} cannot be reached: Connection refused")


@pytest.mark.parametrize(
    "url",
    [
        f"ftp://example.com/{HIDDEN}",
        f"https:///{HIDDEN}",
        f"https://example.com:x/{HIDDEN}",
        f"https://example.com/{HIDDEN} x",
        f"https://example.com/{HIDDEN}ü",
        f"http://example.com/{HIDDEN}",
        "",
    ],
)
def test_what_is_no_url_of_a_receiver_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(NoAnswer) as refused:
        parse_target(url)
    with pytest.raises(UnusableFile) as unusable:
        read_target(url.encode(), "url")
    told = f"{refused.value.message} {refused.value.hint} {unusable.value.message} {unusable.value.problems}"
    assert HIDDEN not in told


def test_a_target_shows_its_host_alone() -> None:
    target = parse_target(f"https://noc:{HIDDEN}@hooks.example.com/services/{HIDDEN}?sig={HIDDEN}\n".strip())
    assert (repr(target), f"{target}") == ("Target(hooks.example.com)", "Target(hooks.example.com)")
    assert read_target(b"https://hooks.example.com/x\n", "url").path == "/x"
