"""An uploaded table put in the place of the map, or of one file: what of it goes where, and what its commit says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..config.commit import Commit
from ..config.files import (
    EXPECTATIONS_PATH,
    ROWS_PATH,
    RULES_PATH,
    File,
    holds_rows,
    in_view,
    is_rows,
    view_of,
)
from ..config.location_names import is_name
from ..config.policy_toml import Rules, read_rules
from ..config.row_file import FIXED, LineCache, Patience, RowFile, read_rows
from ..errors import NothingChanges, UnusableUpload
from ..problems import Problems
from ..repository.new_commits import Author, CommitDraft
from ..repository.repository import Repository
from ..text import count, quote
from .first_map import first_rules, is_nothing, is_sample
from .known_edit import added_line, known_added
from .map_of_rows import home_of
from .overflow_table import taking_table
from .replace_rows import Replacement, counted, replace_rows
from .uploaded_table import Upload, read_upload

UPLOAD_LIMIT = 16 * 1024 * 1024
"""Bytes of a file: what is larger takes longer than an editor looks at a page, and goes by git."""
_NAMED = 5
"""Files that a hint names."""
_SAMPLE = "the map is still the sample: tick that it is replaced whole (a program sends sample=1)"


@dataclass(frozen=True, slots=True)
class UploadRows:
    """The rows of an uploaded file, called `name` and kept as `blob`, are to be the whole map, at the top or of a view,
    or all of one file of it.

    The names `known` are added to those that are. With `over_sample` they take the place of the sample, of which
    neither the expectations nor the known names stay.
    """

    blob: str
    name: str
    path: str = ""
    known: tuple[str, ...] = ()
    over_sample: bool = False
    view: str = ""

    def draft(self, repository: Repository, tip: Commit, author: Author) -> CommitDraft:  # noqa: ARG002  as an intent has it
        """The branch with these rows; raises NothingChanges, and UnusableUpload with every problem at its line."""
        content = repository.blob(self.blob, UPLOAD_LIMIT)
        if content is None:
            raise UnusableUpload(f"the uploaded {quote(self.name)} is no longer there", "choose the file again")
        files = [file for file in repository.files_of(tip) if file.content is not None]
        if not (self.path or self.view) and (is_nothing(tip) or (self.over_sample and is_sample(files))):
            return self._begun(repository, tip, content, files)
        upload, replacement, more = self._replaced(content, files)
        tree = repository.change_files(tip.tree, {**replacement.contents, **more})
        if tree == tip.tree:
            where = self.path or (f"view {self.view}" if self.view else "the map")
            raise NothingChanges(f"{where} already has what {quote(self.name)} has")
        lines = [_body(upload, replacement)]
        if more:
            lines.append(added_line(_rules_text(files) or b"", self.known))
        subject = f"Upload {self.name}" + (f" to {self.path or f'view {self.view}'}" if self.path or self.view else "")
        return CommitDraft(tree, subject, "\n\n".join(lines), upload.file)

    def _begun(self, repository: Repository, tip: Commit, content: bytes, there: Sequence[File]) -> CommitDraft:
        """The branch with nothing but these rows in its map, and their names known."""
        text = _rules_text(there)
        rules = read_rules(text or b"")[0]
        memory = LineCache()
        upload = read_upload(self.name, content, memory, rules.known, Patience(errors=FIXED | rules.codes_of("error")))
        after = first_rules(text, upload.file, self.known)
        beside = [File(RULES_PATH, "file", len(after), content=after)]
        self._check(upload, upload.errors((), beside), read_rules(after)[0])
        takes_text = upload.has_comments and not upload.forms
        made = replace_rows({}, upload.file, ROWS_PATH, memory, takes_text=takes_text, mends=True)
        gone = {file.path: None for file in there if is_rows(file.path) or file.path == EXPECTATIONS_PATH}
        tree = repository.change_files(tip.tree, {**gone, RULES_PATH: after, **made.contents})
        before = [read_rows(file.path, file.content or b"", memory) for file in there if is_rows(file.path)]
        made = counted(before, upload.file, {**gone, **made.contents}, memory)
        what = "the sample" if there else "an empty map"
        return CommitDraft(tree, f"Upload {self.name} in place of {what}", _body(upload, made), upload.file)

    def _replaced(self, content: bytes, there: Sequence[File]) -> tuple[Upload, Replacement, dict[str, bytes]]:
        """What was uploaded, what it does to the files of rows, and the rules where names are added to them."""
        text = _rules_text(there)
        view = home_of(self.view, self.path, text or b"")
        contents = {
            file.path: file.content or b"" for file in there if holds_rows(file.path) and view_of(file.path) == view
        }
        after = known_added(text or b"", self.known)
        more = {RULES_PATH: after} if after != (text or b"") else {}
        beside = [file for file in there if file.path not in contents and file.path not in more]
        beside += [File(path, "file", len(new), content=new) for path, new in more.items()]
        rules = read_rules(after)[0]
        if self.path and self.path not in contents:
            named = ", ".join(sorted(contents)[:_NAMED]) or "none yet"
            whose = f"view {view}" if view else "the map"
            raise UnusableUpload(f"{whose} has no file {quote(self.path)}", f"its files are: {named}")
        memory, patience = LineCache(), Patience(errors=FIXED | rules.codes_of("error"))
        files = [read_rows(path, text, memory) for path, text in contents.items()]
        others = [file for file in files if self.path and file.path != self.path]
        upload = read_upload(self._shown(others), content, memory, {*rules.known, *_names(files)}, patience)
        is_over_sample = not (self.path or view) and is_sample(there)
        self._check(upload, upload.errors(others, beside, view), rules, is_over_sample=is_over_sample)
        scope = {self.path: contents[self.path]} if self.path else contents
        home = self.path or in_view(view, ROWS_PATH)
        takes_text = upload.has_comments and not upload.forms and scope.keys() <= {home}
        mends = rules.severity("host-bits") == "error"
        there_now = {row for file in files for _, row in file.rows()} if rules.overflow_table else ()
        wanted = taking_table(upload.file, rules.overflow_table, there_now, memory)
        return upload, replace_rows(scope, wanted, home, memory, takes_text=takes_text, mends=mends), more

    def _check(self, upload: Upload, errors: Problems, rules: Rules, *, is_over_sample: bool = False) -> None:
        """Raises UnusableUpload where there are errors."""
        if errors:
            message = f"{quote(self.name)} has {errors.counted('error')}"
            mend = "correct the file, and upload it again: nothing is changed yet"
            raise UnusableUpload(message, _SAMPLE if is_over_sample else mend, errors, _unknown(upload.file, rules))

    def _shown(self, others: list[RowFile]) -> str:
        """The name with which problems are told: another one than those of files that it might be taken for."""
        return f"uploaded {self.name}" if any(file.path == self.name for file in others) else self.name


def _rules_text(files: Sequence[File]) -> bytes | None:
    return next((file.content for file in files if file.path == RULES_PATH), None)


def _unknown(file: RowFile, rules: Rules) -> list[str]:
    """The names of a file that are not known and could be, the commonest first."""
    uses = Counter[str]()
    for names, number in file.names.items():
        uses.update(dict.fromkeys(names, number))
    known = rules.known or uses.keys()
    return [name for name, _ in uses.most_common() if name not in known and is_name(name)]


def _names(files: list[RowFile]) -> Iterator[str]:
    return (name for file in files for names in file.names for name in names)


def _body(upload: Upload, replacement: Replacement) -> str:
    """What the commit does to rows, and how the file was understood."""
    numbers = {
        "added": replacement.come,
        "changed": replacement.changed,
        "removed": replacement.gone,
        "unchanged": replacement.kept,
    }
    lines = ["Rows: " + ", ".join(f"{number:,} {what}" for what, number in numbers.items()) + "."]
    if replacement.lost_comments:
        lines.append(f"Removed with them: {count(replacement.lost_comments, 'line')} of comments.")
    if upload.forms:
        lines += ["", *(f"{form}." for form in upload.forms)]
    return "\n".join(lines)
