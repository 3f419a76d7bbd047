"""The name that was probably meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from unicodedata import normalize

LETTERS_COMPARED = 100_000
"""Characters of all names up to which they are compared letter by letter: 5,000 names, of which Pexip has hundreds."""

PAIRS_COMPARED = 200_000
"""Pairs of characters of two names up to which one is compared with others letter by letter, in some 30 ms."""

_LIKENESS = 0.7
"""Share of letters, in order, that a name must have in common with another to be taken for it."""
_LONG_WORDS = re.compile(r"[^\W\d_]{4,}")
"""Words in which one other letter is a slip; in a shorter one, and in a number, it tells two places apart."""


def nearest(name: str, names: Collection[str]) -> str | None:
    """The one of these names that differs least: by case or space first, then by a letter or two."""
    folded = _fold(name)
    for candidate in names:
        if _fold(candidate) == folded:
            return candidate
    if len(folded) * sum(map(len, names)) > PAIRS_COMPARED:
        return None
    from difflib import get_close_matches  # only where something is wrong: the hook must start fast

    close = get_close_matches(folded, [_fold(candidate) for candidate in names], n=1, cutoff=_LIKENESS)
    return next((candidate for candidate in names if _fold(candidate) == close[0]), None) if close else None


def near_misses(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each name that differs from one before it by case, by space or by one letter, with the first such.

    Space is also what cannot be seen, and how Unicode spells a letter. A letter counts in a word of four or more:
    `Sidney` is near `Sydney`, but `Rack 2` is not near `Rack 1`, nor `SIN` near `SYN`.
    """
    folded = [_fold(name if name.isascii() else _visible(name)) for name in names]
    compares_letters = sum(map(len, folded)) <= LETTERS_COMPARED
    by_plain: dict[str, int] = {}
    by_fold: dict[str, int] = {}
    by_masked: dict[str, int] = {}
    by_shortened: dict[str, int] = {}
    for at, fold in enumerate(folded):
        plain = fold.replace(" ", "")
        letters = list(_letters(fold)) if compares_letters else []
        masked = [f"{fold[:letter]}\0{fold[letter + 1 :]}" for letter in letters]
        shortened = [fold[:letter] + fold[letter + 1 :] for letter in letters]
        found = [by_plain.get(plain), by_shortened.get(fold), *map(by_masked.get, masked), *map(by_fold.get, shortened)]
        near = min((other for other in found if other is not None), default=None)
        if near is not None:
            yield names[at], names[near]
        for index, keys in ((by_plain, [plain]), (by_fold, [fold]), (by_masked, masked), (by_shortened, shortened)):
            for key in keys:
                index.setdefault(key, at)


def _letters(fold: str) -> Iterator[int]:
    """The positions of the letters that count."""
    for word in _LONG_WORDS.finditer(fold):
        yield from range(word.start(), word.end())


def _visible(name: str) -> str:
    return "".join(c for c in normalize("NFKC", name) if c.isprintable())


def _fold(name: str) -> str:
    return " ".join(name.casefold().split())
