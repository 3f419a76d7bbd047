"""A URL where a repository on this machine is asked for: what to do instead."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote
from urllib.parse import urlsplit

from ...errors import NotARepository
from ...repository.remote.url import is_url
from ...text import without_secrets

_PAGES = {"lookup": "/lookup", "blame": "/lookup", "history": "/history"}
"""Where a running service answers the same; what else it has is found from its first page."""
SERVED = "/locations.git"
"""The path at which a service serves its repository over HTTP."""
_ONE_SLASH = re.compile(r"([a-z][a-z+]+):/(?!/)", re.IGNORECASE)
"""How a URL begins that was taken for a path."""


def refuse_urls(command: str, *texts: str | Path | None) -> None:
    """Raises NotARepository for the first of these that is a URL, with what can be asked instead."""
    for text in filter(None, texts):
        url = _ONE_SLASH.sub(lambda found: f"{found[1]}://{'/' * (found[1] == 'file')}", str(text), count=1)
        if is_url(url):
            raise NotARepository(f"{url} is a URL, and {command} reads what is on this machine", instead(url, command))


def instead(url: str, command: str) -> str:
    """What to do where a command is asked about a URL: clone it, or ask a service, which has a page that may answer."""
    shown = without_secrets(url)
    clone = f"git clone {quote(shown)}, and ask in {_folder(shown)}"
    if command == "revert":
        clone = f"git clone {quote(shown)}, in {_folder(shown)} git revert COMMIT, then git push"
    parts, page = urlsplit(shown), _PAGES.get(command, "/")
    if parts.scheme.lower() not in ("http", "https"):
        return clone
    if parts.path != SERVED:  # of a forge, which has no such page
        return f"{clone}; or ask the service that follows it, at {page} of its own address"
    return f"{clone}; a service of this program there is asked at {parts.scheme}://{parts.netloc}{page}"


def _folder(url: str) -> str:
    """The folder that git makes of a URL (git-clone, "directory")."""
    return quote(re.split("[/:]", url.rstrip("/"))[-1].removesuffix(".git"))
