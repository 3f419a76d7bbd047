"""Two Rules -> the keys of `policy.toml` whose meaning differs.

Some say how requests are answered, others how pushes are judged. A key that says what is so without it is no change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..config.policy_toml import Rules
from ..problems import CODES

RuleValue = str | tuple[str, ...] | None


class RuleChange(NamedTuple):
    """A key, as in `answer.default`, and what it said and says; None: nothing."""

    key: str
    before: RuleValue
    after: RuleValue


def answering_changes(old: Rules, new: Rules) -> tuple[RuleChange, ...]:
    """What differs in how requests are answered."""
    return _differing(_answering(old), _answering(new))


def judging_changes(old: Rules, new: Rules) -> tuple[RuleChange, ...]:
    """What differs in how pushes are judged: `[checks]` and `[limits]`."""
    return _differing(_judging(old), _judging(new))


def _answering(rules: Rules) -> dict[str, RuleValue]:
    return {
        **{f"match.{protocol}": fields for protocol, fields in sorted(rules.match.items())},
        "answer.default": rules.default,
        "answer.overflow": rules.overflow,
        "locations.known": tuple(sorted(set(rules.known))),
    }


def _judging(rules: Rules) -> dict[str, RuleValue]:
    return {
        **{f"checks.{code}": rules.severity(code) for code in CODES if CODES[code].adjustable},
        **{f"limits.{name}": str(limit) for name, limit in rules.limits.items()},
    }


def _differing(old: Mapping[str, RuleValue], new: Mapping[str, RuleValue]) -> tuple[RuleChange, ...]:
    pairs = ((key, old.get(key), new.get(key)) for key in dict.fromkeys((*old, *new)))
    return tuple(RuleChange(key, before, after) for key, before, after in pairs if before != after)
