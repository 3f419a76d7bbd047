"""What is wrong with views beside their rows and their folders, and with the names in their rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ...problems import Problem
from ...spelling import nearest
from ...text import any_of, quote
from ..csv_lines import Cell
from ..files import ROWS_PATH, RULES_PATH, VIEWS_FOLDER, File, in_view, view_of
from ..location_names import name_findings
from ..policy_toml import PAIR, Rules
from ..row_checks import SPELT, name_in_rules, too_many_overflow, unknown_location
from ..row_file import RowFile
from ..toml_positions import Place, key_place, name_places, written_key
from .calls import taken
from .view import NODES, View, folded


def without_strays(files: Iterable[File], rules: Rules) -> tuple[list[File], list[Problem]]:
    """The files but those in the folder of a view that the rules do not name, and what is said of each such folder;
    where they name none, a link that is called as the folder of all is no matter of ours.
    """
    names = [view.name for view in rules.views]
    kept: list[File] = []
    strays: dict[str, Problem] = {}
    for file in files:
        name = view_of(file.path if file.kind == "file" else f"{file.path}/")
        if f"{file.path}/" == VIEWS_FOLDER and not names:
            continue
        if not name or name in names:
            kept.append(file)
        elif name not in strays:
            strays[name] = _stray(name, names)
    return kept, list(strays.values())


def _stray(name: str, names: Collection[str]) -> Problem:
    folder = f"{VIEWS_FOLDER}{name}"
    message = f"no [[view]] in {RULES_PATH} is named {quote(name)}, so nothing in it is read"
    meant = nearest(name, names)
    hint = f"rename it to {VIEWS_FOLDER}{meant}" if meant else f"name it below [[view]] in {RULES_PATH}, or delete it"
    return Problem(folder, 1, 1, "stray-view", message, hint, severity="warning")


def view_problems(rules: Rules, text: bytes, rows: Mapping[str, Sequence[RowFile]]) -> Iterator[Problem]:
    """Views that answer with nothing, or with two things, or never; `rows` are the files of each view."""
    if not rules.views:
        return
    met = taken(rules.views)
    for at, view in enumerate(rules.views):
        number = str(view.number)
        files = rows.get(view.name, ())
        here = key_place(text, "view", number, "name")
        home = in_view(view.name, ROWS_PATH)
        has_rows = any(file.size or not file.is_clean for file in files)
        if view.answer is None and not has_rows and not _has_key(text, number, "answer"):
            message = f"view {view.name} has no row and no answer"
            hint = f'add rows in {home}, or write answer = ["Sydney"] below [[view]]'
            yield Problem(RULES_PATH, *here, "view-without-rows", message, hint)
        if view.answer is not None:
            place = key_place(text, "view", number, "answer")
            if files:
                message = f"view {view.name} has an answer for every call, and rows in {files[0].path}"
                yield Problem(RULES_PATH, *place, "view-with-both", message, "delete the answer, or the rows")
            for key in ("default", "match"):
                if getattr(view, key) is not None:
                    message = f"view {view.name} has an answer for every call, and {key}, which no call of it needs"
                    yield Problem(RULES_PATH, *place, "view-with-both", message, f"delete the answer, or {key}")
        if view.name not in met and all(view.conditions.values()):
            message, hint = _shadowed(view, rules.views[:at]), "move it up, or delete it"
            hint += f" with {VIEWS_FOLDER}{view.name}" * bool(files)
            yield Problem(RULES_PATH, *here, "shadowed-view", message, hint, severity="warning")
        if view.answer is None and any(file.size for file in files) and (missing := _without_match(view, rules)):
            place = key_place(text, "view", number, "protocol")
            message = f"view {view.name} answers no {any_of(missing)} call: no rule says where its address is"
            where = "below [match]" if view.match is None else "in the match of the view"
            hint = f'write {written_key(missing[0])} = "remote_address" {where}, or one answer in place of rows'
            yield Problem(RULES_PATH, *place, "view-without-match", message, hint, severity="warning")


def _has_key(text: bytes, number: str, key: str) -> bool:
    """Is this key written in a view? What is wrong with it is told there."""
    return key_place(text, "view", number, key) != key_place(text, "view", number, "")


def _without_match(view: View, rules: Rules) -> list[str]:
    """The protocols that a view asks for and of which no rule says where the address is."""
    match = rules.of_view(view).match
    return [one for one in view.conditions.get("protocol", ()) if one and folded(one) not in match]


def _shadowed(view: View, earlier: Sequence[View]) -> str:
    alone = next((one.name for one in earlier if view.name not in taken([one, view])), None)
    which = f"view {alone}, which stands before it, takes" if alone else "the views that stand before it take"
    return f"view {view.name} never answers: {which} all its calls"


def view_name_problems(rules: Rules, text: bytes) -> Iterator[Problem]:
    """What is wrong with the locations that views name: in answers and defaults, and those of nodes in conditions."""
    unknown = _Unknown(rules)
    for view in rules.views:
        at = ("view", str(view.number))
        yield from _answering(view.answer or (), rules, text, (*at, "answer"), unknown)
        yield from _answering((view.default,) if view.default else (), rules, text, (*at, "default"), unknown)
        for parameter in NODES:
            asked = [one for one in view.conditions.get(parameter, ()) if one]
            for value, place in _places_of(asked, text, (*at, parameter)):
                yield from unknown.asked(value, place)
                yield from name_in_rules(value, place)


def answer_places(rules: Rules, text: bytes) -> dict[str, Place]:
    """The locations of answers and defaults, each with its first place."""
    found: dict[str, Place] = {}
    for _, name, place in answers(rules, text):
        found.setdefault(name, place)
    return found


def answers(rules: Rules, text: bytes) -> Iterator[tuple[str, str, Place]]:
    """The locations of the answers and defaults of views, each behind the one with which its answer begins."""
    for view in rules.views:
        for key, names in (("answer", view.answer or ()), ("default", (view.default,) if view.default else ())):
            for name, place in _places_of(names, text, ("view", str(view.number), key)):
                yield names[0], name, place


def asked_places(rules: Rules, text: bytes) -> dict[str, Place]:
    """The locations of nodes that views ask for, each with its first place."""
    found: dict[str, Place] = {}
    for view in rules.views:
        for parameter in NODES:
            for name, place in _places_of(
                view.conditions.get(parameter, ()), text, ("view", str(view.number), parameter)
            ):
                found.setdefault(name, place)
    return found


def used_names(rules: Rules) -> set[str]:
    """The names in `known` that views use: as they are in what answers, in any case where they ask for a node's."""
    answering = {name for view in rules.views for name in (*(view.answer or ()), *filter(None, (view.default,)))}
    asked = {folded(one) for view in rules.views for key in NODES for one in view.conditions.get(key, ())}
    return answering | {name for name in rules.known if folded(name) in asked}


class _Unknown:
    """Tells of names that are not in `known`, where there is one; of the first it looks for the nearest that is."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._known = frozenset(rules.known)
        self._folded = frozenset(map(folded, rules.known))
        self._told = 0

    def answered(self, name: str, place: Place) -> Iterator[Problem]:
        """Of a location of an answer."""
        if self._known and name not in self._known:
            yield self._problem(name, place)

    def asked(self, value: str, place: Place) -> Iterator[Problem]:
        """Of a value of a condition, which is compared without regard to case."""
        if self._known and folded(value) not in self._folded:
            yield self._problem(value, place)

    def _problem(self, name: str, place: Place) -> Problem:
        self._told += 1
        found = unknown_location(name, self._rules, spell=self._told <= SPELT)
        return Problem(RULES_PATH, *place, "unknown-location", *found)


def _answering(
    names: Sequence[str], rules: Rules, text: bytes, keys: tuple[str, ...], unknown: _Unknown
) -> Iterator[Problem]:
    placed = _places_of(names, text, keys)
    for name, place in placed:
        yield from unknown.answered(name, place)
    for finding in name_findings([Cell(at, name) for at, name in enumerate(names)]):
        if finding.code == "repeated-location":
            message = f"{quote(names[finding.column])} stands twice in the answer"
            yield Problem(RULES_PATH, *placed[finding.column][1], finding.code, message, finding.hint)
        elif finding.code != "formula-name":  # no spreadsheet opens the rules
            yield Problem(RULES_PATH, *placed[finding.column][1], finding.code, finding.message, finding.hint)
    if rules.overflow == "pair" and len(names) - 1 > PAIR:
        place = placed[PAIR + 1][1]
        yield Problem(RULES_PATH, *place, "too-many-overflow", *too_many_overflow(len(names) - 1))


def _places_of(names: Sequence[str], text: bytes, keys: tuple[str, ...]) -> list[tuple[str, Place]]:
    """Each name with its place in a list, or with that of its key where it stands alone."""
    if not names:
        return []
    place = key_place(text, *keys)
    places = name_places(text, *keys) if len(names) > 1 else {}
    return [(name, places.get(name, place)) for name in names]
