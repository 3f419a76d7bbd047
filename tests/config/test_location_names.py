"""What can be a location name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from location_policy.config.csv_lines import Cell
from location_policy.config.files import File
from location_policy.config.location_names import is_plain, name_findings, plain_name
from location_policy.config.validate import Validator, load_map
from location_policy.errors import InvalidConfiguration
from location_policy.problems import CODES, Problem

GOOD = (
    "Sydney",
    "Zürich",
    "Łódź",
    "Москва",
    "東京 DC-1",
    "Rack 1.2",
    "10",
    "1.2.3",
    "A:B",
    "3/4",
    "São Paulo",
    "#1 Main St",
    "1.2.x",
    "Gate 5:501",
    "1/2 10.61.2.0",
)
FLAWED = {
    "subnet-as-name": [
        "10.61.2.0/24",
        "10.61.2.7",
        "10.61.2.0/255.255.255.0",
        "10.61.2.0 255.255.255.0",
        "10.61.2.0-10.61.2.255",
        "10.61.2.*",
        "10.61/16",
        "010.061.002.000/24",
        "2001:db8::/32",
        "[2001:db8::1]",
        "fe80::1%eth0",
        "::",
        "\uff11\uff10.61.2.0/24",
        "10.61.2.0\uff0f24",
        "10.61.2.0\u204424",
        "10\uff0e61\uff0e2\uff0e0/24",
        "2001\uff1adb8\uff1a:/32",
        "10.61.x.x",
        "10.61.2.0/24;10.61.3.0/24",
        "10.61.2.0/24, 2001:db8::/32",
        "10.61.2.0/24 (Perth)",
        "Perth 10.61.2.0/24",
        "'10.61.2.0/24'",
    ],
    "error-value": [
        "#N/A",
        "#NV",
        "#BEZUG!",
        "#REF!",
        "#NAME?",
        "#¡VALOR!",
        "#ССЫЛКА!",
        "#ÉRTÉK!",
        "#DIV/0!",
        "Err:502",
        "Fout:508",
        "Błąd:522",
        "Erro :504",
        "#ref!",
        "#N/A N/A",
        "########",
        "Loading...",
    ],
    "invisible-character": [
        "Sydney\u00a0",
        "Syd\u200bney",
        "Syd\u00adney",
        "\u200eSydney",
        "Syd\u202fney",
        "Sydney\u3164",
        "Syd\u2800ney",
        "Sydney\ufe0f",
        "Sydney\ue000",
    ],
    "lost-character": ["M\ufffdnchen"],
    "mojibake": [
        "MÃ¼nchen",
        "ZÃ¼rich Süd",
        "Ã\u0153st",
        "РњРѕСЃРєРІР°",
        "M├╝nchen",
        "M√ºnchen",
        "ÐœÐ¾ÑÐºÐ²Ð°",
        "МоскÐ²Ð°",
    ],
    "bad-name": ["Syd\ufeffney", "Syd\x07ney", "Ã\x85lesund"],
}
VIEW = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'
WEIGHED = [code for code in FLAWED if CODES[code].adjustable and CODES[code].severity == "error"]


def codes(name: str) -> list[str]:
    return [finding.code for finding in name_findings([Cell(1, name)])]


@pytest.mark.parametrize("name", GOOD)
def test_a_name_is_one_in_any_language(name: str) -> None:
    assert codes(name) == []
    assert is_plain(name)


@pytest.mark.parametrize(("code", "name"), [(code, name) for code, names in FLAWED.items() for name in names])
def test_what_looks_like_a_name_and_is_none_has_its_code(code: str, name: str) -> None:
    assert codes(name) == [code]


@pytest.mark.parametrize("name", [name for name in FLAWED["invisible-character"] if "\u202f" not in name])
def test_the_plain_name_has_nothing_that_cannot_be_seen(name: str) -> None:
    assert plain_name(name) == "Sydney"
    assert not is_plain(name)


@pytest.mark.parametrize("name", ["Zu\u0308rich", "S\u0443dney", "СОСОА", "\uff33ydney", "MÃ¼nchen"])
def test_a_name_that_is_not_what_it_looks_like_is_not_plain(name: str) -> None:
    assert not is_plain(name)


def files_with(name: str) -> Iterator[tuple[str, list[File]]]:
    """Configurations that have the name, by where it stands in them."""
    tables = {
        "row": {"locations.csv": f"Perth,{name},10.61.2.0/24\n"},
        "quoted row": {"locations.csv": f'"{name}",10.61.2.0/24\n'},
        "known": {
            "locations.csv": "Perth,10.61.2.0/24\n",
            "policy.toml": f'[locations]\nknown = ["Perth", "{name}"]\n',
        },
        "default": {"locations.csv": "Perth,10.61.2.0/24\n", "policy.toml": f'[answer]\ndefault = "{name}"\n'},
        "overflow": {"locations.csv": "Perth,10.61.2.0/24\n", "policy.toml": f'[overflow]\nPerth = ["{name}"]\n'},
        "answer of a view": {"locations.csv": "Perth,10.61.2.0/24\n", "policy.toml": f'{VIEW}answer = "{name}"\n'},
        "node of a view": {
            "locations.csv": "Perth,10.61.2.0/24\n",
            "policy.toml": f'{VIEW}answer = "Perth"\nproxy_node_location = ["DMZ", "{name}"]\n',
        },
        "expectation": {"locations.csv": "Perth,10.61.2.0/24\n", "expectations.csv": f"10.61.2.0/24,{name}\n"},
    }
    for where, texts in tables.items():
        yield where, [File(path, "file", len(text), path, text.encode()) for path, text in texts.items()]


def problems_of(files: list[File], *, was_served: bool = False) -> tuple[Problem, ...]:
    try:
        return Validator().load_map(files, was_served=was_served).warnings
    except InvalidConfiguration as error:
        return error.problems


@pytest.mark.parametrize("code", WEIGHED)
def test_a_flawed_name_is_refused_wherever_it_stands_and_served_on_where_it_was_served(code: str) -> None:
    for where, files in files_with(FLAWED[code][0]):
        found = [problem for problem in problems_of(files) if problem.code == code]
        assert [problem.severity for problem in found] == ["error"], where
        told = [problem for problem in problems_of(files, was_served=True) if problem.code == code]
        assert told == [replace(found[0], severity="warning")], where


def test_an_owner_is_no_subnet() -> None:
    row = File("locations.csv", "file", 1, "r", b"Perth,10.61.2.0/24\n")
    for name in ("10.61.3.0/24", "#N/A", "Team\ufffd"):
        text = f"10.61.2.0/24,{name}\n".encode()
        with pytest.raises(InvalidConfiguration) as caught:
            load_map([row, File("owners.csv", "file", len(text), "o", text)])
        assert caught.value.problems[0].code in ("bad-owner", "not-a-subnet")


def test_a_row_that_was_read_as_a_comment_is_still_none_where_errors_are_let_be() -> None:
    text = b"Sydney,10.61.2.0/24\n#N/A,10.61.3.0/24\n"
    location_map = Validator().load_map([File("locations.csv", "file", len(text), "r", text)], was_served=True)
    assert [row.names for _, _, row in location_map.rows()] == [("Sydney",)]
    assert [problem.code for problem in location_map.warnings] == ["error-value"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("MÃƒÂ¼nchen", "write München"),  # read wrongly twice
        ("Ã\x85lesund", "write Ålesund"),
        ("Kï¿½ln", 'write the letter that stood there, or export the file again as "CSV UTF-8"'),
        ("ÐœÐ¾ÑÐºÐ²Ð°", 'type the name anew, or export the file again as "CSV UTF-8"'),  # a byte is lost
        ('="Perth"', "write Perth"),
        ("Per\u200bth", "write Perth"),
        ("\u200b#N/A", "type the name anew"),  # nor is what is left a name
        ("10.61.2.0/24\u2028Perth", "type the name anew"),
    ],
)
def test_a_hint_names_what_was_read_or_written_wrongly(name: str, hint: str) -> None:
    assert [finding.hint for finding in name_findings([Cell(1, name)])] == [hint]


@pytest.mark.parametrize("line", ["#####,EMEA,,#####", "## Sydney, 10.61.3.0/24", "#####", "# #N/A,10.61.3.0/24"])
def test_a_line_of_marks_stays_a_comment(line: str) -> None:
    text = f"Sydney,10.61.2.0/24\n{line}\n".encode()
    assert problems_of([File("locations.csv", "file", len(text), "r", text)]) == ()


@pytest.mark.parametrize(
    "line",
    [
        "#N/A",
        "########,10.61.3.0/24",
        "#####;Perth;;10.61.3.0/24",
        "#N/A N/A,Perth,10.61.3.0/24",
        "#N/A,nowhere",
        '#NV,"Perth',
        "#REF!,10.0.0.1/8",
        "#NAME?;;10.61.3.0/24",
        "#N/A,,",
    ],
)
def test_a_line_that_was_a_comment_is_refused_by_nothing_but_its_error(line: str) -> None:
    text = f"Sydney,10.61.2.0/24\n{line}\n".encode()
    files = [File("locations.csv", "file", len(text), "r", text)]
    assert [problem.code for problem in problems_of(files)] == ["error-value"]
    assert Validator().load_map(files, was_served=True).size == 1


def test_paths_in_two_forms_of_unicode_are_served_on_where_they_were_served() -> None:
    paths = ("locations/Z\u00fcrich.csv", "locations/Zu\u0308rich.csv")
    files = [File(path, "file", 1, path, f"Perth,10.{at}.0.0/16\n".encode()) for at, path in enumerate(paths, 1)]
    assert {problem.code for problem in problems_of(files)} == {"case-twin"}
    assert Validator().load_map(files, was_served=True).size == 2


def test_a_known_name_that_no_row_can_have_is_told_where_a_row_has_it() -> None:
    rules = f'[locations]\nknown = ["Perth", "{"x" * 251}"]\n'.encode()
    row = File("locations.csv", "file", 1, "r", b"Perth,10.61.2.0/24\n")
    assert {one.code for one in problems_of([row, File("policy.toml", "file", 1, "p", rules)])} == {"unused-location"}
