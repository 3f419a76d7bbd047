"""Accept or refuse a push (githooks, "pre-receive").

What moves the served branch is judged, and so is a dry run, which only asks. Other branches are their owners' business,
but for the refs that the program writes itself. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..config.location_map import Gate
from ..problems import escape
from ..repository.config import is_true
from ..repository.repository import Repository
from ..repository.signing_policy import signature_rule
from .judge import Judge, Verdict
from .ref_updates import DRY_RUN, Update, stands_for

RESERVED = ("refs/location-policy", "refs/notes/location-policy")
"""Refs that the program writes itself, and all below them."""


def judge(
    updates: Sequence[Update],
    repository: Repository,
    options: Sequence[str] = (),
    is_late: Callable[[], bool] = lambda: False,
    pusher: str = "",
    *,
    override: str | None = None,
    gate: Gate | None = None,
) -> Verdict:
    """Whether these updates may be made.

    `options` are those that the pusher has given; once `is_late`, what could be left out is, and that is said. Whoever
    makes a commit here and does not push is told the command by which it may exceed the limits (`override`). `gate` is
    that of who looks at the same commits once more.
    """
    if not updates:  # git always names one: whoever has read standard input before us, we know nothing
        return Verdict(False, ("standard input names no ref, so nothing can be judged",))
    verdict = _judge(updates, repository, options, is_late, pusher, override, gate)
    dry = [update for update in updates if update.is_dry_run]
    if not dry:
        return verdict
    nothing = not verdict.accepted or len(dry) == len(updates)
    last = "dry run: nothing changed" + (f" by {escape(dry[0].ref)}" * (not nothing))
    return Verdict(verdict.accepted, (*verdict.lines, last))


def _judge(
    updates: Sequence[Update],
    repository: Repository,
    options: Sequence[str],
    is_late: Callable[[], bool],
    pusher: str,
    override: str | None,
    gate: Gate | None,
) -> Verdict:
    settings = repository.settings()
    served = repository.served_ref(settings)
    aliases = repository.symbolic_refs() if any(update.ref != served for update in updates) else {}
    allows_rewind = is_true(settings.get("allownonfastforward"))
    signatures = signature_rule(settings, repository.directory)
    lines: list[str] = []
    judged: set[Update] = set()
    for update in updates:
        if f"{update.ref}/".startswith(tuple(f"{name}/" for name in RESERVED)):
            return Verdict(False, (f"{escape(update.ref)} is written by the program only",))
        asked = _asked(update, repository, served, aliases) if update.is_dry_run else update
        if isinstance(asked, Verdict):
            return Verdict(False, (*lines, *asked.lines))
        if asked in judged or stands_for(asked.ref, aliases) != stands_for(served, aliases):
            continue
        judged.add(asked)
        judging = Judge(
            repository,
            options,
            is_late,
            signatures,
            pusher=pusher,
            allows_rewind=allows_rewind,
            override=override,
            gate=gate,
        )
        verdict = judging.judge(asked)
        lines += verdict.lines
        if not verdict.accepted:
            return Verdict(False, tuple(lines))
    return Verdict(True, tuple(lines))


def _asked(update: Update, repository: Repository, served: str, aliases: Mapping[str, str]) -> Update | Verdict:
    """The update that a dry run asks about, or why it cannot be asked."""
    if not repository.handles(DRY_RUN):
        mend = f"  hint: on the server run location-policy init {escape(str(repository.directory.absolute()))}"
        return Verdict(False, ("this repository does not know dry runs yet", mend))
    if stands_for(update.asked_ref, aliases) != stands_for(served, aliases):
        name, branch = (escape(ref.removeprefix("refs/heads/")) for ref in (update.asked_ref, served))
        hint = f"  hint: git push origin HEAD:{DRY_RUN}{branch}"
        return Verdict(False, (f"{name} is not the served branch, so nothing judges it", hint))
    if update.deletes:
        return Verdict(False, (f"there is no {escape(update.ref)} to delete",))
    return Update(repository.tip(served) or "0" * len(update.new), update.new, served)
