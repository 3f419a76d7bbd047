"""What `doctor` foretells of a repository is what `serve` then puts in force, of any candidates."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from location_policy.config.commit import Commit
from location_policy.config.files import File
from location_policy.repository.repository import open_repository
from location_policy.rollout.journal import Event, Journal
from location_policy.rollout.last_good import Identity, LastGood, save
from location_policy.rollout.persistence import LAST_GOOD
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.startup_preview import StartupPreview, preview_start
from location_policy.rollout.state import ActiveState, State, now
from tests.support.repositories import BAD, GOOD, MELBOURNE, SYDNEY, force_commit, git, make_repository, run_git
from tests.support.signing import force_signed, make_ssh_key, needs_ssh, require

pytestmark = needs_ssh

ONE_ROW = {"locations.csv": SYDNEY}
GONE = "7" * 40
"""The id of a commit that is not here."""


@dataclass(frozen=True)
class Case:
    """A repository in which everything that is signed must be, and the names of its commits."""

    repository: Path
    state_directory: Path
    commits: dict[str, str]

    def point(self, refs: dict[str, str]) -> None:
        """Let each of these refs name the commit of this name, or be gone."""
        lines = (f"update {ref} {self.commits[name]}\n" if name else f"delete {ref}\n" for ref, name in refs.items())
        done = run_git("update-ref", "--stdin", cwd=self.repository, stdin="".join(lines).encode())
        assert done.returncode == 0, done.stderr

    def preview_start(self) -> StartupPreview:
        """What is foretold."""
        with open_repository(self.repository) as opened:
            return preview_start(opened, self.repository, self.state_directory)

    def foretold(self) -> str | None:
        """The commit that is foretold to be served."""
        served = self.preview_start().served
        return served.id if served else None

    def serve(self) -> State:
        """What comes of it."""
        active = ActiveState()
        Refresher(self.repository, active, self.state_directory).refresh()
        return active.state

    def keep(self, commit_id: str, content: str, *, place: str = "") -> None:
        """Let the state directory hold the content of a commit, which need not be here."""
        file = File("locations.csv", "file", len(content), "5" * 40, content.encode())
        with open_repository(self.repository) as opened:
            here = opened.commit(self.commits["signed"])
        commit = Commit(commit_id, here.tree, here.subject, here.author, here.committed_at)
        save(self.state_directory, LastGood(Identity("", place or str(self.repository)), commit, (file,)))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Commits of each kind, by themselves and on top of a signed one that has an unsigned one on top."""
    folder = tmp_path_factory.mktemp("model")
    repository = make_repository(folder / "map.git", GOOD)
    key = make_ssh_key(folder, "alice")
    (folder / "signers").write_text(key.line())
    require(repository, "tip", allowedSigners=folder / "signers")
    commits = {"signed": force_signed(repository, key)}
    commits["unsigned"] = force_commit(repository, ONE_ROW)
    for name, files in (("good", {**GOOD, "policy.toml": ""}), ("bad", BAD), ("plain", {**GOOD, "owners.csv": ""})):
        git("update-ref", f"refs/heads/{name}", "main", cwd=repository)
        for branch in (name, f"{name}-alone"):
            commits[branch] = force_commit(repository, files, f"refs/heads/{branch}")
            if name != "plain":
                commits[branch] = force_signed(repository, key, f"refs/heads/{branch}")
    commits["served"] = force_commit(repository, {"locations.csv": MELBOURNE}, "refs/heads/served")
    return repository, commits


@pytest.fixture
def case(model: tuple[Path, dict[str, str]], tmp_path: Path) -> Case:
    repository, commits = model
    shutil.copytree(repository, tmp_path / "map.git")
    return Case(tmp_path / "map.git", tmp_path / "state", commits)


CHOICES = [
    *product(("", "good", "bad", "bad-alone", "plain"), ("", "served"), ("nothing", "of a commit here", "of one gone")),
    ("plain-alone", "", "nothing"),
    ("bad", "bad-alone", "nothing"),
    ("bad-alone", "", "invalid"),
    ("bad-alone", "", "of another repository"),
]
"""What HEAD names, what our ref names, and what the state directory holds."""


@pytest.mark.parametrize(("head", "pinned", "stored"), CHOICES)
def test_what_is_foretold_is_put_in_force(case: Case, head: str, pinned: str, stored: str) -> None:
    case.point({"refs/heads/main": head, LAST_GOOD: pinned})
    match stored:
        case "of a commit here":
            case.keep(case.commits["unsigned"], SYDNEY)
        case "of one gone":
            case.keep(GONE, SYDNEY + MELBOURNE)
        case "invalid":
            case.keep(GONE, "Sydney")
        case "of another repository":
            case.keep(GONE, SYDNEY, place="/srv/other.git")
    foretold = case.preview_start()
    state = case.serve()
    commit = state.snapshot.commit if state.snapshot else None
    assert (foretold.served and foretold.served.id) == (commit and commit.id)
    assert foretold.size == (state.snapshot.size if state.snapshot else 0)
    assert (foretold.head is not None and foretold.refusal is None) == (state.name == "in-sync")
    if foretold.head:
        assert (foretold.refusal and foretold.refusal.message) == (state.rejection and state.rejection.message)


@pytest.mark.parametrize("head", ["served", "bad"])
def test_what_our_ref_alone_calls_served_must_be_signed(case: Case, head: str) -> None:
    case.point({"refs/heads/main": head, LAST_GOOD: "served"})
    case.keep(case.commits["signed"], SYDNEY)
    state = case.serve()
    assert state.snapshot
    assert state.snapshot.commit
    assert state.snapshot.commit.id == case.commits["signed"]
    assert state.name == "rejected"


def test_what_the_journal_calls_served_needs_no_signature(case: Case) -> None:
    case.point({"refs/heads/main": "served", LAST_GOOD: "served"})
    case.keep(case.commits["signed"], SYDNEY)
    journal = Journal(case.state_directory)
    journal.add(Event(now(), case.commits["served"], "active"))
    journal.write()
    assert case.serve().name == "in-sync"


def test_what_is_on_disk_comes_before_the_ancestors_of_head(case: Case) -> None:
    case.point({"refs/heads/main": "bad"})
    case.keep(GONE, MELBOURNE)
    assert case.foretold() == GONE


def test_an_ancestor_that_is_not_signed_is_passed_over(case: Case) -> None:
    case.point({"refs/heads/main": "bad"})
    assert case.foretold() == case.commits["signed"]
