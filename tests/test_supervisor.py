"""Workers that do not go by themselves, and what the service manager hears of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from location_policy.crew import BEAT, Crew
from location_policy.report import Report
from tests.support.program import closed_environment
from tests.support.repositories import GOOD, force_commit, git, make_repository
from tests.support.service import started_service, wait_until
from tests.support.service_manager import Manager
from tests.support.unprivileged import run_as_nobody
from tests.support.workers import is_alive, pids_of, running_workers

IMPORTS = """
import logging, resource, signal, sys, time
from location_policy import supervisor
from location_policy.crew import Crew
from location_policy.sd_notify import ServiceManager
from location_policy.supervisor import Supervisor
logging.basicConfig(format="%(message)s", stream=sys.stdout)
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    """The outcome of a program that supervises."""
    command = [sys.executable, "-c", IMPORTS + program]
    return subprocess.run(
        command, env=closed_environment(), cwd="/", capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


# --- ends ---


def test_a_worker_that_does_not_end_is_ended() -> None:
    done = run("""
supervisor.GRACE = 0.2
def work(report):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.raise_signal(signal.SIGTERM)
    import os
    os.kill(os.getppid(), signal.SIGTERM)
    while True:
        time.sleep(60)
Supervisor(Crew(2), ServiceManager({}), work, []).run()
""")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "workers did not end within 0 s, they are ended\n"


def test_one_that_has_ended_does_not_hurry_who_waits_for_the_other() -> None:
    done = run("""
supervisor.GRACE = 0.2
crew = Crew(2)
turns = []
class Counting(Supervisor):
    def _wait(self):
        turns.append(self)
        super()._wait()
def work(report):
    if crew.own is crew.places[1]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        import os
        os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(60)
Counting(crew, ServiceManager({}), work, []).run()
sys.exit(len(turns) > 20)
""")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_worker_that_fails_says_why_and_is_waited_for() -> None:
    done = run("""
from location_policy import posts
posts.LONGEST = 0.01
crew = Crew(2)
def work(report):
    if crew.board.cells[1] > 5:
        import os
        os.kill(os.getppid(), signal.SIGTERM)
        sys.exit(0)
    if crew.own is crew.places[0]:
        raise ValueError("broken")
    sys.exit("words are no status")
Supervisor(crew, ServiceManager({}), work, []).run()
""")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ValueError: broken\n" in done.stdout
    assert "status=1, another begins in 0.01 s\n" in done.stdout


def test_a_machine_that_has_no_room_for_another_process_is_asked_again() -> None:
    done = run_as_nobody(
        IMPORTS,
        """
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
asked = Supervisor(Crew(2), ServiceManager({}), lambda report: None, [])
signal.signal(signal.SIGALRM, lambda *_: asked._posts[0].failures and os.kill(os.getpid(), signal.SIGTERM))
signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
asked.run()
""",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.splitlines()) == {"no worker can be started: Resource temporarily unavailable"}


def test_a_worker_that_a_signal_without_a_name_ends_is_replaced() -> None:
    done = run("""
import os
crew = Crew(2)
def work(report):
    if crew.own.cells[0] == 1:
        os.kill(os.getpid(), 35)
    if crew.own.cells[0] == 3:
        os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(60)
Supervisor(crew, ServiceManager({}), work, []).run()
""")
    assert (done.returncode, done.stderr) == (0, "")
    assert "signal=35, another begins\n" in done.stdout


def test_a_worker_that_cannot_write_ends_all_the_same() -> None:
    done = run("""
import os
supervisor.log.handlers, supervisor.log.propagate = [logging.NullHandler()], False
def work(report):
    sys.stdout.close()
    if crew.own.cells[0] == 3:
        os.kill(os.getppid(), signal.SIGTERM)
        time.sleep(60)
crew = Crew(2)
main = os.getpid()
try:
    Supervisor(crew, ServiceManager({}), work, []).run()
finally:
    os.write(1, b"main\\n" if os.getpid() == main else b"copy\\n")
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "main\n", "")


# --- SIGHUP ---


def test_what_comes_while_a_worker_begins_waits_until_it_knows_what_to_do() -> None:
    done = run("""
import os
from location_policy.server import on_hangup
def work(report):
    os.kill(os.getpid(), signal.SIGHUP)
    on_hangup(None, lambda: os.kill(os.getppid(), signal.SIGTERM))
    time.sleep(1)
    print("heard nothing")
Supervisor(Crew(2), ServiceManager({}), work, []).run()
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_comes_before_there_are_workers_waits_too() -> None:
    done = run("""
import os
from location_policy.server import end_on_signals
end_on_signals()
os.kill(os.getpid(), signal.SIGHUP)
looked = []
def look(asked):
    looked.append(asked)
    os.kill(os.getpid(), signal.SIGTERM)
Supervisor(Crew(2), ServiceManager({}), lambda report: time.sleep(60), [look]).run()
print(looked)
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "[True]\n", "")


# --- the service manager ---


def test_it_is_ready_once_all_workers_are(repository: Path, manager: Manager) -> None:
    options = ("--repo", repository, "--workers", "2")
    with started_service(*options, cwd=repository.parent, NOTIFY_SOCKET=manager.address) as service:
        first = git("rev-parse", "main", cwd=repository)
        status = f"in-sync: answers from commit {first}, 2 subnets; 2 of 2 workers"
        assert manager.hear() == {"READY": "1", "STATUS": status}
        commit = force_commit(repository, {"locations.csv": "Perth,10.61.2.0/24\n"})
        status = f"in-sync: answers from commit {commit}, 1 subnet; 2 of 2 workers"
        manager.hear_status(status)
        os.kill(pids_of(service)[0], signal.SIGKILL)
        assert manager.hear_until("STATUS")[-1]["STATUS"].endswith("; 1 of 2 workers")
        manager.hear_status(status)
        service.process.send_signal(signal.SIGHUP)
        begin, *_, end = manager.hear_until("READY")
        assert (begin["RELOADING"], end) == ("1", {"READY": "1", "STATUS": status})
        assert service.stop() == 0
        assert manager.hear_until("STOPPING")[-1] == {"STOPPING": "1", "STATUS": "ending"}


def test_it_says_so_when_no_worker_is_left(repository: Path, manager: Manager) -> None:
    with running_workers(repository, cwd=repository.parent, notify=manager.address) as service:
        manager.hear_until("READY")
        pids = pids_of(service)
        service.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, service.process.pid, os.WSTOPPED | os.WNOWAIT)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(is_alive(pid) for pid in pids), service.log.read_text)
        service.process.send_signal(signal.SIGCONT)
        manager.hear_status("0 of 2 workers")


def test_a_worker_whose_loop_stands_still_is_replaced(repository: Path, manager: Manager) -> None:
    options = ("--repo", repository, "--workers", "2")
    environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "10000000"}
    with started_service(*options, cwd=repository.parent, **environment) as service:  # type: ignore[arg-type]
        for _ in range(2):
            assert manager.hear_until("WATCHDOG")[-1] == {"WATCHDOG": "1"}
        silent = pids_of(service)[1]
        os.kill(silent, signal.SIGSTOP)
        wait_until(lambda: not is_alive(silent), service.log.read_text)
        wait_until(lambda: len(pids_of(service)) == 2, service.log.read_text)
        assert f"ERROR worker answers nobody pid={silent}, it is ended\n" in service.log.read_text()


def test_workers_that_stood_still_with_their_supervisor_stay(repository: Path, manager: Manager) -> None:
    options = ("--repo", repository, "--workers", "2")
    environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "2000000"}
    with started_service(*options, cwd=repository.parent, **environment) as service:  # type: ignore[arg-type]
        for _ in range(2):
            manager.hear_until("WATCHDOG")
        pids = pids_of(service)
        everyone = [service.process.pid, *pids]
        for pid in everyone:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(3)  # longer than the service manager wants to wait
        for pid in everyone:
            os.kill(pid, signal.SIGCONT)
        for _ in range(3):
            manager.hear_until("WATCHDOG")
        assert pids_of(service) == pids


def test_a_sign_of_life_wakes_nobody() -> None:
    crew = Crew(2)
    heard, tell = os.pipe()
    os.set_blocking(heard, False)
    report = Report(crew, tell, 2.0)
    report.tell("WATCHDOG=1")
    assert crew.own.cells[BEAT]
    with pytest.raises(BlockingIOError):
        os.read(heard, 1)
    report.tell("STATUS=well")
    assert os.read(heard, 10) == b"\0"
    for end in (heard, tell):
        os.close(end)
    report.tell("STATUS=well")  # nobody hears it


def test_the_running_of_workers_leaves_no_process(repository: Path) -> None:
    with running_workers(repository, cwd=repository.parent) as service:
        pids = pids_of(service)
        service.stop()
    assert not any(is_alive(pid) for pid in pids)
