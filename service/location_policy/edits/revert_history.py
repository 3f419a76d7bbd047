"""Which commits of a branch take others back: by what they say, or by what they do.

git writes `This reverts commit ID.` (git-revert), and a return of ours `This restores all that commit ID held`; the
line stays where another subject is given. A commit without one takes back its parent where its tree is that of the
commit before the parent, unless that parent is a revert: the mistake that is made again is no revert. Anyone can write
such a line, so it makes a second word be asked for, and decides nothing.
"""

from __future__ import annotations

import re
from itertools import islice, takewhile
from typing import NamedTuple

from ..config.commit import Commit
from ..repository.repository import Repository
from ..repository.revisions import LOOK_BACK

REVERTS = "This reverts commit "
RETURNS = "This restores all that commit "
EARLIER_RETURNS = "This brings back all that commit "
"""As version 0.1 has written it."""
STATEMENTS = 200
"""Such lines that are looked at, the newest: a message has room for thousands, and for each git is asked."""
_LINE = re.compile(rf"^({REVERTS}|{RETURNS}|{EARLIER_RETURNS})([0-9a-f]{{64}}|[0-9a-f]{{40}})\b", re.MULTILINE)


class Undone(NamedTuple):
    """The id of a commit that another takes back, or with `is_return` of the one that it goes back to."""

    commit: str
    is_return: bool


def undone_by(repository: Repository, commit: Commit) -> list[Undone]:
    """What a commit takes back, empty where it is no revert; only commits that the repository has."""
    if said := _said(repository, commit.id):
        return [one for one in said if repository.has_commit(one.commit)]
    line = [repository.commit(one) for one in repository.ancestors(commit.id, LOOK_BACK, first_parent=True)]
    run = [*takewhile(lambda three: _is_undone(*three), zip(line, line[1:], line[2:], strict=False))]
    is_revert = False
    for one, *_ in reversed(run):
        is_revert = not is_revert or bool(_said(repository, one.id))
    return [Undone(line[1].id, is_return=False)] if is_revert else []


def _said(repository: Repository, commit_id: str) -> list[Undone]:
    """What a message says that is taken back, there or not; the first of it."""
    lines = dict.fromkeys(_LINE.findall(repository.message(commit_id)))
    return [Undone(one, word != REVERTS) for word, one in islice(lines, STATEMENTS)]


def _is_undone(commit: Commit, parent: Commit, before: Commit) -> bool:
    return commit.tree == before.tree != parent.tree


def taken_back_by(repository: Repository, tip: Commit, commit: Commit) -> Commit | None:
    """The newest commit up to the tip that takes this one back, and is not taken back itself; None: it is in force.

    By its tree only the tip is known for a revert; by what they say, those of the newest `STATEMENTS` lines.
    """
    later = repository.saying(commit.id, tip.id, REVERTS, RETURNS, EARLIER_RETURNS)
    gone: dict[str, str] = {}
    left = STATEMENTS
    for by in dict.fromkeys([*[tip.id] * (tip.id != commit.id), *later]):
        if by in gone:
            continue
        found = (undone_by(repository, tip) if by == tip.id else _said(repository, by))[:left]
        for one in found:
            if repository.has_commit(one.commit):
                ids = repository.gained(one.commit, by) if one.is_return else [one.commit]
                gone = dict.fromkeys((each for each in ids if each != by), by) | gone
        left -= max(len(found), 1)
        if left <= 0:
            break
    return repository.commit(gone[commit.id]) if commit.id in gone else None
