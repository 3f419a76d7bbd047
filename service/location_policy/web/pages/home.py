"""What is in force at one glance: the facts of `/status`, and how many have asked."""

from __future__ import annotations

from collections import Counter

from ..ops.status import status
from ..site.site import Site
from .resources import Facts, Query

SHOWN_PROBLEMS = 50
SHOWN_LOCATIONS = 20
SENTENCES = {
    "in-sync": "The newest commit is in force.",
    "behind": "A newer commit is being loaded.",
    "rejected": "The newest commit is refused. The one before it stays in force.",
    "stale": "The repository was not read for longer than it may be. What was in force last is served.",
    "last-good": "The repository has not been read yet. What was in force last is served.",
    "unreachable": "The repository cannot be read. What was in force stays in force.",
    "starting": "There is no commit to answer from yet.",
    "pinned": "One commit is held in force by hand.",
}
"""What each state means, for an operator who was woken up."""


def home(site: Site, _query: Query) -> Facts:
    """The whole of `/status`, a sentence about it, and the answers since the start by outcome."""
    state = site.active.state
    told = status(state, site.settings, site.started_at, site.active.draining_since, site.followers)
    outcomes = Counter[str]()
    for (outcome, _, _), number in site.requests.by_label.items():
        outcomes[outcome] += number
    sentence = SENTENCES[state.name]
    if state.name == "rejected" and state.snapshot is None:
        sentence = "The newest commit is refused, and there is none before it to serve."
    if state.name == "behind" and state.head and state.head.relation and state.head.relation.kind == "behind":
        sentence = "The source names an older commit. It is taken once a later fetch says the same."
    if state.failure and state.failure.served:
        sentence = "The newest commit is of another history than what was served last, and waits to be accepted."
    return {**told, "sentence": sentence, "requests": dict(outcomes.most_common()), "loads": site.active.loads}
