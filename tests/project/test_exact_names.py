"""Names of refs and revisions are resolved in one module, and git is handed full ids by all others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from location_policy.repository.git import PlainGit
from location_policy.repository.revisions import Revisions
from tests.conftest import TAKES_REVISIONS, guesses
from tests.support.repositories import GOOD, make_repository

REPOSITORY = Path(__file__).parent.parent.parent / "service" / "location_policy" / "repository"
RESOLVER = "refs"
RUNS = {"run", "found", "converse", "_revisions"}
"""The functions and methods that run git, or hand on what is to be run."""
HARMLESS = {
    *(
        "-c",
        "bundle",
        "check-ref-format",
        "config",
        "fetch",
        "init",
        "ls-remote",
    ),  # no object is asked for by a name of ours
    *(
        "hash-object",
        "interpret-trailers",
        "ls-files",
        "merge-tree",
        "mktag",
        "notes",
        "update-index",
        "write-tree",
    ),  # as little
    *("for-each-ref", "update-ref"),  # they take full names of refs, and guess none
}
"""Commands that resolve no name, besides those to which only ids are given (`TAKES_REVISIONS`)."""
ONLY_THERE = {"rev-parse", "show-ref", "symbolic-ref"}
"""Commands to which names may be given in the resolver alone; elsewhere every word of theirs is written out."""
WRITES_HEAD = ("new_repository", "symbolic-ref")
"""A repository that is restored lets its HEAD name a branch of the bundle, in full."""


def calls() -> Iterator[tuple[str, list[ast.expr]]]:
    """The module and the words of each call that runs git."""
    for path in sorted(REPOSITORY.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) in RUNS | ({"_ask"} if path.stem == "mirror" else set()):
                words = [word for word in node.args if not (isinstance(word, ast.Name) and word.id == "git")]
                words = [word for word in words if not (isinstance(word, ast.Attribute) and word.attr == "_git")]
                yield path.stem, words


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _literal(word: ast.expr) -> str | None:
    return word.value if isinstance(word, ast.Constant) and isinstance(word.value, str) else None


def test_a_name_is_given_to_git_by_the_resolver_alone() -> None:
    seen = set()
    for module, words in calls():
        command = _literal(words[0]) if words else None
        if command is None or command.startswith("--"):
            continue  # what hands on what it is handed, and options of rev-list
        seen.add(command)
        if command in ONLY_THERE and module != RESOLVER and (module, command) != WRITES_HEAD:
            assert None not in map(_literal, words), (module, command)
        assert command in TAKES_REVISIONS | HARMLESS | ONLY_THERE, (module, command)
    assert seen >= ONLY_THERE | {"cat-file", "rev-list"}  # so calls are found


def test_no_other_package_runs_git() -> None:
    outside = [path for path in REPOSITORY.parent.rglob("*.py") if REPOSITORY not in path.parents]
    for path in outside:
        assert "repository.git import" not in path.read_text(), path


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("rev-list", "--max-count=1", "main", f"^{'1' * 40}", "--", "x"), ["main"]),
        (("blame", "-L", "1,1", "1" * 7, "--", "main"), ["1" * 7]),
        (("cat-file", "blob", f"{'1' * 40}:main"), []),
        (("commit-tree", "1" * 64, "-p", "HEAD", "-m", "main"), ["HEAD"]),
        (("update-ref", "refs/heads/main", "1" * 40), []),
    ],
)
def test_what_is_no_full_id_is_seen(line: tuple[str, ...], words: list[str]) -> None:
    assert guesses(*line) == words


def test_while_tests_run_a_name_that_is_handed_to_git_fails(tmp_path: Path) -> None:
    revisions = Revisions(PlainGit(make_repository(tmp_path / "map.git", GOOD)))
    with pytest.raises(AssertionError, match="'main'"):
        revisions.parents("main")
