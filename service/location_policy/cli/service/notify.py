"""Who is told of changes, from the options of `serve`."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from ...access.watched_file import WatchedFile
from ...access.webhook_proof import read_secrets
from ...errors import CannotStart
from ...integrations.forges.commit_status import TOLD, CommitStatus, Forge, statuses_of
from ...integrations.http_client import trust
from ...integrations.notify.event import KINDS, Sender
from ...integrations.notify.options import NotifyOptions
from ...integrations.notify.receiver import Receiver, parse_target, read_target
from ...repository.remote.credentials import RemoteAccess, find_login
from ...repository.remote.review_link import site_of
from ...repository.remote.url import is_url, part_login
from ...rollout.notify import notifier
from ...rollout.notify.notifier import Notifier
from ...rollout.state import ActiveState
from ...runtime.reloader import ReloadCheck
from ...server.tls import Certificates
from .options import ServeOptions
from .source import Source

Receivers = Mapping[str, notifier.Receiver]
"""By the names under which `/status` and the metrics tell how they stand."""

Value = TypeVar("Value")

WEBHOOK, COMMIT_STATUS = "notify", "commit-status"


def open_receivers(options: ServeOptions) -> tuple[Receivers, Sequence[ReloadCheck]]:
    """Who is told, and what reads the files of that again; raises CannotStart, NoAnswer or UnusableFile."""
    receivers: dict[str, notifier.Receiver] = {}
    looks: Sequence[ReloadCheck] = ()
    if options.notify.receiver:
        receivers[WEBHOOK], looks = _webhook(options.notify, options.notify.receiver)
    elif options.notify != NotifyOptions():
        raise CannotStart("--notify-format, --notify-secret and --notify-ca need --notify too")
    if options.commit_status:
        receivers[COMMIT_STATUS] = _commit_status(options.commit_status, options.repo, options.remote)
    return receivers, looks


def start_notifiers(
    receivers: Receivers, active: ActiveState, source: Source, certificates: Certificates | None
) -> Mapping[str, Notifier]:
    """What tells each of them, from now on."""
    sender = Sender(socket.gethostname(), source.shown)
    kinds = {WEBHOOK: KINDS, COMMIT_STATUS: TOLD}

    def ends() -> datetime | None:
        return certificates.ends if certificates else None

    notifiers = {
        name: Notifier(active, one, kinds[name], sender, source.state / f"told-{name}.json", ends)
        for name, one in receivers.items()
    }
    for one in notifiers.values():
        one.outbox.start()
    return notifiers


def _webhook(options: NotifyOptions, receiver: str) -> tuple[Receiver, list[ReloadCheck]]:
    if "://" not in receiver and not os.access(receiver, os.R_OK):  # what it is may be a secret, and is not repeated
        raise CannotStart(
            "--notify names neither a URL nor a file that can be read", "write https://HOST/PATH, or the path of a file"
        )
    file = None if "://" in receiver else WatchedFile(Path(receiver), read_target)
    secrets = WatchedFile(options.secrets, read_secrets) if options.secrets else None
    target = _value_of(file) if file else partial(parse_target, receiver)
    target()
    by = _value_of(secrets) if secrets else tuple
    made = Receiver(target, options.message_format, by, trust(options.receiver_ca))
    return made, [one.look for one in (file, secrets) if one]


def _value_of(file: WatchedFile[Value]) -> Callable[[], Value]:
    return lambda: file.value


def _commit_status(forge: Forge, repo: str | None, access: RemoteAccess) -> CommitStatus:
    """By the credentials of the URL that is followed; raises CannotStart where there are none."""
    if repo is None or not is_url(repo):
        raise CannotStart("--commit-status is for a repository that is followed by its URL", "serve --repo URL")
    page = site_of(part_login(repo)[0]).page
    token = partial(_token, repo, page, access)
    token()
    return CommitStatus(forge, statuses_of(forge, page), token, trust(access.ca))


def _token(repo: str, page: str, access: RemoteAccess) -> str:
    """The password that there is for the host of this page; raises CannotStart or RemoteError."""
    login = part_login(repo)[1]
    if password := login.get("MIRROR_PASSWORD"):
        return password
    if access.credentials is None:
        raise CannotStart("--commit-status needs a token that may set it", "give its file by --git-credentials FILE")
    host = "/".join(page.split("/")[:3])
    return find_login(access.credentials, host, login.get("MIRROR_USER"))[1]
