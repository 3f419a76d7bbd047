"""Seeds one-line faults into what decides, one at a time, and tells which of them the tests catch.

    python tests/project/mutate.py [--number 40] [--seed 13] [--list]
    python tests/project/mutate.py >before; python tests/project/mutate.py --after before

A fault is a comparison turned, a number that is off by one, `and` for `or`, a condition negated, an answer left out,
a call removed, or arguments swapped. Which faults there are depends on nothing but the seed and the source of each
module: every place is given a number made from its module, function and text, and those with the lowest are taken. So a
fault stays where it is when tests, or other modules, change.

The working tree is copied with what is not committed, and the faults are put into the copy. The tests that stand
nearest run first, then those of the package, then those of the packages above it, then the tests of processes that have
to do with it; the first that fails ends it. It is run once more without the fault: what fails then too proves nothing.
Printed is a line for each fault and the number of those that were caught. Some that are not change nothing that could
be told.

It takes an hour or two, and is no part of `make test`: it is for who changes the tests, before and after. With what
was printed before, the test that caught a fault then runs first.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ABOVE = {
    "config": ("plan", "lookup", "gate", "edits", "rollout", "history", "integrations", "cli", "web"),
    "plan": ("gate", "edits", "rollout", "history", "cli", "web"),
    "gate": ("edits", "rollout", "history", "cli", "web"),
    "lookup": ("rollout", "history", "cli", "web"),
    "rollout": ("history", "cli", "web"),
    "access": ("cli", "web"),
}
"""The packages into which faults are seeded: what decides. And those above each."""
SYSTEM_TESTS = {
    "config": ("system/hook", "system/pexip", "project/test_docs.py"),
    "plan": ("system/hook", "system/forges", "project/test_docs.py"),
    "gate": ("system/hook", "system/forges", "system/deploy", "system/test_git_http.py"),
    "lookup": ("system/pexip", "system/test_serve.py", "project/test_docs.py"),
    "rollout": ("system/faults", "system/test_life.py", "system/test_serve*.py", "project/test_docs.py"),
    "access": ("system/test_serve_access.py", "system/test_git_http.py", "project/test_docs.py"),
}
"""The tests of processes that have to do with a package."""
QUIETLY = ("-q", "-x", "-rfE", "--no-header", "--tb=no", "-o", "timeout=60")
MOST, MOST_OF_NEAR = 2400.0, 400.0
"""Seconds in which a run of tests has to end, and that of the nearest; what hangs is caught."""

_OTHER: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}


@dataclass(frozen=True)
class Fault:
    """One line of a module, and what it is made into."""

    rank: str
    module: str
    number: int
    kind: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.module}:{self.number}: {self.kind}: {self.old.strip()}  ->  {self.new.strip()}"

    def put_into(self, text: str) -> str:
        """The module with the fault in it."""
        lines = text.split("\n")
        assert lines[self.number - 1] == self.old
        lines[self.number - 1] = self.new
        return "\n".join(lines)


def faults(package: Path, seed: int) -> list[Fault]:
    """Every fault that can be seeded into a package, the first to be taken first."""
    found = {
        fault.rank: fault
        for name in ABOVE
        for path in sorted((package / name).glob("*.py"))
        for fault in faults_of(path.read_text(), str(path.relative_to(package)), seed)
    }
    return [found[rank] for rank in sorted(found)]


def faults_of(text: str, module: str, seed: int) -> Iterator[Fault]:
    """Every fault that can be seeded into a module."""
    lines = text.split("\n")
    seen: dict[tuple[str, ...], int] = {}
    for function, node in _nodes_of_functions(ast.parse(text)):
        for kind, where, replacement in _changes(node, text):
            if where.lineno != where.end_lineno:
                continue
            old = lines[where.lineno - 1]
            data = old.encode()
            new = (data[: where.col_offset] + replacement.encode() + data[where.end_col_offset :]).decode()
            key = (module, function, old.strip(), new.strip())
            seen[key] = seen.get(key, 0) + 1
            rank = hashlib.sha256(repr((seed, *key, seen[key])).encode()).hexdigest()
            if _is_python(fault := Fault(rank, module, where.lineno, kind, old, new), text):
                yield fault


def _is_python(fault: Fault, text: str) -> bool:
    try:
        ast.parse(fault.put_into(text))
    except SyntaxError:
        return False
    return True


def _nodes_of_functions(tree: ast.AST, function: str = "") -> Iterator[tuple[str, ast.AST]]:
    """What is run when a function is called, by the function's name: no annotation, no decorator, no default."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _nodes_of_functions(ast.Module(node.body, []), f"{function}.{node.name}")
        elif isinstance(node, ast.AnnAssign):
            if node.value:
                yield from _nodes_of_functions(ast.Expression(node.value), function)
        elif function:
            yield function, node
            yield from _nodes_of_functions(node, function)


_Change = tuple[str, "ast.stmt | ast.expr", str]


def _changes(node: ast.AST, text: str) -> Iterator[_Change]:
    """The kind of each fault that a node can have, what of the source it replaces, and what stands there then."""

    def source(part: ast.expr) -> str:
        return ast.get_source_segment(text, part) or ""

    match node:
        case ast.Constant(value=bool(value)):
            yield "true for false, false for true", node, str(not value)
        case ast.Constant(value=int(value)):
            yield "off by one", node, str(value + 1)
        case ast.Return(value=ast.expr() as answer) if not isinstance(answer, ast.Constant):
            yield "answer left out", node, "return None"
        case ast.Expr(value=ast.Call()):
            yield "call removed", node, "pass"
        case ast.Call(func=function, args=[ast.Name() as first, ast.Name() as second, *rest]):
            words = [(word.arg, source(word.value)) for word in node.keywords]
            others = [source(second), source(first), *map(source, rest)]
            others += [f"{name}={value}" if name else f"**{value}" for name, value in words]
            yield "arguments swapped", node, f"{source(function)}({', '.join(others)})"
        case _:
            yield from _changes_of_logic(node, source)


def _changes_of_logic(node: ast.AST, source: Callable[[ast.expr], str]) -> Iterator[_Change]:
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            yield "comparison turned", node, f"{source(left)} {_OTHER[type(operator)]} {source(right)}"
        case ast.BoolOp(op=operator, values=values):
            other = " or " if isinstance(operator, ast.And) else " and "
            yield "and for or, or for and", node, other.join(f"({source(value)})" for value in values)
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield "condition negated", test, f"(not ({source(test)}))"
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=right) if not isinstance(left, ast.Constant):
            other = "+" if isinstance(sign, ast.Sub) else "-"
            yield "minus for plus, plus for minus", node, f"{source(left)} {other} {source(right)}"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not removed", node, f"bool({source(operand)})"


class Copy:
    """The working tree elsewhere, with an environment in which the program is the copy's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.package = path / "service" / "location_policy"
        self._ticks = 0
        self._passed_over: list[str] = []
        path.chmod(0o755)  # some tests run the program as another user
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, path / name)
        modules = ROOT / "tests" / "system" / "browser" / "node_modules"
        if modules.is_dir():
            (path / modules.relative_to(ROOT)).symlink_to(modules)
        self._make_environment()

    def _make_environment(self) -> None:
        """An environment of the same libraries, in which the program that is installed is this copy."""
        venv = self.path / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        self.python = venv / "bin" / "python"
        old = Path(sys.executable).parent
        places = [self.path / "service", *(place for place in sys.path if place.endswith("site-packages"))]
        packages = next(venv.glob("lib/python3*/site-packages"))
        (packages / "copy.pth").write_text("".join(f"{place}\n" for place in places))
        for script in old.iterdir():
            new = venv / "bin" / script.name
            if not new.exists() and script.is_file():
                new.write_bytes(script.read_bytes().replace(os.fsencode(old), os.fsencode(venv / "bin")))
                new.chmod(0o755)

    def write(self, module: str, text: str) -> None:
        """Put another text into a module; its time moves on, so that no compiled one is taken for it."""
        self._ticks += 10
        path = self.package / module
        path.write_text(text)
        os.utime(path, (self._ticks, self._ticks))

    def run(self, tests: list[str], most: float = MOST_OF_NEAR) -> str | None:
        """The first test that failed, if one did."""
        passed_over = [f"--deselect={test}" for test in self._passed_over]
        command: list[str | Path] = [self.python, "-m", "pytest", *QUIETLY, *passed_over, *tests]
        process = subprocess.Popen(
            command, cwd=self.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        try:
            said, _ = process.communicate(timeout=most)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return "no end"
        if process.returncode in (0, 5):
            return None
        if process.returncode == 4:
            assert "not found" in said, said
            return None
        failed = re.search(r"^(?:FAILED|ERROR) (\S+?\.py(?:::.*?)?)(?: - .*)?$", said, re.MULTILINE)
        return failed[1] if failed else said[-300:]

    def pass_over(self, test: str) -> None:
        """Run it no more."""
        print(f"  fails without a fault too: {test}", flush=True)
        self._passed_over.append(test)


def steps(copy: Copy, module: str) -> Iterator[list[str]]:
    """Which tests are run for a fault in a module: the nearest first."""
    package, tests = Path(module).parts[0], copy.path / "tests"
    nearest = tests / Path(module).with_name(f"test_{Path(module).name}")
    if nearest.is_file():
        yield [str(nearest)]
    yield [str(tests / package)]
    yield [str(tests / above) for above in ABOVE[package]]
    yield [str(path) for pattern in SYSTEM_TESTS[package] for path in sorted(tests.glob(pattern))]


def catch(copy: Copy, fault: Fault, before: str | None) -> str | None:
    """The test that catches a fault, if there is one; `before` is the one that did so before."""
    text = (copy.package / fault.module).read_text()
    first = [[before]] if before and "::" in before and (copy.path / before.partition("::")[0]).is_file() else []
    try:
        for tests in [*first, *steps(copy, fault.module)]:
            most = MOST if len(tests) > 1 else MOST_OF_NEAR
            copy.write(fault.module, fault.put_into(text))
            while caught := copy.run(tests, most):
                copy.write(fault.module, text)
                if "::" not in caught or copy.run([caught]) is None:
                    return caught
                copy.pass_over(caught)
                copy.write(fault.module, fault.put_into(text))
        return None
    finally:
        copy.write(fault.module, text)


def read_caught(path: Path) -> dict[str, str]:
    """The test that caught each fault, as this program has printed it."""
    found = re.findall(r"^caught   (.+)\n +by (.+), \d+ s$", path.read_text(), re.MULTILINE)
    return {re.sub(r":\d+:", "", fault, count=1): test for fault, test in found}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=40)
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--list", action="store_true", help="print the faults, and run nothing")
    parser.add_argument("--only", help="those of the faults whose line begins with this")
    parser.add_argument("--after", type=Path, metavar="FILE", help="what was printed before")
    arguments = parser.parse_args()
    taken = faults(ROOT / "service" / "location_policy", arguments.seed)[: arguments.number]
    taken = [fault for fault in sorted(taken, key=str) if str(fault).startswith(arguments.only or "")]
    if arguments.list:
        print(*taken, sep="\n")
        return 0
    before = read_caught(arguments.after) if arguments.after else {}
    caught = 0
    with tempfile.TemporaryDirectory(prefix="mutate") as name:
        copy = Copy(Path(name))
        for fault in taken:
            began = time.monotonic()
            by = catch(copy, fault, before.get(re.sub(r":\d+:", "", str(fault), count=1)))
            caught += by is not None
            print(f"{'caught  ' if by else 'SURVIVED'} {fault}", flush=True)
            print(f"         by {by}, {time.monotonic() - began:.0f} s" if by else "", flush=True)
    print(f"caught {caught} of {len(taken)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
