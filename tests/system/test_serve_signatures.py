"""Signed commits, and a service that takes no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from location_policy.repository.remote.mirror import Mirror
from location_policy.rollout.persistence import LAST_GOOD
from location_policy.rollout.refresher import Refresher
from location_policy.rollout.state import ActiveState, State
from tests.support.program import run_program
from tests.support.repositories import GOOD, Files, force_commit, git, make_repository, tip
from tests.support.service import running_service, started_service, wait_until
from tests.support.signing import GpgKey, SshKey, force_signed, needs_gpg, needs_ssh, require

pytestmark = needs_ssh

OTHER: Files = {"locations/apac.csv": "Perth,10.61.2.0/24\n"}
THIRD = {"locations/apac.csv": "Hobart,10.61.2.0/24\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, without a signature; and no rule."""
    return make_repository(tmp_path / "locations.git", GOOD)


class Process:
    """What a service makes of a repository, without the process."""

    def __init__(self, repository: Path) -> None:
        self.active = ActiveState()
        self.refresher = Refresher(repository, self.active, repository / "location-policy")

    def look(self) -> State:
        """The state after one more look."""
        self.refresher.refresh()
        return self.active.state


def in_force(state: State) -> str | None:
    return state.snapshot.commit.id if state.snapshot and state.snapshot.commit else None


def forced(repository: Path, key: SshKey | GpgKey | None = None, files: Files = OTHER) -> str:
    """The id of a new commit at HEAD, signed where there is a key."""
    commit = force_commit(repository, files)
    return force_signed(repository, key) if key else commit


# --- as a process ---


def test_who_has_signed_is_told_by_status_history_blame_and_log(repository: Path, alice: SshKey, signers: Path) -> None:
    signed = force_signed(repository, alice)
    require(repository, "tip", allowedSigners=signers)
    with running_service(repository) as service:
        status = service.wait_for("in-sync", signed)
        assert service.stop() == 0
        assert f" active commit={signed} subnets=2 " in service.log.read_text()
        assert service.log.read_text().endswith(" signer=alice@example.com\n")
    for told in (status["active"], status["head"]):
        assert (told["signer"], told["signing_key"]) == ("alice@example.com", alice.fingerprint)
        assert told["author"] == "Alice"
    assert (status["source"]["signatures"], status["source"]["signatures_problem"]) == ("tip", None)
    line = f"  signed by alice@example.com, key {alice.fingerprint}\n"
    for arguments in (("history",), ("history", "10.61.2.1"), ("blame", "10.61.2.1")):
        assert line in run_program(*arguments, "--repo", repository).stdout
        done = run_program(*arguments, "--repo", repository, "--format", "json")
        assert f'"signer": "alice@example.com", "signing_key": "{alice.fingerprint}"' in done.stdout


def test_an_unsigned_head_that_is_forced_in_is_rejected_also_after_a_restart(
    repository: Path, alice: SshKey, signers: Path
) -> None:
    good = force_signed(repository, alice)
    require(repository, "tip", allowedSigners=signers)
    with running_service(repository) as service:
        service.wait_for("in-sync", good)
        bad = forced(repository)
        status = service.wait_for("rejected", good)
        assert status["failure"]["commit"] == bad
        assert status["failure"]["message"] == f"{bad[:10]} is not signed by an allowed signer: it is not signed"
        assert status["head"]["signer"] is None
    with running_service(repository) as service:
        service.wait_for("rejected", good)
        assert service.locate("10.61.2.0").json()["result"]["location"] == "Sydney"
        signed = forced(repository, alice, THIRD)
        service.wait_for("in-sync", signed)


def test_a_branch_named_like_the_pin_puts_nothing_unsigned_in_force(repository: Path, signers: Path) -> None:
    git("update-ref", f"refs/heads/{LAST_GOOD}", "main", cwd=repository)
    require(repository, "tip", allowedSigners=signers)
    process = Process(repository)
    assert (process.look().name, in_force(process.look())) == ("rejected", None)


def test_nor_does_it_in_the_copy_of_a_remote(repository: Path, alice: SshKey, signers: Path, tmp_path: Path) -> None:
    good = force_signed(repository, alice)
    unsigned = forced(repository)
    git("update-ref", f"refs/heads/{LAST_GOOD}", unsigned, cwd=repository)
    rule = {"location-policy.requireSignatures": "tip", "location-policy.allowedSigners": str(signers)}
    mirror = Mirror(repository.as_uri(), tmp_path / "state", None, interval=0, settings=rule)
    mirror.make()
    active = ActiveState()
    refresher = Refresher(mirror.directory, active, tmp_path / "state", mirror)
    refresher.refresh()
    assert tip(mirror.directory, LAST_GOOD) == good
    assert (active.state.name, in_force(active.state)) == ("rejected", good)


def test_what_was_in_force_when_the_rule_came_stays_in_force_also_after_a_restart(
    repository: Path, signers: Path
) -> None:
    head = tip(repository)
    with running_service(repository) as service:
        service.wait_for("in-sync", head)
        require(repository, "all", allowedSigners=signers)
        wait_until(lambda: service.status()["source"]["signatures"] == "all")
        assert service.status()["state"] == "in-sync"
    with running_service(repository) as service:
        assert service.wait_for("in-sync", head)["active"]["signer"] is None
        forced(repository)
        service.wait_for("rejected", head)


def test_a_remote_is_held_to_the_rule_that_serve_is_given_and_goes_on_being_held_to_it(
    repository: Path, alice: SshKey, signers: Path
) -> None:
    url = ("--repo", repository.as_uri(), "--fetch-interval", "0.1")
    rule = ("--allowed-signers", signers, "--require-signatures", "tip")
    with started_service(*url, *rule, cwd=repository.parent) as service:
        wait_until(lambda: service.status()["failure"] is not None)
        assert "it is not signed" in service.status()["failure"]["message"]
        assert service.locate("10.61.2.0").status == 503
        signed = force_signed(repository, alice)
        service.wait_for("in-sync", signed)
    with started_service(*url, cwd=repository.parent) as service:
        forced(repository)
        service.wait_for("rejected", signed)
    with started_service(*url, "--require-signatures", "off", cwd=repository.parent) as service:
        service.wait_for("in-sync", tip(repository))


def test_a_repository_that_says_otherwise_than_serve_keeps_it_from_starting(repository: Path, signers: Path) -> None:
    done = run_program("serve", "--repo", repository, "--port", "0", "--require-signatures", "tip")
    assert done.returncode == 3
    assert done.stderr == (
        "location-policy: location-policy.requireSignatures of the repository is not set, not tip\n"
        f"  hint: location-policy init {repository} --require-signatures tip\n"
    )
    require(repository, "tip", allowedSigners=signers)
    with started_service(
        "--repo", repository, "--require-signatures", "tip", "--allowed-signers", signers, cwd=repository.parent
    ) as service:
        wait_until(lambda: service.status()["failure"] is not None)


# --- one look after another ---


def test_the_newest_signed_ancestor_is_served_where_nothing_was_served_before(
    repository: Path, alice: SshKey, signers: Path
) -> None:
    signed = force_signed(repository, alice)
    forced(repository)
    forced(repository, files=THIRD)
    require(repository, "tip", allowedSigners=signers)
    state = Process(repository).look()
    assert (state.name, in_force(state)) == ("rejected", signed)


def test_nothing_is_served_where_nothing_is_signed(repository: Path, signers: Path) -> None:
    forced(repository)
    require(repository, "tip", allowedSigners=signers)
    state = Process(repository).look()
    assert (state.name, in_force(state)) == ("rejected", None)


def test_head_is_judged_anew_when_its_key_is_listed(repository: Path, eve: SshKey, tmp_path: Path) -> None:
    process = Process(repository)
    process.look()
    listed = tmp_path / "signers"
    listed.write_text("")
    require(repository, "tip", allowedSigners=listed)
    signed = forced(repository, eve)
    state = process.look()
    assert (state.name, process.look().rejection) == ("rejected", state.rejection)
    listed.write_text(eve.line())
    state = process.look()
    assert (state.name, in_force(state)) == ("in-sync", signed)
    assert state.head
    assert state.head.commit.signer == ("eve@example.com", eve.fingerprint)


def test_a_rule_that_cannot_be_held_takes_no_commit_until_it_can(
    repository: Path, alice: SshKey, signers: Path, caplog: pytest.LogCaptureFixture
) -> None:
    process = Process(repository)
    good = in_force(process.look())
    require(repository, "tips", allowedSigners=signers)
    state = process.look()
    assert (state.name, in_force(state), state.signatures) == ("in-sync", good, "tip")
    problem = (
        "location-policy.requireSignatures is 'tips', not tip or all; git config location-policy.requireSignatures tip"
    )
    assert state.signatures_problem == problem
    signed = forced(repository, alice)
    state = process.look()
    assert (state.name, in_force(state)) == ("rejected", good)
    assert state.failure
    assert state.failure.message == "location-policy.requireSignatures is 'tips', not tip or all"
    assert caplog.text.count(f"no commit is taken, as signatures cannot be judged: {problem}") == 1
    require(repository, "tip")
    state = process.look()
    assert (state.name, in_force(state), state.signatures_problem) == ("in-sync", signed, None)


def test_where_nothing_must_be_signed_a_file_of_signers_that_is_gone_keeps_nothing_from_being_taken(
    repository: Path, caplog: pytest.LogCaptureFixture
) -> None:
    require(repository, "off", allowedSigners="/nowhere")
    process = Process(repository)
    state = process.look()
    assert (state.name, state.signatures) == ("in-sync", "off")
    assert state.signatures_problem
    assert state.signatures_problem.startswith("/nowhere cannot be read")
    assert "nobody's signature is told, as signatures cannot be judged: /nowhere cannot be read" in caplog.text


def test_a_file_of_signers_that_goes_takes_no_good_data_away(repository: Path, alice: SshKey, tmp_path: Path) -> None:
    listed = tmp_path / "signers"
    listed.write_text(alice.line())
    require(repository, "tip", allowedSigners=listed)
    signed = force_signed(repository, alice)
    process = Process(repository)
    process.look()
    listed.unlink()
    assert process.look().name == "in-sync"
    state = Process(repository).look()
    assert (state.name, in_force(state)) == ("in-sync", signed)
    forced(repository, alice)
    assert process.look().name == "rejected"
    listed.write_text(alice.line())
    assert process.look().name == "in-sync"


@needs_gpg
def test_who_has_signed_with_gpg_is_told(repository: Path, bob: GpgKey, tmp_path: Path) -> None:
    (tmp_path / "keyring").write_bytes(bob.run("--export"))
    require(repository, "tip", gpgKeyring=tmp_path / "keyring")
    force_signed(repository, bob)
    state = Process(repository).look()
    assert state.head
    assert (state.name, state.head.commit.signer) == ("in-sync", ("Bob <bob@example.com>", bob.fingerprint))


def test_the_signer_of_what_is_kept_is_told_without_the_repository(
    repository: Path, alice: SshKey, signers: Path
) -> None:
    require(repository, "tip", allowedSigners=signers)
    force_signed(repository, alice)
    Process(repository).look()
    state_directory = repository.parent / "state"
    (repository / "location-policy").rename(state_directory)
    repository.rename(repository.with_name("away"))
    active = ActiveState()
    Refresher(repository, active, state_directory).refresh()
    assert active.state.name == "last-good"
    assert active.state.snapshot
    assert active.state.snapshot.commit
    assert active.state.snapshot.commit.signer == ("alice@example.com", alice.fingerprint)


def test_an_unsigned_commit_below_the_tip_keeps_the_tip_from_being_taken_where_all_must_be_signed(
    repository: Path, alice: SshKey, signers: Path
) -> None:
    require(repository, "all", allowedSigners=signers)
    good = force_signed(repository, alice)
    process = Process(repository)
    process.look()
    plain = forced(repository)
    force_commit(repository, GOOD)
    forced(repository, alice, THIRD)
    state = process.look()
    assert (state.name, in_force(state)) == ("rejected", good)
    assert state.failure
    assert state.failure.message == f"{plain[:10]} is not signed by an allowed signer: it is not signed; and 1 more"
    assert Process(repository).look().name == "rejected"
    git("update-ref", "refs/heads/main", good, cwd=repository)
    signed = [forced(repository, alice), forced(repository, alice, THIRD)]
    assert in_force(process.look()) == signed[-1]


def test_where_nothing_was_in_force_before_or_its_commit_is_gone_only_head_must_be_signed(
    repository: Path, alice: SshKey, signers: Path
) -> None:
    require(repository, "all", allowedSigners=signers)
    forced(repository)
    signed = forced(repository, alice, THIRD)
    assert in_force(Process(repository).look()) == signed
    git("update-ref", "-d", "refs/heads/main", cwd=repository)
    git("update-ref", "-d", "refs/location-policy/last-good", cwd=repository)
    git("gc", "--quiet", "--prune=now", cwd=repository)
    force_commit(repository, OTHER)
    signed = forced(repository, alice, GOOD)
    git("config", "location-policy.acceptedHistory", signed, cwd=repository)
    state = Process(repository).look()
    assert (state.name, in_force(state)) == ("in-sync", signed)


def test_history_goes_on_where_signatures_cannot_be_judged(repository: Path) -> None:
    require(repository, "tip")
    done = run_program("history", "--repo", repository, "--format", "json")
    assert done.returncode == 0
    assert "who has signed is not known: location-policy.requireSignatures is tip, but no signers" in done.stderr
    assert json.loads(done.stdout)["commits"][0]["signer"] is None


# --- what init writes ---


def test_init_writes_the_rule_and_says_so(repository: Path, signers: Path) -> None:
    arguments = ("--allowed-signers", signers.name, "--require-signatures", "tip")
    done = run_program("init", repository, *arguments, cwd=signers.parent)
    assert done.returncode == 0
    assert f"location-policy.allowedSigners = {signers}\nlocation-policy.requireSignatures = tip\n" in done.stdout
    assert done.stdout.endswith(
        f"\n{tip(repository)[:10]} is not signed by an allowed signer: it is not signed\n"
        "a service that serves it goes on; a new one waits for a commit that is signed\n"
    )
    assert git("config", "location-policy.allowedSigners", cwd=repository) == str(signers)
    git("config", "location-policy.allowedSigners", "/nowhere", cwd=repository)
    done = run_program("init", repository, "--require-signatures", "off")
    assert done.stdout.endswith("location-policy.requireSignatures = off\n")


def test_init_writes_no_rule_that_cannot_be_held(repository: Path, tmp_path: Path) -> None:
    done = run_program("init", repository, "--require-signatures", "all")
    assert done.returncode == 2
    assert done.stderr == (
        "location-policy: location-policy.requireSignatures is all, but no signers are listed\n"
        "  hint: git config location-policy.allowedSigners /etc/location-policy/allowed_signers\n"
    )
    assert not (repository / "hooks" / "pre-receive").exists()
    done = run_program("init", tmp_path / "new.git", "--require-signatures", "tip")
    assert done.returncode == 2
    assert done.stderr == (
        "location-policy: a first commit that is made here is signed by nobody\n"
        "  hint: --empty, and push one that is signed\n"
    )
    assert not (tmp_path / "new.git").exists()


def test_a_new_repository_can_begin_with_the_rule(tmp_path: Path, signers: Path) -> None:
    arguments = ("--empty", "--allowed-signers", signers, "--require-signatures", "all")
    assert run_program("init", tmp_path / "new.git", *arguments).returncode == 0
    assert git("config", "location-policy.requireSignatures", cwd=tmp_path / "new.git") == "all"
