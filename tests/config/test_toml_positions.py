"""Where a key, or a name in a list, stands in `policy.toml`."""

from __future__ import annotations

import time
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.toml_positions import key_place, line_of_long_key, name_places


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[answer]\n  default = "x"', (2, 3)),
        ('\ufeff[answer]\r\n\r\ndefault = "x"\r\n', (3, 1)),
        ('[locations]\n[ "answer" ]\n\'default\' = "x"', (3, 1)),
        ('[match]\n# default = 1\n[answer] # default\n"default"= "x"', (4, 1)),
        ('\nanswer . default = "x"', (2, 1)),
        ('answer = { default = "x" }', (1, 1)),
        ('[checks]\n[answer]\nknown = [\n  "default"\n]\n', (2, 1)),
        ("[answer.default]\nx = 1", (1, 1)),
        ("[[answer]]\ndefault = 1", (2, 1)),
        ("[default]\nanswer = 1", (1, 1)),
        ("", (1, 1)),
    ],
)
def test_a_key_has_its_place(text: str, place: tuple[int, int]) -> None:
    assert key_place(text.encode(), "answer", "default") == place


def test_a_long_line_that_is_no_key_is_passed_over_quickly() -> None:
    assert key_place(b"a" * 100_000 + b"!\n[answer]\n" + b"a." * 100_000 + b"!", "answer", "x") == (2, 1)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('[locations]\nknown = ["A", "B"]', {"A": (2, 10), "B": (2, 15)}),
        ('\ufefflocations.known = ["A"]\r\n', {"A": (1, 20)}),
        ('[match]\nsip = ["A"]\n[locations]\n"known" = [\n  \'A\',\n  "B"\n]\n', {"A": (5, 3), "B": (6, 3)}),
        ('[locations]\nknown = [ # "A" [\n"]", # ]\n"A"]\nx = ["B"]', {"]": (3, 1), "A": (4, 1)}),
        ('[locations]\nknown = ["A", "A", "ü", "B"]', {"A": (2, 10), "ü": (2, 20), "B": (2, 25)}),
        ('[locations]\nknown = [""" "x" """, \'\'\'\n"x"\n\'\'\', "A"]', {"A": (4, 6)}),
        ('locations = { known = ["A"] }', {"A": (1, 24)}),
        ('[locations]\nknown = ["\\u0041\\"B", "A"]', {"A": (2, 23)}),
        ('[locations]\n"kno\\u0077n" = ["A"]', {}),
        ("", {}),
    ],
)
def test_a_name_in_a_list_has_its_place(text: str, places: dict[str, tuple[int, int]]) -> None:
    assert name_places(text.encode(), "locations", "known") == places


def test_lists_that_stand_far_below_cost_no_look_through_all_above_each() -> None:
    views = b"".join(b'[[view]]\nname = "%d"\nlocation = ["A", "B"]\n' % number for number in range(200))
    text = b"# x\n" * 100_000 + views
    began = time.process_time()
    assert name_places(text, "view", "0", "location") == {"A": (100_003, 13), "B": (100_003, 18)}
    first = time.process_time()
    assert [name_places(text, "view", str(one), "location")["A"][0] for one in range(200)][-1] == 100_600
    assert time.process_time() - first < 10 * (first - began)


def test_keys_that_are_not_found_share_one_look_at_what_stands_there() -> None:
    views = b"".join(b'{name = "%d", location = ["A", "B"]},' % number for number in range(200))
    text = b"view = [\n" + b"# x\n" * 100_000 + views + b"]\n"
    began = time.process_time()
    name_places(text, "view", "0", "location")
    first = time.process_time()
    for number in range(200):
        name_places(text, "view", str(number), "location")
    assert time.process_time() - first < 10 * (first - began)


def test_what_begins_like_many_long_strings_is_looked_through_once() -> None:
    text = b"[locations]\nknown = ['''x'''' , '''\n" + b'\\"""\n' * 100_000 + b"''', 'A']\n"
    assert len(tomllib.loads(text.decode())["locations"]["known"]) == 3
    assert name_places(text, "locations", "known")["A"] == (100_003, 6)


@pytest.mark.parametrize("string", ['"""\n#"""', '"""x""""', "'''x'''''", '"""\\"""""', '"""\\\n#"""'])
def test_no_long_string_hides_a_long_key_behind_it(string: str) -> None:
    beginning = f"x = [{string}, {{"
    assert tomllib.loads(f"{beginning}a = 1}}]\n")
    assert line_of_long_key(f"{beginning}{'a.' * 16}a = 1}}]\n") == beginning.count("\n") + 1
    assert line_of_long_key(f"x = {string}\n{'a.' * 16}a = 1\n") == beginning.count("\n") + 2


written = st.text(st.sampled_from("Aü ,#]['\"\\"), max_size=4).flatmap(
    lambda name: st.sampled_from(
        [
            (name, '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'),
            ("A" if "'" in name else name, "'A'" if "'" in name else f"'{name}'"),
        ]
    )
)


@given(st.lists(st.tuples(written, st.sampled_from(["", " ", "\n", "\r\n", '# ["A"]\n']))))
def test_a_place_is_where_the_name_is_written(names: list[tuple[tuple[str, str], str]]) -> None:
    text = "[locations]\nknown = [" + "".join(f"{space}{name}," for (_, name), space in names) + "]\n"
    assert tomllib.loads(text)["locations"]["known"] == [name for (name, _), _ in names]
    for name, (line, column) in name_places(text.encode(), "locations", "known").items():
        assert text.split("\n")[line - 1][column - 1 :].startswith((f'"{name}"', f"'{name}'"))
