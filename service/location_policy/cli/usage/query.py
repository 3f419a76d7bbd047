"""What can be typed to ask a map, and what has become of it, with its help."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..terminal.exit_status import NOT_ASKED, told
from . import options as of
from .options import asked_repository, one_side
from .parameters import ASKED_PARAMETER, PATH, SINCE, Integer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ..commands.calls.report import CallsForm
    from ..commands.diff import Form
    from ..terminal.service_access import ServiceAccess

ASKED = "An address, a subnet, or the name of a location."
query_argument = of.argument("query", ASKED)


@of.folder
@of.repo
@of.rev
@of.option("coverage", None, "Print how much expectations.csv covers.")
@of.form("text, json, github, gitlab or sarif.", of.CHECK_FORM)
@of.option("all", None, "Print every problem, not only the first 200, or ten of a code.", to="all_")
@of.option("staged", None, "What is staged for the next commit, for a hook of git.")
@of.option("only-changed", "BASE", "Only warnings that this revision has not.")
@click.pass_context
def check(
    context: click.Context,
    folder: Path,
    repo: Path | None,
    rev: str | None,
    coverage: bool,
    form: str,
    all_: bool,
    staged: bool,
    only_changed: str | None,
) -> None:
    """Validate a working copy or a commit, as the hook does.

    Problems go to standard output, their number to standard error. Exit status 1 if there is an error.
    """
    from ..commands.check import CheckOptions, check
    from ..terminal.remote import refuse_urls

    if staged and (repo or rev):
        raise click.BadParameter("--staged excludes --repo and --rev")
    if coverage and form != "text":
        raise click.BadParameter("--coverage goes with --format text only")
    with told(NOT_ASKED):
        repo = asked_repository(context, repo)
        refuse_urls("check", folder, repo)
        asked = CheckOptions(folder, repo, rev, staged, context.obj)
        sys.exit(check(asked, form=form, base=only_changed, covers=coverage, all_=all_))


@query_argument
@of.folder
@of.repo
@of.state_dir
@of.rev
@of.option("protocol", "NAME", "As a node names it.", default="mssip")
@of.option("ask", "NAME=VALUE", "What else the node asks, as in location=DMZ.", multiple=True, type=ASKED_PARAMETER)
@of.form("json: the body that a node gets.")
@click.pass_context
def lookup(
    context: click.Context,
    query: str,
    folder: Path,
    repo: Path | None,
    state_dir: Path | None,
    rev: str | None,
    protocol: str,
    ask: tuple[tuple[str, str], ...],
    form: str,
) -> None:
    """Print the answer for an address, and the row it comes from.

    A subnet is answered as one, or by its parts; a location by the rows that lead to it. With views also which one
    takes the call, and why those before it do not. Exit status 1 if there is no answer.
    """
    from ...lookup.query_string import Pairs
    from ..commands.lookup import MapPlace, lookup
    from ..terminal.remote import refuse_urls

    with told(NOT_ASKED):
        repo = asked_repository(context, repo)
        refuse_urls("lookup", query, folder, repo)
        sys.exit(
            lookup(query, MapPlace(folder, repo, state_dir, rev), Pairs([*ask, ("protocol", protocol.lower())]), form)
        )


@of.argument("log", "Decision logs; else what the service remembers.", type=PATH, nargs=-1, default=None)
@of.served
@of.rev
@of.state_dir
@of.option("since", "TIME", "7d, 12h, or a time such as 2026-11-29T04:00:00Z.", type=SINCE, default="7d")
@of.option("at-least", "N", "Calls of a network that is told by itself.", type=Integer(1), default=10)
@of.form("text, json or csv.", of.CALLS_FORM)
@of.option("all", None, "Tell everything, not only the first of each kind.", to="all_")
def calls(
    log: tuple[Path, ...],
    repo: str | None,
    rev: str | None,
    state_dir: Path | None,
    since: datetime,
    at_least: int,
    form: CallsForm,
    all_: bool,
) -> None:
    """Print who called and what was answered, and which rows are missing, or not needed.

    Logs may be packed by gzip; - is standard input. What a service remembers it tells by whole days.
    """
    from ..commands.calls.report import CallsOptions, report_calls
    from ..terminal.remote import refuse_urls

    with told(NOT_ASKED):
        refuse_urls("calls", *log)
        sys.exit(report_calls(CallsOptions(log, repo, rev, state_dir, since, at_least, form, all_)))


@of.argument("old", "A revision, or a folder.", callback=one_side)
@of.argument("new", "Another one.")
@of.served
@of.form("text, markdown or json.", of.DIFF_FORM)
@of.option("all", None, "Print every range, not only the 20 largest of many.", to="all_")
@of.option("exit-code", None, "Exit with 1 if an answer changes.")
@of.option("calls", "FILE|URL", "Say whose calls change: a decision log, or a service.", multiple=True)
@of.access("A viewer of that service.", is_rare=True)
@of.help_all
def diff(
    old: str,
    new: str,
    repo: str | None,
    form: Form,
    all_: bool,
    exit_code: bool,
    calls: Sequence[str],
    access: ServiceAccess,
) -> None:
    """Print which addresses get another answer in NEW than in OLD.

    What begins with . or / is a folder; what names no revision may be one.
    """
    from ..commands.diff import DiffOptions, diff
    from ..terminal.remote import refuse_urls

    with told(NOT_ASKED):
        refuse_urls("diff", old, new)
        sys.exit(diff(old, new, repo, DiffOptions(form, exit_code, all_, calls, access)))


@query_argument
@of.served
@of.state_dir
@of.rev
@of.option("ask", "NAME=VALUE", "What the node asks, as in location=DMZ.", multiple=True, type=ASKED_PARAMETER)
@of.form("text or json.")
def blame(
    query: str, repo: str | None, state_dir: Path | None, rev: str | None, ask: tuple[tuple[str, str], ...], form: str
) -> None:
    """Print the rows that answer for an address or a subnet, or lead to a location, and who wrote them.

    For an address also the less specific rows. Exit status 1 if there is no row.
    """
    from ...lookup.query_string import Pairs
    from ..commands.blame import blame
    from ..terminal.default_paths import asked_place
    from ..terminal.remote import refuse_urls

    with told(NOT_ASKED):
        refuse_urls("blame", query)
        sys.exit(blame(query, asked_place(repo, state_dir), rev, Pairs(ask), form))


@of.argument("query", f"Only what changed for it: {ASKED[0].lower()}{ASKED[1:]}", default=None)
@of.served
@of.option("number", "N", "Commits to look at.  [default: 20; 1000 with a query]", short="n", type=Integer(1))
@of.option("refused", None, "Instead the last pushes that the hook rejected, with who pushed and why.")
@of.state_dir
@of.option("ask", "NAME=VALUE", "What the node asks, as in location=DMZ.", multiple=True, type=ASKED_PARAMETER)
@of.form("text or json.")
def history(
    query: str | None,
    repo: str | None,
    number: int | None,
    refused: bool,
    state_dir: Path | None,
    ask: tuple[tuple[str, str], ...],
    form: str,
) -> None:
    """Print what the commits of the served branch changed, and when the service made them active or rejected them.

    Of an address or a subnet the commits that changed its answers, of a location those that changed which rows lead
    there. Exit status 1 if there are none.
    """
    from ...lookup.query_string import Pairs
    from ..commands.history import history, history_of, refused_pushes
    from ..terminal.default_paths import asked_place
    from ..terminal.remote import refuse_urls

    if refused and query:
        raise click.BadParameter("--refused tells of pushes, not of answers: leave out one of both")
    with told(NOT_ASKED):
        refuse_urls("history", query)
        place = asked_place(repo, state_dir)
        if refused:
            sys.exit(refused_pushes(place.repository, form))
        sys.exit(history(place, number, form) if query is None else history_of(query, place, number, Pairs(ask), form))
