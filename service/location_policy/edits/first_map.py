"""The first map of a repository, which an upload or a row begins: on an empty branch, or over the sample of `init`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from ..config.commit import Commit
from ..config.files import EXPECTATIONS_PATH, RULES_PATH, File, is_rows
from ..config.known_names import slips, with_known
from ..config.location_names import is_name
from ..config.row_file import RowFile
from ..errors import NotWritable
from ..gate.hooks import shipped
from ..repository.repository import Repository

_EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
"""The tree without a file, which git knows in every repository, by the length of an id (git, object-file.c)."""


def tip_or_nothing(repository: Repository) -> Commit:
    """The newest commit of the served branch; before there is one, what stands for it: an id of zeros, no file."""
    ref = repository.served_ref(repository.settings())
    if commit_id := repository.tip(ref):
        return repository.commit(commit_id)
    repository.require_not_lost(ref)
    length = 64 if repository.formats()[0] == "sha256" else 40
    return Commit("0" * length, _EMPTY_TREES[length], "", "", datetime.fromtimestamp(0, UTC))


def is_nothing(tip: Commit) -> bool:
    """Does this stand for a branch without a commit?"""
    return not tip.id.strip("0")


def is_sample(files: Iterable[File]) -> bool:
    """Are the rows and the expectations of a configuration those of the sample that travels with the program?"""
    there = {file.path: file.content for file in files if file.path == EXPECTATIONS_PATH or is_rows(file.path)}
    folder = shipped("config-repo")
    paths = [EXPECTATIONS_PATH, *(path.relative_to(folder).as_posix() for path in folder.glob("locations/**/*.csv"))]
    return there == {path: (folder / path).read_bytes() for path in paths}


def first_rules(rules: bytes | None, rows: RowFile, meant: Collection[str] = ()) -> bytes:
    """The `policy.toml` of a first map: these rules, else those of the sample, with just the names of its rows known.

    A name that is nearly another is made known only where it is `meant`: whether it is a slip is for its editor to
    say. Raises NotWritable where the rules cannot be read.
    """
    uses = Counter[str]()
    for names, number in rows.names.items():
        uses.update(dict.fromkeys(names, number))
    template = (shipped("config-repo") / RULES_PATH).read_bytes() if rules is None else rules
    flawless = {name for name in uses if is_name(name)}
    try:
        return new_rules(template, sorted(flawless - (slips(uses).keys() - set(meant))))
    except ValueError as error:
        raise NotWritable(
            f"{RULES_PATH} cannot be changed here: {error}", "change it in a clone, and push it"
        ) from None


def new_rules(template: bytes, names: Sequence[str]) -> bytes:
    """The template with just these names known, each on a line of its own."""
    return with_known(with_known(template, ()), names)
