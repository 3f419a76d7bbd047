"""The picture of an impact: as large as its page says, in the colours of the page; none where nothing changes."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from location_policy.web.pages import impact_image
from location_policy.web.pages.colours import Looks
from location_policy.web.pages.impact_image import GAP, HEIGHT, MARGIN, WIDTH, png
from location_policy.web.pages.static_files import static_text
from tests.support.app import client_of_repository
from tests.support.repositories import force_commit, make_repository, tip

LOOKS = Looks()
"""Those of this test: in a process that has shown many names some share a look."""
OLD = "Oslo,10.0.0.0/9\nPerth,10.128.0.0/9\n"
NEW = "Bergen,10.0.0.0/10\nOslo,10.64.0.0/10\n"
GROUND, GREY, WHITE = "f7f7f5", "dcdedb", "ffffff"


def pixels(content: bytes) -> list[list[str]]:
    """The colours of a PNG without filters, line by line."""
    at, chunks = 8, {}
    while at < len(content):
        (size,), kind = struct.unpack_from(">I", content, at), content[at + 4 : at + 8]
        body = content[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", content, at + 8 + size) == (zlib.crc32(kind + body),)
        chunks[kind], at = body, at + 12 + size
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    palette = [chunks[b"PLTE"][one : one + 3].hex() for one in range(0, len(chunks[b"PLTE"]), 3)]
    raw = zlib.decompress(chunks[b"IDAT"])
    assert len(raw) == HEIGHT * (WIDTH + 1)
    return [[palette[one] for one in raw[y * (WIDTH + 1) + 1 : (y + 1) * (WIDTH + 1)]] for y in range(HEIGHT)]


def own_colour(name: str) -> str:
    """That of the light theme."""
    colour = LOOKS.classes(name).split()[0]
    found: list[str] = re.findall(rf"\.{colour} {{ --own: #(\w+);", static_text("style.css"))
    return found[0]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = make_repository(tmp_path / "map.git", {"locations.csv": OLD})
    force_commit(made, {"locations.csv": NEW})
    return made


def test_it_has_the_halves_of_the_strip_in_the_colours_of_the_page(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impact_image, "LOOKS", LOOKS)
    client = client_of_repository(repository)
    shown = client.get(f"/commit/{tip(repository)}").text
    (address,) = re.findall(r'<meta property="og:image" content="([^"]+)">', shown)
    assert address == f"{client.base_url}/commit/{tip(repository)}/impact.png"
    assert f'property="og:image:width" content="{WIDTH}"' in shown
    assert "from 10.0.0.0 Oslo to Bergen; from 10.128.0.0 Perth to no answer" in shown
    answer = client.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    found = pixels(answer.content)
    middle = HEIGHT // 2
    halves = [set(found[y]) - {GROUND} for y in (MARGIN, middle - GAP, middle + GAP, HEIGHT - MARGIN - GAP)]
    assert {own_colour("Oslo"), own_colour("Perth"), GREY} <= halves[0] | halves[1]
    assert {own_colour("Bergen"), WHITE, GREY} <= halves[2] | halves[3]
    assert own_colour("Bergen") not in halves[0] | halves[1]
    assert set(found[0]) | set(found[middle]) == {GROUND}


def test_a_comparison_has_one_too(repository: Path) -> None:
    client = client_of_repository(repository)
    old, new = tip(repository, "main~1"), tip(repository)
    shown = client.get(f"/compare?old={old}&new={new}").text
    (address,) = re.findall(r'property="og:image" content="([^"]+)"', shown)
    assert client.get(address.replace("&amp;", "&")).content == client.get(f"/commit/{new}/impact.png").content


def test_where_nothing_changes_there_is_none(repository: Path) -> None:
    same = force_commit(repository, {"locations.csv": f"# the same\n{NEW}"})
    client = client_of_repository(repository)
    assert "og:image" not in client.get(f"/commit/{same}").text
    assert client.get(f"/commit/{same}/impact.png").status_code == 404


@pytest.mark.parametrize(("target", "status"), [("/commit/beef/impact.png", 404), ("/compare/impact.png", 400)])
def test_what_is_not_there_is_told_as_by_its_page(client: TestClient, target: str, status: int) -> None:
    assert client.get(target).status_code == status


@pytest.fixture
def client(repository: Path) -> TestClient:
    return client_of_repository(repository)


def test_a_location_that_shares_its_colour_has_its_pattern() -> None:
    segments = [
        {"start": 0, "width": 50, "before": "a", "after": "b"},
        {"start": 50, "width": 50, "before": "c", "after": None},
    ]
    looks = {"a": "c1", "b": "c1 p1", "c": "c1 p2"}
    found = pixels(png([{"family": "IPv4", "segments": segments}], looks.__getitem__))
    left, right = (slice(MARGIN, WIDTH // 2), slice(WIDTH // 2, WIDTH - MARGIN))
    top, bottom = found[MARGIN : MARGIN + 24], found[HEIGHT // 2 + 20 : HEIGHT // 2 + 44]
    assert {one for line in top for one in line[left]} == {"332288"}
    assert {one for line in top for one in line[right]} == {"332288", "ffffff"}
    assert {one for line in bottom for one in line[left]} == {"332288", "ffffff"}
    assert {one for line in bottom for one in line[right]} == {WHITE}
