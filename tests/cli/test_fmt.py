"""`location-policy fmt`: what it writes, what it leaves alone, and what it says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.program import run_program

UNTIDY = "Sydney , Melbourne,10.61.2.0/24\r\n# Oslo\r\nOslo,,10.0.1.0/24\r\nOslo,10.0.0.0/24\r\n"
TIDY = "Sydney,Melbourne,10.61.2.0/24\n# Oslo\nOslo,10.0.0.0/24\nOslo,10.0.1.0/24\n"
WITH_HOST_BITS = "Sydney,10.61.3.0/23\n"


def fmt(*arguments: str | Path, cwd: Path) -> tuple[int, str, str]:
    done: subprocess.CompletedProcess[str] = run_program("fmt", *arguments, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "locations" / "apac.csv"
    path.parent.mkdir()
    path.write_bytes(UNTIDY.encode())
    return path


def test_a_folder_is_written_in_canonical_form_once(rows: Path, tmp_path: Path) -> None:
    rows.chmod(0o640)
    (tmp_path / "expectations.csv").write_text("10.61.2.0/24 , Sydney\n")
    assert fmt(cwd=tmp_path) == (0, "wrote locations/apac.csv\n", "1 of 1 file changed\n")
    assert (rows.read_text(), rows.stat().st_mode & 0o777) == (TIDY, 0o640)
    assert list(rows.parent.iterdir()) == [rows]
    assert fmt(tmp_path, cwd=tmp_path) == (0, "", "0 of 1 file changed\n")


def test_rows_of_views_are_written_too(tmp_path: Path) -> None:
    path = tmp_path / "views" / "edge" / "locations.csv"
    path.parent.mkdir(parents=True)
    path.write_text(UNTIDY)
    (tmp_path / "policy.toml").write_text('[[view]]\nname = "edge"\nlocation = "DMZ"\n')
    assert fmt(path, cwd=tmp_path) == (0, "wrote views/edge/locations.csv\n", "1 of 1 file changed\n")
    assert path.read_text() == TIDY


def test_a_check_writes_nothing_and_names_the_first_line(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text("Perth,192.0.2.0/24\n")
    told = "locations/apac.csv:1: not in canonical form\n"
    assert fmt("--check", cwd=tmp_path) == (1, told, "1 of 2 files would change\n  hint: location-policy fmt\n")
    assert rows.read_bytes() == UNTIDY.encode()
    rows.write_text(TIDY)
    assert fmt("--check", cwd=tmp_path) == (0, "", "0 of 2 files would change\n")


def test_a_text_that_is_only_too_long_is_seen_where_it_should_end(rows: Path, tmp_path: Path) -> None:
    rows.write_text(f"{TIDY}\n")
    assert fmt("--check", cwd=tmp_path)[1] == "locations/apac.csv:5: not in canonical form\n"


def test_a_file_with_an_error_is_left_alone_and_said(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text(f" {WITH_HOST_BITS}")
    status, printed, counted = fmt(cwd=tmp_path)
    assert (status, counted) == (1, "1 of 2 files changed, 1 file with errors left alone\n")
    assert printed.startswith("locations.csv:1:9: error: 10.61.3.0/23 has host bits set [host-bits]\n  hint: ")
    assert printed.endswith("\nwrote locations/apac.csv\n")
    assert (tmp_path / "locations.csv").read_text() == f" {WITH_HOST_BITS}"
    assert rows.read_text() == TIDY


def test_host_bits_are_written_as_what_they_count_as_where_they_are_a_warning(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('[checks]\nhost-bits = "warning"\n')
    rows.write_text(WITH_HOST_BITS)
    assert fmt(rows, cwd=tmp_path)[0] == 0
    assert rows.read_text() == "Sydney,10.61.2.0/23\n"


def test_only_the_files_that_are_named_are_written(rows: Path, tmp_path: Path) -> None:
    other = rows.with_name("emea.csv")
    other.write_text(" Oslo,192.0.2.0/24\n")
    assert fmt("apac.csv", cwd=rows.parent) == (0, "wrote locations/apac.csv\n", "1 of 1 file changed\n")
    assert other.read_text() == " Oslo,192.0.2.0/24\n"
    assert fmt(rows, other, cwd=tmp_path)[1] == "wrote locations/emea.csv\n"


def test_the_rules_of_a_file_are_the_nearest_above_it(tmp_path: Path) -> None:
    inner = tmp_path / "locations" / "map"
    (inner / "locations").mkdir(parents=True)
    (inner / "policy.toml").write_text('[checks]\nhost-bits = "warning"\n')
    rows = inner / "locations" / "apac.csv"
    rows.write_text(WITH_HOST_BITS)
    assert fmt(rows, cwd=tmp_path)[:2] == (0, "wrote locations/apac.csv\n")


def test_a_file_that_holds_no_rows_cannot_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "expectations.csv"
    path.write_text("10.61.2.0/24,Sydney\n")
    status, _, told = fmt("expectations.csv", cwd=tmp_path)
    assert (status, told.endswith("  hint: rows are in locations.csv and below locations/\n")) == (2, True)
    assert f"{path} is not a file of rows" in told


def test_a_folder_that_is_not_there_cannot_be_asked_for(tmp_path: Path) -> None:
    assert fmt("nowhere", cwd=tmp_path)[0] == 2


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_a_folder_without_rows_is_not_said_to_be_in_form(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "other.csv").write_text(UNTIDY)
    told = "location-policy: there is no file of rows in .\n  hint: rows are in locations.csv and below locations/\n"
    assert fmt(*arguments, cwd=tmp_path) == (2, "", told)


def test_a_part_of_a_configuration_is_told_where_the_whole_is(rows: Path) -> None:
    status, _, told = fmt("--check", cwd=rows.parent)
    assert (status, told.endswith("\n  hint: name the whole: ..\n")) == (2, True)


def test_a_link_is_left_alone(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "locations.csv").symlink_to(rows)
    assert "[symlink]" in fmt("--check", cwd=tmp_path)[1]


ALIKE = "Sydney,Melbourne,10.61.2.0/24\nSydney,Melbourne,10.61.3.0/24\nPerth,10.62.0.0/16\n"


def test_overflow_is_said_once_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text(ALIKE)
    told = "would write policy.toml\nwould write locations.csv\n"
    hint = "  hint: location-policy fmt --overflow-table\n"
    asked = fmt("--overflow-table", "--check", cwd=tmp_path)
    assert asked == (1, told, f"2 rows of 1 location would take their overflow from policy.toml\n{hint}")
    assert [path.name for path in tmp_path.iterdir()] == ["locations.csv"]
    done = fmt("--overflow-table", cwd=tmp_path)
    told = "wrote policy.toml\nwrote locations.csv\n"
    assert done == (0, told, "2 rows of 1 location took their overflow from policy.toml\n")
    assert (tmp_path / "policy.toml").read_text() == '[overflow]\nSydney = ["Melbourne"]\n'
    assert (tmp_path / "locations.csv").read_text() == ALIKE.replace(",Melbourne", "")
    told = "0 rows of 0 locations took their overflow from policy.toml\n"
    assert fmt("--overflow-table", tmp_path, cwd=tmp_path) == (0, "", told)


def test_overflow_is_left_in_rows_where_there_is_an_error_and_a_file_is_no_map(tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text(ALIKE + WITH_HOST_BITS)
    status, out, err = fmt("--overflow-table", cwd=tmp_path)
    assert (status, err) == (1, ". is left alone: 1 error\n")
    assert out.startswith("locations.csv:4:8: error: ")
    status, out, err = fmt("--overflow-table", "locations.csv", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert "locations.csv is a file, and the table is for all files of a map" in err
    assert (tmp_path / "locations.csv").read_text() == ALIKE + WITH_HOST_BITS
