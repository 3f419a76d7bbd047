"""What keeps a repository from being pushed to, followed or served as it should be, each with the mend.

Nothing is changed: the user who asks may be another than the one who serves. What is told holds for the one who asks.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from .. import __version__
from ..errors import GitUnavailable, InvalidConfiguration, RepositoryError, TornPin, UnusablePin
from ..gate.hooks import HOOK, OTHER_HOOKS, hook_place, hook_program, hook_state, is_ours
from ..gate.pin import pin_in_force, read_pin
from ..gate.setup.install import missing_settings, other_settings
from ..problems import errors_in
from ..repository.git_process import git_version, require_git
from ..repository.remote.copy_path import is_mirror
from ..repository.remote.naming import fetched_ref, naming_options
from ..repository.repository import Repository, open_repository
from ..runtime.users import chown_name
from ..runtime.writable import Unwritable, unwritable
from ..text import count, escape, listed
from . import last_good
from .last_good import Identity
from .persistence import LAST_GOOD
from .same_history import accept_command
from .startup_preview import preview_start
from .state import now
from .watcher import TICK, watch_problem

MOUNTS = Path("/proc/self/mountinfo")
LOOKED_AT = 20_000
"""Files of which the owner is looked at: a large repository is packed into few."""
NETWORK = ("9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3")
"""File systems that do not report what other machines change."""
GUESSED = ("refs/heads/refs/", "refs/tags/refs/", "refs/remotes/refs/", "refs/refs/", "refs/replace/")
"""Where refs are that git takes for others (gitrevisions, "<refname>"), or that replace objects (git-replace)."""
HOW_TO_SIGN = {
    "tip": "push a commit on top of it that is signed by who may: git commit -S --allow-empty",
    "all": "put commits in its place that are signed by who may: git rebase --force-rebase --rebase-merges -S BASE",
}
"""By what must be signed: how a branch that is not becomes so."""


class Finding(NamedTuple):
    """One thing that was looked at: fine unless it has a mend."""

    topic: str
    said: str
    mend: str | None = None


def examine(place: Path, state_directory: Path, *, is_mirror: bool = False) -> Iterator[Finding]:
    """All there is to say about the repository at a place; raises GitUnavailable where there is no git."""
    version = git_version()
    try:
        require_git()
    except GitUnavailable as error:
        yield Finding("git", error.message, error.hint)
        return
    yield Finding("git", version)
    try:
        with open_repository(place) as repository:
            yield _formats(repository)
            if not is_mirror:
                yield _hook(repository, place)
                yield from _other_hooks(repository, place)
                yield from _settings(repository, place)
                yield from _refs(repository)
            else:
                yield from _fetched(repository)
            yield _owners(repository.directory)
            yield _watch(repository.directory, MOUNTS.read_text(errors="surrogateescape") if MOUNTS.exists() else "")
            yield from _pin(repository, place)
            identity = Identity(repository.settings().get("id", ""), str(place.absolute()))
            yield _state(repository, state_directory, identity)
            yield _outlook(repository, place, state_directory)
    except RepositoryError as error:
        mend = "nothing: serve makes it anew at its next look" if is_mirror else error.hint or _mend(place)
        yield Finding("copy" if is_mirror else "repository", error.message, mend)


def _mend(place: Path) -> str:
    """What may help where git itself cannot read a repository."""
    config = place / "config"
    has_extensions = config.is_file() and "[extensions]" in config.read_text(errors="replace").lower()
    return "install git 2.45 or newer" if has_extensions else "run git fsck in it, or restore a backup"


def _formats(repository: Repository) -> Finding:
    objects, refs = repository.formats()
    return Finding("formats", f"objects by {objects}, refs in {refs}")


def _hook(repository: Repository, place: Path) -> Finding:
    install = f"location-policy init {shlex.quote(str(place))}"
    hook = hook_state(repository)
    path = hook_place(repository.hooks_folder() or Path(), HOOK)
    match hook.state:
        case "none":
            return Finding("hook", "no push is judged: this is a working copy", "serve a bare one: git clone --bare")
        case "missing" if os.path.lexists(path):
            mend = f"run `location-policy {HOOK}` from it, or move it away, then {install}"
            return Finding("hook", f"no push is judged: {path} is not ours", mend)
        case "missing":
            return Finding("hook", f"no push is judged: there is no {path}", install)
        case "not-executable":
            return Finding("hook", f"no push is judged: {path} may not be run", install)
        case "other-version":
            return Finding("hook", f"of version {hook.version}, and this is {__version__}", install)
    program = hook_program(repository)
    if program is None:
        return Finding("hook", "every push is rejected: the program that it runs is not there", install)
    return Finding("hook", f"version {hook.version}, runs {program}")


def _other_hooks(repository: Repository, place: Path) -> Iterator[Finding]:
    """What is told of the hooks that do not judge: those of the site are its own affair."""
    for name, otherwise in OTHER_HOOKS.items():
        state = hook_state(repository, name).state
        path = hook_place(repository.hooks_folder() or Path(), name)
        if state in ("ok", "none"):
            continue
        if os.path.lexists(path) and not is_ours(path):
            yield Finding("hook", f"{otherwise}: {path} is not ours")
        else:
            mend = f"location-policy init {shlex.quote(str(place))}"
            yield Finding("hook", f"{otherwise}: {path} is {state.replace('-', ' ')}", mend)


def _settings(repository: Repository, place: Path) -> Iterator[Finding]:
    if repository.hooks_folder() is None:
        return
    missing = list(missing_settings(repository))
    if missing:
        mend = f"location-policy init {shlex.quote(str(place))}"
        yield Finding("settings", f"missing: {', '.join(missing)}", mend)
    others = list(other_settings(repository))
    if others or not missing:
        yield Finding("settings", "; ".join(others) or "as init writes them")


def _refs(repository: Repository) -> Iterator[Finding]:
    """Refs for which another git guesses wrongly: no push makes them any more, but for a tag named like the branch."""
    tag = f"refs/tags/{repository.served_ref(repository.settings()).removeprefix('refs/heads/')}"
    refs = [ref for ref in repository.refs_below(*GUESSED, tag) if not ref.startswith(f"{tag}/")]
    if refs:
        more = f", and {count(len(refs) - 1, 'ref')} more" * (len(refs) > 1)
        mend = f"git -C {shlex.quote(str(repository.directory))} update-ref -d {escape(shlex.quote(refs[0]))}"
        yield Finding("refs", f"other programs can take {escape(refs[0])} for something else{more}", mend)


def _fetched(repository: Repository) -> Iterator[Finding]:
    """Whether what a copy has fetched is what its service has taken."""
    ref = repository.served_ref(repository.settings())
    name, fetched, taken = ref.removeprefix("refs/heads/"), repository.tip(fetched_ref(ref)), repository.tip(ref)
    if fetched and fetched != taken and (pin := pin_in_force(repository, now())):
        yield Finding("fetched", f"branch {name} of the remote is at commit {fetched[:10]}, and waits: {pin.told()}")
    elif fetched and fetched != taken:
        instead = f"commit {taken[:10]} was taken last" if taken else "none was taken yet"
        said = f"branch {name} of the remote is at commit {fetched[:10]}, and {instead}"
        yield Finding("fetched", said, "read `failure` in /status of the service, which says why, and what to do")


def _pin(repository: Repository, place: Path) -> Iterator[Finding]:
    """What is held in force by hand, if anything is."""
    try:
        pin = read_pin(repository)
    except UnusablePin as error:
        yield Finding("pin", error.message, f"location-policy unpin {naming_options(repository, str(place))}")
        return
    if pin and not pin.is_over(now()):
        yield Finding("pin", f"{pin.told()} by {pin.by}: {pin.reason}")


def _owners(directory: Path) -> Finding:
    paths = [directory, *islice(directory.rglob("*"), LOOKED_AT)]
    owners = _owners_of(paths)
    here, whole = chown_name(os.geteuid()), shlex.quote(str(directory))
    unreadable = [path for path in paths if not path.is_symlink() and not os.access(path, os.R_OK)]
    if unreadable:  # pragma: no cover  who measures the tests may be root, and root may read all
        said = f"{here} may not read {count(len(unreadable), 'path')}, such as {unreadable[0]}"
        return Finding("owner", said, f"chmod -R g+rX {whole}, with {here} in the group")
    is_shared = directory.stat().st_mode & 0o2020 == 0o2020
    if len(owners) > 1 and not is_shared:
        said = f"files of {' and '.join(owners)}: what one has made, the others cannot change"
        return Finding(
            "owner",
            said,
            f"chown -R {chown_name(directory.stat().st_uid)} {whole}, or location-policy init {whole} --shared",
        )
    return Finding("owner", f"{' and '.join(owners)}{', shared with the group' * is_shared}; asked as {here}")


def _owners_of(paths: Iterable[Path]) -> list[str]:
    """Their names; what a running git has removed meanwhile has none."""
    users = set()
    for path in paths:
        with suppress(FileNotFoundError):
            users.add(path.lstat().st_uid)
    return sorted(map(chown_name, users))


def _watch(directory: Path, mounts: str) -> Finding:
    kind = file_system(directory, mounts)
    if kind in NETWORK:
        said = f"looked at every {TICK:.0f} s: {kind} does not report what other machines change"
        return Finding("watch", said)
    problem = watch_problem(directory)
    if problem:
        mend = "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances with sysctl"
        return Finding("watch", f"looked at every {TICK:.0f} s: {problem}", mend)
    return Finding("watch", f"the system reports changes ({kind or 'of an unknown file system'})")


def file_system(path: Path, mounts: str) -> str:
    """The type of the file system of a path, by the text of /proc/self/mountinfo (proc_pid_mountinfo(5)), or empty."""
    found = {}
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), before.split(" ")[4])
        found[Path(point)] = after.split(" ")[0]  # a later mount hides an earlier one
    return next((found[folder] for folder in (path.resolve(), *path.resolve().parents) if folder in found), "")


def _state(repository: Repository, directory: Path, identity: Identity) -> Finding:
    """The state directory: may it be written, and what is kept there?"""
    if problem := unwritable(directory):
        return _unwritable(directory, problem)
    try:
        stored = last_good.load(directory)
    except ValueError as error:
        return Finding("state", f"what is kept in {directory} cannot be used: {error}", "serve writes it anew")
    if stored and stored.identity.is_here(identity) and stored.identity.is_another(identity):
        said = f"{directory} keeps commit {stored.commit.id[:10]} of another repository that was here"
        command = accept_command(repository, identity.place)
        return Finding("state", said, f"mount or restore that one, or if this one is meant: {command}")
    if stored and not stored.identity.is_same(identity):
        said = f"{directory} is that of another repository, {stored.identity.place}"
        return Finding("state", said, "serve each with a --state-dir of its own")
    kept = f"keeps commit {stored.commit.id[:10]}" if stored else "keeps nothing yet"
    return Finding("state", f"{directory} {kept}")


def _unwritable(directory: Path, problem: Unwritable) -> Finding:
    said = f"{directory} {problem.why}: nothing new is kept for a restart"
    return Finding("state", said, f"{problem.mend}, or serve --state-dir elsewhere")


def examine_new_state(directory: Path) -> Iterator[Finding]:
    """The state directory of a remote of which there is no copy yet, where none could be made."""
    if problem := unwritable(directory):
        yield _unwritable(directory, problem)


def _outlook(repository: Repository, place: Path, state_directory: Path) -> Finding:
    ahead = preview_start(repository, place, state_directory)
    instead = f"commit {ahead.served.id[:10]} instead" if ahead.served else "nothing: 503"
    if ahead.head is None and is_mirror(repository.directory):
        said = f"the copy has nothing of branch {ahead.branch} yet; would serve {instead}"
        return Finding("serve", said, "fix what is said of the remote, if anything is; else see `failure` in /status")
    if ahead.head is None:
        names = repository.branches()
        there = f"; branches here: {listed(names)}" if names else ""
        other = f"location-policy init {shlex.quote(str(place))} --branch NAME"
        return Finding(
            "serve", f"branch {ahead.branch} has no commit{there}; would serve {instead}", f"push one, or {other}"
        )
    if isinstance(ahead.refusal, InvalidConfiguration):
        what = errors_in(ahead.refusal.problems).counted("error")
        mend = f"location-policy check --repo {shlex.quote(str(place))}, fix it or git revert it, and push"
        said = f"commit {ahead.head.id[:10]} of branch {ahead.branch} has {what}; would serve {instead}"
        return Finding("serve", said, mend)
    if ahead.refusal:
        said = f"branch {ahead.branch} is not taken: {ahead.refusal.message}; would serve {instead}"
        return Finding("serve", said, ahead.refusal.hint or HOW_TO_SIGN[ahead.must_be_signed])
    said = f"branch {ahead.branch}, commit {ahead.head.id[:10]}, {count(ahead.size, 'subnet')}"
    return _outlook_of_pin(repository, said, f"commit {ahead.head.id[:10]}, {count(ahead.size, 'subnet')}")


def _outlook_of_pin(repository: Repository, said: str, taken: str) -> Finding:
    """What would be served of a branch that is fine, as far as a pin lets it; `taken` is what that is at here."""
    try:
        pin = read_pin(repository)
    except TornPin:
        last = repository.tip(LAST_GOOD)
        stays = f"commit {last[:10]}, which was served last," if last else "what was served last"
        return Finding("serve", f"{stays} stays as long as the pin cannot be read; {said}, waits")
    except UnusablePin:
        pin = None
    if not pin or pin.is_over(now()):
        return Finding("serve", said)
    if is_mirror(repository.directory):  # its branch is at what is pinned
        return Finding("serve", f"{taken}, as long as it is pinned")
    return Finding("serve", f"{said}, once nothing is pinned")
