"""Credentials checked: who a client is, by a name and a password, at the price of a hash only once.

What was found right is remembered under a keyed digest of the header, until the user's line in the file changes; what
was found wrong until any does, so that a node with an old password costs no hash with each call.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from ..net.client_networks import networks, own_networks
from ..text import quote
from .basic_auth import Basic, parse_basic
from .hash_pool import HashPool
from .htpasswd import Users, read_htpasswd
from .known_clients import KnownClients
from .roles import EVERYONE, Role, read_roles
from .throttle import LONGEST, Throttle
from .watched_file import WatchedFile

REMEMBERED = 4096
"""Headers that are remembered of each kind; the oldest makes room."""
NAMED = 10
"""Users that one line of the log names; the rest is counted."""
PATIENCE = 4.0
"""Seconds that a client waits for a hash: a node waits for five."""


log = logging.getLogger(__name__)


class TooBusy(Exception):
    """There is no room, or no time, for one hash more."""


@dataclass(slots=True)
class _Known:
    """What is remembered while a file is in force."""

    users: Users
    right: dict[bytes, str] = field(default_factory=dict)
    wrong: dict[bytes, None] = field(default_factory=dict)
    asked: dict[tuple[bytes, bool], asyncio.Future[bool | None]] = field(default_factory=dict)


class Credentials:
    """The users of an htpasswd file; for one event loop, but for `look`."""

    def __init__(self, htpasswd: Path, strangers: HashPool | None = None) -> None:
        self._file = WatchedFile(htpasswd, read_htpasswd)
        self.look = self._file.look
        self._failures = Throttle()
        self._waiting: Counter[str] = Counter()
        self._strangers = strangers or HashPool()
        self._of_known = HashPool()
        self._known = _Known(self._file.value)
        self._key = secrets.token_bytes(32)
        self.clients = KnownClients()

    @property
    def users(self) -> frozenset[str]:
        """The names of all users."""
        return frozenset(self._file.value.hashes)

    def remembered(self, header: bytes) -> str | None:
        """The user of an `Authorization` header that was found right before."""
        return self._present().right.get(self._digest(header))

    async def user_of(self, header: bytes, address: str) -> tuple[str | None, float]:
        """The user of a header, or None and the seconds that this answer is to be held back.

        Raises ValueError when it is none of ours, TooBusy when it cannot be found out now.
        """
        claim = parse_basic(header)
        known, digest = self._present(), self._digest(header)
        if digest not in known.right and digest not in known.wrong:
            await self._find_out(known, digest, claim, address)
        if digest in known.right:
            self._failures.forgive(address, claim.user)
            self.clients.add(address)
            return claim.user, 0.0
        if digest not in known.wrong:
            raise TooBusy
        return None, self._failures.add(address, claim.user)

    def _present(self) -> _Known:
        users = self._file.value
        before = self._known
        if before.users is not users:
            hashes, old = users.hashes, before.users.hashes
            kept = {digest: user for digest, user in before.right.items() if hashes.get(user) == old[user]}
            self._known = _Known(users, kept)
        return self._known

    def _digest(self, header: bytes) -> bytes:
        return blake2b(header, digest_size=32, key=self._key).digest()

    async def _find_out(self, known: _Known, digest: bytes, claim: Basic, address: str) -> None:
        """Hash, or wait for the hash of the same header; without room or time nothing is found out.

        An address that has failed waits for its turn. Clients that were known before have a queue of their own, so
        that strangers take nothing from them. In each, one that has failed, or waits already, stands further back, and
        of others those in whose network it was: what was not seen to fail stands before a flood.
        """
        is_known = address in self.clients
        line = self._of_known if is_known else self._strangers
        asked = digest, is_known
        if asked not in known.asked:
            seconds = self._failures.turn(address)
            if seconds > LONGEST:
                return
            if seconds:
                await asyncio.sleep(seconds)
        if asked not in known.asked:  # another connection may have asked meanwhile
            around = networks(address)
            failed = self._failures.around(address)
            rank = tuple(count + self._waiting[network] for count, network in zip(failed, around, strict=True))
            self._waiting.update(own_networks(address))
            done = line.put(lambda: known.users.know(claim.user, claim.passwords), rank)
            known.asked[asked] = done
            done.add_done_callback(lambda done: self._note(known, asked, claim.user, address, done.result()))
        done = known.asked[asked]
        await asyncio.wait([done], timeout=PATIENCE)
        if not done.done():
            line.withdraw(done)

    def _note(self, known: _Known, asked: tuple[bytes, bool], user: str, address: str, is_right: bool | None) -> None:
        del known.asked[asked]
        self._waiting -= Counter(own_networks(address))  # what is down to 0 goes
        if is_right:
            known.right[asked[0]] = user
        elif is_right is False:
            known.wrong[asked[0]] = None
        for remembered in (known.right, known.wrong):
            if len(remembered) > REMEMBERED:
                del remembered[next(iter(remembered))]


class RolesWithoutPassword:
    """Warns of those who have roles and no password: a name that is misspelt, or a user who has gone."""

    def __init__(self, credentials: Credentials, roles: Roles) -> None:
        self._credentials = credentials
        self._roles = roles
        self._told: frozenset[str] = frozenset()

    def look(self, *, asked: bool = False) -> None:
        """Name those who are not named yet; when `asked` to, all of them."""
        found = self._roles.named - self._credentials.users
        if new := sorted(found if asked else found - self._told):
            more = f" and {len(new) - NAMED:,} more" * (len(new) > NAMED)
            log.warning("roles but no password: %s%s", ", ".join(map(quote, new[:NAMED])), more)
        self._told = found


class Roles:
    """What each user may do, by a file if there is one."""

    def __init__(self, path: Path | None) -> None:
        self._file = WatchedFile(path, read_roles) if path else None

    def of(self, user: str) -> frozenset[Role]:
        """The roles of a user; none for one whom the file does not name."""
        if self._file is None:
            return EVERYONE
        named: Mapping[str, frozenset[Role]] = self._file.value
        return named.get(user, frozenset())

    @property
    def named(self) -> frozenset[str]:
        """The users whom the file names."""
        return frozenset(self._file.value if self._file else ())

    def look(self, *, asked: bool = False) -> None:
        """Read the file again if it has changed."""
        if self._file:
            self._file.look(asked=asked)
