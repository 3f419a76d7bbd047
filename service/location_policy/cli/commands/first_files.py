"""The files of the first commit of a new repository: the sample, a folder, or the rows of one file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ...config.files import EXPECTATIONS_PATH, ROWS_FOLDER, ROWS_PATH, RULES_PATH
from ...config.known_names import slips
from ...config.new_rules import new_rules, with_limits
from ...config.row_file import LineCache, read_rows
from ...gate.hooks import shipped
from ...repository.working_copy import read_folder

Changes = dict[str, bytes | None]
"""The contents that files have otherwise than in the folder; None: they are not there."""


def first_files(origin: Path | None) -> tuple[Path, Changes]:
    """A folder, and what is otherwise in the commit; limits are added where there are none.

    Raises NoSuchFolder where the origin is a bare repository, and OSError.
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
    rows = origin.read_bytes()
    uses = Counter[str]()
    for names, number in read_rows(ROWS_PATH, rows, LineCache()).names.items():
        uses.update(dict.fromkeys(names, number))
    known = sorted(uses.keys() - slips(uses).keys())
    changes: Changes = {EXPECTATIONS_PATH: None}
    changes |= {path.relative_to(sample).as_posix(): None for path in (sample / ROWS_FOLDER).iterdir()}
    return sample, changes | {ROWS_PATH: rows, RULES_PATH: new_rules(template, known)}
