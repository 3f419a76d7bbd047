"""The name that was probably meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Literal
from unicodedata import combining, normalize

LETTERS_COMPARED = 100_000
"""Characters of all names up to which they are compared letter by letter: 5,000 names, of which Pexip has hundreds."""

PAIRS_COMPARED = 200_000
"""Pairs of characters of two names up to which one is compared with others letter by letter, in some 30 ms."""

_MARKS = 30
_LIKENESS = 0.7
"""Share of letters, in order, that a name must have in common with another to be taken for it."""
_LONG_WORDS = re.compile(r"[^\W\d_]{4,}")
"""Words in which one other letter is a slip; in a shorter one, and in a number, it tells two places apart."""
_BLANK = re.compile("[\u034f\u115f\u1160\u2800\u3164\ufe00-\ufe0f]")
"""What Python calls printable and no font shows, as far as it gets into names."""
_LOOK_ALIKES = str.maketrans(
    "АВЕКМНОРСТУХІЈЅаеорсухіјѕһԁԛԝӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρօıɡɑ⁄∕∶",
    "ABEKMHOPCTYXIJSaeopcyxijshdqwlABEZHIKMNOPTYXovpoiga//:",
)
"""Letters and signs that look like those of ASCII (UTS #39, "confusables")."""
_WRITTEN_FOR = {"'": "’‘‛ʼ′`´", '"': "“”„‟″«»", "-": "‐‑‒–—―−"}
"""Apostrophes, quotation marks and dashes that programs write for those of a keyboard."""
_SIGNS = {ord(sign): plain for plain, signs in _WRITTEN_FOR.items() for sign in signs}
QUOTES = "".join(f"{plain}{_WRITTEN_FOR[plain]}" for plain in "'\"")
"""What may stand around a name that is none of it."""


def nearest(name: str, names: Collection[str]) -> str | None:
    """The one of these names that differs least: by case, space or look first, then by a letter or two."""
    folded = _fold(name)
    same = next((candidate for candidate in names if _fold(candidate) == folded), None)
    if same is not None or _are_many(folded, names):
        return same
    seen = _seen(name)
    candidates: dict[str, str] = {}
    for candidate in names:
        candidates.setdefault(_seen(candidate), candidate)
    if seen in candidates or _are_many(seen, candidates):
        return candidates.get(seen)
    from difflib import get_close_matches  # only where something is wrong: the hook must start fast

    close = get_close_matches(seen, candidates, n=1, cutoff=_LIKENESS)
    return candidates[close[0]] if close else None


def _are_many(name: str, names: Collection[str]) -> bool:
    return len(name) * sum(map(len, names)) > PAIRS_COMPARED


def near_misses(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each name that differs from one before it by case, by space or by one letter, with the first such.

    Space is also what cannot be seen, quotation marks around it, which apostrophe or dash it has, how Unicode spells a
    letter, and a letter of another script that looks the same.
    A letter counts in a word of four or more:
    `Sidney` is near `Sydney`, but `Rack 2` is not near `Rack 1`, nor `SIN` near `SYN`.
    """
    folded = [_seen(name) for name in names]
    compares_letters = sum(map(len, folded)) <= LETTERS_COMPARED
    by_plain: dict[str, int] = {}
    by_fold: dict[str, int] = {}
    by_masked: dict[str, int] = {}
    by_shortened: dict[str, int] = {}
    for at, fold in enumerate(folded):
        plain = fold.replace(" ", "").strip(QUOTES)
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


@lru_cache(maxsize=8_192)
def look_alike(name: str) -> str:
    """The text that looks like this one, in ASCII as far as can be: equal for names that a reader cannot tell apart."""
    if name.isascii():
        return name
    seen = "".join(c for c in composed(name, "NFKC") if c.isprintable())
    return _BLANK.sub("", seen).translate(_LOOK_ALIKES)


def composed(text: str, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    """The text in a composed form of Unicode, with more than 30 marks on one letter as it is (UAX #15, "Stream-Safe").

    To put many marks in order takes quadratic time.
    """
    marked = (sum(1 for _ in run) for is_mark, run in groupby(text, lambda c: combining(c) > 0) if is_mark)
    return normalize(form, text) if max(marked, default=0) <= _MARKS else text


def odd_sign(name: str, other: str) -> str | None:
    """The apostrophe, dash or quotation mark by which a name differs from another, where they do by nothing else."""
    if _fold(name).strip(QUOTES) != _fold(other).strip(QUOTES):
        return None
    return next((c for c in name if ord(c) in _SIGNS and c not in other), None)


def _letters(fold: str) -> Iterator[int]:
    """The positions of the letters that count."""
    for word in _LONG_WORDS.finditer(fold):
        yield from range(word.start(), word.end())


def _seen(name: str) -> str:
    """The same for names that look alike; of the signs first, some of which Unicode takes apart."""
    return _fold(look_alike(name.translate(_SIGNS)))


def _fold(name: str) -> str:
    return " ".join(name.casefold().translate(_SIGNS).split())
