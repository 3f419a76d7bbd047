"""Results that are kept."""

from __future__ import annotations

import pytest

from location_policy.web.site.lru_cache import LruCache


def test_a_value_is_made_once_and_the_one_asked_for_longest_ago_goes_first() -> None:
    made: list[str] = []
    kept: LruCache[str] = LruCache(2)

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    def ask(key: str) -> str:
        return kept.get(key, lambda: make(key))

    assert [ask(key) for key in "abaca"] == ["A", "B", "A", "C", "A"]
    ask("b")
    assert made == ["a", "b", "c", "b"]


def test_what_could_not_be_made_is_tried_again() -> None:
    kept: LruCache[int] = LruCache(1)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: 1 // 0)
    assert kept.get("a", lambda: 1) == 1
