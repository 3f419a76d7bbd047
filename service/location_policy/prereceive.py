"""Accept or refuse a push (githooks, "pre-receive").

What counts is what the served branch gains: every commit of `OLD..NEW` must be valid, and the tip's whole tree always,
so that a commit pushed to a side branch first is no way round. A branch that is new brings its history with it: its
tip must be valid, older commits are only counted. Nothing is written and no tree is built.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .errors import InvalidConfiguration
from .location_map import Gate
from .problems import Problem, count, errors_in, escape
from .repository import Commit, Entry, Repository, is_true

SHOWN_PROBLEMS = 50
"""Problems that are printed to the pusher; the rest is counted."""
SHOWN_DROPPED = 10
"""Commits that are named when a push drops history; the rest is counted."""
OLDER_COMMITS = 1_000
"""Commits below the tip of a new branch that are looked at for the warning."""

RESERVED = ("refs/location-policy", "refs/notes/location-policy")
"""Refs that the program writes itself, and all below them."""

_SUBJECT, _AUTHOR = 34, 14
"""Characters that are shown of a commit, so that git's `remote: ` leaves the line within 80 columns."""
_UPDATE = re.compile(r"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (.+)")
_OTHER_LINE = re.compile(r"(?<=\.csv):\d+")
"""The number of another line in a message: it may change while the problem stands."""


@dataclass(frozen=True, slots=True)
class Update:
    """One ref that a push moves; an id of zeros only means that the ref is made (old) or deleted (new)."""

    old: str
    new: str
    ref: str

    @property
    def creates(self) -> bool:
        """Is the ref new?"""
        return not self.old.strip("0")

    @property
    def deletes(self) -> bool:
        """Does the ref go?"""
        return not self.new.strip("0")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a push is taken, and what its pusher is told."""

    accepted: bool
    lines: tuple[str, ...] = ()


def parse_updates(text: bytes) -> list[Update]:
    """The updates of a push, `old SP new SP ref LF` each; raises ValueError for anything else."""
    *lines, rest = text.decode(errors="surrogateescape").split("\n")
    updates = [_UPDATE.fullmatch(line) for line in lines]
    if rest or None in updates:
        raise ValueError("standard input is not `old new ref` in each line")
    return [Update(*update.groups()) for update in updates if update]


def judge(updates: Sequence[Update], repository: Repository) -> Verdict:
    """Whether these updates may be made."""
    if not updates:  # git always names one: whoever has read standard input before us, we know nothing
        return Verdict(False, ("standard input names no ref, so nothing can be judged",))
    settings = repository.settings()
    served = repository.served_ref(settings)
    aliases = repository.symbolic_refs() if any(update.ref != served for update in updates) else {}
    lines: list[str] = []
    for update in updates:
        if f"{update.ref}/".startswith(tuple(f"{name}/" for name in RESERVED)):
            return Verdict(False, (f"{escape(update.ref)} is written by the program only",))
        if _stands_for(update.ref, aliases) == _stands_for(served, aliases):
            verdict = _Judge(repository, allows_rewind=is_true(settings.get("allownonfastforward"))).judge(update)
            if not verdict.accepted:
                return verdict
            lines += verdict.lines
    return Verdict(True, tuple(lines))


def _stands_for(ref: str, aliases: Mapping[str, str]) -> str:
    """The ref that is moved when this one is; git follows five links at the most (refs.h, SYMREF_MAXDEPTH)."""
    for _ in range(5):
        ref = aliases.get(ref, ref)
    return ref


class _Judge:
    """Judges one update of the served branch; equal configurations are judged once."""

    def __init__(self, repository: Repository, *, allows_rewind: bool) -> None:
        self._repository = repository
        self._allows_rewind = allows_rewind
        self._gate = Gate()
        self._problems: dict[tuple[Entry, ...], tuple[Problem, ...]] = {}

    def judge(self, update: Update) -> Verdict:
        name = escape(update.ref.removeprefix("refs/heads/"))
        if update.deletes:
            return Verdict(False, (f"{name} is the served branch and cannot be deleted",))
        if update.creates:
            return self._judge_new(name, update.new)
        rewinds = not self._repository.is_ancestor(update.old, update.new)
        if rewinds and not self._allows_rewind:
            return Verdict(False, tuple(_refuse_rewind(name)))
        told = [*self._tell_dropped(name, update)] if rewinds else []
        gained = self._repository.gained(update.old, update.new) or [update.new]
        verdict = self._judge_commits(name, gained, f"{gained[0][:10]}~" if rewinds else update.old[:10])
        return Verdict(verdict.accepted, (*told, *verdict.lines))

    def _judge_new(self, name: str, tip: str) -> Verdict:
        verdict = self._judge_commits(name, [tip], "--root")
        if not verdict.accepted:
            return verdict
        older = self._repository.ancestors(tip, OLDER_COMMITS + 1)[1:]
        invalid = sum(1 for commit_id in reversed(older) if errors_in(self._judge_commit(self._commit(commit_id), ())))
        if not invalid:
            return verdict
        last = "last " * (len(older) == OLDER_COMMITS)
        of = f"{invalid:,} of the {last}{count(len(older), 'commit')} before it {_is(invalid)} not valid"
        return Verdict(True, (*verdict.lines, f"warning: {of}", "what is not valid cannot be served"))

    def _judge_commits(self, name: str, commit_ids: Sequence[str], base: str) -> Verdict:
        """The verdict on these commits on top of `base`, oldest first, of which the last is the tip."""
        refused: list[tuple[Commit, tuple[Problem, ...]]] = []
        problems: tuple[Problem, ...] = ()
        tip = self._repository.entries(self._commit(commit_ids[-1]))
        for commit_id in commit_ids:
            commit = self._commit(commit_id)
            problems = self._judge_commit(commit, tip)
            if errors_in(problems):
                refused.append((commit, errors_in(problems)))
        if not refused:
            return Verdict(True, tuple(_shown([str(problem) for problem in problems])))
        tip_only = refused[0][0].id == commit_ids[-1]
        head = (
            f"{name} is refused: {len(refused):,} of {count(len(commit_ids), 'commit')} {_is(len(refused))} not valid"
        )
        return Verdict(False, (head, *_tell_problems(refused), "", *_how_to_mend(tip_only, base)))

    def _commit(self, commit_id: str) -> Commit:
        return self._repository.commit(commit_id)

    def _judge_commit(self, commit: Commit, tip: tuple[Entry, ...]) -> tuple[Problem, ...]:
        """What is wrong with a commit; warnings are looked for only in what is the tip's, as no others are told."""
        entries = self._repository.entries(commit)
        if entries not in self._problems:
            try:
                files = self._repository.files(entries, self._gate.knows)
                self._problems[entries] = self._gate.load_map(files, errors_only=entries != tip).warnings
            except InvalidConfiguration as error:
                self._problems[entries] = error.problems
        return self._problems[entries]

    def _tell_dropped(self, name: str, update: Update) -> Iterator[str]:
        dropped = self._repository.gained(update.new, update.old)
        yield f"warning: {name} drops {count(len(dropped), 'commit')} of its history:"
        for commit_id in dropped[: -SHOWN_DROPPED - 1 : -1]:
            yield _tell_commit(self._commit(commit_id))
        if len(dropped) > SHOWN_DROPPED:
            yield f"  … and {len(dropped) - SHOWN_DROPPED:,} more"


def _tell_problems(refused: Sequence[tuple[Commit, Sequence[Problem]]]) -> Iterator[str]:
    """The problems by commit; one that stands unchanged in the next commit is not told again."""
    blocks: list[str] = []
    told: Counter[tuple[str, str, str]] = Counter()
    for commit, problems in refused:
        here: Counter[tuple[str, str, str]] = Counter()
        fresh = []
        for problem in problems:
            key = (problem.path, problem.code, _OTHER_LINE.sub("", problem.message))
            here[key] += 1
            if here[key] > told[key]:
                fresh.append(str(problem))
        told |= here
        if fresh:
            fresh[0] = f"\ncommit {_tell_commit(commit).strip()}\n{fresh[0]}"
            blocks += fresh
    return _shown(blocks)


def _shown(blocks: Sequence[str]) -> Iterator[str]:
    yield from blocks[:SHOWN_PROBLEMS]
    if len(blocks) > SHOWN_PROBLEMS:
        yield f"… and {len(blocks) - SHOWN_PROBLEMS:,} more: location-policy check"


def _tell_commit(commit: Commit) -> str:
    return f"  {commit.id[:10]} {_short(commit.subject, _SUBJECT)} ({_short(commit.author, _AUTHOR)})"


def _short(text: str, limit: int) -> str:
    safe = escape(text[: limit + 1])
    return safe if len(safe) <= limit else f"{safe[: limit - 1]}…"


def _how_to_mend(tip_only: bool, base: str) -> Iterator[str]:
    yield "to mend it: correct the files, run location-policy check, then"
    if tip_only:
        yield "  git commit --all --amend --no-edit"
    else:
        yield "squash the correction into the commit that needs it:"
        yield f"  git rebase --interactive {base}"
    yield "and push again"


def _refuse_rewind(name: str) -> Iterator[str]:
    yield f"{name} is refused: the push would drop commits that {name} has"
    yield "  hint: to undo a change, git revert it; to keep both, git pull --rebase"
    yield "  hint: git config location-policy.allowNonFastForward true"
    yield "        in the repository allows it"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
