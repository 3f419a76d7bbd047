"""A new bare repository, and a commit made from a folder without a working copy or a git identity."""

from __future__ import annotations

import tempfile
from pathlib import Path

from .git import Git

IDENTITY = {
    "GIT_AUTHOR_NAME": "location-policy",
    "GIT_AUTHOR_EMAIL": "location-policy@localhost",
    "GIT_COMMITTER_NAME": "location-policy",
    "GIT_COMMITTER_EMAIL": "location-policy@localhost",
}
"""Who makes the commits of the program itself."""


def make_bare(git: Git, branch: str) -> None:
    """An empty bare repository in git's directory, its HEAD naming the branch; no sample hooks."""
    git.run("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}")


def commit_folder(git: Git, folder: Path, message: str) -> str:
    """The id of a first commit that holds the files of a folder; no ref is moved."""
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch, "index")), "GIT_WORK_TREE": str(folder.absolute())}
        git.run("-c", "core.bare=false", "-C", str(folder.absolute()), "add", "--all", "--", ".", environment=index)
        tree = git.run("write-tree", environment=index).decode().strip()
    return git.run("commit-tree", tree, "-m", message, environment=IDENTITY).decode().strip()
