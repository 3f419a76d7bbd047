"""`location-policy init --from`: a folder or a file of rows, and the limits that a new repository has."""

from __future__ import annotations

from pathlib import Path

import pytest

from location_policy.cli.commands.first_files import with_limits
from location_policy.config.policy_toml import read_rules
from location_policy.edits.first_map import new_rules
from location_policy.gate.hooks import shipped
from tests.support.program import run_program
from tests.support.repositories import GOOD, Clone, clone, git, make_repository

TEMPLATE = (shipped("config-repo") / "policy.toml").read_bytes()
LIMITS = read_rules(TEMPLATE)[0].limits
TOLD = "location-policy: policy.toml has [limits] on what one push may change\n"


def rules_of(repository: Path) -> bytes:
    return git("show", "main:policy.toml", cwd=repository).encode()


@pytest.mark.parametrize("rules", [None, '[answer]\ndefault = "Oslo"\n'])
def test_a_folder_without_limits_gets_those_of_a_new_repository(tmp_path: Path, rules: str | None) -> None:
    files = {"locations.csv": "Sydney,10.61.2.0/24\n"} | ({"policy.toml": rules} if rules else {})
    Clone(tmp_path / "map").write(files)
    done = run_program("init", tmp_path / "x.git", "--from", tmp_path / "map")
    assert (done.returncode, done.stderr) == (0, TOLD)
    found, problems = read_rules(rules_of(tmp_path / "x.git"))
    assert (found.limits, found.default, problems) == (LIMITS, "Oslo" if rules else None, ())
    assert (tmp_path / "map/policy.toml").exists() == bool(rules)


def test_a_folder_with_limits_of_its_own_stays_as_it_is(tmp_path: Path) -> None:
    rules = '[limits]\nremoved-subnets = "50%"'
    Clone(tmp_path / "map").write({"locations.csv": "Sydney,10.61.2.0/24\n", "policy.toml": rules})
    done = run_program("init", tmp_path / "x.git", "--from", tmp_path / "map")
    assert (done.returncode, done.stderr, rules_of(tmp_path / "x.git").decode()) == (0, "", rules)


def test_half_of_a_map_that_was_brought_does_not_move_unasked(tmp_path: Path) -> None:
    rows = [f"Sydney,10.61.{at}.0/24\n" for at in range(200)]
    Clone(tmp_path / "map").write({"locations.csv": "".join(rows)})
    assert run_program("init", tmp_path / "x.git", "--from", tmp_path / "map").returncode == 0
    copy = clone(tmp_path / "x.git", tmp_path / "copy")
    copy.commit({"locations.csv": "".join(rows[98:]) + "".join(rows[:98]).replace("Sydney", "Perth")})
    pushed = copy.push()
    assert (pushed.returncode, "limits.changed-addresses: at most 25%, but it is 49%" in pushed.stderr) == (1, True)


def test_a_file_of_rows_is_the_map_of_a_new_repository_without_the_sample(tmp_path: Path) -> None:
    (tmp_path / "subnets.csv").write_text("Perth,Oslo,10.61.2.0/24\r\nOslo,10.61.3.0/24\r\n")
    done = run_program("init", tmp_path / "x.git", "--from", tmp_path / "subnets.csv")
    assert (done.returncode, done.stdout) == (0, f"made {tmp_path}/x.git\n")
    paths = git("ls-tree", "-r", "--name-only", "main", cwd=tmp_path / "x.git").split("\n")
    assert {"locations.csv", "policy.toml", "README.md", ".gitattributes"} <= set(paths)
    assert not {"expectations.csv", "locations/apac.csv"} & set(paths)
    rules, _ = read_rules(rules_of(tmp_path / "x.git"))
    assert (rules.known, rules.limits) == (("Oslo", "Perth"), LIMITS)
    assert b"# Every location and overflow location in the map must be one of these" in rules_of(tmp_path / "x.git")
    assert run_program("check", "--repo", tmp_path / "x.git").stderr == "2 subnets in 1 file: no problem\n"


def test_a_name_that_is_nearly_another_is_no_location_of_a_new_repository(tmp_path: Path) -> None:
    (tmp_path / "subnets.csv").write_text("sydney,10.61.1.0/24\nSydney,10.61.2.0/24\n")
    done = run_program("init", tmp_path / "x.git", "--from", tmp_path / "subnets.csv")
    assert (done.returncode, (tmp_path / "x.git").exists()) == (1, False)
    assert (
        "locations.csv:1:1: error: sydney is not a known location [unknown-location]\n  hint: write Sydney"
        in done.stderr
    )


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        (
            b"Site;Overflow;Subnet\nPerth;Oslo;10.61.2.0/24\nOslo;;10.61.3.0/24\n",
            "Perth,Oslo,10.61.2.0/24\nOslo,10.61.3.0/24\n",
        ),
        ("Oslo\t10.61.3.0/24\n".encode("utf-16"), "Oslo,10.61.3.0/24\n"),
        (b"Site;Subnet\n# moved\nOslo;10.61.3.0/24\n", "# moved\nOslo,10.61.3.0/24\n"),
        (b"id,location,a,b,subnet\n1,Oslo,,,10.61.3.0/24\n", "Oslo,10.61.3.0/24\n"),
    ],
)
def test_a_file_of_a_spreadsheet_is_read_as_the_upload_page_reads_it(tmp_path: Path, table: bytes, rows: str) -> None:
    (tmp_path / "subnets.csv").write_bytes(table)
    assert run_program("init", tmp_path / "x.git", "--from", tmp_path / "subnets.csv").returncode == 0
    assert git("show", "main:locations.csv", cwd=tmp_path / "x.git") == rows.strip()
    assert run_program("check", "--repo", tmp_path / "x.git").returncode == 0


def test_what_is_wrong_in_a_file_of_a_spreadsheet_is_told_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "subnets.csv").write_text("Site;Subnet\nOslo;10.61.3.0/24\nPerth;10.61.2.0/33\n")
    done = run_program("init", tmp_path / "x.git", "--from", tmp_path / "subnets.csv")
    assert (done.returncode, (tmp_path / "x.git").exists()) == (1, False)
    assert done.stderr.splitlines()[:2] == [
        "location-policy: the configuration has 1 error",
        "subnets.csv:3:7: error: 10.61.2.0/33 has a prefix length over 32, too long for IPv4 [not-a-subnet]",
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"Z\xfcrich;10.61.2.0/24", "subnets.csv:3:2: error: byte 0xFC is not UTF-8"),
        (b'"Perth\nWest";10.61.2.0/24', "subnets.csv:3:1: error: "),
    ],
)
def test_no_line_of_a_spreadsheet_that_cannot_be_read_is_left_out(tmp_path: Path, line: bytes, told: str) -> None:
    (tmp_path / "subnets.csv").write_bytes(b"Site;Subnet\nOslo;10.61.3.0/24\n%b\n" % line)
    done = run_program("init", tmp_path / "x.git", "--from", tmp_path / "subnets.csv")
    assert (done.returncode, (tmp_path / "x.git").exists()) == (1, False)
    assert told in done.stderr


def test_the_table_of_another_program_is_for_import_whose_folder_is_a_map(tmp_path: Path) -> None:
    (tmp_path / "of netbox.csv").write_text("Prefix,Status,Site,VLAN\n10.61.2.0/24,Active,Oslo,7\n")
    done = run_program("init", "x.git", "--from", "of netbox.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "location-policy: of netbox.csv is a table of prefixes with a site, columns Prefix and Site, not of rows\n"
        "  hint: make rows of it with location-policy import 'of netbox.csv' --into map, and begin --from map\n"
    )
    assert run_program("import", "of netbox.csv", "--into", "map", cwd=tmp_path).returncode == 0
    assert run_program("init", "x.git", "--from", "map", cwd=tmp_path).returncode == 0


def test_what_is_no_map_makes_no_repository(tmp_path: Path) -> None:
    make_repository(tmp_path / "bare.git", GOOD)
    for name, told in (("bare.git", "is a repository, and no folder of files"), ("none.csv", "does not exist")):
        done = run_program("init", tmp_path / "x.git", "--from", tmp_path / name)
        assert (done.returncode, told in done.stderr, (tmp_path / "x.git").exists()) == (2, True, False)


# --- the rules that it begins with ---


def test_new_rules_know_just_these_names_and_say_the_rest_of_the_template() -> None:
    rules, problems = read_rules(new_rules(TEMPLATE, ["Lima", "Oslo"]))
    assert (rules.known, rules.limits, problems) == (("Lima", "Oslo"), LIMITS, ())
    assert b'known = [\n    "Lima",\n    "Oslo",\n]\n' in new_rules(TEMPLATE, ["Lima", "Oslo"])
    assert new_rules(TEMPLATE, ["Lima"]).count(b"#") == TEMPLATE.count(b"#")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b'[locations]\nknown = ["Oslo"]\n',
        b'[locations]\nknown = ["Oslo"]',
        b'\xef\xbb\xbf[answer]\r\ndefault = "Oslo"\r\n',
    ],
)
def test_limits_are_added_where_there_are_none(content: bytes) -> None:
    after = with_limits(content, TEMPLATE)
    assert after.startswith(content)
    rules, problems = read_rules(after)
    assert (rules.limits, problems) == (LIMITS, ())
    assert (b"\r\n" in content) == (b"\r\n" in after)
    assert after.count(b"\r\n") in (0, after.count(b"\n"))
    assert rules.known == read_rules(content)[0].known
    assert with_limits(after, TEMPLATE) == after


@pytest.mark.parametrize(
    "content",
    [b"[limits]\n", b'limits.removed-subnets = "50%"\n', b"limits = {}\n", b"known = [\n", b"\xff"],
)
def test_rules_that_say_something_of_limits_or_cannot_be_read_stay(content: bytes) -> None:
    assert with_limits(content, TEMPLATE) == content


def test_the_documentation_shows_the_same_limits() -> None:
    text = (Path(__file__).parents[2] / "docs/reference/policy-toml.md").read_text()
    for line in TEMPLATE[TEMPLATE.index(b"[limits]") :].decode().splitlines():
        assert line.startswith(("#", "[")) or line in text
