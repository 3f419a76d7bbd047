"""What is found out about a move of the served branch, as facts; what is told of them is in tests/system/hook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from location_policy.gate.pre_receive import judge
from location_policy.gate.ref_updates import Update
from location_policy.gate.verdict import Move, OlderCommits
from location_policy.repository.repository import open_pushed_repository
from tests.support.maps import many_rows
from tests.support.repositories import BAD, GOOD, MELBOURNE, SYDNEY, Files, force_commit, git, make_repository, tip
from tests.support.signing import SshKey, force_signed, needs_ssh, require

ZEROS = "0" * 40
LIMITED: Files = {"locations.csv": many_rows(200), "policy.toml": '[limits]\nremoved-subnets = "10%"\n'}
CUT: Files = {**LIMITED, "locations.csv": many_rows(150)}
OWNED: Files = {"locations.csv": "Sydney,10.9.0.0/16\n", "owners.csv": "10.9.0.0/16,bob@example.com\n"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", GOOD)


def move(
    place: Path,
    old: str,
    new: str,
    *options: str,
    pusher: str = "ana",
    is_late: Callable[[], bool] = lambda: False,
) -> Move:
    """The verdict on moving main so."""
    with open_pushed_repository(place) as repository:
        (found,) = judge([Update(old, new, "refs/heads/main")], repository, options, is_late, pusher).moves
    return found


def codes(found: Move) -> list[tuple[str, list[str]]]:
    """The commits that are not valid, and the codes of their errors."""
    return [(one.commit.id, [problem.code for problem in one.errors]) for one in found.invalid]


def test_what_a_branch_gains_and_what_it_does(place: Path) -> None:
    old = tip(place)
    new = [force_commit(place, files) for files in ({"locations.csv": SYDNEY}, {"locations.csv": "Sydney,0.0.0.0/0\n"})]
    found = move(place, old, new[1])
    assert (found.accepted, found.branch, found.gained, found.dropped) == (True, "main", tuple(new), None)
    assert [problem.code for problem in found.warnings] == ["catch-all"]
    assert found.effect
    assert found.effect.base.commit
    assert (found.effect.base.commit.id, found.effect.plan.totals()["removed"].addresses) == (old, 0)
    assert found.effect.plan.totals()["moved"].addresses == 256
    assert (found.older, found.signatures, found.skipped, found.unapproved) == (None, None, (), ())


def test_every_commit_that_is_not_valid_is_there_with_its_errors(place: Path) -> None:
    old = tip(place)
    bad, worse = force_commit(place, BAD), force_commit(place, {"locations.csv": "=a,10.0.0.1/8\nOslo,0.0.0.0/0\n"})
    found = move(place, old, worse)
    assert codes(found) == [(bad, ["host-bits"]), (worse, ["formula-name", "host-bits"])]
    assert (found.accepted, found.effect, found.warnings) == (False, None, ())


def test_under_a_good_tip_it_is_known_all_the_same_what_it_does(place: Path) -> None:
    old, bad, new = tip(place), force_commit(place, BAD), force_commit(place, {"locations.csv": SYDNEY})
    found = move(place, old, new)
    assert (codes(found), found.accepted) == ([(bad, ["host-bits"])], False)
    assert found.effect
    assert found.effect.plan.totals()["removed"].addresses == 256


def test_a_deletion_is_forbidden(place: Path) -> None:
    assert move(place, tip(place), ZEROS) == Move(Update(tip(place), ZEROS, "refs/heads/main"), forbidden="deletion")


def test_a_rewind_is_forbidden_unless_it_is_allowed_and_drops_commits(place: Path) -> None:
    first = tip(place)
    gone = [force_commit(place, {**GOOD, "README.md": str(number)}) for number in range(12)]
    assert move(place, gone[-1], first) == Move(Update(gone[-1], first, "refs/heads/main"), forbidden="rewind")
    git("config", "location-policy.allowNonFastForward", "true", cwd=place)
    found = move(place, gone[-1], first)
    assert (found.accepted, found.gained) == (True, (first,))
    assert found.dropped
    assert (found.dropped.number, [one.id for one in found.dropped.newest]) == (12, gone[:1:-1])


def test_rows_that_are_merged_are_held_to_the_limit_though_no_answer_changes(tmp_path: Path) -> None:
    rows = [f"Sydney,10.0.{number}.0/24\n" for number in range(200)]
    place = make_repository(tmp_path / "map.git", {**LIMITED, "locations.csv": "".join(rows)})
    old = tip(place)
    new = force_commit(place, {**LIMITED, "locations.csv": "".join(["Sydney,10.0.0.0/19\n", *rows[32:]])})
    found = move(place, old, new)
    assert found.effect
    assert (found.effect.plan.effect, found.is_too_large) == (False, True)
    assert [tuple(one) for one in found.effect.excess] == [("removed-subnets", "10%", "16% of subnets")]


@pytest.mark.parametrize("option", [None, "allow-large-change= we move out "])
def test_limits_that_are_exceeded_are_there_and_why_they_may_be(tmp_path: Path, option: str | None) -> None:
    place = make_repository(tmp_path / "map.git", LIMITED)
    old, new = tip(place), force_commit(place, CUT)
    found = move(place, old, new, *filter(None, [option]))
    assert found.effect
    assert [tuple(one) for one in found.effect.excess] == [("removed-subnets", "10%", "25% of subnets")]
    assert (found.reason, found.is_too_large) == (("we move out", False) if option else (None, True))


def test_what_returns_to_a_commit_but_for_what_judges_pushes_is_nearly_there(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "map.git", CUT, keeps_log=True)
    before, old = tip(place), force_commit(place, LIMITED)
    assert move(place, old, force_commit(place, {**CUT, "README.md": "x"})).effect
    found = move(place, old, force_commit(place, {**CUT, "policy.toml": ""}))
    assert found.effect
    assert found.effect.nearly
    assert (found.is_too_large, found.effect.nearly.id, found.effect.returns_to) == (True, before, None)


# --- what was served ---


def served(place: Path, *tips: str) -> str:
    """The branch goes to these commits, one after the other; the last."""
    for one in tips:
        git("update-ref", "refs/heads/main", one, cwd=place)
    return tips[-1]


def aside(place: Path, start: str, *contents: Files) -> list[str]:
    """Commits on top of a commit, one after the other; the branch does not move."""
    git("update-ref", "refs/heads/side", start, cwd=place)
    return [force_commit(place, files, "refs/heads/side") for files in contents]


def returned_to(found: Move) -> str | None:
    assert found.effect
    return found.effect.returns_to.id if found.effect.returns_to else None


@pytest.fixture
def limited(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "map.git", LIMITED, keeps_log=True)


@pytest.mark.parametrize("again", [CUT, {**CUT, "locations.csv": f"# as it was\n{CUT['locations.csv']!s}"}])
def test_what_was_pushed_with_its_revert_was_never_served(limited: Path, again: Files) -> None:
    old = tip(limited)
    new, back = aside(limited, old, CUT, LIMITED)
    assert move(limited, old, back).accepted
    (second,) = aside(limited, served(limited, back), again)
    found = move(limited, back, second)
    assert (found.is_too_large, returned_to(found)) == (True, None)
    found = move(limited, served(limited, new, back), second)
    assert (found.is_too_large, returned_to(found)) == (False, new)


def test_the_first_parent_of_a_merge_was_not_served_for_being_it(limited: Path) -> None:
    old = tip(limited)
    (new,) = aside(limited, old, CUT)
    swapped = git("commit-tree", f"{old}^{{tree}}", "-p", new, "-p", old, "-m", "Merge", cwd=limited)
    assert move(limited, old, swapped).accepted
    (second,) = aside(limited, served(limited, swapped), CUT)
    assert move(limited, swapped, second).is_too_large


def test_a_tip_that_a_rewind_has_dropped_was_served(limited: Path) -> None:
    git("config", "location-policy.allowNonFastForward", "true", cwd=limited)
    old, (new,) = tip(limited), aside(limited, tip(limited), CUT)
    served(limited, new, old)
    assert returned_to(move(limited, old, new)) == new


def test_without_a_log_nothing_is_shown_to_have_been_served(limited: Path) -> None:
    log = limited / "logs" / "refs" / "heads" / "main"
    new, back, again = aside(limited, tip(limited), CUT, LIMITED, CUT)
    served(limited, new, back)
    log.unlink()
    assert move(limited, back, again).is_too_large
    served(limited, new)
    log.unlink()
    served(limited, back)
    assert returned_to(move(limited, back, again)) == new, "a log that begins says from where it did"


@pytest.mark.parametrize("number", [0, 1])
def test_a_log_that_names_what_is_gone_keeps_nobody_from_pushing(limited: Path, number: int) -> None:
    tips = aside(limited, tip(limited), CUT, LIMITED)
    (new,) = aside(limited, served(limited, *tips), CUT)
    log = limited / "logs" / "refs" / "heads" / "main"
    log.write_text(log.read_text().replace(tips[number], "5" * 40))
    found = move(limited, tips[1], new)
    assert (found.is_too_large, returned_to(found)) == (True, None)


def test_owners_are_asked_about_what_was_not_served(tmp_path: Path) -> None:
    files: Files = {**OWNED, "policy.toml": '[checks]\nowner-approval = "error"\n'}
    place = make_repository(tmp_path / "map.git", files, keeps_log=True)
    old, taken = tip(place), {**files, "locations.csv": "Oslo,10.9.0.0/16\n"}
    _, back = aside(place, old, taken, files)
    assert move(place, old, back).accepted
    assert move(place, served(place, back), aside(place, back, taken)[0]).lacks_approval


def test_what_returns_but_for_expectations_that_go_is_held_to_the_limits(tmp_path: Path) -> None:
    held: Files = {**CUT, "expectations.csv": "10.0.0.7,Sydney\n"}
    place = make_repository(tmp_path / "map.git", held, keeps_log=True)
    before, old = tip(place), served(place, *aside(place, tip(place), {**LIMITED, "expectations.csv": ""}))
    same, looser = (aside(place, old, {**held, **more})[0] for more in ({}, {"expectations.csv": ""}))
    assert returned_to(move(place, old, same)) == before
    found = move(place, old, looser)
    assert (found.is_too_large, returned_to(found)) == (True, None)
    assert found.effect
    assert found.effect.nearly is None


def test_expectations_alone_that_go_are_over_the_limit(tmp_path: Path) -> None:
    held: Files = {**LIMITED, "expectations.csv": "10.0.0.7,Sydney\n"}
    place = make_repository(tmp_path / "map.git", held, keeps_log=True)
    found = move(place, tip(place), aside(place, tip(place), LIMITED)[0])
    assert found.effect
    assert (found.is_too_large, found.effect.excess[0].measured) == (True, "0 of them")


def test_what_returns_with_its_overflow_in_the_table_is_known_again(tmp_path: Path) -> None:
    held: Files = {**CUT, "locations.csv": CUT["locations.csv"].replace("Sydney", "Sydney,Oslo")}  # type: ignore[arg-type]
    place = make_repository(tmp_path / "map.git", held, keeps_log=True)
    before, old = tip(place), served(place, *aside(place, tip(place), LIMITED))
    lifted = {**CUT, "policy.toml": f"{CUT['policy.toml']}[overflow]\nSydney = 'Oslo'\n"}  # type: ignore[str-bytes-safe]
    assert returned_to(move(place, old, aside(place, old, lifted)[0])) == before


# --- owners ---


@pytest.mark.parametrize(
    ("severity", "pusher", "missing", "accepted"),
    [
        ("error", "ana", ["bob@example.com"], False),
        ("error", "bob@example.com", [], True),
        ("warning", "ana", ["bob@example.com"], True),
        ("off", "ana", [], True),
    ],
)
def test_owners_who_have_not_given_their_word_are_there_and_whether_they_must(
    tmp_path: Path, severity: str, pusher: str, missing: list[str], *, accepted: bool
) -> None:
    rules = f'[checks]\nowner-approval = "{severity}"\n'
    place = make_repository(tmp_path / "map.git", {**OWNED, "policy.toml": rules})
    old, new = tip(place), force_commit(place, {**OWNED, "policy.toml": rules, "locations.csv": "Oslo,10.9.0.0/16\n"})
    found = move(place, old, new, pusher=pusher)
    assert [one.owner for one in found.unapproved] == missing
    assert (found.needs_approval, found.accepted) == (severity == "error", accepted)


def test_a_new_branch_gains_its_tip_and_older_commits_are_counted(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "map.git", BAD)
    new = force_commit(place, GOOD)
    found = move(place, ZEROS, new)
    assert (found.gained, found.older) == ((new,), OlderCommits(1, 1, 0, is_cut=False))
    assert found.effect
    assert found.effect.base.commit is None
    assert move(place, ZEROS, force_commit(place, BAD)).older is None


def test_what_was_skipped_for_want_of_time_is_there(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "map.git", BAD)
    new = force_commit(place, {"locations.csv": "Sydney,0.0.0.0/0\n", "sites.csv": "x\n"})
    found = move(place, ZEROS, new, is_late=lambda: True)
    assert (found.accepted, found.effect, found.skipped) == (True, None, ("plan", "warnings"))
    assert [problem.code for problem in found.warnings] == ["stray-csv"]
    assert found.older == OlderCommits(0, 0, 1, is_cut=False)


@pytest.mark.parametrize("begin", [None, lambda _: None], ids=["as a page", "as the hook"])
def test_the_warnings_that_were_there_before_are_apart(
    tmp_path: Path, begin: Callable[[Mapping[str, str]], None] | None
) -> None:
    before = {
        "policy.toml": 'locations.known = ["Oslo", "Rome"]\nchecks.host-bits = "warning"\n',
        "locations/a.csv": "Oslo,10.0.0.0/8\n",
        "locations/b.csv": "Oslo,10.1.2.3/24\nOslo,10.2.0.0/16\n",
    }
    place = make_repository(tmp_path / "map.git", before)
    after = {**before, "locations/a.csv": "# ours\nOslo,10.0.0.0/8\nOslo,10.3.0.0/16\n"}
    update = Update(tip(place), force_commit(place, after), "refs/heads/main")
    with open_pushed_repository(place) as repository:
        (found,) = judge([update], repository, begin=begin).moves
    assert [(one.path, one.line) for one in found.warnings] == [("locations/a.csv", 3)]
    codes = ["host-bits", "redundant-subnet", "redundant-subnet", "unused-location"]
    assert sorted(one.code for one in found.old_warnings) == codes


def test_late_what_was_there_before_is_apart_too_as_far_as_it_is_known(place: Path) -> None:
    old = force_commit(place, {**GOOD, "sites.csv": "x\n"})
    found = move(
        place, old, force_commit(place, {**GOOD, "sites.csv": "x\n", "other.csv": "x\n"}), is_late=lambda: True
    )
    assert ([one.path for one in found.warnings], [one.path for one in found.old_warnings]) == (
        ["other.csv"],
        ["sites.csv"],
    )


# --- signatures ---


@needs_ssh
def test_who_has_not_signed_is_there_and_who_has(place: Path, signers: Path, alice: SshKey) -> None:
    require(place, "all", allowedSigners=signers)
    old = tip(place)
    new = [force_commit(place, {"locations.csv": rows}) for rows in (SYDNEY, MELBOURNE)]
    found = move(place, old, new[1]).signatures
    assert found
    assert ([one.commit.id for one in found.unsigned], found.number, found.takes_ssh) == (new, 2, True)
    signed = move(place, new[0], force_signed(place, alice))
    assert signed.accepted
    assert signed.signatures
    assert [tuple(one) for one in signed.signatures.signers] == [(alice.name, alice.fingerprint)]


@needs_ssh
def test_of_many_that_are_not_signed_the_first_are_named(place: Path, tmp_path: Path) -> None:
    (tmp_path / "allowed_signers").write_text("")
    require(place, "all", allowedSigners=tmp_path / "allowed_signers")
    old = tip(place)
    new = [force_commit(place, {**GOOD, "README.md": str(number)}) for number in range(12)]
    found = move(place, old, new[-1]).signatures
    assert found
    assert ([one.commit.id for one in found.unsigned], found.number, found.accepted) == (new[:10], 12, False)


def test_why_signatures_cannot_be_judged_is_there(place: Path) -> None:
    require(place, "tip")
    found = move(place, tip(place), force_commit(place, {"locations.csv": SYDNEY}))
    assert found.signatures
    assert found.signatures.problem == "location-policy.requireSignatures is tip, but no signers are listed"
    assert (found.accepted, found.invalid, found.signatures.number) == (False, (), 0)
