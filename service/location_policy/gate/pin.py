"""The pin: a commit that an editor holds in force for a while, whatever the branch names.

`refs/location-policy/pin` names an annotated tag of the commit (git-mktag). Its tagger is who holds it and since when,
its message the reason, and below that a line `Until:`. No push moves that ref. A pin that is ended by hand is replaced
by one that is over, which says by whom; the service then takes the ref away.

The copy of a remote can be lost. So the text of the tag is kept beside it too, and counts where the ref cannot be read.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ..errors import RepositoryError, TornPin, UnusablePin
from ..repository.new_commits import Author
from ..repository.remote import backup
from ..repository.remote.copy_path import is_mirror
from ..repository.repository import Repository
from ..text import escape, moment_text, without_secrets
from .ref_updates import PIN

LONGEST = timedelta(days=7)
"""How long a pin lasts at most: the branch is the truth, and a pin the way to a revert of it."""
REASON = 500
"""Characters of a reason."""
TAG_LIMIT = 4096
"""Bytes of a tag that is read: a larger one is not ours."""
LOGGED = "location-policy pin"
"""What the log of the ref says."""
ENDED = "unpinned"
"""The reason of a pin that is over from its first second."""
EVERY = 1_000_000
"""Commits that a branch has named which are looked through: all."""
TRIES = 5
"""Times that the ref is tried to be moved while others move it too."""

_NAME = 100
"""Characters of a name."""
_CRUD = re.compile(r"[<>\x00-\x1f\x7f]")
"""What git leaves out of a name, or does not take."""
_TAG = re.compile(
    r"object ([0-9a-f]{40}|[0-9a-f]{64})\ntype commit\ntag pin\ntagger ([^<>\n]+) <[^<>\n]*> (\d{1,10}) \+0000\n"
    r"\n([^\n]+)\n\nUntil: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\n"
)


class Pin(NamedTuple):
    """Which commit is held, by whom, since and until when (UTC, whole seconds), and why; `id` is that of its tag."""

    id: str
    commit: str
    by: str
    at: datetime
    until: datetime
    reason: str

    def is_over(self, moment: datetime) -> bool:
        """Has it ended by then?"""
        return moment >= self.until

    @property
    def is_ended_by_hand(self) -> bool:
        """Was it made to end another?"""
        return self.until == self.at

    def told(self) -> str:
        """It in a few words."""
        return f"{self.commit[:10]} is pinned until {moment_text(self.until)}"


def read_pin(repository: Repository) -> Pin | None:
    """What is kept, which may be over; None where nothing is. Raises UnusablePin."""
    tag = repository.named(PIN)
    if tag is None or not repository.has_object(tag):
        if kept := kept_beside(repository):
            return kept
        if not _is_anything(repository, tag):
            return None
        raise TornPin(f"{PIN} cannot be read: which commit it holds is lost", "pin it anew, or location-policy unpin")
    content = repository.tag(tag, TAG_LIMIT)
    found = _TAG.fullmatch(content.decode(errors="replace")) if content else None
    if found is None:
        raise UnusablePin(f"{PIN} names {tag[:10]}, which is no pin", "location-policy unpin takes it away")
    return _parse(tag, found)


def _is_anything(repository: Repository, tag: str | None) -> bool:
    """Is there anything where a pin is kept: at the ref, which names this tag, or beside the copy of a remote?"""
    if tag or repository.has_torn_ref(PIN):
        return True
    return is_mirror(repository.directory) and os.path.lexists(backup.pin_file(repository.directory))


def _parse(tag: str, found: re.Match[str]) -> Pin:
    """Raises UnusablePin."""
    commit, by, at, reason, until = found.groups()
    try:
        pin = Pin(tag, commit, by, datetime.fromtimestamp(int(at), UTC), datetime.fromisoformat(until), reason)
    except ValueError as error:  # a day that no month has
        raise UnusablePin(f"{PIN} names a pin of which the time cannot be read: {error}") from None
    if pin.until - pin.at > LONGEST:
        raise UnusablePin(f"{PIN} names a pin of more than {LONGEST.days} days", "pin it anew, for less")
    return pin._replace(by=_short(by, _NAME), reason=_short(reason, REASON))


def is_pin_kept(repository: Repository) -> bool:
    """Is there anything where a pin is kept?"""
    return _is_anything(repository, repository.named(PIN))


def kept_beside(repository: Repository) -> Pin | None:
    """What is kept beside the copy of a remote, which may be over; None where that is nothing, or no pin."""
    text = backup.read_pin_text(repository.directory, TAG_LIMIT) if is_mirror(repository.directory) else None
    if text and (found := _TAG.fullmatch(text.decode(errors="replace"))):
        with suppress(UnusablePin):
            return _parse(_tag_id(text, found[1]), found)
    return None


def keep_in_step(repository: Repository, pin: Pin) -> bool:
    """Let the ref of a copy and what is kept beside it both be this pin, which one of them is; was the ref made anew?

    Raises RepositoryError, and OSError.
    """
    if not is_mirror(repository.directory):
        return False
    tag, beside = repository.named(PIN), kept_beside(repository)
    if tag == pin.id and repository.has_object(tag):
        if beside != pin:
            backup.write_pin(repository.directory, repository.tag(tag, TAG_LIMIT) or b"")
        return False
    text = backup.read_pin_text(repository.directory, TAG_LIMIT)
    if beside != pin or text is None or not repository.has_commit(pin.commit):
        return False  # the ref would name what is not here, and git then takes the copy for damaged
    _move(repository, repository.make_tag(text.decode(errors="replace")), Author(pin.by, ""))
    return True


def remove_pin(repository: Repository, pin: Pin) -> None:
    """Take away a pin that is over; raises OSError, and RepositoryError where another is there by now."""
    tag = repository.named(PIN)
    is_lost = tag is None or not repository.has_object(tag)
    if is_mirror(repository.directory) and (tag == pin.id or (is_lost and kept_beside(repository) == pin)):
        backup.remove_pin(repository.directory)
        repository.remove_torn_ref(PIN)
    if tag:
        repository.delete_ref(PIN, tag if is_lost else pin.id)


def clear_pin(repository: Repository) -> None:
    """Take away what is no pin; raises RepositoryError, and OSError."""
    if is_mirror(repository.directory):
        backup.remove_pin(repository.directory)
    repository.remove_torn_ref(PIN)
    if unusable := repository.named(PIN):
        repository.delete_ref(PIN, unusable)


def pin_in_force(repository: Repository, moment: datetime) -> Pin | None:
    """The pin of this moment; None also where what is kept cannot be used."""
    try:
        pin = read_pin(repository)
    except UnusablePin:
        return None
    return pin if pin and not pin.is_over(moment) else None


def parse_reason(text: str) -> str:
    """A reason as it is kept: one line, without a secret of any URL in it; raises ValueError."""
    line = " ".join(without_secrets(text).split())
    if not line:
        raise ValueError("a reason is one line that says why")
    if len(line) > REASON:
        raise ValueError(f"a reason has at most {REASON} characters, not {len(line):,}")
    return escape(line)[:REASON]


def check_span(span: timedelta) -> timedelta:
    """The same; raises ValueError for one that is longer than a pin may last, or none."""
    if not timedelta(seconds=1) <= span <= LONGEST:
        raise ValueError(f"a pin lasts from 1 second to {LONGEST.days} days")
    return span


def keep_pin(repository: Repository, commit_id: str, author: Author, span: timedelta, reason: str) -> Pin:
    """Let this be the pin from now on, in the place of any other: of two at once the last one stands.

    Raises RepositoryError where it cannot be kept.
    """
    at = datetime.now(UTC).replace(microsecond=0)
    name = _CRUD.sub("", author.name).strip()[:_NAME].strip() or "unknown"
    email = _CRUD.sub("", author.email)[:_NAME]
    until = moment_text(at + span)
    head = f"object {commit_id}\ntype commit\ntag pin\ntagger {name} <{email}> {int(at.timestamp())} +0000\n"
    text = f"{head}\n{reason}\n\nUntil: {until}\n"
    is_copy = is_mirror(repository.directory)
    if is_copy and not repository.has_commit(commit_id):  # the copy was made anew, and the pin is ended
        tag = _tag_id(text.encode(errors="replace"), commit_id)
    else:
        tag = repository.make_tag(text)
        _move(repository, tag, Author(name, email))
        if not is_copy:
            return Pin(tag, commit_id, name, at, at + span, reason)
    try:
        backup.write_pin(repository.directory, text.encode(errors="replace"))
    except OSError as error:
        if repository.named(PIN) != tag:
            raise RepositoryError(f"{repository.directory.parent} cannot be written: {error.strerror}") from None
    return Pin(tag, commit_id, name, at, at + span, reason)


def _move(repository: Repository, tag: str, author: Author) -> None:
    """Let the ref name a tag, in the place of any other, and of what is none."""
    for left in reversed(range(TRIES)):
        with suppress(OSError):
            repository.remove_torn_ref(PIN)
        old = repository.named(PIN) or "0" * len(tag)
        try:
            repository.move_ref(PIN, tag, old, LOGGED, author)
        except RepositoryError:
            if not left:
                raise
        else:
            return


def _tag_id(text: bytes, commit_id: str) -> str:
    """The id of the tag that git makes of a text, in a repository of this commit (gitformat-pack, "Object types")."""
    make = hashlib.sha256 if len(commit_id) > 40 else hashlib.sha1
    return make(b"tag %d\0" % len(text) + text, usedforsecurity=False).hexdigest()


def was_named(repository: Repository, ref: str, commit_id: str) -> bool:
    """Has a branch named this commit, or may it have, before what its log knows?

    One that came below another is none: limits and owners judge where a push goes to, not what it goes through.
    """
    tip = repository.tip(ref)
    if tip is None:
        return False
    tips = [tip, *repository.tips(ref, tip, EVERY)]
    return commit_id in tips or repository.is_ancestor(commit_id, tips[-1])


def _short(text: str, longest: int) -> str:
    return escape(without_secrets(text))[:longest]
