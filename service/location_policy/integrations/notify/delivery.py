"""Whether a receiver has taken what was sent to it, and if not, whether and when it is to be sent again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from ..http_client import Reply

LONGEST_WAIT = 3600.0
"""Seconds that a receiver may ask to be left alone."""

_LATER = (408, 425, 429)
"""Statuses of a request that may well succeed later (RFC 9110, 15.5; RFC 8470, 5.2; RFC 6585, 4), beside 5xx."""


class NotDelivered(NamedTuple):
    """Why it was not taken; `is_final`: to send it again is no use; `after`: seconds that it is to wait at least."""

    reason: str
    is_final: bool = False
    after: float = 0.0


def read_reply(reply: Reply) -> NotDelivered | None:
    """What an answer says of what was sent; None: it was taken. No redirect is followed."""
    if 200 <= reply.status < 300:
        return None
    if reply.status in _LATER or reply.status >= 500:
        return NotDelivered(f"status {reply.status}", after=_seconds(reply.retry_after))
    redirected = " is a redirect, which is not followed" if 300 <= reply.status < 400 else ""
    return NotDelivered(f"status {reply.status}{redirected}", is_final=True)


def _seconds(retry_after: str) -> float:
    """Those that a receiver asks for, as a number or a date (RFC 9110, 10.2.3); 0 where it asks for none."""
    if retry_after.isascii() and retry_after.isdecimal():
        return min(float(retry_after[:9]), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    left = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.now(UTC)
    return min(max(left.total_seconds(), 0.0), LONGEST_WAIT)
