"""Validate the files of a configuration: a map, or every problem.

`load_map` is the one gate. The hook, the command line and the service all go through it, and files that pass it
anywhere pass it everywhere. It finds all problems before it raises. The prefix tree is made from a map by
`lookup/snapshot.py`: judging a push needs none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ..errors import InvalidConfiguration
from ..problems import Problem, errors_in
from .expectation_checks import ExpectationChecker
from .files import EXPECTATIONS_PATH, OTHER_TABLES, OWNERS_PATH, RULES_PATH, File, file_problems, is_rows, line_problems
from .lint import single_row_problems, whole_map_problems
from .location_map import LocationMap
from .owners import OwnerFile, read_owners
from .policy_toml import Rules, read_rules
from .row_checks import default_problems, no_rows, row_problems, unknown_expected
from .row_file import LineCache, RowFile, read_rows

HELD = 64 * 1024 * 1024
"""Bytes of files of rows that are held for the next configuration; where there are more, all are read anew."""


def load_map(files: Iterable[File]) -> LocationMap:
    """The map that these files make; raises InvalidConfiguration with every problem when there is an error."""
    return Validator().load_map(files)


def row_errors(files: Sequence[RowFile], beside: Sequence[File]) -> tuple[Problem, ...]:
    """What keeps these rows from being a map beside these rules and expectations, judged as `load_map` does: for rows
    that have no place in a configuration yet.

    Of two rows with the same network the one in the later file is told.
    """
    text = next((file.content for file in beside if file.path == RULES_PATH and file.content is not None), b"")
    rules = read_rules(text)[0]
    codes = rules.codes_of("error")
    problems = [*row_problems(tuple(files), rules), *single_row_problems(files, codes)]
    if not errors_in(_judge(problems, rules)):
        problems += whole_map_problems(files, rules, text, codes)
        checker = ExpectationChecker()
        unsure = {problem.line for problem in checker.read(beside).problems}
        problems += checker.judge(tuple(files), rules.default, unsure)
    return errors_in(_judge(problems, rules))


class Validator:
    """`load_map` with a memory, for many configurations that have most of their files and lines in common."""

    def __init__(self) -> None:
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
        `errors_only`, warnings that cost are not looked for. Raises InvalidConfiguration with every problem when an
        error is left.
        """
        ordered = sorted(files, key=lambda file: file.path)
        problems = list(file_problems(ordered))
        unreadable = {problem.path for problem in errors_in(problems)}
        readable = [file for file in ordered if file.path not in unreadable]
        too_many = list(line_problems((file, self._count_lines(file)) for file in readable if is_rows(file.path)))
        if too_many:
            problems += too_many
            unreadable |= {problem.path for problem in too_many}
            readable = [file for file in readable if file.path not in unreadable]
        rules_text = next((f.content for f in readable if f.path == RULES_PATH and f.content is not None), b"")
        written, rules_problems = read_rules(rules_text)
        rules = written.lenient() if was_served else written
        before = {file.path: file for file in self._files.values()}
        read: dict[int, RowFile] = {}
        files_of_rows = {(f.path, f.blob): self._row_file(f, before, read) for f in readable if is_rows(f.path)}
        row_files = tuple(files_of_rows.values())
        contents = {id(file.content): len(file.content) for file in row_files}
        self._files = files_of_rows if sum(contents.values()) <= HELD else {}
        expected = self._checker.read(readable)
        problems += [*rules_problems, *default_problems(rules, rules_text), *row_problems(row_files, rules)]
        if unreadable <= OTHER_TABLES and not any(file.size or not file.is_clean for file in row_files):
            problems.append(no_rows())
        codes = rules.codes_of("error") if errors_only else rules.codes_of("error", "warning")
        whole = () if _has_map_errors(problems, rules) else whole_map_problems(row_files, rules, rules_text, codes)
        problems += [*whole, *single_row_problems(row_files, codes)]
        owners = self._owner_file(readable)
        problems += [*expected.problems, *unknown_expected(expected, rules), *owners.problems]
        if not _has_map_errors(problems, rules):
            errors = errors_in(_judge(problems, rules))
            unsure = {problem.line for problem in errors if problem.path == EXPECTATIONS_PATH}
            problems += self._checker.judge(row_files, rules.default, unsure)
        judged = tuple(_judge(problems, rules, was_served=was_served))
        if errors_in(judged):
            raise InvalidConfiguration(judged)
        return LocationMap(written, row_files, judged, expected.expected, owners.owned)

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

    def _row_file(self, file: File, before: Mapping[str, RowFile], read: dict[int, RowFile]) -> RowFile:
        """What a file says; one with the same content, which `read` has by its id, says the same."""
        if file.content is None:
            return self._files[file.path, file.blob]
        if same := read.get(id(file.content)):
            return replace(same, path=file.path)
        found = read_rows(file.path, file.content, self._lines, before.get(file.path))
        return read.setdefault(id(file.content), found)


def _judge(problems: list[Problem], rules: Rules, *, was_served: bool = False) -> Iterator[Problem]:
    """The problems in the order of their places, each with the severity that the rules give it."""
    for problem in sorted(problems, key=lambda problem: (problem.path, problem.line, problem.column)):
        severity = rules.severity(problem.code)
        if was_served and severity == "error" and _is_beside(problem):
            severity = "warning"
        if severity != "off":
            yield problem if problem.severity == severity else replace(problem, severity=severity)


def _has_map_errors(problems: list[Problem], rules: Rules) -> bool:
    """Is there an error in what is served? What is expected of it, and whose it is, is another matter."""
    return not all(map(_is_beside, errors_in(_judge(problems, rules))))


def _is_beside(problem: Problem) -> bool:
    """Is this about a file beside the map, not about what is served?"""
    return problem.path.casefold() in OTHER_TABLES
