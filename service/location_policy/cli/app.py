"""The command line: what can be typed, and its help."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from .. import __version__
from ..repository import require_git
from ..settings import (
    LIMITS,
    Limits,
    Listen,
    Logs,
    ServeOptions,
    Signatures,
    Users,
    foreign_variables,
    unknown_variables,
)
from .completion import command_of, is_completing
from .export import app as _export
from .options import CheckFormat, DiffFormat, Folder, Format, HelpAll, Repo, Rev, Scope, Shell, asked_repository
from .options import option as _option
from .options import rare_option as _rare_option
from .pexip import app as _pexip
from .rim import NOT_ASKED, NOT_STARTED, told
from .upkeep import doctor, fmt, import_

app = typer.Typer(
    help="""Answers Pexip Infinity's media location requests from CSV files in git.

    Every option has a twin in the environment: --port is LOCATION_POLICY_PORT.""",
    epilog="Try it: location-policy serve --example",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


Address = Annotated[str, typer.Argument(help="The caller's address, IPv4 or IPv6.")]
Served = Annotated[
    str | None, _option("repo", "PATH|URL", "What is served.  [default: ./data/locations.git, else this folder]")
]
Branch = Annotated[str | None, _option("branch", "NAME", "The branch to serve.")]


def run() -> NoReturn:
    """Run the command line and exit with its status."""
    for name in foreign_variables(os.environ):
        del os.environ[name]
    for warning in [] if is_completing() else unknown_variables(os.environ):
        print(f"location-policy: warning: {warning}", file=sys.stderr)
    index = os.environ.get("GIT_INDEX_FILE")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]  # what another git has set must not steer ours
    sys.exit(command_of(app)(prog_name="location-policy", obj=index and Path(index).absolute()))


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"location-policy {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Options of the program itself."""


@app.command(epilog="Example: location-policy init /srv/git/locations.git --from ./map")
def init(
    path: Annotated[Path, typer.Argument(help="Where the bare repository is, or is to be.")] = Path(
        "data/locations.git"
    ),
    empty: Annotated[bool, _option("empty", None, "No first commit.")] = False,
    from_: Annotated[Path | None, _option("from", "FOLDER", "The folder with the first commit's files.")] = None,
    branch: Branch = None,
    shared: Annotated[bool, _option("shared", None, "Let the group of the repository push.")] = False,
    allowed_signers: Annotated[Path | None, _option("allowed-signers", "FILE", "Those who may sign, by SSH.")] = None,
    gpg_keyring: Annotated[Path | None, _option("gpg-keyring", "FILE", "The same by GPG.")] = None,
    require_signatures: Annotated[
        Scope | None, _option("require-signatures", "off|tip|all", "Which commits must be signed.")
    ] = None,
) -> None:
    """Make a bare repository with the hook and a first map.

    On an existing one: install or update the hook and the settings, and leave its content alone.
    """
    from ..git_hooks import shipped
    from ..installation import create, install

    if empty and from_:
        raise typer.BadParameter("--empty and --from exclude each other")
    with told(NOT_ASKED):
        require_git()
        signatures = Signatures(allowed_signers, gpg_keyring, require_signatures)
        if path.exists() and any(path.iterdir() if path.is_dir() else [path]):
            for line in install(path, branch=branch, shared=shared, signatures=signatures):
                print(line)
            if empty or from_:
                print(f"location-policy: {path} exists, so its content stays as it is", file=sys.stderr)
            return
        if from_ is not None and not from_.is_dir():
            raise typer.BadParameter(f"{from_} is not a folder")
        content = None if empty else from_ or shipped("config-repo")
        create(path, content, branch=branch, shared=shared, signatures=signatures)
        print(f"made {path.absolute()}")


@app.command(epilog="Example: location-policy serve --repo /srv/git/locations.git")
def serve(
    repo: Annotated[str | None, _option("repo", "PATH|URL", "What to follow.  [default: ./data/locations.git]")] = None,
    branch: Annotated[str | None, _option("branch", "NAME", "Start only if this branch is served.")] = None,
    host: Annotated[str, _option("host", "ADDRESS", "Where to listen.")] = "127.0.0.1",
    port: Annotated[int, _option("port", "N", "0 takes a free one.", min=0, max=65535)] = 8080,
    state_dir: Annotated[Path | None, _option("state-dir", "DIR", "Where the last good content is kept.")] = None,
    fetch_interval: Annotated[
        float, _rare_option("fetch-interval", "SECONDS", "Between two fetches of a URL.", min=0.1)
    ] = 15.0,
    git_http: Annotated[
        bool | None, _rare_option("git-http/--no-git-http", None, "Clone from here, push to here.  [default: if owned]")
    ] = None,
    htpasswd: Annotated[Path | None, _option("htpasswd", "FILE", "Users and their passwords.")] = None,
    roles: Annotated[Path | None, _option("roles", "FILE", "Who may do what; else users ask and look.")] = None,
    allow_anonymous_policy: Annotated[
        bool, _option("allow-anonymous-policy", None, "Answer nodes without a password.")
    ] = False,
    open_metrics: Annotated[bool, _rare_option("open-metrics", None, "Show /metrics to anybody.")] = False,
    tls_cert: Annotated[Path | None, _option("tls-cert", "FILE", "The certificate and its chain, PEM.")] = None,
    tls_key: Annotated[Path | None, _option("tls-key", "FILE", "Its key, PEM.")] = None,
    client_ca: Annotated[Path | None, _rare_option("client-ca", "FILE", "Whose certificates clients need.")] = None,
    behind_proxy: Annotated[bool, _option("behind-proxy", None, "A proxy in front has TLS.")] = False,
    forwarded_allow_ips: Annotated[
        str, _rare_option("forwarded-allow-ips", "LIST", "Addresses of proxies to believe.")
    ] = "",
    uds: Annotated[Path | None, _rare_option("uds", "PATH", "A Unix socket instead of an address.")] = None,
    max_header_bytes: Annotated[
        int, _rare_option("max-header-bytes", "BYTES", "Of one request.", min=4096)
    ] = LIMITS.header_bytes,
    header_timeout: Annotated[
        float, _rare_option("header-timeout", "SECONDS", "For one request to come.", min=0.1)
    ] = LIMITS.header_seconds,
    max_connections: Annotated[int, _rare_option("max-connections", "N", "Open at once.", min=1)] = LIMITS.connections,
    example: Annotated[bool, _option("example", None, "Begin a new repository with the sample map.")] = False,
    decision_log: Annotated[str | None, _option("decision-log", "FILE", "A line on each answer; - is stdout.")] = None,
    log_names: Annotated[bool, _rare_option("log-names", None, "Aliases and display names in it too.")] = False,
    log_format: Annotated[Format, _option("log-format", "FORM", "The log on stderr: text or json.")] = Format.TEXT,
    allowed_signers: Annotated[
        Path | None, _rare_option("allowed-signers", "FILE", "As init writes it; of a URL too.")
    ] = None,
    gpg_keyring: Annotated[Path | None, _rare_option("gpg-keyring", "FILE", "Likewise.")] = None,
    require_signatures: Annotated[Scope | None, _rare_option("require-signatures", "off|tip|all", "Likewise.")] = None,
    _help_all: HelpAll = False,
) -> None:
    """Follow a repository and answer policy requests from it."""
    from .doors import tls_of
    from .serve import serve

    with told(NOT_STARTED):
        tls = tls_of(tls_cert, tls_key, client_ca)
    options = ServeOptions(
        repo=repo,
        branch=branch,
        listen=Listen(host, port, uds, tls, behind_proxy, forwarded_allow_ips),
        users=Users(htpasswd, roles, allow_anonymous_policy, open_metrics),
        state_dir=state_dir,
        fetch_interval=fetch_interval,
        git_http=git_http,
        example=example,
        limits=Limits(max_header_bytes, header_timeout, max_connections),
        logs=Logs(log_format.value, decision_log, with_names=log_names),
        signatures=Signatures(allowed_signers, gpg_keyring, require_signatures),
    )
    with told(NOT_STARTED):
        serve(options)


@app.command(epilog="Example: location-policy check .")
def check(
    context: typer.Context,
    folder: Folder = Path(),
    repo: Repo = None,
    rev: Rev = None,
    coverage: Annotated[bool, _option("coverage", None, "Print how much expectations.csv covers.")] = False,
    format_: Annotated[
        CheckFormat, _option("format", "FORM", "text, json, github, gitlab or sarif.")
    ] = CheckFormat.TEXT,
    staged: Annotated[bool, _option("staged", None, "What is staged for the next commit, for a hook of git.")] = False,
    only_changed: Annotated[
        str | None, _option("only-changed", "BASE", "First what stands in lines that differ from this revision.")
    ] = None,
) -> None:
    """Validate a working copy or a commit, as the hook does.

    Problems go to standard output, their number to standard error. Exit status 1 if there is an error.
    """
    from .check import Asked, check

    if staged and (repo or rev):
        raise typer.BadParameter("--staged excludes --repo and --rev")
    if coverage and format_ != CheckFormat.TEXT:
        raise typer.BadParameter("--coverage goes with --format text only")
    with told(NOT_ASKED):
        asked = Asked(folder, asked_repository(context, repo), rev, staged, context.obj)
        raise typer.Exit(check(asked, form=format_.value, base=only_changed, covers=coverage))


@app.command(epilog="Example: location-policy lookup 10.61.2.7 .")
def lookup(
    context: typer.Context,
    address: Address,
    folder: Folder = Path(),
    repo: Repo = None,
    rev: Rev = None,
    protocol: Annotated[str, _option("protocol", "NAME", "As a node names it.")] = "mssip",
    format_: Annotated[Format, _option("format", "FORM", "json: the body that a node gets.")] = Format.TEXT,
) -> None:
    """Print the answer for an address, and the row it comes from.

    Exit status 1 if there is none.
    """
    from .lookup import lookup

    with told(NOT_ASKED):
        raise typer.Exit(lookup(address, folder, asked_repository(context, repo), rev, protocol, format_))


app.command("import", epilog="Example: location-policy import /opt/pexsubnet/csv/locations.csv")(import_)
app.command(epilog="Example: location-policy fmt --check .")(fmt)
app.command(epilog="Example: location-policy doctor --repo /srv/git/locations.git")(doctor)


@app.command(epilog="Example: location-policy password node --htpasswd ./htpasswd")
def password(
    user: Annotated[str, typer.Argument(help="Whose password.")],
    htpasswd: Annotated[Path, _option("htpasswd", "FILE", "The file, made where it is missing.")],
) -> None:
    """Change a user's password, or add a user.

    On a terminal it is asked for twice; otherwise it is one line on standard input.
    """
    from .password import password

    with told(NOT_ASKED):
        password(user, htpasswd)


@app.command(epilog="Example: location-policy diff main . --repo .")
def diff(
    old: Annotated[str, typer.Argument(help="A revision, or a folder.")],
    new: Annotated[str, typer.Argument(help="Another one.")],
    repo: Served = None,
    format_: Annotated[DiffFormat, _option("format", "FORM", "text, markdown or json.")] = DiffFormat.TEXT,
    exit_code: Annotated[bool, _option("exit-code", None, "Exit with 1 if an answer changes.")] = False,
) -> None:
    """Print which addresses get another answer in NEW than in OLD.

    What begins with . or / is a folder; what names no revision may be one.
    """
    from .diff import diff

    with told(NOT_ASKED):
        raise typer.Exit(diff(old, new, repo, format_.value, tells_effect=exit_code))


@app.command(epilog="Example: location-policy blame 10.61.2.7 --repo /srv/git/locations.git")
def blame(
    address: Address,
    repo: Served = None,
    rev: Rev = None,
    format_: Annotated[Format, _option("format", "FORM", "text or json.")] = Format.TEXT,
) -> None:
    """Print the row that answers for an address, who wrote it, and the rows that it beats.

    Exit status 1 if no row covers the address.
    """
    from .blame import blame
    from .place import asked_place

    with told(NOT_ASKED):
        raise typer.Exit(blame(address, asked_place(repo).repository, rev, format_))


@app.command(epilog="Example: location-policy history 10.61.2.7 --repo /srv/git/locations.git")
def history(
    address: Annotated[str | None, typer.Argument(help="Only what changed the answer for this address.")] = None,
    repo: Served = None,
    number: Annotated[
        int | None,
        _option("number", "N", "Commits to look at.  [default: 20; 1000 for an address]", short="n", min=1),
    ] = None,
    state_dir: Annotated[Path | None, _option("state-dir", "DIR", "That of the service.")] = None,
    format_: Annotated[Format, _option("format", "FORM", "text or json.")] = Format.TEXT,
) -> None:
    """Print what the commits of the served branch changed, and when the service took or refused them.

    Exit status 1 if the answer for the address has not changed.
    """
    from .history import history, history_of
    from .place import asked_place

    with told(NOT_ASKED):
        place = asked_place(repo, state_dir)
        status = history(place, number, format_) if address is None else history_of(address, place, number, format_)
        raise typer.Exit(status)


@app.command(epilog="Example: location-policy revert 4fd1fc7 --repo /srv/git/locations.git")
def revert(
    commit: Annotated[str | None, typer.Argument(help="The commit to take back, and none since.")] = None,
    repo: Served = None,
    to: Annotated[str | None, _option("to", "COMMIT", "Go back to this one, and take back all since.")] = None,
    dry_run: Annotated[bool, _option("dry-run", None, "Only print what it would do.")] = False,
    author: Annotated[str | None, _option("author", "AUTHOR", 'Who does it: "Name <address>".')] = None,
    message: Annotated[str | None, _option("message", "TEXT", "Why, instead of what git says.", short="m")] = None,
    allow_large_change: Annotated[
        str | None, _option("allow-large-change", "REASON", "Why it may exceed [limits].")
    ] = None,
) -> None:
    """Take back a commit of the served branch, by a new one that the gate judges.

    Run it where the bare repository is. Exit status 1 if it is refused, or later commits are in the way.
    """
    from .revert import Asked, revert

    if (commit is None) == (to is None):
        raise typer.BadParameter("name either the commit to take back, or --to the one to go back to")
    with told(NOT_ASKED):
        raise typer.Exit(revert(Asked(commit, to, author, message, allow_large_change, dry_run), repo))


@app.command(epilog="Example: source <(location-policy completion bash)")
def completion(shell: Annotated[Shell, typer.Argument(help="Which shell.")]) -> None:
    """Print the script of a shell's completion.

    bash: source <(location-policy completion bash) in ~/.bashrc.
    zsh: the same in ~/.zshrc, below compinit.  fish: location-policy completion fish | source
    """
    from .completion import print_script

    print_script(app, shell.value)


app.add_typer(_export, name="export")
app.add_typer(_pexip, name="pexip")


@app.command(epilog="Example: location-policy diff origin/main HEAD --format markdown >plan.md")
def comment(
    file: Annotated[Path, typer.Argument(help="What the comment says, Markdown.")],
    ca: Annotated[Path | None, _option("ca", "FILE", "Whose certificates to trust, PEM.")] = None,
) -> None:
    """Let the pull request of this CI job have one comment, made or updated.

    Works in GitHub, Gitea and Forgejo Actions (with GITHUB_TOKEN) and in GitLab CI (with COMMENT_TOKEN).
    Where it may not comment, the text goes to the summary of the run, or to its log.
    """
    from .comment import comment

    with told(NOT_ASKED):
        comment(file, ca)


@app.command("pre-receive", epilog="Example: git push, with the hook that `location-policy init` installs")
def pre_receive() -> None:
    """Judge the push on standard input, for the hook."""
    from .prereceive import pre_receive

    raise typer.Exit(pre_receive())


@app.command("post-receive", epilog="Example: git push, with the hooks that `location-policy init` installs")
def post_receive() -> None:
    """Note why the push on standard input was allowed, for the hook."""
    from .postreceive import post_receive

    raise typer.Exit(post_receive())


@app.command("proc-receive", epilog="Example: git push origin HEAD:refs/for/main")
def proc_receive() -> None:
    """End a dry run, for the hook."""
    from .procreceive import proc_receive

    raise typer.Exit(proc_receive())
