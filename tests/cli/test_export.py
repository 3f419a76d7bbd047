"""`location-policy export local-policy`: what is printed, what is said of it, and when there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.local_policy import render
from tests.support.maps import many_rows
from tests.support.program import run_program
from tests.support.repositories import init

CALL = {"protocol": "mssip", "ms_subnet": ["10.61.2.0"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = many_rows(4_000) + "Oslo,10.0.0.0/8\nOslo,2001:db8::/32\n"
    (tmp_path / "locations.csv").write_text(rows)
    return tmp_path


def test_the_script_of_a_commit_names_it(tmp_path: Path) -> None:
    repository = init(tmp_path / "x.git")
    done = run_program("export", "local-policy", "--repo", repository)
    assert done.returncode == 0
    assert done.stdout.startswith("{# made by location-policy from commit ")
    assert done.stderr == f"all 3 subnets, in {len(done.stdout)} of 49,152 characters\n"
    result = render(done.stdout, CALL)
    assert result
    assert result["location"] == "Sydney"


def test_a_map_that_does_not_fit_gives_no_script(folder: Path) -> None:
    done = run_program("export", "local-policy", folder)
    assert (done.returncode, done.stdout) == (1, "")
    first, *more = done.stderr.splitlines()
    assert first.startswith("not all fits: 3,")
    assert " of 4,002 subnets (" in first
    assert more[0].endswith(" of 16,777,216 IPv4 addresses (0.02%)")
    assert more[1:] == [
        "  0 of 4,294,967,296 IPv6 /64s (0%)",
        "  hint: --partial prints what fits; other addresses get no opinion then",
    ]


def test_what_fits_is_printed_when_that_is_asked_for(folder: Path) -> None:
    done = run_program("export", "local-policy", folder, "--partial")
    assert (done.returncode, len(done.stdout) <= 49_152) == (0, True)
    assert done.stderr.startswith("not all fits: 3,")
    assert "hint" not in done.stderr


def test_a_family_without_rows_is_not_spoken_of(tmp_path: Path) -> None:
    for rows, told in (
        (many_rows(4_000), "IPv4"),
        ("".join(f"Sydney,2001:db8:{i:x}::/48\n" for i in range(4_000)), "IPv6"),
    ):
        (tmp_path / "locations.csv").write_text(rows)
        lines = run_program("export", "local-policy", tmp_path).stderr.splitlines()
        assert [told in line for line in lines] == [False, True, False]


def test_a_map_that_is_not_valid_cannot_be_exported(tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text("Sydney,10.61.2.1/24\n")
    done = run_program("export", "local-policy", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "[host-bits]" in done.stderr


def test_a_map_with_views_is_one_script_of_which_each_part_is_told_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text("Sydney,10.61.2.0/24\n")
    views = '[[view]]\nname = "stream"\nprotocol = "rtmp"\nanswer = "Out"\n[[view]]\nname = "edge"\nlocation = "DMZ"\n'
    (tmp_path / "policy.toml").write_text(views)
    (tmp_path / "views" / "edge").mkdir(parents=True)
    (tmp_path / "views" / "edge" / "locations.csv").write_text("Lima,10.61.2.0/25\n")
    done = run_program("export", "local-policy", tmp_path)
    assert done.returncode == 0
    size, *parts = done.stderr.splitlines()
    assert size == f"all 2 subnets, in {len(done.stdout):,} of 49,152 characters"
    assert [part.rpartition(", ")[0] for part in parts] == [
        "  view stream: one answer",
        "  view edge: 1 subnet",
        "  the map at the top: 1 subnet",
    ]
    assert render(done.stdout, CALL) == {"location": "Sydney"}
    assert render(done.stdout, {**CALL, "location": "dmz"}) == {"location": "Lima"}
    assert render(done.stdout, {"protocol": "rtmp", "location": "DMZ"}) == {"location": "Out"}
