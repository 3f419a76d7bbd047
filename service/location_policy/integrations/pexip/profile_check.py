"""Policy profiles and their locations, as a Management Node has them: will nodes ask this service?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from ...spelling import nearest
from ...text import quote
from .manager_api import PolicyProfile, SystemLocation
from .name_check import Mismatch, Speller

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_PASSES_THROUGH = re.compile(r"\{[\"']result[\"']:\{\{suggested_media_overflow_locations\|pex_to_json\}\}\}")
"""A script of local policy that leaves the answer as it is, without space."""


def passes_through(script: str) -> bool:
    """Does a script of local policy for media location leave the answer as it is? So do those that say no more."""
    return _PASSES_THROUGH.fullmatch("".join(_COMMENT.sub("", script).split())) is not None


def profile_mismatches(
    locations: Sequence[SystemLocation], profiles: Sequence[PolicyProfile], asked: Sequence[str], wanted: str | None
) -> Iterator[Mismatch]:
    """What keeps nodes in the asked locations from asking this service, by the wanted profile or by any.

    Where no location is asked for, some location must have the profile, or one that asks for media locations.
    """
    if wanted and wanted not in (profile.name for profile in profiles):
        meant = nearest(wanted, [profile.name for profile in profiles])
        hint = f"write {quote(meant)}" if meant else "add it in Call control > Policy profiles"
        yield Mismatch("policy profiles", f"there is no {quote(wanted)}", hint)
        return
    by_uri = {profile.uri: profile for profile in profiles}
    chosen = [one for one in profiles if (one.name == wanted if wanted else asked or one.asks_media_location)]
    assigned = {one.profile for one in locations if one.name in asked or not asked}
    if not asked and assigned.isdisjoint(one.uri for one in chosen):
        yield _unused(wanted)
    yield from _location_mismatches({one.name: by_uri.get(one.profile or "") for one in locations}, asked, wanted)
    for profile in chosen:
        if profile.uri in assigned or not asked:
            yield from _of_profile(profile)
        if profile.uri in assigned:
            yield from _of_use(profile)


def _location_mismatches(
    profile_of: Mapping[str, PolicyProfile | None], asked: Sequence[str], wanted: str | None
) -> Iterator[Mismatch]:
    chosen = quote(wanted) if wanted else "the one of this service"
    for name in dict.fromkeys(asked):
        place, hint = f"location {quote(name)}", f"in Platform > Locations give {quote(name)} {chosen}"
        profile = profile_of.get(name)
        if name not in profile_of:
            yield Speller(profile_of).mismatch(place, name)
        elif profile is None:
            yield Mismatch(place, "it has no policy profile, so its nodes ask nobody", hint)
        elif wanted not in (None, profile.name):
            yield Mismatch(place, f"it has the policy profile {quote(profile.name)}", hint)


def _unused(wanted: str | None) -> Mismatch:
    which = f"has the policy profile {quote(wanted)}" if wanted else "has a policy profile that asks for media location"
    hint = "in Platform > Locations choose it for each location in which signalling lands"
    return Mismatch("policy profiles", f"no location {which}", hint)


def _of_profile(profile: PolicyProfile) -> Iterator[Mismatch]:
    place = f"policy profile {quote(profile.name)}"
    if not profile.asks_media_location:
        hint = "enable external media location lookup in it"
        yield Mismatch(place, "media location requests are not enabled", hint)
    url = urlsplit(profile.url)
    if url.scheme not in ("http", "https") or not url.netloc:
        yield Mismatch(place, "it has no URL of a policy server", "write such as https://policy.example.com")
    elif "policy" in url.path.split("/"):
        host = url.netloc.rpartition("@")[2]
        base = f"{url.scheme}://{host}{url.path.partition('/policy')[0]}"
        message = f"its URL has the path {quote(url.path)}, to which nodes add /policy/v1 once more"
        yield Mismatch(place, message, f"write {base}")


def _of_use(profile: PolicyProfile) -> Iterator[Mismatch]:
    """What else a profile does where a location has it: local policy comes after external policy, and answers anew."""
    place, script = f"policy profile {quote(profile.name)}", profile.local_policy
    if script is not None and passes_through(script):
        yield Mismatch(place, "local policy for media location is on, and passes the answer through", severity="note")
    elif script is not None:
        message = "local policy for media location is on, and has the last word" + ": it is empty" * (
            not script.strip()
        )
        hint = 'switch it off in it, or write {"result": {{suggested_media_overflow_locations|pex_to_json}}}'
        yield Mismatch(place, message, hint, text=script.strip())
    if profile.other_types:
        message = f"it also asks for {', '.join(profile.other_types)}, which this service leaves to Pexip"
        yield Mismatch(place, message, "switch that off in it: each is a question more that a call waits for")
