"""Who called: what the service remembers, held against the map in force."""

from __future__ import annotations

import time
from datetime import timedelta

from ...calls.aggregate import aggregate, aggregate_fields
from ...calls.history import CallHistory
from ...calls.recent import today
from ...calls.report import make_report
from ...calls.report_text import report_fields
from ..site.site import Site
from .resources import Facts, Query

LISTED = 100
"""Of each kind, so many are listed."""
KEPT = 30
"""Seconds for which a report is kept for who asks again."""


def calls(site: Site, query: Query) -> Facts:
    """The report, and where it is asked for each situation; of no days where no calls are remembered."""
    history = site.calls or CallHistory(None, 0)
    snapshot = site.active.state.snapshot
    commit = snapshot.commit.id if snapshot and snapshot.commit else None
    days, at_least, with_situations = min(history.days, query["days"]), query["at_least"], query["situations"] == "yes"

    def told() -> Facts:
        since = max(today() - timedelta(days=max(0, days - 1)), history.first_day())
        found = history.recent(since)
        return {
            "commit": commit,
            "days": days,
            **report_fields(make_report(found, since, snapshot, at_least), LISTED),
            "situations": aggregate_fields(aggregate(found, since)) if with_situations else None,
        }

    if with_situations:  # too large to be kept
        return told()
    return site.reports.get((commit, int(time.monotonic()) // KEPT, days, at_least), told)
