"""`location-policy lookup`, in a folder and in a commit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.program import run_program, start_program
from tests.support.repositories import BAD, GOOD, clone, force_commit, git, init, make_repository
from tests.support.service import running_service

ROWS = "Sydney,10.61.0.0/16\nMelbourne,Sydney,10.61.3.0/24\nMelbourne,Sydney,10.61.2.0/24\nPerth,10.62.0.0/16\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working copy with two rows, the shorter network first."""
    (tmp_path / "locations.csv").write_text("Sydney,10.61.0.0/16\nMelbourne,Sydney,Singapore,10.61.3.0/24\n")
    return tmp_path


def test_the_longest_network_answers_with_its_file_and_line(folder: Path) -> None:
    done = run_program("lookup", "10.61.3.7", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Melbourne, overflow Sydney, Singapore\n  locations.csv:2: 10.61.3.0/24\n"


def test_a_row_without_overflow_names_its_location_only(folder: Path) -> None:
    assert run_program("lookup", "10.61.4.7", folder).stdout == "Sydney\n  locations.csv:1: 10.61.0.0/16\n"


def test_an_address_that_no_row_covers_is_a_no(folder: Path) -> None:
    done = run_program("lookup", "10.9.0.1", folder)
    assert (done.returncode, done.stdout) == (1, "no answer: no row covers 10.9.0.1\n")


def test_an_address_that_no_row_covers_gets_the_default(folder: Path) -> None:
    (folder / "policy.toml").write_text('[answer]\ndefault = "Singapore"\n')
    done = run_program("lookup", "10.9.0.1", folder)
    assert (done.returncode, done.stdout) == (0, "Singapore\n  the default: no row covers 10.9.0.1\n")


def test_what_is_no_address_cannot_be_asked(folder: Path) -> None:
    for wrong in ("10.61.3", "10.61.2.300"):
        done = run_program("lookup", wrong, folder)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"location-policy: {wrong} is not an IPv4 or IPv6 address\n  hint: name one, such as 10.61.2.7\n"
        )


def test_a_protocol_without_a_match_rule_is_a_no(folder: Path) -> None:
    done = run_program("lookup", "10.61.3.7", folder, "--protocol", "webrtc")
    assert (done.returncode, done.stdout) == (1, "no opinion: [match] in policy.toml does not name webrtc\n")


def test_json_is_the_body_that_a_node_gets(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git")
    with running_service(repository) as service:
        body = service.locate("10.61.2.7").body
    done = run_program("lookup", "10.61.2.7", "--repo", repository, "--format", "json")
    assert done.stdout.encode() == body + b"\n"


def test_a_commit_is_asked_by_its_id(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", GOOD)
    force_commit(repository, {"locations.csv": "Perth,10.61.2.0/24\n"})
    done = run_program("lookup", "10.61.2.7", "--repo", repository, "--rev", "main~1", "--format", "json")
    assert json.loads(done.stdout)["result"]["location"] == "Sydney"


def test_a_branch_goes_before_a_tag_of_its_name(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", GOOD)
    git("tag", "main", "main", cwd=repository)
    force_commit(repository, {"locations.csv": "Perth,10.61.2.0/24\n"})
    for revision in ((), ("--rev", "main"), ("--rev", "refs/heads/main")):
        assert "Perth" in run_program("lookup", "10.61.2.7", "--repo", repository, *revision).stdout
    assert "Sydney" in run_program("lookup", "10.61.2.7", "--repo", repository, "--rev", "refs/tags/main").stdout


def test_a_revision_that_does_not_validate_cannot_be_asked(tmp_path: Path) -> None:
    done = run_program("lookup", "10.61.2.7", "--repo", make_repository(tmp_path / "locations.git", BAD))
    assert (done.returncode, done.stdout) == (2, "")
    assert "locations/apac.csv:1:28: error: 10.61.3.0/23 has host bits set [host-bits]" in done.stderr


def test_a_revision_that_is_not_there_names_the_branches_that_are(tmp_path: Path) -> None:
    done = run_program("lookup", "10.61.2.7", "--repo", make_repository(tmp_path / "x.git", GOOD), "--rev", "master")
    assert done.returncode == 2
    assert done.stderr.endswith("hint: branches here: main\n")


def test_no_address_cannot_be_asked(folder: Path) -> None:
    done = run_program("lookup", " ", folder)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "location-policy: no address is given")


def test_a_path_that_would_steer_the_terminal_is_written_out(tmp_path: Path) -> None:
    path = tmp_path / "locations" / "a\x1b[31m.csv"
    path.parent.mkdir()
    path.write_text("Sydney,10.61.2.0/24\n")
    assert r"locations/a\x1b[31m.csv:1" in run_program("lookup", "10.61.2.7", tmp_path).stdout


def test_a_linked_working_copy_is_asked_like_its_repository(tmp_path: Path) -> None:
    copy = clone(make_repository(tmp_path / "x.git", GOOD), tmp_path / "copy")
    copy.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "HEAD")
    done = run_program("lookup", "10.61.2.7", "--rev", "HEAD", cwd=tmp_path / "linked")
    assert done.stdout.startswith("Sydney")


@pytest.mark.parametrize("asked", [("lookup", "10.61.2.1", "."), ("check", "."), ("diff", ".", "elsewhere")])
def test_an_output_that_cannot_encode_a_name_escapes_it(tmp_path: Path, asked: tuple[str, ...]) -> None:
    (tmp_path / "locations.csv").write_text("Łódź,10.61.2.0/24\nŁódz,10.61.3.0/24\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "locations.csv").write_text("Łódź,10.61.4.0/24\n")
    done = start_program(*asked, cwd=tmp_path, environment={"PYTHONIOENCODING": "ascii"})
    assert "Traceback" not in done.stderr
    assert r"\u0141\xf3d\u017a" in done.stdout
    assert done.returncode == 0


def test_a_bare_repository_that_is_named_as_a_folder_is_asked_as_one(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "x.git", GOOD)
    assert run_program("lookup", "10.61.2.7", repository).stdout.startswith("Sydney")
    assert run_program("lookup", "10.61.2.7", "x.git", "--rev", "main", cwd=tmp_path).stdout.startswith("Sydney")


# --- of a subnet ---


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A working copy with a row that holds two others."""
    (tmp_path / "locations.csv").write_text(ROWS)
    return tmp_path


def test_a_subnet_with_one_answer_is_answered_as_an_address(site: Path) -> None:
    done = run_program("lookup", "10.61.3.128/25", site)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Melbourne, overflow Sydney\n  locations.csv:2: 10.61.3.0/24\n"


def test_a_subnet_of_which_several_rows_say_the_same_names_them(site: Path) -> None:
    done = run_program("lookup", "10.61.2.0/23", site)
    assert done.stdout == (
        "Melbourne, overflow Sydney\n  locations.csv:3: 10.61.2.0/24\n  locations.csv:2: 10.61.3.0/24\n"
    )


def test_a_subnet_that_is_split_is_told_by_its_parts_the_largest_first(site: Path) -> None:
    done = run_program("lookup", "10.60.0.0/14", site)
    assert done.returncode == 0
    assert done.stdout == (
        "10.60.0.0/14 is split in 6 parts\n"
        "  10.60.0.0/16  no answer  65,536 addresses\n"
        "  10.62.0.0/16  Perth  65,536 addresses  (locations.csv:4)\n"
        "  10.63.0.0/16  no answer  65,536 addresses\n"
        "  10.61.4.0 - 10.61.255.255  Sydney  64,512 addresses  (locations.csv:1)\n"
        "  10.61.0.0/23  Sydney  512 addresses  (locations.csv:1)\n"
        "  10.61.2.0/23  Melbourne, overflow Sydney  512 addresses  (locations.csv:3 and 1 more)\n"
    )


def test_no_more_than_twenty_parts_are_told(site: Path) -> None:
    (site / "locations.csv").write_text("".join(f"Sydney,10.61.{at * 2}.0/24\n" for at in range(100)))
    lines = run_program("lookup", "10.61.0.0/16", site).stdout.splitlines()
    assert lines[0] == "10.61.0.0/16 is split in 200 parts"
    assert lines[1].startswith("  10.61.199.0 - 10.61.255.255  no answer  14,592 addresses")
    assert (len(lines), lines[-1]) == (22, "  … and 180 more parts")
    found = json.loads(run_program("lookup", "10.61.0.0/16", site, "--format", "json").stdout)
    assert (found["is_split"], len(found["parts"]), found["more"]) == (True, 20, 180)


def test_the_rest_of_a_subnet_gets_the_default(site: Path) -> None:
    (site / "policy.toml").write_text('[answer]\ndefault = "Perth"\n')
    assert run_program("lookup", "10.9.0.0/16", site).stdout == "Perth\n  the default: no row covers 10.9.0.0/16\n"
    assert "  10.63.0.0/16  Perth  65,536 addresses\n" not in run_program("lookup", "10.62.0.0/15", site).stdout
    assert run_program("lookup", "10.62.0.0/15", site).stdout.startswith("Perth\n  locations.csv:4: 10.62.0.0/16\n")


@pytest.mark.parametrize("subnet", ["10.9.0.0/16", "2001:db8::/32"])
def test_a_subnet_that_no_row_covers_is_a_no(site: Path, subnet: str) -> None:
    done = run_program("lookup", subnet, site)
    assert (done.returncode, done.stdout) == (1, f"no answer: no row covers {subnet}\n")


def test_a_subnet_of_ipv6_is_counted_in_networks_of_length_64(site: Path) -> None:
    (site / "locations.csv").write_text("Sydney,2001:db8::/48\nPerth,2001:db8:0:1::/64\n")
    assert (
        "  2001:db8:0:1::/64  Perth  1 /64  (locations.csv:2)\n" in run_program("lookup", "2001:db8::/48", site).stdout
    )


def test_a_protocol_without_a_match_rule_has_no_opinion_on_a_subnet(site: Path) -> None:
    done = run_program("lookup", "10.61.0.0/16", site, "--protocol", "webrtc")
    assert (done.returncode, done.stdout) == (1, "no opinion: [match] in policy.toml does not name webrtc\n")
    asked = ("lookup", "10.61.0.0/16", site, "--protocol", "webrtc", "--format", "json")
    assert json.loads(run_program(*asked).stdout)["parts"] == []


def test_json_of_a_subnet_has_its_parts_and_their_rows(site: Path) -> None:
    found = json.loads(run_program("lookup", "10.61.3.0/24", site, "--format", "json").stdout)
    assert found == {
        "subnet": "10.61.3.0/24",
        "commit": None,
        "is_split": False,
        "more": 0,
        "parts": [
            {
                "range": "10.61.3.0/24",
                "first": "10.61.3.0",
                "last": "10.61.3.255",
                "size": "256",
                "answer": {"location": "Melbourne", "overflow": ["Sydney"]},
                "rows": [
                    {
                        "subnet": "10.61.3.0/24",
                        "location": "Melbourne",
                        "overflow": ["Sydney"],
                        "path": "locations.csv",
                        "line": 2,
                    }
                ],
                "more_rows": 0,
            }
        ],
    }


def test_what_is_no_subnet_cannot_be_asked(site: Path) -> None:
    done = run_program("lookup", "10.61.3.0/33", site)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "location-policy: '10.61.3.0/33' is not a subnet\n  hint: name one, such as 10.61.2.0/24\n"


# --- the name of a location ---


def test_a_location_is_told_with_the_rows_that_lead_to_it(site: Path) -> None:
    done = run_program("lookup", "Sydney", site)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Sydney is the location of 1 row\n"
        "  locations.csv:1: 10.61.0.0/16 Sydney\n"
        "Sydney is overflow of 2 rows\n"
        "  locations.csv:3: 10.61.2.0/24 Melbourne, overflow Sydney\n"
        "  locations.csv:2: 10.61.3.0/24 Melbourne, overflow Sydney\n"
    )


def test_the_default_is_said_to_be_one(site: Path) -> None:
    (site / "policy.toml").write_text('[answer]\ndefault = "Oslo"\n')
    done = run_program("lookup", "Oslo", site)
    assert (done.returncode, done.stdout) == (
        0,
        "Oslo is the default: that of every address that no row covers\n",
    )


def test_a_location_to_which_no_row_leads_is_a_no(site: Path) -> None:
    (site / "policy.toml").write_text('[locations]\nknown = ["Melbourne", "Oslo", "Perth", "Sydney"]\n')
    done = run_program("lookup", "Oslo", site)
    assert (done.returncode, done.stdout) == (1, "no row leads to Oslo\n")


@pytest.mark.parametrize("near", ["sydney", "Sidney", "Ѕydney"])
def test_a_name_that_is_not_there_leads_to_the_one_that_was_meant(site: Path, near: str) -> None:
    done = run_program("lookup", near, site)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is no address, no subnet and no location of this map\n  hint: write Sydney\n" in done.stderr


def test_a_name_that_is_not_what_it_looks_like_is_asked_as_the_hint_shows_it(tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text("S\u0443dney,10.61.2.0/24\n")
    hint = run_program("lookup", "Sydney", tmp_path).stderr.rpartition("hint: write ")[2].strip()
    assert hint == r"S\u0443dney"
    assert run_program("lookup", hint, tmp_path).stdout.startswith(rf"{hint} is the location of 1 row")


def test_a_name_that_is_near_none_has_no_hint(site: Path) -> None:
    done = run_program("lookup", "Reykjavik", site)
    message = "location-policy: Reykjavik is no address, no subnet and no location of this map\n"
    assert (done.returncode, done.stderr) == (2, message)


def test_json_of_a_location_has_its_rows_and_counts_those_beyond_twenty(site: Path) -> None:
    (site / "locations.csv").write_text("".join(f"Perth,Sydney,10.61.{at}.0/24\n" for at in range(30)))
    found = json.loads(run_program("lookup", "Sydney", site, "--format", "json").stdout)
    assert (found["location"], found["as_location"], found["more_as_location"]) == ("Sydney", [], 0)
    assert (len(found["as_overflow"]), found["more_as_overflow"], found["is_default"]) == (20, 10, False)
    assert run_program("lookup", "Sydney", site).stdout.endswith("\n  … and 10 more rows\n")


# --- views ---

VIEWS = """
[[view]]
name = "edge"
location = ["DMZ", "Edge Oslo"]

[[view]]
name = "stream"
protocol = "rtmp"
answer = ["DMZ", "Oslo"]
"""


@pytest.fixture
def views(folder: Path) -> Path:
    """The same with a view for nodes of a location, and another that has one answer for all of a protocol."""
    (folder / "policy.toml").write_text(VIEWS)
    (folder / "views" / "edge").mkdir(parents=True)
    (folder / "views" / "edge" / "locations.csv").write_text("Oslo,10.61.0.0/16\n")
    return folder


@pytest.mark.parametrize(
    ("asked", "status", "lines"),
    [
        (
            ("10.61.3.7", "--ask", "location=dmz"),
            0,
            ["Oslo", "  views/edge/locations.csv:1: 10.61.0.0/16", "view edge takes the call"],
        ),
        (
            ("10.61.4.7", "--ask", "location=Paris"),
            0,
            [
                "Sydney",
                "  locations.csv:1: 10.61.0.0/16",
                "the map at the top takes the call",
                "  not view edge: location is Paris, not DMZ or Edge Oslo",
                "  not view stream: protocol is mssip, not rtmp",
            ],
        ),
        (
            ("192.0.2.1", "--protocol", "RTMP"),
            0,
            [
                "DMZ, overflow Oslo",
                "  the answer of view stream, whatever the address",
                "view stream takes the call",
                "  not view edge: location is not given, not DMZ or Edge Oslo",
            ],
        ),
        (
            ("live.example.com", "--protocol", "RTMP"),
            0,
            [
                "DMZ, overflow Oslo",
                "  the answer of view stream, whatever the address",
                "view stream takes the call",
                "  not view edge: location is not given, not DMZ or Edge Oslo",
            ],
        ),
        (
            ("10.61.3.0/24", "--ask", "location=DMZ", "--ask", "protocol=webrtc"),
            1,
            ["no opinion: match of view edge in policy.toml does not name webrtc", "view edge takes the call"],
        ),
        (
            ("Oslo",),
            0,
            [
                "no row leads to Oslo",
                "in view edge:",
                "  Oslo is the location of 1 row",
                "    views/edge/locations.csv:1: 10.61.0.0/16 Oslo",
            ],
        ),
    ],
)
def test_with_views_it_says_which_takes_the_call_and_why_others_do_not(
    views: Path, asked: tuple[str, ...], status: int, lines: list[str]
) -> None:
    done = run_program("lookup", asked[0], views, *asked[1:])
    assert (done.returncode, done.stdout.splitlines()) == (status, lines)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "no opinion: [match] in policy.toml does not name rtmp"),
        ('[match]\nrtmp = "remote_address"\n', "no opinion: live.example.com is no address"),
    ],
)
def test_the_host_of_a_stream_is_asked_as_a_node_sends_it(folder: Path, rule: str, said: str) -> None:
    (folder / "policy.toml").write_text(rule)
    done = run_program("lookup", "live.example.com", folder, "--protocol", "rtmp")
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (1, [said], "")


def test_what_is_no_host_of_a_stream_is_a_name_still(views: Path) -> None:
    for asked in (("Olso", "--protocol", "rtmp"), ("live.example.com", "--protocol", "webrtc")):
        done = run_program("lookup", asked[0], views, *asked[1:])
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{asked[0]} is no address, no subnet and no location of this map" in done.stderr


def test_the_json_of_a_view_is_the_body_that_a_node_gets(views: Path) -> None:
    done = run_program("lookup", "10.61.3.7", views, "--ask", "location=DMZ", "--format", "json")
    assert json.loads(done.stdout)["policy.view"] == "edge"
    assert json.loads(run_program("lookup", "Oslo", views, "--format", "json").stdout)["views"].keys() == {"edge"}


def test_no_other_parameter_can_be_asked(views: Path) -> None:
    done = run_program("lookup", "10.61.3.7", views, "--ask", "remote_alias=alice")
    assert done.returncode == 2
    assert (
        "'remote_alias=alice' is none of location=…, proxy_node_location=…, call_direction=…, protocol=…" in done.stderr
    )


def test_a_direction_that_no_call_has_cannot_be_asked(views: Path) -> None:
    done = run_program("lookup", "10.61.3.7", views, "--ask", "call_direction=dialin")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'dialin' is no call_direction: dial_in, dial_out, non_dial" in done.stderr
    assert run_program("lookup", "10.61.3.7", views, "--ask", "call_direction=Dial_In").returncode == 0
