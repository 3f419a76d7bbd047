"""What pages and API are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...calls.history import CallHistory
from ...fleet.followers import Followers
from ...lookup.location_table import LocationTotal
from ...lookup.snapshot import Snapshot
from ...lookup.subnet_chart import Picture
from ...rollout.state import ActiveState
from ...text import listed, quote
from ..edge.faults import Fault, NotLoaded
from ..ops.metrics import Requests
from ..ops.settings import Settings
from .change_service import ChangeService
from .lru_cache import LruCache
from .pin_service import PinService
from .repository_queries import RepositoryQueries

ORDERS = 4
"""Orders of a map that are kept."""
PICTURES = 16
"""Pictures of parts of a map that are kept."""
REPORTS = 4
"""Reports on calls that are kept."""
PLANS = 50
"""Plans that are kept."""


@dataclass(frozen=True, slots=True)
class Site:
    """The state in force, the repository behind it, and how the service was asked to run.

    `needs_login`: a client that asks as a node needs a password. `followers`: of this service. `serves_git`: the
    repository can be cloned from here. `calls`: those that are remembered, if any. `orders`: the rows of the map as
    they were sorted last. `pictures`: those that were drawn last, each with the table
    of its locations. `reports`: those on calls that were made last. `plans`: what commits did, as it was told last.
    """

    active: ActiveState
    settings: Settings
    started_at: datetime
    requests: Requests
    queries: RepositoryQueries
    change_service: ChangeService
    pins: PinService
    needs_login: bool
    followers: Followers = field(default_factory=Followers)
    serves_git: Callable[[], bool] = lambda: False
    calls: CallHistory | None = None
    orders: LruCache[Sequence[int]] = field(default_factory=lambda: LruCache(ORDERS))
    pictures: LruCache[tuple[Picture, list[LocationTotal] | None]] = field(default_factory=lambda: LruCache(PICTURES))
    reports: LruCache[dict[str, Any]] = field(default_factory=lambda: LruCache(REPORTS))
    plans: LruCache[dict[str, Any]] = field(default_factory=lambda: LruCache(PLANS))

    def snapshot(self, revision: object = None, view: str | None = None) -> Snapshot:
        """What is in force, or a commit as it would be, at the top or of a view; raises Fault while there is none."""
        snapshot = self.queries.snapshot(str(revision)) if revision else self.active.state.snapshot
        if snapshot is None:
            raise NotLoaded("no configuration is loaded yet")
        found = snapshot.of_view(view)
        if found is None:
            names = [one.view or "" for one in snapshot.views]
            raise Fault(
                404, f"there is no view {quote(view or '')}", f"its views are: {listed(names)}" if names else None
            )
        return found
