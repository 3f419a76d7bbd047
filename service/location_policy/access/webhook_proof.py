"""The proof that a webhook was sent by one who has its secret, in each of the ways in which forges give it; and ours.

A signature is over the body, which is hashed as it comes and never kept. Each secret of the file counts, so that an old
and a new one hold while the secret is changed. What is compared is compared in constant time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ..errors import UnusableFile
from ..problems import Problem
from .basic_auth import parse_basic

MOST = 10
"""Secrets of a file: more are more than an old and a new one of each forge."""
SHORTEST = 16
"""Characters of a secret: shorter ones can be found by trying."""
LATE = 300.0
"""Seconds by which a signed time may differ from ours: GitLab's and Standard Webhooks' advice."""

_NEW = "make one with: openssl rand -hex 32"
_OLD = "take away those that no forge has any more"
_HEX = re.compile(rb"sha256=([0-9a-f]{64})", re.IGNORECASE)
_PREFIX = b"whsec_"
"""Before the base64 of a signing token (Standard Webhooks, "Signature scheme")."""


def read_secrets(content: bytes, path: str) -> tuple[bytes, ...]:
    """The secrets of a file, one a line, without lines that are empty; raises UnusableFile."""
    lines = [(number, line.strip()) for number, line in enumerate(content.split(b"\n"), 1)]
    secrets = [(number, line) for number, line in lines if line]
    problems = [
        Problem(path, number, 1, "weak-secret", f"the secret has fewer than {SHORTEST} characters", _NEW)
        for number, secret in secrets
        if len(secret) < SHORTEST
    ]
    if not secrets:
        problems = [Problem(path, 1, 1, "no-secret", "there is no secret in it", _NEW)]
    if len(secrets) > MOST:
        problems = [Problem(path, secrets[MOST][0], 1, "many-secrets", f"there are more than {MOST} secrets", _OLD)]
    if problems:
        raise UnusableFile(path, problems)
    return tuple(secret for _, secret in secrets)


def signature_headers(secrets: Sequence[bytes], identity: str, moment: int, body: bytes) -> dict[str, str]:
    """What proves a webhook of ours by each of these secrets (Standard Webhooks); `moment`: seconds since 1970.

    Without a secret it only says which message this is, and when it is sent.
    """
    signed = f"{identity}.{moment}.".encode() + body
    digests = [hmac.digest(_signing_key(secret), signed, "sha256") for secret in secrets]
    headers = {"webhook-id": identity, "webhook-timestamp": str(moment)}
    if digests:
        headers["webhook-signature"] = " ".join(f"v1,{base64.b64encode(one).decode()}" for one in digests)
    return headers


class Proof:
    """The proof in the headers of one request; its body is given to `update`, in pieces, before `holds` is asked.

    Names of headers are in lower case. GitHub, Gitea, Forgejo and Bitbucket sign the body by HMAC-SHA256; GitLab too,
    with an id and a time before it, or it sends the secret itself; Azure DevOps sends it as the password of HTTP Basic.
    """

    def __init__(self, headers: Mapping[bytes, bytes], secrets: Sequence[bytes], now: float) -> None:
        self._is_shown = any(_shows(headers, secret) for secret in secrets)
        self._hashes: list[tuple[hmac.HMAC, Sequence[bytes]]] = []
        signatures = _plain_signatures(headers)
        begin, signed = _standard_signatures(headers, now)
        for secret in secrets:
            if signatures:
                self._hashes.append((hmac.new(secret, digestmod=hashlib.sha256), signatures))
            if signed:
                self._hashes.append((hmac.new(_signing_key(secret), begin, hashlib.sha256), signed))

    @property
    def is_given(self) -> bool:
        """Is there one, right or wrong, for which the body has to be read?"""
        return self._is_shown or bool(self._hashes)

    def update(self, piece: bytes) -> None:
        """A piece of the body."""
        for digest, _ in self._hashes:
            digest.update(piece)

    def holds(self) -> bool:
        """Does one of the secrets prove it?"""
        found = self._is_shown
        for digest, signatures in self._hashes:
            for signature in signatures:
                found |= hmac.compare_digest(digest.digest(), signature)
        return found


def _plain_signatures(headers: Mapping[bytes, bytes]) -> list[bytes]:
    """Those of the body alone: `X-Hub-Signature-256` (GitHub, Gitea, Forgejo), `X-Hub-Signature` (Bitbucket)."""
    given = (headers.get(name, b"").strip() for name in (b"x-hub-signature-256", b"x-hub-signature"))
    return [bytes.fromhex(found[1].decode()) for found in map(_HEX.fullmatch, given) if found]


def _standard_signatures(headers: Mapping[bytes, bytes], now: float) -> tuple[bytes, list[bytes]]:
    """What is signed before the body, and the signatures in `webhook-signature` (Standard Webhooks, GitLab)."""
    identity, moment = headers.get(b"webhook-id", b""), headers.get(b"webhook-timestamp", b"")
    if not re.fullmatch(rb"\d{1,12}", moment) or abs(now - int(moment)) > LATE:
        return b"", []
    words = headers.get(b"webhook-signature", b"").split()[:MOST]
    found = [_unpacked(word.removeprefix(b"v1,")) for word in words if word.startswith(b"v1,")]
    return b"%b.%b." % (identity, moment), [one for one in found if one]


def _signing_key(secret: bytes) -> bytes:
    return _unpacked(secret.removeprefix(_PREFIX)) or secret if secret.startswith(_PREFIX) else secret


def _unpacked(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def _shows(headers: Mapping[bytes, bytes], secret: bytes) -> bool:
    """Is the secret there as it is: in `X-Gitlab-Token`, or as a password (Azure DevOps)?"""
    shown = [headers.get(b"x-gitlab-token", b"")]
    with suppress(ValueError):
        shown += parse_basic(headers.get(b"authorization", b"")).passwords
    return any(hmac.compare_digest(secret, one) for one in shown)
