"""`location-policy pexip` against a Management Node of ours, over TLS."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from location_policy.config.policy_toml import read_rules
from location_policy.integrations.pexip.profile_check import passes_through
from tests.support.access import PASSWORD, Pki
from tests.support.manager import (
    BASE,
    USER,
    Handler,
    ManagementNode,
    location,
    locations,
    page,
    participant,
    profile,
    running_manager,
    worker,
)
from tests.support.program import PROGRAM, closed_environment, run_program
from tests.support.repositories import clone, init

SECRET = {"LOCATION_POLICY_MANAGER_PASSWORD": PASSWORD}
ROOT = Path(__file__).parent.parent.parent
NAMES = ("Sydney", "Singapore", "Melbourne")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def node(pki: Pki) -> Iterator[ManagementNode]:
    with running_manager(pki, *NAMES) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.toml").write_text('# ours\n[locations]\nknown = ["Sydney", "Melbourne"]  # both\n')
    (tmp_path / "locations.csv").write_text("Sydney,Melbourne,10.61.2.0/24\nMelbourne,10.61.3.0/24\n")
    return tmp_path


def ask(
    node: ManagementNode, *more: str | Path, command: str = "locations", **environment: str
) -> subprocess.CompletedProcess[str]:
    """The program asks this node; in no case is the password told."""
    done = run_program("pexip", command, *node.arguments(), *more, environment={**SECRET, **environment})
    assert PASSWORD not in done.stdout + done.stderr
    assert "Basic" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_names_of_all_locations_are_printed(node: ManagementNode) -> None:
    done = ask(node)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Melbourne\nSingapore\nSydney\n", "")


def test_pages_are_asked_for_until_the_last_whatever_their_size(node: ManagementNode) -> None:
    node.lists["system_location"] = locations(*(f"Site {number:03}" for number in range(45)))
    node.page = 20
    assert len(ask(node).stdout.splitlines()) == 45
    assert [path.partition("?")[2] for path, _ in node.asked] == [
        f"limit=1000&offset={offset}" for offset in (0, 20, 40)
    ]


def test_names_that_differ_are_told_with_their_places(node: ManagementNode, folder: Path) -> None:
    with (folder / "locations.csv").open("a") as file:
        file.write("sydney,Perth,10.61.4.0/24\nPerth,10.61.5.0/24\n")
    done = ask(node, "--check", folder)
    assert done.returncode == 1
    assert done.stdout == (
        "policy.toml:3:1: error: Singapore is a location of the Management Node, but not known here\n"
        "  hint: add Singapore to known\n"
        "locations.csv:3:1: error: sydney is not a location of the Management Node\n"
        "  hint: write Sydney\n"
        "locations.csv:3:8: error: Perth is not a location of the Management Node, in 2 rows\n"
        "  hint: add it in Platform > Locations, or take it out here\n"
    )
    assert done.stderr == "3 locations: 3 errors\n"


def test_a_known_name_and_a_default_that_pexip_does_not_have_are_told(node: ManagementNode, folder: Path) -> None:
    text = '[locations]\nknown = ["Sidney", "S\\u0079d",\n "Melbourne", "Singapore", "Sydney"]\n'
    text += '[answer]\ndefault = "Oslo"\n'
    (folder / "policy.toml").write_text(text)
    lines = ask(node, "--check", folder).stdout.splitlines()
    assert [line.partition(": error: ")[0] for line in lines[::2]] == [
        "policy.toml:2:10",
        "policy.toml:2:1",
        "policy.toml:5:1",
    ]


def test_names_that_agree_are_no_problem(node: ManagementNode, folder: Path) -> None:
    node.lists["system_location"] = locations("Sydney", "Melbourne")
    done = ask(node, "--check", folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "2 locations: no problem\n")


def test_where_nothing_is_known_only_rows_are_compared(node: ManagementNode, folder: Path) -> None:
    (folder / "policy.toml").unlink()
    done = ask(node, "--check", folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert "policy.toml says nothing of known" in done.stderr


def test_names_are_written_into_known_and_nothing_else_is_changed(node: ManagementNode, folder: Path) -> None:
    (folder / "policy.toml").chmod(0o640)
    done = ask(node, "--into", folder)
    path = folder / "policy.toml"
    assert (done.returncode, done.stdout) == (0, f"added Singapore\nwrote {path}\n")
    assert path.read_text() == '# ours\n[locations]\nknown = ["Sydney", "Melbourne", "Singapore"]  # both\n'
    assert path.stat().st_mode & 0o777 == 0o640
    assert run_program("check", folder).returncode == 0


def test_names_that_are_all_known_write_nothing(node: ManagementNode, folder: Path) -> None:
    ask(node, "--into", folder)
    before = (folder / "policy.toml").stat()
    done = ask(node, "--into", folder)
    assert (done.returncode, done.stdout) == (0, f"{folder / 'policy.toml'} knows them all\n")
    assert (folder / "policy.toml").stat().st_ino == before.st_ino


def test_a_file_that_is_not_there_is_written(node: ManagementNode, folder: Path) -> None:
    (folder / "policy.toml").unlink()
    assert ask(node, "--into", folder).returncode == 0
    assert set(read_rules((folder / "policy.toml").read_bytes())[0].known) == set(NAMES)


def test_rows_with_a_name_that_is_gone_are_told_after_it_was_written(node: ManagementNode, folder: Path) -> None:
    node.lists["system_location"] = locations("Sydney")
    done = ask(node, "--into", folder)
    assert done.returncode == 1
    assert done.stdout.startswith(f"removed Melbourne\nwrote {folder / 'policy.toml'}\nlocations.csv:1:8: error: Mel")


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ("[locations]\nknown = 1\n", 1, "policy.toml:2:1: error: locations.known takes a list"),
        ("locations = {}\n", 2, "policy.toml cannot be changed: the list of known locations is not found in it"),
    ],
)
def test_rules_that_cannot_be_changed_stay(
    node: ManagementNode, folder: Path, text: str, status: int, told: str
) -> None:
    (folder / "policy.toml").write_text(text)
    done = ask(node, "--into", folder)
    assert (done.returncode, told in done.stderr) == (status, True)
    assert (folder / "policy.toml").read_text() == text


def test_names_that_are_easily_mistaken_or_cannot_be_written_are_warnings(node: ManagementNode, folder: Path) -> None:
    node.lists["system_location"] = locations("Sydney", "SYDNEY", "Melbourne", "Oslo ")
    done = ask(node, "--into", folder)
    assert "warning: SYDNEY and Sydney differ only in case" in done.stderr
    assert "warning: no row can name the location 'Oslo '" in done.stderr
    assert set(read_rules((folder / "policy.toml").read_bytes())[0].known) == {"Sydney", "SYDNEY", "Melbourne"}


def test_a_list_without_a_location_changes_nothing(node: ManagementNode, folder: Path) -> None:
    node.lists["system_location"] = []
    before = (folder / "policy.toml").read_bytes()
    done = ask(node, "--into", folder)
    assert (done.returncode, "names no system location" in done.stderr) == (2, True)
    assert (folder / "policy.toml").read_bytes() == before


def cut(handler: Handler) -> None:
    handler.say(200, page(locations("Sydney"), 1)[:-20], Content_Length="10000")
    handler.close_connection = True


def test_an_answer_that_is_cut_changes_nothing(node: ManagementNode, folder: Path) -> None:
    node.says = [cut]
    before = (folder / "policy.toml").read_bytes()
    done = ask(node, "--into", folder)
    assert (done.returncode, done.stdout, "bytes early\n  hint: try again" in done.stderr) == (2, "", True)
    assert (folder / "policy.toml").read_bytes() == before


def test_a_wrong_password_is_told_without_it(node: ManagementNode) -> None:
    done = ask(node, LOCATION_POLICY_MANAGER_PASSWORD="sesame")
    assert (done.returncode, "sesame" in done.stderr) == (2, False)
    assert done.stderr.splitlines()[0].endswith("does not know api by this password")


def test_a_node_that_is_asked_too_often_is_asked_again_when_it_says(node: ManagementNode) -> None:
    node.says = [lambda handler: handler.say(429, b"", Retry_After="1")]
    began = time.monotonic()
    assert ask(node).returncode == 0
    assert time.monotonic() - began >= 1
    assert len(node.asked) == 2


def test_an_answer_that_does_not_come_in_time_is_not_waited_for(node: ManagementNode) -> None:
    node.says = [lambda _: time.sleep(8)]
    began = time.monotonic()
    done = ask(node, LOCATION_POLICY_TIMEOUT="1")
    assert (done.returncode, "has not answered in time" in done.stderr) == (2, True)
    assert time.monotonic() - began < 6


def test_the_next_page_is_asked_of_this_node_whatever_the_answer_says(node: ManagementNode) -> None:
    node.says = [lambda handler: handler.say(200, page(locations("Sydney"), 3, "https://evil.example.com/steal"))]
    assert ask(node).returncode == 0
    assert [path for path, _ in node.asked] == [f"{BASE}system_location/?limit=1000&offset={at}" for at in (0, 1)]


def test_a_redirect_to_another_host_gets_no_credentials(pki: Pki, node: ManagementNode) -> None:
    with running_manager(pki, "Elsewhere") as other:
        node.says = [lambda handler: handler.say(307, b"", Location=f"{other.url}{handler.path}")]
        assert ask(node).returncode == 2
        assert other.asked == []


def test_a_certificate_of_a_stranger_is_not_trusted(node: ManagementNode, tmp_path: Path) -> None:
    node.ca = Pki(tmp_path / "other").ca_file
    done = ask(node)
    assert (done.returncode, node.asked) == (2, [])
    assert re.search(r"the certificate of \S+ is not trusted: .*\n  hint: --ca FILE", done.stderr)
    node.ca = None
    assert ask(node).returncode == 2


def test_a_certificate_of_another_name_is_not_trusted(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    leaf = pki.ca.issue_cert("other.example.com")
    leaf.private_key_pem.write_to_path(pki.key)
    leaf.cert_chain_pems[0].write_to_path(pki.cert)
    with running_manager(pki, *NAMES) as other:
        done = ask(other)
        assert (done.returncode, other.asked) == (2, [])
    assert "  hint: name the server as its certificate does\n" in done.stderr


def test_a_server_without_tls_is_told() -> None:
    with running_manager(None, *NAMES) as plain:
        plain.url = plain.url.replace("http", "https")
        done = ask(plain)
    assert (done.returncode, "cannot be reached: TLS: " in done.stderr) == (2, True)


def test_nobody_there_is_told(node: ManagementNode) -> None:
    node.url = "https://127.0.0.1:1"
    done = ask(node)
    assert (done.returncode, done.stderr) == (
        2,
        "location-policy: https://127.0.0.1:1 cannot be reached: Connection refused\n",
    )


def test_http_is_spoken_with_this_machine_only() -> None:
    with running_manager(None, *NAMES) as plain:
        assert ask(plain).returncode == 0
        plain.url = "http://manager.example.com"
        done = ask(plain)
        assert "over http everybody on the way reads the password\n  hint: write --manager https://" in done.stderr


def test_a_password_comes_from_a_file_before_the_environment(node: ManagementNode, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\r\nmore\n")
    assert ask(node, "--password-file", path, LOCATION_POLICY_MANAGER_PASSWORD="wrong").returncode == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\nx", "the password is empty"), (b"\xff\n", "is not a password in UTF-8"), (None, "No such file")],
)
def test_a_password_that_cannot_be_used_is_told(
    node: ManagementNode, tmp_path: Path, content: bytes | None, told: str
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    done = ask(node, "--password-file", path)
    assert (done.returncode, told in done.stderr, node.asked) == (2, True, [])


def test_without_a_password_nothing_is_asked(node: ManagementNode) -> None:
    done = run_program("pexip", "locations", *node.arguments())
    assert (done.returncode, "no password is given" in done.stderr, node.asked) == (2, True, [])


@pytest.mark.parametrize(("typed", "status"), [(PASSWORD.encode() + b"\n", 0), (b"\x04", 2)])
def test_on_a_terminal_the_password_is_asked_for_and_not_shown(node: ManagementNode, typed: bytes, status: int) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, "pexip", "locations", *node.arguments()],
        env=closed_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while not shown.endswith(b": "):
        shown += os.read(ours, 1000)
    os.write(ours, typed)
    assert process.wait(timeout=20) == status
    shown += os.read(ours, 10_000)
    os.close(ours)
    assert b"password of api at https://127.0.0.1" in shown
    assert PASSWORD.encode() not in shown


@pytest.mark.parametrize("user", ["a:b", "a\nb"])
def test_a_user_that_cannot_be_sent_is_told(node: ManagementNode, user: str) -> None:
    done = ask(node, "--user", user)
    assert (done.returncode, "cannot be a user" in done.stderr, node.asked) == (2, True, [])


def test_to_check_and_to_write_exclude_each_other(node: ManagementNode, folder: Path) -> None:
    done = ask(node, "--check", folder, "--into", folder)
    assert (done.returncode, "exclude each other" in done.stderr) == (2, True)


def test_preflight_finds_nothing_wrong(node: ManagementNode, folder: Path) -> None:
    node.lists["system_location"] = [location(1, "Sydney", 1), location(2, "Melbourne", 1)]
    node.lists["policy_server"] = [profile(1, "subnets", "https://policy.example.com/")]
    for more in ((), ("--location", "Sydney", "--profile", "subnets"), ("--profile", "subnets")):
        done = ask(node, folder, *more, command="preflight")
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == "2 locations, 1 policy profile: no problem\n"


def test_preflight_tells_what_is_wrong_with_profiles_and_locations(node: ManagementNode, folder: Path) -> None:
    node.lists["system_location"] = [location(1, "Sydney", 1), location(2, "Melbourne"), location(3, "New York", 2)]
    node.lists["policy_server"] = [
        profile(1, "subnets", "https://a:secret@policy.example.com/x/policy/v1", asks=False),
        profile(2, "other", ""),
    ]
    done = ask(node, folder, command="preflight", LOCATION_POLICY_LOCATION="Sydney, New York,Melbourne,Perth")
    assert done.returncode == 1
    assert done.stdout.splitlines()[2:] == [
        "location Melbourne: error: it has no policy profile, so its nodes ask nobody",
        "  hint: in Platform > Locations give Melbourne the one of this service",
        "location Perth: error: Perth is not a location of the Management Node",
        "  hint: add it in Platform > Locations, or take it out here",
        "policy profile subnets: error: media location requests are not enabled",
        "  hint: enable external media location lookup in it",
        "policy profile subnets: error: its URL has the path /x/policy/v1, to which nodes add /policy/v1 once more",
        "  hint: write https://policy.example.com/x",
        "policy profile other: error: it has no URL of a policy server",
        "  hint: write such as https://policy.example.com",
    ]
    assert "secret" not in done.stdout
    assert done.stderr == "3 locations, 2 policy profiles: 6 errors\n"


def test_preflight_tells_of_another_profile_and_of_one_that_is_not_there(node: ManagementNode, folder: Path) -> None:
    node.lists["system_location"] = [location(1, "Sydney", 1), location(2, "Melbourne", 2)]
    node.lists["policy_server"] = [
        profile(number, name, "https://policy.example.com") for number, name in ((1, "subnets"), (2, "other"))
    ]
    done = ask(node, folder, "--location", "Melbourne", "--profile", "subnets", command="preflight")
    assert "location Melbourne: error: it has the policy profile other\n" in done.stdout
    for name, hint in (("Subnets", "write subnets"), ("absent", "add it in Call control > Policy profiles")):
        done = ask(node, folder, "--profile", name, command="preflight")
        assert done.stdout == f"policy profiles: error: there is no {name}\n  hint: {hint}\n"


def test_preflight_tells_when_no_location_asks(node: ManagementNode, folder: Path) -> None:
    node.lists["system_location"] = [location(1, "Sydney"), location(2, "Melbourne")]
    node.lists["policy_server"] = [profile(1, "subnets", "https://policy.example.com")]
    lines = [ask(node, folder, *more, command="preflight").stdout for more in ((), ("--profile", "subnets"))]
    assert lines[0].startswith("policy profiles: error: no location has a policy profile that asks for media location")
    assert lines[1].startswith("policy profiles: error: no location has the policy profile subnets")


def test_all_of_it_is_one_object_for_programs(node: ManagementNode, folder: Path) -> None:
    def told(*more: str | Path, command: str = "locations") -> tuple[int, dict[str, Any]]:
        done = ask(node, *more, "--format", "json", command=command)
        return done.returncode, json.loads(done.stdout)

    node.lists["system_location"] = [location(number, name) for number, name in enumerate(("Perth", "Sydney"), 1)]
    assert told() == (0, {"locations": ["Perth", "Sydney"]})
    status, found = told("--check", folder)
    assert (status, found["locations"]) == (1, ["Perth", "Sydney"])
    assert found["problems"][0] == {
        "place": "policy.toml:3:20",
        "message": "Melbourne is not a location of the Management Node",
        "hint": "add it in Platform > Locations, or take it out here",
    }
    status, found = told("--into", folder)
    assert (status, found["written"], found["added"], found["removed"]) == (1, True, ["Perth"], ["Melbourne"])
    assert told("--into", folder)[1]["written"] is False
    status, found = told(folder, command="preflight")
    assert (status, found["profiles"], found["problems"][-1]["place"]) == (1, [], "policy profiles")


SUGGESTED = "{{ suggested_media_overflow_locations | pex_to_json }}"


def ready(node: ManagementNode, script: str | None = None, **more: bool) -> None:
    """Two locations that ask this service, with a profile that says so."""
    node.lists["system_location"] = [location(1, "Sydney", 1), location(2, "Melbourne", 1)]
    node.lists["policy_server"] = [profile(1, "subnets", "https://policy.example.com", script=script, **more)]


@pytest.mark.parametrize("comment", ["", "{# as Pexip has it,\n no more #}\n"])
def test_preflight_says_of_local_policy_that_passes_answers_through_that_it_is_there(
    node: ManagementNode, folder: Path, comment: str
) -> None:
    ready(node, f'{comment}{{\n  "result" : {SUGGESTED}\n}}\n')
    done = ask(node, folder, command="preflight")
    told = "policy profile subnets: note: local policy for media location is on, and passes the answer through\n"
    assert (done.returncode, done.stdout) == (0, told)
    assert done.stderr == "2 locations, 1 policy profile: no problem\n"


def test_preflight_shows_local_policy_that_has_the_last_word(node: ManagementNode, folder: Path) -> None:
    ready(
        node,
        script=f'{{% if x %}}\n\x1b[2J{{"result": {{"location": "Oslo"}}}}\n{{% endif %}}{SUGGESTED}\n' + "x\n" * 20,
    )
    done = ask(node, folder, command="preflight")
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert lines[0] == "policy profile subnets: error: local policy for media location is on, and has the last word"
    assert lines[1:3] == ["  | {% if x %}", '  | \\x1b[2J{"result": {"location": "Oslo"}}']
    assert lines[21] == "  | … and 3 more lines"
    assert lines[22].startswith("  hint: switch it off in it, or write ")
    assert passes_through(lines[22].partition(" or write ")[2])
    ready(node, " ")
    assert "has the last word: it is empty\n" in ask(node, folder, command="preflight").stdout


def test_preflight_tells_of_other_request_types(node: ManagementNode, folder: Path) -> None:
    ready(node, enable_service_lookup=True, enable_avatar_lookup=True)
    told = (
        "policy profile subnets: error: it also asks for service configuration, avatars, which this service leaves to "
    )
    assert ask(node, folder, command="preflight").stdout.startswith(told)


def test_preflight_finds_no_fault_in_a_profile_that_no_location_has(node: ManagementNode, folder: Path) -> None:
    ready(node)
    node.lists["policy_server"].append(profile(2, "spare", "https://other.example.com", script="x"))
    assert ask(node, folder, command="preflight").returncode == 0


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ([worker(2, 2)], "Sydney has no transcoding node"),
        ([worker(1, 1, node_type="PROXYING"), worker(2, 2)], "Sydney has no transcoding node"),
        (
            [worker(1, 1, maintenance_mode=True), worker(2, 2), worker(3, 1, node_type="PROXYING")],
            "all transcoding nodes of Sydney are in maintenance mode",
        ),
        ([worker(1, 1, maintenance_mode=True), worker(2, 2), worker(3, 1)], None),
    ],
    ids=["none", "proxying", "maintenance", "one-of-two"],
)
def test_preflight_tells_of_locations_that_can_host_nothing(
    node: ManagementNode, folder: Path, nodes: list[dict[str, object]], told: str | None
) -> None:
    ready(node)
    node.lists["worker_vm"] = nodes
    (folder / "policy.toml").write_text('[answer]\ndefault = "Sydney"\n')
    done = ask(node, folder, command="preflight")
    assert [line for line in done.stdout.splitlines() if "hint" not in line] == (
        [f"locations.csv:1:1: error: {told}"] if told else []
    )
    (folder / "locations.csv").unlink()
    done = ask(node, folder, command="preflight")
    assert done.stdout.startswith(f"policy.toml:2:1: error: {told}\n" if told else "")
    assert done.returncode == (1 if told else 0)


def test_preflight_looks_at_what_views_answer_too(node: ManagementNode, folder: Path) -> None:
    ready(node)
    node.lists["worker_vm"] = [worker(2, 2)]
    (folder / "locations.csv").write_text("Melbourne,10.61.3.0/24\n")
    (folder / "policy.toml").write_text('[[view]]\nname = "edge"\nprotocol = "webrtc"\nanswer = ["Sydney"]\n')
    done = ask(node, folder, command="preflight")
    assert done.stdout.startswith("policy.toml:4:1: error: Sydney has no transcoding node\n")
    (folder / "policy.toml").write_text('[[view]]\nname = "edge"\nprotocol = "webrtc"\n')
    (folder / "views" / "edge").mkdir(parents=True)
    (folder / "views" / "edge" / "locations.csv").write_text("Sydney,10.61.2.0/24\n")
    done = ask(node, folder, command="preflight")
    assert done.stdout.startswith("views/edge/locations.csv:1:1: error: Sydney has no transcoding node\n")


def test_preflight_tells_of_bursting_locations_that_would_not_be_started(node: ManagementNode, folder: Path) -> None:
    ready(node)
    burst = location(3, "Burst", 1)
    node.lists["system_location"] = [location(1, "Sydney", 1, overflow=3), location(2, "Melbourne", 1), burst]
    node.lists["worker_vm"] = [worker(1, 1), worker(2, 2), worker(3, 3, cloud_bursting=True)]
    (folder / "policy.toml").unlink()
    (folder / "locations.csv").write_text(
        "Sydney,Burst,10.61.2.0/24\nMelbourne,Burst,10.61.3.0/24\nMelbourne,Burst,10.61.4.0/24\nBurst,10.61.5.0/24\n"
    )
    done = ask(node, folder, command="preflight")
    assert done.returncode == 1
    assert [line.replace("error: Burst is a bursting location, ", "") for line in done.stdout.splitlines()[::2]] == [
        "locations.csv:2:11: and not the configured overflow of Melbourne, in 2 rows",
        "locations.csv:4:1: which mostly does not run",
    ]
    (folder / "policy.toml").write_text('[overflow]\nSydney = "Burst"\nMelbourne = ["Sydney", "Burst"]\n')
    (folder / "locations.csv").write_text("Sydney,10.61.2.0/24\nMelbourne,10.61.3.0/24\n")
    told = "policy.toml:3:1: error: Burst is a bursting location, and not the configured overflow of Melbourne\n"
    assert ask(node, folder, command="preflight").stdout.startswith(told)


def test_preflight_tells_of_bursting_locations_in_what_rules_answer(node: ManagementNode, folder: Path) -> None:
    ready(node)
    burst = location(3, "Burst", 1)
    node.lists["system_location"] = [location(1, "Sydney", 1, overflow=3), location(2, "Melbourne", 1), burst]
    node.lists["worker_vm"] = [worker(1, 1), worker(2, 2), worker(3, 3, cloud_bursting=True)]
    (folder / "locations.csv").write_text("Sydney,10.61.2.0/24\n")
    views = ['"Sydney", "Burst"', '"Melbourne", "Burst"']
    text = "".join(
        f'[[view]]\nname = "v{at}"\nlocation = "L{at}"\nanswer = [{names}]\n' for at, names in enumerate(views)
    )
    (folder / "policy.toml").write_text(f'[answer]\ndefault = "Burst"\n{text}')
    done = ask(node, folder, command="preflight")
    told = [line.partition(", ") for line in done.stdout.splitlines() if "is a bursting location" in line]
    assert [(place.partition(": ")[0], what) for place, _, what in told] == [
        ("policy.toml:2:1", "which mostly does not run"),
        ("policy.toml:10:24", "and not the configured overflow of Melbourne"),
    ]


def test_preflight_says_the_same_as_json(node: ManagementNode, folder: Path) -> None:
    ready(node, "{}")
    node.lists["worker_vm"] = [worker(1, 1)]
    done = ask(node, folder, "--format", "json", command="preflight")
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert (found["locations"], found["profiles"]) == (["Sydney", "Melbourne"], ["subnets"])
    assert [(one["place"], one.get("severity"), one.get("text")) for one in found["problems"]] == [
        ("locations.csv:1:8", None, None),
        ("policy profile subnets", None, "{}"),
    ]
    ready(node, SUGGESTED.join(('{"result": ', "}")))
    node.lists["worker_vm"] = [worker(1, 1), worker(2, 2)]
    done = ask(node, folder, "--format", "json", command="preflight")
    assert (done.returncode, [one["severity"] for one in json.loads(done.stdout)["problems"]]) == (0, ["note"])


NIGHTLY = [
    *(f"{forge}/workflows/pexip-locations.yml" for forge in (".github", ".gitea", ".forgejo")),
    ".gitlab-ci.yml",
]


@pytest.mark.parametrize("name", NIGHTLY)
def test_the_nightly_job_asks_as_it_says(node: ManagementNode, tmp_path: Path, name: str) -> None:
    workflow = (ROOT / "config-repo" / name).read_text()
    commands = re.findall(r"^ +(?:run: |- )(location-policy pexip [^|\n]*)", workflow, re.MULTILINE)
    variables = {"LOCATION_POLICY_MANAGER": node.url, "LOCATION_POLICY_USER": USER, "LOCATION_POLICY_CA": str(node.ca)}
    assert all(f"{name}: " in workflow for name in (*variables, *SECRET))
    copy = clone(init(tmp_path / "x.git"), tmp_path / "map")
    (copy.path / "decisions.log").write_text("")
    variables["LOCATION_POLICY_LOG"] = "decisions.log"

    def statuses() -> list[int]:
        return [
            run_program(*command.split()[1:], cwd=copy.path, environment={**variables, **SECRET}).returncode
            for command in commands
        ]

    node.lists["system_location"] = [location(number, place, 1) for number, place in enumerate(NAMES, 1)]
    node.lists["policy_server"] = [profile(1, "subnets", "https://policy.example.com")]
    node.lists["participant"] = [participant(1, "172.23.0.4", 1, 1, protocol="MSSIP")]
    assert statuses() == [0, 0]
    soon = (datetime.now(UTC) + timedelta(hours=1)).replace(tzinfo=None).isoformat()
    node.lists["system_location"].append(location(4, "Tokyo", 1))
    node.lists["worker_vm"].append(worker(4, 4))
    node.lists["participant"] = [participant(1, "172.23.0.4", 1, 4, protocol="MSSIP", start_time=soon)]
    line = {"time": f"{soon}Z", "node_ip": "10.44.1.1", "protocol": "mssip", "address": "10.65.0.0"}
    (copy.path / "decisions.log").write_text(json.dumps(line) + "\n")
    assert statuses() == [1, 1]


def test_gitea_and_forgejo_run_the_same_every_night() -> None:
    _, gitea, forgejo, _ = ((ROOT / "config-repo" / name).read_text() for name in NIGHTLY)
    assert gitea == forgejo


def test_the_job_of_gitlab_fails_for_either(tmp_path: Path) -> None:
    script = yaml.safe_load((ROOT / "config-repo" / ".gitlab-ci.yml").read_text())["pexip"]["script"]
    assert script.pop(0) == "PATH=$(sh .location-policy/install):$PATH"
    program = tmp_path / "location-policy"
    for failing, status in (("preflight", 1), ("calls", 1), ("neither", 0)):
        program.write_text(f'#!/bin/sh\necho "$2"\n[ "$2" != {failing} ]\n')
        program.chmod(0o755)
        path = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        command = ["bash", "-e", "-c", "\n".join(script)]
        done = subprocess.run(command, env=path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (status, "preflight\ncalls\n"), done.stderr
