"""The proofs of webhooks, as each forge's documentation says that it sends them."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from location_policy.access.webhook_proof import LATE, MOST, Proof, read_secrets
from location_policy.errors import UnusableFile

SECRET = b"It's a Secret to Everybody"
BODY = b"Hello, World!"
SIGNATURE = b"757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
"""Secret, body and signature of GitHub's "Validating webhook deliveries"."""
OTHER = b"another secret of the forge"
KEY = b"0123456789abcdefghijklmn"
TOKEN = b"whsec_" + base64.b64encode(KEY)
NOW = 1_700_000_000


def signed(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).hexdigest().encode()


def standard(key: bytes, body: bytes, moment: int, identity: bytes = b"msg_1") -> dict[bytes, bytes]:
    """As Standard Webhooks and GitLab's signing tokens have it: base64 of HMAC-SHA256 over id, time and body."""
    digest = hmac.new(key, b"%b.%d.%b" % (identity, moment, body), hashlib.sha256).digest()
    signature = b"v1," + base64.b64encode(digest)
    return {b"webhook-id": identity, b"webhook-timestamp": b"%d" % moment, b"webhook-signature": signature}


def holds(headers: dict[bytes, bytes], body: bytes = BODY, *secrets: bytes) -> bool:
    proof = Proof(headers, secrets or (OTHER, SECRET), NOW)
    for number in range(len(body)):
        proof.update(body[number : number + 1])
    return proof.is_given and proof.holds()


def basic(user: str, password: bytes) -> bytes:
    return b"Basic " + base64.b64encode(user.encode() + b":" + password)


RIGHT = {
    "GitHub": {b"x-hub-signature-256": b"sha256=" + SIGNATURE},
    "Gitea and Forgejo": {b"x-hub-signature-256": b"sha256=" + SIGNATURE, b"x-gitea-signature": SIGNATURE},
    "Bitbucket": {b"x-hub-signature": b"sha256=" + SIGNATURE},
    "GitLab": {b"x-gitlab-token": SECRET},
    "GitLab, signed": standard(SECRET, BODY, NOW),
    "Azure DevOps": {b"authorization": basic("", SECRET)},
    "Azure DevOps with a user": {b"authorization": basic("hook", SECRET)},
}


@pytest.mark.parametrize("forge", RIGHT)
def test_what_each_forge_sends_is_a_proof(forge: str) -> None:
    assert holds(RIGHT[forge])


@pytest.mark.parametrize("forge", RIGHT)
def test_the_secret_has_to_be_one_of_ours(forge: str) -> None:
    assert not holds(RIGHT[forge], BODY, OTHER, SECRET + b"!")


@pytest.mark.parametrize("forge", ["GitHub", "Bitbucket", "GitLab, signed"])
def test_a_signature_is_of_this_body_alone(forge: str) -> None:
    assert not holds(RIGHT[forge], BODY + b"!")
    assert not holds(RIGHT[forge], b"")


@pytest.mark.parametrize("late", [-LATE - 1, LATE + 1])
def test_a_signed_time_is_about_now(late: float) -> None:
    assert holds(standard(SECRET, BODY, NOW + int(late / 2)))
    assert not holds(standard(SECRET, BODY, NOW + int(late)))


def test_a_signing_token_is_the_key_in_base64() -> None:
    assert holds(standard(KEY, BODY, NOW), BODY, TOKEN)
    assert not holds(standard(TOKEN, BODY, NOW), BODY, TOKEN)


def test_one_of_several_signatures_is_enough_while_the_forge_changes_its_token() -> None:
    headers = standard(SECRET, BODY, NOW)
    headers[b"webhook-signature"] = b"v1,AAAA v2,zzz " + headers[b"webhook-signature"]
    assert holds(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"x-hub-signature-256": b"sha256="},
        {b"x-hub-signature-256": b"sha256=" + SIGNATURE[:-1]},
        {b"x-hub-signature-256": SIGNATURE},
        {b"x-hub-signature": b"sha1=" + SIGNATURE[:40]},
        {b"x-gitlab-token": b""},
        {b"authorization": b"Bearer " + SECRET},
        {b"authorization": basic("", b"")},
        {b"webhook-signature": b"v1,"},
        standard(SECRET, BODY, NOW) | {b"webhook-timestamp": b"soon"},
        standard(SECRET, BODY, NOW) | {b"webhook-id": b"msg_2"},
    ],
)
def test_what_is_no_proof_is_none(headers: dict[bytes, bytes]) -> None:
    assert not holds(headers)


def test_only_what_may_be_a_proof_has_its_body_read() -> None:
    assert not Proof({}, [SECRET], NOW).is_given
    assert not Proof({b"x-gitlab-token": b"wrong"}, [SECRET], NOW).is_given
    assert Proof({b"x-hub-signature": b"sha256=" + b"0" * 64}, [SECRET], NOW).is_given


def test_each_line_of_the_file_is_a_secret() -> None:
    assert read_secrets(b"\n" + SECRET + b"\r\n  " + OTHER + b"\n\n", "hook") == (SECRET, OTHER)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\n\n", "there is no secret in it"),
        (b"long enough a secret\nshort\n", "hook:2:1: error: the secret has fewer than 16 characters [weak-secret]"),
        (b"\n".join(b"%020d" % number for number in range(MOST + 1)), "there are more than 10 secrets"),
    ],
)
def test_a_file_that_cannot_be_used_says_why_and_shows_no_secret(content: bytes, told: str) -> None:
    with pytest.raises(UnusableFile) as error:
        read_secrets(content, "hook")
    said = "\n".join(map(str, error.value.problems))
    assert told in said
    assert not any(line in said.encode() for line in content.split(b"\n") if line)
