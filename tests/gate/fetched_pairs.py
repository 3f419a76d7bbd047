"""Random changes of a map, each pushed and fetched: is the verdict the same?

    python tests/gate/fetched_pairs.py [--pairs 1000] [--seed 1] [--hook]

Each pair is a map with limits, owners, expectations and signed commits, and a change of it. It is judged as a push to a
repository of ours, with `--hook` by a real `git push` through the real hook, and as a fetch, by a process that follows
a remote which already has it. What is taken is the old map of the next pair. How many pairs came to which verdict is
printed; the exit status is 1 where two differ.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from location_policy.gate.pre_receive import judge
from location_policy.gate.ref_updates import Update
from location_policy.gate.verdict import Move
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.repository import open_pushed_repository
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState
from tests.support.repositories import force_commit, git, init, run_git, tip
from tests.support.signing import SshKey, make_ssh_key

CITIES = ("Sydney", "Perth", "Oslo", "Lima")
OWNERS = ("ann@example.com", "bob@example.com")
ROWS = 130
"""Limits are held from 100 rows on."""

Map = dict[str, str]


class Pair(NamedTuple):
    """What became of one change: the verdict on its push, and whether a fetch of it was taken; with their codes."""

    pushed: bool
    fetched: bool
    why_pushed: frozenset[str]
    why_fetched: frozenset[str]
    kind: str

    @property
    def is_same(self) -> bool:
        return (self.pushed, self.why_pushed) == (self.fetched, self.why_fetched)


def begin(chosen: random.Random) -> Map:
    """A map under every rule that a push can be held to."""
    rows = "".join(f"{chosen.choice(CITIES)},10.1.{at}.0/24\n" for at in range(ROWS))
    return {
        "locations.csv": rows,
        "policy.toml": _rules("30%", "10%", "error"),
        "owners.csv": f"10.1.0.0/18,{OWNERS[0]}\n10.1.64.0/18,{OWNERS[1]}\n",
        "expectations.csv": "",
    }


def _rules(changed: str, removed: str, approval: str) -> str:
    limits = f'[limits]\nchanged-addresses = "{changed}"\nremoved-subnets = "{removed}"\n' if changed else ""
    return f'{limits}[checks]\nowner-approval = "{approval}"\n'


def change(chosen: random.Random, old: Map, past: list[Map]) -> tuple[Map, str]:
    """Another map, and the message of its commit."""
    new = dict(old)
    for _ in range(chosen.choice((1, 1, 1, 2))):
        _change(chosen, new, past)
    trailers = [f"Approved-by: {owner}" for owner in OWNERS if chosen.random() < 0.7]
    trailers += ["Allow-Large-Change: it is meant"] * (chosen.random() < 0.3)
    return new, "\n\n".join(filter(None, ["Change the map", "\n".join(trailers)]))


def _change(chosen: random.Random, new: Map, past: list[Map]) -> None:
    rows = new["locations.csv"].splitlines(keepends=True)
    some = set(chosen.sample(range(len(rows)), round(len(rows) * chosen.choice((0.01, 0.05, 0.2, 0.5)))))
    match chosen.choice(
        ("move", "move", "move", "remove", "add", "break", "rules", "owners", "expect", "back", "back")
    ):
        case "move":
            rows = [
                f"{chosen.choice(CITIES)},{row.partition(',')[2]}" if at in some else row for at, row in enumerate(rows)
            ]
        case "remove":
            rows = [row for at, row in enumerate(rows) if at not in some] if len(rows) > 105 else rows[:-1]
        case "add":
            rows += [f"{chosen.choice(CITIES)},10.2.{at}.0/24\n" for at in some if f"10.2.{at}.0" not in "".join(rows)]
        case "break":
            rows[0] = chosen.choice(("Sydney,10.1.0.1/24\n", "Sydney\n", "=Sydney,10.1.0.0/24\n", rows[1]))
        case "rules":
            new["policy.toml"] = _rules(
                *chosen.choice((("30%", "10%"), ("50%", "10%"), ("10%", "5%"), ("", ""))), "error"
            )
            if chosen.random() < 0.2:
                new["policy.toml"] = new["policy.toml"].replace('"error"', '"warning"')
        case "owners":
            new["owners.csv"] = f"10.1.0.0/{chosen.choice((17, 18, 20))},{chosen.choice(OWNERS)}\n"
        case "expect":
            new["expectations.csv"] = chosen.choice(("", f"10.1.0.7,{chosen.choice(CITIES)},as agreed\n"))
        case "back":
            new.update(chosen.choice(past))
            return
    new["locations.csv"] = "".join(rows)


def pairs(folder: Path, number: int, seed: int, signers: tuple[SshKey, SshKey] | None, *, hook: bool) -> Iterator[Pair]:
    """So many, one after the other; of the keys only the first is listed."""
    chosen = random.Random(seed)
    first = begin(chosen)
    own, forge = init(folder / "own.git", "--empty"), init(folder / "forge.git", "--empty")
    (forge / "hooks" / "pre-receive").unlink()
    start = force_commit(forge, first)
    git("fetch", "--quiet", forge, "main:main", cwd=own)
    settings = {}
    if signers:
        (folder / "signers").write_text(signers[0].line())
        settings = {"requireSignatures": "all", "allowedSigners": str(folder / "signers")}
        start = _signed(forge, start, (), signers[0])
        git("update-ref", "refs/heads/main", start, cwd=forge)
        git("fetch", "--quiet", forge, "+main:main", cwd=own)
        for key, value in settings.items():
            git("config", f"location-policy.{key}", value, cwd=own)
    mirror = Mirror(
        forge.as_uri(),
        folder / "state",
        None,
        interval=0,
        settings={f"location-policy.{key}": value for key, value in settings.items()},
    )
    mirror.make()
    active = ActiveState()
    refresher = Refresher(mirror.directory, active, folder / "state", mirror)
    refresher.look()
    assert active.state.name == "in-sync", active.state
    old, past = first, [first]
    for at in range(number):
        before = tip(forge)
        new, message = change(chosen, old, past)
        after = _commits(chosen, forge, before, new, f"{at} {message}", signers)
        update = Update(before, after, "refs/heads/main")
        git("update-ref", "refs/heads/main", before, cwd=forge)
        pushed, why_pushed, kind = _push(own, forge, update, hook=hook)
        git("update-ref", "refs/heads/main", after, cwd=forge)
        refresher.look()
        fetched = tip(mirror.directory) == after
        failure = active.state.failure
        assert (active.state.name, failure is None) == (("in-sync", True) if fetched else ("rejected", False)), failure
        codes = {problem.code for problem in failure.problems} if failure else set()
        if failure and "not signed by" in failure.message:
            codes.add("not-signed")
        yield Pair(pushed, fetched, why_pushed, frozenset(codes), kind)
        if pushed:
            old, past = new, [*past[-4:], new]
        else:
            git("update-ref", "refs/heads/main", before, cwd=forge)


def _commits(
    chosen: random.Random, forge: Path, before: str, new: Map, message: str, signers: tuple[SshKey, SshKey] | None
) -> str:
    """The last of one commit or two; the first of two says nothing new, and may not be signed."""
    git("update-ref", "refs/heads/side", before, cwd=forge)
    parents, after = (before,), before
    for is_last in chosen.choice(((True,), (True,), (False, True))):
        if is_last:
            made = force_commit(forge, new, "refs/heads/side", message)
        else:
            made = git("commit-tree", f"{before}^{{tree}}", "-p", before, "-m", "Say nothing", cwd=forge)
            git("update-ref", "refs/heads/side", made, cwd=forge)
        key = chosen.choices((*(signers or (None, None)), None), (12, 1, 1))[0]
        after = _signed(forge, made, parents, key) if key else made
        git("update-ref", "refs/heads/side", after, cwd=forge)
        parents = (after,)
    return after


def _signed(place: Path, commit: str, parents: tuple[str, ...], key: SshKey) -> str:
    """The same commit with a signature."""
    message = git("log", "-1", "--format=%B", commit, cwd=place)
    behind = [f"-p{parent}" for parent in parents]
    return git("commit-tree", "-S", f"{commit}^{{tree}}", *behind, "-m", message, cwd=place, **key.signs)


def _push(own: Path, forge: Path, update: Update, *, hook: bool) -> tuple[bool, frozenset[str], str]:
    """Is the push taken, which codes are against it, and what it is an example of."""
    run_git("fetch", "--quiet", forge, f"{update.new}:refs/heads/asked", "--force", cwd=own)
    with open_pushed_repository(own) as repository:
        (move,) = judge([update], repository, pusher="nobody").moves
    if hook:
        done = run_git("push", own, f"{update.new}:refs/heads/main", cwd=forge)
        assert (done.returncode == 0) is move.accepted, done.stderr
    elif move.accepted:
        git("update-ref", "refs/heads/main", update.new, cwd=own)
    return move.accepted, frozenset(_codes(move)), _kind(move)


def _codes(move: Move) -> Iterator[str]:
    if move.invalid:
        yield from (problem.code for one in move.invalid for problem in one.errors)
    elif move.effect:
        if move.is_too_large:
            yield from (one.rule if one.loosens else f"limits.{one.rule}" for one in move.effect.excess)
        if move.lacks_approval:
            yield "owner-approval"
    if move.signatures and not move.signatures.accepted:
        yield "not-signed"


def _kind(move: Move) -> str:
    if move.invalid:
        return "not valid"
    if move.signatures and not move.signatures.accepted:
        return "not signed"
    if move.is_too_large:
        return "too large"
    if move.lacks_approval:
        return "not approved"
    if move.reason and move.effect and move.effect.excess:
        return "overridden"
    return "back" if move.effect and move.effect.returns_to else "taken"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hook", action="store_true", help="push through the real hook")
    arguments = parser.parse_args()
    logging.disable()  # of each pair that is refused
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = make_ssh_key(folder, "alice"), make_ssh_key(folder, "eve")
        found = list(pairs(folder, arguments.pairs, arguments.seed, keys, hook=arguments.hook))
    for kind, number in Counter(one.kind for one in found).most_common():
        print(f"{number:>5,} {kind}")
    same = sum(one.is_same for one in found)
    print(f"{same:,} of {len(found):,} alike")
    for one in found:
        if not one.is_same:
            print(one)
    return 0 if same == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
