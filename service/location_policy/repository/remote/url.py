"""The URL of a remote repository, and what is secret in it."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from ...errors import RepositoryError
from ..git import config_variables

_HELPER = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$MIRROR_USER" "$MIRROR_PASSWORD"; }; f'
_KEYS = "leave it out: ssh takes a key, of its agent or in ~/.ssh"
_IN_LOGIN = "a token is the password; in user and password write / ? # @ as %2F %3F %23 %40"
_URL = re.compile(r"[a-z+]+://|[\w.:-]+@[\w.-]+:", re.IGNORECASE)
_SCP_PASSWORD = re.compile(r"[\w.-]+:[^/@\s]*@[\w.-]+:")


def is_url(repository: str) -> bool:
    """Is this a remote repository, not a path?"""
    return _URL.match(repository) is not None


def part_login(url: str) -> tuple[str, dict[str, str]]:
    """The URL without what is secret in it, and what tells that to git (gitcredentials, "Custom helpers").

    git would hand it to its helpers on the command line, where every user of the machine can read it. Raises
    RepositoryError for a secret that can be told in no other way.
    """
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    user, colon, password = login.partition(":")
    if parts.scheme not in ("http", "https"):
        if colon or _SCP_PASSWORD.match(url):
            raise RepositoryError(f"{url} is written with a password, which only http and https take", _KEYS)
        return url, {}
    if parts.query:
        raise RepositoryError(f"{url} is written with a query, which git does not send", _IN_LOGIN)
    try:
        _ = parts.port
    except ValueError:
        raise RepositoryError(f"the port of {url} is no number", _IN_LOGIN) from None
    if not unquote(login).isprintable():
        raise RepositoryError(f"the user or the password of {url} has a character that is not printable", _IN_LOGIN)
    if not at:
        return url, {}
    return parts._replace(netloc=host).geturl(), {
        **config_variables({f"credential.{parts.scheme}://{host}.helper": _HELPER}),
        "MIRROR_USER": unquote(user),
        "MIRROR_PASSWORD": unquote(password),
    }
