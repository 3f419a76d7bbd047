"""One commit, loaded: what matches, where it stands, and what is counted."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from location_policy.net.addresses import parse_address
from tests.support.maps import COMMIT, snapshot_of
from tests.support.repositories import GOOD

FILES = {
    "locations.csv": "# head\nPerth,10.0.0.0/8\n",
    "locations/apac.csv": "Sydney,Melbourne,10.61.2.0/24\n\nSydney,10.61.3.0/24\n",
    "locations/v6.csv": "Singapore,2001:db8::/32\n",
}


@pytest.mark.parametrize(
    ("address", "names", "network", "place"),
    [
        ("10.61.2.0", ("Sydney", "Melbourne"), "10.61.2.0/24", "locations/apac.csv:1"),
        ("10.61.3.255", ("Sydney",), "10.61.3.0/24", "locations/apac.csv:3"),
        ("10.61.4.0", ("Perth",), "10.0.0.0/8", "locations.csv:2"),
        ("2001:db8:ffff::1", ("Singapore",), "2001:db8::/32", "locations/v6.csv:1"),
    ],
)
def test_a_match_has_the_names_and_the_place_of_its_row(
    address: str, names: tuple[str, ...], network: str, place: str
) -> None:
    match = snapshot_of(FILES).match(parse_address(address))
    assert match
    assert (match.names, str(match.network), f"{match.path}:{match.line}") == (names, network, place)


def test_an_address_that_no_row_covers_has_no_match() -> None:
    assert snapshot_of(FILES).match(parse_address("192.0.2.1")) is None


def test_rows_are_counted_in_all_and_by_their_first_column() -> None:
    snapshot = snapshot_of(FILES)
    assert snapshot.size == 4
    assert dict(snapshot.locations) == {"Perth": 1, "Singapore": 1, "Sydney": 2}


def test_a_snapshot_knows_its_commit_and_never_changes() -> None:
    snapshot = snapshot_of(FILES)
    assert snapshot.commit == COMMIT
    with pytest.raises(FrozenInstanceError):
        snapshot.size = 0  # type: ignore[misc]  # what is tested
    with pytest.raises(TypeError):
        snapshot.locations["Perth"] = 2  # type: ignore[index]  # what is tested


def test_a_path_that_is_not_utf8_can_still_be_told() -> None:
    path = b"locations/\xff.csv".decode(errors="surrogateescape")
    match = snapshot_of({path: "Sydney,10.61.2.0/24\n"}).match(parse_address("10.61.2.1"))
    assert match
    assert match.path == "locations/\ufffd.csv"


def test_rows_of_views_are_counted_in_all() -> None:
    rules = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'
    snapshot = snapshot_of({**GOOD, "policy.toml": rules, "views/edge/locations.csv": "DMZ,10.0.0.0/8\n"})
    assert (snapshot.size, snapshot.total_size, snapshot.size_text) == (2, 3, "3 subnets and 1 view")
    assert snapshot_of().size_text == "2 subnets"
    assert snapshot.maps == (snapshot, *snapshot.views)
    assert [snapshot.of_view(name) for name in (None, "", "edge", "lab")] == [*[snapshot] * 2, snapshot.views[0], None]


def test_views_with_the_same_rows_share_what_is_made_of_them() -> None:
    rules = "".join(f'[[view]]\nname = "{name}"\nlocation = "{name}"\n' for name in ("edge", "lab", "other"))
    rows = b"Sydney,10.61.2.0/24\n"  # one object, as a repository gives one content
    places = {f"views/{name}/locations.csv": rows for name in ("edge", "lab")}
    snapshot = snapshot_of({**FILES, "policy.toml": rules, **places, "views/other/locations.csv": rows + b"# more\n"})
    edge, lab, other = snapshot.views
    assert edge._tree is lab._tree is not other._tree
    assert [edge.paths, lab.paths] == [(path,) for path in places]
    again = snapshot.of(COMMIT)
    assert [view.view for view in again.views] == ["edge", "lab", "other"]
