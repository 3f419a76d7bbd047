"""The link to a page of a forge on which a branch that was pushed is reviewed: as it prints it, or made from its URL.

GitHub, GitLab, Gitea, Forgejo and Bitbucket print one after a push. No forge is asked for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

LONGEST_LINK = 1_000
"""Characters of a link that is shown."""

_LINK = re.compile(r"https?://[!#-;=?-~]+")
"""A URL without a character that would have to be written otherwise (RFC 3986, 2), and without quotation marks."""
_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!/)(.*)")
"""As scp names a file, which git takes for ssh (git-fetch, "GIT URLS")."""
_WEB_HOSTS = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}
"""Hosts that take ssh for another, on the port of https."""


class Site(NamedTuple):
    """Where a repository is on the web: its host, and the URL of its page."""

    host: str
    page: str


def review_link(url: str, said: Sequence[str], branch: str, target: str) -> str | None:
    """The page on which `branch` is to be merged into `target`, None where it is not known.

    `said` are the lines that the remote printed. Of those only a link to its own host counts, and first one that names
    the branch: others lead to news and warnings.
    """
    site = site_of(url)
    printed = [link for line in said for link in _links(line) if _is_at(link, site.host)]
    named = (link for link in printed if branch in unquote(link))
    return next(named, None) or _made(site, branch, target) or next(iter(printed), None)


def site_of(url: str) -> Site:
    """Where a repository with this URL, of http or ssh, is on the web."""
    if "://" not in url and (scp := _SCP.fullmatch(url)):
        url = f"ssh://{scp[1]}/{scp[2]}"
    parts = urlsplit(url)
    host = parts.hostname or "localhost"  # of a file: RFC 8089, 2
    path = parts.path.rstrip("/").removesuffix(".git")
    if parts.scheme in ("http", "https"):
        return Site(host, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}")
    host = _WEB_HOSTS.get(host, host)
    return Site(host, f"https://{host}{path}")


def _links(line: str) -> Iterator[str]:
    """The URLs in a line; what ends a sentence is no part of one."""
    for found in _LINK.findall(line):
        link = found.rstrip(".,:;!?)]}>")
        if len(link) <= LONGEST_LINK:
            yield link


def _is_at(link: str, host: str) -> bool:
    """Does it lead to this host, and nowhere else by a user in it? The port may be another: ssh has its own."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.hostname == host and "@" not in parts.netloc and "\\" not in link


def _made(site: Site, branch: str, target: str) -> str | None:
    """The page for it on a forge that is known by the name of its host."""
    names = re.split(r"[.-]", site.host)
    new, old = quote(branch, safe="/"), quote(target, safe="/")
    if "github" in names or site.host.endswith(".ghe.com"):
        return f"{site.page}/compare/{old}...{new}?expand=1"
    if "gitlab" in names:
        request = "merge_request%5B{}_branch%5D={}"
        return f"{site.page}/-/merge_requests/new?{request.format('source', new)}&{request.format('target', old)}"
    if not {"gitea", "forgejo", "codeberg"}.isdisjoint(names):
        return f"{site.page}/compare/{old}...{new}"
    return None
