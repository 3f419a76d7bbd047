"""One row of the map changed, taken away or added: no other line of its file is touched, nor is the end of any line.

What is typed goes into the line as it is, between quotation marks where it must; whether it is a row is for the gate to
say, as of a push. A row is known again by its text, wherever it stands now; where that has changed, who has
changed it must be heard first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from ..config.commit import Commit
from ..config.csv_lines import cells_of, cells_text
from ..config.files import ROWS_PATH, RULES_PATH, holds_rows, in_view, may_hold_rows, view_of
from ..config.location_map import LocationMap
from ..config.row import Row, parse_line, row_of
from ..config.row_file import LineCache, read_rows
from ..config.validate import Validator
from ..errors import InvalidConfiguration, NothingChanges, NotWritable, RowChanged
from ..net.addresses import Network
from ..repository.maps import load_map_at
from ..repository.new_commits import Author, CommitDraft
from ..repository.repository import Repository
from ..text import bom_of, quote
from .first_map import first_rules, is_nothing
from .map_of_rows import home_of

_SUBJECT = 100
"""Characters of a row that a subject repeats."""


class Typed(NamedTuple):
    """The cells of a row as an editor has typed them; `cells` and `words` raise NothingChanges where there are none."""

    location: str
    overflow: tuple[str, ...]
    subnet: str

    def cells(self, width: int = 0, instead: str = "") -> list[str]:
        """In the order of the file; blank ones make it as wide as others are. `instead`: what else a hint names."""
        if not any(map(str.strip, (self.location, *self.overflow, self.subnet))):
            raise NothingChanges("no field is filled in", f"type a subnet and its location{instead}")
        names = [self.location.strip(), *filter(None, map(str.strip, self.overflow))]
        return [*names, *[""] * (width - len(names) - 1), self.subnet.strip()]

    def words(self) -> str:
        """The same for the subject of a commit."""
        text = " ".join([self.subnet.strip(), "to", ", ".join(filter(None, self.cells()[:-1]))])
        return _short(text)


@dataclass(frozen=True, slots=True)
class EditRow:
    """The row that stood at a line of a file and said `seen` is to be another one; None: none."""

    path: str
    line: int
    seen: str
    row: Typed | None

    def draft(self, repository: Repository, tip: Commit, author: Author) -> CommitDraft:  # noqa: ARG002  as an intent has it
        """The branch with that line changed; raises RowChanged."""
        path, file, at = self._found(repository, tip)
        if self.row is None:
            subject, now = f"Remove {_short(_subnet(self.seen))}", None
            file.remove(at)
        else:
            now = cells_text(self.row.cells(_width(self.seen), "; to take the row away, tick: remove the row"))
            was = _short(_subnet(self.seen))
            subject = f"Change {'' if was == self.row.subnet.strip() else f'{was} into '}{self.row.words()}"
            file.replace(at, now)
        body = "\n".join([f"In {path}:", "", f"    -{self.seen}", *([f"    +{now}"] if now is not None else [])])
        return _draft(repository, tip, path, file, subject, body)

    def _found(self, repository: Repository, tip: Commit) -> tuple[str, _Lines, int]:
        """The file in which the row is now, and where: in its own, or in another to which it was moved as it was."""
        file = _Lines.of(repository.content_at(tip.tree, self.path) if may_hold_rows(self.path) else b"")
        at = self._at(file)
        if at is not None:
            return self.path, file, at
        seen = row_of(parse_line(self.seen.encode(errors="replace")))
        same = list(_same(repository, tip, seen.network, view_of(self.path))) if seen else []
        for path, at, text in same:
            if text == self.seen:
                return path, _Lines.of(repository.content_at(tip.tree, path)), at
        raise _changed(self, same)

    def _at(self, file: _Lines) -> int | None:
        """Where the row is now, from 0: where it was seen, or wherever else it says the same."""
        if file.text(self.line - 1) == self.seen:
            return self.line - 1
        return next((at for at in range(len(file.lines)) if file.text(at) == self.seen), None)


@dataclass(frozen=True, slots=True)
class AddRow:
    """A new row, in a file; without one in that of its neighbours, in the map at the top or in a view."""

    path: str
    row: Typed
    view: str = ""

    def draft(self, repository: Repository, tip: Commit, author: Author) -> CommitDraft:  # noqa: ARG002  as above
        """The branch with that row, below the nearest one before it in its file; raises NotWritable."""
        view = home_of(self.view, self.path, repository.content_at(tip.tree, RULES_PATH))
        path = self.path or file_for(repository, tip, self.row.subnet, view)
        if not may_hold_rows(path):
            raise NotWritable(f"{quote(path)} holds no rows", "take locations.csv, or a .csv below locations/")
        _check_room(repository, tip, path)
        file = _Lines.of(repository.content_at(tip.tree, path))
        text = cells_text(self.row.cells())
        file.insert(_below(file, self.row.subnet), text)
        draft = _draft(repository, tip, path, file, f"Add {self.row.words()}", f"In {path}:\n\n    +{text}")
        return _begun(repository, draft, path, file) if is_nothing(tip) else draft


@dataclass(slots=True)
class _Lines:
    """A file by its lines, which keep their ends: what is not touched stays byte for byte."""

    mark: bytes
    """The byte order mark, if there is one."""
    lines: list[bytes]

    @classmethod
    def of(cls, content: bytes) -> _Lines:
        mark = bom_of(content)
        return cls(mark, content[len(mark) :].split(b"\n"))

    def content(self) -> bytes:
        return self.mark + b"\n".join(self.lines)

    def text(self, at: int) -> str | None:
        """What a line says, None where there is no such line; what is not UTF-8 is replaced."""
        if not 0 <= at < len(self.lines):
            return None
        return self.lines[at].removesuffix(b"\r").decode(errors="replace")

    def replace(self, at: int, text: str) -> None:
        self.lines[at] = text.encode() + self._end(at)

    def remove(self, at: int) -> None:
        if at == len(self.lines) - 1:  # the line before keeps its end
            self.lines[at] = b""
        else:
            del self.lines[at]

    def insert(self, below: int | None, text: str) -> None:
        """Put a line below another, or below the last, with an end as that one has it."""
        last = len(self.lines) - 1 if self.lines[-1] else len(self.lines) - 2
        at, end = last if below is None else below, self._end(below or 0)
        if at == len(self.lines) - 1 and self.lines[at]:  # it has no end yet
            self.lines[at] += end
            self.lines.append(b"")
        self.lines.insert(at + 1, text.encode() + end)

    def _end(self, at: int) -> bytes:
        return b"\r" if self.lines[at].endswith(b"\r") else b""

    def rows(self) -> Iterator[tuple[int, Row]]:
        for at, raw in enumerate(self.lines):
            if row := row_of(parse_line(raw)):
                yield at, row


def file_for(repository: Repository, tip: Commit, subnet: str, view: str = "") -> str:
    """The file of the row that holds a subnet, else of that which is nearest, at the top or in a view; `locations.csv`
    there where there is none.
    """
    row = row_of(parse_line(f"x,{subnet.strip()}".encode()))
    try:
        found = load_map_at(repository, Validator(), tip, errors_only=True)
    except InvalidConfiguration:
        return in_view(view, ROWS_PATH)
    own = next((one for one in found.maps if (one.name or "") == view), None)
    return (_neighbour(own, row.network) if row and own else None) or in_view(view, ROWS_PATH)


def _neighbour(location_map: LocationMap, network: Network) -> str | None:
    """The path of the nearest row: of those that hold the network the longest; None where there is no row."""
    like = [(path, row.network) for path, _, row in location_map.rows() if len(row.network) == len(network)]
    at = int.from_bytes(network.first)

    def distance(one: tuple[str, Network]) -> tuple[int, int]:
        first = int.from_bytes(one[1].first)
        last = first + (1 << (len(one[1].first) * 8 - one[1].length)) - 1
        return max(first - at, at - last, 0), -one[1].length

    return min(like, key=distance, default=(None, network))[0]


def _below(file: _Lines, subnet: str) -> int | None:
    """The line of the last row whose subnet comes before this one; None: there is none, or no telling."""
    row = row_of(parse_line(f"x,{subnet.strip()}".encode()))
    if row is None:
        return None
    before = [(found.network, at) for at, found in file.rows() if len(found.network) == len(row.network)]
    return max(((network, at) for network, at in before if network < row.network), default=(None, None))[1]


def _changed(edit: EditRow, same: Sequence[tuple[str, int, str]]) -> RowChanged:
    """What has become of a row, as far as its subnet tells: by the rows of the same."""
    if same:
        path, at, text = same[0]
        message = f"{path}:{at + 1} has changed since you saw it"
        return RowChanged(message, "look at both, and preview again", path, at + 1, text)
    if edit.row is None:
        raise NothingChanges("the row is already removed")
    hint = "if it is still wanted, preview again: it is added as a new row"
    return RowChanged(f"{quote(edit.seen)} is no longer in the map", hint)


def _same(repository: Repository, tip: Commit, network: Network, view: str) -> Iterator[tuple[str, int, str]]:
    """The rows of a network at the top or in a view, each with its path and its line, from 0."""
    for path in [one.path for one in repository.entries(tip) if holds_rows(one.path) and view_of(one.path) == view]:
        file = _Lines.of(repository.content_at(tip.tree, path))
        yield from ((path, at, file.text(at) or "") for at, row in file.rows() if row.network == network)


def _check_room(repository: Repository, tip: Commit, path: str) -> None:
    """Raises NotWritable where a file is in the way of a folder, or a folder in that of a file: git would drop it."""
    for there in (entry.path for entry in repository.entries(tip)):
        if there.startswith(f"{path}/") or path.startswith(f"{there}/"):
            raise NotWritable(f"there is no room for {quote(path)}: {there} is there", "take another file")


def _draft(repository: Repository, tip: Commit, path: str, file: _Lines, subject: str, body: str) -> CommitDraft:
    tree, view = repository.change_files(tip.tree, {path: file.content()}), view_of(path)
    return CommitDraft(tree, f"{subject} in view {view}" if view else subject, body)


def _begun(repository: Repository, draft: CommitDraft, path: str, file: _Lines) -> CommitDraft:
    """The first commit of all also has the rules of a first map, as an upload begins them: each name typed is known."""
    rows = read_rows(path, file.content(), LineCache())
    rules = first_rules(None, rows, meant=frozenset(chain.from_iterable(rows.names)))
    return draft._replace(tree=repository.change_files(draft.tree, {RULES_PATH: rules}))


def _width(text: str) -> int:
    """How wide a row is that has blank cells to be so wide; 0 where it has none."""
    cells = cells_of(text)
    return 0 if all(cell.text for cell in cells) else len(cells)


def _subnet(text: str) -> str:
    cells: Sequence[str] = [cell.text for cell in cells_of(text) if cell.text]
    return cells[-1] if cells else text


def _short(text: str) -> str:
    return text if len(text) <= _SUBJECT else f"{text[:_SUBJECT]}…"
