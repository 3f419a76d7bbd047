"""The talk with git about the refs of a dry run; with git itself in tests/system/hook."""

from __future__ import annotations

from io import BytesIO

import pytest

from location_policy.gate.proc_receive import answer
from tests.support.program import run_program


def pkt(line: bytes) -> bytes:
    return b"%04x%b" % (len(line) + 4, line)


def test_each_ref_is_answered() -> None:
    zeros, commit = b"0" * 40, b"1" * 40
    commands = [pkt(b"%b %b refs/for/%b\n" % (zeros, commit, name)) for name in (b"main", b"a b\xff")]
    stdout = BytesIO()
    answer(BytesIO(pkt(b"version=1\0atomic\n") + b"0000" + b"".join(commands) + b"0000"), stdout)
    answered = pkt(b"ok refs/for/main\n") + pkt(b"ok refs/for/a b\xff\n")
    assert stdout.getvalue() == pkt(b"version=1\n") + b"0000" + answered + b"0000"


@pytest.mark.parametrize(
    ("talk", "told"),
    [
        (b"", "git ended in the middle"),
        (pkt(b"version=1\n")[:-1], "git ended in the middle"),
        (pkt(b"version=2\n") + b"0000", "version 1 of proc-receive"),
        (b"0000", "version 1 of proc-receive"),
        (b"zzzz", "something other than pkt-lines"),
        (b"0003", "something other than pkt-lines"),
        (pkt(b"version=1\n") + b"0000" + pkt(b"refs/for/main") + b"0000", "names no ref"),
    ],
)
def test_what_is_not_understood_is_an_error(talk: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        answer(BytesIO(talk), BytesIO())


def test_an_error_is_told_and_the_dry_run_fails() -> None:
    done = run_program("proc-receive")
    assert (done.returncode, done.stderr) == (
        1,
        "location-policy: the dry run failed, and nothing changed: git ended in the middle\n",
    )
