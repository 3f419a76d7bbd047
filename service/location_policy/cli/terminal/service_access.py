"""Who asks a service over HTTP."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path
from typing import NamedTuple

from ...errors import NoAnswer
from ...integrations.http_client import Login, Origin
from ...integrations.server_url import SERVICE, parse_origin
from ...text import escape


class ServiceAccess(NamedTuple):
    """Who asks a service over HTTP, and whom they trust."""

    user: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    allow_http: bool = False

    def origin(self, url: str, option: str = SERVICE.option) -> Origin:
        """Where a service is that an option names; raises NoAnswer where that is no URL, or a password would be read on
        the way.
        """
        return parse_origin(url, SERVICE._replace(option=option), allow_http=self.allow_http or self.user is None)

    def login(self) -> tuple[str, str] | None:
        """The header by which the service knows who asks; none where no user is named."""
        if self.user is None:
            return None
        if self.password_file:
            try:
                password = self.password_file.read_bytes().partition(b"\n")[0].removesuffix(b"\r").decode()
            except ValueError:
                raise NoAnswer(f"{self.password_file} is not a password in UTF-8") from None
        elif sys.stdin.isatty():
            password = getpass(f"password of {escape(self.user)}: ")
        else:
            raise NoAnswer("no password is given", "--password-file FILE")
        return Login(self.user, password).header()
