"""The refs that a push moves, and what its pusher asks for besides (githooks, "pre-receive")."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

DRY_RUN = "refs/for/"
"""A push to `refs/for/main` asks what a push to main would do; no ref is made."""

RESERVED = ("refs/location-policy", "refs/notes/location-policy", "refs/notes/location-policy-aside")
"""Refs that the program writes itself, and all below them."""
PIN = "refs/location-policy/pin"
"""The one of these that holds a commit in force by hand."""

WrongName = Literal["reserved", "nested", "in-the-way", "replaces"]
"""Why no push may make or move a ref.

`reserved`: only the program writes it. `nested`: it has the whole name of another ref in its own, and git takes it for
that one where there is none (gitrevisions, "<refname>"). `in-the-way`: beside it there could be no ref that is served.
`replaces`: it shows another object in the place of one (git-replace).
"""

_UPDATE = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) (.+)")
_NESTED = re.compile(r"refs/(?:(?:heads|tags|remotes)/)?(?=refs/)")
"""What git puts before a name in order to find a ref."""
_FOLDERS = re.compile(r"(?:refs/(?:(?:heads|tags|remotes)/)?)+")


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

    @property
    def is_dry_run(self) -> bool:
        """Does it only ask?"""
        return self.ref.startswith(DRY_RUN)

    @property
    def asked_ref(self) -> str:
        """The ref that a dry run asks about, `refs/heads/main` for `refs/for/main`."""
        return f"refs/heads/{self.ref.removeprefix(DRY_RUN).removeprefix('refs/heads/')}"


def parse_updates(text: bytes) -> list[Update]:
    """The updates of a push, `old SP new SP ref LF` each; raises ValueError for anything else."""
    *lines, rest = text.decode(errors="surrogateescape").split("\n")
    updates = [_UPDATE.fullmatch(line) for line in lines]
    if rest or None in updates:
        raise ValueError("standard input is not `old new ref` in each line")
    return [Update(*update.groups()) for update in updates if update]


def push_options(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What the pusher gave with `git push -o`, in order."""
    count = environment.get("GIT_PUSH_OPTION_COUNT", "")
    numbers = range(int(count) if count.isdecimal() else 0)
    return tuple(environment.get(f"GIT_PUSH_OPTION_{number}", "") for number in numbers)


def stands_for(ref: str, aliases: Mapping[str, str]) -> str:
    """The ref that is moved when this one is; git follows five links at the most (refs.h, SYMREF_MAXDEPTH)."""
    for _ in range(5):
        ref = aliases.get(ref, ref)
    return ref


def wrong_name(ref: str, served: str) -> WrongName | None:
    """Why no push may make or move this ref beside the one that is served, if none may."""
    if f"{ref}/".startswith(tuple(f"{name}/" for name in RESERVED)):
        return "reserved"
    if ref == served:
        return None
    if _NESTED.match(ref):
        return "nested"
    if ref.startswith(f"{served}/") or served.startswith(f"{ref}/"):
        return "in-the-way"
    return "replaces" if ref.startswith("refs/replace/") else None


def nested_name(ref: str) -> str:
    """The ref that git can take a nested one for."""
    return _NESTED.sub("", ref, count=1)


def free_name(ref: str) -> str:
    """A name like that of a ref which is nested, or in the way, and is neither."""
    folder = "refs/tags/" if ref.startswith("refs/tags/") else "refs/heads/"
    name = _FOLDERS.sub("", ref, count=1)
    if _NESTED.match(ref):
        return folder + name
    return folder + (name.replace("/", "-") if "/" in name else f"{name}-1")
