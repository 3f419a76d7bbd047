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


def test_a_map_with_views_is_exported_only_when_it_is_meant(tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text("Sydney,10.61.2.0/24\n")
    (tmp_path / "policy.toml").write_text('[[view]]\nname = "edge"\nlocation = "DMZ"\nanswer = "DMZ"\n')
    done = run_program("export", "local-policy", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "  without its 1 view: their calls are answered by the map at the top there\n" in done.stderr
    assert done.stderr.endswith("  hint: --partial prints what there is\n")
    assert run_program("export", "local-policy", tmp_path, "--partial").returncode == 0
