"""A plan in words."""

from __future__ import annotations

import pytest

from location_policy.config.location_map import LocationMap
from location_policy.config.validate import load_map
from location_policy.plan.as_json import plan_fields
from location_policy.plan.as_text import plan_lines, rule_lines
from location_policy.plan.change_text import answers_text, subnets_text
from location_policy.plan.plan import make_plan
from tests.plan.test_plan import ROW, plan_of
from tests.support.maps import files_of


def told(old: str, new: str, old_policy: str = "", new_policy: str = "") -> str:
    return "\n".join(plan_lines(plan_of(old, new, old_policy, new_policy)))


def subnets(old: str, new: str) -> list[str]:
    return [subnets_text(change) for change in plan_of(old, new).changes]


def answers(old: str, new: str) -> list[str]:
    return [answers_text(change) for change in plan_of(old, new).changes]


def test_one_line_says_where_what_how_much_and_why() -> None:
    old = "Amsterdam,10.4.0.0/16\nParis,10.4.7.0/24\n"
    assert plan_lines(plan_of(old, old.replace("Amsterdam", "Frankfurt"))) == [
        "10.4.0.0/16 except 10.4.7.0/24  Amsterdam -> Frankfurt  65,280 addresses  (locations.csv:1)",
        "1 range changed: 1 moved (65,280 addresses)",
    ]


def test_nothing_changes_in_two_words() -> None:
    assert plan_lines(plan_of(ROW, f"# the same\n{ROW}")) == ["no effect"]


def test_rules_come_first_and_of_them_those_that_judge() -> None:
    old, new = '[checks]\nhost-bits = "warning"\n', '[answer]\ndefault = "Perth"\n[match]\nwebrtc = "remote_address"\n'
    assert told(ROW, ROW.replace("Sydney", "Perth"), old, new).splitlines() == [
        "policy.toml: checks.host-bits  warning -> error  (judges the next pushes)",
        "policy.toml: answer.default  none -> Perth",
        "policy.toml: match.webrtc  none -> remote-address",
        "10.0.0.0/24  Sydney -> Perth  256 addresses  (locations.csv:1)",
        "2 rules and 1 range changed: 1 moved (256 addresses)",
    ]


@pytest.mark.parametrize(
    ("old", "new", "total"),
    [
        ('default = "Perth"', 'default = "Oslo"', "4,294,967,040 addresses, 18,446,744,073,709,551,616 /64s"),
        ('default = "Perth"', "", "4,294,967,040 addresses, 18,446,744,073,709,551,616 /64s"),
        ("", 'overflow = "list"', "128 addresses"),
        ("[match]\nmssip = 'ms-subnet'", "[match]\nmssip = false", "256 addresses"),
    ],
)
def test_what_rules_change_is_counted(old: str, new: str, total: str) -> None:
    text = told(
        f"{ROW}Sydney,Perth,10.0.0.0/25\n", f"{ROW}Sydney,Perth,10.0.0.0/25\n", f"[answer]\n{old}", f"[answer]\n{new}"
    )
    assert text.splitlines()[-1] == f"1 rule changed: {total} by policy.toml"


def test_an_expectation_that_is_changed_is_told_from_what_to_what() -> None:
    old, new = (
        load_map(files_of({"locations.csv": "Sydney,10.0.0.0/24\n", "expectations.csv": text}))
        for text in ("10.0.0.1,Sydney\n192.0.2.1,,a lab\n", "10.0.0.0/24,Sydney\n10.0.0.1,Sydney\n")
    )
    assert plan_lines(make_plan(new, old)) == [
        "expectations.csv: drops 10.0.0.0/24 Sydney  (loosens what judges the next pushes)",
        "no effect",
    ]
    perth = load_map(files_of({"locations.csv": "Perth,10.0.0.0/24\n", "expectations.csv": "10.0.0.1,Perth\n"}))
    assert plan_lines(make_plan(old, perth))[:2] == [
        "expectations.csv: drops 192.0.2.1 no answer  (loosens what judges the next pushes)",
        "expectations.csv: changes 10.0.0.1 Sydney -> Perth  (loosens what judges the next pushes)",
    ]
    assert plan_fields(make_plan(old, perth))["loosened"] == [
        {"key": "expectations.csv", "from": ("192.0.2.1 no answer",), "to": None},
        {"key": "expectations.csv", "from": ("10.0.0.1 Sydney",), "to": ("10.0.0.1 Perth",)},
    ]


def test_rules_that_judge_have_no_effect() -> None:
    assert told(ROW, ROW, "", '[checks]\nhost-bits = "warning"\n').splitlines()[-1] == "no effect"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ([], ["Sydney", "Perth"], "any name -> Perth, Sydney"),
        (["Sydney", "Perth"], ["Sydney", "Hobart"], "adds Hobart; drops Perth"),
        (["Sydney"], ["Sydney", "a", "b", "c", "d", "e"], "adds a, b, c and 2 more"),
        (["Sydney"], [], "Sydney -> any name  (loosens what judges the next pushes)"),
    ],
)
def test_known_names_are_told_by_what_is_added_and_dropped(old: list[str], new: list[str], line: str) -> None:
    text = told(ROW, ROW, f"[locations]\nknown = {old}", f"[locations]\nknown = {new}")
    assert text == f"policy.toml: locations.known  {line}\n1 rule changed"


def test_each_kind_is_said_in_its_own_words() -> None:
    old = "Sydney,Perth,10.0.0.0/24\nSydney,10.0.1.0/24\nSydney,10.0.2.0/24\n"
    new = "Perth,10.0.0.0/24\nSydney,Perth,Hobart,10.0.1.0/24\nSydney,10.0.3.0/24\n"
    assert answers(old, new) == [
        "Sydney -> Perth",
        "Sydney: overflow none -> Perth, Hobart",
        "Sydney -> no answer",
        "no answer -> Sydney",
    ]


def test_few_holes_are_named_and_many_are_counted() -> None:
    old = "Sydney,10.0.0.0/16\n" + "".join(f"Hobart,10.0.{number}.0/24\n" for number in (1, 3, 5))
    assert subnets(old, old.replace("Sydney", "Perth")) == ["10.0.0.0/16 except 10.0.1.0/24, 10.0.3.0/24, 10.0.5.0/24"]
    old += "Hobart,10.0.7.0/24\n"
    assert subnets(old, old.replace("Sydney", "Perth")) == ["10.0.0.0/16 except 4 subnets"]


def test_subnets_are_listed_where_that_is_shorter() -> None:
    old = "Sydney,10.0.1.0/24\nSydney,10.0.2.0/24\nSydney,::1/128\n"
    assert subnets(old, old.replace("Sydney", "Perth")) == ["10.0.1.0/24, 10.0.2.0/24", "::1/128"]
    old = "Sydney,10.0.0.0/24\n" + "".join(f"Hobart,10.0.0.{number}/32\n" for number in range(0, 256, 2))
    assert subnets(old, old.replace("Sydney", "Perth")) == ["10.0.0.1/32, 10.0.0.3/32, 10.0.0.5/32 and 125 more"]


def test_every_address_is_one_subnet() -> None:
    assert subnets(ROW, f"{ROW}Perth,::/0\nPerth,0.0.0.0/0\n") == ["0.0.0.0/0 except 10.0.0.0/24", "::/0"]


def test_a_row_that_is_gone_is_said_to_have_been() -> None:
    assert "(was locations.csv:2)" in told(f"{ROW}Sydney,10.0.1.0/24\n", ROW)


def test_sources_but_the_first_are_counted() -> None:
    old = "Sydney,10.0.0.0/24\nSydney,10.0.1.0/24\n"
    assert "(locations.csv:1 and 1 more)" in told(old, old.replace("Sydney", "Perth"))


def test_columns_are_in_line() -> None:
    old = "Sydney,10.0.0.0/24\nHobart,10.0.1.0/24\nSydney,2001:db8::/32\n"
    assert plan_lines(plan_of(old, old.replace("Sydney", "Perth").replace("Hobart", "Cairns"))) == [
        "10.0.0.0/24    Sydney -> Perth   256 addresses       (locations.csv:1)",
        "10.0.1.0/24    Hobart -> Cairns  256 addresses       (locations.csv:2)",
        "2001:db8::/32  Sydney -> Perth   4,294,967,296 /64s  (locations.csv:3)",
        "3 ranges changed: 3 moved (512 addresses, 4,294,967,296 /64s)",
    ]


def many(number: int) -> tuple[str, str]:
    """Rows next to none, of which every third goes to Hobart and the others to Perth."""
    old = [f"Sydney,10.0.{2 * at}.0/24" for at in range(number)]
    new = [row.replace("Sydney", "Perth" if at % 3 else "Hobart") for at, row in enumerate(old)]
    return "\n".join(old), "\n".join(new)


def test_as_many_ranges_as_a_screen_holds_are_told_one_by_one() -> None:
    lines = plan_lines(plan_of(*many(20)), "location-policy diff a b --all")
    assert len(lines) == 21
    assert lines[0] == "10.0.0.0/24   Sydney -> Hobart  256 addresses  (locations.csv:1)"


def test_more_are_summed_up_and_the_largest_told() -> None:
    old, new = many(30)
    plan = plan_of(f"{old}\nTokyo,10.9.0.0/16\n", f"{new}\nOslo,10.9.0.0/16\n")
    lines = plan_lines(plan, "location-policy diff a b --all")
    assert lines[:6] == [
        "3 pairs of answers, the largest first:",
        "  Tokyo -> Oslo     1 range    65,536 addresses  89.52% of IPv4",
        "  Sydney -> Perth   20 ranges  5,120 addresses   7% of IPv4",
        "  Sydney -> Hobart  10 ranges  2,560 addresses   3.5% of IPv4",
        "31 ranges, the largest first:",
        "  10.9.0.0/16   Tokyo -> Oslo     65,536 addresses  (locations.csv:31)",
    ]
    assert lines[24] == "  10.0.36.0/24  Sydney -> Hobart  256 addresses     (locations.csv:19)"
    assert lines[25:] == [
        "  … and 11 more: location-policy diff a b --all",
        "31 ranges changed: 31 moved (73,216 addresses)",
    ]


def test_without_a_command_that_tells_more_all_is_told() -> None:
    lines = plan_lines(plan_of(*many(30)))
    assert (len(lines), any("…" in line for line in lines)) == (1 + 2 + 1 + 30 + 1, False)


def test_pairs_that_are_not_told_are_counted_with_what_they_are() -> None:
    old = "".join(f"from{at},10.0.{at}.0/{24 + at // 20}\n" for at in range(25))
    lines = plan_lines(plan_of(old, old.replace("from", "to")), "location-policy diff a b --all")
    assert lines[0] == "25 pairs of answers, the largest first:"
    assert lines[20:23] == [
        "  from19 -> to19  1 range  256 addresses  4.45% of IPv4",
        "  … and 5 more: 5 ranges, 640 addresses",
        "25 ranges, the largest first:",
    ]


def test_lines_about_rules_over_the_limit_are_counted() -> None:
    policy = "[match]\n" + "".join(f'p{number} = "ms-subnet"\n' for number in range(5))
    lines = plan_lines(plan_of(ROW, ROW, "", policy), "location-policy diff a b --all", 3)
    assert lines[3:] == ["… and 2 more: location-policy diff a b --all", "5 rules changed"]


def test_what_comes_from_outside_cannot_steer_a_terminal() -> None:
    policy = '[match]\n"\\u001b[31m" = "ms-subnet"\n[answer]\ndefault = "a\\u202eb"\n'
    policy += '[checks]\ninvisible-character = "off"\n'
    text = told(ROW, f"{ROW}Per\u202eth,10.0.1.0/24\n{'x' * 200},10.0.2.0/24\n", "", policy)
    assert all(line.isprintable() for line in text.splitlines())
    assert "x" * 81 not in text


def test_of_many_pairs_of_views_the_first_are_told_and_all_with_every_range() -> None:
    def views(location: str) -> LocationMap:
        rules = "".join(f'[[view]]\nname = "v{at}"\nlocation = "{at}"\nanswer = "{location}"\n' for at in range(30))
        return load_map(files_of({"locations.csv": "Oslo,10.0.0.0/8\n", "policy.toml": rules}))

    plan = make_plan(views("Oslo"), views("Lima"))
    lines = plan_lines(plan, "location-policy diff OLD NEW --all")
    assert [line for line in lines if "view v" in line][-1] == "calls asked for by 19: view v19"
    assert lines[-2] == "… and 10 more pairs of views: location-policy diff OLD NEW --all"
    assert lines[-1].startswith("30 rules changed: ")
    assert rule_lines(plan)[-1] == "… and 10 more pairs of views"
    assert "calls asked for by 29: view v29" in plan_lines(plan)
