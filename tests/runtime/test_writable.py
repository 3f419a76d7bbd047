"""Why a folder cannot be written; a read-only file system is in tests/system/faults."""

from __future__ import annotations

from pathlib import Path

from location_policy.runtime.writable import Unwritable, is_read_only, unwritable
from tests.support.unprivileged import open_folder, run_as_nobody


def test_what_can_be_written_or_made_is_fine(tmp_path: Path) -> None:
    assert unwritable(tmp_path / "a" / "b") is None
    assert not is_read_only(tmp_path / "not there")


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    why = Unwritable("is not in a folder", f"{tmp_path / 'file'} is a file: name a folder")
    assert unwritable(tmp_path / "file" / "state") == why


def test_whose_folder_it_is_decides_what_is_advised() -> None:
    with open_folder() as folder:
        imports = "import os; from pathlib import Path; from location_policy.runtime.writable import unwritable"
        (folder / "own").mkdir()
        (folder / "open").mkdir()
        (folder / "open").chmod(0o777)
        program = (
            f"print(unwritable(Path('{folder}/own')).mend); place = Path('{folder}/open/x'); place.mkdir(0o500);"
            "print(unwritable(place).mend)"
        )
        done = run_as_nobody(imports, program)
        assert done.stdout.split("\n")[:2] == [f"chown nobody {folder}/own", f"chmod u+rwx {folder}/open/x"], (
            done.stderr
        )
