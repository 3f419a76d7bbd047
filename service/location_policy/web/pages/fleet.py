"""The services that follow this one: how many answer from what is in force here, and which do not."""

from __future__ import annotations

from ..site.site import Site
from .resources import Facts, Query


def fleet(site: Site, _query: Query) -> Facts:
    """The followers of `/status`, and the commit from which they are to answer."""
    return {"commit": site.active.commit, **site.followers.fields()}
