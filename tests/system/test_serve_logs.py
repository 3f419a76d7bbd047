"""The decision log, the ordinary log and the metrics of a real service: files, signals, faults."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from location_policy.calls.decision_line import KEYS
from tests.support.monitoring import scrape
from tests.support.program import PROGRAM, closed_environment, run_program
from tests.support.repositories import BAD, GOOD, force_commit, make_repository
from tests.support.service import Service, started_service, wait_until

LOCATION = "/policy/v1/participant/location"
Json = dict[str, Any]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "locations.git", GOOD)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.log"


def read(path: Path) -> list[Json]:
    """The lines of a file, each of which must be whole."""
    content = path.read_text()
    assert content.endswith("\n") or not content
    return [json.loads(line) for line in content.splitlines()]


def outcomes(path: Path) -> list[str]:
    return [line["outcome"] for line in read(path)]


# --- the decision log ---


def test_every_answer_to_a_location_request_is_logged_with_its_outcome(tmp_path: Path, path: Path) -> None:
    repository = make_repository(tmp_path / "locations.git", BAD)
    with started_service("--repo", repository, "--decision-log", path, cwd=tmp_path) as service:
        service.wait_for("rejected")
        assert service.locate("10.61.2.0").status == 503
        good = force_commit(repository, GOOD)
        service.wait_for("in-sync", good)
        assert service.locate("10.61.2.0").status == 200
        assert service.locate("192.0.2.1").status == 200
        assert service.locate("x").status == 400
        assert service.ask(f"{LOCATION}?protocol=sip").status == 200
        assert service.ask(f"{LOCATION}?protocol=sip", "POST").status == 405
        assert service.ask("/policy/v1/service/configuration").status == 404
        assert service.ask("/status").status == 200
        assert service.stop() == 0
    assert outcomes(path) == ["not-ready", "match", "no-match", "bad-address", "no-opinion", "not-allowed"]
    assert {tuple(line) for line in read(path)} == {tuple(KEYS)}
    assert [line["commit"] for line in read(path)] == [None] + 5 * [good]
    assert read(path)[0]["address"] == "10.61.2.0"


def test_names_are_logged_only_when_they_are_asked_for(repository: Path, path: Path) -> None:
    with started_service(
        "--repo",
        repository,
        cwd=repository.parent,
        LOCATION_POLICY_DECISION_LOG=str(path),
        LOCATION_POLICY_LOG_NAMES="1",
    ) as service:
        service.ask(f"{LOCATION}?remote_display_name=%22Al%0Aice%22")
    assert read(path)[0]["remote_display_name"] == '"Al\nice"'


def test_on_standard_output_there_is_nothing_but_the_decisions(repository: Path) -> None:
    log = repository.parent / "serve.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [PROGRAM, "serve", "--repo", repository, "--port", "0", "--decision-log", "-"],
            env=closed_environment(),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout
    try:
        wait_until(lambda: " on http://" in log.read_text(), log.read_text)
        port = re.search(r" on http://\S+:(\d+)$", log.read_text(), re.MULTILINE)
        assert port
        service = Service(process, int(port[1]), log)
        service.wait_for("in-sync")
        service.locate("10.61.2.0")
        process.send_signal(signal.SIGHUP)
        service.locate("10.61.3.0")
        assert service.stop() == 0
        assert [json.loads(line)["location"] for line in process.stdout] == ["Sydney", "Melbourne"]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_closed_standard_output_is_told_at_the_start(repository: Path) -> None:
    command = f"exec {PROGRAM} serve --repo {repository} --port 0 --decision-log - >&-"
    done = subprocess.run(["sh", "-c", command], env=closed_environment(), capture_output=True, check=False, text=True)
    assert done.returncode == 3
    assert done.stderr == "location-policy: the decision log - cannot be written: Bad file descriptor\n"


def test_a_file_that_cannot_be_written_is_told_at_the_start(repository: Path, tmp_path: Path) -> None:
    done = run_program("serve", "--repo", repository, "--port", "0", "--decision-log", tmp_path / "no" / "x.log")
    assert (done.returncode, done.stdout) == (3, "")
    assert "cannot be written: No such file or directory" in done.stderr


def test_a_hangup_opens_the_file_anew_and_ends_nothing(repository: Path, path: Path) -> None:
    with started_service("--repo", repository, "--decision-log", path, cwd=repository.parent) as service:
        service.wait_for("in-sync")
        service.locate("10.61.2.0")
        wait_until(lambda: len(read(path)) == 1)
        path.rename(path.with_suffix(".1"))
        service.process.send_signal(signal.SIGHUP)
        wait_until(path.exists)
        service.locate("10.61.3.0")
        assert service.stop() == 0
    assert [line["location"] for line in read(path)] == ["Melbourne"]


def test_a_hangup_without_a_decision_log_does_nothing(repository: Path) -> None:
    with started_service("--repo", repository, cwd=repository.parent) as service:
        service.wait_for("in-sync")
        service.process.send_signal(signal.SIGHUP)
        assert service.locate("10.61.2.0").status == 200
        assert service.stop() == 0


def limit(service: Service, size: int) -> None:
    """No file of the service may grow beyond this: what a full disk does, in the midst of a line."""
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def told(service: Service, text: str) -> int:
    return service.log.read_text().count(text)


def test_a_disk_that_is_full_for_a_while_costs_no_answer_and_no_line(repository: Path, path: Path) -> None:
    with started_service("--repo", repository, "--decision-log", path, cwd=repository.parent) as service:
        service.wait_for("in-sync")
        limit(service, 1000)
        for _ in range(20):
            assert service.locate("10.61.2.0").status == 200
        wait_until(lambda: told(service, "decision log not written") == 1)
        assert path.stat().st_size == 1000
        limit(service, resource.RLIM_INFINITY)
        wait_until(lambda: len(path.read_bytes().splitlines()) == 20)
        assert told(service, "decision log not written") == 1
        assert scrape(service)["location_policy_decision_log_dropped_total"] == 0
    assert outcomes(path) == ["match"] * 20


def test_a_line_that_was_cut_by_a_full_disk_does_not_begin_a_new_file(repository: Path, path: Path) -> None:
    with started_service("--repo", repository, "--decision-log", path, cwd=repository.parent) as service:
        service.wait_for("in-sync")
        limit(service, 1600)  # three lines, and a piece of the fourth
        for number in range(6):
            service.ask(f"{LOCATION}?protocol=mssip&ms-subnet=10.61.2.0&request_id={number}")
        wait_until(lambda: told(service, "decision log not written") == 1)
        path.rename(path.with_suffix(".1"))
        limit(service, resource.RLIM_INFINITY)
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: path.exists() and len(read(path)) == 2)
        assert scrape(service)["location_policy_decision_log_dropped_total"] == 1
    assert [line["request_id"] for line in read(path)] == ["4", "5"]


def test_a_reader_that_has_gone_costs_no_answer_and_is_told_once(repository: Path, path: Path) -> None:
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with started_service("--repo", repository, "--decision-log", path, cwd=repository.parent) as service:
        service.wait_for("in-sync")
        os.close(reader)
        for number in (1, 2):
            assert service.locate("10.61.2.0").status == 200
            wait_until(lambda: scrape(service)["location_policy_decision_log_dropped_total"] == number)  # noqa: B023  called at once
        assert told(service, "decision log not written") == 1
        assert service.stop() == 0


# --- the ordinary log ---


def test_a_line_is_logged_when_something_changes(repository: Path) -> None:
    with started_service("--repo", repository, cwd=repository.parent) as service:
        service.wait_for("in-sync")
        bad = force_commit(repository, BAD)
        service.wait_for("rejected")
        lines = service.log.read_text().splitlines()
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    first, second = (line for line in lines if "commit=" in line)
    assert re.fullmatch(rf"{moment} INFO active commit=[0-9a-f]{{40}} subnets=2 took=\d+\.\d\ds", first)
    assert re.fullmatch(rf"{moment} ERROR refused commit={bad} 1 error", second)


def test_as_json_each_line_is_an_object_with_the_fields_as_keys(repository: Path) -> None:
    with started_service("--repo", repository, "--log-format", "json", cwd=repository.parent) as service:
        commit = service.wait_for("in-sync")["active"]["commit"]
        objects = [json.loads(line) for line in service.log.read_text().splitlines()]
    active = next(one for one in objects if one["message"] == "active")
    assert list(active) == ["time", "level", "message", "commit", "subnets", "took"]
    assert (active["commit"], active["subnets"]) == (commit, 2)


@pytest.mark.parametrize(
    ("arguments", "status", "level", "message"),
    [
        (["--log-format=json", "--host", "0.0.0.0"], 3, "ERROR", "can be reached from other machines"),
        (["--log-format", "json", "--tls-cert", "x"], 3, "ERROR", "--tls-cert needs --tls-key too"),
        (["--log-format", "json", "--prot", "1"], 2, "ERROR", "No such option: --prot"),
        (["--repo", "nowhere"], 3, "WARNING", "LOCATION_POLICY_PROT is not a setting"),
    ],
)
def test_as_json_what_keeps_it_from_starting_is_an_object_too(
    arguments: list[str], status: int, level: str, message: str, tmp_path: Path
) -> None:
    variables = {"LOCATION_POLICY_LOG_FORMAT": "json", "LOCATION_POLICY_PROT": "1"}
    done = run_program("serve", *arguments, cwd=tmp_path, environment=variables if level == "WARNING" else {})
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == status
    assert any(one["level"] == level and message in one["message"] for one in told)
    assert [one["level"] for one in told].count("WARNING") == (level == "WARNING")


def test_only_serve_logs_and_what_is_typed_goes_before_the_environment(tmp_path: Path) -> None:
    for words in (["check", "nowhere"], ["serve", "--log-format", "text", "--tls-cert", "x"]):
        done = run_program(*words, cwd=tmp_path, environment={"LOCATION_POLICY_LOG_FORMAT": "json"})
        assert done.stderr.startswith("location-policy: "), words


def test_as_json_a_closed_standard_error_keeps_nothing_from_ending(tmp_path: Path) -> None:
    command = f"exec {PROGRAM} serve --log-format json --host 0.0.0.0 2>&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=closed_environment(), check=False, timeout=20)
    assert done.returncode == 3


FAULTS = """
import sys, threading, warnings
from location_policy.runtime.log_format import log_to_stderr
class Fault:
    def __del__(self): 1 / 0
log_to_stderr("json")
warnings.warn("old")
Fault()
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
print("two\\nlines", file=sys.stderr)
raise ValueError("new")
"""


def test_as_json_warnings_and_faults_that_nothing_catches_are_objects_too() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", FAULTS],
        env=closed_environment(),
        capture_output=True,
        check=False,
        text=True,
    )
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert [one["level"] for one in told] == ["WARNING", "CRITICAL", "CRITICAL", "ERROR", "CRITICAL"]
    assert "UserWarning: old" in told[0]["message"]
    ends = [one["traceback"].splitlines()[-1] for one in told if "traceback" in one]
    assert ends == ["ZeroDivisionError: division by zero"] * 2 + ["ValueError: new"]
    assert told[3]["message"] == "two\nlines"


# --- the metrics ---


def test_the_metrics_follow_what_happens(repository: Path, tmp_path: Path) -> None:
    with started_service("--repo", repository, cwd=tmp_path) as service:
        good = service.wait_for("in-sync")["active"]["commit"]
        service.locate("10.61.2.0")
        service.locate("10.61.2.0")
        service.ask(f"{LOCATION}?protocol=nonsense", "POST")
        force_commit(repository, BAD)
        service.wait_for("rejected")
        repository.rename(tmp_path / "away.git")
        service.wait_for("unreachable")
        found = scrape(service)
    assert found['location_policy_requests_total{outcome="match",protocol="mssip"}'] == 2
    assert found['location_policy_requests_total{outcome="not-allowed",protocol="other"}'] == 1
    assert found["location_policy_request_duration_seconds_count"] == 3
    assert 0 < found["location_policy_request_duration_seconds_sum"] < 3
    assert found[f'location_policy_active_info{{commit="{good}"}}'] == 1
    for result in ("active", "refused", "unreadable"):
        assert found[f'location_policy_loads_total{{result="{result}"}}'] == 1
    assert found['location_policy_state{state="unreachable"}'] == 1
    assert found['location_policy_hook{state="missing"}'] == 1
    assert found["location_policy_last_check_timestamp_seconds"] >= found["location_policy_loaded_timestamp_seconds"]
