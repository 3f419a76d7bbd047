"""Keep the secrets of a remote from other users of this machine, and from processes that have no use for them."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote
from urllib.parse import urlsplit

from ...errors import CannotStart
from ...integrations.server_url import is_this_machine
from ...repository.remote.credentials import PROXIES, RemoteAccess, how_to_store
from ...repository.remote.url import part_login
from ..environment import PREFIX

FILE = Path("/etc/location-policy/git-credentials")
"""Where credentials are, in what is advised."""
RECEIVER = Path("/etc/location-policy/notify-url")
"""Likewise the URL of a receiver of notifications."""


def refuse_typed_password(url: str, command: str = "serve", *, takes_file: bool = True) -> None:
    """Raises CannotStart for a URL with a password that was typed, unless it is of this machine.

    `takes_file`: the command takes a file of credentials; where it does not, it asks no remote and wants no password.
    """
    plain, login = part_login(url)
    if login.get("MIRROR_PASSWORD") and not is_this_machine(urlsplit(plain).hostname or ""):
        then = f"location-policy {command} --repo {quote(plain)}"
        store = how_to_store(FILE, plain, login["MIRROR_USER"])
        raise CannotStart(
            "every user of this machine can read a password that is typed: it is in the list of processes",
            f"{store}; {then} --git-credentials {FILE}" if takes_file else f"leave it out: {then} …",
        )


def refuse_typed_receiver(receiver: str, *, is_chat: bool) -> None:
    """Raises CannotStart for a URL that was typed, and by which others could write there: of a chat program it is so
    as a whole, of any other with a user or a query.
    """
    try:
        url = urlsplit(receiver)
        host = url.hostname or ""
    except ValueError:  # it is refused as what it is
        return
    if "://" in receiver and (is_chat or "@" in url.netloc or url.query) and not is_this_machine(host):
        raise CannotStart(
            "every user of this machine can read a URL that is typed, and with this one write there",
            f"umask 077; read -rs URL; printf '%s\\n' \"$URL\" >{RECEIVER}; then --notify {RECEIVER}",
        )


def refuse_password_of_proxy(access: RemoteAccess) -> None:
    """Raises CannotStart for a proxy with a password."""
    if access.proxy and "@" in access.proxy:
        plain = part_login(access.proxy)[0] if "://" in access.proxy else access.proxy.rpartition("@")[2]
        raise CannotStart(
            "the URL of --git-proxy has a user or a password in it, which every user of this machine can read",
            f"{how_to_store(access.credentials or FILE, plain)}; then --git-proxy {quote(plain)}",
        )


def forget_variables() -> None:
    """Take out of our environment what processes that we start have no use for, and must not hand on."""
    for name in [name for name in os.environ if name.startswith(PREFIX) or name in (*PROXIES, "HTTP_PROXY")]:
        del os.environ[name]
