"""`/status?wait=COMMIT`: held until this service and all that follow it answer from a commit, or one refuses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.types import Receive

from ...fleet.fleet import WATCHERS, Fleet
from ...fleet.followers import Standing
from ...fleet.report import LONGEST_PROBLEM, MOST_BEHIND
from ...rollout.state import ActiveState
from ...text import escape, quote, shorten
from ..edge.faults import Fault

LONGEST = 60
"""Seconds for which a request is held at most."""
USUAL = 30
"""Seconds for which it is held where it does not say."""
NAMED = 20
"""Followers that are named which do not answer from it yet."""
HERE = "this service"

_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class StatusWait:
    """What is waited for: a commit, by its id or the beginning of it, at so many followers at least."""

    active: ActiveState
    fleet: Fleet
    asked: str
    least: int
    seconds: int

    async def hold(self, receive: Receive) -> None:
        """Wait until it is known, the time is over, or the client leaves; raises Fault where too many wait already."""
        if self._is_known() or not self.seconds:
            return
        if self.fleet.watches.is_full:
            raise Fault(503, f"{WATCHERS} answers are waited for already", "ask again a little later")

        async def leave() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        await self.fleet.watches.until(self._is_known, self.seconds, leave)

    def fields(self) -> dict[str, Any]:
        """How far it has come, who refuses it and why, and who is missing."""
        commit, standing = self._commit(), self._standing()
        late, number = self.fleet.followers.late(commit, NAMED)
        return {
            "commit": commit,
            "is_everywhere": self._is_everywhere(standing),
            "is_here": self.active.commit == commit,
            "at": standing.at,
            "total": standing.total,
            "refused": [*self._refusals()],
            "missing": [
                {
                    "name": one.report.name,
                    "commit": one.report.commit,
                    "state": one.state,
                    "number": one.missing(commit),
                    "late": [behind._asdict() for behind in one.late(commit)],
                }
                for one in late
            ],
            "more_missing": number - len(late),
        }

    def _commit(self) -> str:
        """The whole id, where it is known here."""
        state = self.active.state
        known = (self.active.commit, state.head and state.head.commit.id, state.rejection and state.rejection.commit)
        return next((one for one in known if one and one.startswith(self.asked)), self.asked)

    def _standing(self) -> Standing:
        return self.fleet.followers.standing(self._commit())

    def _is_known(self) -> bool:
        standing = self._standing()
        return self._is_everywhere(standing) or standing.refused > 0 or any(self._own_refusal())

    def _is_everywhere(self, standing: Standing) -> bool:
        is_here = self.active.commit == self._commit()
        return is_here and standing.is_everywhere and standing.total >= self.least

    def _refusals(self) -> Iterator[dict[str, str]]:
        yield from self._own_refusal()
        for name, why in self.fleet.followers.refusals(self._commit(), NAMED):
            yield {"name": name, "problem": why.problem}

    def _own_refusal(self) -> Iterator[dict[str, str]]:
        rejection = self.active.state.rejection
        if rejection and rejection.commit == self._commit() != self.active.commit:
            yield {"name": HERE, "problem": escape(shorten(rejection.first_line, LONGEST_PROBLEM))}


def parse_wait(request: Request, active: ActiveState, fleet: Fleet) -> StatusWait | None:
    """What a request for `/status` waits for, None: for nothing; raises Fault for what cannot be waited for."""
    asked = request.query_params.get("wait")
    if asked is None:
        return None
    if not _COMMIT.fullmatch(asked):
        raise Fault(
            400, f"wait cannot be {quote(asked)}", "it is the id of a commit, or its first seven digits or more"
        )
    least = _number(request, "followers", 0, MOST_BEHIND)
    return StatusWait(active, fleet, asked, least, _number(request, "seconds", USUAL, LONGEST))


def _number(request: Request, name: str, usual: int, most: int) -> int:
    text = request.query_params.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= most):
        raise Fault(400, f"{name} cannot be {quote(text)}", f"it is a whole number from 0 to {most:,}")
    return int(text)
