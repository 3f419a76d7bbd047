"""The map as a file: all rows in one, or one file as it was committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ...lookup.csv_export import csv_parts
from ..edge.asker import asker
from ..site.site import Site
from ..site.thread_pool import ThreadPool

CSV = "text/csv; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Downloads:
    """Sends files; what has to be made or read is made in the thread pool."""

    site: Site
    pool: ThreadPool

    async def whole_map(self, request: Request) -> Response:
        """All rows, at the top or of a view, of the commit in force or of another."""
        revision, view = request.query_params.get("at"), request.query_params.get("view")
        snapshot = await self.pool.do(lambda: self.site.snapshot(revision, view), asker(request.scope))
        headers = _headers(snapshot.commit.id if snapshot.commit else None)
        name = f"locations-{snapshot.view}.csv" if snapshot.view else "locations.csv"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
        if _is_known(request, headers):
            return Response(status_code=304, headers=headers)
        parts = csv_parts(snapshot)
        return StreamingResponse(_handed(self.pool, parts, asker(request.scope)), headers=headers, media_type=CSV)

    async def file(self, request: Request) -> Response:
        """One file of the configuration, as committed."""
        path, revision = request.path_params["path"], request.query_params.get("at")
        active = self.site.active.state.snapshot
        asked = revision or (active.commit.id if active and active.commit else None)
        commit, content = await self.pool.do(
            lambda: self.site.queries.content(asked or self.site.queries.tip(), path), asker(request.scope)
        )
        headers = _headers(commit.id)
        if _is_known(request, headers):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=TEXT)


async def _handed(pool: ThreadPool, parts: Iterator[bytes], asker: str) -> AsyncIterator[bytes]:
    """The parts, each made in the thread pool when its turn has come."""
    while part := await pool.do(lambda: next(parts, b""), asker):
        yield part


def _headers(commit_id: str | None) -> dict[str, str]:
    """Those of a file: the same commit is the same file."""
    return {"Cache-Control": "private, no-cache"} | ({"ETag": f'"{commit_id}"'} if commit_id else {})


def _is_known(request: Request, headers: dict[str, str]) -> bool:
    """Does who asks have it already (RFC 9110, 13.1.2)?"""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return headers.get("ETag") in known
