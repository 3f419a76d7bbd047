"""Who gets in, from the options of `serve`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ...access.credentials import Credentials, Roles, RolesWithoutPassword
from ...access.options import Users
from ...access.proxies import Proxies, parse_networks
from ...access.roles import Role
from ...access.watched_file import WatchedFile
from ...access.webhook_proof import read_secrets
from ...errors import CannotStart
from ...integrations.server_url import is_this_machine
from ...repository.remote.credentials import problem_with_mode
from ...runtime.reloader import ReloadCheck
from ...server.options import Listen, Tls
from ...web.edge.guard import ALL_ROLES, OPEN, Access

log = logging.getLogger(__name__)


def tls_of(cert: Path | None, key: Path | None, client_ca: Path | None) -> Tls | None:
    """The files of TLS; raises CannotStart when one of those that belong together is missing."""
    if cert and key:
        return Tls(cert, key, client_ca)
    for name, path, missing in (("cert", cert, "key"), ("key", key, "cert")):
        if path:
            raise CannotStart(f"--tls-{name} needs --tls-{missing} too")
    if client_ca:
        raise CannotStart("--client-ca needs --tls-cert and --tls-key too")
    return None


def asks_who(listen: Listen, users: Users) -> bool:
    """Whether strangers are kept out, or let in by an explicit word."""
    return users.allow_anonymous or _knows_users(listen, users)


def open_access(listen: Listen, users: Users) -> tuple[Access, Sequence[ReloadCheck]]:
    """Who may do what, and what reads the files of that again."""
    if users.roles and not _knows_users(listen, users):
        raise CannotStart("--roles needs --htpasswd or --client-ca too: without them nobody is asked who it is")
    try:
        proxies = Proxies(parse_networks(listen.proxies))
    except ValueError as error:
        raise CannotStart(f"--forwarded-allow-ips: {error}", "write addresses and subnets, with commas") from None
    credentials = Credentials(users.htpasswd) if users.htpasswd else None
    roles = Roles(users.roles)
    open_paths = OPEN | {"/metrics"} if users.open_metrics else OPEN
    access = Access(credentials, roles, _strangers(listen, users), open_paths, proxies)
    if credentials is None:
        return access, [roles.look]
    unmatched = RolesWithoutPassword(credentials, roles)
    return access, [credentials.look, roles.look, unmatched.look, credentials.clients.look]


def open_webhook(listen: Listen, users: Users) -> WatchedFile[Sequence[bytes]] | None:
    """The secrets that prove a webhook, where one is taken; raises UnusableFile."""
    if users.webhook_secret is None:
        return None
    if listen.tls and listen.tls.client_ca:
        log.warning("--client-ca lets no forge in that shows no certificate: no webhook will come")
    return WatchedFile(users.webhook_secret, _read_secrets)


def _read_secrets(content: bytes, path: str) -> Sequence[bytes]:
    """The secrets of a file; that too many users may read it is told each time that it is read."""
    if problem := problem_with_mode(Path(path)):
        log.warning("%s: %s", *problem)
    return read_secrets(content, path)


def tell_strangers(access: Access, *, is_remote: bool, for_review: bool) -> None:
    """Say what those who have no name may do, where that is more than to look."""
    if "editor" in access.anonymous:
        may = "push changes of the map to be reviewed, and pin" if for_review else "pin" if is_remote else None
        may = f"{may} commits of it" if may else "change the map"
        log.info("no users: everyone on this machine may %s, and nobody through a proxy", may)


def _knows_users(listen: Listen, users: Users) -> bool:
    return users.htpasswd is not None or (listen.tls is not None and listen.tls.client_ca is not None)


def _strangers(listen: Listen, users: Users) -> frozenset[Role]:
    """What is open to those who say no name: without users everything to look at, and on this machine the rest too."""
    if _knows_users(listen, users):
        return frozenset(("node",)) if users.allow_anonymous else frozenset()
    is_here = listen.uds is not None or is_this_machine(listen.host)
    return ALL_ROLES if is_here and not listen.behind_proxy else frozenset(("node", "viewer"))
