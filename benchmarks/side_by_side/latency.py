"""Asks at a fixed rate, after any answer, and writes how long each answer took from when it was due.

    python benchmarks/side_by_side/latency.py PORT START SECONDS FILE <REQUEST

One connection; a request that is late because the one before it was slow counts as slow too. START is a moment of the
monotonic clock. FILE becomes the seconds of each answer, as doubles.
"""

from __future__ import annotations

import gc
import socket
import sys
import time
from array import array
from pathlib import Path

RATE = 500
"""Requests a second."""


def main() -> None:
    port, start, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    request = sys.stdin.buffer.read()
    found = array("d")
    gc.disable()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(int(seconds * RATE)):
            due = start + number / RATE
            time.sleep(max(0.0, due - time.monotonic()))
            connection.sendall(request)
            read_answer(connection)
            found.append(time.monotonic() - due)
    Path(sys.argv[4]).write_bytes(found.tobytes())


def read_answer(connection: socket.socket) -> None:
    received = connection.recv(65536)
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < size:
        body += connection.recv(65536)


if __name__ == "__main__":
    main()
