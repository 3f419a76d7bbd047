"""What is in force at one glance: the facts of `/status`, and how many have asked."""

from __future__ import annotations

from collections import Counter

from ...text import precise_moment_text
from ..ops.status import status
from ..site.site import Site
from .resources import Facts, Query

SHOWN_PROBLEMS = 50
SHOWN_LOCATIONS = 20
SENTENCES = {
    "in-sync": "Serving the latest commit.",
    "behind": "A newer commit is being loaded.",
    "rejected": "The latest commit was rejected. Nodes are unaffected: they get the commit before it.",
    "stale": "The repository was not read for longer than it may be. Nodes get what was active last.",
    "last-good": "The repository has not been read yet. Nodes get what was active last.",
    "unreachable": "The repository cannot be read. Nodes are unaffected: they get what was active last.",
    "starting": "There is no commit to answer from yet.",
    "pinned": "One commit is pinned: nodes get it, whatever is pushed.",
}
"""What each state means, for an operator who was woken up."""


def home(site: Site, _query: Query) -> Facts:
    """The whole of `/status`, a sentence about it, and the answers since the start by outcome."""
    state = site.active.state
    told = status(state, site.settings, site.started_at, site.active.draining_since, site.followers)
    outcomes = Counter[str]()
    by_view = dict.fromkeys((view.view for view in state.snapshot.views) if state.snapshot else (), 0)
    for (outcome, _, view), number in site.requests.by_label.items():
        outcomes[outcome] += number
        if view in by_view:
            by_view[view] += number
    sentence = SENTENCES[state.name]
    if state.name == "rejected" and state.snapshot is None:
        sentence = "The latest commit was rejected, and there is none before it to serve: nodes get 503."
    if state.name == "behind" and state.head and state.head.relation and state.head.relation.kind == "behind":
        sentence = "The source names an older commit. It is taken once a later fetch says the same."
    if state.failure and state.failure.served:
        sentence = "The latest commit is of another history than what was served last, and waits to be accepted."
    last_at = site.requests.last_at()
    return {
        **told,
        "sentence": sentence,
        "requests": dict(outcomes.most_common()),
        "requests_by_view": by_view,
        "last_hour": site.requests.last_hour(),
        "last_request_at": precise_moment_text(last_at) if last_at else None,
        "loads": site.active.loads,
    }
