"""A plan as a comment on a pull request."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from location_policy.config.validate import load_map
from location_policy.plan.as_markdown import MARKER, SIZE_LIMIT, code, plan_markdown
from location_policy.plan.plan import make_plan
from location_policy.problems import Problem, Problems
from tests.plan.test_plan import plan_of
from tests.support.maps import files_of, map_of
from tests.support.repositories import Files

PRINTABLE = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1)


def shown(cell: str) -> str:
    """What a reader sees of a cell, which holds nothing but one piece of code."""
    if found := re.fullmatch(r"`([^`|\\]+)`", cell):
        return found[1]
    found = re.fullmatch(r"<code>((?:&#\d+;|[^\W_]|[^\x00-\x7f])*)</code>", cell)
    assert found, cell
    return html.unescape(found[1])


@given(PRINTABLE)
def test_a_text_is_seen_as_it_is(text: str) -> None:
    assert shown(code(text)) == text


def test_markup_html_and_people_are_left_alone() -> None:
    assert code("@alice **x** <b>") == "`@alice **x** <b>`"
    assert code("a`<b>|") == "<code>a&#96;&#60;b&#62;&#124;</code>"


def test_the_total_comes_first_below_a_mark_that_is_not_shown() -> None:
    text = plan_markdown(plan_of("Sydney,10.0.0.0/24\n", "Perth,10.0.0.0/24\n"))
    assert text.startswith(f"{MARKER}\n**1 range changed: 1 moved (256 addresses)**\n\n| addresses")
    assert "details" not in text


def test_many_ranges_are_summed_up_before_the_largest() -> None:
    rows = "".join(f"Sydney,10.{i >> 8}.{i & 255}.0/25\n" for i in range(5_000))
    text = plan_markdown(plan_of(rows, rows.replace("Sydney,10.1.", "Oslo,10.1.").replace("Sydney", "Perth")))
    _, summed, heading, ranges, left = text.split("\n\n")
    assert summed.splitlines()[2:] == [
        "| `Sydney -> Perth` | 4,744 ranges | 607,232 addresses | 94.88% of IPv4 |",
        "| `Sydney -> Oslo` | 256 ranges | 32,768 addresses | 5.12% of IPv4 |",
    ]
    assert (heading, len(ranges.splitlines())) == ("The largest ranges:", 22)
    assert left == "… and 4,980 more: `location-policy diff OLD NEW --all`"
    assert len(text.encode()) < 3_000


def test_a_comment_is_never_too_long_and_says_how_much_is_left_out() -> None:
    rows = "".join(f"{'|`' * 100}{i},{'|`' * 90}{i},10.{i >> 8}.{i & 255}.0/25\n" for i in range(5_000))
    new = "".join(f"{'`|' * 100}{i},10.{i >> 8}.{i & 255}.0/25\n" for i in range(5_000))
    text = plan_markdown(plan_of(rows, new), "location-policy diff `a` b", Problems(), Problems())
    assert len(text.encode()) <= SIZE_LIMIT
    assert text.count("| 1 range |") == 20
    assert "\n\n… and 4,980 more: 4,980 ranges, 637,440 addresses\n\n" in text
    last = text.splitlines()[-1]
    assert last.endswith(" more: <code>location&#45;policy&#32;diff&#32;&#96;a&#96;&#32;b</code>")


def test_rules_without_end_leave_room_for_nothing_else() -> None:
    policy = "[match]\n" + "".join(f'{"p" * 200}{number} = "remote_address"\n' for number in range(500))
    plan = make_plan(map_of("Sydney,10.0.0.0/24\n"), map_of("Perth,10.0.0.0/24\n", policy))
    text = plan_markdown(plan)
    assert len(text.encode()) <= SIZE_LIMIT
    assert "| addresses |" not in text
    assert re.search(r"\n\n… and \d+ more: `location-policy diff OLD NEW --all`$", text)


def test_new_warnings_come_after_the_total_and_old_ones_are_counted() -> None:
    plan = plan_of("Sydney,10.0.0.0/24\n", "Perth,10.0.0.0/24\n")
    found = Problems(
        Problem("a`b.csv", line, 1, "stray-csv", "is not read", "rename it", "warning") for line in range(1, 13)
    )
    text = plan_markdown(plan, warnings=found, old_warnings=Problems(found[:2]))
    total, told, table = text.split("\n\n")
    assert (MARKER in total, "`10.0.0.0/24`" in table) == (True, True)
    lines = told.splitlines()
    assert [shown(line.removeprefix("- ")) for line in lines[:10]] == [
        f"a`b.csv:{line}:1: warning: is not read [stray-csv]" for line in range(1, 11)
    ]
    assert lines[10:] == ["- … and 2 more: `location-policy check`", "- 2 warnings were there before"]


def test_what_changes_for_the_calls_of_a_view_has_a_table_of_its_own() -> None:
    edge = '[[view]]\nname = "edge"\nlocation = "D|Z"\n'
    files: Files = {"locations.csv": "Oslo,10.0.0.0/24\n", "policy.toml": edge}
    old = load_map(files_of({**files, "views/edge/locations.csv": "Lima,10.1.0.0/24\n"}))
    new = load_map(files_of({**files, "views/edge/locations.csv": "Perth,10.1.0.0/24\n"}))
    text = plan_markdown(make_plan(old, new))
    heading, table = text.split("\n\n")[-2:]
    assert heading == f"{code('calls asked for by D|Z: view edge')}:"
    assert table.splitlines()[2:] == [
        "| `10.1.0.0/24` | `Lima -> Perth` | 256 addresses | `views/edge/locations.csv:1` |"
    ]
    many = "".join(f"Lima,10.1.{i}.0/25\n" for i in range(250))
    old = load_map(files_of({**files, "views/edge/locations.csv": many}))
    new = load_map(files_of({**files, "views/edge/locations.csv": many.replace("Lima", "Perth")}))
    assert plan_markdown(make_plan(old, new)).endswith("… and 230 more: `location-policy diff OLD NEW --all`")


def test_rules_that_change_for_the_calls_of_a_view_are_told_from_what_to_what() -> None:
    files: Files = {"locations.csv": "Oslo,10.0.0.0/24\n"}
    edge = '[[view]]\nname = "edge"\nlocation = "DMZ"\nanswer = "Lima"\n'
    old, new = (load_map(files_of({**files, "policy.toml": text})) for text in (edge, edge.replace("Lima", "Perth")))
    assert (
        "- `calls asked for by DMZ: view edge: policy.toml: answer  Lima -> Perth`"
        in plan_markdown(make_plan(old, new)).splitlines()
    )
