"""The id of a service."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from location_policy.runtime.service_id import FILE_NAME, service_id


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    first = service_id(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{16}", first)
    assert service_id(tmp_path) == first
    assert (tmp_path / FILE_NAME).read_text() == f"{first}\n"


@pytest.mark.parametrize("content", [b"", b"0123456789ABCDEF\n", b"\xff" * 16, b"0" * 17])
def test_what_is_no_id_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    made = service_id(tmp_path)
    assert (tmp_path / FILE_NAME).read_text() == f"{made}\n"


def test_where_nothing_can_be_kept_it_is_another_each_time(tmp_path: Path) -> None:
    assert service_id(tmp_path / "gone") != service_id(tmp_path / "gone")
