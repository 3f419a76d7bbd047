"""What hooks of git and jobs of CI run without a terminal, with its help."""

from __future__ import annotations

import sys
from pathlib import Path

from ..terminal.exit_status import NOT_ASKED, told
from . import options as of
from .parameters import PATH


@of.argument("file", "What the comment says, Markdown.", type=PATH)
@of.option("invalid", None, "The commit is not valid; FILE has what check says.", to="is_invalid")
@of.ca()
def comment(file: Path, is_invalid: bool, ca: Path | None) -> None:
    """Let the pull request of this CI job have one comment, made or updated.

    It names the commits that it is about. Works in GitHub, Gitea and Forgejo Actions (with GITHUB_TOKEN) and in
    GitLab CI (with COMMENT_TOKEN).
    Only a comment of its own is written over. Where the job of a fork may not comment, the text goes to the
    summary of the run, or to its log; any other refusal is exit status 2.
    """
    from ..commands.comment import comment

    with told(NOT_ASKED):
        comment(file, ca, is_invalid=is_invalid)


@of.argument("variable", "Where the server puts the pusher's name, for its own hook.", default=None)
def pre_receive(variable: str | None) -> None:
    """Judge the push on standard input, for the hook."""
    from ..hooks.pre_receive import pre_receive

    sys.exit(pre_receive(variable))


@of.argument("variable", "As for pre-receive, and the same.", default=None)
def post_receive(variable: str | None) -> None:
    """Note why the push on standard input was allowed, for the hook."""
    from ..hooks.post_receive import post_receive

    sys.exit(post_receive(variable))


def proc_receive() -> None:
    """End a dry run, for the hook."""
    from ..hooks.proc_receive import proc_receive

    sys.exit(proc_receive())
