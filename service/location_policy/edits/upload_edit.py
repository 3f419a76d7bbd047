"""An uploaded table put in the place of the map, or of one file: what of it goes where, and what its commit says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..config.commit import Commit
from ..config.files import ROWS_PATH, RULES_PATH, File, is_rows
from ..config.policy_toml import read_rules
from ..config.row_file import FIXED, LineCache, Patience, RowFile, read_rows
from ..errors import NothingChanges, UnusableUpload
from ..repository.new_commits import Author, CommitDraft
from ..repository.repository import Repository
from ..text import count, quote
from .replace_rows import Replacement, replace_rows
from .uploaded_table import Upload, read_upload

UPLOAD_LIMIT = 16 * 1024 * 1024
"""Bytes of a file: what is larger takes longer than an editor looks at a page, and goes by git."""
_NAMED = 5
"""Files that a hint names."""


@dataclass(frozen=True, slots=True)
class UploadRows:
    """The rows of an uploaded file, called `name` and kept as `blob`, are to be the whole map, or all of one file."""

    blob: str
    name: str
    path: str = ""

    def draft(self, repository: Repository, tip: Commit, author: Author) -> CommitDraft:  # noqa: ARG002  as an intent has it
        """The branch with these rows; raises NothingChanges, and UnusableUpload with every problem at its line."""
        content = repository.blob(self.blob, UPLOAD_LIMIT)
        if content is None:
            raise UnusableUpload(f"the uploaded {quote(self.name)} is no longer there", "choose the file again")
        files = repository.files_of(tip)
        upload, replacement = self._replaced(content, [file for file in files if file.content is not None])
        tree = repository.change_files(tip.tree, replacement.contents)
        if tree == tip.tree:
            where = self.path or "the map"
            raise NothingChanges(f"nothing changes by this: {where} says already what {quote(self.name)} says")
        return CommitDraft(
            tree, f"Upload {self.name}" + f" to {self.path}" * bool(self.path), _body(upload, replacement)
        )

    def _replaced(self, content: bytes, there: Sequence[File]) -> tuple[Upload, Replacement]:
        contents = {file.path: file.content or b"" for file in there if is_rows(file.path)}
        beside = [file for file in there if not is_rows(file.path)]
        rules = read_rules(next((file.content or b"" for file in beside if file.path == RULES_PATH), b""))[0]
        if self.path and self.path not in contents:
            named = ", ".join(sorted(contents)[:_NAMED]) or "none yet"
            raise UnusableUpload(f"the map has no file {quote(self.path)}", f"its files are: {named}")
        memory, patience = LineCache(), Patience(errors=FIXED | rules.codes_of("error"))
        files = [read_rows(path, text, memory) for path, text in contents.items()]
        others = [file for file in files if self.path and file.path != self.path]
        upload = read_upload(self._shown(others), content, memory, {*rules.known, *_names(files)}, patience)
        if errors := upload.errors(others, beside):
            message = f"{quote(self.name)} cannot be taken: {errors.counted('error')}"
            raise UnusableUpload(message, "mend the file, and choose it again: nothing is changed yet", errors)
        scope = {self.path: contents[self.path]} if self.path else contents
        home = self.path or ROWS_PATH
        takes_text = upload.has_comments and not upload.forms and scope.keys() <= {home}
        mends = rules.severity("host-bits") == "error"
        return upload, replace_rows(scope, upload.file, home, memory, takes_text=takes_text, mends=mends)

    def _shown(self, others: list[RowFile]) -> str:
        """The name with which problems are told: another one than those of files that it might be taken for."""
        return f"uploaded {self.name}" if any(file.path == self.name for file in others) else self.name


def _names(files: list[RowFile]) -> Iterator[str]:
    return (name for file in files for names in file.names for name in names)


def _body(upload: Upload, replacement: Replacement) -> str:
    """What the commit does to rows, and how the file was understood."""
    numbers = {
        "new": replacement.come,
        "changed": replacement.changed,
        "gone": replacement.gone,
        "as before": replacement.kept,
    }
    lines = ["Rows: " + ", ".join(f"{number:,} {what}" for what, number in numbers.items()) + "."]
    if replacement.lost_comments:
        lines.append(f"Gone with them: {count(replacement.lost_comments, 'line')} of comments.")
    if upload.forms:
        lines += ["", *(f"In the file {form}." for form in upload.forms)]
    return "\n".join(lines)
