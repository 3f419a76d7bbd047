"""Pushes that are small and mean much: each is a pack of less than a megabyte, made here and kept nowhere.

A pack is written by hand (gitformat-pack) and handed to git-receive-pack as a client would (gitprotocol-pack), since a
client of git would have to hold all that the pack stands for. `BOMBS` has each with what it may cost; `make fuzz` sets
off all of them, the suite those that are quick.
"""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import NamedTuple

from tests.support.program import closed_environment
from tests.support.repositories import git

KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
OFFSET_DELTA = 6
WHO = b"A <a@b> 1700000000 +0000"
ROW = b"Sydney,10.61.2.0/24\n"
MIB = 1024 * 1024
_SIZE = re.compile(rb"[0-9a-f]{4}")
PACKED = 1_000_000
"""Bytes that a pack has at the most."""
SECONDS, MEMORY = 30.0, 512
"""What any push may cost: seconds of processors, and MiB of the largest process that it starts."""
SERVICE_MEMORY, WAIT = 640, 1.0
"""What it may cost a service that follows: MiB of the process that answers; and its nodes: seconds of one answer."""

Tree = dict[str, tuple[bytes, str]]
"""The mode and the id of each entry of a tree, by name."""


class Pack:
    """A pack that grows; each object is in it once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 12
        self._ids: dict[str, int] = {}
        self._known: set[str] = set()

    def add(self, kind: str, content: bytes) -> str:
        """The id of an object that is written whole."""
        object_id = id_of(kind, content)
        if object_id not in self._ids:
            self._ids[object_id] = self._size
            self._write(KINDS[kind], len(content), b"", content)
        return object_id

    def delta(self, base: str | int, delta: bytes, object_id: str = "") -> int:
        """The offset of an object that is written as what differs from another, given by id or offset."""
        offset = self._ids[base] if isinstance(base, str) else base
        here = self._size
        if object_id:
            self._ids[object_id] = here
        self._write(OFFSET_DELTA, len(delta), _distance(here - offset), delta)
        return here

    def blob(self, content: bytes) -> str:
        """The id of a file's content."""
        return self.add("blob", content)

    def tree(self, entries: Tree) -> str:
        """The id of a folder."""
        order = sorted(entries, key=lambda name: os.fsencode(name) + b"/" * (entries[name][0] == b"40000"))
        return self.add("tree", b"".join(_entry(os.fsencode(name), *entries[name]) for name in order))

    def files(self, contents: dict[str, bytes]) -> str:
        """The id of a tree with these files, whose names may have folders in them."""
        here: Tree = {}
        below: dict[str, dict[str, bytes]] = {}
        for path, content in contents.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = content
            else:
                here[name] = (b"100644", self.blob(content))
        return self.tree(here | {name: (b"40000", self.files(inner)) for name, inner in below.items()})

    def commit(
        self, tree: str, *parents: str, message: bytes = b"Bomb\n", more: bytes = b"", author: bytes = WHO
    ) -> str:
        """The id of a commit."""
        behind = b"".join(b"parent %b\n" % parent.encode() for parent in parents)
        head = b"tree %b\n%bauthor %b\ncommitter %b\n%b" % (tree.encode(), behind, author, WHO, more)
        return self.add("commit", head + b"\n" + message)

    def content(self) -> bytes:
        """The whole pack."""
        whole = struct.pack(">4sII", b"PACK", 2, len(self._parts)) + b"".join(self._parts)
        return whole + sha1(whole).digest()

    def _write(self, kind: int, size: int, base: bytes, content: bytes) -> None:
        head = bytearray((kind << 4 | size & 15,))
        size >>= 4
        while size:
            head[-1] |= 0x80
            head.append(size & 0x7F)
            size >>= 7
        self._parts.append(bytes(head) + base + zlib.compress(content, 6))
        self._size += len(self._parts[-1])


def id_of(kind: str, content: bytes) -> str:
    """The id of an object."""
    return sha1(b"%b %d\0" % (kind.encode(), len(content)) + content).hexdigest()


def insert(source: int, text: bytes, times: int = 1) -> bytes:
    """A delta: a short text, and then so many times the whole object of `source` bytes."""
    whole = [(start, min(source - start, 0xFFFFFF)) for start in range(0, source, 0xFFFFFF)]
    copies = b"".join(b"\xff" + start.to_bytes(4, "little") + size.to_bytes(3, "little") for start, size in whole)
    return _varint(source) + _varint(source * times + len(text)) + bytes((len(text),)) + text + copies * times


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*parts, number))


def _distance(number: int) -> bytes:
    parts = [number & 0x7F]
    while number := number >> 7:
        number -= 1
        parts.insert(0, number & 0x7F | 0x80)
    return bytes(parts)


def _entry(name: bytes, mode: bytes, object_id: str) -> bytes:
    return b"%b %b\0%b" % (mode, name, bytes.fromhex(object_id))


class Push(NamedTuple):
    """A pack, and the refs that its push moves, each to which id; `main` always from where it is."""

    pack: bytes
    refs: dict[str, str]


class Cost(NamedTuple):
    """What a push has cost: seconds by the clock and of processors, MiB of the largest of its processes; what git and
    hook said; is it taken?
    """

    seconds: float
    processor: float
    memory: int
    said: str
    is_taken: bool


def push(repository: Path, bomb: Push, limit: float = 120.0) -> Cost:
    """Push it, as by ssh of a server that is set up as docs/run/security.md says."""
    old = git("rev-parse", "main", cwd=repository)
    lines = [f"{old if ref == 'refs/heads/main' else '0' * 40} {new} {ref}" for ref, new in bomb.refs.items()]
    head, *rest = (line.encode() for line in lines)
    commands = b"".join(_packet(line) for line in (head + b"\0report-status side-band-64k", *rest))
    given = commands + b"0000" + bomb.pack
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _MEASURED, "git", "receive-pack", repository],
        env=closed_environment(GIT_ALLOC_LIMIT="256m"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            said, measured = process.communicate(given, limit)
        except subprocess.TimeoutExpired:  # pragma: no cover  where a bound is missing
            os.killpg(process.pid, signal.SIGKILL)
            raise
    text = b"".join(_said(said)).decode(errors="replace")
    memory, processor = measured.split()
    seconds = time.monotonic() - started
    return Cost(seconds, float(processor), int(memory) // 1024, text, "ok refs/heads/main" in text)


_MEASURED = """
import resource, subprocess, sys
subprocess.call(sys.argv[1:], stderr=subprocess.STDOUT)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime, file=sys.stderr)
"""
"""Runs a command and tells KiB of the largest process below it, and the seconds of all: we may be large ourselves."""


def _said(stream: bytes) -> Iterator[bytes]:
    """What is in the packets of an answer, in any channel, and what is in none: words of a git that ends early."""
    while stream:
        size = int(stream[:4], 16) if _SIZE.match(stream) else len(stream)
        packet, stream = stream[4:size] if _SIZE.match(stream) else stream, stream[max(size, 4) :]
        yield packet.removeprefix(b"\1").removeprefix(b"\2").removeprefix(b"\3")


def _packet(line: bytes) -> bytes:
    return b"%04x%b" % (len(line) + 4, line)


Refs = dict[str, str]
MAIN = "refs/heads/main"


@dataclass(frozen=True)
class Bomb:
    """What is pushed onto main at `old`; is it over quickly enough for the suite, and is it taken?"""

    name: str
    fill: Callable[[Pack, str], Refs]
    is_quick: bool
    is_taken: bool

    def push(self, old: str) -> Push:
        """The push of it."""
        pack = Pack()
        refs = self.fill(pack, old)
        return Push(pack.content(), refs)


BOMBS: list[Bomb] = []


def bomb(
    *, quick: bool = False, taken: bool = False
) -> Callable[[Callable[[Pack, str], Refs]], Callable[[Pack, str], Refs]]:
    """Into the list with it."""

    def listed(fill: Callable[[Pack, str], Refs]) -> Callable[[Pack, str], Refs]:
        BOMBS.append(Bomb(fill.__name__, fill, quick, taken))
        return fill

    return listed


def _files(pack: Pack, old: str, files: dict[str, bytes]) -> Refs:
    return {MAIN: pack.commit(pack.files({"locations.csv": ROW, **files}), old)}


def _message(pack: Pack, old: str, message: bytes, more: bytes = b"") -> Refs:
    return {MAIN: pack.commit(pack.files({"locations.csv": ROW * 1}), old, message=message, more=more)}


def _comments(mib: int, mark: bytes = b"-") -> bytes:
    return (b"# " + mark * 61 + b"\n") * (mib * MIB // 64)


@bomb(quick=True)
def one_line(pack: Pack, old: str) -> Refs:
    """4 MB in one line."""
    return _files(pack, old, {"locations.csv": b"a," * 2_000_000 + b"10.61.2.0/24\n"})


@bomb(quick=True)
def long_lines(pack: Pack, old: str) -> Refs:
    """Lines as long as they may be, with as many cells, and names that are not known."""
    row = b",".join(b"Sydnei %d" % number for number in range(63)) + b",10.%d.%d.0/24\n"
    rules = b"[locations]\nknown = [\n%b]\n" % b"".join(b'"Sydney %d",\n' % number for number in range(2_000))
    rows = b"".join(row % (number // 256, number % 256) for number in range(300))
    return _files(pack, old, {"locations.csv": rows, "policy.toml": rules})


@bomb(taken=True)
def many_places(pack: Pack, old: str) -> Refs:
    """127 MiB of comments under twelve paths."""
    comments = _comments(127)
    return _files(pack, old, {f"locations/{number}.csv": comments for number in range(12)})


@bomb(taken=True)
def many_contents(pack: Pack, old: str) -> Refs:
    """Commits one on the other, each with two other contents of 120 MiB, of which the pack has what differs."""
    bases = {name: _comments(120, name.encode()) for name in ("a", "b")}
    ids = {name: pack.blob(content) for name, content in bases.items()}
    rows = (b"100644", pack.blob(ROW))
    for number in range(6):
        entries: Tree = {}
        for name, base in bases.items():
            text = b"#%d\n" % number
            blob = id_of("blob", text + base)
            pack.delta(ids[name], insert(len(base), text), blob)
            entries[f"{name}.csv"] = (b"100644", blob)
        old = pack.commit(pack.tree({"locations": (b"40000", pack.tree(entries)), "locations.csv": rows}), old)
    return {MAIN: old}


@bomb(taken=True)
def deltas(pack: Pack, old: str) -> Refs:
    """Eight contents of 128 MiB, by what they have in common."""
    base = pack.blob(b"#" * (16 * MIB - 1))
    for number in range(8):
        pack.delta(base, insert(16 * MIB - 1, b"%d" % number, times=8))
    return _files(pack, old, {})


@bomb(quick=True)
def delta_chain(pack: Pack, old: str) -> Refs:
    """A content of a gigabyte, behind one of 128 MiB."""
    size = 16 * MIB - 1
    base: str | int = pack.blob(b"#" * size)
    for _ in range(3):
        base = pack.delta(base, insert(size, b"x", times=8))
        size = size * 8 + 1
    return _files(pack, old, {})


@bomb(quick=True, taken=True)
def punycode(pack: Pack, old: str) -> Refs:
    """A long subject in a codec that takes hours."""
    return _message(pack, old, b"-abcdefgh" * 900_000, more=b"encoding punycode\n")


@bomb(quick=True, taken=True)
def long_subject(pack: Pack, old: str) -> Refs:
    """A subject of 8 MB."""
    return _message(pack, old, b"Change " * 1_200_000)


@bomb(quick=True, taken=True)
def trailers(pack: Pack, old: str) -> Refs:
    """A message of 200,000 trailers."""
    return _message(pack, old, b"Change\n\n" + b"Allow-Large-Change: yes\nOwner-Approval: x\n" * 100_000)


@bomb(quick=True)
def wide_tree(pack: Pack, old: str) -> Refs:
    """A folder of 250,000 files."""
    blob = bytes.fromhex(pack.blob(ROW))
    return {MAIN: pack.commit(pack.add("tree", b"".join(b"100644 %06d\0%b" % (n, blob) for n in range(250_000))), old)}


@bomb(quick=True)
def branching_tree(pack: Pack, old: str) -> Refs:
    """Forty folders, each twice in the one before: a million million paths."""
    tree = pack.files({"locations.csv": ROW})
    for _ in range(40):
        tree = pack.tree({"a": (b"40000", tree), "b": (b"40000", tree)})
    return {MAIN: pack.commit(tree, old)}


@bomb(quick=True)
def deep_tree(pack: Pack, old: str) -> Refs:
    """Folders in each other with names of 100,000 characters."""
    tree = pack.files({"locations.csv": ROW})
    for _ in range(300):
        tree = pack.tree({"a" * 100_000: (b"40000", tree)})
    return {MAIN: pack.commit(tree, old)}


@bomb(quick=True)
def many_tables(pack: Pack, old: str) -> Refs:
    """150,000 files of rows."""
    blob = pack.blob(b"# nothing\n")
    folder = pack.tree({f"{number}.csv": (b"100644", blob) for number in range(1_000)})
    below = pack.tree({str(number): (b"40000", folder) for number in range(150)})
    return {MAIN: pack.commit(pack.tree({"locations": (b"40000", below)}), old)}


@bomb()
def moving_tables(pack: Pack, old: str) -> Refs:
    """Commits one on the other, each with 9,000 files of rows in another folder."""
    blob = pack.blob(b"# nothing\n")
    folder = pack.tree({f"{number}.csv": (b"100644", blob) for number in range(9_000)})
    rows = (b"100644", pack.blob(ROW))
    for number in range(2_000):
        below = pack.tree({str(number): (b"40000", folder)})
        old = pack.commit(pack.tree({"locations": (b"40000", below), "locations.csv": rows}), old)
    return {MAIN: old}


@bomb(quick=True)
def links(pack: Pack, old: str) -> Refs:
    """9,000 links in a circle, and submodules."""
    link = pack.blob(b"../locations")
    kinds = ((b"120000", link), (b"160000", "1" * 40))
    folder = pack.tree({f"{number}": kinds[number % 2] for number in range(9_000)})
    return {MAIN: pack.commit(pack.tree({"locations": (b"40000", folder)}), old)}


@bomb(quick=True)
def rules(pack: Pack, old: str) -> Refs:
    """Keys of thousands of parts, and lists in lists."""
    return _files(pack, old, {"policy.toml": b"a." * 30_000 + b"a = " + b"[" * 30_000 + b"\n"})


def _views(number: int, of_each: bytes = b"") -> bytes:
    return b"".join(
        b'[[view]]\nname = "v%d"\nlocation = ["A%d", "B%d"]\n%b' % (n, n, n, of_each) for n in range(number)
    )


@bomb(quick=True, taken=True)
def rules_of_views(pack: Pack, old: str) -> Refs:
    """A hundred views below 200,000 lines of comments, each with lists of names."""
    of_each = b'proxy_node_location = ["A", "B"]\nanswer = ["Sydney", "Melbourne", "Perth"]\n'
    return _files(pack, old, {"policy.toml": b"# x\n" * 200_000 + _views(100, of_each)})


@bomb()
def expectations_of_views(pack: Pack, old: str) -> Refs:
    """A hundred views with the same 50,000 expectations, which are broken."""
    expected = b"".join(b"10.%d.%d.%d,Perth\n" % (n >> 16, n >> 8 & 255, n & 255) for n in range(50_000))
    rows = {f"views/v{number}/locations.csv": b"Sydney,10.0.0.0/8\n" for number in range(100)}
    tables = {f"views/v{number}/expectations.csv": expected for number in range(100)}
    return _files(pack, old, {"policy.toml": _views(100), **rows, **tables})


@bomb(quick=True)
def rows_of_views(pack: Pack, old: str) -> Refs:
    """A hundred views with the same 30,000 rows."""
    rows = b"".join(b"Sydney,10.%d.%d.%d/32\n" % (n >> 16, n >> 8 & 255, n & 255) for n in range(30_000))
    views = {f"views/v{number}/locations.csv": rows for number in range(100)}
    return _files(pack, old, {"policy.toml": _views(100), **views})


@bomb()
def rules_of_one_table(pack: Pack, old: str) -> Refs:
    """Commits one on the other, each with one table as often as there is room for."""
    for name in (b"a", b"b", b"c", b"d"):
        old = _files(pack, old, {"policy.toml": b"[[%b]]\n" % name * 174_000})[MAIN]
    return {MAIN: old}


@bomb()
def rules_of_many_keys(pack: Pack, old: str) -> Refs:
    """As many keys as there is room for."""
    keys = b"".join(b"k%d=1\n" % number for number in range(100_000))
    return _files(pack, old, {"policy.toml": b"[match]\n" + keys})


@bomb()
def near_names(pack: Pack, old: str) -> Refs:
    """Thousands of names, known ones that are nearly the same, and characters that combine."""
    name = "a\u0301" * 90
    known = "".join(f'"{name}{number}",\n' for number in range(3_000))
    rows = "".join(f"{name}x{number},10.{number // 256}.{number % 256}.0/24\n" for number in range(3_000))
    rules = f"[locations]\nknown = [\n{known}]\n"
    return _files(pack, old, {"locations.csv": rows.encode(), "policy.toml": rules.encode()})


@bomb()
def expectations(pack: Pack, old: str) -> Refs:
    """As many expectations and owners as there is room for."""
    expected = b"".join(b"10.%d.%d.%d,Sydney\n" % (n >> 16, n >> 8 & 255, n & 255) for n in range(100_000))
    return _files(pack, old, {"expectations.csv": expected, "owners.csv": expected})


@bomb()
def many_rows(pack: Pack, old: str) -> Refs:
    """300,000 rows, all of them other ones."""
    rows = b"".join(b"S,10.%d.%d.%d/32\n" % (n >> 16, n >> 8 & 255, n & 255) for n in range(300_000))
    return _files(pack, old, {"locations.csv": rows})


@bomb()
def one_row(pack: Pack, old: str) -> Refs:
    """One row, a million times."""
    return _files(pack, old, {"locations.csv": ROW * 1_000_000})


@bomb(quick=True)
def blank_lines(pack: Pack, old: str) -> Refs:
    """Files of millions of blank lines."""
    return _files(pack, old, {f"locations/{number}.csv": b"\n" * (3_900_000 - number) for number in range(12)})


@bomb(taken=True)
def spaces(pack: Pack, old: str) -> Refs:
    """Two files of 120 MiB, in which no two lines have as many spaces."""
    long = b"".join(b" " * (4_096 + number) + b"\n" for number in range(12_000))
    return _files(pack, old, {"locations/a.csv": long, "locations/b.csv": b"\n" + long})


@bomb(quick=True)
def nothing(pack: Pack, old: str) -> Refs:
    """100 MiB of NUL."""
    return _files(pack, old, {"locations.csv": bytes(100 * MIB)})


@bomb(quick=True, taken=True)
def many_refs(pack: Pack, old: str) -> Refs:
    """A thousand branches, and a thousand tags of each other."""
    new = pack.commit(pack.files({"locations.csv": ROW, "README": b"1"}), old)
    tag, kind = new, "commit"
    for number in range(1_000):
        text = b"object %b\ntype %b\ntag t%d\ntagger %b\n\nx\n" % (tag.encode(), kind.encode(), number, WHO)
        tag, kind = pack.add("tag", text), "tag"
    return {MAIN: new, "refs/tags/t": tag, **{f"refs/heads/{number}": new for number in range(1_000)}}


@bomb(taken=True)
def many_parents(pack: Pack, old: str) -> Refs:
    """A merge of 5,000 histories."""
    tree = pack.files({"locations.csv": ROW})
    parents = [pack.commit(tree, message=b"%d\n" % number) for number in range(5_000)]
    return {MAIN: pack.commit(tree, old, *parents)}


@bomb(taken=True)
def many_commits(pack: Pack, old: str) -> Refs:
    """4,000 commits, one on the other."""
    tree = pack.files({"locations.csv": ROW})
    for number in range(4_000):
        old = pack.commit(tree, old, message=b"%d\n" % number)
    return {MAIN: old}


@bomb(quick=True, taken=True)
def notes(pack: Pack, old: str) -> Refs:
    """A note of 100 MiB on the commit that is pushed, below a name that is anybody's."""
    new = pack.commit(pack.files({"locations.csv": ROW, "README": b"2"}), old)
    return {MAIN: new, "refs/notes/x": pack.commit(pack.tree({new: (b"100644", pack.blob(bytes(100 * MIB)))}))}
