"""The clients that were known before: kept over a restart, bounded, and nothing else of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from location_policy.access import known_clients
from location_policy.access.known_clients import FILE_NAME, KnownClients


def kept(directory: Path) -> KnownClients:
    found = KnownClients()
    found.keep_in(directory)
    return found


def test_they_are_known_after_a_restart_by_address_or_network(tmp_path: Path) -> None:
    before = kept(tmp_path)
    for address in ("192.0.2.1", "2001:db8:1:2::3", "local", "192.0.2.1"):
        before.add(address)
    before.look()
    after = kept(tmp_path)
    for address in ("192.0.2.1", "2001:db8:1:2::4", "local"):
        assert address in before
        assert address in after
    for address in ("192.0.2.2", "2001:db8:1:3::3"):
        assert address not in after
    path = tmp_path / FILE_NAME
    assert path.read_text() == "2001:db8:1:2::/64\nlocal\n192.0.2.1\n"
    assert path.stat().st_mode & 0o7777 == 0o640


def test_the_one_that_was_seen_longest_ago_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_clients, "KEPT", 2)
    found = kept(tmp_path)
    for number in (1, 2, 1, 3):
        found.add(f"192.0.2.{number}")
    found.look()
    assert (tmp_path / FILE_NAME).read_text() == "192.0.2.1\n192.0.2.3\n"
    (tmp_path / FILE_NAME).write_text("192.0.2.9\n192.0.2.1\n192.0.2.3\n")
    assert ["192.0.2.9" in kept(tmp_path), "192.0.2.1" in kept(tmp_path)] == [False, True]


def test_it_is_written_when_one_is_new_and_not_else(tmp_path: Path) -> None:
    found = kept(tmp_path)
    found.look()
    assert not (tmp_path / FILE_NAME).exists()
    found.add("192.0.2.1")
    found.look()
    (tmp_path / FILE_NAME).unlink()
    found.add("192.0.2.1")
    found.look()
    assert not (tmp_path / FILE_NAME).exists()
    KnownClients().look()  # it has no directory


def test_what_cannot_be_written_or_read_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = tmp_path / "state"
    found = kept(directory)
    found.add("192.0.2.1")
    for _ in range(2):
        found.look()
    about = "clients that were known are not kept for a restart:"
    assert caplog.messages == [f"{about} {directory} cannot be written: No such file or directory"]
    directory.mkdir()
    found.look()
    assert "192.0.2.1" in kept(directory)
    path = directory / FILE_NAME
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "192.0.2.1" not in kept(directory)
    assert caplog.messages[1:] == [f"{about} {path} cannot be read: {FILE_NAME} is a symbolic link"]


def test_a_file_that_was_wider_or_led_elsewhere_is_replaced(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / FILE_NAME, tmp_path / "elsewhere"
    elsewhere.write_text("")
    path.symlink_to(elsewhere)
    found = kept(tmp_path)
    found.add("192.0.2.1")
    found.look()
    assert (elsewhere.read_text(), path.is_symlink()) == ("", False)
    path.chmod(0o666)
    found.add("192.0.2.2")
    found.look()
    assert path.stat().st_mode & 0o7777 == 0o640
