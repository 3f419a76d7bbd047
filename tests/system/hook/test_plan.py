"""What a push does to answers, told before the verdict."""

from __future__ import annotations

from tests.support.repositories import BAD, GOOD, MELBOURNE, SYDNEY, Files, force_commit, git, said, tip, verdict
from tests.system.hook.conftest import Site


def locations(rows: str) -> Files:
    return {"locations/apac.csv": rows}


def plan(told: str) -> list[str]:
    return told.partition("\n\n")[0].split("\n")


def test_the_plan_stands_before_the_verdict(site: Site) -> None:
    before = tip(site.repository)
    site.commit(locations(SYDNEY.replace("Sydney,Melbourne", "Perth") + MELBOURNE))
    assert said(site.push()) == (
        f"what changes on main since {before[:10]}:\n"
        "10.61.2.0/24  Sydney -> Perth  256 addresses  (locations/apac.csv:1)\n"
        "1 range changed: 1 moved (256 addresses)\n"
        "\n"
        "valid: 1 commit for main"
    )


def test_a_change_that_moves_nobody_has_no_effect(site: Site) -> None:
    site.commit(locations("# sorted\n" + MELBOURNE + SYDNEY))
    assert plan(said(site.push()))[1:] == ["no effect"]


def test_a_large_plan_is_summed_up_and_says_how_to_see_the_rest(site: Site) -> None:
    before = tip(site.repository)
    commit = site.commit(locations(SYDNEY + "".join(f"Perth,10.{n}.0.0/24\n" for n in range(70, 100))))
    lines = plan(said(site.push()))
    assert lines[1:5] == [
        "2 pairs of answers, the largest first:",
        "  no answer -> Perth      30 ranges  7,680 addresses  93.75% of IPv4",
        "  Melbourne -> no answer  1 range    256 addresses    3.13% of IPv4",
        "31 ranges, the largest first:",
    ]
    assert lines[25:] == [
        f"  … and 11 more: location-policy diff {before[:10]} {commit[:10]} --all",
        "31 ranges changed: 1 removed (256 addresses), 30 added (7,680 addresses)",
    ]


def test_a_change_of_what_judges_the_next_pushes_comes_first(site: Site) -> None:
    limits = 'limits.changed-addresses = "25%"\nlimits.removed-subnets = "5%"\n'
    site.commit({**locations(SYDNEY), "policy.toml": f'{limits}checks.stray-csv = "off"\n'})
    assert plan(said(site.push()))[1:3] == [
        "policy.toml: checks.stray-csv  warning -> off  (judges the next pushes)",
        "policy.toml: limits.removed-subnets  10% -> 5%  (judges the next pushes)",
    ]


def test_the_effect_of_several_commits_is_told_as_one(site: Site) -> None:
    site.commit(locations(MELBOURNE))
    site.commit(locations(SYDNEY + MELBOURNE))
    push = site.push()
    assert plan(said(push))[1:] == ["no effect"]
    assert verdict(push) == "valid: 2 commits for main"


def test_the_plan_of_a_good_tip_over_a_bad_commit_is_told_too(site: Site) -> None:
    site.commit(BAD)
    site.commit(locations(SYDNEY))
    push = site.push()
    assert "10.61.3.0/24  Melbourne -> no answer" in plan(said(push))[1]
    assert verdict(push).startswith("main is rejected: 1 of 2 commits has errors\n")


def test_a_new_branch_is_told_in_numbers(empty_site: Site) -> None:
    empty_site.commit(GOOD)
    assert said(empty_site.push()).startswith(
        "main is served for the first time:\n2 ranges changed: 2 added (512 addresses)\n"
    )


def test_a_tip_that_is_not_valid_is_compared_by_the_newest_that_is(site: Site) -> None:
    before = tip(site.repository)
    rules = {"policy.toml": git("show", "main:policy.toml", cwd=site.repository)}
    force_commit(site.repository, {"locations/apac.csv": SYDNEY + SYDNEY} | rules)
    site.git("pull", "--quiet", "--ff-only", "origin", "main")
    site.commit(locations(SYDNEY))
    assert plan(said(site.push()))[:2] == [
        f"what changes on main since {before[:10]}:",
        "10.61.3.0/24  Melbourne -> no answer  256 addresses  (was locations/apac.csv:2)",
    ]


def test_where_nothing_was_valid_all_is_new(site: Site) -> None:
    orphan = force_commit(site.repository, locations(SYDNEY + SYDNEY), ref="refs/heads/orphan")
    site.git("fetch", "--quiet", "origin")
    site.git("checkout", "--quiet", "-B", "main", orphan)
    site.commit(GOOD)
    (site.repository / "refs" / "heads" / "main").write_text(f"{orphan}\n")
    assert plan(said(site.push()))[0] == "main is served for the first time:"


def test_other_branches_are_pushed_in_silence(site: Site) -> None:
    site.commit(locations(SYDNEY))
    assert said(site.push("HEAD:side")) == ""
