"""Validate the files of a configuration: a map, or every problem.

`load_map` is the one gate. The hook, the command line and the service all go through it, and files that pass it
anywhere pass it everywhere. It finds all problems before it raises, up to ten thousand errors: then it stops to look.
The prefix tree is made from a map by `lookup/snapshot.py`: judging a push needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ..errors import InvalidConfiguration
from ..problems import GATHERED, NO_PROBLEMS, Problem, ProblemCollector, Problems, Severity, errors_in
from .expectation_checks import ExpectationChecker, read_each
from .expectations import ExpectationCache, ExpectationFile
from .files import (
    EXPECTATIONS_PATH,
    OWNERS_PATH,
    RULES_PATH,
    VIEWS_FOLDER,
    File,
    file_problems,
    holds_rows,
    in_view,
    is_beside,
    line_problems,
    misplaced_tables,
    view_of,
)
from .lint import codes_of_view, single_row_problems, whole_map_problems
from .location_map import LocationMap
from .owners import Owned, OwnerFile, read_owners
from .policy_toml import Rules, read_rules
from .row_checks import no_rows, row_problems, rules_name_problems, too_many_rows, unknown_expected
from .row_file import FIXED, LineCache, Patience, RowFile, read_rows

if TYPE_CHECKING:
    from .views.view import View

HELD = 64 * 1024 * 1024
"""Bytes of files of rows that are held for the next configuration; where there are more, all are read anew."""


def load_map(files: Iterable[File], most: int = GATHERED) -> LocationMap:
    """The map that these files make; raises InvalidConfiguration with its problems when there is an error.

    Judging stops at `most` errors, and gathers as many warnings.
    """
    return Validator(most).load_map(files)


def row_errors(files: Sequence[RowFile], beside: Sequence[File], view: str = "") -> Problems:
    """What keeps these rows from being a map beside these rules and expectations, judged as `load_map` does: for rows
    that have no place in a configuration yet, at the top or in a view of the rules.

    Of two rows with the same network the one in the later file is told.
    """
    text = next((file.content for file in beside if file.path == RULES_PATH and file.content is not None), b"")
    rules = read_rules(text)[0]
    codes = rules.codes_of("error")
    of_view = next((one for one in rules.views if one.name == view), None)
    own = rules.of_view(of_view) if of_view else rules
    collector = ProblemCollector(lambda problem: _only_error(rules.severity(problem.code)))
    collector.add(row_problems(tuple(files), own, lambda code: rules.severity(code) == "error"))
    collector.add(too_many_rows([files]))
    collector.add(single_row_problems(files, codes_of_view(codes) if of_view else codes))
    if not collector.listed:
        collector.add(whole_map_problems([files, *_rows_of_others(beside, rules)], rules, text, codes))
        checker = ExpectationChecker(in_view(view, EXPECTATIONS_PATH))
        unsure = {problem.line for problem in checker.read(beside).problems}
        rowless = own.rowless
        collector.add(checker.judge(tuple(files), rowless[0] if rowless else None, unsure, of_view))
    return collector.found()


def _rows_of_others(files: Iterable[File], rules: Rules) -> Iterator[list[RowFile]]:
    """The rows of the other maps where there are views, file by file: for names that are used there alone."""
    memory = LineCache()
    for file in files if rules.views else ():
        if holds_rows(file.path) and file.content is not None:
            yield [read_rows(file.path, file.content, memory)]


class _Part(NamedTuple):
    """The map at the top, or that of a view, before it is known to be valid."""

    view: View | None
    rules: Rules
    files: tuple[RowFile, ...]
    expected: ExpectationFile

    def codes(self, codes: frozenset[str]) -> frozenset[str]:
        """Those of the codes that are told of single rows."""
        return codes_of_view(codes) if self.view else codes


class Validator:
    """`load_map` with a memory, for many configurations that have most of their files and lines in common."""

    def __init__(self, most: int = GATHERED) -> None:
        self._most = most
        self._lines = LineCache()
        self._files: dict[tuple[str, str], RowFile] = {}
        self._checkers: dict[str, ExpectationChecker] = {}
        self._expectations = ExpectationCache()
        self._owners: tuple[bytes, OwnerFile] = (b"", OwnerFile())
        """The file read last, and what it says."""

    def knows(self, path: str, blob: str) -> bool:
        """Was this blob part of the configuration judged last, so that its content need not be read again?"""
        return (path, blob) in self._files or any(one.knows(path, blob) for one in self._checkers.values())

    def load_map(self, files: Iterable[File], *, was_served: bool = False, errors_only: bool = False) -> LocationMap:
        """The map that these files make.

        A configuration that an earlier version served keeps its right to be served: with `was_served`, errors that are
        a matter of severity are warnings, and so is all that is wrong with its expectations and owners. With
        `errors_only`, warnings that cost are not looked for. Raises InvalidConfiguration when an error is left.
        """
        ordered = sorted(files, key=lambda file: file.path)
        rules_text = next((f.content for f in ordered if f.path == RULES_PATH and f.content is not None), b"")
        written, rules_problems = read_rules(rules_text)
        ordered, strays = _without_strays(ordered, written)
        of_files = self._file_problems(ordered, was_served=was_served)
        unreadable = {problem.path for problem in errors_in(of_files)}
        if RULES_PATH in unreadable:
            rules_text, written, rules_problems = b"", Rules(), ()
        readable = [file for file in ordered if file.path not in unreadable]
        rules = written.lenient() if was_served else written
        collector = ProblemCollector(_judge(rules, was_served=was_served), self._most)
        parts = self._parts(readable, rules)
        files_of_rows = [file for part in parts for file in part.files]
        collector.add([*of_files, *strays, *rules_problems])
        collector.add(misplaced_tables(file.path for file in files_of_rows if not (file.size or file.is_clean)))
        collector.add(_rules_problems(rules, rules_text))
        collector.add(_each(parts, lambda one: row_problems(one.files, one.rules, _takes(collector, rules))))
        collector.add(too_many_rows([part.files for part in parts]))
        if all(map(is_beside, unreadable)):
            collector.add(_unanswering(parts, rules, rules_text))
        codes = rules.codes_of("error") if errors_only else rules.codes_of("error", "warning")
        if not _has_map_errors(collector.listed):
            collector.add(whole_map_problems([part.files for part in parts], rules, rules_text, codes))
        collector.add(_each(parts, lambda one: single_row_problems(one.files, one.codes(codes))))
        owners = self._owner_file(readable)
        collector.add(_each(parts, lambda one: [*one.expected.problems, *unknown_expected(one.expected, rules)]))
        collector.add(owners.problems)
        if not _has_map_errors(collector.listed):
            collector.add(_each(parts, lambda one: self._broken_expectations(one, collector.listed)))
        found = collector.found()
        if errors_in(found):
            raise InvalidConfiguration(found)
        return _map_of(parts, written, found, owners.owned)

    def _parts(self, files: Sequence[File], rules: Rules) -> list[_Part]:
        """What these files say of the map at the top, and of that of each view."""
        by_view: dict[str, list[RowFile]] = {}
        for file in self._read_rows(files, rules):
            by_view.setdefault(view_of(file.path), []).append(file)
        asked = (("", None, rules), *((view.name, view, rules.of_view(view)) for view in rules.views))
        expected = read_each([self._checker(name) for name, _, _ in asked], files)
        return [
            _Part(view, of_view, tuple(by_view.get(name, ())), expected_of_it)
            for (name, view, of_view), expected_of_it in zip(asked, expected, strict=True)
        ]

    def _checker(self, view: str) -> ExpectationChecker:
        """What holds the map of a view, or with no name that at the top, to its expectations."""
        path = in_view(view, EXPECTATIONS_PATH)
        return self._checkers.setdefault(view, ExpectationChecker(path, self._expectations))

    def _broken_expectations(self, part: _Part, told: Iterable[Problem]) -> Iterator[Problem]:
        """Those that a map breaks, but for lines of which an error is told."""
        about = (problem for problem in told if problem.path == part.expected.path)
        unsure = {problem.line for problem in about if part.rules.severity(problem.code) == "error"}
        rowless = part.rules.rowless
        checker = self._checker(part.view.name if part.view else "")
        return checker.judge(part.files, rowless[0] if rowless else None, unsure, part.view)

    def _file_problems(self, files: Sequence[File], *, was_served: bool) -> list[Problem]:
        """What keeps whole files from being read, and those with which there are too many lines."""
        found = list(file_problems(files, was_served=was_served))
        unreadable = {problem.path for problem in errors_in(found)}
        rows = (file for file in files if file.path not in unreadable and holds_rows(file.path))
        return [*found, *line_problems((file, self._count_lines(file)) for file in rows)]

    def _owner_file(self, files: Iterable[File]) -> OwnerFile:
        file = next((file for file in files if file.path == OWNERS_PATH), None)
        if file is None or file.content is None:
            return OwnerFile()
        if file.content != self._owners[0]:
            self._owners = file.content, read_owners(file.content)
        return self._owners[1]

    def _count_lines(self, file: File) -> int:
        """The lines of a file of rows, but for what follows the last LF."""
        if file.content is None:
            return len(self._files[file.path, file.blob].lines) - 1
        return file.content.count(b"\n")

    def _read_rows(self, files: Iterable[File], rules: Rules) -> tuple[RowFile, ...]:
        """What the files of rows say; those that are not large, and were read to the end, are held for the next.

        Wrong lines are counted in all files together: those that come after very many are not read.
        """
        before = {file.path: file for file in self._files.values()}
        patience = Patience(self._most, FIXED | rules.codes_of("error"))
        read: dict[int, RowFile] = {}
        found: dict[tuple[str, str], RowFile] = {}
        for file in files:
            if holds_rows(file.path):
                rows = found[file.path, file.blob] = self._row_file(file, before, read, patience)
                patience = patience.after(rows)
        contents = {id(file.content): len(file.content) for file in found.values()}
        is_held = sum(contents.values()) <= HELD
        self._files = {key: file for key, file in found.items() if is_held and not file.is_cut}
        return tuple(found.values())

    def _row_file(
        self, file: File, before: Mapping[str, RowFile], read: dict[int, RowFile], patience: Patience
    ) -> RowFile:
        """What a file says; one with the same content, which `read` has by its id, says the same."""
        if file.content is None:
            return self._files[file.path, file.blob]
        if same := read.get(id(file.content)):
            return replace(same, path=file.path)
        found = read_rows(file.path, file.content, self._lines, before.get(file.path), patience)
        return read.setdefault(id(file.content), found)


def _without_strays(files: list[File], rules: Rules) -> tuple[list[File], list[Problem]]:
    """The files without those in folders of views that there are not, and what is said of each such folder."""
    if not any(f"{file.path}/".startswith(VIEWS_FOLDER) for file in files):
        return files, []
    from .views.checks import without_strays  # most configurations have none

    return without_strays(files, rules)


def _map_of(parts: Sequence[_Part], rules: Rules, found: Problems, owned: tuple[Owned, ...]) -> LocationMap:
    """The map at the top, with those of the views; the rules are as they are written."""
    top, *views = (
        LocationMap(
            rules.of_view(part.view) if part.view else rules,
            part.files,
            NO_PROBLEMS if part.view else found,
            part.expected.expected,
            owned,
            view=part.view,
        )
        for part in parts
    )
    return replace(top, views=tuple(views)) if views else top


def _each(parts: Iterable[_Part], found: Callable[[_Part], Iterable[Problem]]) -> Iterator[Problem]:
    """What is found in each part, which is looked for when it is asked for."""
    return (problem for part in parts for problem in found(part))


def _takes(collector: ProblemCollector, rules: Rules) -> Callable[[str], bool]:
    """Is a problem of this code gathered still?"""
    return lambda code: collector.takes(rules.severity(code))


def _rules_problems(rules: Rules, text: bytes) -> Iterator[Problem]:
    """What is wrong with the names in the rules."""
    yield from rules_name_problems(rules, text)
    if rules.overflow_table:
        from .overflow.checks import overflow_problems  # most configurations have no table

        yield from overflow_problems(rules, text)
    if rules.views:
        from .views.checks import view_name_problems  # most configurations have none

        yield from view_name_problems(rules, text)


def _unanswering(parts: Sequence[_Part], rules: Rules, text: bytes) -> Iterator[Problem]:
    """What is said where nothing answers: in the whole configuration, or in a view."""
    if rules.views:
        from .views.checks import view_problems  # as above

        yield from view_problems(rules, text, {part.view.name: part.files for part in parts if part.view})
    elif not any(file.size or not file.is_clean for part in parts for file in part.files):
        yield no_rows()


def _judge(rules: Rules, *, was_served: bool) -> Callable[[Problem], Severity]:
    """The severity that the rules give a problem."""

    def judged(problem: Problem) -> Severity:
        severity = rules.severity(problem.code)
        return "warning" if was_served and severity == "error" and _is_beside(problem) else severity

    return judged


def _only_error(severity: Severity) -> Severity:
    return severity if severity == "error" else "off"


def _has_map_errors(problems: Iterable[Problem]) -> bool:
    """Is there an error in what is served? What is expected of it, and whose it is, is another matter."""
    return any(problem.severity == "error" and not _is_beside(problem) for problem in problems)


def _is_beside(problem: Problem) -> bool:
    """Is this about a file beside the map, not about what is served?"""
    return is_beside(problem.path)
