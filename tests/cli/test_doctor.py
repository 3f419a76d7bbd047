"""`location-policy doctor`: real repositories with one thing wrong each, and what is said of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from location_policy import __version__
from location_policy.cli.commands.doctor import doctor as doctor_command
from location_policy.repository.remote.copy_path import mirror_directory
from location_policy.repository.remote.credentials import RemoteAccess
from location_policy.repository.remote.mirror import Mirror
from location_policy.repository.repository import open_repository
from location_policy.repository.signing_policy import Scope
from location_policy.rollout import doctor
from location_policy.rollout.doctor import HOW_TO_SIGN, Finding, examine, file_system
from location_policy.rollout.last_good import Identity, LastGood, load, save
from location_policy.rollout.persistence import LAST_GOOD
from tests.support.deployments import free_port
from tests.support.peer import PeerHandler, running_peer
from tests.support.program import PROGRAM, run_program
from tests.support.repositories import BAD, GOOD, clone, force_commit, git, init, make_repository, tip
from tests.support.signing import make_ssh_key, needs_ssh, require
from tests.support.unprivileged import NOBODY, home_trusting, open_folder, run_program_as_nobody

MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /srv rw shared:1 - nfs4 server:/srv rw
31 30 0:41 / /srv/my\\040git rw - tmpfs tmpfs rw
"""
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return init(tmp_path / "locations.git")


def state_of(repository: Path) -> Path:
    return repository / "location-policy"


def found(repository: Path, topic: str) -> Finding:
    """The only finding of this topic that has a mend, or else the first of it."""
    of_topic = [one for one in examine(repository, state_of(repository)) if one.topic == topic]
    return next((one for one in of_topic if one.mend), of_topic[0])


def test_a_repository_that_init_has_made_is_fine(repository: Path) -> None:
    done = run_program("doctor", "--repo", repository)
    assert (done.returncode, done.stderr) == (0, "no problems\n")
    topics = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("fine ")]
    assert topics == ["git:", "formats:", "hook:", "settings:", "owner:", "watch:", "state:", "serve:"]
    assert f"hook: version {__version__}, runs {PROGRAM}\n" in done.stdout
    assert "formats: objects by sha1, refs in files\n" in done.stdout
    assert f"serve: branch main, commit {tip(repository)[:10]}, 3 subnets\n" in done.stdout


def test_what_is_wrong_comes_with_its_mend(repository: Path) -> None:
    (repository / "hooks" / "pre-receive").unlink()
    done = run_program("doctor", "--repo", repository)
    assert (done.returncode, done.stderr) == (1, "1 problem to fix\n")
    missing = repository / "hooks" / "pre-receive"
    told = f"to fix  hook: no push is judged: there is no {missing}\n  fix: location-policy init {repository}\n"
    assert told in done.stdout
    assert run_program("init", repository).returncode == 0
    assert run_program("doctor", "--repo", repository).returncode == 0


def test_programs_read_it_as_json(repository: Path) -> None:
    git("config", "--unset", "receive.fsckObjects", cwd=repository)
    done = run_program("doctor", "--repo", repository, "--format", "json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["fine"], document["repository"]) == (1, False, str(repository))
    assert [finding for finding in document["findings"] if not finding["fine"]] == [
        {
            "topic": "settings",
            "fine": False,
            "said": "missing: receive.fsckObjects = true",
            "mend": f"location-policy init {repository}",
        }
    ]


def test_what_is_no_repository_cannot_be_asked(tmp_path: Path) -> None:
    assert run_program("doctor", "--repo", tmp_path / "nowhere").returncode == 2
    assert run_program("doctor", "--repo", tmp_path, environment={"PATH": ""}).returncode == 2


def test_a_git_that_is_too_old_is_all_that_is_said(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\necho git version 2.35.9\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (only,) = examine(repository, tmp_path)
    assert only == Finding("git", "git version 2.35.9 is too old", "install git 2.36 or newer")


def test_refs_for_which_git_guesses_wrongly_are_told_with_what_takes_one_away(repository: Path) -> None:
    refs = ["refs/heads/refs/heads/main", f"refs/replace/{'1' * 40}", "refs/tags/main"]
    for ref in (*refs, "refs/heads/references/x"):
        git("update-ref", ref, "refs/heads/main", cwd=repository)
    for number, ref in enumerate(refs):
        told = found(repository, "refs")
        assert told.said.startswith(f"other programs can take {ref} for something else")
        assert told.said.endswith(["2 refs more", "1 ref more", "else"][number])
        subprocess.run(str(told.mend), shell=True, check=True)
    git("update-ref", "refs/tags/main/x", "refs/heads/main", cwd=repository)
    assert "refs" not in [one.topic for one in examine(repository, state_of(repository))]


# --- the hook ---


def test_a_hook_of_somebody_else_is_told(repository: Path) -> None:
    (repository / "hooks" / "pre-receive").write_text("#!/bin/sh\n")
    assert found(repository, "hook").said.endswith("pre-receive is not ours")


def test_a_hook_that_may_not_be_run_is_told(repository: Path) -> None:
    (repository / "hooks" / "pre-receive").chmod(0o644)
    assert found(repository, "hook").said.endswith("pre-receive may not be run")


def test_a_hook_of_another_version_is_told(repository: Path) -> None:
    hook = repository / "hooks" / "pre-receive"
    hook.write_text(hook.read_text().replace(f"version {__version__}", "version 0.0.1"))
    assert found(repository, "hook").said == f"of version 0.0.1, and this is {__version__}"


def test_a_hook_without_its_program_is_told(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = repository / "hooks" / "pre-receive"
    monkeypatch.setenv("PATH", os.path.dirname(shutil.which("git") or ""))  # noqa: PTH120  a text, not a path
    other = hook.read_text().replace(str(PROGRAM), "/gone/program")
    for text in (other, f"# location-policy hook, version {__version__}\n"):
        hook.write_text(text)
        assert found(repository, "hook").said == "every push is rejected: the program that it runs is not there"


def test_a_working_copy_has_no_hook_that_matters(tmp_path: Path) -> None:
    git("init", "--quiet", cwd=tmp_path)
    findings = list(examine(tmp_path / ".git", tmp_path / "state"))
    assert next(one for one in findings if one.topic == "hook").mend == "serve a bare one: git clone --bare"
    assert not [one for one in findings if one.topic == "settings"]


def test_the_hooks_that_do_not_judge_are_told_of_where_they_are_not_ours(repository: Path) -> None:
    hooks = repository / "hooks"
    (hooks / "post-receive").unlink()
    (hooks / "proc-receive").write_text("#!/bin/sh\n")
    findings = [one for one in examine(repository, state_of(repository)) if one.topic == "hook"][1:]
    assert findings == [
        Finding(
            "hook",
            f"why a limit is overridden is not noted: {hooks / 'post-receive'} is missing",
            f"location-policy init {repository}",
        ),
        Finding("hook", f"dry runs are not supported: {hooks / 'proc-receive'} is not ours"),
    ]


# --- settings, owners, watch ---


def test_what_the_site_has_chosen_is_told_but_not_to_be_mended(repository: Path) -> None:
    git("config", "receive.maxInputSize", "1g", cwd=repository)
    assert found(repository, "settings") == Finding("settings", "receive.maxInputSize = 1g (128m is usual)")


def test_what_git_is_to_let_in_is_the_affair_of_the_site(repository: Path) -> None:
    git("config", "receive.fsck.badTimezone", "ignore", cwd=repository)
    assert found(repository, "settings") == Finding("settings", "receive.fsck.badtimezone = ignore")


def test_every_setting_that_is_missing_is_told(tmp_path: Path) -> None:
    said = found(make_repository(tmp_path / "bare.git", GOOD), "settings").said
    assert said.startswith("missing: receive.fsckObjects = true, receive.maxInputSize = 128m, ")
    assert "procReceiveRefs" not in said, "the hook for it is missing too"
    assert said.endswith(
        "transfer.hideRefs = refs/location-policy, receive.hideRefs = refs/notes/location-policy, location-policy.id"
    )


def test_one_setting_is_missing_and_another_is_the_sites_own(repository: Path) -> None:
    git("config", "receive.maxInputSize", "1g", cwd=repository)
    git("config", "--unset", "location-policy.id", cwd=repository)
    said = [one.said for one in examine(repository, state_of(repository)) if one.topic == "settings"]
    assert said == ["missing: location-policy.id", "receive.maxInputSize = 1g (128m is usual)"]


@NEEDS_ROOT
def test_files_of_two_owners_are_told_unless_they_are_shared(repository: Path) -> None:
    os.chown(repository / "HEAD", 54321, 54321)
    finding = found(repository, "owner")
    assert finding.said == "files of 54321 and root: what one has made, the others cannot change"
    assert (finding.mend or "").startswith(f"chown -R root {repository}, or location-policy init {repository} --shared")
    assert run_program("init", repository, "--shared").returncode == 0
    assert found(repository, "owner") == Finding("owner", "54321 and root, shared with the group; asked as root")


@NEEDS_ROOT
def test_what_may_not_be_read_or_written_is_told() -> None:
    with open_folder() as folder:
        repository = init(folder / "locations.git")
        (repository / "description.of.ours").touch(mode=0o600)
        done = run_program_as_nobody("doctor", "--repo", repository, cwd=folder, HOME=home_trusting(repository, folder))
    assert done.returncode == 1, done.stderr
    assert f"owner: nobody may not read 1 path, such as {repository}/description.of.ours\n" in done.stdout
    state = f"{repository}/location-policy may not be written by nobody: nothing new is kept for a restart"
    assert f"state: {state}\n  fix: chown nobody {repository}, or serve --state-dir elsewhere\n" in done.stdout
    assert NOBODY == 65534


def test_what_has_gone_meanwhile_has_no_owner(repository: Path) -> None:
    assert doctor._owners_of([repository / "objects" / "tmp_obj_gone"]) == []


def test_a_state_directory_that_cannot_be_made_is_told(repository: Path) -> None:
    findings = examine(repository, repository / "HEAD" / "state")
    said = next(one for one in findings if one.topic == "state").said
    assert said == f"{repository / 'HEAD' / 'state'} is not in a folder: nothing new is kept for a restart"


def test_the_file_system_is_that_of_the_nearest_mount() -> None:
    assert file_system(Path("/srv/my git/locations.git"), MOUNTS) == "tmpfs"
    assert file_system(Path("/srv/locations.git"), MOUNTS) == "nfs4"
    assert file_system(Path("/home"), MOUNTS) == "ext4"
    assert file_system(Path("/home"), "") == ""


def test_how_changes_are_seen_is_told(repository: Path) -> None:
    assert doctor._watch(repository, "").said == "the system reports changes (of an unknown file system)"
    network = f"1 1 0:1 / {repository} rw - nfs4 server:/ rw\n"
    assert doctor._watch(repository, network) == Finding(
        "watch", "looked at every 1 s: nfs4 does not report what other machines change"
    )
    assert doctor._watch(repository / "gone", "").mend == (
        "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances with sysctl"
    )


# --- what is kept, and what would be served ---


def keep(repository: Path, identity: Identity) -> str:
    """The id of a commit of GOOD that is kept in the state directory as what was served last."""
    commit_id = force_commit(repository, GOOD)
    with open_repository(repository) as opened:
        commit = opened.commit(commit_id)
        files = tuple(opened.files_of(commit))
        save(state_of(repository), LastGood(identity, commit, files))
    return commit_id


def test_what_is_kept_is_told(repository: Path) -> None:
    commit_id = keep(repository, Identity("", str(repository)))
    assert found(repository, "state").said == f"{state_of(repository)} keeps commit {commit_id[:10]}"
    keep(repository, Identity("other", "/srv/other.git"))
    assert found(repository, "state").said == f"{state_of(repository)} is that of another repository, /srv/other.git"
    (state_of(repository) / "last-good").write_text("torn")
    assert found(repository, "state").said.endswith("cannot be used: the file is not whole")


def test_a_commit_that_was_served_is_served_instead_of_a_bad_one(repository: Path) -> None:
    good = keep(repository, Identity("", str(repository)))
    bad = force_commit(repository, BAD)
    told = f"commit {bad[:10]} of branch main has 1 error; would serve commit {good[:10]} instead"
    assert found(repository, "serve").said == told
    (state_of(repository) / "last-good").unlink()
    git("update-ref", LAST_GOOD, good, cwd=repository)
    assert found(repository, "serve").said == told
    git("update-ref", "-d", LAST_GOOD, cwd=repository)
    assert found(repository, "serve").said == told, "the newest valid one before it"


@needs_ssh
def test_a_head_that_is_not_signed_as_it_must_be_is_to_be_mended(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "signers").write_text(make_ssh_key(tmp_path, "alice").line())
    require(repository, "tip", allowedSigners=tmp_path / "signers")
    head = tip(repository)[:10]
    finding = found(repository, "serve")
    told = f"branch main is not taken: {head} is not signed by an allowed signer: it is not signed"
    assert finding.said == f"{told}; would serve nothing: 503"
    assert finding.mend == HOW_TO_SIGN["tip"]
    require(repository, "tip", allowedSigners="/nowhere")
    finding = found(repository, "serve")
    assert finding.said.startswith("branch main is not taken: /nowhere cannot be read: ")
    assert finding.mend == "location-policy.allowedSigners names it"


@needs_ssh
@pytest.mark.parametrize("scope", ["tip", "all"])
def test_who_does_what_is_said_of_signatures_is_served(repository: Path, tmp_path: Path, scope: Scope) -> None:
    alice = make_ssh_key(tmp_path, "alice")
    (tmp_path / "signers").write_text(alice.line())
    require(repository, scope, allowedSigners=tmp_path / "signers")
    working = clone(repository, tmp_path / "clone")
    arguments = HOW_TO_SIGN[scope].removesuffix(" BASE").partition(": git ")[2].split()
    git(*arguments, "--root" if scope == "all" else "--message=Sign", cwd=working.path, **alice.signs)
    working.git("push", "--quiet", "origin", "main:elsewhere")
    git("update-ref", "refs/heads/main", "elsewhere", cwd=repository)
    assert found(repository, "serve").mend is None


def test_a_branch_without_a_commit_is_told(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git", "--empty")
    finding = found(repository, "serve")
    assert finding.said == "branch main has no commit; would serve nothing: 503"
    assert finding.mend == f"push one, or location-policy init {repository} --branch NAME"
    force_commit(repository, GOOD, ref="refs/heads/trunk")
    assert found(repository, "serve").said.startswith("branch main has no commit; branches here: trunk; would")


def test_content_that_only_the_disk_has_is_served(repository: Path) -> None:
    good = keep(repository, Identity("", str(repository)))
    other = make_repository(repository.parent / "other.git", BAD)
    git("config", "location-policy.acceptedHistory", tip(other), cwd=other)
    shutil.copytree(state_of(repository), state_of(other))
    kept = examine(other, state_of(other))
    assert any("another repository" in one.said for one in kept)
    git("config", "location-policy.id", git("config", "location-policy.id", cwd=repository), cwd=other)
    kept_there = load(state_of(repository))
    assert kept_there
    save(state_of(other), replace(kept_there, identity=Identity("", str(other))))
    assert found(other, "serve").said.endswith(f"has 1 error; would serve commit {good[:10]} instead")
    save(state_of(other), replace(kept_there, identity=Identity("", str(other)), files=()))
    assert found(other, "serve").said.endswith("has 1 error; would serve nothing: 503"), "it is no map"


def test_a_repository_that_cannot_be_read_whole_is_told(repository: Path) -> None:
    tree = git("rev-parse", "main^{tree}", cwd=repository)
    (repository / "objects" / tree[:2] / tree[2:]).unlink()
    finding = found(repository, "repository")
    assert tree in finding.said
    assert finding.mend == "run git fsck in the repository"


def test_a_format_that_git_does_not_know_is_told(repository: Path) -> None:
    git("config", "core.repositoryFormatVersion", "1", cwd=repository)
    git("config", "extensions.frobnicate", "true", cwd=repository)
    finding = found(repository, "repository")
    assert ("frobnicate" in finding.said, finding.mend) == (True, "install git 2.45 or newer")
    (repository / "config").write_text("[core\n")
    assert found(repository, "repository").mend == "run git fsck in it, or restore a backup"


def test_the_copy_of_a_remote_repository_needs_no_hook(tmp_path: Path) -> None:
    url = make_repository(tmp_path / "remote.git", GOOD).as_uri()
    make_repository(mirror_directory(url, tmp_path / "state"), GOOD)
    done = run_program("doctor", "--repo", url, "--state-dir", tmp_path / "state", "--format", "json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["repository"]) == (0, url)
    assert {finding["topic"] for finding in document["findings"]}.isdisjoint({"hook", "settings"})


def test_nobody_is_told_to_push_to_a_remote_that_is_out_of_reach(tmp_path: Path) -> None:
    url = (tmp_path / "away.git").as_uri()
    Mirror(url, tmp_path / "state", None, 30).make()
    done = run_program("doctor", "--repo", url, "--state-dir", tmp_path / "state")
    assert "to fix  serve: the copy has nothing of branch main yet; would serve nothing: 503" in done.stdout
    assert "push one" not in done.stdout


def test_a_damaged_copy_needs_no_hand(tmp_path: Path) -> None:
    copy = make_repository(tmp_path / "copy.git", GOOD)
    (copy / "config").write_text("[core\n")
    *_, finding = examine(copy, tmp_path / "state", is_mirror=True)
    assert "cannot be opened: its config, or what else git needs of it, is damaged" in finding.said
    assert (finding.topic, finding.mend) == ("copy", "nothing: serve makes it anew at its next look")


def test_a_remote_that_cannot_be_read_is_told_by_the_step_that_fails(tmp_path: Path) -> None:
    url = "http://alice:secret@127.0.0.1:9/locations.git"
    done = run_program("doctor", "--repo", url, "--state-dir", tmp_path / "state")
    assert done.returncode == 1
    assert "secret" not in done.stdout
    name, route, hint, copy = done.stdout.splitlines()
    assert name == "fine    name: 127.0.0.1 is known"
    assert route.startswith("to fix  route: http://127.0.0.1:9/locations.git: nothing answers there: ")
    assert hint == "  fix: see host and port of the URL; is the server running?"
    assert copy.startswith("fine    copy: there is no copy of http://127.0.0.1:9/locations.git in ")


def test_a_file_that_cannot_be_used_is_told_after_what_fails_before_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Shut(PeerHandler, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.say(401, b"", WWW_Authenticate='Basic realm="x"')

    file = tmp_path / "git-credentials"
    file.touch(mode=0o600)

    def topics(url: str, access: RemoteAccess) -> list[str]:
        doctor_command(url, tmp_path, "json", access=access)
        findings = json.loads(capsys.readouterr().out)["findings"]
        return [f"{'' if one['fine'] else 'no '}{one['topic']}" for one in findings if one["topic"] != "copy"]

    nowhere = f"http://127.0.0.1:{free_port()}/x.git"
    assert topics(nowhere, RemoteAccess(credentials=file)) == ["name", "no route", "no proof"]
    with running_peer(Shut) as url:
        assert topics(f"{url}/x.git", RemoteAccess(credentials=file)) == ["name", "route", "tls", "no proof"]
        absent = RemoteAccess(credentials=file, ca=tmp_path / "none")
        assert topics(f"{url}/x.git", absent) == ["name", "route", "no tls"]


def test_a_remote_that_can_be_read_is_told_step_by_step(tmp_path: Path) -> None:
    remote = make_repository(tmp_path / "remote.git", GOOD)
    done = run_program("doctor", "--repo", remote.as_uri(), "--state-dir", tmp_path / "state")
    right, branch, _ = done.stdout.splitlines()
    assert (done.returncode, right) == (0, "fine    right: the repository may be read")
    assert branch == f"fine    branch: main, commit {tip(remote)[:10]}"
    done = run_program("doctor", "--repo", remote.as_uri(), "--branch", "none", "--state-dir", tmp_path / "state")
    assert f"to fix  branch: {remote.as_uri()} has no branch none; branches there: main" in done.stdout
