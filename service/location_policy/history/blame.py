"""The row that answers an address, the rows that it beats, and who wrote it."""

from __future__ import annotations

from dataclasses import dataclass

from ..config.commit import Commit
from ..config.files import RULES_PATH, File
from ..config.row import Row
from ..config.toml_positions import key_place
from ..config.validate import load_map
from ..net.addresses import Address, format_address
from ..net.ranges import Names
from ..plan.as_json import Fields, answer_fields
from ..repository.repository import Repository
from ..repository.signing_policy import signature_rule
from .commit_text import commit_fields

Found = tuple[str, int, Row]
"""A row, with its path and its line."""


@dataclass(frozen=True, slots=True)
class Blame:
    """The answer for an address, where it stands, and who wrote that; all absent where there is no answer."""

    address: Address
    asked: Commit
    rows: list[Found]
    """Those that hold the address, the one that answers first."""
    names: Names | None
    place: tuple[str, int] | None
    written: Commit | None
    """By an earlier one perhaps, where `is_cut`: a shallow history begins with it."""
    is_cut: bool


def blame(repository: Repository, commit: Commit, address: Address) -> Blame:
    """Who is to be asked about the answer for an address; raises InvalidConfiguration."""
    files = repository.files_of(commit)
    location_map = load_map(files)
    rows, default = location_map.rows_at(address), location_map.rules.default
    if rows:
        path, line, row = rows[0]
        names: Names = row.names
    elif default:
        (path, line), names = _default_place(files), (default,)
    else:
        return Blame(address, commit, rows, None, None, None, is_cut=False)
    written, is_cut = writer(repository, commit, path, line)
    return Blame(address, commit, rows, names, (path, line), written, is_cut)


def writer(repository: Repository, commit: Commit, path: str, line: int) -> tuple[Commit, bool]:
    """The commit that wrote a line as it is in `commit`, and whether a shallow history begins with it."""
    written = repository.blame(commit, path, line)
    rule = signature_rule(repository.settings(), repository.directory)
    (found,) = rule.with_signers(repository, [repository.commit(written.commit_id)])
    return found, written.is_boundary and repository.is_shallow()


def blame_fields(found: Blame) -> Fields:
    """The same as JSON."""
    return {
        "address": format_address(found.address),
        "commit": found.asked.id,
        "answer": answer_fields(found.names),
        "subnet": str(found.rows[0][2].network) if found.rows else None,
        "source": f"{found.place[0]}:{found.place[1]}" if found.place else None,
        "written": commit_fields(found.written) if found.written else None,
        "is_cut": found.is_cut,
        "beaten": [_beaten(one) for one in found.rows[1:]],
    }


def _default_place(files: list[File]) -> tuple[str, int]:
    text = next(file.content for file in files if file.path == RULES_PATH)
    return RULES_PATH, key_place(text or b"", "answer", "default")[0]


def _beaten(found: Found) -> Fields:
    path, line, row = found
    return {"subnet": str(row.network), "source": f"{path}:{line}", "answer": answer_fields(row.names)}
