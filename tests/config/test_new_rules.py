"""The rules of a new configuration: names made known, and limits where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from location_policy.config.new_rules import new_rules, with_limits
from location_policy.config.policy_toml import read_rules
from location_policy.gate.hooks import shipped

TEMPLATE = (shipped("config-repo") / "policy.toml").read_bytes()
LIMITS = read_rules(TEMPLATE)[0].limits


def test_new_rules_know_just_these_names_and_say_the_rest_of_the_template() -> None:
    rules, problems = read_rules(new_rules(TEMPLATE, ["Lima", "Oslo"]))
    assert (rules.known, rules.limits, problems) == (("Lima", "Oslo"), LIMITS, ())
    assert b'known = [\n    "Lima",\n    "Oslo",\n]\n' in new_rules(TEMPLATE, ["Lima", "Oslo"])
    assert new_rules(TEMPLATE, ["Lima"]).count(b"#") == TEMPLATE.count(b"#")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b'[locations]\nknown = ["Oslo"]\n',
        b'[locations]\nknown = ["Oslo"]',
        b'\xef\xbb\xbf[answer]\r\ndefault = "Oslo"\r\n',
    ],
)
def test_limits_are_added_where_there_are_none(content: bytes) -> None:
    after = with_limits(content, TEMPLATE)
    assert after.startswith(content)
    rules, problems = read_rules(after)
    assert (rules.limits, problems) == (LIMITS, ())
    assert (b"\r\n" in content) == (b"\r\n" in after)
    assert after.count(b"\r\n") in (0, after.count(b"\n"))
    assert rules.known == read_rules(content)[0].known
    assert with_limits(after, TEMPLATE) == after


@pytest.mark.parametrize(
    "content",
    [b"[limits]\n", b'limits.removed-subnets = "50%"\n', b"limits = {}\n", b"known = [\n", b"\xff"],
)
def test_rules_that_say_something_of_limits_or_cannot_be_read_stay(content: bytes) -> None:
    assert with_limits(content, TEMPLATE) == content


def test_the_documentation_shows_the_same_limits() -> None:
    text = (Path(__file__).parents[2] / "docs/reference/policy-toml.md").read_text()
    for line in TEMPLATE[TEMPLATE.index(b"[limits]") :].decode().splitlines():
        assert line.startswith(("#", "[")) or line in text
