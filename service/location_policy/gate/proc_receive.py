"""Take a dry run off git's hands (githooks, "proc-receive").

git hands over the refs that it shall not make itself, and is told that all is well: pre-receive has judged them, and
has told the pusher everything. The talk is in pkt-lines (gitprotocol-common): four hexadecimal digits, the length with
them, then the content; `0000` ends a part.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

_FLUSH = b"0000"


def answer(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Say `ok` to each ref; raises ValueError when git speaks another language."""
    versions = [line.partition(b"\0")[0].strip() for line in _read_part(stdin)]
    if versions != [b"version=1"]:
        raise ValueError("git does not speak version 1 of proc-receive")
    _write_part(stdout, [b"version=1\n"])
    refs = [_ref(line) for line in _read_part(stdin)]
    _write_part(stdout, [b"ok %b\n" % ref for ref in refs])


def _ref(command: bytes) -> bytes:
    try:
        _, _, ref = command.rstrip(b"\n").split(b" ", 2)
    except ValueError:
        raise ValueError("git names no ref") from None
    return ref


def _read_part(stream: BinaryIO) -> Iterator[bytes]:
    while (size := _read(stream, 4)) != _FLUSH:
        try:
            length = int(size, 16) - 4
        except ValueError:
            raise ValueError("git sends something other than pkt-lines") from None
        if length < 0:
            raise ValueError("git sends something other than pkt-lines")
        yield _read(stream, length)


def _read(stream: BinaryIO, size: int) -> bytes:
    content = stream.read(size)
    if len(content) != size:
        raise ValueError("git ended in the middle")
    return content


def _write_part(stream: BinaryIO, lines: list[bytes]) -> None:
    stream.write(b"".join(b"%04x%b" % (len(line) + 4, line) for line in lines) + _FLUSH)
    stream.flush()
