"""Maps and snapshots straight from text, without a repository."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha1

import pytest

from location_policy.config.commit import Commit
from location_policy.config.files import File
from location_policy.config.location_map import LocationMap
from location_policy.config.validate import Validator, load_map
from location_policy.lookup.snapshot import Snapshot, build_snapshot
from location_policy.net.addresses import Network, parse_interface
from tests.support.repositories import GOOD, Files

MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
CITIES = ("Oslo", "Sydney", "Perth", "London", "Tokyo", "Chicago", "Lima", "Cairo", "Delhi", "Seoul")
_OF_NAMES = "formula-name name-near-miss subnet-as-name error-value invisible-character lost-character mojibake"
ANY_NAME = "[checks]\n" + "".join(f'{code} = "off"\n' for code in _OF_NAMES.split())
"""The rules under which every text is a name that can be one at all."""
EDGE = '[[view]]\nname = "edge"\nlocation = "DMZ"\nanswer = ["DMZ", "Oslo"]\n'
"""The rules of a view that has one answer for the calls that nodes of a location ask about."""
COMMIT = Commit("c" * 40, "7" * 40, "Change the map", "Alice", MOMENT)


def files_of(files: Files) -> list[File]:
    """The files as a repository gives them."""
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    return [File(path, "file", len(one), sha1(one).hexdigest(), one) for path, one in contents.items()]


def snapshot_of(files: Files = GOOD, commit: Commit | None = COMMIT) -> Snapshot:
    """The snapshot of these files."""
    return build_snapshot(load_map(files_of(files)), commit)


def view_rules(name: str, **keys: str | Sequence[str] | None) -> str:
    """The rules of a view with these conditions, and what else there is of it; of None there is nothing."""
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in keys.items() if value is not None)
    return f'\n[[view]]\nname = "{name}"\n{"".join(lines)}'


def many_rows(count: int, location: str = "Sydney") -> str:
    """This many rows, each a /32 of its own."""
    return "".join(f"{location},10.{i >> 16}.{i >> 8 & 255}.{i & 255}/32\n" for i in range(count))


def random_rows(count: int, names: Sequence[str] = CITIES) -> str:
    """This many rows with these locations, all in 10.0.0.0/8, the same each time."""
    chosen = random.Random(1)
    rows: set[tuple[int, int]] = set()
    while len(rows) < count:
        length = chosen.choice((20, 22, 23, 24, 24, 24, 24, 25, 26))
        rows.add((chosen.getrandbits(24) >> 32 - length << 32 - length, length))
    return "".join(
        f"{chosen.choice(names)},10.{first >> 16}.{first >> 8 & 255}.{first & 255}/{length}\n" for first, length in rows
    )


def network(text: str) -> Network:
    """The network of this CIDR text."""
    return Network.holding(*parse_interface(text))


def map_of(rows: str, policy: str = "") -> LocationMap:
    """The map of these rows and of this policy.toml."""
    return load_map(files_of({"locations.csv": rows, "policy.toml": policy}))


def count_loads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often files have been made into a map in this process since, or have been refused as none."""
    loads = 0
    load = Validator.load_map

    def counted(
        validator: Validator, files: Iterable[File], *, was_served: bool = False, errors_only: bool = False
    ) -> LocationMap:
        nonlocal loads
        loads += 1
        return load(validator, files, was_served=was_served, errors_only=errors_only)

    monkeypatch.setattr(Validator, "load_map", counted)
    return lambda: loads
