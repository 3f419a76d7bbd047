"""`location-policy pin` and `unpin`: hold a commit in force by hand, and let it go."""

from __future__ import annotations

import os
import shlex
import time
from datetime import timedelta
from pathlib import Path

from ...edits import pin as edits
from ...errors import LocationPolicyError
from ...gate.fleet_note import wait_for_followers
from ...gate.messages import tell_commit
from ...gate.pin import check_span, parse_reason
from ...repository.new_commits import operator
from ...repository.repository import Repository, open_repository
from ...rollout.journal import put_in_force, refused
from ...runtime.users import user_name
from ...text import escape, moment_text, without_secrets
from ..terminal.default_paths import asked_place


def pin(revision: str, span: timedelta, reason: str, repo: str | None, state_dir: Path | None) -> None:
    """Keep the pin, and say what waits; raises LocationPolicyError, and InvalidConfiguration for what is not valid."""
    try:
        check_span(span)
        reason = parse_reason(reason)
    except ValueError as error:
        raise LocationPolicyError(str(error)) from None
    place = asked_place(repo, state_dir)
    with open_repository(place.repository) as repository:
        commit, served = repository.find_commit(revision), put_in_force(place.state)
        edits.check_valid(repository, commit, served)  # its problems say most
        edits.check_pinnable(repository, commit, served, refused(place.state))
        began = time.time()
        kept = edits.pin(repository, commit, operator(user_name(os.getuid())), span, reason)
        print(f"pinned until {moment_text(kept.until)}: {tell_commit(commit)}")
        print(f"{_branch(repository)} waits, until then or until: {_unpin_command(repo, state_dir)}", flush=True)
        _tell_followers(repository, commit.id, began)


def unpin(repo: str | None, state_dir: Path | None) -> None:
    """End the pin, and say what counts again; raises LocationPolicyError."""
    with open_repository(asked_place(repo, state_dir).repository) as repository:
        began = time.time()
        held = edits.unpin(repository, operator(user_name(os.getuid())))
        print(f"unpinned: {held[:10]}" if held else "what stood there was no pin: it is gone")
        print(f"{_branch(repository)} counts again", flush=True)
        if tip := repository.tip(repository.served_ref(repository.settings())):
            _tell_followers(repository, tip, began)


def _tell_followers(repository: Repository, commit: str, began: float) -> None:
    """Where services follow, wait until they have it, and say so."""
    for line in wait_for_followers(repository.directory, commit, began):
        print(line)


def _unpin_command(repo: str | None, state_dir: Path | None) -> str:
    words = ["location-policy", "unpin"]
    words += ["--repo", without_secrets(repo)] if repo else []
    return shlex.join([*words, "--state-dir", str(state_dir)] if state_dir else words)


def _branch(repository: Repository) -> str:
    """The served branch."""
    name = repository.served_ref(repository.settings()).removeprefix("refs/heads/")
    return f"what branch {escape(name)} names"
