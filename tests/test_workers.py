"""Several workers as one service: real pushes, real kills, questions to each of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest

from location_policy import journal, last_good
from location_policy.keeper import PIN
from tests.support.access import PASSWORD, Pki, write_users
from tests.support.maps import many_rows
from tests.support.monitoring import Samples, samples_of, scrape
from tests.support.program import PROGRAM, closed_environment
from tests.support.repositories import BAD, GOOD, clone, force_commit, git, init, make_repository, tip
from tests.support.rollouts import target
from tests.support.service import BUILDING, DEADLINE, Service, started_service, wait_until
from tests.support.workers import (
    LOCATE,
    Worker,
    each_worker,
    is_alive,
    pids_of,
    running_workers,
    workers_of,
)

PERTH = {"locations.csv": "Perth,10.61.2.0/24\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


def replaced(service: Service, killed: int) -> list[int]:
    """The workers once there are all again, without the one that was killed; each answers from a commit."""

    found: list[int] = []

    def are_back() -> bool:
        workers = workers_of(service)
        found[:] = [one["pid"] for one in workers]
        return len(found) == 2 and killed not in found and all(one["commit"] for one in workers)

    wait_until(are_back, service.log.read_text)
    return found


def wait_for(service: Service, commit: str, workers: Mapping[int, Worker], within: float = DEADLINE) -> None:
    """Until each worker answers from a commit, and each says so of all."""
    wait_until(lambda: {one.commit() for one in workers.values()} == {commit}, service.log.read_text, within)
    for worker in workers.values():
        wait_until(lambda: {one["commit"] for one in worker.status()["workers"]} == {commit}, service.log.read_text)  # noqa: B023


# --- answers ---


def test_each_worker_follows_a_push_and_tells_of_all(tmp_path: Path) -> None:
    repository = init(tmp_path / "locations.git", "--empty")
    work = clone(repository, tmp_path / "work")
    first = work.commit(GOOD)
    assert work.push("HEAD:main").returncode == 0
    with running_workers(repository, cwd=tmp_path) as service, each_worker(service) as workers:
        wait_for(service, first, workers)
        second = work.commit({"locations/apac.csv": "Sydney,10.61.9.0/24\n"})
        assert work.push("HEAD:main").returncode == 0
        wait_for(service, second, workers)
        for pid, worker in workers.items():
            told = worker.status()
            assert [one["pid"] for one in told["workers"]] == pids_of(service)
            assert told["service"]["pid"] == service.process.pid
            assert (told["service"]["workers"], told["service"]["worker"]) == (2, pid)
        body = service.ask("/").body.decode()
        assert all(f"Worker {pid}" in body for pid in workers)


def test_connections_are_shared_out(repository: Path, tmp_path: Path) -> None:
    with running_workers(repository, cwd=tmp_path) as service, each_worker(service) as workers:
        wait_for(service, tip(repository), workers)
        for worker in workers.values():
            worker.close()
        found = [Worker(service) for _ in range(20)]
        counts = [sum(worker.pid == pid for worker in found) for pid in workers]
        for worker in found:
            worker.close()
        assert min(counts) >= 1


def test_what_is_counted_adds_up_over_workers_and_deaths(repository: Path, tmp_path: Path) -> None:
    with running_workers(repository, cwd=tmp_path) as service:
        with each_worker(service) as workers:
            for number, worker in enumerate(workers.values(), 3):
                for _ in range(number):
                    worker.ask(f"{LOCATE}10.61.2.7")
                worker.ask(f"{LOCATE}192.0.2.1")
            found = [scraped(worker) for worker in workers.values()]
        for samples in found:
            assert samples['location_policy_requests_total{outcome="match",protocol="mssip"}'] == 7
            assert samples['location_policy_requests_total{outcome="no-match",protocol="mssip"}'] == 2
            assert samples["location_policy_request_seconds_count"] == 9
            assert samples['location_policy_request_seconds_bucket{le="+Inf"}'] == 9
            assert samples["location_policy_workers"] == 2
            assert samples['location_policy_loads_total{result="active"}'] == 1
            assert samples[f'location_policy_active_info{{commit="{tip(repository)}"}}'] == 1
        assert found[0]["process_start_time_seconds"] == found[1]["process_start_time_seconds"]
        before = found[-1]["process_cpu_seconds_total"]
        oldest = pids_of(service)[0]
        os.kill(oldest, signal.SIGKILL)
        replaced(service, oldest)
        samples = scrape(service)
        assert samples["location_policy_request_seconds_count"] == 9
        assert samples["location_policy_worker_deaths_total"] == 1
        assert samples["process_cpu_seconds_total"] >= before
        assert sum(worker["requests"] for worker in workers_of(service)) == 9


def scraped(worker: Worker) -> Samples:
    worker.ask("/metrics")
    return samples_of(worker.body.decode())


# --- deaths ---


def test_a_killed_worker_comes_back_with_the_active_commit(repository: Path, tmp_path: Path) -> None:
    with running_workers(repository, cwd=tmp_path) as service:
        first, second = pids_of(service)
        os.kill(second, signal.SIGKILL)
        workers = replaced(service, second)
        assert workers[0] == first
        assert {worker["commit"] for worker in workers_of(service)} == {tip(repository)}
        assert service.status()["service"]["worker_deaths"] == 1
        assert f"ERROR worker died pid={second} signal=SIGKILL, another begins\n" in service.log.read_text()
        with each_worker(service) as found:
            assert set(found) == set(workers)


def test_the_next_oldest_keeps_what_is_in_force(repository: Path, tmp_path: Path) -> None:
    with running_workers(repository, "--state-dir", tmp_path / "state", cwd=tmp_path) as service:
        for number in range(3):
            oldest = pids_of(service)[0]
            os.kill(oldest, signal.SIGKILL)
            replaced(service, oldest)
            commit = force_commit(repository, {"locations.csv": f"Perth,10.61.{number}.0/24\n"})
            with each_worker(service) as workers:
                wait_for(service, commit, workers)
            wait_until(lambda: tip(repository, PIN) == commit, service.log.read_text)  # noqa: B023
            wait_until(lambda: kept(tmp_path / "state") == commit, service.log.read_text)  # noqa: B023
        lines = [event.commit for event in journal.read(tmp_path / "state")]
        assert lines == git("rev-list", "--reverse", "main", cwd=repository).split()
        assert service.stop() == 0


def kept(state: Path) -> str | None:
    found = last_good.load(state)
    return found.commit.id if found else None


def test_one_that_dies_at_once_again_and_again_is_waited_for(repository: Path, tmp_path: Path) -> None:
    with running_workers(repository, cwd=tmp_path) as service:

        def has_died_at_once() -> bool:
            victim = pids_of(service)[1]
            os.kill(victim, signal.SIGKILL)
            replaced(service, victim)
            told = r"worker died pid=\d+ signal=SIGKILL, another begins in 1 s\n"
            return re.search(told, service.log.read_text()) is not None

        wait_until(has_died_at_once, service.log.read_text, BUILDING)
        assert "workers die at once, 2 times in a row: see what is logged before\n" in service.log.read_text()


# --- signals ---


def test_hangup_reads_again_in_every_worker_and_restarts_none(repository: Path, tmp_path: Path) -> None:
    users = write_users(tmp_path / "htpasswd", "node")
    log = tmp_path / "decisions.log"
    arguments = ("--htpasswd", users, "--decision-log", log, "--log-format", "json")
    with started_service("--repo", repository, "--workers", "2", *arguments, cwd=tmp_path) as service:
        service.login = f"node:{PASSWORD}"
        wait_until(lambda: service.locate("10.61.2.7").status == 200 and len(pids_of(service)) == 2)
        before = pids_of(service)
        log.rename(tmp_path / "old.log")
        write_users(users, "ana")
        service.process.send_signal(signal.SIGHUP)
        service.login = f"ana:{PASSWORD}"
        wait_until(lambda: service.ask("/status").status == 200 and log.exists())
        wait_until(lambda: all(log_of(pid) == log for pid in (*before, service.process.pid)))
        assert pids_of(service) == before
        lines = [json.loads(line) for line in service.log.read_text().splitlines()]
        assert sorted(line["worker"] for line in lines if line["message"] == "active") == sorted(before)
        assert sum(line["message"] == "read again" for line in lines) == 1


def log_of(pid: int) -> Path | None:
    """The decision log that a process has open."""
    files = [Path(target(path)) for path in Path(f"/proc/{pid}/fd").iterdir()]
    return next((path for path in files if path.name in ("decisions.log", "old.log")), None)


@pytest.mark.parametrize("one", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_with_0(repository: Path, tmp_path: Path, one: signal.Signals) -> None:
    with running_workers(repository, cwd=tmp_path) as service, each_worker(service) as workers:
        assert service.stop(one) == 0
        assert not any(is_alive(pid) for pid in workers)
    assert "Traceback" not in service.log.read_text()


def test_workers_end_with_a_supervisor_that_is_killed(repository: Path, tmp_path: Path) -> None:
    with running_workers(repository, cwd=tmp_path) as service:
        pids = pids_of(service)
        service.process.kill()
        wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_a_worker_that_is_asked_to_end_is_replaced(repository: Path, tmp_path: Path) -> None:
    with running_workers(repository, cwd=tmp_path) as service:
        victim = pids_of(service)[0]
        os.kill(victim, signal.SIGTERM)
        replaced(service, victim)
        assert f"worker died pid={victim} status=0, another begins\n" in service.log.read_text()


# --- logs and files ---


def test_each_answer_has_a_whole_line_in_the_log_that_all_write(repository: Path, tmp_path: Path) -> None:
    log = tmp_path / "decisions.log"
    with running_workers(repository, "--decision-log", log, cwd=tmp_path) as service:
        with each_worker(service) as workers:
            for number in range(300):
                for worker in workers.values():
                    worker.ask(f"{LOCATE}10.61.2.7&request_id={worker.pid}-{number}")
        expected = {f"{pid}-{number}" for pid in workers for number in range(300)}
        assert service.stop() == 0
    found = [json.loads(line)["request_id"] for line in log.read_text().splitlines()]
    assert sorted(found) == sorted(expected)


def test_lines_that_go_to_a_pipe_are_not_torn(repository: Path, tmp_path: Path) -> None:
    log, pipe = tmp_path / "decisions.log", tmp_path / "pipe"
    os.mkfifo(pipe)
    with log.open("wb") as copy, subprocess.Popen(["cat", pipe], stdout=copy) as reader:
        with running_workers(repository, "--decision-log", pipe, cwd=tmp_path) as service:
            with each_worker(service) as workers:
                for number in range(300):
                    for worker in workers.values():
                        worker.ask(f"{LOCATE}10.61.2.7&request_id={quote('é' * 250)}{number}")
            assert service.stop() == 0
        assert reader.wait(10) == 0
    assert len([json.loads(line) for line in log.read_text().splitlines()]) == 600


def test_what_cannot_be_started_is_told_once(repository: Path, tmp_path: Path) -> None:
    command = [str(PROGRAM), "serve", "--repo", str(repository), "--port", "0", "--workers", "2"]
    command += ["--decision-log", str(tmp_path)]
    done = subprocess.run(
        command, cwd=tmp_path, env=closed_environment(), capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 3
    assert done.stderr == f"location-policy: the decision log {tmp_path} cannot be written: Is a directory\n"


# --- other ways in, and out ---


def test_only_one_worker_fetches_from_a_url(repository: Path, tmp_path: Path) -> None:
    options = ("--repo", repository.as_uri(), "--workers", "2", "--fetch-interval", "0.2")
    path, fetches = git_that_notes_fetches(tmp_path)
    with started_service(*options, cwd=tmp_path, PATH=path) as service, each_worker(service) as workers:
        commit = force_commit(repository, PERTH)
        wait_for(service, commit, workers)
        assert set(fetches.read_text().split()) == {str(pids_of(service)[0])}
        repository.rename(tmp_path / "away.git")
        for worker in workers.values():
            wait_until(lambda: worker.status()["state"] == "unreachable", service.log.read_text)  # noqa: B023

        def say_the_same() -> bool:
            return len({worker.status()["failure"]["message"] for worker in workers.values()}) == 1

        wait_until(say_the_same, service.log.read_text)
        (tmp_path / "away.git").rename(repository)
        for worker in workers.values():
            wait_until(lambda: worker.status()["state"] == "in-sync", service.log.read_text)  # noqa: B023


def git_that_notes_fetches(folder: Path) -> tuple[str, Path]:
    """A `PATH` on which git notes the process that lets it fetch, and where."""
    fetches, program = folder / "fetches", folder / "bin" / "git"
    program.parent.mkdir()
    note = f'case " $* " in *" fetch "*) echo $PPID >>{fetches} ;; esac'
    program.write_text(f'#!/bin/sh\n{note}\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}", fetches


def test_a_first_look_that_takes_long_keeps_nobody_from_an_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"git://127.0.0.1:{silent.getsockname()[1]}/locations.git"
        with started_service("--repo", url, "--workers", "2", cwd=tmp_path) as service:
            assert service.locate("10.61.2.7").status == 503
            assert service.stop() == 0


def test_a_unix_socket_is_shared_and_taken_away_at_the_end(repository: Path, tmp_path: Path) -> None:
    path, log = tmp_path / "service.sock", tmp_path / "serve.log"
    command = [str(PROGRAM), "serve", "--repo", str(repository), "--workers", "2", "--uds", str(path)]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, env=closed_environment(), stdout=subprocess.DEVNULL, stderr=stderr)
    victim = status_over(path)["service"]["worker"]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: victim not in [one["pid"] for one in status_over(path)["workers"]], log.read_text)
    process.terminate()
    assert process.wait(10) == 0
    assert not path.exists()


def status_over(path: Path) -> dict[str, Any]:
    """`/status` over a Unix socket, once somebody answers there."""
    found: list[bytes] = []

    def has_answer() -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, suppress(OSError):
            connection.connect(str(path))
            connection.sendall(b"GET /status HTTP/1.0\r\n\r\n")
            found.append(b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")[2])
        return bool(found and found[-1])

    wait_until(has_answer)
    return cast("dict[str, Any]", json.loads(found[-1]))


def test_tls_is_spoken_by_every_worker(repository: Path, tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    with started_service("--repo", repository, "--workers", "2", *pki.arguments(), cwd=tmp_path) as service:
        service.context = pki.client()
        wait_until(lambda: len(pids_of(service)) == 2 and service.ask("/readyz").status == 200)
        for _ in range(10):
            assert service.locate("10.61.2.7").status == 200
        plain = Service(service.process, service.port, service.log)
        with pytest.raises(OSError, match=r"Connection reset|closed connection"):
            plain.ask("/status")
        assert service.locate("10.61.2.7").status == 200


def test_a_state_directory_that_cannot_be_written_is_told_by_all(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    options = ("--state-dir", tmp_path / "state")
    with running_workers(repository, *options, cwd=tmp_path) as service, each_worker(service) as workers:
        for worker in workers.values():
            assert "File exists" in worker.status()["source"]["state_directory_problem"]
        (tmp_path / "state").unlink()
        commit = force_commit(repository, PERTH)
        wait_for(service, commit, workers)
        for worker in workers.values():
            wait_until(lambda: worker.status()["source"]["state_directory_problem"] is None)  # noqa: B023


def test_a_large_map_is_built_once_for_all(repository: Path, tmp_path: Path) -> None:
    with running_workers(repository, cwd=tmp_path) as service, each_worker(service) as workers:
        commit = force_commit(repository, {"locations.csv": many_rows(60_000)})
        wait_for(service, commit, workers, BUILDING)
        assert service.stop() == 0
        told = re.findall(rf"active commit={commit} subnets=60000 .*worker=(\d+)", service.log.read_text())
        assert sorted(map(int, told)) == sorted(workers)


def test_a_bad_commit_counts_once(repository: Path, tmp_path: Path) -> None:
    with running_workers(repository, cwd=tmp_path) as service, each_worker(service) as workers:
        force_commit(repository, BAD)
        for worker in workers.values():
            wait_until(lambda: worker.status()["state"] == "rejected", service.log.read_text)  # noqa: B023
        for worker in workers.values():
            assert scraped(worker)['location_policy_loads_total{result="refused"}'] == 1
