"""What Prometheus is told: plain numbers, put into its form only when it asks.

Counting is paid for by every answer and scraping by nobody, so nothing but integers is touched between two scrapes.
Every label has a fixed set of values: whatever is asked, the number of series stays below a hundred and fifty.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import accumulate, product
from typing import get_args

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from .active import LOAD_RESULTS, Active
from .answers import Answer, Outcome
from .crew import COUNTS, DEATHS, Crew, Place
from .git_hooks import HookState
from .policy import Question
from .process_metrics import Processes

PROTOCOLS = frozenset(("api", "webrtc", "sip", "rtmp", "h323", "teams", "mssip", "gms"))
"""The protocols that Pexip Infinity names; anything else counts as `other`, an empty one as `none`."""
STATES = ("pinned", "last-good", "unreachable", "starting", "behind", "rejected", "in-sync")
"""Every state of the contract, also those that this version never has."""
BUCKETS = tuple(
    micro * 1000
    for micro in (50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000)
)
"""The upper bounds of the histogram, in nanoseconds."""

_DROPPED = COUNTS + len(LOAD_RESULTS)
_NANOSECONDS = _DROPPED + 1
_BUCKETS = _NANOSECONDS + 1
_LABELS = _BUCKETS + len(BUCKETS) + 1
_CELL_OF = {
    label: cell for cell, label in enumerate(product(get_args(Outcome), (*sorted(PROTOCOLS), "none", "other")), _LABELS)
}
"""Where each number is among those of a worker."""

HELP = {
    "location_policy_requests_total": "Answers to requests below /policy/, by outcome and by the caller's protocol",
    "location_policy_request_seconds": "Time from a request's arrival in the application to its answer",
    "location_policy_active_info": "1 for the commit in force, or for each while workers differ",
    "location_policy_active_subnets": "Rows in force",
    "location_policy_loaded_timestamp_seconds": "When what is in force was loaded",
    "location_policy_last_check_timestamp_seconds": "When the source was last read",
    "location_policy_loads_total": (
        "Commits put in force (active), commits refused (refused), and how often the source could no longer be read"
        " (unreadable)"
    ),
    "location_policy_state": "1 for the present state, 0 for the others",
    "location_policy_hook": "1 for the present state of the repository's hook, 0 for the others",
    "location_policy_decision_log_dropped_total": "Lines of the decision log that were never written",
    "location_policy_workers": "Workers that are there",
    "location_policy_worker_deaths_total": "Workers that have died, each of which another has replaced or will replace",
}
"""Every metric of ours and what it means; those named process_… are prometheus_client's."""


class Requests:
    """Counts answers and the time that they took in the place of this worker, and tells the sums of all workers.

    For one thread.
    """

    def __init__(self, crew: Crew | None = None) -> None:
        self._crew = crew or Crew()
        self._cells = self._crew.own.cells

    def count(self, question: Question, answer: Answer, _commit: str | None, took: int) -> None:
        """One answer more."""
        protocol = question.protocol
        if protocol not in PROTOCOLS:
            protocol = "other" if protocol else "none"
        cells = self._cells
        cells[_CELL_OF[answer.outcome, protocol]] += 1
        cells[_BUCKETS + bisect_left(BUCKETS, took)] += 1
        cells[_NANOSECONDS] += took

    @property
    def by_label(self) -> dict[tuple[str, ...], int]:
        """How many answers there were, by outcome and protocol, of which there was one."""
        return {label: number for label, cell in _CELL_OF.items() if (number := self._crew.total(cell))}

    @property
    def by_bucket(self) -> list[int]:
        """How many answers took as long as that, by bucket; the last is for those that took longer."""
        return [self._crew.total(cell) for cell in range(_BUCKETS, _LABELS)]

    @property
    def nanoseconds(self) -> int:
        """How long all of them took."""
        return self._crew.total(_NANOSECONDS)


def answered_by(place: Place) -> int:
    """How many answers were given by the worker in this place, and by those before it."""
    return sum(place.cells[cell] for cell in range(_BUCKETS, _LABELS))


class Dropped:
    """How many lines the decision logs of all workers have lost; `own` tells it of this one."""

    def __init__(self, crew: Crew, own: Callable[[], int]) -> None:
        self._crew = crew
        self._own = own
        self._before = crew.own.cells[_DROPPED]

    def note(self) -> None:
        """Let the others know."""
        self._crew.own.cells[_DROPPED] = self._before + self._own()

    def total(self) -> int:
        """The sum."""
        self.note()
        return self._crew.total(_DROPPED)


class Metrics:
    """Everything that `/metrics` tells, read when it is asked for."""

    def __init__(self, active: Active, requests: Requests, dropped: Callable[[], int]) -> None:
        self._active = active
        self._requests = requests
        self._dropped = dropped
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._registry.register(Processes(active.crew))

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the form that an Accept header asks for, and its content type."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # it names a version that is none
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        """The present numbers, for the registry."""
        yield from self._of_requests()
        yield from self._of_state()
        yield CounterMetricFamily(*_named("location_policy_decision_log_dropped_total"), value=self._dropped())
        crew = self._active.crew
        yield GaugeMetricFamily(*_named("location_policy_workers"), value=sum(place.is_taken for place in crew.places))
        yield CounterMetricFamily(*_named("location_policy_worker_deaths_total"), value=crew.board.cells[DEATHS])

    def _of_requests(self) -> Iterator[Metric]:
        requests = self._requests
        counts = CounterMetricFamily(*_named("location_policy_requests_total"), labels=("outcome", "protocol"))
        yield _filled(counts, requests.by_label)
        bounds = [*(str(bound / 1e9) for bound in BUCKETS), "+Inf"]
        buckets = list(zip(bounds, accumulate(requests.by_bucket), strict=True))
        seconds = requests.nanoseconds / 1e9
        yield HistogramMetricFamily(*_named("location_policy_request_seconds"), buckets=buckets, sum_value=seconds)

    def _of_state(self) -> Iterator[Metric]:
        """What is not known yet has no sample: a time of 0 would be taken for 1970."""
        state = self._active.state
        snapshot = state.snapshot
        others = [facts for _, facts in self._active.crew.present() if facts["pid"] != os.getpid()]
        info = GaugeMetricFamily(*_named("location_policy_active_info"), labels=("commit",))
        commits = [snapshot.commit.id] if snapshot and snapshot.commit else []
        yield _filled(info, {(commit,): 1 for commit in (*commits, *(one["commit"] for one in others)) if commit})
        yield GaugeMetricFamily(*_named("location_policy_active_subnets"), value=snapshot.size if snapshot else 0)
        yield _moment("location_policy_loaded_timestamp_seconds", snapshot.loaded_at if snapshot else None)
        checked = [
            state.last_checked_at.timestamp() if state.last_checked_at else None,
            *(one["checked"] for one in others),
        ]
        first = None if None in checked else min(checked)
        yield GaugeMetricFamily(*_named("location_policy_last_check_timestamp_seconds"), value=first)
        loads = CounterMetricFamily(*_named("location_policy_loads_total"), labels=("result",))
        counted: dict[tuple[str, ...], int] = {(result,): number for result, number in self._active.loads.items()}
        yield _filled(loads, counted)
        yield _one_of("location_policy_state", STATES, state.name)
        yield _one_of("location_policy_hook", get_args(HookState), state.hook.state)


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
