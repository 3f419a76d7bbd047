"""Where notifications go: a URL, which may be a secret as a whole, and how they are sent there.

Whoever has the URL of a webhook of Teams or Slack can write there. So nothing shows more of one than its host.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ...access.webhook_proof import signature_headers
from ...errors import NoAnswer, UnusableFile
from ...problems import Problem
from ..http_client import PORTS, Login, Origin, Question, ask
from ..server_url import is_this_machine
from .delivery import NotDelivered, read_reply
from .event import Event
from .formats import body_of
from .options import Format

SECONDS = 10.0
"""That a receiver has for its answer."""

_EXAMPLE = "write https://HOST/PATH"


class Target(NamedTuple):
    """A URL, taken apart; what shows is its host."""

    origin: Origin
    path: str
    authorization: tuple[str, str] | None

    def __repr__(self) -> str:
        return f"Target({self.origin.host})"


def parse_target(text: str) -> Target:
    """A URL of http or https, http to this machine alone; raises NoAnswer, which repeats nothing of it."""
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise NoAnswer("the URL of the receiver has a character that stands in none", _EXAMPLE)
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise NoAnswer("the URL of the receiver is none", _EXAMPLE) from None
    if url.scheme not in PORTS or not url.hostname:
        raise NoAnswer("the receiver is not the URL of a web server", _EXAMPLE)
    if url.scheme == "http" and not is_this_machine(url.hostname):
        raise NoAnswer("over http everybody on the way reads what is sent, and where", _EXAMPLE)
    login = Login(unquote(url.username or ""), unquote(url.password or "")).header() if "@" in url.netloc else None
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return Target(Origin(url.scheme, url.hostname, port or PORTS[url.scheme]), path, login)


def read_target(content: bytes, path: str) -> Target:
    """The URL that a file has, and nothing else; raises UnusableFile."""
    try:
        return parse_target(content.decode("ascii", "replace").strip())
    except NoAnswer as error:
        raise UnusableFile(path, [Problem(path, 1, 1, "not-a-url", error.message, error.hint)]) from None


@dataclass(frozen=True, slots=True)
class Receiver:
    """Sends notifications in one form; `target` and `secrets` give what counts at that moment."""

    target: Callable[[], Target] = field(repr=False)
    form: Format
    secrets: Callable[[], Sequence[bytes]] = field(repr=False)
    context: ssl.SSLContext

    @property
    def shown(self) -> str:
        """What may be shown of where they go."""
        return self.target().origin.host

    def send(self, event: Event) -> NotDelivered | None:
        """Send one; None once it was taken."""
        target, body = self.target(), body_of(event, self.form)
        headers = signature_headers(self.secrets(), event.id, int(time.time()), body)
        question = Question(target.path, target.authorization, "POST", body, headers)
        try:
            return read_reply(ask(target.origin, question, self.context, SECONDS))
        except NoAnswer as error:
            return NotDelivered(error.message)
