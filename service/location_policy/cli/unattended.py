"""What hooks of git and jobs of CI run where nobody types, with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import option
from .rim import NOT_ASKED, told


def comment(
    file: Annotated[Path, typer.Argument(help="What the comment says, Markdown.")],
    ca: Annotated[Path | None, option("ca", "FILE", "Whose certificates to trust, PEM.")] = None,
) -> None:
    """Let the pull request of this CI job have one comment, made or updated.

    Works in GitHub, Gitea and Forgejo Actions (with GITHUB_TOKEN) and in GitLab CI (with COMMENT_TOKEN).
    Where it may not comment, the text goes to the summary of the run, or to its log.
    """
    from .comment import comment

    with told(NOT_ASKED):
        comment(file, ca)


def pre_receive() -> None:
    """Judge the push on standard input, for the hook."""
    from .prereceive import pre_receive

    raise typer.Exit(pre_receive())


def post_receive() -> None:
    """Note why the push on standard input was allowed, for the hook."""
    from .postreceive import post_receive

    raise typer.Exit(post_receive())


def proc_receive() -> None:
    """End a dry run, for the hook."""
    from .procreceive import proc_receive

    raise typer.Exit(proc_receive())
