"""The first commit of a new configuration: the sample, a folder, the rows of one file, or what a bundle has; and the
rules it begins with.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from ...config.files import EXPECTATIONS_PATH, ROWS_FOLDER, ROWS_PATH, RULES_PATH
from ...config.known_names import slips
from ...config.policy_toml import read_rules
from ...config.row_file import LineCache, read_rows
from ...edits.first_map import new_rules
from ...edits.replace_rows import replace_rows
from ...edits.uploaded_table import read_upload
from ...errors import ForeignUpload, InvalidConfiguration, LocationPolicyError, UnusableUpload
from ...gate.hooks import shipped
from ...repository.new_repository import is_bundle
from ...repository.working_copy import read_folder
from ...text import without_bom
from .ci_program import program_files

Changes = dict[str, bytes | None]
"""The contents that files have otherwise than in the folder; None: they are not there."""
_LIMITS = b"[limits]\n"
"""The last table of the one that the program comes with."""
_SAYS_LIMITS = re.compile(rb"""^[ \t]*\[?[ \t]*["']?limits\b""", re.MULTILINE)

_IS_SAMPLE = "warning: the map is the sample, not yours; begin with yours: init NEWPATH --from FILE|FOLDER|BUNDLE"


@dataclass(frozen=True, slots=True)
class First:
    """What a new repository begins with: the files of a folder, but for changes, or a bundle; and what to tell."""

    folder: Path | None = None
    changes: Mapping[str, bytes | None] = field(default_factory=dict)
    bundle: Path | None = None
    note: str = ""


def first_commit(origin: Path | None, program: str | None) -> First:
    """What is asked for by `--from` and `--program`.

    Raises ValueError where one names nothing that can be taken, NoSuchFolder where the origin is a bare repository, and
    OSError.
    """
    if origin is not None and not origin.exists():
        raise ValueError(f"{origin} does not exist")
    if origin is not None and origin.is_file() and is_bundle(origin):
        if program is not None:
            raise ValueError("a bundle is restored as it is: leave out --program")
        return First(bundle=origin)
    folder, changes = first_files(origin)
    if program is not None:
        changes = {**changes, **program_files(program, folder)}
    limits = f"{RULES_PATH} has [limits] on what one push may change" if RULES_PATH in changes else ""
    return First(folder, changes, note=limits if origin else _IS_SAMPLE)


def first_files(origin: Path | None) -> tuple[Path, Changes]:
    """A folder, and what is otherwise in the commit; limits are added where there are none.

    Raises NoSuchFolder where the origin is a bare repository, LocationPolicyError for the table of another program,
    InvalidConfiguration for what is wrong in that of a spreadsheet, and OSError.
    """
    sample = shipped("config-repo")
    template = (sample / RULES_PATH).read_bytes()
    if origin is None:
        return sample, {}
    if origin.is_dir():
        read_folder(origin)
        rules = origin / RULES_PATH
        if rules.is_symlink():  # it is refused as such
            return origin, {}
        content = rules.read_bytes() if rules.exists() else b""
        after = with_limits(content, template)
        return origin, {} if after == content else {RULES_PATH: after}
    rows = _rows(origin)
    uses = Counter[str]()
    for names, number in read_rows(ROWS_PATH, rows, LineCache()).names.items():
        uses.update(dict.fromkeys(names, number))
    known = sorted(uses.keys() - slips(uses).keys())
    changes: Changes = {EXPECTATIONS_PATH: None}
    changes |= {path.relative_to(sample).as_posix(): None for path in (sample / ROWS_FOLDER).iterdir()}
    return sample, changes | {ROWS_PATH: rows, RULES_PATH: new_rules(template, known)}


def _rows(path: Path) -> bytes:
    """A file of rows; of a spreadsheet, which has a heading, other separators or another encoding, as the upload page
    reads it.

    Raises LocationPolicyError for the table of another program, and InvalidConfiguration for what is wrong in that of a
    spreadsheet, at its lines.
    """
    content, memory = path.read_bytes(), LineCache()
    try:
        upload = read_upload(path.name, content, memory)
    except ForeignUpload as error:
        hint = f"make rows of it with location-policy import {quote(str(path))} --into map, and begin --from map"
        raise LocationPolicyError(error.message, hint) from None
    except UnusableUpload:
        return content  # the check says what it is
    if not upload.forms:
        return content
    if errors := upload.errors((), ()):
        raise InvalidConfiguration(errors)
    made = replace_rows({}, upload.file, ROWS_PATH, memory, takes_text=upload.has_comments, mends=True)
    return (made.contents[ROWS_PATH] or b"").lstrip(b"\n")


def with_limits(content: bytes, template: bytes) -> bytes:
    """The rules with the limits of the template, where they say nothing of limits; else, or where they cannot be read,
    as they are.
    """
    _, problems = read_rules(content)
    if problems or _SAYS_LIMITS.search(without_bom(content)):
        return content
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    gap = b"" if not content.strip() else newline if content.endswith(b"\n") else newline * 2
    limits = template[template.rindex(_LIMITS) :].replace(b"\n", newline)
    return content + gap + limits
