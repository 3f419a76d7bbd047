"""What the pusher is told: the plan, what is wrong and how to mend it.

git puts `remote: ` before each line: prose stays under 70 columns. What comes from the push is escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ..config.commit import Commit
from ..config.files import RULES_PATH
from ..plan.affected_owners import Touched
from ..plan.approvals import APPROVAL
from ..plan.as_text import SHOWN_OWNERS, plan_lines, total_line, touched_text
from ..plan.limits import Excess
from ..problems import Problem, count, escape, quote
from .effect import Effect
from .overrides import OPTION, TRAILER

SHOWN_PLAN = 20
"""Lines of a plan that are printed to the pusher; the rest is counted."""
SHOWN_PROBLEMS = 50
"""Problems that are printed to the pusher; the rest is counted."""
SHOWN_DROPPED = 10
"""Commits that are named when a push drops history; the rest is counted."""

SKIP_PLAN = "time is short: what changes is not told: location-policy diff"
"""Nothing is held to what changes, so it was not found out."""
SKIP_WARNINGS = "time is short: not all warnings are here: location-policy check"
"""What could be better was not looked for to its end."""

_SUBJECT, _AUTHOR = 34, 14
"""Characters that are shown of a commit, so that git's `remote: ` leaves the line within 80 columns."""
_OTHER_LINE = re.compile(r"(?<=\.csv):\d+")
"""The number of another line in a message: it may change while the problem stands."""


def tell_effect(name: str, tip: Commit, effect: Effect) -> Iterator[str]:
    """The plan, under a line that says what is compared."""
    base = effect.base.commit
    if base is None:
        yield f"{name} is served for the first time:"
        yield total_line(effect.plan)
    else:
        yield f"what changes on {name} since {base.id[:10]}:"
        yield from plan_lines(effect.plan, SHOWN_PLAN, f"location-policy diff {base.id[:10]} {tip.id[:10]}")
    if effect.returns_to:
        yield f"returns to {tell_commit(effect.returns_to)}"
    yield ""


def accept(name: str, commits: int) -> str:
    """The verdict on what can be taken; another hook of the site may still refuse it."""
    return f"valid: {count(commits, 'commit')} for {name}"


def refuse_commits(name: str, refused: int, commits: int) -> Iterator[str]:
    """The verdict on what is not valid."""
    yield f"{name} is refused: {refused:,} of {count(commits, 'commit')} {_is(refused)} not valid"


def refuse_size(name: str, excess: Sequence[Excess]) -> Iterator[str]:
    """The verdict on what is larger than one push may be."""
    yield f"{name} is refused: it changes more than one push may"
    for one in excess:
        yield f"  limits.{one.rule}: at most {one.limit}, but it is {one.measured}"


def tell_nearly(commit: Commit) -> Iterator[str]:
    """What a roll-back is held to limits for."""
    yield ""
    yield f"but for what judges pushes, in {RULES_PATH}, it returns to"
    yield f"  {tell_commit(commit)}"
    yield f"with the {RULES_PATH} of that commit it is held to no limit"


def how_to_override(command: str | None) -> Iterator[str]:
    """What to type when all of a large change is meant: this command, or what a pusher can."""
    if command == "":
        return
    yield ""
    yield "if all of it is meant, say why:"
    yield f"  {command}" if command else f'  git push -o {OPTION}="reason"'
    if command is None:
        yield "or end the message of the last commit with the line"
        yield f"  {TRAILER}: reason"


def tell_override(excess: Sequence[Excess], reason: str) -> Iterator[str]:
    """That limits do not count this time, and why."""
    for one in excess:
        yield f"limit overridden: {one.rule} {one.limit}, measured {one.measured}"
    yield f"  reason: {escape(reason)}"


def tell_unapproved(touched: Sequence[Touched]) -> Iterator[str]:
    """Whose word is missing, where that is a warning."""
    names = ", ".join(escape(quote(one.owner)) for one in touched[:SHOWN_OWNERS])
    more = f" and {count(len(touched) - SHOWN_OWNERS, 'owner')} more" * (len(touched) > SHOWN_OWNERS)
    yield f"warning: not approved by {names}{more} [owner-approval]"


def refuse_unapproved(name: str, touched: Sequence[Touched]) -> Iterator[str]:
    """The verdict on what its owners have not approved, and how they can."""
    yield f"{name} is refused: it needs the word of {count(len(touched), 'owner')}"
    for one in touched[:SHOWN_OWNERS]:
        yield f"  {touched_text(one)}"
    if len(touched) > SHOWN_OWNERS:
        yield f"  … and {count(len(touched) - SHOWN_OWNERS, 'owner')} more"
    yield ""
    yield "when they agree, end the message of the last commit with"
    yield f"  {APPROVAL}: {escape(quote(touched[0].owner))}"
    yield "a line for each; or let them push it"


def refuse_rewind(name: str) -> Iterator[str]:
    """The verdict on what would drop history."""
    yield f"{name} is refused: the push would drop commits that {name} has"
    yield "  hint: to undo a change, git revert it; to keep both, git pull --rebase"
    yield "  hint: git config location-policy.allowNonFastForward true"
    yield "        in the repository allows it"


def tell_dropped(name: str, number: int, newest: Sequence[Commit]) -> Iterator[str]:
    """How many commits a push drops, and the newest of them."""
    yield f"warning: {name} drops {count(number, 'commit')} of its history:"
    for commit in newest:
        yield f"  {tell_commit(commit)}"
    if number > len(newest):
        yield f"  … and {number - len(newest):,} more"


def tell_older(invalid: int, number: int, *, is_cut: bool) -> Iterator[str]:
    """How many of the commits below a new branch's tip could not be served; `is_cut`: not all were looked at."""
    yield f"warning: {invalid:,} of the {'last ' * is_cut}{count(number, 'commit')} before it {_is(invalid)} not valid"
    yield "what is not valid cannot be served"


def skip_older(number: int) -> str:
    """How many of the commits below a new branch's tip were not looked at."""
    return f"time is short: {count(number, 'commit')} before it {_is(number)} not looked at"


def tell_problems(refused: Sequence[tuple[Commit, Sequence[Problem]]]) -> Iterator[str]:
    """The problems by commit; one that stands unchanged in the next commit is not told again."""
    blocks: list[str] = []
    told: Counter[tuple[str, str, str]] = Counter()
    for commit, problems in refused:
        fresh = [*map(str, take_fresh(problems, told))]
        if fresh:
            fresh[0] = f"\ncommit {tell_commit(commit)}\n{fresh[0]}"
            blocks += fresh
    return shown(blocks)


def take_fresh(problems: Sequence[Problem], told: Counter[tuple[str, str, str]]) -> list[Problem]:
    """Those that are not told yet, wherever their lines stand; `told` has them afterwards."""
    here: Counter[tuple[str, str, str]] = Counter()
    fresh = []
    for problem in problems:
        key = (problem.path, problem.code, _OTHER_LINE.sub("", problem.message))
        here[key] += 1
        if here[key] > told[key]:
            fresh.append(problem)
    told |= here
    return fresh


def shown(blocks: Sequence[str]) -> Iterator[str]:
    """The first problems, and how many more."""
    yield from blocks[:SHOWN_PROBLEMS]
    if len(blocks) > SHOWN_PROBLEMS:
        yield f"… and {len(blocks) - SHOWN_PROBLEMS:,} more: location-policy check"


def how_to_mend(base: str, *, tip_only: bool) -> Iterator[str]:
    """What to type; `base` is the commit below the first that is refused."""
    yield ""
    yield "to mend it: correct the files, run location-policy check, then"
    if tip_only:
        yield "  git commit --all --amend --no-edit"
    else:
        yield "squash the correction into the commit that needs it:"
        yield f"  git rebase --interactive {base}"
    yield "and push again"


def tell_commit(commit: Commit) -> str:
    """A commit in a few words."""
    return f"{commit.id[:10]} {_short(commit.subject, _SUBJECT)} ({_short(commit.author, _AUTHOR)})"


def _short(text: str, limit: int) -> str:
    safe = escape(text[: limit + 1])
    return safe if len(safe) <= limit else f"{safe[: limit - 1]}…"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
