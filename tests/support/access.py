"""Users with cheap hashes, and certificates of a CA of the test's own."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path

import bcrypt
import trustme

PASSWORD = "correct horse: battery, staple"


def hashed(password: str = PASSWORD, cost: int = 4) -> str:
    """A hash that takes a millisecond."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


def write_users(path: Path, *users: str, password: str = PASSWORD) -> Path:
    """An htpasswd file in which all have the same password."""
    aside = path.with_name(f"{path.name}.new")
    aside.write_text("".join(f"{user}:{hashed(password)}\n" for user in users))
    return aside.replace(path)  # no process reads half of it


def login(user: str, password: str = PASSWORD) -> str:
    """As `Service.ask` takes it."""
    return f"{user}:{password}"


class Pki:
    """A CA, and the files of certificates that it has signed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.ca = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(self.ca_file)
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self.renew()

    def renew(
        self, *, ends: datetime | None = None, begins: datetime | None = None, of: trustme.CA | None = None
    ) -> None:
        """A new certificate of the server, and its key, in the place of the old ones."""
        leaf = (of or self.ca).issue_cert("127.0.0.1", "localhost", not_before=begins, not_after=ends)
        leaf.private_key_pem.write_to_path(self.key)
        self.cert.write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))

    def arguments(self) -> tuple[str | Path, ...]:
        """Of `serve`."""
        return "--tls-cert", self.cert, "--tls-key", self.key

    def client(self, name: str | None = None) -> ssl.SSLContext:
        """A client that trusts this CA; with a name it has a certificate."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if name is not None:
            self.ca.issue_cert(f"{name}@example.com", common_name=name).configure_cert(context)
        return context
