"""Two Rules -> the keys of `policy.toml` whose meaning differs, and what of that loosens the judgement of a push.

Some say how requests are answered, others how pushes are judged. A key that says what is so without it is no change.

To loosen first and then to move is one change in two pushes. So what is loosened, and an expectation that goes, is over
the limit itself (`limits`), and that owners are asked no more is asked of all of them (`plan`).

An expectation holds calls, not a file: that of a view goes where another map takes its calls that has none like it, and
stays where the view has another name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..config.expectations import Expectation
from ..config.files import EXPECTATIONS_PATH, in_view
from ..config.location_map import LocationMap
from ..config.percentages import parse_share
from ..config.policy_toml import Rules
from ..net.addresses import Network
from ..problems import CODES
from ..text import count
from .answer_changes import row_changes

if TYPE_CHECKING:
    from ..config.views.calls import Pair

FEWEST = 100
"""Subnets from which a map has limits, so that a sample can be replaced by a site's whole map."""
APPROVAL_CHECK = "checks.owner-approval"
"""The rule by which owners are asked: that it is turned down is theirs to say."""

_NO_LIMIT = parse_share("100%")

RuleValue = str | tuple[str, ...] | None


class RuleChange(NamedTuple):
    """A key, as in `answer.default`, and what it said and says; None: nothing.

    Of expectations that are changed it is the first of before and the first of now, and so on.
    """

    key: str
    before: RuleValue
    after: RuleValue


def answering_changes(old: Rules, new: Rules) -> tuple[RuleChange, ...]:
    """What differs in how requests are answered."""
    return _differing(_answering(old), _answering(new))


def same_answers(old: LocationMap, new: LocationMap) -> bool:
    """Does every call get the same, by the same rows of the same views, however they are written down?"""
    if answering_changes(old.rules, new.rules) or old.rules.views != new.rules.views:
        return False
    if any(one.rules.rowless != other.rules.rowless for one, other in zip(old.maps, new.maps, strict=True)):
        return False
    return not any(row_changes(one, other) for one, other in zip(old.maps, new.maps, strict=True))


def judging_changes(old: Rules, new: Rules) -> tuple[RuleChange, ...]:
    """What differs in how pushes are judged: `[checks]` and `[limits]`."""
    return _differing(_judging(old), _judging(new))


def table_changes(old: Rules, new: Rules) -> tuple[RuleChange, ...]:
    """What differs in the table of overflow locations: what that does to answers is in these."""
    if not (old.overflow_table or new.overflow_table):
        return ()
    return _differing(_table(old), _table(new))


def _table(rules: Rules) -> dict[str, RuleValue]:
    return {f"overflow.{location}": names for location, names in rules.overflow_table.items()}


def has_limits(location_map: LocationMap) -> bool:
    """Is a change of this map held to a limit?"""
    is_limit = map(_NO_LIMIT.allows_more_than, location_map.rules.limits.values())
    return location_map.total_size >= FEWEST and any(is_limit)


def loosened(old: LocationMap, new: LocationMap) -> tuple[RuleChange, ...]:
    """What the new map holds the next change to no more, or to less than the old one."""
    return (
        *(change for change in judging_changes(old.rules, new.rules) if _is_looser(change.key, old.rules, new.rules)),
        *(change for change in answering_changes(old.rules, new.rules) if _takes_any_name(change, old.rules)),
        *_dropped(old, new),
        *_too_small(old, new),
    )


def drops_expectations(old: LocationMap, new: LocationMap) -> bool:
    """Does the old configuration have an expectation that the new one has not, for the same calls?"""
    return any(True for _ in _dropped(old, new))


def _dropped_expectations(old: frozenset[Expectation], new: frozenset[Expectation]) -> list[Expectation]:
    """The expectations that are not expected any more, with any reason; in the order of subnets."""
    if old is new:  # as read from one blob, in a series of commits
        return []
    kept = _promises(new)
    dropped = (one for one in old if (one.network, one.location) not in kept)
    return sorted(dropped, key=lambda one: (one.network, one.location or ""))


def _promises(expected: Iterable[Expectation]) -> set[tuple[Network, str | None]]:
    return {(one.network, one.location) for one in expected}


def _answering(rules: Rules) -> dict[str, RuleValue]:
    match = {} if rules.answer else rules.match
    return {
        **{f"match.{protocol}": fields for protocol, fields in sorted(match.items())},
        "answer": rules.answer and rules.rowless,
        "answer.default": None if rules.default is None else _one_or_more(rules.with_overflow((rules.default,))),
        "answer.overflow": rules.overflow,
        "locations.known": tuple(sorted(set(rules.known))),
    }


def _one_or_more(names: tuple[str, ...]) -> RuleValue:
    return names if len(names) > 1 else names[0]


def _judging(rules: Rules) -> dict[str, RuleValue]:
    return {
        **{f"checks.{code}": rules.severity(code) for code in CODES if CODES[code].adjustable},
        **{f"limits.{name}": str(limit) for name, limit in rules.limits.items()},
    }


def _differing(old: Mapping[str, RuleValue], new: Mapping[str, RuleValue]) -> tuple[RuleChange, ...]:
    pairs = ((key, old.get(key), new.get(key)) for key in dict.fromkeys((*old, *new)))
    return tuple(RuleChange(key, before, after) for key, before, after in pairs if before != after)


def _is_looser(key: str, old: Rules, new: Rules) -> bool:
    table, _, name = key.partition(".")
    if table == "checks":
        return old.severity(name) == "error"
    before, after = (rules.limits.get(name, _NO_LIMIT) for rules in (old, new))
    return after.allows_more_than(before)


def _takes_any_name(change: RuleChange, old: Rules) -> bool:
    is_checked = old.severity("unknown-location") == "error"
    return is_checked and change.key == "locations.known" and not change.after


def _dropped(old: LocationMap, new: LocationMap) -> Iterator[RuleChange]:
    """Of the map at the top and of each view, the expectations that no map has of those that take its calls now: those
    that go, then those that expect another answer.
    """
    heirs = _heirs(old, new)
    for one in old.maps:
        yield from _dropped_in(one.name, one.expected, _joined(heirs.get(one.name, ())))


def dropped_by_pair(old: LocationMap, new: LocationMap) -> dict[Pair, tuple[RuleChange, ...]]:
    """Where the calls of one map go to several, the expectations that some of these have and others have not: by the
    names of the map before and of the one after.
    """
    found: dict[Pair, tuple[RuleChange, ...]] = {}
    for before, maps in _heirs(old, new).items():
        if len(maps) > 1:
            promises = _promises(_joined(maps))
            expected = next(one.expected for one in old.maps if one.name == before)
            held = frozenset(one for one in expected if (one.network, one.location) in promises)
            # most views expect the same: nothing
            told = {new: tuple(_dropped_in(before, held, new)) for new in {one.expected for one in maps}}
            found |= {(before, one.name): told[one.expected] for one in maps}
    return found


def _heirs(old: LocationMap, new: LocationMap) -> dict[str | None, list[LocationMap]]:
    """The maps that take the calls of each old one that expects something; of one that took none, that of its name."""
    by_name = {one.name: one for one in new.maps}
    names = [one.name for one in old.maps if one.expected]
    found: dict[str | None, list[LocationMap]] = {}
    if names and old.rules.views != new.rules.views:
        from ..config.views.calls import pairs  # most configurations have none

        for before, after in pairs(old.rules.views, new.rules.views):
            found.setdefault(before, []).append(by_name[after])
    return {name: found.get(name) or [by_name[name]] for name in names if name in found or name in by_name}


def _joined(maps: Sequence[LocationMap]) -> frozenset[Expectation]:
    """What any of these maps expects."""
    return maps[0].expected if len(maps) == 1 else frozenset[Expectation]().union(*(one.expected for one in maps))


def _dropped_in(name: str | None, old: frozenset[Expectation], new: frozenset[Expectation]) -> Iterator[RuleChange]:
    path = in_view(name or "", EXPECTATIONS_PATH)
    dropped = _dropped_expectations(old, new)
    kept = {one.network: one for one in new} if dropped else {}
    if gone := [one for one in dropped if one.network not in kept]:
        yield RuleChange(path, _expected(gone), None)
    if changed := [one for one in dropped if one.network in kept]:
        yield RuleChange(path, _expected(changed), _expected(kept[one.network] for one in changed))


def _expected(expectations: Iterable[Expectation]) -> tuple[str, ...]:
    return tuple(f"{one} {one.location or 'no answer'}" for one in expectations)


def _too_small(old: LocationMap, new: LocationMap) -> Iterator[RuleChange]:
    if has_limits(old) and new.total_size < FEWEST:
        yield RuleChange("limits", f"from {FEWEST} subnets on", count(new.total_size, "subnet"))
