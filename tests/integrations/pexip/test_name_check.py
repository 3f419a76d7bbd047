"""Names that the Management Node does not have, with their places."""

from __future__ import annotations

from location_policy.config.policy_toml import read_rules
from location_policy.integrations.pexip.name_check import name_mismatches
from tests.support.maps import files_of

RULES = """
[[view]]
name = "edge"
location = ["dmz", "Edge Olso"]
default = "DMZ"

[[view]]
name = "all"
answer = ["Oslo", "Bergen"]
"""


def test_names_of_views_are_held_against_it_too() -> None:
    files = {"policy.toml": RULES, "views/edge/locations.csv": "Oslo,10.61.0.0/16\nParis,10.62.0.0/16\n"}
    files["views/no-view/locations.csv"] = "Rome,10.61.0.0/16\n"  # nothing in it is read
    found = name_mismatches(files_of(files), read_rules(RULES.encode())[0], ["DMZ", "Edge Oslo", "Oslo"])
    assert [(one.place, one.message.partition(" is not")[0]) for one in found] == [
        ("policy.toml:9:19", "Bergen"),
        ("policy.toml:4:20", "Edge Olso"),
        ("views/edge/locations.csv:2:1", "Paris"),
    ]


def test_names_of_the_overflow_table_are_held_against_it_too() -> None:
    rules = '[overflow]\nOslo = ["Bergen", "Olso"]\nRome = "Oslo"\n'
    found = name_mismatches(
        files_of({"policy.toml": rules, "locations.csv": "Oslo,10.61.0.0/16\n"}),
        read_rules(rules.encode())[0],
        ["Oslo", "Bergen"],
    )
    assert [(one.place, one.message.partition(" is not")[0], one.hint) for one in found] == [
        ("policy.toml:2:1", "Olso", "write Oslo"),
        ("policy.toml:3:1", "Rome", "add it in Platform > Locations, or take it out here"),
    ]
