"""Validate the files of a configuration: a map, or every problem.

`load_map` is the one gate. The hook, the command line and the service all go through it, and files that pass it
anywhere pass it everywhere. It finds all problems before it raises, up to ten thousand errors: then it stops to look.
The prefix tree is made from a map by `lookup/snapshot.py`: judging a push needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ..errors import InvalidConfiguration
from ..problems import GATHERED, Problem, ProblemCollector, Problems, Severity, errors_in
from .expectation_checks import ExpectationChecker
from .files import (
    EXPECTATIONS_PATH,
    OTHER_TABLES,
    OWNERS_PATH,
    RULES_PATH,
    File,
    file_problems,
    is_rows,
    line_problems,
    misplaced_tables,
)
from .lint import single_row_problems, whole_map_problems
from .location_map import LocationMap
from .owners import OwnerFile, read_owners
from .policy_toml import Rules, read_rules
from .row_checks import no_rows, row_problems, rules_name_problems, unknown_expected
from .row_file import FIXED, LineCache, Patience, RowFile, read_rows

HELD = 64 * 1024 * 1024
"""Bytes of files of rows that are held for the next configuration; where there are more, all are read anew."""


def load_map(files: Iterable[File], most: int = GATHERED) -> LocationMap:
    """The map that these files make; raises InvalidConfiguration with its problems when there is an error.

    Judging stops at `most` errors, and gathers as many warnings.
    """
    return Validator(most).load_map(files)


def row_errors(files: Sequence[RowFile], beside: Sequence[File]) -> Problems:
    """What keeps these rows from being a map beside these rules and expectations, judged as `load_map` does: for rows
    that have no place in a configuration yet.

    Of two rows with the same network the one in the later file is told.
    """
    text = next((file.content for file in beside if file.path == RULES_PATH and file.content is not None), b"")
    rules = read_rules(text)[0]
    codes = rules.codes_of("error")
    collector = ProblemCollector(lambda problem: _only_error(rules.severity(problem.code)))
    collector.add(row_problems(tuple(files), rules, lambda code: rules.severity(code) == "error"))
    collector.add(single_row_problems(files, codes))
    if not collector.listed:
        collector.add(whole_map_problems(files, rules, text, codes))
        checker = ExpectationChecker()
        unsure = {problem.line for problem in checker.read(beside).problems}
        collector.add(checker.judge(tuple(files), rules.default, unsure))
    return collector.found()


class Validator:
    """`load_map` with a memory, for many configurations that have most of their files and lines in common."""

    def __init__(self, most: int = GATHERED) -> None:
        self._most = most
        self._lines = LineCache()
        self._files: dict[tuple[str, str], RowFile] = {}
        self._checker = ExpectationChecker()
        self._owners: tuple[bytes, OwnerFile] = (b"", OwnerFile())
        """The file read last, and what it says."""

    def knows(self, path: str, blob: str) -> bool:
        """Was this blob part of the configuration judged last, so that its content need not be read again?"""
        return (path, blob) in self._files or self._checker.knows(path, blob)

    def load_map(self, files: Iterable[File], *, was_served: bool = False, errors_only: bool = False) -> LocationMap:
        """The map that these files make.

        A configuration that an earlier version served keeps its right to be served: with `was_served`, errors that are
        a matter of severity are warnings, and so is all that is wrong with its expectations and owners. With
        `errors_only`, warnings that cost are not looked for. Raises InvalidConfiguration when an error is left.
        """
        ordered = sorted(files, key=lambda file: file.path)
        of_files = self._file_problems(ordered, was_served=was_served)
        unreadable = {problem.path for problem in errors_in(of_files)}
        readable = [file for file in ordered if file.path not in unreadable]
        rules_text = next((f.content for f in readable if f.path == RULES_PATH and f.content is not None), b"")
        written, rules_problems = read_rules(rules_text)
        rules = written.lenient() if was_served else written
        collector = ProblemCollector(_judge(rules, was_served=was_served), self._most)
        row_files = self._read_rows(readable, rules)
        expected = self._checker.read(readable)
        collector.add([*of_files, *rules_problems])
        collector.add(misplaced_tables(file.path for file in row_files if not (file.size or file.is_clean)))
        collector.add(rules_name_problems(rules, rules_text))
        collector.add(row_problems(row_files, rules, lambda code: collector.takes(rules.severity(code))))
        if unreadable <= OTHER_TABLES and not any(file.size or not file.is_clean for file in row_files):
            collector.add([no_rows()])
        codes = rules.codes_of("error") if errors_only else rules.codes_of("error", "warning")
        if not _has_map_errors(collector.listed):
            collector.add(whole_map_problems(row_files, rules, rules_text, codes))
        collector.add(single_row_problems(row_files, codes))
        owners = self._owner_file(readable)
        collector.add(expected.problems)
        collector.add(unknown_expected(expected, rules))
        collector.add(owners.problems)
        if not _has_map_errors(collector.listed):
            about = (problem for problem in collector.listed if problem.path == EXPECTATIONS_PATH)
            unsure = {problem.line for problem in about if rules.severity(problem.code) == "error"}
            collector.add(self._checker.judge(row_files, rules.default, unsure))
        found = collector.found()
        if errors_in(found):
            raise InvalidConfiguration(found)
        return LocationMap(written, row_files, found, expected.expected, owners.owned)

    def _file_problems(self, files: Sequence[File], *, was_served: bool) -> list[Problem]:
        """What keeps whole files from being read, and those with which there are too many lines."""
        found = list(file_problems(files, was_served=was_served))
        unreadable = {problem.path for problem in errors_in(found)}
        rows = (file for file in files if file.path not in unreadable and is_rows(file.path))
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
            if is_rows(file.path):
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
    return problem.path.casefold() in OTHER_TABLES
