"""The options of `serve`: what it follows, where it listens, who gets in, how much they may take, what is logged.

Each is written here once, with the field of `ServeOptions` that it ends in. Help, completion and what is known of the
environment come from that; the default is the field's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from .options import FORM, SCOPE, option
from .parameters import DURATION, NAME, PATH, Decimal, Integer

if TYPE_CHECKING:
    from ..service.options import ServeOptions

Declared = TypeVar("Declared", bound=Callable[..., object])

FORGE = click.Choice(("github", "gitlab", "gitea", "forgejo"))
NOTIFY_FORM = click.Choice(("json", "teams", "slack"))
CHANGES = click.Choice(("served", "review"))
LONGEST_DRAIN = 3600
"""Seconds."""
LONGEST_HISTORY = 10_000
"""Days."""
RARE = True
"""Few need it: `--help` passes it over, and `--help-all` has it."""


class Row(NamedTuple):
    """An option: the path of the field that it ends in, its name, what it takes (None: nothing), and its help."""

    into: str
    name: str
    metavar: str | None
    text: str
    type: click.ParamType[Any] | None = None
    is_rare: bool = False

    @property
    def field(self) -> str:
        """The name of the field, under which click hands over the value; no two records have one of the same name."""
        return self.into.rpartition(".")[2]


ROWS = (
    Row("repo", "repo", "PATH|URL", "What to follow; else one of its own."),
    Row("branch", "branch", "NAME", "Start only if this branch is served."),
    Row("listen.host", "host", "ADDRESS", "Where to listen."),
    Row("listen.port", "port", "N", "0 takes a free one.", Integer(0, 65535)),
    Row("state_dir", "state-dir", "DIR", "Where the last good content is kept.", PATH),
    Row("fetch_interval", "fetch-interval", "SECONDS", "Between two looks at a URL.", Decimal(0.1), RARE),
    Row("name", "name", "NAME", "Of this replica, where it follows one.  [default: host name]", NAME, RARE),
    Row("remote.credentials", "git-credentials", "FILE", "Users and tokens of a URL.", PATH, RARE),
    Row("remote.ssh_key", "git-ssh-key", "FILE", "The deploy key of a URL of ssh.", PATH, RARE),
    Row("remote.known_hosts", "git-known-hosts", "FILE", "The host keys of its server.", PATH, RARE),
    Row("remote.ca", "git-ca", "FILE", "The CAs that a URL is trusted by, PEM.", PATH, RARE),
    Row("remote.proxy", "git-proxy", "URL", "The proxy between here and a URL.", None, RARE),
    Row("max_stale", "max-stale", "DURATION", "Tell loudly when what is served is older.", DURATION, RARE),
    Row(
        "git_http",
        "git-http/--no-git-http",
        None,
        "Clone from here, push if no copy.  [default: if owned]",
        None,
        RARE,
    ),
    Row("changes", "changes", "served|review", "Put changes from pages on the branch, or beside it.", CHANGES, RARE),
    Row("users.htpasswd", "htpasswd", "FILE", "Users and their passwords.", PATH),
    Row("users.roles", "roles", "FILE", "Who may do what; else users query and view.", PATH),
    Row("users.allow_anonymous", "allow-anonymous-policy", None, "Answer nodes without a password."),
    Row("users.open_metrics", "open-metrics", None, "Show /metrics to anybody.", None, RARE),
    Row("users.webhook_secret", "webhook-secret", "FILE", "Take webhooks of a forge, proven by it.", PATH, RARE),
    Row("listen.tls.cert", "tls-cert", "FILE", "The certificate and its chain, PEM.", PATH),
    Row("listen.tls.key", "tls-key", "FILE", "Its key, PEM.", PATH),
    Row("listen.tls.client_ca", "client-ca", "FILE", "Whose certificates clients need.", PATH, RARE),
    Row("listen.behind_proxy", "behind-proxy", None, "A proxy in front has TLS."),
    Row("listen.proxies", "forwarded-allow-ips", "LIST", "Addresses of proxies to believe.", None, RARE),
    Row("listen.uds", "uds", "PATH", "A Unix socket instead of an address.", PATH, RARE),
    Row("limits.header_bytes", "max-header-bytes", "BYTES", "Of one request.", Integer(4096), RARE),
    Row("limits.header_seconds", "header-timeout", "SECONDS", "For one request to come.", Decimal(0.1), RARE),
    Row("limits.connections", "max-connections", "N", "Open at once.", Integer(1), RARE),
    Row("limits.followers", "max-followers", "N", "Services that follow this one and wait at once.", Integer(0), RARE),
    Row("drain", "drain", "SECONDS", "Answer on after SIGTERM, but not ready.", Decimal(0, LONGEST_DRAIN), RARE),
    Row("example", "example", None, "Begin a new repository with the sample map."),
    Row("logs.decisions", "decision-log", "FILE", "A line on each answer; - is stdout."),
    Row("logs.with_names", "log-names", None, "Aliases and display names in it too.", None, RARE),
    Row(
        "call_history",
        "call-history",
        "DAYS",
        "Remember calls; 0: none.",
        Integer(0, LONGEST_HISTORY),
        RARE,
    ),
    Row("logs.form", "log-format", "FORM", "The log on stderr: text or json.", FORM),
    Row("notify.receiver", "notify", "URL|FILE", "Tell this webhook of changes; a file has its URL.", None, RARE),
    Row("notify.message_format", "notify-format", "json|teams|slack", "JSON, or a card.", NOTIFY_FORM, RARE),
    Row("notify.secrets", "notify-secret", "FILE", "What signs it, by Standard Webhooks.", PATH, RARE),
    Row("notify.receiver_ca", "notify-ca", "FILE", "The CAs that it is trusted by, PEM.", PATH, RARE),
    Row("commit_status", "commit-status", "FORGE", "Set it on github, gitlab, gitea or forgejo.", FORGE, RARE),
    Row("signatures.allowed_signers", "allowed-signers", "FILE", "As init writes it; of a URL too.", PATH, RARE),
    Row("signatures.gpg_keyring", "gpg-keyring", "FILE", "Likewise.", PATH, RARE),
    Row("signatures.require", "require-signatures", "off|tip|all", "Likewise.", SCOPE, RARE),
)


def serve_options(command: Declared) -> Declared:
    """Give a command these options."""
    for row in reversed(ROWS):
        more = {"type": row.type} if row.type else {}
        declare = option(
            row.name, row.metavar, row.text, to=row.field, cls=ServeOption, into=row.into, hidden=row.is_rare, **more
        )
        command = declare(command)
    return command


class ServeOption(click.Option):
    """An option whose default is that of the field in which it ends."""

    def __init__(self, *declarations: Any, into: str, **more: Any) -> None:  # noqa: ANN401  as click has it
        super().__init__(*declarations, **more)
        self._into = into

    def get_default(self, ctx: click.Context, call: bool = True) -> object:  # noqa: ARG002  as click has it
        """The default, looked up when it is asked for: what serves nothing pays for no record."""
        from ..service.options import ServeOptions

        found: object = ServeOptions()
        for name in self._into.split("."):
            found = found and getattr(found, name)  # without TLS none of its files is named
        return found

    def get_help_extra(self, ctx: click.Context) -> click.types.OptionHelpExtra:
        """What help says beside the text; that nothing is the default needs no word."""
        extra = super().get_help_extra(ctx)
        if extra.get("default") == '""':
            del extra["default"]
        return extra


def asked(values: Mapping[str, Any]) -> ServeOptions:
    """The record of what click hands over, each value in the field that its option ends in.

    Raises CannotStart when a file of TLS is missing.
    """
    from ...access.options import Users
    from ...gate.setup.signing_options import SigningOptions
    from ...integrations.notify.options import NotifyOptions
    from ...repository.remote.credentials import RemoteAccess
    from ...server.options import Limits, Listen
    from ...server.sockets import plain_host
    from ..service.access import tls_of
    from ..service.options import Logs, ServeOptions

    fields: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for row in ROWS:
        record, _, name = row.into.rpartition(".")
        fields[record][name] = values[name]
    listen = Listen(**fields["listen"], tls=tls_of(**fields["listen.tls"]))
    return ServeOptions(
        **fields[""],
        listen=replace(listen, host=plain_host(listen.host)),
        remote=RemoteAccess(**fields["remote"]),
        users=Users(**fields["users"]),
        limits=Limits(**fields["limits"]),
        logs=Logs(**fields["logs"]),
        notify=NotifyOptions(**fields["notify"]),
        signatures=SigningOptions(**fields["signatures"]),
    )
