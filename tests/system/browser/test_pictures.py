"""The pictures in the documents are made by docs/screenshots.py, from pages and pushes as they are."""

from __future__ import annotations

import struct
from pathlib import Path

from playwright.sync_api import Browser

from docs.screenshots import FOLDER, show


def size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG."""
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height


def test_the_script_makes_every_picture_of_the_documents(chromium: Browser, tmp_path: Path) -> None:
    show(chromium, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in FOLDER.iterdir()}
    pages = sorted(tmp_path.glob("*.png"))
    shown = {path.name: size(path) for path in pages if path.name != "upload.png"}  # which is as high as what it shows
    assert shown == {name: size(FOLDER / name) for name in shown}
    assert len(shown) == 6
