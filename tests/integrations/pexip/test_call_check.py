"""`location-policy pexip calls`: finished calls as a Management Node of ours records them, held against a map."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from location_policy.cli.commands.pexip_manager import ManagerOptions, calls
from tests.support.access import PASSWORD
from tests.support.manager import (
    BASE,
    HISTORY,
    MEMBER,
    USER,
    Handler,
    ManagementNode,
    Say,
    location,
    page,
    participant,
    profile,
    running_manager,
    worker,
)
from tests.support.program import run_program
from tests.support.repositories import make_repository

SECRET = {"LOCATION_POLICY_MANAGER_PASSWORD": PASSWORD}
SYDNEY, MELBOURNE, SINGAPORE = 1, 2, 3
NAMES = ("Sydney", "Melbourne", "Singapore")
ROWS = "Sydney,Melbourne,10.61.2.0/24\nMelbourne,10.61.3.0/24\nPerth,10.61.4.0/24\n"
RULES = '[match]\nwebrtc = "remote-address"\nsip = ["ms-subnet", "remote-address"]\n'
URL = "https://policy.example.com"
FULL = "Sydney and its overflow were full, or the answer did not reach the node in time"
OTHER_SCRIPT = '{"result": {"location": "Singapore"}}'


@pytest.fixture
def node() -> Iterator[ManagementNode]:
    with running_manager(None, *NAMES, profiles=[profile(1, "subnets", URL)]) as running:
        running.lists["system_location"] = [location(number, name, 1) for number, name in enumerate(NAMES, 1)]
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "map"
    path.mkdir()
    (path / "policy.toml").write_text(RULES)
    (path / "locations.csv").write_text(ROWS)
    return path


def ask(node: ManagementNode, *more: str | Path) -> subprocess.CompletedProcess[str]:
    """The program asks this node; in no case is a participant told, or the password."""
    done = run_program("pexip", "calls", *node.arguments(), *more, environment=SECRET)
    assert not tells_who(done.stdout + done.stderr)
    assert PASSWORD not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def tells_who(text: str) -> bool:
    """Is a participant's name, alias, id or address in it?"""
    return any(secret in text for secret in (*MEMBER.split(), "10.61.", "172.23."))


def asked(
    node: ManagementNode, folder: Path, *logs: Path, repository: Path | None = None, revision: str | None = None
) -> dict[str, Any]:
    """What the command says as JSON."""
    password = folder.parent / "password"
    password.write_text(f"{PASSWORD}\n")
    options = ManagerOptions(node.url, USER, password, None, 20.0, allow_http=False, as_json=True)
    with redirect_stdout(StringIO()) as said:
        status = calls(options, folder, repository, revision, datetime.now(UTC) - timedelta(days=1), logs)
    assert not tells_who(said.getvalue())
    found: dict[str, Any] = json.loads(said.getvalue())
    assert status == (1 if found["ignored"] else 0)
    return found


def results(found: dict[str, Any]) -> dict[str, int]:
    """How many calls of each result, without those that there are none of."""
    return {result: calls for result, calls in found["results"].items() if calls}


def test_each_call_is_held_against_what_the_map_says_of_it(node: ManagementNode, folder: Path) -> None:
    node.lists["participant"] = [
        participant(1, "10.61.2.7", SINGAPORE, SYDNEY),
        participant(2, "10.61.2.8", SINGAPORE, MELBOURNE),
        participant(3, "10.61.2.9", SINGAPORE, SINGAPORE),
        participant(4, "192.0.2.1", SINGAPORE, SINGAPORE),
        participant(5, "10.61.2.7", SINGAPORE, SYDNEY, protocol="RTMP"),
        participant(6, "10.61.2.7", SINGAPORE, SINGAPORE, protocol="API", has_media=False),
        participant(7, "10.61.3.7", SINGAPORE, MELBOURNE, call_direction="out"),
    ]
    done = ask(node, folder)
    assert (done.returncode, done.stderr) == (1, "")
    first, *lines = done.stdout.splitlines()
    assert re.fullmatch(rf"the files in {folder}, and 7 calls that ended since \S+Z:", first)
    assert lines == [
        "  2  obeyed: media in the location of the answer",
        "  1  overflow: media in an overflow location of the answer",
        "  1  ignored: media in another location",
        "  2  no opinion: the answer names no location",
        "  1  no media: a call without media of its own",
        f"location Sydney: error: 1 call sent there had media in Singapore (1): {FULL}",
        "  hint: look at the load of Sydney in Pexip, and in the decision log for what its nodes were told",
    ]


def test_nothing_ignored_is_exit_status_0(node: ManagementNode, folder: Path) -> None:
    node.lists["participant"] = [participant(1, "10.61.2.7", SINGAPORE, SYDNEY)]
    done = ask(node, folder)
    assert (done.returncode, done.stdout.splitlines()[1:]) == (0, ["  1  obeyed: media in the location of the answer"])
    node.lists["participant"] = []
    assert ask(node, folder).returncode == 0


def cause(node: ManagementNode, folder: Path) -> tuple[str, str, str]:
    """The location and the likely cause of the one ignored answer."""
    (found,) = asked(node, folder)["ignored"]
    return found["location"], found["cause"], found["hint"]


def test_a_name_that_pexip_does_not_have_is_the_likely_cause(node: ManagementNode, folder: Path) -> None:
    node.lists["participant"] = [participant(1, "10.61.4.7", SINGAPORE, SINGAPORE)]
    hint = "add it in Platform > Locations, or take it out of the map"
    assert cause(node, folder) == ("Perth", "unknown-name", hint)
    (folder / "locations.csv").write_text("Sydney,melbourne,10.61.4.0/24\n")
    assert cause(node, folder) == ("Sydney", "unknown-name", "write Melbourne")


def test_a_location_that_does_not_ask_is_the_likely_cause(node: ManagementNode, folder: Path) -> None:
    node.lists["participant"] = [participant(1, "10.61.2.7", SINGAPORE, SINGAPORE)]
    node.lists["system_location"][2] = location(3, "Singapore")
    hint = "in Platform > Locations give Singapore the one of this service"
    assert cause(node, folder) == ("Sydney", "not-asked", hint)
    node.lists["system_location"][2] = location(3, "Singapore", 2)
    node.lists["policy_server"].append(profile(2, "other", URL, asks=False))
    assert cause(node, folder) == ("Sydney", "not-asked", hint)


def test_local_policy_that_overrules_is_the_likely_cause(node: ManagementNode, folder: Path) -> None:
    node.lists["participant"] = [participant(1, "10.61.2.7", SINGAPORE, SINGAPORE)]
    node.lists["policy_server"] = [profile(1, "subnets", URL, script=OTHER_SCRIPT)]
    assert cause(node, folder)[:2] == ("Sydney", "local-policy")


@pytest.mark.parametrize(
    "more", [{"node_type": "PROXYING"}, {"transcoding": False}, {"maintenance_mode": True}], ids=str
)
def test_a_location_that_hosts_nothing_is_the_likely_cause(
    node: ManagementNode, folder: Path, more: dict[str, object]
) -> None:
    node.lists["participant"] = [participant(1, "10.61.2.7", SINGAPORE, SINGAPORE)]
    node.lists["worker_vm"][0] = worker(1, SYDNEY, **more)
    assert cause(node, folder)[:2] == ("Sydney", "no-node")


def test_ignored_answers_are_grouped_by_location_and_cause(node: ManagementNode, folder: Path) -> None:
    node.lists["participant"] = [
        participant(number, f"10.61.{network}.7", SINGAPORE, media)
        for number, (network, media) in enumerate([(2, SINGAPORE), (4, SINGAPORE), (4, SYDNEY), (4, SINGAPORE)])
    ]
    found = asked(node, folder)
    assert [(one["location"], one["calls"], one["media"]) for one in found["ignored"]] == [
        ("Perth", 3, {"Singapore": 2, "Sydney": 1}),
        ("Sydney", 1, {"Singapore": 1}),
    ]
    assert found["answers"][0] == {"location": "Perth", "media": "Singapore", "result": "ignored", "calls": 2}
    assert (
        "location Perth: error: 3 calls sent there had media in Singapore (2), Sydney (1): " in ask(node, folder).stdout
    )


def line(call: dict[str, object], **more: object) -> bytes:
    """The line that a decision log has of the request of a call, of the older form unless `more` has the newer keys."""
    fields = {"time": f"{call['start_time']}Z", "node_ip": call["signalling_node"], "protocol": "mssip", **more}
    return json.dumps(fields).encode() + b"\n"


SKYPE = {"protocol": "MSSIP"}
"""Of a call whose record has the server's address, and no ms-subnet."""


def test_the_subnet_of_a_skype_call_is_known_from_a_decision_log(
    node: ManagementNode, folder: Path, tmp_path: Path
) -> None:
    records = [participant(number, "172.23.0.4", number, SYDNEY, **SKYPE) for number in (1, 2, 3)]
    node.lists["participant"] = records
    found = asked(node, folder)
    assert (results(found), found["not_known"]) == (
        {"not_known": 3},
        [{"reason": "Pexip's record has no ms-subnet, and no line of --log tells it", "calls": 3}],
    )
    log, packed = tmp_path / "decisions.log", tmp_path / "decisions.log.1.gz"
    log.write_bytes(line(records[0], address="10.61.2.0"))
    packed.write_bytes(
        gzip.compress(
            line(records[1], ms_subnet="10.61.3.0", remote_address="172.23.0.4")
            + line(records[1], ms_subnet="10.61.2.0", remote_address="172.23.0.5")
            + line(records[2], ms_subnet=None, remote_address="172.23.0.4", address=None)
        )
    )
    assert results(asked(node, folder, log, packed)) == {"obeyed": 1, "ignored": 1, "no_opinion": 1}


def test_lines_that_differ_at_one_moment_are_not_believed(node: ManagementNode, folder: Path, tmp_path: Path) -> None:
    call = participant(1, "172.23.0.4", SINGAPORE, SYDNEY, **SKYPE)
    node.lists["participant"] = [call]
    log = tmp_path / "decisions.log"
    log.write_bytes(line(call, address="10.61.2.0") * 2)
    assert results(asked(node, folder, log)) == {"obeyed": 1}
    log.write_bytes(line(call, address="10.61.2.0") + line(call, address="10.61.3.0"))
    assert results(asked(node, folder, log)) == {"not_known": 1}
    log.write_bytes(line(call, address=None))
    assert results(asked(node, folder, log)) == {"not_known": 1}
    log.write_bytes(line({**call, "start_time": "2020-01-01T00:00:00"}, address="10.61.2.0"))
    assert results(asked(node, folder, log)) == {"not_known": 1}


def test_a_call_whose_older_line_has_the_callers_address_had_no_subnet(
    node: ManagementNode, folder: Path, tmp_path: Path
) -> None:
    call = participant(1, "10.61.2.7", SINGAPORE, SYDNEY, protocol="SIP")
    node.lists["participant"] = [call]
    log = tmp_path / "decisions.log"
    log.write_bytes(line(call, protocol="sip", address="10.61.2.7"))
    assert results(asked(node, folder)) == {"not_known": 1}
    assert results(asked(node, folder, log)) == {"obeyed": 1}


def test_what_is_no_decision_log_is_told(node: ManagementNode, folder: Path, tmp_path: Path) -> None:
    log, cut = tmp_path / "x.log", tmp_path / "cut.gz"
    log.write_bytes(b'\xff\n{"time":"2026-11-29T04:00:00Z","node_ip":"10.4\n[]\n' + b"[" * 100_000 + b"\n")
    cut.write_bytes(gzip.compress(b"x" * 1000)[:-10])
    done = ask(node, folder, "--log", log)
    assert (done.returncode, "warning: 4 lines of --log are not of a decision log\n" in done.stderr) == (0, True)
    for path, told in ((cut, "is cut, or damaged"), (tmp_path / "absent", "No such file")):
        done = ask(node, folder, "--log", path)
        assert (done.returncode, told in done.stderr) == (2, True)


def test_a_call_from_before_the_commit_is_not_called_ignored(node: ManagementNode, tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", {"policy.toml": RULES, "locations.csv": ROWS})
    soon = (datetime.now(UTC) + timedelta(hours=1)).replace(tzinfo=None).isoformat()
    ignored = participant(1, "10.61.2.7", SINGAPORE, SINGAPORE)
    node.lists["participant"] = [ignored, participant(2, "10.61.2.7", SINGAPORE, SYDNEY)]
    found = asked(node, tmp_path, repository=repository, revision="main")
    assert results(found) == {"obeyed": 1, "not_known": 1}
    assert found["not_known"][0]["reason"] == "it began before the commit, and went elsewhere"
    assert len(found["commit"]) == 40
    ignored["start_time"] = soon
    assert results(asked(node, tmp_path, repository=repository)) == {"obeyed": 1, "ignored": 1}
    assert ask(node, "--repo", repository).stdout.startswith(f"{found['commit'][:10]} ")


def test_ten_thousand_participants_come_in_pages_at_a_bounded_pace(node: ManagementNode, folder: Path) -> None:
    record = participant(0, "10.61.2.7", SINGAPORE, SYDNEY)
    node.lists["participant"] = [
        {**record, "resource_uri": f"{HISTORY}participant/{number}/"} for number in range(10_000)
    ]
    began = time.monotonic()
    found = asked(node, folder)
    took = time.monotonic() - began
    assert results(found) == {"obeyed": 10_000}
    pages = [path for path, _ in node.asked if path.startswith(f"{HISTORY}participant/?limit=500&offset=")]
    assert len(pages) == len(set(pages)) == 20
    assert took >= 19 * 0.125


BAD: list[tuple[Say, str]] = [
    (lambda handler: handler.say(429, b"", Retry_After="3600"), "is asked too often"),
    (lambda handler: handler.say(200, b"<html>", Content_Type="text/html"), "is not JSON, but text/html"),
    (lambda handler: handler.say(403, b""), f"may not read {HISTORY}participant/"),
    (lambda _: time.sleep(4), "has not answered in time"),
]


@pytest.mark.parametrize(("say", "told"), BAD, ids=["429", "html", "403", "slow"])
def test_a_record_that_cannot_be_read_is_told_and_nothing_is_printed(
    node: ManagementNode, folder: Path, say: Say, told: str
) -> None:
    node.lists["participant"] = [participant(1, "10.61.2.7", SINGAPORE, SYDNEY)]
    node.says = [plain_page] * 3 + [say]
    done = ask(node, folder, "--timeout", "2")
    assert (done.returncode, done.stdout, told in done.stderr) == (2, "", True)


def plain_page(handler: Handler) -> None:
    handler._page()


def test_a_page_that_repeats_itself_is_told(node: ManagementNode, folder: Path) -> None:
    record = participant(1, "10.61.2.7", SINGAPORE, SYDNEY)
    again: Say = lambda handler: handler.say(200, page([record], 2, "/next"))  # noqa: E731  a short answer
    node.says = [plain_page] * 3 + [again] * 2
    done = ask(node, folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the pages of participant repeat themselves" in done.stderr


@pytest.mark.parametrize(
    ("more", "result"),
    [
        ({"media_node": ""}, "obeyed"),
        ({"media_node": None, "media_streams": None}, "no_media"),
        ({"media_node": "10.99.0.1", "media_streams": []}, "not_known"),
        ({"media_node": ["10.44.1.1"], "media_streams": [5]}, "no_media"),
        ({"signalling_node": None, "proxy_node": None, "system_location": None}, "obeyed"),
        ({"start_time": None}, "obeyed"),
        ({"start_time": "yesterday", "duration": "long"}, "obeyed"),
        ({"start_time": "2026-11-29T23:59:59+14:00"}, "obeyed"),
        ({"remote_address": None}, "no_opinion"),
        ({"remote_address": "not an address"}, "no_opinion"),
        ({"remote_address": "::ffff:10.61.2.7", "media_node": "::ffff:10.44.1.1"}, "obeyed"),
        ({"protocol": 7}, "no_opinion"),
    ],
    ids=str,
)
def test_a_strange_record_costs_no_more_than_its_own_result(
    node: ManagementNode, folder: Path, more: dict[str, object], result: str
) -> None:
    node.lists["participant"] = [participant(1, "10.61.2.7", SINGAPORE, SYDNEY, **more)]
    assert results(asked(node, folder)) == {result: 1}


def test_the_time_asked_for_is_in_utc_whatever_zone_is_typed(node: ManagementNode, folder: Path) -> None:
    ask(node, folder, "--since", "2026-01-02")
    assert "&end_time__gte=2026-01-02T00:00:00&end_time__lt=" in node.asked[-1][0]
    ask(node, folder, "--since", "2026-01-02T01:30:00+02:00")
    assert "&end_time__gte=2026-01-01T23:30:00&end_time__lt=" in node.asked[-1][0]
    assert ask(node, folder, "--since", "0001-01-01T00:00:00Z").returncode == 0
    assert "&end_time__gte=1970-01-01T00:00:00&end_time__lt=" in node.asked[-1][0]


@pytest.mark.parametrize(
    ("since", "told"),
    [
        ("2999-01-01T00:00:00Z", "2999-01-01T00:00:00Z is in the future"),
        ("2026-01-01T00:00:00", "names no time zone: write 2026-01-01T00:00:00Z for UTC"),
        ("yesterday", "is neither so long ago nor a day"),
        ("99999999d", "is neither so long ago nor a day"),
        ("9999999999999d", "is neither so long ago nor a day"),
        ("-1d", "is neither so long ago nor a day"),
    ],
)
def test_a_time_that_cannot_be_meant_is_told(node: ManagementNode, folder: Path, since: str, told: str) -> None:
    done = ask(node, folder, "--since", since)
    assert (done.returncode, told in done.stderr, node.asked) == (2, True, [])


def test_a_map_that_is_not_valid_asks_nothing(node: ManagementNode, folder: Path) -> None:
    (folder / "policy.toml").write_text("[match]\nsip = 1\n")
    assert (ask(node, folder).returncode, node.asked) == (2, [])


def test_a_call_that_came_by_a_proxy_is_asked_by_the_node_that_signals(node: ManagementNode, folder: Path) -> None:
    node.lists["worker_vm"].append(worker(9, MELBOURNE, node_type="PROXYING"))
    node.lists["system_location"][1] = location(2, "Melbourne")
    node.lists["participant"] = [
        participant(1, "10.61.2.7", SINGAPORE, SINGAPORE, proxy_node="10.44.2.9", system_location="Melbourne")
    ]
    assert cause(node, folder)[:2] == ("Sydney", "other")


def test_only_get_is_asked_and_only_of_what_is_needed(node: ManagementNode, folder: Path) -> None:
    ask(node, folder)
    asked_for = [path.partition("?")[0] for path, _ in node.asked]
    assert asked_for == [
        *(f"{BASE}{resource}/" for resource in ("system_location", "policy_server", "worker_vm")),
        f"{HISTORY}participant/",
    ]
