"""What a remote is asked with: user and password, key, known hosts, CA, proxy; files, read anew at each fetch.

No secret is given to git as an argument or in the environment: it gets the paths of files, and asks a helper that only
ever reads (`git credential-store` by itself takes out of its file what a server has refused once).
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from urllib.parse import unquote, urlsplit

from ...text import without_secrets
from ..git import config_variables
from .failures import RemoteError
from .url import part_login

PROXIES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
"""Variables of a proxy that count as they do for curl; HTTP_PROXY does not (curl(1), "ENVIRONMENT")."""
LARGEST = 65_536
"""Bytes of a file of credentials that are read."""

_HELPER = '!f() { test "$1" = get && git credential-store --file "$LOCATION_POLICY_CREDENTIALS" get; }; f'
_SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=10")
_LINE = "write a line https://user:token@host; in user and token write / ? # @ % as %2F %3F %23 %40 %25"


@dataclass(frozen=True, slots=True)
class RemoteAccess:
    """The files that a remote is asked with, and the proxy; what is None is as git and ssh have it by themselves."""

    credentials: Path | None = None
    ssh_key: Path | None = None
    known_hosts: Path | None = None
    ca: Path | None = None
    proxy: str | None = None

    def environment(self, url: str) -> dict[str, str]:
        """Variables for one git that asks this URL; raises RemoteError where a file cannot be used."""
        plain, login = part_login(url)
        settings = dict(self._settings())
        for path in (self.ca, self.known_hosts):
            if path:
                _read(path)
        ours = {"LOCATION_POLICY_CREDENTIALS": str(self.credentials)} if self.credentials else {}
        if self.credentials and not login:
            check_lines(self.credentials, plain)
            settings["credential.helper"] = _HELPER
        return {
            **{name: os.environ[name] for name in PROXIES if name in os.environ},
            **config_variables({**settings, **_settings_in(login)}),
            **{name: value for name, value in login.items() if not name.startswith("GIT_CONFIG_")},
            **ours,
            "GIT_SSH_COMMAND": self._ssh_command(),
        }

    def _settings(self) -> Iterator[tuple[str, str]]:
        if self.ca:
            yield "http.sslCAInfo", str(self.ca)
        if self.proxy:
            yield "http.proxy", self._proxy_with_user(self.proxy)

    def _proxy_with_user(self, proxy: str) -> str:
        """The URL of the proxy with the user that the credentials have for it: git then asks for the password."""
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        for line in _lines(self.credentials) if self.credentials else ():
            there = urlsplit(line)
            if (there.hostname, there.port) == (parts.hostname, parts.port) and there.username:
                return parts._replace(netloc=f"{there.username}@{parts.netloc}").geturl()
        return proxy

    def _ssh_command(self) -> str:
        """How git calls ssh: never with a question, and with a host key that is known."""
        words = list(_SSH)
        if self.ssh_key:
            check_key(self.ssh_key)
            words += ["-i", str(self.ssh_key), "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
        if self.known_hosts:
            words += ["-o", f'UserKnownHostsFile="{self.known_hosts}"', "-o", "GlobalKnownHostsFile=/dev/null"]
        return " ".join(map(quote, [*words, "-o", "StrictHostKeyChecking=yes"]))


def _settings_in(variables: Mapping[str, str]) -> dict[str, str]:
    """The settings that stand in variables of git (git-config, "GIT_CONFIG_COUNT")."""
    numbers = range(int(variables.get("GIT_CONFIG_COUNT", "0")))
    return {variables[f"GIT_CONFIG_KEY_{number}"]: variables[f"GIT_CONFIG_VALUE_{number}"] for number in numbers}


def check_lines(path: Path, url: str) -> None:
    """Raises RemoteError where a file of credentials has no line that git can use for this URL."""
    wanted = urlsplit(url)
    for number, line in enumerate(_lines(path), 1):
        there = urlsplit(line)
        try:
            is_it = (there.scheme, there.hostname, there.port) == (wanted.scheme, wanted.hostname, wanted.port)
        except ValueError:
            raise RemoteError("credentials", f"{path}:{number}: the port is no number", _LINE) from None
        if not there.scheme or not there.hostname or there.username is None:
            raise RemoteError("credentials", f"{path}:{number}: this is not a URL with a user and a password", _LINE)
        if not there.password:
            raise RemoteError("credentials", f"{path}:{number}: the password is empty", _LINE)
        if not unquote(there.username + there.password).isprintable():
            message = f"{path}:{number}: user or password have a line end, or another character that is not printable"
            raise RemoteError("credentials", message, _LINE)
        if is_it:
            return
    raise RemoteError("credentials", f"{path} has no line for {without_secrets(url)}", _LINE)


def check_key(path: Path) -> None:
    """Raises RemoteError for a private key that ssh would not take, or would ask a passphrase for."""
    content = _read(path)
    mode = path.stat()
    if mode.st_uid == os.geteuid() and stat.S_IMODE(mode.st_mode) & 0o077:
        raise RemoteError("ssh-key", f"{path} may be read by others, so ssh does not take it", f"chmod 600 {path}")
    if has_passphrase(content):
        hint = "a deploy key without one: ssh-keygen -t ed25519 -N '' -f deploy-key"
        raise RemoteError("ssh-key", f"{path} has a passphrase, and nobody is there to type it", hint)
    if b"PRIVATE KEY" not in content:
        raise RemoteError("ssh-key", f"{path} is not a private key", "name the file without .pub")


def has_passphrase(content: bytes) -> bool:
    """Does this private key want one? (PROTOCOL.key of OpenSSH; RFC 1421, 4.6.1.1; RFC 5958.)"""
    if b"ENCRYPTED" in content:
        return True
    body = content.partition(b"-----BEGIN OPENSSH PRIVATE KEY-----")[2].partition(b"-----END")[0]
    try:
        packed = base64.b64decode(b"".join(body.split()))
    except ValueError:
        return False
    cipher = packed.removeprefix(b"openssh-key-v1\0")[4:8]
    return bool(packed) and cipher != b"none"


def problem_with_mode(path: Path) -> str | None:
    """What is wrong with who may read a file of secrets; None: nothing, it is its owner's, and a group's at most."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    return f"{path} may be read by every user of this machine: chmod 640 {path}" if mode & 0o007 else None


def _lines(path: Path) -> list[str]:
    text = _read(path).decode(errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except OSError as error:
        raise RemoteError("credentials", f"{path} cannot be read: {error.strerror}", "see its rights") from None
