"""TLS in the process: certificate, key and the CA of clients, taken up anew when their files change.

Each pair is loaded into a context of its own, and only a whole one gets in force: every handshake is handed the present
context in its first step. So a file that is wrong, or half written, breaks no handshake, and another certificate ends
no connection. Another CA of clients ends them all: it may not let in who was let in before.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from cryptography import x509

from ..errors import CannotStart
from ..text import moment_text
from .options import Tls

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy and authenticated encryption; those of TLS 1.3 all have both."""

log = logging.getLogger(__name__)


class Unusable(Exception):
    """Why certificate and key cannot be used."""


class Certificates:
    """The files of `tls` as contexts; raises CannotStart at first, `look` never raises.

    `ends` is when the first certificate in force does, of ours and those above it.
    """

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._seen: object = None
        self.on_other_ca: Callable[[], None] = lambda: None
        try:
            contents = _contents(tls)
            self._present = _load(tls, contents)
        except Unusable as error:
            raise CannotStart(str(error)) from None
        self._seen = contents
        self.ends = end_of(contents[0])
        self._ca = contents[2:]
        self.context = _empty_context(with_clients=tls.client_ca is not None)
        self.context.sni_callback = self._hand_over

    def look(self, *, asked: bool = False) -> None:
        """Take up files that have changed, or tell once why not; when `asked` to, tell it again."""
        contents: object = None
        try:
            contents = found = _contents(self._tls)
            if contents == self._seen and not asked:
                return
            present = _load(self._tls, found)
            if _contents(self._tls) != found:
                return  # it changes just now: the next look sees the end of it
        except Unusable as error:
            told = contents or str(error)
            if told != self._seen or asked:
                log.error("the old certificate stays in use: %s", error)
            self._seen = told
            return
        if contents != self._seen:
            self._present, self.ends = present, end_of(found[0])
            log.info("certificate in use file=%s ends=%s", self._tls.cert, moment_text(self.ends))
            before, self._ca = self._ca, found[2:]
            if self._ca != before:
                self.on_other_ca()
        self._seen = contents

    def _hand_over(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._present


def _contents(tls: Tls) -> tuple[bytes, ...]:
    """All files; raises Unusable for one that cannot be read."""
    return tuple(_read(path) for path in (tls.cert, tls.key, tls.client_ca) if path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}") from None


def _load(tls: Tls, contents: tuple[bytes, ...]) -> ssl.SSLContext:
    _check_dates(tls.cert, contents[0])
    context = _empty_context(with_clients=tls.client_ca is not None)
    try:
        context.load_cert_chain(tls.cert, tls.key, password=_refuse_password)
    except (ssl.SSLError, OSError) as error:
        raise Unusable(_reason(tls, error)) from None
    if tls.client_ca:
        try:
            context.load_verify_locations(tls.client_ca)
        except (ssl.SSLError, OSError):
            raise Unusable(f"{tls.client_ca} has no certificate of a CA") from None
    return context


def _empty_context(*, with_clients: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    if with_clients:
        context.verify_mode = ssl.CERT_REQUIRED
        # Who comes back is looked at again, since the CA may have changed. By 1.2 a session is resumed by its id
        # too, from a memory that Python cannot switch off: 1.3 knows tickets alone, and none is given.
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context


def _check_dates(path: Path, content: bytes) -> None:
    now = datetime.now(UTC)
    for certificate in _certificates(path, content):
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if end < now:
            raise Unusable(f"a certificate in {path} has expired, on {end:%Y-%m-%d %H:%M} UTC")
        if begin > now:
            raise Unusable(f"a certificate in {path} is not valid yet, but from {begin:%Y-%m-%d %H:%M} UTC on")


def _certificates(path: Path, content: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise Unusable(f"{path} has no certificate that can be read; PEM is wanted") from None


def end_of(content: bytes) -> datetime:
    """When a chain in PEM does, by whichever of its certificates is first, in UTC; raises ValueError."""
    return min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(content))


def _refuse_password() -> NoReturn:
    """The terminal would be asked, and a service has none."""
    raise OSError("it asks for a password")


def _reason(tls: Tls, error: ssl.SSLError | OSError) -> str:
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return f"the key in {tls.key} is not that of the certificate in {tls.cert}"
    if not isinstance(error, ssl.SSLError):
        return f"the key in {tls.key} is encrypted; put one there that is not: openssl pkey -in KEY -out NEW"
    return f"{tls.key} has no key that can be read for the certificate in {tls.cert}; PEM is wanted"
