"""The server under the service: uvicorn, with an application that says the same to every client.

python benchmarks/side_by_side/constant.py PORT BYTES
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

BODY = b"x" * int(sys.argv[2])
HEADERS = [
    (b"content-type", b"application/json"),
    (b"x-location-policy-commit", b"c" * 40),
    (b"content-length", b"%d" % len(BODY)),
]


async def app(_scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401  as bare as it can be
    """ASGI 3, with the headers of our answers."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        headers=[("X-Content-Type-Options", "nosniff")],
        timeout_keep_alive=75,
    )
