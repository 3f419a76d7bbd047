"""What a remote is asked with: user and password, key, known hosts, CA, proxy; files, read anew at each fetch.

No secret is given to git as an argument or in the environment: it gets the paths of files, and asks a helper that only
ever reads (`git credential-store` by itself takes out of its file what a server has refused once).
"""

from __future__ import annotations

import base64
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass

from ..git import config_variables
from .failures import Kind, RemoteError
from .url import part_login

PROXIES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
"""Variables of a proxy that count as they do for curl; HTTP_PROXY does not (curl(1), "ENVIRONMENT")."""
LARGEST = 65_536
"""Bytes of a file of credentials that are read."""
MOST_OF_CA = 4_194_304
"""Bytes of a file of certificates that are looked at: that of Debian has 0.2 MB."""

_CERTIFICATE = re.compile(rb"-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----")
_HELPER = '!f() { test "$1" = get && git credential-store --file "$LOCATION_POLICY_CREDENTIALS" get; }; f'
_MAGIC = b"openssh-key-v1\0"
_SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=10")


def proxy_variables() -> dict[str, str]:
    """The variables of a proxy in our environment."""
    return {name: os.environ[name] for name in PROXIES if name in os.environ}


class HttpAccess(NamedTuple):
    """What a question of our own is asked with where git would ask with it too; a login is a user and a password.

    `proxy` has no login in it.
    """

    login: tuple[str, str] | None
    ca: Path | None
    proxy: str | None
    proxy_login: tuple[str, str] | None

    def __repr__(self) -> str:
        return "HttpAccess(…)"


@dataclass(frozen=True, slots=True)
class RemoteAccess:
    """The files that a remote is asked with, and the proxy; what is None is as git and ssh have it by themselves."""

    credentials: Path | None = None
    ssh_key: Path | None = None
    known_hosts: Path | None = None
    ca: Path | None = None
    proxy: str | None = None

    def environment(self, url: str, proxies: Mapping[str, str] | None = None) -> dict[str, str]:
        """Variables for one git that asks this URL; raises RemoteError where a file cannot be used.

        `proxies`: the variables of a proxy, where they are no longer in our environment.
        """
        proxies = proxy_variables() if proxies is None else proxies
        plain, login = part_login(url)
        if self.ca:
            check_ca(self.ca)
        if self.known_hosts:
            _check_known_hosts(self.known_hosts)
        settings = dict(self._settings())
        variables = {}
        if self.credentials:
            settings["credential.helper"] = _HELPER
            variables["LOCATION_POLICY_CREDENTIALS"] = str(self.credentials.absolute())
            if plain.startswith("http") and not login.get("MIRROR_PASSWORD"):
                user = login.get("MIRROR_USER")
                find_login(self.credentials, plain, user)
                if user:
                    settings[f"credential.{plain}.username"] = user
                login = {}
        return {
            **{name: self._with_user(name, value) for name, value in proxies.items()},
            **{name: value for name, value in login.items() if not name.startswith("GIT_CONFIG_")},
            **config_variables({**_settings_in(login), **settings}),
            **variables,
            "GIT_SSH_COMMAND": " ".join(map(quote, self.ssh_words())),
        }

    def over_http(self, url: str, proxies: Mapping[str, str]) -> HttpAccess:
        """The same for a question of our own to a URL of http or https; raises RemoteError as `environment` does."""
        plain, typed = part_login(url)
        login, user = None, typed.get("MIRROR_USER")
        if typed.get("MIRROR_PASSWORD"):
            login = typed["MIRROR_USER"], typed["MIRROR_PASSWORD"]
        elif self.credentials:
            login = find_login(self.credentials, plain, user)
        proxy = self._proxy_of(plain, proxies)
        proxy_plain, in_proxy = part_login(proxy) if proxy else (None, {})
        proxy_login = (in_proxy["MIRROR_USER"], in_proxy["MIRROR_PASSWORD"]) if in_proxy else None
        if proxy_plain and self.credentials and not (proxy_login and proxy_login[1]):
            proxy_login = self._login(proxy_plain, None) or proxy_login
        return HttpAccess(login, self.ca, proxy_plain, proxy_login)

    def _login(self, url: str, user: str | None) -> tuple[str, str] | None:
        """The first user and password that the credentials have for a URL, as `git credential-store` finds them."""
        wanted = urlsplit(url)
        for line in _lines(self.credentials) if self.credentials else ():
            there = urlsplit(line)
            login, _, host = there.netloc.rpartition("@")
            name, _, password = login.partition(":")
            if (there.scheme, unquote(host)) == (wanted.scheme, wanted.netloc) and user in (None, unquote(name)):
                return unquote(name), unquote(password)
        return None

    def _proxy_of(self, url: str, proxies: Mapping[str, str]) -> str | None:
        """The proxy for a URL, as curl chooses it (curl(1), "ENVIRONMENT")."""
        parts = urlsplit(url)
        names = (f"{parts.scheme}_proxy", *(("HTTPS_PROXY",) if parts.scheme == "https" else ()))
        found = self.proxy or next(filter(None, map(proxies.get, (*names, "all_proxy", "ALL_PROXY"))), None)
        none = proxies.get("no_proxy") or proxies.get("NO_PROXY") or ""
        if not found or proxy_bypass(parts.netloc, {"no": none}):
            return None
        return found if "://" in found else f"http://{found}"

    def wide_files(self) -> dict[Path, tuple[str, str]]:
        """The files that hold a secret and that too many users may read, with what is wrong with each, and the mend.

        A key of our own is not among them: ssh does not take it then, which `check_key` tells.
        """
        key = self.ssh_key if self.ssh_key and not _is_own(self.ssh_key) else None
        files = filter(None, (self.credentials, key))
        return {path: problem for path in files if (problem := problem_with_mode(path))}

    def _settings(self) -> Iterator[tuple[str, str]]:
        if self.ca:
            yield "http.sslCAInfo", str(self.ca.absolute())
        if self.proxy:
            yield "http.proxy", self._with_user("proxy", self.proxy)

    def _with_user(self, name: str, proxy: str) -> str:
        """The URL of a proxy with the user that the credentials have for it: git then asks for the password."""
        if not self.credentials or name.lower() == "no_proxy" or "@" in proxy:
            return proxy
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        for line in _lines(self.credentials):
            login, at, host = urlsplit(line).netloc.rpartition("@")
            if at and unquote(host) == parts.netloc:
                return parts._replace(netloc=f"{login.partition(':')[0]}@{parts.netloc}").geturl()
        return proxy

    def ssh_words(self) -> list[str]:
        """How git calls ssh: never with a question, and with a host key that is known; raises RemoteError."""
        words = list(_SSH)
        if self.ssh_key:
            check_key(self.ssh_key)
            words += ["-o", f"IdentityFile={_for_ssh(self.ssh_key)}"]
            words += ["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
        if self.known_hosts:
            known = f"UserKnownHostsFile={_for_ssh(self.known_hosts)}"
            words += ["-o", known, "-o", "GlobalKnownHostsFile=/dev/null"]
        return [*words, "-o", "StrictHostKeyChecking=yes"]


def _for_ssh(path: Path) -> str:
    """A path as ssh reads it in an option (ssh_config(5), "TOKENS" and "ENVIRONMENT VARIABLES")."""
    plain = str(path.absolute()).replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def _settings_in(variables: Mapping[str, str]) -> dict[str, str]:
    """The settings that stand in variables of git (git-config, "GIT_CONFIG_COUNT")."""
    numbers = range(int(variables.get("GIT_CONFIG_COUNT", "0")))
    return {variables[f"GIT_CONFIG_KEY_{number}"]: variables[f"GIT_CONFIG_VALUE_{number}"] for number in numbers}


def how_to_store(path: Path, url: str, user: str | None = None) -> str:
    """The command that writes user and password for a URL into a file, for a shell that then reads the password."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host, name = parts.netloc.rpartition("@")[2], user or "USER"
    known = quote(f"protocol={parts.scheme}\\nhost={host}\\nusername={name}\\npassword=%s\\n")
    return f'read -rs TOKEN; printf {known} "$TOKEN" | git credential-store --file {quote(str(path))} store'


def find_login(path: Path, url: str, user: str | None = None) -> tuple[str, str]:
    """User and password that a file of credentials has for this URL, and this user.

    Raises RemoteError where it has no line for them that git can use.
    """
    wanted = urlsplit(url)
    hint = f"let git write it: {how_to_store(path, url, user)}"
    for number, line in enumerate(_read(path).decode(errors="replace").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        problem = _problem_with_line(line)
        if problem:
            raise RemoteError("credentials", f"{path}:{number}: {problem}", hint)
        there = urlsplit(line)
        login, _, host = there.netloc.rpartition("@")
        name, _, password = map(unquote, login.partition(":"))
        if (there.scheme, unquote(host)) == (wanted.scheme, wanted.netloc) and user in (None, name):
            return name, password
    who = f" and the user {user}" if user else ""
    raise RemoteError("credentials", f"{path} has no line for {wanted.scheme}://{wanted.netloc}{who}", hint)


def _problem_with_line(line: str) -> str | None:
    """Why git cannot use a line of its credential store (git-credential-store, "STORAGE FORMAT")."""
    if line.endswith("\r"):
        return "the line ends in CR, which git takes for a part of it: save it with line ends of Unix"
    if line != line.strip():
        return "the line begins or ends with a space"
    try:
        there = urlsplit(line)
        login, at, host = there.netloc.rpartition("@")
        _ = there.port
    except ValueError:
        return "this is not a URL"
    user, _, password = login.partition(":")
    if not at or not user or not there.scheme or not host:
        return "this is not a URL with a user and a password; / ? # @ % in them are %2F %3F %23 %40 %25"
    if not password:
        return "the password is empty"
    if not unquote(login).isprintable():
        return "user or password have a line end, or another character that is not printable"
    return None


def check_key(path: Path) -> None:
    """Raises RemoteError for a private key that ssh would not take, or would ask a passphrase for."""
    content = _read(path, "ssh-key")
    if b"PRIVATE KEY" not in content:
        raise RemoteError("ssh-key", f"{path} is not a private key", "name the file without .pub")
    mode = stat.S_IMODE(path.stat().st_mode)
    if _is_own(path) and mode & 0o077:
        who = "others than its owner" if mode & 0o007 else "its group"
        message = f"{path} has mode {mode:o}: {who} may use it, and ssh takes no key of its own user that is so"
        raise RemoteError("ssh-key", message, f"chmod 600 {quote(str(path))}")
    if has_passphrase(content):
        hint = "a deploy key without one: ssh-keygen -t ed25519 -N '' -f deploy-key"
        raise RemoteError("ssh-key", f"{path} has a passphrase, which no one is there to type", hint)


def _check_known_hosts(path: Path) -> None:
    """Raises RemoteError for one that ssh could not read; that it is not there yet is as if no host were in it."""
    if os.path.lexists(path):
        _read(path, "host-key-unknown")


def check_ca(path: Path) -> None:
    """Raises RemoteError for a file that has no certificate as git takes it."""
    if not _CERTIFICATE.search(_read(path, "tls-ca", MOST_OF_CA)):
        hint = f"one in DER becomes one: openssl x509 -inform der -in {quote(str(path))} -out ca.pem"
        raise RemoteError("tls-ca", f"{path} has no certificate in PEM, -----BEGIN CERTIFICATE-----, in it", hint)


def _is_own(path: Path) -> bool:
    with suppress(OSError):
        return path.stat().st_uid == os.geteuid()
    return False


def has_passphrase(content: bytes) -> bool:
    """Does this private key want one? (PROTOCOL.key of OpenSSH; RFC 1421, 4.6.1.1; RFC 5958.)"""
    if b"ENCRYPTED" in content:
        return True
    body = content.partition(b"-----BEGIN OPENSSH PRIVATE KEY-----")[2].partition(b"-----END")[0]
    try:
        packed = base64.b64decode(b"".join(body.split()))
    except ValueError:
        return False
    # the magic, its NUL, and the name of the cipher after its length
    return packed.startswith(_MAGIC) and packed[len(_MAGIC) :][4:8] != b"none"


def problem_with_mode(path: Path) -> tuple[str, str] | None:
    """What is wrong with who may read a file of secrets, and the mend; None: its owner may, and a group at most."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    whom = "read by every user of this machine" if mode & 0o007 else "changed by its group" if mode & 0o020 else None
    return (f"{path} may be {whom}", f"chmod 640 {quote(str(path))}") if whom else None


def _lines(path: Path) -> list[str]:
    """Those lines that can be used."""
    return [line for line in _read(path).decode(errors="replace").split("\n") if not _problem_with_line(line)]


def _read(path: Path, kind: Kind = "credentials", most: int = LARGEST) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        hint = f"let the user of the service read it: ls -l {quote(str(path))}"
        raise RemoteError(kind, f"{path} cannot be read: {error.strerror}", hint) from None
