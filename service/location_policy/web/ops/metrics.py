"""Metrics for Prometheus: plain numbers, put into its form only when it asks.

Counting is paid for by every answer and scraping by none, so nothing but integers is touched between two scrapes.
Every label has a fixed set of values, that of views the names in the map. Each series is there from the start, at 0,
so that a rate over it has a beginning, but those of views, which come when they are first asked: under any requests
there are fewer than two hundred and fifty, and as many again for each view that is asked.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import accumulate, islice
from types import MappingProxyType
from typing import get_args

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from ... import __revision__, __version__
from ...config.policy_toml import PROTOCOLS
from ...fleet.followers import Followers
from ...gate.hooks import HookState
from ...lookup.answers import Answer, Outcome
from ...lookup.decision import Question
from ...lookup.snapshot import Snapshot
from ...repository.remote.looks import Looks
from ...rollout.notify.outbox import Outbox
from ...rollout.state import ActiveState
from ..edge.webhook import KNOCK_RESULTS, KnockResult

_LABELS = tuple((outcome, name) for outcome in get_args(Outcome) for name in (*sorted(PROTOCOLS), "none", "other"))
"""Each outcome with each protocol, as `Requests.by_label` has them."""
STATES = ("pinned", "stale", "last-good", "unreachable", "starting", "behind", "rejected", "in-sync")
"""Every state of the contract, also those that this version never has."""
FOLLOWER_STATES = (*STATES, "lost", "other")
"""Those of a follower; one of another version may say one that is not known here."""
NAMED = 1_000
"""Pairs of a location and a view whose answers are told apart."""
HOUR = 60
"""Minutes of which the answers are counted by themselves."""
BUCKETS = tuple(
    micro * 1000
    for micro in (50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000)
)
"""The upper bounds of the histogram, in nanoseconds."""

HELP = {
    "location_policy_build_info": "1 for the version that runs, with the commit it was built from, if that is known",
    "location_policy_requests_total": (
        "Answers to requests below /policy/, by outcome, by the caller's protocol and by the view that took the call"
    ),
    "location_policy_request_duration_seconds": "Time from a request's arrival in the application to its answer",
    "location_policy_request_seconds": "Deprecated: location_policy_request_duration_seconds has the same; gone in 0.3",
    "location_policy_answers_total": (
        "Answers that named a location, by it and by the view that took the call; other are those beyond the first"
        " thousand pairs of the two"
    ),
    "location_policy_active_info": "1 for the active commit",
    "location_policy_active_subnets": "Rows of the active commit",
    "location_policy_loaded_timestamp_seconds": "When the active commit was loaded",
    "location_policy_last_check_timestamp_seconds": "When the source was last read",
    "location_policy_loads_total": (
        "Commits made active (active), commits rejected (`refused`), and how often the source could no longer be read"
        " (unreadable)"
    ),
    "location_policy_pushes_total": (
        "Pushes to the served branch that the hook accepted or rejected, that it could not judge and rejected (failed),"
        " and that only asked (dry-run); others are counted where it rejected them"
    ),
    "location_policy_state": "1 for the present state, 0 for the others",
    "location_policy_hook": "1 for the present state of the repository's hook, 0 for the others",
    "location_policy_fetches_total": "Looks at the remote that is followed, by how they ended: ok or failed",
    "location_policy_fetch_duration_seconds": "How long the last look at the remote took, and its fetch if any",
    "location_policy_last_successful_fetch_timestamp_seconds": "When the remote was asked last, and has answered",
    "location_policy_stale": "1 while the source was not read for longer than --max-stale, otherwise 0",
    "location_policy_webhooks_total": "Webhooks, by how they ended",
    "location_policy_certificate_expiry_timestamp_seconds": (
        "When the certificate in use ends, or the one of its chain that ends first"
    ),
    "location_policy_notifications_total": "Changes of which a receiver was told, by how that ended",
    "location_policy_notifications_waiting": "Changes of which a receiver is not told yet",
    "location_policy_decision_log_dropped_total": "Lines of the decision log that were never written",
    "location_policy_followers": (
        "Services that follow this one, and those behind them, by state; lost are those that have not asked for 90 s"
    ),
    "location_policy_follower_delay_seconds": (
        "From when a commit became active here until the last follower answered from it; so far, while one does not"
    ),
}
"""Every metric of ours and what it means; those named process_… are prometheus_client's."""


class Requests:
    """Counts answers and the time that they took; for one thread.

    `by_label`: how many answers there were, by outcome, protocol (`other` for one that Pexip Infinity does not name,
    `none` for none) and view (empty for the map at the top); `by_bucket`: how many took as long as that, the
    last for those that took longer; `nanoseconds`: how long all of them took. `by_location`: how many named a location,
    by it and the view.
    """

    def __init__(self) -> None:
        self.by_label: Counter[tuple[Outcome, str, str]] = Counter()
        self.by_location: Counter[tuple[str, str]] = Counter()
        self.by_bucket = [0] * (len(BUCKETS) + 1)
        self.nanoseconds = 0
        self._minutes = [0] * HOUR
        self._minute = 0
        self._last: float | None = None

    def count(self, question: Question, answer: Answer, _commit: str | None, took: int) -> None:
        """One answer more."""
        protocol = question.protocol
        if protocol not in PROTOCOLS:
            protocol = "other" if protocol else "none"
        self.by_label[answer.outcome, protocol, answer.view or ""] += 1
        if answer.location is not None:
            self.by_location[answer.location, answer.view or ""] += 1
        self.by_bucket[bisect_left(BUCKETS, took)] += 1
        self.nanoseconds += took
        self._last = time.monotonic()
        minute = int(self._last) // 60
        if minute != self._minute:
            self._turn(minute)
        self._minutes[minute % HOUR] += 1

    def _turn(self, minute: int) -> None:
        for gone in range(max(self._minute + 1, minute - HOUR + 1), minute + 1):
            self._minutes[gone % HOUR] = 0
        self._minute = minute

    def last_hour(self) -> list[int]:
        """The answers of each of the last sixty minutes, the present one last; for any thread."""
        now, last, minutes = int(time.monotonic()) // 60, self._minute, list(self._minutes)
        return [minutes[at % HOUR] if last - HOUR < at <= last else 0 for at in range(now - HOUR + 1, now + 1)]

    def last_at(self) -> datetime | None:
        """When the last answer was; None: there was none."""
        last = self._last
        return None if last is None else datetime.now(UTC) - timedelta(seconds=time.monotonic() - last)


class Metrics:
    """Everything that `/metrics` tells, read when it is asked for."""

    def __init__(
        self,
        active: ActiveState,
        requests: Requests,
        dropped: Callable[[], int],
        knocks: Mapping[KnockResult, int],
        certificate_ends: Callable[[], datetime | None],
        followers: Followers | None = None,
        outboxes: Mapping[str, Outbox] = MappingProxyType({}),
    ) -> None:
        self._active = active
        self._requests = requests
        self._dropped = dropped
        self._knocks = knocks
        self._certificate_ends = certificate_ends
        self._followers = followers or Followers()
        self._outboxes = outboxes
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the form that an Accept header asks for, and its content type."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # it names a version that is none
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        """The present numbers, for the registry."""
        build = GaugeMetricFamily(*_named("location_policy_build_info"), labels=("version", "revision"))
        yield _filled(build, {(__version__, "" if "$" in __revision__ else __revision__): 1})
        yield from self._of_requests()
        yield self._of_answers()
        yield from self._of_state()
        knocks = CounterMetricFamily(*_named("location_policy_webhooks_total"), labels=("result",))
        yield _filled(knocks, {(result,): self._knocks.get(result, 0) for result in KNOCK_RESULTS})
        yield _moment("location_policy_certificate_expiry_timestamp_seconds", self._certificate_ends())
        yield from self._of_outboxes()
        yield CounterMetricFamily(*_named("location_policy_decision_log_dropped_total"), value=self._dropped())
        yield from self._of_followers()

    def _of_followers(self) -> Iterator[Metric]:
        states = dict.fromkeys(FOLLOWER_STATES, 0)
        for state, number in self._followers.states().items():
            states[state if state in states else "other"] += number
        family = GaugeMetricFamily(*_named("location_policy_followers"), labels=("state",))
        yield _filled(family, {(state,): number for state, number in states.items()})
        seconds = self._followers.seconds_to_last()
        yield GaugeMetricFamily(*_named("location_policy_follower_delay_seconds"), value=seconds)

    def _of_requests(self) -> Iterator[Metric]:
        requests, snapshot = self._requests, self._active.state.snapshot
        views = {"", *(view.view for view in snapshot.views)} if snapshot else {""}
        counts = CounterMetricFamily(*_named("location_policy_requests_total"))
        asked = {(*label, ""): 0 for label in _LABELS} | requests.by_label
        for (outcome, protocol, view), number in sorted(asked.items()):
            if view in views:
                labels = {"outcome": outcome, "protocol": protocol} | ({"view": view} if view else {})
                counts.add_sample("location_policy_requests_total", labels, number)
        yield counts
        bounds = [*(str(bound / 1e9) for bound in BUCKETS), "+Inf"]
        buckets = list(zip(bounds, accumulate(requests.by_bucket), strict=True))
        seconds = requests.nanoseconds / 1e9
        for name in ("location_policy_request_duration_seconds", "location_policy_request_seconds"):
            yield HistogramMetricFamily(*_named(name), buckets=buckets, sum_value=seconds)

    def _of_answers(self) -> Metric:
        """Those of the locations that the map names now: a commit that no longer names one ends its series."""
        snapshot, counted = self._active.state.snapshot, self._requests.by_location
        maps = {one.view or "": one for one in snapshot.maps} if snapshot else {}
        counts = CounterMetricFamily(*_named("location_policy_answers_total"))
        # Of the names, of which there may be very many, no more are looked at than are told.
        named = dict.fromkeys(islice(merge(*(_locations(one, view) for view, one in maps.items())), NAMED))
        for location, view in named:
            labels = {"location": location} | ({"view": view} if view else {})
            counts.add_sample("location_policy_answers_total", labels, counted[location, view])
        others = (pair for pair in counted if pair not in named)
        rest = sum(counted[name, view] for name, view in others if view in maps and _may_answer(maps[view], name))
        counts.add_sample("location_policy_answers_total", {"location": "other"}, rest)
        return counts

    def _of_outboxes(self) -> Iterator[Metric]:
        told = CounterMetricFamily(*_named("location_policy_notifications_total"), labels=("receiver", "result"))
        waiting = GaugeMetricFamily(*_named("location_policy_notifications_waiting"), labels=("receiver",))
        for name, one in self._outboxes.items():
            _filled(told, {(name, "sent"): one.sent, (name, "failed"): one.failed, (name, "dropped"): one.dropped})
            _filled(waiting, {(name,): one.waiting})
        yield told
        yield waiting

    def _of_state(self) -> Iterator[Metric]:
        """What is not known yet has no sample: a time of 0 would be taken for 1970."""
        state = self._active.state
        snapshot = state.snapshot
        info = GaugeMetricFamily(*_named("location_policy_active_info"), labels=("commit",))
        yield _filled(info, {(snapshot.commit.id,): 1} if snapshot and snapshot.commit else {})
        rows = snapshot.total_size if snapshot else 0
        yield GaugeMetricFamily(*_named("location_policy_active_subnets"), value=rows)
        yield _moment("location_policy_loaded_timestamp_seconds", snapshot.loaded_at if snapshot else None)
        yield _moment("location_policy_last_check_timestamp_seconds", state.last_checked_at)
        loads = CounterMetricFamily(*_named("location_policy_loads_total"), labels=("result",))
        counted: dict[tuple[str, ...], int] = {(result,): number for result, number in self._active.loads.items()}
        yield _filled(loads, counted)
        pushes = CounterMetricFamily(*_named("location_policy_pushes_total"), labels=("result",))
        yield _filled(pushes, {(result,): number for result, number in self._active.pushes.items()})
        yield from _of_looks(state.looks)
        yield GaugeMetricFamily(*_named("location_policy_stale"), value=int(state.is_stale))
        yield _one_of("location_policy_state", STATES, state.name)
        yield _one_of("location_policy_hook", get_args(HookState), state.hook.state)


def _locations(snapshot: Snapshot, view: str) -> Iterator[tuple[str, str]]:
    """Those that it may answer first, in order, with the name of its view."""
    rules = snapshot.rules
    if rules.answer is not None:
        return iter([(rules.answer[0], view)])
    default = [] if rules.default is None or rules.default in snapshot.locations else [rules.default]
    return ((name, view) for name in merge(snapshot.locations, default))


def _may_answer(snapshot: Snapshot, location: str) -> bool:
    """Is it one of those?"""
    rules = snapshot.rules
    return location == rules.answer[0] if rules.answer else location in snapshot.locations or location == rules.default


def _of_looks(looks: Looks | None) -> Iterator[Metric]:
    """Those at a remote; for a repository here there are none."""
    fetches = CounterMetricFamily(*_named("location_policy_fetches_total"), labels=("result",))
    yield _filled(fetches, {("ok",): looks.ok if looks else 0, ("failed",): looks.failed if looks else 0})
    was_asked = looks is not None and looks.ok + looks.failed > 0
    took = looks.seconds if looks and was_asked else None
    yield GaugeMetricFamily(*_named("location_policy_fetch_duration_seconds"), value=took)
    succeeded = looks.last_succeeded_at if looks else None
    yield _moment("location_policy_last_successful_fetch_timestamp_seconds", succeeded)


def _named(name: str) -> tuple[str, str]:
    return name, HELP[name]


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily, numbers: Mapping[tuple[str, ...], int]
) -> CounterMetricFamily | GaugeMetricFamily:
    for labels, number in numbers.items():
        family.add_metric(labels, number)
    return family


def _moment(name: str, moment: datetime | None) -> Metric:
    return GaugeMetricFamily(*_named(name), value=moment.timestamp() if moment else None)


def _one_of(name: str, states: tuple[str, ...], present: str) -> Metric:
    family = GaugeMetricFamily(*_named(name), labels=("state",))
    return _filled(family, {(state,): int(state == present) for state in states})
