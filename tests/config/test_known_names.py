"""`known` in the text of a `policy.toml`: what is written, and that nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from location_policy.config.known_names import with_known
from location_policy.config.policy_toml import read_rules

COMMENTED = '[locations]\nknown = [\n  "A",  # main\n  # old\n  "B",  # bee\n  "C" # cee\n]\n[match] # as it was\n'


@pytest.mark.parametrize(
    ("before", "names", "after"),
    [
        ("", ["A"], '[locations]\nknown = [\n    "A",\n]\n'),
        ("[match]\n", ["A"], '[match]\n\n[locations]\nknown = [\n    "A",\n]\n'),
        ("[match]", ["A"], '[match]\n\n[locations]\nknown = [\n    "A",\n]\n'),
        ("[locations] # x\r\n[match]\r\n", ["A"], '[locations] # x\r\nknown = [\r\n    "A",\r\n]\r\n[match]\r\n'),
        ('known = ["A", "B"]', ["A", "C"], 'known = ["A", "C"]'),
        ('known = ["A", "B"]', ["C", "B"], 'known = ["B", "C"]'),
        ('known = ["A", "B", "C",]', ["A"], 'known = ["A",]'),
        ('known = ["A", "B", "C"]', ["B"], 'known = ["B"]'),
        ('known = ["A"]', ["B"], 'known = ["B"]'),
        ('known = ["A"]', [], "known = []"),
        ("known = []", ["A", "B"], 'known = [\n    "A",\n    "B",\n]'),
        ("known = [ # only\n]", ["A"], 'known = [ # only\n    "A",\n]'),
        ('known = ["A" # x\n, "B"]', ["B"], 'known = [# x\n "B"]'),
        ("known = ['A', '''B''', \"\"\"C\"\"\", \"\\u0044\"]", ["C", 'x"y'], 'known = ["""C""", "x\\"y"]'),
        ('known = [\n"A"\n]', ["A", "Zürich"], 'known = [\n"A",\n"Zürich",\n]'),
        ('known = [\n  "A", "B",\n  "C", "D",\n]', ["A", "D", "E"], 'known = [\n  "A",\n  "D",\n  "E",\n]'),
    ],
)
def test_the_list_is_changed_in_the_way_in_which_it_is_written(before: str, names: list[str], after: str) -> None:
    head = "[locations]\n" if before.startswith("known") else ""
    assert with_known(f"{head}{before}".encode(), names).decode() == head + after


def test_a_comment_stays_but_for_that_on_the_line_of_a_name_that_goes() -> None:
    after = '[locations]\nknown = [\n  "A",  # main\n  # old\n  "C", # cee\n  "D",\n]\n[match] # as it was\n'
    assert with_known(COMMENTED.encode(), ["D", "C", "A"]).decode() == after


@pytest.mark.parametrize(
    "key", ["locations.known = {}", "locations = {{ known = {} }}", "\"locations\" . 'known' = {}"]
)
def test_the_key_is_found_in_each_of_its_forms(key: str) -> None:
    before, after = (f"{key.format(names)} # x" for names in ('["A"]', '["A", "B"]'))
    assert with_known(before.encode(), ["A", "B"]).decode() == after


def test_a_byte_order_mark_stays() -> None:
    assert with_known(b'\xef\xbb\xbflocations.known = ["A"]', ["B"]) == b'\xef\xbb\xbflocations.known = ["B"]'


def test_names_that_are_known_already_change_nothing_in_whatever_order() -> None:
    assert with_known(COMMENTED.encode(), ["C", "B", "A"]) == COMMENTED.encode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[locations]\nknwon = []", "not valid"),
        ("[locations]\n\"k\\u006eown\" = ['A']", "not found"),
        ("locations = {}", "not found"),
    ],
)
def test_what_cannot_be_changed_for_sure_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        with_known(text.encode(), ["B"])


NAMES = [f"N{number}" for number in range(6)]
names = st.lists(st.sampled_from([*NAMES, 'q"[', "b\\", "ü#"]), unique=True)
gaps = st.sampled_from(["", " ", "\n", "\n    ", ' # "N1", ]\n', "\r\n"])


@given(names, names, st.lists(st.tuples(gaps, gaps), min_size=9, max_size=9), gaps, st.booleans())
@example(["N0"], [], [(' # "N1", ]\n', "")] * 9, "", False)
def test_any_list_gets_just_these_names_and_the_rest_of_the_file_stays(
    before: list[str], after: list[str], around: list[tuple[str, str]], end: str, trailing: bool
) -> None:
    written = [name.replace("\\", "\\\\").replace('"', '\\"') for name in before]
    items = [f'{first}"{name}"{second}' for name, (first, second) in zip(written, around, strict=False)]
    text = f"# top\n[locations]\nknown = [{','.join(items)}{',' * (trailing and bool(items))}{end}]\n[match] # {{}}\n"
    changed = with_known(text.encode(), after).decode()
    rules, problems = read_rules(changed.encode())
    assert (set(rules.known), problems) == (set(after), ())
    assert replace(rules, known=()) == replace(read_rules(text.encode())[0], known=())
    assert changed.startswith("# top\n[locations]\nknown = [")
    assert changed.endswith("]\n[match] # {}\n")
    assert [name for name in rules.known if name in before] == [name for name in before if name in after]
    if set(before) <= set(after):
        assert changed.count("#") - changed.count('"ü#"') == text.count("#") - text.count('"ü#"')
