"""No series of pushes goes round what one push of the same change would meet: a limit, an owner, an expectation, a
signature.

Each series is random, and each push of it is judged as the hook judges it, in a real repository. Whether it had to be
taken is said by a slow, obvious count over a small model of a map: 120 subnets, who owns them and what is expected.
"""

from __future__ import annotations

import hashlib
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest

from location_policy.gate.judgement import Judge
from location_policy.gate.ref_updates import Update
from location_policy.gate.verdict import Move
from location_policy.repository.repository import Repository, open_pushed_repository
from tests.support.repositories import GOOD, git, make_repository
from tests.support.signing import SshKey, needs_ssh, require

SUBNETS = 120
FEWEST = 100
"""Subnets from which limits hold."""
OWNERS = ("a", "b", "c")

_WHO = b"Alice <alice@example.com> 1700000000 +0000"

Row = tuple[str, ...]
"""A location and its overflow locations."""


@dataclass(frozen=True)
class Content:
    """All that a commit says. A subnet is a number; `expected` has its location, `owned` the owner of eight."""

    rows: tuple[Row | None, ...]
    limit: int | None = 25
    removal: int | None = 10
    approval: str = "error"
    host_bits: str = "error"
    known: bool = True
    overflow: str = "pair"
    default: str | None = None
    expected: frozenset[tuple[int, str]] = frozenset()
    owned: tuple[str | None, ...] = (None,) * (SUBNETS // 8)

    def files(self) -> dict[str, str]:
        """As they are committed."""
        limits = {"changed-addresses": self.limit, "removed-subnets": self.removal}
        policy = [
            *(["[locations]", 'known = ["X", "Y", "Z"]'] if self.known else []),
            *("[answer]", f'overflow = "{self.overflow}"', *([f'default = "{self.default}"'] if self.default else [])),
            *("[checks]", f'owner-approval = "{self.approval}"', f'host-bits = "{self.host_bits}"'),
            *("[limits]", *(f'{name} = "{limit}%"' for name, limit in limits.items() if limit is not None)),
        ]
        owned = (f"10.0.{8 * number}.0/21,{owner}" for number, owner in enumerate(self.owned) if owner)
        return {
            "locations.csv": _lines(
                f"{','.join(row)},10.0.{number}.0/24" for number, row in enumerate(self.rows) if row
            ),
            "policy.toml": _lines(policy),
            "expectations.csv": _lines(f"10.0.{number}.0/24,{location}" for number, location in sorted(self.expected)),
            "owners.csv": _lines(owned),
        }

    def owner(self, number: int) -> str | None:
        """Whose a subnet is."""
        return self.owned[number // 8]

    def answer(self, number: int) -> tuple[object, ...]:
        """What an address of a subnet gets."""
        row = self.rows[number] or ((self.default,) if self.default else ())
        return (*row, self.overflow) if len(row) > 1 else row

    @property
    def size(self) -> int:
        """How many rows there are."""
        return SUBNETS - self.rows.count(None)

    @property
    def serves(self) -> tuple[object, ...]:
        """What is the same again where a push goes back."""
        return (
            self.rows,
            self.limit,
            self.removal,
            self.approval,
            self.host_bits,
            self.known,
            self.overflow,
            self.default,
        )

    def is_valid(self) -> bool:
        """Is every expectation kept?"""
        return self.size > 0 and all(self.answer(number)[:1] == (location,) for number, location in self.expected)


def _lines(lines: Iterator[str] | Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


# --- what must be so ---


def is_over(old: Content, new: Content) -> bool:
    """Does going from one to the other exceed what the old one allows, or loosen that?"""
    limits = [Fraction(100 if limit is None else limit, 100) for limit in (old.limit, old.removal)]
    if old.size < FEWEST or min(limits) == 1:
        return False
    rows = [number for number, row in enumerate(old.rows) if row]
    changed = sum(old.answer(number) != new.answer(number) for number in rows)
    gone = sum(new.rows[number] is None for number in rows)
    is_default_other = old.default != new.default and limits[0] < 1
    is_large = changed > limits[0] * len(rows) or gone > limits[1] * len(rows) or is_default_other
    loosens = (
        ((new.limit is None or old.limit is None or new.limit > old.limit) and old.limit not in (None, 100))
        or (
            (new.removal is None or old.removal is None or new.removal > old.removal) and old.removal not in (None, 100)
        )
        or (old.host_bits, new.host_bits) == ("error", "warning")
        or (old.known and not new.known)
        or not old.expected <= new.expected
        or new.size < FEWEST
    )
    return is_large or loosens


def asked(old: Content, new: Content) -> set[str]:
    """The owners without whose word it is not taken."""
    if old.approval != "error":
        return set()
    if new.approval != "error" or (old.overflow, old.default) != (new.overflow, new.default):
        return {owner for owner in old.owned if owner}
    touched = (n for n in range(SUBNETS) if old.answer(n) != new.answer(n) or old.owner(n) != new.owner(n))
    return {owner for number in touched if (owner := old.owner(number))}


def must_be_taken(served: Sequence[Content], new: Content, approved: set[str], *, has_reason: bool) -> bool:
    """Is a push taken that leaves the branch at `new`, after it was at these, the last one now?"""
    old = served[-1]
    is_return = any(one.serves == new.serves and one.expected <= new.expected for one in served)
    words = set() if is_return and old.owned == new.owned else asked(old, new)
    return new.is_valid() and (has_reason or is_return or not is_over(old, new)) and words <= approved


# --- random series ---


def start(chosen: random.Random) -> Content:
    """What a branch begins with."""
    rows: list[Row | None] = [chosen.choice([("X",), ("Y",), ("X", "Y")]) for _ in range(SUBNETS)]
    rows[100:] = [row if chosen.random() < 0.8 else None for row in rows[100:]]
    known = Content(tuple(rows))
    return replace(
        known,
        limit=chosen.choice([25, 25, 50, 100, None]),
        removal=chosen.choice([10, 10, None]),
        approval=chosen.choice(["error", "warning"]),
        expected=frozenset(
            (number, row[0]) for number in chosen.sample(range(SUBNETS), 3) if (row := known.rows[number])
        ),
        owned=tuple(chosen.choice([None, None, *OWNERS]) for _ in known.owned),
    )


def moved(chosen: random.Random, content: Content, share: float) -> Content:
    """The same with other answers for about this share of subnets that nothing is expected of, mostly."""
    held = {number for number, _ in content.expected} if chosen.random() < 0.9 else set()
    to = chosen.choice([("Z",), ("Z", "X"), ("Y",), None])
    rows = (to if number not in held and chosen.random() < share else row for number, row in enumerate(content.rows))
    return replace(content, rows=tuple(rows))


def changed(chosen: random.Random, content: Content) -> Content:
    """The same with one thing changed."""
    match chosen.randrange(12):
        case 0 | 1 | 2:
            return moved(chosen, content, chosen.choice([0.05, 0.1, 0.2]))
        case 3 | 4:
            return moved(chosen, content, chosen.choice([0.4, 0.95]))
        case 5:
            return replace(content, limit=chosen.choice([10, 25, 50, 100, None]))
        case 6:
            return replace(content, removal=chosen.choice([5, 10, 30, None]))
        case 7:
            return replace(content, approval=chosen.choice(["error", "warning"]))
        case 8:
            return replace(content, host_bits=chosen.choice(["error", "warning"]), known=chosen.random() < 0.5)
        case 9:
            kept = (one for one in sorted(content.expected) if chosen.random() < 0.5)
            return replace(content, expected=frozenset(kept))
        case 10:
            return replace(content, owned=tuple(chosen.choice([one, one, one, "c"]) for one in content.owned))
        case _:
            overflow, default = chosen.choice(["pair", "list"]), chosen.choice([None, "X", "Y"])
            return replace(content, overflow=overflow, default=default)


class LooseObjects:
    """Writes commits into one repository (gitrepository-layout, "objects"), without a process for each.

    An object is written once. Files stand at the top of a tree.
    """

    def __init__(self, repository: Path) -> None:
        self._objects = repository / "objects"
        self._written: set[str] = set()

    def commit(self, files: Mapping[str, str], parents: Sequence[str], message: str) -> str:
        """The id of a commit that no ref names."""
        behind = b"".join(b"parent %b\n" % parent.encode() for parent in parents)
        head = b"tree %b\n%bauthor %b\ncommitter %b\n\n" % (self._tree(files).encode(), behind, _WHO, _WHO)
        return self._write(b"commit", head + message.encode() + b"\n")

    def _tree(self, files: Mapping[str, str]) -> str:
        entries = ((name, self._write(b"blob", content.encode())) for name, content in sorted(files.items()))
        return self._write(
            b"tree", b"".join(b"100644 %b\0%b" % (name.encode(), bytes.fromhex(blob)) for name, blob in entries)
        )

    def _write(self, kind: bytes, content: bytes) -> str:
        whole = b"%b %d\0%b" % (kind, len(content), content)
        name = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        if name not in self._written:
            path = self._objects / name[:2] / name[2:]
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(whole, 1))
            self._written.add(name)
        return name


class Series:
    """A branch of one repository, the contents that it has served, and every commit that was ever pushed to it."""

    def __init__(self, repository: Repository, chosen: random.Random, branch: str, key: SshKey | None = None) -> None:
        self.repository = repository
        self.objects = LooseObjects(repository.directory)
        self.chosen = chosen
        self.branch = branch
        self.key = key
        self.settings = repository.settings() if key else {}
        self.is_signed = True
        """Is every commit of the push that is made?"""
        self.served = [start(chosen)]
        self.all = [*self.served]
        self.tip = self.commit(self.served[0], [], "Start")
        self.move()

    def move(self) -> None:
        """The branch goes to the tip."""
        git("update-ref", "--create-reflog", self.branch, self.tip, cwd=self.repository.directory)

    def push(self) -> tuple[Move, bool]:
        """The verdict on one random push, and whether it had to be taken; if it is, the branch has moved."""
        old, content, tip = self.tip, self.served[-1], self.tip
        approved = {owner for owner in OWNERS if self.chosen.random() < 0.25}
        words = "\n".join(["Change", "", *(f"Approved-by: {owner}" for owner in sorted(approved))])
        options = ["allow-large-change=we mean it"] * (self.chosen.random() < 0.15)
        self.is_signed, below = True, []
        for _ in range(self.chosen.choice([1, 1, 2, 3])):
            content = self.next_content(content)
            below.append(content)
            tip = self.commit(content, self.parents(tip, content), words)
        found = self.judge(Update(old, tip, self.branch), options)
        is_right = self.is_signed and all(one.is_valid() for one in below)
        is_right = is_right and must_be_taken(self.served, content, approved, has_reason=bool(options))
        self.all += below
        if found.accepted:
            self.tip = tip
            self.served.append(content)
            self.move()
        return found, is_right

    def next_content(self, content: Content) -> Content:
        """A change, one after another, or what some commit held, be it served or not."""
        if self.chosen.random() < 0.4:
            return self.chosen.choice(self.all)
        for _ in range(self.chosen.choice([1, 1, 2])):
            content = changed(self.chosen, content)
        return content

    def parents(self, tip: str, content: Content) -> list[str]:
        """The tip; or it and a commit beside it that has the same content or another one, in either order."""
        if self.chosen.random() < 0.6:
            return [tip]
        beside = content if content.is_valid() and self.chosen.random() < 0.5 else self.served[0]
        parents = [tip, self.commit(beside, [tip], "Beside")]
        self.chosen.shuffle(parents)
        return parents

    def commit(self, content: Content, parents: Sequence[str], message: str) -> str:
        """The id of a commit; where there is a key, it is signed, mostly."""
        made = self.objects.commit(content.files(), parents, message)
        if self.key is None:
            return made
        if self.chosen.random() < 0.2:
            self.is_signed = False
            return made
        behind = [f"-p{parent}" for parent in parents]
        tree, place = f"{made}^{{tree}}", self.repository.directory
        return git("commit-tree", "-S", tree, *behind, "-m", message, cwd=place, **self.key.signs)

    def judge(self, update: Update, options: Sequence[str]) -> Move:
        """The verdict, as the hook finds it."""
        judge = Judge(
            *(self.repository, options, lambda: False, self.settings),
            branch=self.branch,
            pusher="alice",
            allows_rewind=False,
        )
        return judge.judge(update)


def outcomes(place: Path, seed: object, series: int, key: SshKey | None = None) -> set[tuple[bool, bool]]:
    """Of so many series, what there was: whether a push was taken, and whether it went back."""
    found = set()
    with open_pushed_repository(place) as repository:
        for number in range(series):
            one = Series(repository, random.Random(f"{seed}/{number}"), f"refs/heads/{seed}/{number}", key)
            for _ in range(one.chosen.choice([2, 3, 4])):
                move, is_right = one.push()
                assert move.accepted == is_right, (seed, number, one.served[-2:], one.all[-1], move)
                found.add((is_right, bool(move.effect and move.effect.returns_to)))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_no_series_of_pushes_goes_round_what_one_push_meets(tmp_path: Path, seed: int) -> None:
    found = outcomes(make_repository(tmp_path / "map.git", GOOD), seed, 50)
    assert found >= {(True, True), (True, False), (False, False)}


@needs_ssh
def test_no_series_of_pushes_goes_round_a_signature(tmp_path: Path, alice: SshKey, signers: Path) -> None:
    place = make_repository(tmp_path / "map.git", GOOD)
    require(place, "all", allowedSigners=signers)
    assert (True, False) in outcomes(place, "signed", 10, alice)
