"""One change of a file of passwords at a time."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from location_policy.access.htpasswd import hash_password, read_htpasswd, with_password
from location_policy.access.set_password import change_password


def test_a_change_waits_for_one_that_is_under_way_and_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "htpasswd"
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    changing = threading.Thread(target=change_password, args=(path, "node", "right"))
    changing.start()
    changing.join(0.5)  # to hash takes less
    assert changing.is_alive()
    assert not path.exists()
    path.write_bytes(with_password(b"", "ana", hash_password("left")))
    os.close(other)
    changing.join()
    users = read_htpasswd(path.read_bytes(), str(path))
    assert users.know("node", [b"right"])
    assert users.know("ana", [b"left"])
