"""Why a remote could not be read, with what git does not tell: which host key is there, whether it is the proxy."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from urllib.parse import urlsplit

from .credentials import RemoteAccess
from .failures import RemoteError, explain
from .host_key import seen_host_key


def diagnose(url: str, stderr: str, access: RemoteAccess) -> RemoteError | None:
    """What git says of a remote, as a sentence; None where it is of no kind that is known."""
    error = explain(url, stderr)
    if error is None:
        return None
    if error.kind.startswith("host-key"):
        return _with_seen_key(error, url, access.known_hosts)
    if error.kind == "refused" and _is_of_proxy(url, stderr):
        return RemoteError("proxy", f"{error.message} (the proxy)", "see --git-proxy and https_proxy: is it running?")
    return error


def _with_seen_key(error: RemoteError, url: str, known_hosts: Path | None) -> RemoteError:
    """Which host key is there now, and where it goes when it is right."""
    key = seen_host_key(url)
    if key is None:
        return error
    file = quote(str(known_hosts)) if known_hosts else "~/.ssh/known_hosts of the user of the service"
    old = "" if error.kind == "host-key-unknown" else " in place of the old one"
    hint = f"ask who runs it whether {key.fingerprint} is right; if so, this line goes into {file}{old}: {key.line}"
    return RemoteError(error.kind, f"{error.message}; it shows {key.fingerprint}", hint)


def _is_of_proxy(url: str, stderr: str) -> bool:
    """Does curl name another host than that of the URL, where it could not connect?"""
    parts = urlsplit(url)
    host, _, rest = stderr.partition("Failed to connect to ")[2].partition(" port ")
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return bool(host) and (host, rest.partition(" ")[0]) != (parts.hostname, str(port))
