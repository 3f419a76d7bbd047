"""`POST /webhook`: a forge says that something was pushed, and the source is looked at.

It is only a knock. The body is hashed for its signature and never parsed, so whatever it says of events, branches and
repositories can do nothing but cause a look. No user and no role is asked for: the proof is in the request.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Literal, get_args

from starlette.types import Receive, Scope, Send

from ...access.proxies import Proxies
from ...access.throttle import LONGEST, Throttle
from ...access.webhook_proof import Proof
from ...lookup import answers
from .policy_api import RETRY_AFTER, send_whole
from .request_body import Refused, read_body, too_large

PATH = "/webhook"
LIMIT = 5 * 1024 * 1024
"""Bytes of a body that are hashed. GitHub sends up to 25 MB: a larger one waits for the interval."""
SENDER = "webhook"
"""The user under which wrong proofs are counted, as wrong passwords are."""

KnockResult = Literal["accepted", "unproven", "too-large", "busy", "broken"]
"""How a knock may end; `broken`: its body did not come whole."""
KNOCK_RESULTS: tuple[KnockResult, ...] = get_args(KnockResult)


class Webhook:
    """Takes knocks by one of the `secrets`; `knock` has the source looked at and gives the number of the look.

    For one event loop. `results`: how many have ended so.
    """

    def __init__(self, secrets: Callable[[], Sequence[bytes]], knock: Callable[[], int], proxies: Proxies) -> None:
        self._secrets = secrets
        self._knock = knock
        self._proxies = proxies
        self._failures = Throttle()
        self.results = Counter[KnockResult](dict.fromkeys(KNOCK_RESULTS, 0))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI 3)."""
        if scope["method"] != "POST":
            wrong = {"message": "A webhook is sent by POST"}
            await _answer(send, 405, wrong, (b"allow", b"POST"), with_body=scope["method"] != "HEAD")
            return
        try:
            result, status, told = await self._judge(scope, receive)
        except Refused as refused:
            result = "too-large" if refused.status == 413 else "broken"
            status, told = refused.status, {"message": str(refused)}
        self.results[result] += 1
        more = [(b"retry-after", RETRY_AFTER)] if status == 503 else []
        await _answer(send, status, told, *more)

    async def _judge(self, scope: Scope, receive: Receive) -> tuple[KnockResult, int, dict[str, object]]:
        """How it ends, and what it is told; a wrong proof waits for the turn of its address, a right one never does.

        So who guesses behind the address of a forge, a proxy for one, keeps no knock of the forge away.
        """
        if await self._is_proven(scope, receive):
            return "accepted", 202, {"sync": self._knock()}
        peer = scope["client"][0] if scope["client"] else None
        address = self._proxies.client(peer, _values(scope, b"x-forwarded-for"))
        seconds = self._failures.turn(address)
        if seconds > LONGEST:
            return "busy", 503, answers.busy().body
        with suppress(asyncio.CancelledError):  # the service ends: the answer is due all the same
            await asyncio.sleep(seconds)
            await asyncio.sleep(self._failures.add(address, SENDER))
        return "unproven", 401, {"message": "The proof is missing or wrong: see the webhook's secret"}

    async def _is_proven(self, scope: Scope, receive: Receive) -> bool:
        """Is there a proof that holds? Only for one that may is the body read; raises Refused."""
        lengths = _values(scope, b"content-length")
        if any(length.isdigit() and int(length) > LIMIT for length in lengths):
            raise too_large(LIMIT)
        proof = Proof(dict(scope["headers"]), self._secrets(), time.time())
        if not proof.is_given:
            return False
        async for piece in read_body(receive, b"", LIMIT):  # as it is sent, packed or not: that is what is signed
            proof.update(piece)
        return proof.holds()


async def _answer(
    send: Send, status: int, told: Mapping[str, object], *more: tuple[bytes, bytes], with_body: bool = True
) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *more]
    await send_whole(send, status, headers, json.dumps(told).encode(), with_body=with_body)


def _values(scope: Scope, wanted: bytes) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == wanted]
