"""The states of a service in which its pages are looked at, by tests and by `docs/screenshots.py`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.maps import random_rows, view_rules
from tests.support.repositories import clone, force_commit, git, init, make_repository
from tests.support.service import Service, started_service

OFFICES = """\
# one line for each office, and one for the rest
Sydney,10.0.0.0/10
Melbourne,Sydney,10.16.0.0/12
Singapore,10.24.0.0/14
Melbourne,10.64.0.0/11
Sydney,Singapore,10.72.0.0/14
Melbourne,10.76.64.0/18
Singapore,Sydney,10.112.0.0/12
"""
LONG = "The west wing of the head office behind the river, where the laboratory was, " * 4
COMMON = {
    "home": "/",
    "map": "/map",
    "picture": "/picture",
    "ask": "/lookup",
    "answer": "/lookup?address=10.61.2.7",
    "history": "/history",
    "calls": "/calls?at_least=1",
    "upload": "/upload",
    "unknown": "/nowhere",
}
"""What is looked at in every state, by name."""


@dataclass(frozen=True, slots=True)
class State:
    """How a service comes to be in a state.

    `make` makes its repository in a folder, for a map of so many rows where that matters. `spoil` is done to the
    repository once the service is `ready`. `targets` are looked at besides the common ones; `{main~1}` there is an id.
    """

    make: Callable[[Path, int], Path]
    ends_as: str
    targets: Mapping[str, str]
    spoil: Callable[[Path], object] | None = None


@contextmanager
def service_in(state: State, folder: Path, rows: int) -> Iterator[tuple[Service, dict[str, str]]]:
    """A service in a state, and what is to be looked at there, by name."""
    repository = state.make(folder, rows)

    def named(found: re.Match[str]) -> str:
        return git("rev-parse", found[1], cwd=repository)

    targets = {name: re.sub(r"{(.+?)}", named, target) for name, target in {**COMMON, **state.targets}.items()}
    with started_service("--repo", repository, "--state-dir", folder / "state", cwd=folder) as service:
        if state.spoil:
            service.wait_for("in-sync")
            state.spoil(repository)
        service.wait_for(state.ends_as)
        for address in ("10.61.2.7", "10.61.2.8", "192.0.2.1", "10.61"):
            service.locate(address)
        yield service, targets


def _offices(folder: Path, _rows: int) -> Path:
    """The map of the manual, pushed to in the usual way."""
    repository = init(folder / "locations.git")
    copy = clone(repository, folder / "map")
    copy.commit({"locations/offices.csv": OFFICES}, "Add the offices")
    moved = OFFICES.replace("Melbourne,10.76.64.0/18", "Singapore,10.76.64.0/18")
    copy.commit({"locations/offices.csv": moved}, "Move the laboratory to Singapore\n\nThe lease ends in May.")
    assert copy.push().returncode == 0
    return repository


def _empty(folder: Path, _rows: int) -> Path:
    return init(folder / "locations.git", "--empty")


def _refused(folder: Path, _rows: int) -> Path:
    """A good commit under one that is not, and that was forced in."""
    repository = make_repository(folder / "locations.git", {"locations/offices.csv": OFFICES})
    bad = OFFICES + "Perth,10.61.9.0/23\nOslo;10.1.0.0/16\n,10.2.0.0/16\nLima,10.3.0.0/016\n"
    policy = '[locations]\nknown = ["Sydney", "Melbourne", "Singapore"]\n'
    force_commit(repository, {"locations/offices.csv": bad, "policy.toml": policy}, message="Open the office in Perth")
    return repository


def _never_valid(folder: Path, _rows: int) -> Path:
    return make_repository(folder / "locations.git", {"locations.csv": "Sydney,10.61.9.0/23\nOslo\n"})


def _large(folder: Path, rows: int) -> Path:
    """Many rows, locations, files and commits; the last moves many addresses, by an override."""
    repository = init(folder / "locations.git", "--empty")
    copy = clone(repository, folder / "map")
    names = [f"{city} {number}" for city in ("Oslo", "Sydney", "Perth", "London", "Lima") for number in range(1, 10)]
    lines = random_rows(rows, names).splitlines(keepends=True)
    third = len(lines) // 3
    limits = '[limits]\nchanged-addresses = "25%"\n'
    files = {
        "policy.toml": limits,
        "locations.csv": "".join(lines[:third]),
        "locations/emea.csv": "".join(lines[third:]),
    }
    copy.commit({**files, "locations/v6.csv": "Oslo 1,2001:db8::/62\nLima 1,Lima 2,2001:db8:0:2::/64\n"}, "Begin")
    for number in range(55):
        copy.commit({}, f"Say nothing for the {number + 1}th time")
    assert copy.push().returncode == 0
    moved = files["locations/emea.csv"]
    for old, new in (("Perth", "Lima"), ("Sydney", "Oslo"), ("London", "Lima")):
        moved = moved.replace(old, new)
    copy.commit({"locations/emea.csv": moved}, "Close three cities")
    word = "allow-large-change=the cable to Perth ends in May"
    pushed = copy.push("--push-option", word, "HEAD:main")
    assert pushed.returncode == 0, pushed.stderr
    return repository


def _long(folder: Path, _rows: int) -> Path:
    """Everything that may be long is, and nothing of it can be broken at a space."""
    name, path = "Hauptverwaltung" * 16, f"locations/{'Niederlassung' * 8}/{'Gebäude' * 8}.csv"
    row = f"{name},{name[:-1]}a,{name[:-1]}b,2001:db8:1234:5678:9abc:def0:1234:5678/128\n{name},10.61.2.0/24\n"
    repository = make_repository(folder / "locations.git", {path: row})
    force_commit(repository, {path: row.replace(name, name[1:])}, message=f"{'Umzug' * 60}\n\n{'Umzug' * 200}\n{LONG}")
    force_commit(repository, {path: f"{row}{name}\n{name},10.61.2.0/24{'0' * 99}\n"}, message=LONG)
    return repository


def _views(folder: Path, _rows: int) -> Path:
    """Views of every kind, one with a name as long as may be, changed in the last commit."""
    rules = '[match]\nwebrtc = "remote_address"\n'
    rules += view_rules("streams", protocol="rtmp", call_direction="dial_out", answer=["Sydney", "Melbourne"])
    rules += view_rules("edge", location=["DMZ", "Edge Perth"], default="Sydney")
    long = "laboratory-" * 5 + "of-Sydney"
    files = {
        "policy.toml": rules + view_rules(long, proxy_node_location="Hauptverwaltung" * 12),
        "locations/offices.csv": OFFICES,
        "views/edge/locations.csv": "Melbourne,10.0.0.0/10\nSydney,10.61.2.0/24\n",
        f"views/{long}/locations.csv": "Singapore,10.0.0.0/8\n",
    }
    repository = make_repository(folder / "locations.git", files)
    files["views/edge/locations.csv"] = "Melbourne,10.0.0.0/10\nSingapore,Sydney,10.61.2.0/24\n"
    files["policy.toml"] = rules + view_rules(long, proxy_node_location="Edge Oslo")
    force_commit(repository, files, message="Move a lab")
    return repository


def _gone(repository: Path) -> None:
    repository.rename(repository.with_name("elsewhere.git"))


STATES = {
    "content": State(
        _offices,
        "in-sync",
        {
            "searched": "/map?q=10.76.65.1&sort=length&order=desc",
            "not-found": "/map?q=nowhere",
            "closer": "/picture?root=10.64.0.0/11",
            "no-match": "/lookup?address=192.0.2.1",
            "before": "/lookup?address=10.76.65.1&at={main~1}",
            "composed": "/lookup?protocol=webrtc&remote_address=10.61.2.7&remote_alias=meet.alice@example.com",
            "written": "/lookup/origin?address=10.76.65.1",
            "commit": "/commit/{main}",
            "compare": "/compare?old={main~2}&new={main}",
            "source": "/source/locations/offices.csv?line=7",
            "bad-sort": "/map?sort=size",
            "bad-address": "/lookup?address=10.61",
            "bad-commit": "/commit/abcdef0",
            "bad-file": "/source/locations/none.csv",
        },
    ),
    "empty": State(_empty, "starting", {"csv": "/locations.csv"}),
    "refused": State(
        _refused,
        "rejected",
        {
            "commit": "/commit/{main}",
            "compare": "/compare?old={main~1}&new={main}",
            "at": "/lookup?address=10.61.2.7&at={main}",
            "source": "/source/locations/offices.csv?line=9&at={main}",
        },
    ),
    "never-valid": State(_never_valid, "rejected", {"commit": "/commit/{main}"}),
    "views": State(
        _views,
        "in-sync",
        {
            "map-of-view": "/map?view=edge&q=10.61.2.7",
            "map-of-answer": "/map?view=streams",
            "picture-of-view": "/picture?view=edge",
            "answer-of-view": "/lookup?address=10.61.2.7&location=DMZ",
            "written": "/lookup/origin?address=10.61.2.7&location=DMZ",
            "location": "/lookup?address=Sydney",
            "subnet": "/lookup?address=10.61.0.0/16&location=DMZ",
            "commit": "/commit/{main}",
            "compare": "/compare?old={main~1}&new={main}",
            "upload-to-view": "/upload?view=edge",
            "edit": "/edit?view=edge",
            "no-view": "/map?view=nowhere",
        },
    ),
    "gone": State(_offices, "unreachable", {"written": "/lookup/origin?address=10.76.65.1"}, _gone),
    "large": State(
        _large,
        "in-sync",
        {
            "searched": "/map?q=oslo",
            "sorted": "/map?sort=location&order=desc&page=3",
            "closer": "/picture?root=10.64.0.0/12",
            "v6": "/picture?root=2001:db8::/60",
            "commit": "/commit/{main}",
            "source": "/source/locations.csv?line=300",
            "history-2": "/history?page=2",
        },
    ),
    "long": State(
        _long,
        "rejected",
        {
            "v6": "/picture?root=2001:db8::/32",
            "answer-v6": "/lookup?address=2001:db8:1234:5678:9abc:def0:1234:5678",
            "commit": "/commit/{main~1}",
            "bad": "/commit/{main}",
            "compare": "/compare?old={main~2}&new={main~1}",
            "searched": f"/map?q={'x' * 300}",
        },
    ),
}
"""Every state, by name."""
