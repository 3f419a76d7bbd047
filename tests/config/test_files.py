"""Which files count, and what is wrong with one before it is read."""

from __future__ import annotations

from unicodedata import normalize

import pytest

from location_policy.config.files import (
    FILE_LIMIT,
    FILES_LIMIT,
    LINES_LIMIT,
    RULES_LIMIT,
    File,
    Kind,
    concerns,
    file_problems,
    is_read,
    is_rows,
)


def found(*files: File) -> list[str]:
    return [f"{problem.path} {problem.code}" for problem in file_problems(files)]


def file(path: str, size: int = 0, content: bytes | None = b"") -> File:
    return File(path, "file", size, content=content)


@pytest.mark.parametrize(
    "path", ["locations.csv", "locations/apac.csv", "locations/a/b/c.csv", "locations/owners.csv", "locations/.old.csv"]
)
def test_these_files_hold_rows(path: str) -> None:
    assert is_rows(path)
    assert concerns(path, "file")


@pytest.mark.parametrize(
    "path", ["Locations.csv", "locations/apac.CSV", "data/locations.csv", "a.csv", "locationsx/a.csv"]
)
def test_these_files_look_as_if_they_held_rows(path: str) -> None:
    assert not is_rows(path)
    assert concerns(path, "file")
    assert found(file(path)) == [f"{path} stray-csv"]


@pytest.mark.parametrize("path", ["README.md", "locations/README.md", ".github/a.csv", "a/.b.csv"])
def test_these_files_are_nobodys_business(path: str) -> None:
    assert not concerns(path, "file")


@pytest.mark.parametrize("kind", ["symlink", "submodule"])
@pytest.mark.parametrize("path", ["locations", "locations.csv", "locations/apac", "policy.toml", "expectations.csv"])
def test_where_a_file_should_be_nothing_else_may(path: str, kind: Kind) -> None:
    assert concerns(path, kind)
    assert found(File(path, kind, 0)) == [f"{path} {kind}"]


@pytest.mark.parametrize("path", ["README.md", "data/map.csv", "locationsx"])
def test_a_symlink_elsewhere_is_nobodys_business(path: str) -> None:
    assert not concerns(path, "symlink")


@pytest.mark.parametrize("path", ["policy.toml", "expectations.csv"])
def test_rules_and_expectations_concern(path: str) -> None:
    assert concerns(path, "file")
    assert is_read(path)
    assert found(file(path)) == []


@pytest.mark.parametrize("path", ["Policy.TOML", "Expectations.csv"])
def test_one_of_them_in_other_letters_is_told(path: str) -> None:
    (problem,) = file_problems([file(path)])
    assert (problem.code, problem.hint) == ("stray-csv", f"rename it to {path.lower()}")


def test_expectations_that_are_too_large_are_not_to_be_split() -> None:
    lines = b"\n" * (LINES_LIMIT + 1)
    for one in (file("expectations.csv", FILE_LIMIT + 1, None), file("expectations.csv", len(lines), lines)):
        (problem,) = file_problems([one])
        assert problem.code == "too-large"
        assert "split" not in (problem.hint or "split")


@pytest.mark.parametrize("path", ["Locations.csv", "data/MAP.CSV", "Locations/a.csv", "locations/A.Csv"])
def test_the_hint_for_a_stray_file_names_a_path_that_is_read(path: str) -> None:
    (problem,) = file_problems([file(path)])
    assert problem.hint
    assert is_rows(problem.hint.rpartition(" to ")[2])


def test_paths_that_differ_only_in_case_are_refused() -> None:
    assert found(file("locations/A.csv"), file("locations/a.csv")) == ["locations/a.csv case-twin"]


def test_stray_twins_are_only_strays() -> None:
    assert found(file("old/A.csv"), file("old/a.csv")) == ["old/A.csv stray-csv", "old/a.csv stray-csv"]


def test_a_file_may_be_as_large_as_the_limit() -> None:
    assert found(file("locations.csv", FILE_LIMIT)) == []
    assert found(file("locations.csv", FILE_LIMIT + 1, None)) == ["locations.csv too-large"]


def test_rules_may_be_as_large_as_their_own_limit() -> None:
    assert found(file("policy.toml", RULES_LIMIT)) == []
    assert found(file("policy.toml", RULES_LIMIT + 1, None)) == ["policy.toml too-large"]


def test_the_size_of_a_stray_file_does_not_matter() -> None:
    assert found(file("old.csv", FILE_LIMIT + 1, None)) == ["old.csv stray-csv"]


def test_there_may_be_as_many_files_as_the_limit() -> None:
    files = [file(f"locations/{number}.csv") for number in range(FILES_LIMIT + 2)]
    assert found(*files[:FILES_LIMIT]) == []
    assert found(*files) == [f"locations/{FILES_LIMIT}.csv too-large"]


def test_an_lfs_pointer_is_not_the_content() -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    assert found(file("locations.csv", len(pointer), pointer)) == ["locations.csv lfs-pointer"]


def test_a_file_of_more_lines_than_there_may_be_is_not_read_line_by_line() -> None:
    content = b"\n" * (LINES_LIMIT + 1)
    assert [problem.code for problem in file_problems([File("locations.csv", "file", len(content), "", content)])] == [
        "too-large"
    ]


@pytest.mark.parametrize("path", ["locations/Zürich.csv", "locations/Äpfel/a.csv"])
def test_paths_that_differ_in_how_unicode_spells_them_are_twins(path: str) -> None:
    other = normalize("NFD", path)
    problem = next(iter(file_problems([file(other), file(path)])))
    assert (problem.path, problem.code) == (path, "case-twin")
    assert problem.message.endswith("differ only in how Unicode spells them")


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("locations/~$apac.csv", "a lock file of Excel"),
        ("locations/._apac.csv", "a file of macOS (AppleDouble)"),
    ],
)
def test_what_a_program_leaves_beside_a_table_is_called_so(path: str, what: str) -> None:
    problem = next(iter(file_problems([file(path, content=b"Alice\0\0")])))
    assert (problem.code, problem.message) == ("nul", f"this is {what}, not rows")
    assert problem.hint
    assert problem.hint.startswith("delete it: git rm --cached ")
    assert found(file(path, content=b"Sydney,10.61.2.0/24\n")) == []


@pytest.mark.parametrize("path", ["~$locations.csv", "locations/.~lock.apac.csv#"])
def test_where_no_rows_are_read_it_is_told_and_does_no_harm(path: str) -> None:
    problem = next(iter(file_problems([file(path)])))
    assert (problem.code, problem.severity) == ("stray-csv", "warning")
    assert "move it" not in (problem.hint or "")
