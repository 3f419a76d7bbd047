"""Templates, messages and help use the terms of docs/develop/words.md, and none of the phrases that it forbids."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "service" / "location_policy"
WORDS = ROOT / "docs" / "develop" / "words.md"
_ROW = re.compile(r"^\| (?P<term>[^|]+) \| [^|]+ \| (?P<phrases>[^|]+) \|$", re.MULTILINE)
_PATTERN = re.compile(r"\\[\\bs.\[(]|\(\?|\[[A-Z][a-z]\]|\w\|\w")
"""What has this is a pattern, for what another program says."""
_EXPRESSION, _STATEMENT = re.compile(r"\{\{(.*?)\}\}"), re.compile(r"\{%.*?%\}")
_TEXT = re.compile(r"\"([^\"]*)\"")
_TAG = re.compile(r"<[^>]*?(?:(?:aria-label|title|placeholder)=\"([^\"]*)\")?[^>]*>")
_EVENT = re.compile(r"[a-z ]+ [a-z]+=%")
"""A line of the log, whose words are keys."""


def forbidden() -> dict[str, str]:
    """Each phrase, in lower case, and the term to write in its place."""
    rows = [row for row in _ROW.finditer(WORDS.read_text()) if row["term"] not in ("term", "---")]
    return {phrase.strip().lower(): row["term"] for row in rows for phrase in row["phrases"].split(", ")}


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """The lines and strings of a module that somebody reads: those with a space, and the help of commands."""
    tree = ast.parse(path.read_text())
    silent: set[ast.expr] = set()
    for node in ast.walk(tree):
        is_command = isinstance(node, ast.FunctionDef) and node.decorator_list and path.parent.name == "usage"
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not is_command:
            silent |= {line.value for line in node.body if isinstance(line, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in silent:
            text = node.value
            if " " in text.strip() and not _PATTERN.search(text) and not _EVENT.match(text):
                yield node.lineno, text


def shown(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a template without what is only between tags and braces, but with strings that are written out."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        plain = _STATEMENT.sub(" ", _EXPRESSION.sub(lambda found: " ".join(_TEXT.findall(found[1])), line))
        yield number, _TAG.sub(r" \1 ", plain)


def found_in(text: str, phrases: dict[str, str]) -> list[str]:
    """The forbidden phrases of a text, each with what to write."""
    plain = " ".join(re.sub(r"`[^`]*`", " ", text.lower()).split())
    return [f"{phrase!r}: write {term!r}" for phrase, term in phrases.items() if _has(plain, phrase)]


def _has(text: str, phrase: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(phrase)}(?!\w)", text) is not None


def test_the_table_is_read() -> None:
    phrases = forbidden()
    assert (phrases["in force"], phrases["refused"]) == ("active commit", "rejected")
    assert len(phrases) > 50


def test_each_phrase_has_one_term() -> None:
    rows = _ROW.findall(WORDS.read_text())
    phrases = [phrase.strip().lower() for _, column in rows for phrase in column.split(", ")]
    assert sorted(phrases) == sorted(set(phrases))


@pytest.mark.parametrize(
    ("text", "number"), [("It is in force", 1), ("Refused: no row", 1), ("it is --refused", 0), ("reinforced", 0)]
)
def test_a_phrase_is_found_as_words(text: str, number: int) -> None:
    assert len(found_in(text, forbidden())) == number


@pytest.mark.parametrize(("kind", "read"), [("py", messages), ("html", shown)], ids=["messages-and-help", "templates"])
def test_what_is_read_keeps_to_the_terms(kind: str, read: Callable[[Path], Iterator[tuple[int, str]]]) -> None:
    phrases = forbidden()
    wrong = [
        f"{path.relative_to(PACKAGE)}:{number}: {told}"
        for path in sorted(PACKAGE.rglob(f"*.{kind}"))
        for number, text in read(path)
        for told in found_in(text, phrases)
    ]
    assert not wrong, "\n".join(wrong)
