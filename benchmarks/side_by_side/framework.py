"""The same answer by the framework's own means: a route of Starlette, `query_params`, JSONResponse, and our tree.

python benchmarks/side_by_side/framework.py PORT ROWS.csv
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from location_policy.config.files import File
from location_policy.config.validate import load_map
from location_policy.lookup.snapshot import build_snapshot
from location_policy.net.addresses import parse_address

CONTENT = Path(sys.argv[2]).read_bytes()
SNAPSHOT = build_snapshot(load_map([File("locations.csv", "file", len(CONTENT), "b" * 40, CONTENT)]), None)


async def locate(request: Request) -> JSONResponse:
    """Where the caller's media is hosted."""
    query = request.query_params
    if query.get("protocol", "").lower() != "mssip":
        return JSONResponse({"status": "policy.reason.no.mssip - Not providing policy for this call"})
    match = SNAPSHOT.match(parse_address(query.get("ms-subnet", "")))
    if match is None:
        return JSONResponse({"status": "policy.reason.no.subnetmatch - No matching subnet"})
    location, primary, secondary = match.names
    return JSONResponse(
        {
            "status": "success",
            "policy.reason.matched": f"Sending MSSIP call to location {location}",
            "policy.subnet": str(match.network),
            "policy.source": f"{match.path}:{match.line}",
            "policy.commit": "c" * 40,
            "result": {
                "location": location,
                "primary_overflow_location": primary,
                "secondary_overflow_location": secondary,
            },
        }
    )


if __name__ == "__main__":
    app = Starlette(routes=[Route("/policy/v1/participant/location", locate)])
    options = {"loop": "uvloop", "http": "httptools", "ws": "none", "lifespan": "off", "log_config": None}
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, timeout_keep_alive=75, **options)  # type: ignore[arg-type]
