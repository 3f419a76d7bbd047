"""`location-policy blame`: the row that answers an address, the rows that it beats, and who wrote it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..addresses import Address, format_address
from ..errors import InvalidConfiguration
from ..lines import Row
from ..location_map import load_map
from ..places import key_place
from ..plan_fields import Fields, answer_fields
from ..problems import escape
from ..ranges import Names
from ..repository import Commit, Repository, open_repository
from ..sources import RULES_PATH, File
from .commits import (
    answer_text,
    asked_address,
    commit_fields,
    commit_text,
    signer_lines,
    signers_of,
)
from .rim import NO, NOT_ASKED, tell

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


def blame(address: str, repository: Path, revision: str | None, form: str) -> int:
    """Print who is to be asked about the answer for an address; the exit status."""
    asked = asked_address(address)
    try:
        with open_repository(repository) as opened:
            found = _find(opened, opened.find_commit(revision or opened.served_ref(opened.settings())), asked)
    except InvalidConfiguration as error:
        tell(error)
        return NOT_ASKED
    print(json.dumps(_fields(found)) if form == "json" else _words(found))
    return 0 if found.rows else NO


def _find(repository: Repository, commit: Commit, address: Address) -> Blame:
    files = repository.files(repository.entries(commit))
    location_map = load_map(files)
    rows, default = location_map.rows_at(address), location_map.rules.default
    if rows:
        path, line, row = rows[0]
        names: Names = row.names
    elif default:
        (path, line), names = _default_place(files), (default,)
    else:
        return Blame(address, commit, rows, None, None, None, is_cut=False)
    written = repository.blame(commit, path, line)
    is_cut = written.is_boundary and repository.is_shallow()
    (writer,) = signers_of(repository).with_signers(repository, [repository.commit(written.commit_id)])
    return Blame(address, commit, rows, names, (path, line), writer, is_cut)


def _default_place(files: list[File]) -> tuple[str, int]:
    text = next(file.content for file in files if file.path == RULES_PATH)
    return RULES_PATH, key_place(text or b"", "answer", "default")[0]


def _words(found: Blame) -> str:
    address = format_address(found.address)
    if found.place is None or found.written is None:
        return f"no answer: no row covers {address}"
    place = f"{escape(found.place[0])}:{found.place[1]}"
    what = found.rows[0][2].network if found.rows else f"the default: no row covers {address}"
    lines = [answer_text(found.names), f"  {place}: {what}", f"  {commit_text(found.written)}"]
    lines += [f"  {line}" for line in signer_lines(found.written)]
    if found.is_cut:
        lines.append("  or an earlier commit: the repository is a shallow clone, whose history ends here")
    if found.rows[1:]:
        lines.append("before")
    lines += [f"  {escape(path)}:{line}: {row.network} {answer_text(row.names)}" for path, line, row in found.rows[1:]]
    return "\n".join(lines)


def _fields(found: Blame) -> Fields:
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


def _beaten(found: Found) -> Fields:
    path, line, row = found
    return {"subnet": str(row.network), "source": f"{path}:{line}", "answer": answer_fields(row.names)}
