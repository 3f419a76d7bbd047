"""`location-policy serve` as a process: how it starts, what it refuses and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.maps import many_rows
from tests.support.program import AS_INSTALLED, PROGRAM, closed_environment, run_program
from tests.support.repositories import BAD, GOOD, clone, force_commit, git, init, make_repository
from tests.support.service import Service, running_service, started_service, wait_until
from tests.support.unprivileged import NOBODY, home_trusting, open_folder, run_program_as_nobody


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that user 65534 may enter."""
    with open_folder() as path:
        yield path


def serve(*arguments: str | Path, cwd: Path, **environment: str) -> CompletedProcess[str]:
    return run_program("serve", "--port", "0", *arguments, cwd=cwd, environment=environment)


def assert_not_started(done: CompletedProcess[str], *told: str) -> None:
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for text in told:
        assert text in done.stderr


# --- cannot start ---


def test_a_port_that_is_taken_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = serve("--example", "--port", str(taken.getsockname()[1]), cwd=tmp_path)
    assert_not_started(done, "location-policy: cannot listen on 127.0.0.1 port", "Address already in use", "hint: see")
    assert list(tmp_path.iterdir()) == []


def test_a_host_beyond_loopback_is_refused(tmp_path: Path) -> None:
    done = serve("--host", "0.0.0.0", cwd=tmp_path)
    assert_not_started(
        done, "0.0.0.0 can be reached from other machines, and nobody is asked for a password", "hint: add --htpasswd"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_host_beyond_loopback_is_tried_when_everyone_may_ask(tmp_path: Path) -> None:
    done = serve(
        "--host", "192.0.2.1", "--allow-anonymous-policy", "--behind-proxy", cwd=tmp_path
    )  # nobody's (RFC 5737)
    assert_not_started(done, "cannot listen on 192.0.2.1 port 0: Cannot assign requested address")


def test_the_environment_lets_everyone_ask_too(tmp_path: Path) -> None:
    arguments = ("--example", "--host", "0.0.0.0", "--behind-proxy")
    with started_service(*arguments, cwd=tmp_path, LOCATION_POLICY_ALLOW_ANONYMOUS_POLICY="1") as service:
        assert service.ask("/healthz").status == 200


def test_a_host_that_is_no_address_is_told(tmp_path: Path) -> None:
    assert_not_started(serve("--host", "nowhere.invalid", cwd=tmp_path), "nowhere.invalid is not an address")


def test_a_repository_that_is_not_there_is_told_with_what_makes_it(tmp_path: Path) -> None:
    path = tmp_path / "missing.git"
    told = f"location-policy: {path} does not exist\n  hint: mount it, or make it with: location-policy init {path}\n"
    assert_not_started(serve("--repo", path, cwd=tmp_path), told)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_repository_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    told = f"{tmp_path / 'x'} is not a git repository: it is empty\n  hint: mount what is to be there, or wait for it"
    assert_not_started(serve("--repo", "x", cwd=tmp_path), told)
    assert list((tmp_path / "x").iterdir()) == []


def test_a_file_that_is_no_repository_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    assert_not_started(serve("--repo", "x", cwd=tmp_path), f"{tmp_path / 'x'} is not a git repository")


@pytest.mark.parametrize("closed", ["locations.git", "."])
def test_a_repository_that_may_not_be_read_is_told(folder: Path, closed: str) -> None:
    repository = make_repository(folder / "closed" / "locations.git", GOOD)
    (folder / "closed" / closed).chmod(0o700)
    done = run_program_as_nobody("serve", "--port", "0", "--repo", repository, cwd=folder)
    assert_not_started(done, f"{repository} may not be read", "hint: give the service's user read access to it")


def test_another_branch_than_the_repositorys_is_refused_with_the_command_that_changes_it(repository: Path) -> None:
    done = serve("--repo", repository, "--branch", "trunk", cwd=repository.parent)
    hint = f"hint: location-policy init {repository} --branch trunk"
    assert_not_started(done, "the repository serves branch main, not trunk", hint)


def test_that_command_does_change_it(repository: Path) -> None:
    assert run_program("init", repository, "--branch", "trunk").returncode == 0
    trunk = force_commit(repository, GOOD, "refs/heads/trunk")
    with running_service(repository, "--branch", "trunk") as service:
        assert service.wait_for("in-sync", trunk)["source"]["branch"] == "trunk"


def test_without_git_serve_says_so_and_help_still_helps(tmp_path: Path) -> None:
    assert_not_started(serve(cwd=tmp_path, PATH=str(tmp_path)), "git cannot be run", "hint: install git")
    done = run_program("--help", environment={"PATH": str(tmp_path)})
    assert (done.returncode, done.stderr) == (0, "")


def test_a_git_that_is_too_old_is_told(tmp_path: Path) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\necho git version 2.30.2\n")
    (tmp_path / "git").chmod(0o755)
    done = serve(cwd=tmp_path, PATH=str(tmp_path))
    assert_not_started(done, "git version 2.30.2 is too old", "hint: install git 2.36 or newer")


# --- what it takes from its surroundings ---


def test_an_unknown_variable_is_told_with_the_nearest_name_and_kubernetes_own_are_passed_over(repository: Path) -> None:
    with started_service(
        "--repo",
        repository,
        cwd=repository.parent,
        LOCATION_POLICY_PROT="1",
        LOCATION_POLICY_PORT="tcp://10.0.0.1:8080",
    ) as service:
        service.wait_for("in-sync")
        told = "location-policy: warning: LOCATION_POLICY_PROT is not a setting; is LOCATION_POLICY_PORT meant?\n"
        assert service.log.read_text().startswith(told)
        assert service.log.read_text().count("warning:") == 1


def test_options_can_be_set_by_variables(repository: Path, tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")
    with started_service(cwd=tmp_path, LOCATION_POLICY_REPO=str(repository), LOCATION_POLICY_STATE_DIR=kept) as service:
        source = service.wait_for("in-sync")["source"]
    assert (source["repository"], source["state_directory"]) == (str(repository), kept)


def test_inherited_variables_of_git_do_not_matter(repository: Path) -> None:
    with started_service(
        "--repo", repository, cwd=repository.parent, GIT_DIR="/nowhere", GIT_OBJECT_DIRECTORY="/nowhere"
    ) as service:
        service.wait_for("in-sync")


def test_a_repository_of_another_user_is_served_and_what_cannot_be_kept_is_told(folder: Path) -> None:
    repository = make_repository(folder / "locations.git", GOOD)
    with started_service(
        "--repo", repository, cwd=folder, user=NOBODY, HOME=home_trusting(repository, folder)
    ) as service:
        status = service.wait_for("in-sync")
        assert service.locate("10.61.2.0").json()["status"] == "success"
        log = service.log.read_text()
    problem = f"{repository}/location-policy cannot be written: Permission denied"
    assert (status["source"]["state_directory"], status["source"]["state_directory_problem"]) == (None, problem)
    assert log.count("nothing is kept for a restart") == log.count("not kept by a ref commit=") == 1


def test_the_last_good_content_survives_where_the_repository_cannot_be_written(folder: Path) -> None:
    repository = make_repository(folder / "locations.git", GOOD)
    (folder / "state").mkdir(mode=0o700)
    (folder / "state").chmod(0o777)
    arguments = ("--repo", repository, "--state-dir", folder / "state")
    with started_service(*arguments, cwd=folder, user=NOBODY, HOME=home_trusting(repository, folder)) as service:
        good = service.wait_for("in-sync")["active"]["commit"]
    git("update-ref", "-d", "refs/heads/main", cwd=repository)
    force_commit(repository, BAD)
    git("gc", "--quiet", "--prune=now", cwd=repository)
    with started_service(*arguments, cwd=folder, user=NOBODY, HOME=home_trusting(repository, folder)) as service:
        service.wait_for("rejected", good)
        assert service.locate("10.61.2.0").json()["policy.commit"] == good


def test_a_state_directory_that_cannot_be_made_is_told_and_all_is_served(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with running_service(repository, "--state-dir", tmp_path / "file" / "state") as service:
        source = service.wait_for("in-sync")["source"]
        assert source["state_directory_problem"] == f"{tmp_path / 'file/state'} cannot be written: Not a directory"
        assert source["state_directory_problem"] in service.log.read_text()


def test_a_hook_that_does_not_guard_is_told_at_start_and_in_the_status(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git")
    (repository / "hooks" / "pre-receive").chmod(0o644)
    with running_service(repository) as service:
        assert service.status()["hook"]["state"] == "not-executable"
        told = "WARNING hook not-executable: it does not check pushes; fix it with: location-policy init "
        assert f"{told}{repository}\n" in service.log.read_text()


# --- no repository given ---


def test_without_a_repository_an_empty_one_is_made_and_waits_for_a_push(tmp_path: Path) -> None:
    with started_service(cwd=tmp_path) as service:
        service.wait_for("starting")
        assert service.locate("10.61.2.0").status == 503
        assert (service.ask("/healthz").status, service.ask("/readyz").status) == (200, 503)
        force_commit(tmp_path / "data" / "locations.git", GOOD)
        service.wait_for("in-sync")
        assert service.ask("/readyz").status == 200
    assert (tmp_path / "data" / "state" / "last-good").exists()


def test_the_example_is_served_and_a_second_start_changes_nothing(tmp_path: Path) -> None:
    commits = []
    for _ in range(2):
        with started_service("--example", cwd=tmp_path) as service:
            status = service.wait_for("in-sync")
            commits.append(status["active"]["commit"])
            assert service.locate("10.61.2.0").json()["result"]["location"] == "Sydney"
            assert status["hook"]["state"] == "ok"
            assert service.stop() == 0
    assert commits[0] == commits[1]


def test_where_path_does_not_lead_to_the_program_a_clone_is_checked_as_is_told(tmp_path: Path) -> None:
    path = "/usr/bin:/bin"
    with started_service("--example", cwd=tmp_path, program=AS_INSTALLED, PATH=path) as service:
        service.wait_for("in-sync")
        assert service.process.stdout
        _, change, check = (service.process.stdout.readline().partition(":  ")[2].strip() for _ in range(3))
    environment = closed_environment(PATH=path)
    script = f"git clone --quiet {tmp_path}/data/locations.git map && cd map && {check}"
    assert (change.startswith("git clone "), check.endswith("/location-policy check")) == (True, True)
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "3 subnets in 1 file: no problem\n")


def test_a_repository_that_was_served_and_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    with started_service("--example", cwd=tmp_path) as service:
        good = service.wait_for("in-sync")["active"]["commit"]
    (tmp_path / "data" / "locations.git").rename(tmp_path / "away")
    with started_service("--example", cwd=tmp_path) as service:
        service.wait_for("last-good", good)
        assert not (tmp_path / "data" / "locations.git").exists()
        (tmp_path / "away").rename(tmp_path / "data" / "locations.git")
        service.wait_for("in-sync", good)


def test_a_working_copy_that_lost_its_git_directory_is_waited_for(tmp_path: Path) -> None:
    bare = make_repository(tmp_path / "locations.git", GOOD)
    work = clone(bare, tmp_path / "work").path
    arguments = ("--repo", work, "--state-dir", tmp_path / "state")
    with started_service(*arguments, cwd=tmp_path) as service:
        good = service.wait_for("in-sync")["active"]["commit"]
    (work / ".git").rename(tmp_path / "away")
    with started_service(*arguments, cwd=tmp_path) as service:
        service.wait_for("last-good", good)
        (tmp_path / "away").rename(work / ".git")
        service.wait_for("in-sync", good)


def test_the_state_of_another_repository_keeps_none_waiting(tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", GOOD)
    with running_service(repository, "--state-dir", tmp_path / "state"):
        pass
    done = serve("--repo", "other.git", "--state-dir", tmp_path / "state", cwd=tmp_path)
    kept = f"{tmp_path}/state keeps what was served of {repository}"
    assert_not_started(done, f"{tmp_path}/other.git does not exist\n  hint: mount or restore it: {kept}\n")
    done = run_program("doctor", "--repo", "other.git", "--state-dir", "state", cwd=tmp_path)
    assert f"state keeps what was served of {repository}\n" in done.stderr
    assert "init" not in done.stderr


def test_a_torn_state_file_keeps_a_new_repository_from_being_made_too(tmp_path: Path) -> None:
    (tmp_path / "data" / "state").mkdir(parents=True)
    (tmp_path / "data" / "state" / "last-good").write_text("torn")
    assert_not_started(
        serve("--example", cwd=tmp_path), "data/locations.git does not exist\n  hint: mount or restore it"
    )


def test_what_to_do_next_is_printed(tmp_path: Path) -> None:
    with started_service("--example", cwd=tmp_path) as service:
        service.wait_for("in-sync")
        service.stop()
        assert service.process.stdout
        rest = service.process.stdout.read()
    assert f"git clone {service.url}/locations.git\n" in rest
    assert f"curl '{service.url}/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0'" in rest
    assert f"curl {service.url}/status" in rest


def test_an_ipv6_address_stands_in_brackets_in_what_is_printed(repository: Path) -> None:
    with started_service("--repo", repository, "--host", "::1", cwd=repository.parent) as service:
        assert service.process.stdout
        assert f"curl http://[::1]:{service.port}/status" in "".join(
            service.process.stdout.readline() for _ in range(5)
        )


# --- under way, and at the end ---


def test_a_branch_that_is_not_there_is_told_with_those_that_are(repository: Path) -> None:
    git("branch", "-m", "main", "trunk", cwd=repository)
    git("symbolic-ref", "HEAD", "refs/heads/main", cwd=repository)
    with started_service("--repo", repository, cwd=repository.parent) as service:
        wait_until(lambda: service.status()["failure"] is not None)
        status = service.status()
        assert status["state"] == "starting"
        assert status["failure"]["message"] == "branch main has no commit; branches here: trunk"
        assert "branch main has no commit; branches here: trunk" in service.log.read_text()


def test_loading_runs_beside_answering(repository: Path) -> None:
    with running_service(repository) as service:
        old = service.status()["active"]["commit"]
        new = force_commit(repository, {"locations.csv": many_rows(200_000, "Perth")})
        seen = service.wait_for("behind", old)
        answer = service.locate("10.61.2.0")
        assert service.status()["state"] == "behind"
        assert (seen["head"]["commit"], answer.json()["policy.commit"]) == (new, old)
        assert service.wait_for("in-sync", new)["active"]["subnets"] == 200_000


def test_sigterm_does_not_wait_for_a_load(repository: Path) -> None:
    with running_service(repository) as service:
        force_commit(repository, {"locations.csv": many_rows(200_000)})
        service.wait_for("behind")
        started = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - started < 5


def test_a_request_line_of_64_kib_is_answered_and_the_service_lives(repository: Path) -> None:
    with running_service(repository) as service:
        with closing(socket.create_connection(("127.0.0.1", service.port), timeout=10)) as connection:
            query = b"protocol=mssip&ms-subnet=" + b"1" * 65536
            connection.sendall(b"GET /policy/v1/participant/location?" + query + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 414 ")
        assert service.locate("10.61.2.0").status == 200


def test_sigterm_ends_it_soon_with_open_connections(repository: Path) -> None:
    with running_service(repository) as service, connected(service) as idle, connected(service) as half:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(1000).startswith(b"HTTP/1.1 200")
        half.sendall(b"GET /policy/v1/participant/loc")
        started = time.monotonic()
        assert service.stop(signal.SIGTERM) == 0
        assert time.monotonic() - started < 5
        assert "Traceback" not in service.log.read_text()


def connected(service: Service) -> closing[socket.socket]:
    return closing(socket.create_connection(("127.0.0.1", service.port), timeout=10))


def test_it_ends_when_it_is_told_so_with_its_first_line(repository: Path) -> None:
    command = [str(PROGRAM), "serve", "--repo", str(repository), "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=closed_environment(), text=True, stdout=pipe, stderr=pipe) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.terminate()
        assert process.wait(timeout=30) == 0
        assert "Traceback" not in process.stderr.read()


def test_sigint_ends_it_without_a_traceback(repository: Path) -> None:
    with running_service(repository) as service:
        assert service.stop(signal.SIGINT) == 0
        assert "Traceback" not in service.log.read_text()


def test_no_answer_is_logged_and_no_request_is(repository: Path) -> None:
    with running_service(repository) as service:
        lines = service.log.read_text().count("\n")
        service.locate("10.61.2.0")
        response = service.ask("/nothing")
        service.stop()
        assert "server" not in response.headers
        assert service.log.read_text().count("\n") == lines


def test_a_branch_that_is_asked_for_and_is_not_there_is_told(repository: Path) -> None:
    done = serve("--repo", str(repository), "--branch", "nope", cwd=repository.parent)
    assert_not_started(done, "serves branch main, not nope, and has no such branch; branches here: main", "init")
