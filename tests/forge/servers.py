"""Git servers as forges run them: nginx with git http-backend behind TLS, and sshd; real, on free ports of loopback."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import trustme

from tests.support.access import hashed
from tests.support.deployments import free_port, needs, search_path, started
from tests.support.service import wait_until

USER, TOKEN = "deploy", "glpat-a-token-nobody-may-see"
BACKEND = Path("/usr/lib/git-core/git-http-backend")

https = [needs("nginx", "nginx"), needs("fcgiwrap", "fcgiwrap")]
ssh = [needs("sshd", "openssh-server"), needs("ssh", "openssh-client")]
"""Marks of tests that need these servers."""

_NGINX = """
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
daemon off;
{user}
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  fastcgi_temp_path {folder}/fastcgi;
  proxy_temp_path {folder}/proxy;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    location ~ ^/elsewhere/ {{ return 302 {elsewhere}$request_uri; }}
    location ~ ^/round/ {{ return 302 $request_uri; }}
    location ~ ^/html/ {{ default_type text/html; return 200 "<html>Sign in</html>"; }}
    location ~ ^/busy/ {{ add_header Retry-After 7 always; return 429 "too many"; }}
    location ~ ^/down/ {{ return 503; }}
    location ~ ^/forbidden/ {{ return 403; }}
    location / {{
      {auth}
      fastcgi_pass unix:{folder}/fcgi.socket;
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME {backend};
      fastcgi_param GIT_PROJECT_ROOT {root};
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param PATH_INFO $uri;
      fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param REMOTE_USER $remote_user;
    }}
  }}
  server {{
    listen 127.0.0.1:{misnamed} ssl;
    ssl_certificate {folder}/misnamed.pem;
    ssl_certificate_key {folder}/misnamed.pem;
  }}
  server {{
    listen 127.0.0.1:{expired} ssl;
    ssl_certificate {folder}/expired.pem;
    ssl_certificate_key {folder}/expired.pem;
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class HttpsForge:
    """A forge by HTTPS: repositories below `root`, whose certificate `ca` has signed.

    It has two more doors: one with a certificate of another name, and one whose certificate has expired.
    """

    url: str
    root: Path
    ca: Path
    misnamed: str
    expired: str
    folder: Path
    _servers: ExitStack
    """That of nginx, which may be begun anew in it."""
    _start: Callable[[], AbstractContextManager[object]]

    @contextmanager
    def away(self) -> Iterator[None]:
        """Nobody listens there while the block lasts."""
        self._servers.close()
        try:
            yield
        finally:
            self._servers.enter_context(self._start())

    def repository(self, name: str = "locations.git") -> str:
        """Its URL."""
        return f"{self.url}/{name}"


@contextmanager
def https_forge(folder: Path, root: Path, *, token: str | None = TOKEN, elsewhere: str = "") -> Iterator[HttpsForge]:
    """nginx in front of git http-backend; `USER` has the password `token`."""
    folder.mkdir()
    folder.chmod(0o755)
    authority, port, misnamed, expired = trustme.CA(), free_port(), free_port(), free_port()
    certificate, ca, users = folder / "server.pem", folder / "ca.pem", folder / "users"
    name = "127.0.0.1"
    authority.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(certificate)
    other = authority.issue_cert("other.example")
    other.private_key_and_cert_chain_pem.write_to_path(folder / "misnamed.pem")
    year = timedelta(days=365)
    old = authority.issue_cert(name, not_before=datetime.now(UTC) - 2 * year, not_after=datetime.now(UTC) - year)
    old.private_key_and_cert_chain_pem.write_to_path(folder / "expired.pem")
    authority.cert_pem.write_to_path(ca)
    users.write_text(f"{USER}:{hashed(token)}\n" if token else "")
    auth = f'auth_basic "forge"; auth_basic_user_file {users};' if token else ""
    me = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(
        _NGINX.format(
            folder=folder,
            port=port,
            certificate=certificate,
            auth=auth,
            backend=BACKEND,
            root=root,
            user=me,
            elsewhere=elsewhere,
            misnamed=misnamed,
            expired=expired,
        )
    )
    start = partial(started, "nginx", "-c", config, "-e", folder / "error.log", port=port, cwd=folder)
    with _fcgiwrap(folder), ExitStack() as servers:
        servers.enter_context(start())
        here = f"https://{name}"
        yield HttpsForge(f"{here}:{port}", root, ca, f"{here}:{misnamed}", f"{here}:{expired}", folder, servers, start)


@contextmanager
def _fcgiwrap(folder: Path) -> Iterator[None]:
    socket = folder / "fcgi.socket"
    environment = {"PATH": search_path(), "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory"}
    command = ["fcgiwrap", "-f", "-c", "2", "-s", f"unix:{socket}"]
    variables = {**environment, "GIT_CONFIG_VALUE_0": "*"}
    process = subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL, process_group=0)
    try:
        wait_until(socket.exists)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)  # its children too, and a git that one of them has started
        process.wait(timeout=10)


@dataclass(frozen=True, slots=True)
class SshForge:
    """A forge by ssh: repositories anywhere on this machine, its host key, and the key that is let in."""

    port: int
    known_hosts: Path
    key: Path
    host_key: Path
    folder: Path

    def repository(self, path: Path) -> str:
        """The URL of a repository."""
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{path}"


def make_key(path: Path, passphrase: str = "") -> Path:
    """A key of ssh; its public half stands beside it."""
    path.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", path], check=True)
    return path


@contextmanager
def ssh_forge(folder: Path, port: int = 0) -> Iterator[SshForge]:
    """sshd, which lets in the user of this process by `key`."""
    folder.mkdir(exist_ok=True)
    port = port or free_port()
    host_key, key = make_key(folder / "host"), folder / "key"
    if not key.exists():
        make_key(key)
    known, authorized = folder / "known_hosts", folder / "authorized_keys"
    public = host_key.with_suffix(".pub").read_text().split()
    known.write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
    authorized.write_text(key.with_suffix(".pub").read_text())
    lines = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": host_key,
        "AuthorizedKeysFile": authorized,
        "PidFile": "none",
        "UsePAM": "no",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
    }
    config = folder / "sshd_config"
    config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd", path=search_path())
    assert program
    with started(program, "-D", "-e", "-f", config, port=port, cwd=folder):
        yield SshForge(port, known, key, host_key, folder)


def fixtures_need(*marks: pytest.MarkDecorator) -> list[pytest.MarkDecorator]:
    """As `pytestmark` takes it."""
    return [*marks]
