"""What can be typed to bring a map, to keep it and its repository in order, to take a change back, with its help."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..terminal.exit_status import NOT_ASKED, told
from . import options as of
from .parameters import DURATION, PATH, Decimal

if TYPE_CHECKING:
    from ..terminal.service_access import ServiceAccess

COLUMNS = ("subnet", "site", "mask", "status")
"""What a column can be named as."""


def _columns(_: click.Context, __: click.Parameter, asked: tuple[str, ...]) -> dict[str, str]:
    """What is asked for as `subnet=NAME`, by what the column holds."""
    columns = dict(one.partition("=")[::2] for one in asked)
    for what, name in columns.items():
        if what not in COLUMNS or not name:
            raise click.BadParameter(f"{what} is none of {', '.join(f'{one}=NAME' for one in COLUMNS)}")
    return columns


@of.argument(
    "files", "What is brought, in the order in which rows are tried; - is standard input.", nargs=-1, type=PATH
)
@of.option("into", "FOLDER", "The working copy.  [default: .]", type=PATH, default=Path(), show_default=False)
@of.option("sites", "FILE", "Rows site,location,overflow… for sites or countries.", type=PATH)
@of.option("write-sites", "FILE", "Write such rows, open where a location is missing.", type=PATH)
@of.option(
    "column", "KIND=NAME", "Which column has subnet, site or mask.", to="columns", multiple=True, callback=_columns
)
@of.option("sync", "PATH", "Keep this one file of rows as FILES say.")
@of.option("view", "NAME", "The view whose rows they are; else the map at the top.")
@of.option("accept-differences", None, "Write even if answers differ, without rejected lines.")
@of.rare_option("all", None, "Read prefixes too that are not in use.", to="takes_all")
@of.rare_option("keep-answers", None, "Leave out rows that the old server never came to.")
@of.rare_option("overwrite", None, "Replace rows that are there, and add to known.")
@of.rare_option("no-overflow-table", None, "Leave overflow in every row.")
@of.rare_option("format", "FORM", "text or json.", to="form", type=of.FORM, default="text")
@of.help_all
def import_(
    files: tuple[Path, ...],
    into: Path,
    sites: Path | None,
    write_sites: Path | None,
    columns: dict[str, str],
    sync: str | None,
    view: str | None,
    accept_differences: bool,
    takes_all: bool,
    keep_answers: bool,
    overwrite: bool,
    no_overflow_table: bool,
    form: str,
) -> None:
    """Import the map of another program, and verify it.

    FILES are tables of pexsubnet, NetBox, phpIPAM, Infoblox, BlueCat, Active Directory, Teams or Skype for
    Business, or addresses by country. Exit status 1 and nothing written if a line is rejected, or an answer differs.
    """
    from ..commands.imports.tables import ImportOptions, bring

    asked = ImportOptions(
        files,
        into,
        sites=sites,
        write_sites=write_sites,
        columns=columns,
        sync=sync,
        accept_differences=accept_differences,
        keep_answers=keep_answers,
        overwrite=overwrite,
        takes_all=takes_all,
        form=form,
        view=view or "",
        overflow_table=not no_overflow_table,
    )
    with told(NOT_ASKED):
        sys.exit(bring(asked))


@of.argument("paths", "Working copies, or files of rows in one.  [default: .]", default=None, nargs=-1, type=PATH)
@of.option("check", None, "Write nothing, and say which files would change.")
@of.option("overflow-table", None, "Say overflow once, in policy.toml, where all rows of a location say the same.")
def fmt(paths: tuple[Path, ...], check: bool, overflow_table: bool) -> None:
    """Write files of rows in one form; no answer changes.

    Subnets in their shortest form, rows by address below the comment that they stand under, no space around
    cells, no empty cells, LF. A file with an error is left alone. Exit status 1 if there is one, or if --check
    finds one to change. With --overflow-table rows lose the overflow that [overflow] then says for their
    location, and are otherwise left as they are; both maps are compared before anything is written.
    """
    from ..commands.fmt import fmt, lift

    with told(NOT_ASKED):
        sys.exit((lift if overflow_table else fmt)(paths or [Path()], check=check))


@of.served
@of.state_dir
@of.form("text or json.")
@of.option("branch", "NAME", "That of a URL.  [default: what its HEAD names]")
@of.option("git-credentials", "FILE", "As serve takes it, of a URL.", type=PATH)
@of.option("git-ssh-key", "FILE", "Likewise.", type=PATH)
@of.option("git-known-hosts", "FILE", "Likewise.", type=PATH)
@of.option("git-ca", "FILE", "Likewise.", type=PATH)
@of.option("git-proxy", "URL", "Likewise.")
def doctor(
    repo: str | None,
    state_dir: Path | None,
    form: str,
    branch: str | None,
    git_credentials: Path | None,
    git_ssh_key: Path | None,
    git_known_hosts: Path | None,
    git_ca: Path | None,
    git_proxy: str | None,
) -> None:
    """Check a repository, and say how to fix it.

    Git, hook, settings, owners, watch, state directory, and what serve would do; of a URL first whether it
    can be read: name, route, TLS or host key, proof, right, branch. Changes nothing. Ask as the user of the
    service. Exit status 1 if there is something to fix.
    """
    from ...repository.remote.credentials import RemoteAccess
    from ..commands.doctor import doctor
    from ..service.remote_secrets import refuse_password_of_proxy

    access = RemoteAccess(git_credentials, git_ssh_key, git_known_hosts, git_ca, git_proxy)
    with told(NOT_ASKED):
        refuse_password_of_proxy(access)
        sys.exit(doctor(repo, state_dir, form, branch, access))


@of.served
@of.option("state-dir", "DIR", "That of the service, where a URL is followed.", type=PATH)
def accept_history(repo: str | None, state_dir: Path | None) -> None:
    """Let the service accept another history than the one before.

    A repository made anew, or a branch that shares no commit with what was served last, is rejected until this is
    said. It is said of the commit at the tip of the served branch, and of all that comes after it.
    """
    from ..commands.accept_history import accept_history

    with told(NOT_ASKED):
        accept_history(repo, state_dir)


@of.served
@of.state_dir
@of.option("wait", "SECONDS", "How long to wait for the result; 0: not at all.", type=Decimal(0, 600), default=30.0)
@of.option("url", "URL", "The URL of a service elsewhere, such as https://policy.example.com.")
@of.access("An editor of it.")
@of.help_all
def sync(
    repo: str | None,
    state_dir: Path | None,
    wait: float,
    url: str | None,
    access: ServiceAccess,
) -> None:
    """Have the service check its source now, and print the result.

    On this machine by SIGHUP, elsewhere by --url. Exit status 0 if what was found is active; 1 if it is rejected or
    waits, as while another commit is pinned, or nothing is known in time; 2 if the source cannot be reached.
    """
    from ..commands.sync import sync

    with told(NOT_ASKED):
        sys.exit(sync(url, access, repo, state_dir, wait))


def _least(_: click.Context, __: click.Parameter, text: str) -> int:
    """How many followers there must be at least; 0: as many as there are."""
    if text == "all":
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise click.BadParameter(f"{text} is neither a number nor all")
    return int(text)


@of.argument("commit", "The id of a commit, or its first seven digits or more.")
@of.option("url", "URL", "The service that is followed.", default="http://127.0.0.1:8080")
@of.option("followers", "N|all", "How many must be there at least.", to="least", default="all", callback=_least)
@of.option("timeout", "DURATION", "For how long to wait.", to="span", type=DURATION, default="30s")
@of.access("A viewer of it.")
@of.help_all
def wait(
    commit: str,
    url: str,
    least: int,
    span: timedelta,
    access: ServiceAccess,
) -> None:
    """Wait until a service and all that follow it answer from a commit.

    A follower that was not seen for 90 seconds is lost, and not counted. Exit status 1 if one rejects the commit, with
    its problem, or the time is over, with who is missing; 2 if the service cannot be reached.
    """
    from ..commands.wait import wait

    with told(NOT_ASKED):
        sys.exit(wait(url, access, commit, least, span))


@of.argument("commit", "The one commit to revert.", default=None)
@of.served
@of.option("to", "COMMIT", "Restore this one: revert all since.")
@of.option("dry-run", None, "Only print what it would do.")
@of.option("again", None, "Also what is itself a revert, or reverted already.")
@of.option("author", "AUTHOR", 'Who does it: "Name <address>".')
@of.option("message", "TEXT", "Why, instead of what git says.", short="m")
@of.option("allow-large-change", "REASON", "Why it may exceed [limits].")
@of.form("text or json.")
def revert(
    commit: str | None,
    repo: str | None,
    to: str | None,
    dry_run: bool,
    again: bool,
    author: str | None,
    message: str | None,
    allow_large_change: str | None,
    form: str,
) -> None:
    """Revert a commit of the served branch, by a new one that the gate judges.

    Run it where the bare repository is. Exit status 1 if it is rejected, later commits are in the way, or it would
    restore what was reverted.
    """
    from ..commands.revert import Lines, Object, RevertOptions, revert
    from ..terminal.remote import refuse_urls

    if (commit is None) == (to is None):
        raise click.BadParameter("name either the commit to revert, or --to with the one to restore")
    with told(NOT_ASKED):
        refuse_urls("revert", commit, to)
        asked = RevertOptions(commit, to, author, message, allow_large_change, dry_run, again)
        sys.exit(revert(asked, repo, Object() if form == "json" else Lines()))


@of.argument("commit", "The commit to pin: an id, or a name such as main~1.")
@of.option("for", "DURATION", "For how long: 30m, 2h, at most 7d.", to="span", type=DURATION, required=True)
@of.option("reason", "TEXT", "Why, in one line.", required=True)
@of.served
@of.state_dir
def pin(commit: str, span: timedelta, reason: str, repo: str | None, state_dir: Path | None) -> None:
    """Pin a commit of the served branch, whatever is pushed.

    The service answers from it at once. What comes is taken and waits, until the time is over or location-policy unpin
    ends it. Nothing in git changes: revert what is wrong meanwhile. Exit status 1 if the commit is not valid.
    """
    from ..commands.pin import pin

    with told(NOT_ASKED):
        pin(commit, span, reason, repo, state_dir)


@of.served
@of.option("state-dir", "DIR", "That of the service, where a URL is followed.", type=PATH)
def unpin(repo: str | None, state_dir: Path | None) -> None:
    """Unpin: serve the latest commit again.

    It is made active if it is valid. On the copy of a remote it is judged first, as a move from the pinned commit.
    """
    from ..commands.pin import unpin

    with told(NOT_ASKED):
        unpin(repo, state_dir)
