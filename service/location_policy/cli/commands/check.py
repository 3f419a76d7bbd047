"""`location-policy check`: validate a working copy or a commit."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...config.commit import Commit
from ...config.expectation_coverage import coverage
from ...config.files import RULES_PATH, File, is_rows
from ...config.location_map import LocationMap
from ...config.validate import load_map
from ...errors import InvalidConfiguration, UnknownRevision
from ...integrations.forges.annotations import github_lines, gitlab_fields
from ...integrations.forges.problem_reports import Report, make_reports
from ...integrations.forges.sarif import sarif_fields
from ...plan.new_problems import old_line, split_by_age
from ...problems import GATHERED, NO_PROBLEMS, SHOWN, Fields, Problem, Problems, alike_line, errors_in, few_of_each
from ...repository.git_dir import is_git_directory
from ...repository.repository import Repository, open_repository
from ...repository.working_copy import filtered, not_checked_out, read_configuration
from ...text import count, escape
from ..terminal.exit_status import NO


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What `check` was asked: a working copy, or a commit of a repository."""

    folder: Path
    repository: Path | None
    revision: str | None
    is_staged: bool = False
    """Is it what is staged for the next commit of the working copy, not the files that lie there?"""
    index: Path | None = None
    """The file of what is staged, where git has set another than the usual one."""

    def __post_init__(self) -> None:
        """A bare repository that is named as the folder is asked as one: it has no files."""
        if self.repository is None and is_git_directory(self.folder):
            object.__setattr__(self, "repository", self.folder)

    @property
    def is_working_copy(self) -> bool:
        """Is it the files as they lie there, or as they are staged?"""
        return self.repository is None and self.revision is None


def check(
    asked: CheckOptions, *, form: str = "text", base: str | None = None, covers: bool = False, all_: bool = False
) -> int:
    """Print the first problems, as text a few of each code, and how many problems; the exit status.

    With `covers` also what expectations cover. With a `base`, a revision, the warnings that were there before are only
    counted, and of errors and of warnings those come first that stand in lines that it has not. With `all_` every
    problem is looked for and printed.
    """
    files, _ = read(asked)
    if asked.is_working_copy and not asked.is_staged:
        _tell_filtered(filtered(asked.folder, files))
        _tell_sparse(not_checked_out(asked.folder))
    before = _base_files(asked, base) if base else None
    most = sys.maxsize if all_ else GATHERED
    location_map, found = _judged(files, most)
    problems, old = (found, NO_PROBLEMS) if before is None else split_by_age(found, _judged(before, most)[1])
    told = set(problems)
    reports = [one for one in make_reports(found, files, before) if one.problem in told]
    shown = reports if all_ else reports[:SHOWN]
    few = few_of_each([one.problem for one in reports], problems.counts) if form == "text" and not all_ else None
    counted = {} if before is None else {"old_warnings": old.total}
    lines = _lines(shown, problems.count_fields() | counted, form, location_map, _prefix(asked))
    for line in lines if few is None else _few_lines(few, problems):
        print(line)
    for line in _coverage_lines(location_map) if covers and location_map else ():
        print(line)
    print(_size(location_map) + _count(problems, old) + _touched(reports), file=sys.stderr)
    number = len(shown) if few is None else sum(1 + alike for _, alike in few)
    for line in (*_rest(number, problems), *old_line(old)):
        print(line, file=sys.stderr)
    return NO if errors_in(problems) else 0


def _coverage_lines(location_map: LocationMap) -> Iterator[str]:
    """What expectations cover of the map at the top, then of the rows of each view."""
    yield from coverage(location_map).lines()
    for view in location_map.views:
        if view.rules.answer is None:
            yield f"view {view.name}:"
            yield from (f"  {line}" for line in coverage(view).lines())


def _tell_filtered(found: Mapping[str, str]) -> None:
    """Say that a commit may hold something else than was judged."""
    if not found:
        return
    path, attribute = next(iter(found.items()))
    others = f" and {count(len(found) - 1, 'other file')}" * (len(found) > 1)
    message = f"git filters {path}{others} ({attribute} in .gitattributes): a commit may hold something else"
    _warn(message, "git add it, and check what is staged: location-policy check --staged")


def _tell_sparse(paths: Sequence[str]) -> None:
    """Say that a commit has more files than were judged."""
    if paths:
        others = f" and {count(len(paths) - 1, 'other file')}" * (len(paths) > 1)
        message = f"a commit holds {paths[0]}{others} too, which this sparse checkout leaves out"
        _warn(message, "check what is staged: location-policy check --staged")


def _warn(message: str, hint: str) -> None:
    print(f"location-policy: warning: {escape(message)}\n  hint: {hint}", file=sys.stderr)


def _judged(files: Sequence[File], most: int) -> tuple[LocationMap | None, Problems]:
    """The map, None where it is not valid, and what is wrong with it or could be better."""
    try:
        found = load_map(files, most)
    except InvalidConfiguration as error:
        return None, error.problems
    return found, found.warnings


def load(folder: Path, repository: Path | None, revision: str | None) -> tuple[LocationMap, Commit | None]:
    """The map of a working copy, or of a commit and that commit; as `read` takes them."""
    files, commit = read(CheckOptions(folder, repository, revision))
    return load_map(files), commit


def read(asked: CheckOptions) -> tuple[list[File], Commit | None]:
    """The files of a working copy, or of a commit and that commit.

    A revision without a repository is one of the folder's; a repository without a revision means its served branch.
    """
    if asked.is_working_copy and not asked.is_staged:
        files = read_configuration(asked.folder)
        if not any(is_rows(file.path) or file.path == RULES_PATH for file in files):
            _warn(f"there is no file of rows in {asked.folder}", "name the folder that has locations.csv or locations/")
        return files, None
    with open_repository(asked.repository or asked.folder) as opened:
        if asked.is_staged:
            return opened.files(opened.staged(asked.index)), None
        commit = _commit(asked, opened)
        return opened.files_of(commit), commit


def _commit(asked: CheckOptions, repository: Repository) -> Commit:
    revision = "HEAD" if asked.is_working_copy else asked.revision
    return repository.find_commit(revision) if revision else repository.served_commit()


def _base_files(asked: CheckOptions, base: str) -> list[File]:
    """The files where what is asked has parted from `base`, as a forge compares a change with its target."""
    with open_repository(asked.repository or asked.folder) as opened:
        try:
            found = opened.find_commit(base)
        except UnknownRevision as error:
            hint = "fetch its history: git fetch --unshallow" if opened.is_shallow() else error.hint
            raise UnknownRevision(error.message, hint) from None
        parted = opened.merge_base(found.id, _commit(asked, opened).id)
        return opened.files_of(opened.commit(parted) if parted else found)


def _prefix(asked: CheckOptions) -> str:
    """What goes before a path so that it begins at the root of the repository, where forges look for it."""
    folder = asked.folder.resolve()
    root = next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), folder)
    return f"{folder.relative_to(root).as_posix()}/" if asked.is_working_copy and folder != root else ""


def _lines(
    reports: Sequence[Report], counts: Fields, form: str, location_map: LocationMap | None, prefix: str
) -> Iterable[str]:
    placed = [one._replace(problem=replace(one.problem, path=prefix + one.problem.path)) for one in reports]
    match form:
        case "github":
            return github_lines(placed)
        case "gitlab":
            return [json.dumps(gitlab_fields(placed), indent=2)]
        case "sarif":
            return [json.dumps(sarif_fields(placed), indent=2)]
        case "json":
            return _json(reports, counts, location_map)
    return (str(report.problem) for report in reports)


def _few_lines(few: Iterable[tuple[Problem, int]], problems: Problems) -> Iterator[str]:
    for problem, alike in few:
        yield str(problem)
        yield from alike_line(alike, problems, "--all shows them")


def _json(reports: Sequence[Report], counts: Fields, location_map: LocationMap | None) -> Iterator[str]:
    shown = [one.problem.fields() | ({} if one.is_touched is None else {"touched": one.is_touched}) for one in reports]
    yield json.dumps(
        {
            "valid": location_map is not None,
            "subnets": location_map and location_map.total_size,
            "files": location_map and len(location_map.all_files),
            "problems": shown,
            **counts,
        },
        indent=2,
    )


def _size(location_map: LocationMap | None) -> str:
    if location_map is None:
        return ""
    rows, views = count(location_map.total_size, "subnet"), location_map.views
    in_views = f" and {count(len(views), 'view')}" if views else ""
    return f"{rows} in {count(len(location_map.all_files), 'file')}{in_views}: "


def _count(problems: Problems, old: Problems) -> str:
    errors, warnings = errors_in(problems), problems.of("warning")
    parts = [errors.counted("error")] * bool(errors) + [warnings.counted("warning")] * bool(warnings)
    return ", ".join(parts) or ("no new problem" if old.total else "no problem")


def _rest(shown: int, problems: Problems) -> Iterator[str]:
    """Of which codes the problems are, where not all of them are printed."""
    if shown < problems.total:
        yield f"the first {shown:,} are printed; all of them by code:"
        yield from (f"  {number:,} {code}" for code, number in problems.by_code().items())
        yield "  hint: add --all to print every one"


def _touched(reports: Sequence[Report]) -> str:
    """How many of the problems stand in lines that were changed."""
    if not reports or reports[0].is_touched is None:
        return ""
    return f"; {sum(map(bool, (report.is_touched for report in reports))):,} in changed lines"
