"""Users and their passwords, in the format of Apache's `htpasswd -B`: a line `user:hash`, the hash by bcrypt.

Nothing weaker is taken: plain text, MD5 and crypt are found out in hours once the file has leaked. Lines that begin
with `#` are comments. A name is compared in Unicode's composed form (NFC), as RFC 7617 and RFC 8265 have it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from shlex import quote
from types import MappingProxyType
from unicodedata import normalize

import bcrypt

from ..errors import UnusableFile
from ..problems import Problem
from ..text import without_bom

LONGEST = 72
"""Bytes of a password that bcrypt takes; Apache passes over the rest in silence, here a longer one is refused."""
COST = 12
"""Of a new hash: 2^12 rounds, a quarter of a second."""
COSTS = range(4, 16)
"""Of hashes that are taken: each step doubles the time, and that of 16 would be four seconds."""

_HASH = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}")
_WEAK = {"$apr1$": "MD5", "$1$": "MD5", "{SHA}": "SHA-1", "$5$": "SHA-256 crypt", "$6$": "SHA-512 crypt"}
_NOBODY = "abcdefghijklmnopqrstuu" + 31 * "."
"""Salt and digest of a hash that is no user's."""


@dataclass(frozen=True, slots=True)
class Users:
    """The hash of each user, and one of the usual cost, which a name that is not there is compared with."""

    hashes: MappingProxyType[str, bytes]
    decoy: bytes

    def know(self, user: str, passwords: Sequence[bytes]) -> bool:
        """Is one of these the user's password?

        It takes as long for a user who is not there: whether there is one is not told.
        """
        hashed = self.hashes.get(user, self.decoy)
        found = [bcrypt.checkpw(one[:LONGEST], hashed) and len(one) <= LONGEST for one in passwords]
        return any(found) and user in self.hashes


def read_htpasswd(content: bytes, path: str) -> Users:
    """The users of a file; raises UnusableFile with every line that cannot be used."""
    hashes: dict[str, bytes] = {}
    problems = []
    for number, line in _entries(content):
        user, problem = _judge(line, path)
        if user in hashes:
            problem = f"{user} has a line above already", "keep one of them"
        if problem:
            problems.append(Problem(path, number, 1, "not-a-user", *problem))
        else:
            hashes[user] = line.split(":")[1].encode()
    if not hashes and not problems:
        hint = f"location-policy password USER --htpasswd {quote(path)}"
        problems.append(Problem(path, 1, 1, "no-users", "there is no user", hint))
    if problems:
        raise UnusableFile(path, problems)
    costs = Counter(hashed[4:6] for hashed in hashes.values())
    usual = max(costs, key=lambda cost: (costs[cost], cost))
    return Users(MappingProxyType(hashes), b"$2b$" + usual + b"$" + _NOBODY.encode())


def has_user(content: bytes, user: str) -> bool:
    """Whether a line is this user's."""
    return bool(_lines_of(content, user))


def with_password(content: bytes, user: str, hashed: str) -> bytes:
    """The file with this user's line changed or added; all else stays as it is."""
    lines = content.split(b"\n")
    ours = _lines_of(content, user)
    new = f"{normalize('NFC', user)}:{hashed}".encode()
    if ours:
        lines[ours[0]] = new
        return b"\n".join(line for number, line in enumerate(lines) if number not in ours[1:])
    head = content if content.endswith(b"\n") or not content else content + b"\n"
    return head + new + b"\n"


def _lines_of(content: bytes, user: str) -> list[int]:
    return [number - 1 for number, line in _entries(content) if _name(line) == normalize("NFC", user)]


def hash_password(password: str) -> str:
    """The hash of a password; raises ValueError for one that could not be used."""
    if not password:
        raise ValueError("the password is empty")
    if any(_is_control(character) for character in password):
        raise ValueError("the password has control characters, which HTTP does not carry")
    if any(map(_is_surrogate, password)):
        raise ValueError("the password is not UTF-8")
    encoded = normalize("NFC", password).encode()
    if len(encoded) > LONGEST:
        raise ValueError(f"the password is longer than {LONGEST} bytes, which is all that bcrypt looks at")
    return bcrypt.hashpw(encoded, bcrypt.gensalt(COST)).decode()


def check_name(user: str) -> None:
    """Raises ValueError for a name that no user can have."""
    if any(map(_is_surrogate, user)):
        raise ValueError("a user's name is written in UTF-8")
    if not user or ":" in user or user != user.strip() or user.startswith("#") or any(map(_is_control, user)):
        raise ValueError("a user's name has a character or more, no colon, and no # or space at its beginning")


def _entries(content: bytes) -> Iterator[tuple[int, str]]:
    """The lines that are no comments, with their numbers; bytes that are not UTF-8 are left as U+FFFD."""
    for number, raw in enumerate(without_bom(content).split(b"\n"), 1):
        line = raw.decode(errors="replace").strip()
        if line and not line.startswith("#"):
            yield number, line


def _name(line: str) -> str:
    return normalize("NFC", line.partition(":")[0])


def _judge(line: str, path: str) -> tuple[str, tuple[str, str] | None]:
    """The user of a line, and what is wrong with it and what to do; a hash is never told."""
    user = _name(line)
    hashed = line.split(":")[1] if ":" in line else ""
    mend = f"htpasswd -B {quote(path)} {quote(user)}"
    if not hashed:
        return user, ("this is not a user, a colon and a hash", "remove the line, or see htpasswd -B")
    if "\ufffd" in user:
        return user, ("the name is not UTF-8", "write the name in UTF-8")
    found = _HASH.fullmatch(hashed)
    if not found:
        weak = next((name for start, name in _WEAK.items() if hashed.startswith(start)), None)
        how = f"kept by {weak}" if weak else "not a bcrypt hash, but plain text, crypt, or damaged"
        return user, (f"the password of {user} is {how}, which is not taken", mend)
    if int(found[1]) not in COSTS:
        return user, (f"the hash of {user} has the cost {found[1]}, {COSTS[0]} to {COSTS[-1]} are taken", mend)
    return user, None


def _is_surrogate(character: str) -> bool:
    """Does it stand for a byte that is not UTF-8 (PEP 383)?"""
    return "\ud800" <= character <= "\udfff"


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character < "\xa0"
