"""The host key that a server of ssh shows, for a person to compare: asked for only where it is not known.

ssh itself is asked, as git would ask it, so that its config counts; it proves nobody and keeps the key in a file that
is thrown away.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ..git import closed_environment

PATIENCE = 6.0
"""Seconds that ssh may take."""

_SCP = re.compile(r"(?P<host>[\w.-]+@(?:\[[^\]]+\]|[\w.-]+)):")
_TOLD = {
    "BatchMode": "yes",
    "ConnectTimeout": "5",
    "ControlPath": "none",
    "StrictHostKeyChecking": "accept-new",
    "GlobalKnownHostsFile": "/dev/null",
    "HashKnownHosts": "no",
    "CheckHostIP": "no",
    "PreferredAuthentications": "none",
    "PubkeyAuthentication": "no",
    "LogLevel": "ERROR",
}


class HostKey(NamedTuple):
    """A host key as a line of a file of known hosts, and its fingerprint."""

    line: str
    fingerprint: str


def seen_host_key(url: str) -> HostKey | None:
    """The key that the server of this URL shows now; None where it shows none."""
    where = _destination(url)
    if where is None:
        return None
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _shown_to_ssh(where, Path(folder) / "known_hosts")
    except (OSError, subprocess.TimeoutExpired):
        return None


def _shown_to_ssh(where: Sequence[str], known: Path) -> HostKey | None:
    settings = {**_TOLD, "UserKnownHostsFile": f'"{known}"'}
    words = ["ssh", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]
    nothing = subprocess.DEVNULL
    subprocess.run(
        [*words, *where, "true"],
        env=closed_environment(),
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        timeout=PATIENCE,
        check=False,
    )
    return parse_host_key(known.read_text(errors="replace"))


def parse_host_key(text: str) -> HostKey | None:
    """The first key of a file of known hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"), None where there is none."""
    for line in text.splitlines():
        words = line.split()
        try:
            digest = hashlib.sha256(base64.b64decode(words[2], validate=True)).digest()
        except (IndexError, binascii.Error):
            continue
        return HostKey(" ".join(words[:3]), f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}")
    return None


def _destination(url: str) -> Sequence[str] | None:
    """The words for ssh; None where the URL is not of ssh, or could be taken for an option."""
    if scp := _SCP.match(url):
        return ["--", scp["host"].replace("[", "").replace("]", "")]
    parts = urlsplit(url)
    if "ssh" not in parts.scheme or not parts.hostname:
        return None
    user = f"{parts.username}@" if parts.username else ""
    return [*(["-p", str(parts.port)] if parts.port else []), "--", f"{user}{parts.hostname}"]
