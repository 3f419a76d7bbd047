"""The API of looks at the source: one is asked for, and what became of it is told, at once or when it is known."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...rollout.sync.syncs import Sync, Syncs
from ...runtime.wakeup import Wakeup
from ..edge.faults import MEDIA_TYPE, RETRY_AFTER, Fault, problem_details
from ..edge.responses import json_response

PATH = "/api/v1/sync"
LONGEST = 60.0
"""Seconds that an answer may be waited for."""
WAITING = 100
"""Answers that may be waited for at a time."""


@dataclass(frozen=True, slots=True)
class SyncApi:
    """Answers from `syncs`; `wakeup` is told when one of them is over."""

    syncs: Syncs
    wakeup: Wakeup

    def routes(self) -> list[Route]:
        """Both of them."""
        return [Route(PATH, self._ask, methods=["POST"]), Route(f"{PATH}/{{number}}", self._tell)]

    async def _ask(self, _: Request) -> Response:
        return json_response({"sync": self.syncs.ask()}, 202)

    async def _tell(self, request: Request) -> Response:
        try:
            sync = await self._wait(_number(request), _seconds(request))
        except Fault as fault:
            headers = {"Retry-After": RETRY_AFTER} if fault.status == 503 else {}
            return json_response(problem_details(fault), fault.status, headers, MEDIA_TYPE)
        return json_response(sync.fields())

    async def _wait(self, number: int, seconds: float) -> Sync:
        """The look, once it is over or so many seconds are; raises Fault."""
        if seconds and not self._is_over(number):
            if self.wakeup.is_full:
                raise Fault(503, f"{WAITING} answers are waited for already", "ask again without wait")
            with suppress(asyncio.CancelledError):  # the service ends: the answer is due all the same
                await self.wakeup.until(lambda: self._is_over(number), seconds)
        if (sync := self.syncs.find(number)) is None:
            raise Fault(404, f"there is no look {number}", "the last hundred are known, of this run of the service")
        return sync

    def _is_over(self, number: int) -> bool:
        sync = self.syncs.find(number)
        return sync is None or sync.result is not None


def _number(request: Request) -> int:
    text = request.path_params["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Fault(404, "a look has a number", f"POST {PATH} gives one")
    return int(text)


def _seconds(request: Request) -> float:
    text = request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdigit()) or int(text[:9]) > LONGEST:
        raise Fault(400, f"wait is not a number of seconds up to {LONGEST:g}", "as in ?wait=30")
    return float(text)
