"""What keeps a remote from being followed: name, route, TLS or host key, proof, right or branch; each with the mend.

The remote is asked once, as `serve` asks it. What fails is at one of these steps: those before it are fine, and of
those after it nothing is known. Where a file cannot be used the remote is asked without it, since what fails before
that step is to be mended first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from urllib.parse import urlsplit

from ..errors import NoAnswer, RepositoryError, UnknownRevision
from ..repository.remote.credentials import HttpAccess, RemoteAccess, proxy_variables
from ..repository.remote.diagnosis import diagnose
from ..repository.remote.failures import Kind, RemoteError
from ..repository.remote.fetch import RemoteFailed, RemoteGit, talking
from ..repository.remote.remote_refs import find_tip
from ..repository.remote.url import part_login
from ..text import escape, without_secrets
from .doctor import Finding
from .upstream.question import ask_tip, can_tell, connection_to
from .upstream.tip import NoService, NotTold

PATIENCE = 15.0
"""Seconds without a byte after which the remote is given up."""

_STEPS: dict[Kind, str] = {
    "name": "name",
    "refused": "route",
    "timeout": "route",
    "network": "route",
    "proxy": "route",
    "rate-limit": "route",
    "server": "route",
    "tls-name": "tls",
    "tls-ca": "tls",
    "tls-expired": "tls",
    "tls": "tls",
    "host-key-unknown": "host key",
    "host-key-changed": "host key",
    "algorithm": "host key",
    "credentials": "proof",
    "ssh-key": "proof",
    "right": "right",
    "not-found": "right",
    "branch": "branch",
}
_ORDER = tuple(dict.fromkeys(_STEPS.values()))
"""The steps in which faults show, one after the other."""


def examine_remote(url: str, branch: str | None, access: RemoteAccess) -> Iterator[Finding]:
    """All there is to say about a remote."""
    for problem in access.wide_files().values():
        yield Finding("secrets", *problem)
    plain, login = part_login(url)
    git = RemoteGit(PATIENCE, 2 * PATIENCE)
    tip, (environment, failures) = None, _environment(url, access)
    try:
        tip = find_tip(git, plain, branch, {**talking(git.standstill), **environment})
    except RepositoryError as error:
        failures.append(_explained(plain, error, access))
    if failures:
        yield from _failed(plain, login, access, failures)
        return
    yield from _passed(plain, login, access, "")
    if tip is None:
        yield Finding("branch", "the remote has none yet", "push one")
    else:
        yield Finding("branch", f"{escape(tip.branch)}, commit {tip.commit_id[:10]}")
    yield from _service(plain, access.over_http(url, proxy_variables())) if can_tell(plain) else ()


def _service(url: str, access: HttpAccess) -> Iterator[Finding]:
    """What a service says that is asked for its tip; nothing where none answers."""
    tip = None
    with suppress(NoAnswer, NoService), closing(connection_to(url, access)) as connection:
        try:
            tip = ask_tip(connection, url, access, {}, PATIENCE)
        except NotTold as error:
            if error.is_service:
                yield Finding("service", error.message, error.hint or "see /status there")
    if tip:
        who = f"location-policy {tip.version}".rstrip()
        yield Finding("service", f"{who} tells of each commit at once; active is {tip.commit_id[:10]} of {tip.branch}")


def _environment(url: str, access: RemoteAccess) -> tuple[dict[str, str], list[RemoteError]]:
    """The variables for git, without a file that cannot be used; and why it cannot."""
    try:
        return access.environment(url), []
    except RemoteError as error:
        of_proof = _step(error) == "proof"  # CA and known hosts are fine, then
        usable = replace(access, credentials=None, ssh_key=None) if of_proof else RemoteAccess(proxy=access.proxy)
        return usable.environment(url), [error]


def _explained(url: str, error: RepositoryError, access: RemoteAccess) -> RemoteError:
    if isinstance(error, RemoteFailed) and (found := diagnose(url, error.stderr, access)):
        return found
    return RemoteError("branch" if isinstance(error, UnknownRevision) else "remote", error.message, error.hint)


def _failed(
    url: str, login: dict[str, str], access: RemoteAccess, failures: Sequence[RemoteError]
) -> Iterator[Finding]:
    """The steps that are fine, and what fails: a file that cannot be used, if there is one, is the first of `failures`.

    What the remote says without that file counts only where it comes before the step of the file.
    """
    first = min(failures, key=lambda error: _ORDER.index(_step(error)))
    yield from _passed(url, login, access, _step(first))
    for error in dict.fromkeys((first, failures[0])):
        yield Finding(_step(error), error.message, error.hint or "see what the remote says")


def _step(error: RemoteError) -> str:
    return _STEPS.get(error.kind, "route")


def _passed(url: str, login: dict[str, str], access: RemoteAccess, until: str) -> Iterator[Finding]:
    """The steps before this one, all where it is none of them."""
    for finding in _fine(url, login, access):
        if finding.topic == until:
            return
        yield finding


def _fine(url: str, login: dict[str, str], access: RemoteAccess) -> Iterator[Finding]:
    """What is said of the steps that this URL has, if all is well."""
    parts = urlsplit(url)
    is_web = parts.scheme in ("http", "https")
    if parts.scheme != "file":
        yield Finding("name", f"{parts.hostname or url.partition(':')[0]} is known")
        yield Finding(
            "route", f"it answers{f', by {without_secrets(access.proxy)}' if access.proxy and is_web else ''}"
        )
        if parts.scheme == "https":
            yield Finding("tls", f"its certificate is trusted, by {access.ca or 'the CAs of this machine'}")
        elif is_web:
            yield Finding("tls", "none: all that is asked and answered can be read on the way")
        else:
            yield Finding("host key", f"it is in {access.known_hosts or '~/.ssh/known_hosts'}")
        yield Finding("proof", _proof(login, access, is_web=is_web))
    yield Finding("right", "the repository may be read")


def _proof(login: dict[str, str], access: RemoteAccess, *, is_web: bool) -> str:
    if not is_web:
        return f"the key {access.ssh_key}" if access.ssh_key else "a key of the agent, or of ~/.ssh"
    if login.get("MIRROR_PASSWORD"):
        return "the user and the password in the URL"
    return f"a line of {access.credentials}, if one is asked for" if access.credentials else "none is asked for"
