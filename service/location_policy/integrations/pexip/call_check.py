"""Finished calls, held against what a commit says of them: was its answer obeyed?

A call is asked of the commit as a node asks, by what Pexip's record has of the request. Where the answer depends on a
parameter that the record does not have, as `ms-subnet`, it is known from a decision log, or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ...lookup import decision
from ...lookup.answers import Answer
from ...lookup.snapshot import Snapshot
from ...spelling import nearest
from ...text import count, listed, quote
from .call_record import Call
from .logged_subnets import LoggedSubnets
from .name_check import Mismatch
from .node_check import without_node
from .platform import Platform
from .profile_check import passes_through

Result = Literal["obeyed", "overflow", "ignored", "no opinion", "not known", "no media"]
RESULTS: Mapping[Result, str] = {
    "obeyed": "media in the location of the answer",
    "overflow": "media in an overflow location of the answer",
    "ignored": "media in another location",
    "no opinion": "the answer names no location",
    "not known": "",
    "no media": "a call without media of its own",
}
"""What can become of a call, and what each means; of those that are not known the reason says it."""

SUBNET = "ms-subnet"


class Cause(NamedTuple):
    """Why an answer was probably not taken, in a word, and in a sentence with what to do."""

    code: Literal["unknown-name", "not-asked", "local-policy", "no-node", "other"]
    message: str
    hint: str


class _Parameters:
    """The parameters of a call's request, as far as they are known; `lacking` are those that were asked for in vain."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self.lacking: list[str] = []

    def first(self, name: str) -> str:
        """As Parameters has it."""
        if name not in self._known:
            self.lacking.append(name)
        return self._known.get(name, "")


@dataclass
class Report:
    """How many calls there were of each kind; no call by itself is kept.

    `pairs` are by the location of the answer, that of the media, and the result. `ignored` are by the location of the
    answer and the likely cause, and in each by where the media was. `unknown` are by the reason.
    """

    counts: Counter[Result] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str, Result]] = field(default_factory=Counter)
    ignored: dict[tuple[str, Cause], Counter[str]] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All calls."""
        return self.counts.total()

    def mismatches(self) -> list[Mismatch]:
        """The ignored answers, most calls first."""
        return [
            Mismatch(
                f"location {quote(location)}",
                f"{count(media.total(), 'call')} sent there had media in {_places(media)}: {cause.message}",
                cause.hint,
            )
            for (location, cause), media in self._sorted()
        ]

    def fields(self) -> dict[str, object]:
        """All of it as JSON."""
        return {
            "calls": self.total,
            "results": {result.replace(" ", "_"): self.counts[result] for result in RESULTS},
            "answers": [
                {"location": location, "media": media, "result": result, "calls": calls}
                for (location, media, result), calls in self.pairs.most_common()
            ],
            "ignored": [
                {"location": location, "calls": media.total(), "media": dict(media.most_common())}
                | {"cause": cause.code, "message": cause.message, "hint": cause.hint}
                for (location, cause), media in self._sorted()
            ],
            "not_known": [{"reason": reason, "calls": calls} for reason, calls in self.unknown.most_common()],
        }

    def _sorted(self) -> list[tuple[tuple[str, Cause], Counter[str]]]:
        return sorted(self.ignored.items(), key=lambda group: (-group[1].total(), group[0]))


class CallCheck:
    """Holds calls against a commit, or a working copy, and a platform."""

    def __init__(self, snapshot: Snapshot, platform: Platform, logged: LoggedSubnets) -> None:
        self.report = Report()
        self._snapshot = snapshot
        self._platform = platform
        self._logged = logged

    def take(self, call: Call) -> None:
        """Count one call."""
        self.report.counts[self._result(call)] += 1

    def _result(self, call: Call) -> Result:
        if not call.media:
            return "no media"
        answer, lacking = self._answer(call)
        if lacking:
            hint = ", and no line of --log tells it" if lacking == SUBNET else ""
            return self._unknown(f"Pexip's record has no {lacking}{hint}")
        if answer.location is None:
            return "no opinion"
        media = self._platform.location_at(call.media)
        if media is None:
            return self._unknown("its media was on a node that Pexip has no more")
        overflow = answer.overflow or ()
        result: Result = "obeyed" if media == answer.location else "overflow" if media in overflow else "ignored"
        if result == "ignored":
            if self._is_older(call):
                return self._unknown("it began before the commit, and went elsewhere")
            cause = self._cause(call, (answer.location, *overflow))
            self.report.ignored.setdefault((answer.location, cause), Counter())[media] += 1
        self.report.pairs[answer.location, media, result] += 1
        return result

    def _unknown(self, reason: str) -> Result:
        self.report.unknown[reason] += 1
        return "not known"

    def _answer(self, call: Call) -> tuple[Answer, str]:
        """What the commit says; and the first parameter on which that depends and which is not known."""
        platform = self._platform
        known = {
            "protocol": call.protocol,
            "call-direction": call.direction,
            "remote-address": call.address,
            "location": self._landed(call),
            "node-ip": call.signalling,
            "proxy-node-address": call.proxy,
            "proxy-node-location": platform.location_at(call.proxy) or "",
        }
        parameters = _Parameters(known)
        answer = decision.answer(self._snapshot, parameters)
        if SUBNET in parameters.lacking and (subnet := self._logged.of(call)) is not None:
            parameters = _Parameters({**known, SUBNET: subnet})
            answer = decision.answer(self._snapshot, parameters)
        return answer, next(iter(parameters.lacking), "")

    def _landed(self, call: Call) -> str:
        """The location whose node asks: that of the signalling node, else what the record says."""
        return self._platform.location_at(call.signalling) or call.location

    def _is_older(self, call: Call) -> bool:
        commit = self._snapshot.commit
        return commit is not None and call.began is not None and call.began < commit.committed_at

    def _cause(self, call: Call, names: tuple[str, ...]) -> Cause:
        """The first that holds of what is known to make Pexip pass over an answer."""
        platform, landed, location = self._platform, self._landed(call), names[0]
        unknown = [name for name in names if name not in platform.by_name]
        if unknown:
            meant = nearest(unknown[0], platform.by_name)
            hint = f"write {quote(meant)}" if meant else "add it in Platform > Locations, or take it out of the map"
            return Cause(
                "unknown-name", f"Pexip has no location {quote(unknown[0])}, and drops an answer that names it", hint
            )
        profile = platform.profile_of(landed)
        if profile is None or not profile.asks_media_location:
            hint = f"in Platform > Locations give {quote(landed)} the one of this service"
            message = f"{quote(landed)}, where they came in, has no policy profile that asks for media location"
            return Cause("not-asked", message, hint)
        if profile.local_policy is not None and not passes_through(profile.local_policy):
            message = f"local policy of the policy profile {quote(profile.name)} has the last word"
            return Cause("local-policy", message, "location-policy pexip preflight shows its text")
        if found := without_node(platform, location):
            return Cause("no-node", *found)
        overflow = " and its overflow were" if len(names) > 1 else " was"
        message = f"{quote(location)}{overflow} full, or the answer did not reach the node in time"
        hint = f"look at the load of {quote(location)} in Pexip, and in the decision log for what its nodes were told"
        return Cause("other", message, hint)


def _places(media: Counter[str]) -> str:
    return listed([f"{quote(name)} ({calls:,})" for name, calls in media.most_common()], 5)
