"""`location-policy blame`: the row that answers an address, the rows that it beats, and who wrote it."""

from __future__ import annotations

import json
from pathlib import Path

from ...errors import InvalidConfiguration
from ...history import blame as blaming
from ...history.blame import Blame, blame_fields
from ...history.commit_text import answer_text, commit_text, signer_lines
from ...lookup.query_string import asked_address
from ...net.addresses import format_address
from ...repository.repository import open_repository
from ...text import escape
from ..terminal.exit_status import NO, NOT_ASKED, tell
from .signers import signers_of


def blame(address: str, repository: Path, revision: str | None, form: str) -> int:
    """Print who is to be asked about the answer for an address; the exit status."""
    asked = asked_address(address)
    try:
        with open_repository(repository) as opened:
            commit = opened.find_commit(revision) if revision else opened.served_commit()
            signers_of(opened)  # says so where they are not known
            found = blaming.blame(opened, commit, asked)
    except InvalidConfiguration as error:
        tell(error)
        return NOT_ASKED
    print(json.dumps(blame_fields(found)) if form == "json" else _words(found))
    return 0 if found.rows else NO


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
