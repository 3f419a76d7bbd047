"""The one gate: what a valid configuration is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from location_policy.config import files, row_checks, row_file, validate
from location_policy.config.files import File, Kind
from location_policy.config.row import Line, parse_line
from location_policy.config.row_checks import ROWS_LIMIT, SPELT, too_many_rows
from location_policy.config.row_file import LineCache, RowFile, read_rows
from location_policy.config.validate import Validator, load_map
from location_policy.errors import InvalidConfiguration
from location_policy.problems import GATHERED, Problems, errors_in
from tests.support.maps import EDGE, files_of, view_rules
from tests.support.repositories import GOOD, MELBOURNE, SYDNEY, Files

KNOWN = '[locations]\nknown = ["Sydney", "Melbourne", "Singapore"]\n'


def problems(files: Files) -> Problems:
    try:
        return load_map(files_of(files)).warnings
    except InvalidConfiguration as error:
        return error.problems


def codes(files: Files) -> list[str]:
    return [problem.code for problem in problems(files)]


def places(files: Files) -> list[tuple[str, int, int]]:
    return [(problem.path, problem.line, problem.column) for problem in problems(files)]


def blob(path: str, name: str, content: str | None) -> File:
    return File(path, "file", len(content or ""), name, None if content is None else content.encode())


def test_the_rules_travel_with_the_map() -> None:
    location_map = load_map(files_of({**GOOD, "policy.toml": '[answer]\ndefault = "Sydney"'}))
    assert location_map.rules.default == "Sydney"


def test_everything_that_is_wrong_is_found_before_it_raises() -> None:
    files = {
        "locations/b.csv": "Oslo,nowhere\n",
        "locations/a.csv": "Oslo\nOslo,10.0.0.0/8",
        "policy.toml": KNOWN + "x = 1",
    }
    assert places(files) == [
        ("locations/a.csv", 1, 1),
        ("locations/a.csv", 2, 1),
        ("locations/b.csv", 1, 6),
        ("policy.toml", 3, 1),
    ]


def test_a_warning_keeps_nothing_from_being_served() -> None:
    location_map = load_map(files_of({**GOOD, "old.csv": ""}))
    assert [(problem.code, problem.severity) for problem in location_map.warnings] == [("stray-csv", "warning")]


def test_the_error_counts_errors_and_has_warnings_too() -> None:
    with pytest.raises(InvalidConfiguration, match=r"has 1 error$") as caught:
        load_map(files_of({"locations.csv": "Sydney,nowhere", "old.csv": ""}))
    assert [problem.severity for problem in caught.value.problems] == ["error", "warning"]


@pytest.mark.parametrize("files", [{}, {"locations.csv": "# none\n"}, {"old.csv": SYDNEY}, {"policy.toml": KNOWN}])
def test_a_map_without_a_row_is_refused(files: Files) -> None:
    assert "no-rows" in codes(files)


@pytest.mark.parametrize("content", ["Sydney", "\ufeff".encode("utf-16"), b"\xff"])
def test_a_map_whose_rows_cannot_be_read_is_not_said_to_have_none(content: str | bytes) -> None:
    assert "no-rows" not in codes({"locations.csv": content})


def test_what_may_not_be_read_is_not_read() -> None:
    link = File("locations.csv", "symlink", 0)
    with pytest.raises(InvalidConfiguration) as caught:
        load_map([link, *files_of({"locations/Locations.csv": "nowhere"})])
    assert [problem.code for problem in caught.value.problems] == ["symlink", "too-few-columns"]


def test_rules_that_cannot_be_read_judge_no_row() -> None:
    assert codes({"locations.csv": "Oslo,a,b,c,10.0.0.0/8\n", "policy.toml": "nonsense"}) == ["rules-syntax"]


def test_each_unknown_name_has_its_place() -> None:
    files = {"locations.csv": 'Oslo,, "Sydney" ,Perth,10.0.0.0/8\n"Oslo",10.1.0.0/16', "policy.toml": KNOWN}
    assert places(files) == [("locations.csv", 1, 1), ("locations.csv", 1, 18), ("locations.csv", 2, 1)]


def test_without_known_every_name_is_known() -> None:
    assert codes({"locations.csv": "Oslo,10.0.0.0/8\n"}) == []


def test_a_pair_has_two_overflow_locations() -> None:
    files = {"locations.csv": "A,B,,C,D,E,10.0.0.0/8"}
    assert places(files) == [("locations.csv", 1, 8)]
    assert codes({**files, "policy.toml": 'answer.overflow = "list"'}) == []


def test_the_default_is_a_known_location() -> None:
    files = {**GOOD, "policy.toml": f'answer.default = "Oslo"\n{KNOWN}'}
    assert [(problem.code, problem.line) for problem in problems(files)] == [("unknown-location", 1)]


@pytest.mark.parametrize("name", ["x" * 251, "a\\u0007", "=A"])
def test_the_default_is_a_name_that_pexip_takes(name: str) -> None:
    expected = [] if name == "=A" else ["bad-name"]
    assert codes({**GOOD, "policy.toml": f'answer.default = "{name}"'}) == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("10.61.2.0/24", "10.61.2.0/24"),
        ("2001:db8::/32", "2001:0DB8:0::/32"),
        ("10.61.2.0/24", "::ffff:10.61.2.0/120"),
        ("10.61.2.0/24", '"10.61.2.0/24"'),
    ],
)
def test_equal_networks_are_a_conflict_however_they_are_written(first: str, second: str) -> None:
    files = {"locations/a.csv": f"Sydney,{first}\n", "locations/b.csv": f"#\nPerth, {second}\n"}
    (problem,) = problems(files)
    assert (problem.path, problem.line, problem.column, problem.code) == ("locations/b.csv", 2, 8, "duplicate-subnet")
    assert "is in locations/a.csv:1 already" in problem.message


def test_each_network_but_the_first_is_a_conflict_with_the_first() -> None:
    found = problems({"locations.csv": SYDNEY * 3})
    assert [(problem.line, problem.message) for problem in found] == [
        (2, "10.61.2.0/24 is in locations.csv:1 already"),
        (3, "10.61.2.0/24 is in locations.csv:1 already"),
    ]


def test_nested_networks_are_no_conflict() -> None:
    assert codes({"locations.csv": "A,10.0.0.0/8\nB,10.0.0.0/9\nC,11.0.0.0/8\nD,2001:db8::/32\n"}) == []


def test_a_network_with_host_bits_is_a_conflict_only_when_it_is_one_network() -> None:
    files = {"locations.csv": "A,10.61.3.0/23\nB,10.61.2.0/23\nC,10.61.2.0/23\n"}
    assert codes(files) == ["host-bits", "duplicate-subnet"]
    as_warning = {**files, "policy.toml": 'checks.host-bits = "warning"'}
    assert codes(as_warning) == ["duplicate-subnet", "duplicate-subnet", "host-bits"]


def test_of_two_owners_of_a_subnet_the_first_counts_also_where_the_second_has_host_bits() -> None:
    files = {"locations.csv": SYDNEY, "policy.toml": 'checks.host-bits = "warning"'}
    found = load_map(files_of({**files, "owners.csv": "10.61.0.0/16,network\n10.61.0.7/16,mallory\n"}))
    assert [owned.owner for owned in found.owned] == ["network"]


def test_host_bits_as_a_warning_count_as_the_network_that_holds_them() -> None:
    files = {"locations.csv": "A,10.61.3.0/23\n", "policy.toml": 'checks.host-bits = "off"'}
    location_map = load_map(files_of(files))
    assert [str(row.network) for _, _, row in location_map.rows()] == ["10.61.2.0/23"]
    assert location_map.warnings == ()


def test_a_configuration_that_was_served_is_judged_leniently() -> None:
    files = files_of({"locations.csv": "Oslo,Oslo,10.61.3.0/23\n", "policy.toml": KNOWN})
    location_map = Validator().load_map(files, was_served=True)
    assert {problem.severity for problem in location_map.warnings} == {"warning"}
    assert [problem.path for problem in location_map.warnings] == ["locations.csv"] * 4 + ["policy.toml"] * 3
    assert location_map.rules.severity("unknown-location") == "error"


@pytest.mark.parametrize("rows", ["Sydney,nowhere\n", "A,10.61.3.0/23\nB,10.61.2.0/23\n"])
def test_a_row_without_one_meaning_is_not_served_again(rows: str) -> None:
    with pytest.raises(InvalidConfiguration):
        Validator().load_map(files_of({"locations.csv": rows}), was_served=True)


def file_of(path: str, size: int) -> RowFile:
    return RowFile(path, b"", (), size, frozenset(), {}, is_clean=True)


def test_a_map_has_at_most_two_million_rows() -> None:
    assert not list(too_many_rows([[file_of("a", ROWS_LIMIT), file_of("b", 0)]]))
    (problem,) = too_many_rows([[file_of("a", ROWS_LIMIT), file_of("b", 1), file_of("c", 1)]])
    assert (problem.path, problem.code) == ("b", "too-large")


def test_the_maps_of_all_views_have_at_most_two_million_rows_together() -> None:
    half = ROWS_LIMIT // 2
    assert not list(too_many_rows([[], [file_of("a", half)], [file_of("b", half)]]))
    (problem,) = too_many_rows([[file_of("a", half)], [file_of("b", half)], [file_of("c", 1)]])
    assert (problem.path, problem.message) == ("c", "all maps together have more than 2,000,000 rows")


def test_rows_of_a_view_count_once_more_where_another_has_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_checks, "ROWS_LIMIT", 3)
    views = '[[view]]\nname = "a"\nlocation = "A"\n[[view]]\nname = "b"\nlocation = "B"\n'
    files = {"locations.csv": SYDNEY, "views/a/locations.csv": SYDNEY, "policy.toml": views}
    load_map(files_of({**files, "views/b/locations.csv": SYDNEY}))
    with pytest.raises(InvalidConfiguration) as refused:
        load_map(files_of({**files, "views/b/locations.csv": SYDNEY + MELBOURNE}))
    assert [problem.code for problem in refused.value.problems] == ["too-large"]


def test_a_gate_remembers_the_files_that_it_judged_last() -> None:
    validator = Validator()
    validator.load_map([blob("locations.csv", "1", SYDNEY)])
    assert validator.knows("locations.csv", "1")
    assert not validator.knows("locations.csv", "2")
    assert not validator.knows("locations/a.csv", "1")
    again = validator.load_map([blob("locations.csv", "1", None), blob("locations/a.csv", "2", MELBOURNE)])
    assert [row.names[0] for _, _, row in again.rows()] == ["Sydney", "Melbourne"]


def test_a_gate_forgets_what_is_gone() -> None:
    validator = Validator()
    validator.load_map([blob("locations.csv", "1", SYDNEY)])
    validator.load_map([blob("locations.csv", "2", MELBOURNE)])
    assert not validator.knows("locations.csv", "1")


def test_a_gate_remembers_what_is_wrong() -> None:
    validator = Validator()
    for content in ("Sydney,nowhere", None):
        with pytest.raises(InvalidConfiguration) as caught:
            validator.load_map([blob("locations.csv", "1", content)])
        assert [problem.code for problem in caught.value.problems] == ["not-a-subnet"]


def test_content_that_nobody_has_is_not_taken_for_empty() -> None:
    with pytest.raises(KeyError):
        load_map([blob("locations.csv", "1", None)])


names = st.sampled_from(["Sydney", "Oslo", "sydney", "Zürich, Nord", 'The "Rocks"', "", "=A", "a;b"])
spaces = st.sampled_from(["", " ", "\t "])


@st.composite
def quoted(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A cell: the text between marks where it needs them or by choice, with space around."""
    text = draw(texts)
    marked = draw(st.booleans()) or bool(set(text) & set(',"'))
    return draw(spaces) + (f'"{text.replace(chr(34), chr(34) * 2)}"' if marked else text) + draw(spaces)


rows = st.tuples(
    quoted(names), st.lists(quoted(names), max_size=4), quoted(st.sampled_from(["10.0.0.0/8", "10.1.1.1/8", "x"]))
)
tables = st.lists(rows.map(lambda row: ",".join([row[0], *row[1], row[2]])), max_size=5)


@given(tables)
def test_every_place_is_the_start_of_the_cell_that_the_message_names(lines: list[str]) -> None:
    for problem in problems({"locations.csv": "\n".join(lines), "policy.toml": KNOWN}):
        if problem.code == "unused-location":
            continue
        rest = lines[problem.line - 1][problem.column - 1 :] if lines else ""
        if problem.code in ("unknown-location", "formula-name", "repeated-location", "host-bits", "not-a-subnet"):
            cell = rest.removeprefix('"').replace('""', '"')
            assert problem.message.startswith(tuple(cell[:size] + " " for size in range(1, len(cell) + 1)))
        assert rest[:1] not in (" ", "\t")


bytes_of_rows = st.lists(tables.map("\n".join).map(str.encode) | st.binary()).map(b"\n".join)
paths = st.sampled_from(
    [
        "locations.csv",
        "locations/a.csv",
        "locations/A.csv",
        "policy.toml",
        "x.csv",
        "locations/\udcff.csv",
        "expectations.csv",
    ]
)


@given(st.dictionaries(paths, bytes_of_rows | st.just(KNOWN.encode())), st.booleans())
@example({"locations.csv": b"\xff\xfe", "policy.toml": b"\xef\xbb\xbf\xff"}, False)
def test_no_bytes_raise_anything_but_invalid_configuration(files: dict[str, bytes], was_served: bool) -> None:
    try:
        found, expected = Validator().load_map(files_of(files), was_served=was_served).warnings, 0
    except InvalidConfiguration as error:
        found, expected = error.problems, 1
    assert bool(errors_in(found)) == expected
    assert all(str(problem).encode() for problem in found)


def test_the_nearest_name_is_looked_for_a_hundred_times_in_all_views() -> None:
    known = ", ".join(f'"Sydney {number}"' for number in range(300))
    views = "".join(
        view_rules(f"v{view}", location=[f"Sidney {view}{one}" for one in range(9)], answer=f"sydney {view}")
        for view in range(20)
    )
    found = problems({"policy.toml": f"[locations]\nknown = [{known}]\n{views}", "locations.csv": ""})
    assert len(found) == 200
    assert sum("write Sydney" in (problem.hint or "") for problem in found) == SPELT


def test_the_nearest_name_is_looked_for_a_hundred_times_at_the_most() -> None:
    known = ", ".join(f'"Sydney {number}"' for number in range(300))
    rows = "".join(f"sydney {number},10.{number // 256}.{number % 256}.0/24\n" for number in range(300))
    found = problems({"policy.toml": f"[locations]\nknown = [{known}]\n", "locations.csv": rows})
    assert sum("write Sydney" in (problem.hint or "") for problem in found) == SPELT


def test_many_names_are_held_to_many_known_ones_at_once() -> None:
    names = [f"n{number}" for number in range(30_000)]
    rules = "[locations]\nknown = " + str(names).replace("'", '"').replace(", ", ",\n")
    rows = "".join(f"{name},10.{number >> 8}.{number & 255}.0/24\n" for number, name in enumerate(names))
    (problem,) = errors_in(problems({"policy.toml": rules, "locations.csv": rows + "Perth,11.0.0.0/8\n"}))
    assert (problem.line, problem.code) == (30_001, "unknown-location")


def test_files_of_one_content_share_its_lines() -> None:
    content = b"# nothing\n" * 1_000
    files = [
        *files_of(GOOD),
        *(File(f"locations/z{name}.csv", "file", len(content), "5" * 40, content) for name in "ab"),
    ]
    _, one, other = load_map(files).files
    assert (one.path, other.path) == ("locations/za.csv", "locations/zb.csv")
    assert one.lines is other.lines


def test_lines_are_counted_over_all_files_each_content_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LINES_LIMIT", 4)
    twice = {"locations/a.csv": SYDNEY, "locations/b.csv": "#\n#\n", "locations/c.csv": "#\n#\n"}
    assert problems(twice) == ()
    (problem,) = problems({**twice, "locations/d.csv": "#\n#\n#\n"})
    assert (problem.path, problem.code) == ("locations/d.csv", "too-large")
    validator = Validator()
    validator.load_map(files_of(twice))
    known = [replace(file, content=None) for file in files_of(twice)]
    assert validator.load_map(known).size == 1


def test_a_large_configuration_is_not_held_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "HELD", len(SYDNEY + MELBOURNE))
    validator = Validator()
    (file,) = files_of(GOOD)
    validator.load_map([file])
    assert validator.knows(file.path, file.blob)
    validator.load_map(files_of({**GOOD, "locations/x.csv": "# x\n"}))
    assert not validator.knows(file.path, file.blob)


# --- very many problems ---


def with_host_bits(number: int, row: str) -> str:
    return "".join(row.format(f"10.{at >> 8}.{at & 255}.1/24") + "\n" for at in range(number))


def test_judging_stops_at_so_many_errors_and_says_so() -> None:
    found = problems({"locations.csv": "oops\n" * 30_000 + "Oslo,10.0.0.0/8\n"})
    assert (len(found), found[-1].line, found.counted("error")) == (GATHERED, GATHERED, "10,000 errors or more")


def test_lines_below_very_many_wrong_ones_are_not_read() -> None:
    file = read_rows("a.csv", b"oops\n" * 30_000 + b"Oslo,10.0.0.0/8\n", memory := LineCache())
    assert (len(file.lines), file.is_cut, file.size) == (GATHERED, True, 0)
    assert not memory  # what is no row is not kept


def test_files_of_wrong_lines_are_read_as_if_they_were_one(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []

    def parse(text: bytes) -> Line:
        read.append(text)
        return parse_line(text)

    monkeypatch.setattr(row_file, "parse_line", parse)
    wrong = {f"locations/{at:02}.csv": f"oops {at}\n" * 4_000 for at in range(20)}
    found = problems({"locations/!.csv": "Oslo,10.0.0.0/8\n", **wrong})
    assert (len(found), found.counted("error")) == (GATHERED, "10,000 errors or more")
    assert {problem.path for problem in found} == {"locations/00.csv", "locations/01.csv", "locations/02.csv"}
    assert len(read) < GATHERED + 100


def test_files_that_lie_below_very_many_errors_are_read_once_those_are_gone() -> None:
    validator = Validator()
    many, few = blob("locations/a.csv", "1", "oops\n" * 30_000), blob("locations/b.csv", "2", "Oslo,10.0.0.0/8\n")
    with pytest.raises(InvalidConfiguration):
        validator.load_map([many, few])
    assert not validator.knows("locations/b.csv", "2")
    assert validator.load_map([few]).size == 1


@pytest.mark.parametrize(
    ("path", "row"),
    [("locations.csv", "Oslo,{}"), ("expectations.csv", "{},Oslo"), ("owners.csv", "{},bob@example.com")],
)
def test_an_error_below_very_many_warnings_is_found(path: str, row: str) -> None:
    text = with_host_bits(12_000, row)
    files = {"locations.csv": "Oslo,10.0.0.0/8\n", path: text, "policy.toml": '[checks]\nhost-bits = "warning"\n'}
    assert len(problems(files).of("warning")) == GATHERED
    found = errors_in(problems({**files, path: f"{text}oops\n"}))
    assert [(one.line, one.code) for one in found] == [(12_001, "too-few-columns")]


def test_a_file_of_which_not_all_was_read_is_read_again_by_other_rules() -> None:
    file = blob("locations.csv", "1", with_host_bits(12_000, "Oslo,{}"))
    validator = Validator()
    with pytest.raises(InvalidConfiguration):
        validator.load_map([file])
    assert not validator.knows("locations.csv", "1")
    found = validator.load_map([file, blob("policy.toml", "2", '[checks]\nhost-bits = "warning"\n')])
    assert found.size == 12_000


def test_files_of_one_content_of_which_not_all_was_read_are_not_held() -> None:
    content = with_host_bits(12_000, "Oslo,{}").encode()
    paths = ("locations.csv", "locations/a.csv")
    validator = Validator()
    with pytest.raises(InvalidConfiguration) as caught:
        validator.load_map([File(path, "file", len(content), "1" * 40, content) for path in paths])
    assert caught.value.problems.is_cut
    assert not any(validator.knows(path, "1" * 40) for path in paths)


@pytest.mark.parametrize("path", ["expectations.csv", "owners.csv"])
def test_of_a_table_beside_the_map_no_more_is_read_either(path: str) -> None:
    found = problems({"locations.csv": "Oslo,10.0.0.0/8\n", path: "oops\n" * 30_000})
    assert (len(found), found.is_cut) == (GATHERED, True)


@pytest.mark.parametrize("kind", ["symlink", "submodule"])
def test_what_is_called_views_is_no_matter_where_there_are_none(kind: Kind) -> None:
    views = File("views", kind, 0)
    assert load_map([*files_of(GOOD), views]).warnings == ()
    with pytest.raises(InvalidConfiguration) as caught:
        load_map([*files_of({**GOOD, "policy.toml": EDGE}), views])
    assert [(one.path, one.code) for one in caught.value.problems] == [("views", kind)]
