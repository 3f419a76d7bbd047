"""A new bare repository, and its content: a commit made from a folder, without a working copy or a git identity, or a
bundle (git-bundle(1)).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..errors import RepositoryError
from .git import Git, PlainGit
from .new_commits import IDENTITY, change_files

_NO_REPOSITORY = Path("/")
"""Where git runs that needs none yet."""


def check_branch(branch: str) -> None:
    """Raises RepositoryError for what is no name of a branch (git-check-ref-format), or the full one of a ref."""
    if branch.startswith("refs/"):
        name = branch.removeprefix("refs/").removeprefix("heads/")
        raise RepositoryError(f"{branch!r} is the full name of a ref, not that of a branch", f"write {name}")
    try:
        PlainGit(_NO_REPOSITORY).run("check-ref-format", f"refs/heads/{branch}")
    except RepositoryError:
        raise RepositoryError(f"{branch!r} is not a name for a branch", "write a name such as main") from None


def make_bare(directory: Path, branch: str) -> None:
    """An empty bare repository in a directory, its HEAD naming the branch; no sample hooks."""
    options = "--quiet", "--bare", "--template=", f"--initial-branch={branch}"
    PlainGit(_NO_REPOSITORY).run("init", *options, str(directory.absolute()))


def commit_folder(git: Git, folder: Path, message: str, changes: Mapping[str, bytes | None]) -> str:
    """The id of a first commit that holds the files of a folder, but for these, None: not there; no ref is moved."""
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch, "index")), "GIT_WORK_TREE": str(folder.absolute())}
        git.run("-c", "core.bare=false", "add", "--all", "--", ".", environment=index)
        tree = change_files(git, git.run("write-tree", environment=index).decode().strip(), changes)
    return git.run("commit-tree", tree, "-m", message, environment=IDENTITY).decode().strip()


def is_bundle(path: Path) -> bool:
    """Does the file begin as a bundle (gitformat-bundle)? Raises OSError."""
    with path.open("rb") as file:
        return file.read(16) in (b"# v2 git bundle\n", b"# v3 git bundle\n")


def unbundle(directory: Path, bundle: Path, branch: str | None) -> None:
    """Bring branches, tags and notes of a bundle into an empty repository, and let HEAD name a branch.

    That is the one asked for, else the one of the bundle's HEAD. Raises RepositoryError where the bundle is damaged or
    has no such branch.
    """
    git = PlainGit(directory)
    told = [line.split(" ", 1) for line in git.run("bundle", "unbundle", str(bundle.absolute())).decode().splitlines()]
    refs = {ref: commit for commit, ref in told}
    for ref, commit in refs.items():
        if ref.startswith(("refs/heads/", "refs/tags/", "refs/notes/")):
            git.run("update-ref", "--create-reflog", ref, commit)
    heads = sorted((ref for ref in refs if ref.startswith("refs/heads/")), key=lambda ref: ref != "refs/heads/main")
    fitting = [ref for ref in heads if refs[ref] == refs.get("HEAD", refs[ref])]
    wanted = [f"refs/heads/{branch}"] if branch else fitting
    if not wanted or wanted[0] not in heads:
        raise RepositoryError(
            f"{bundle} has no branch {branch or 'at its HEAD'}", "git bundle create FILE --all has all"
        )
    git.run("symbolic-ref", "HEAD", wanted[0])
