"""`diff --calls`: decision logs, a file of calls, and a service, to a comparison."""

from __future__ import annotations

import json
import random
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from location_policy.calls.aggregate import aggregate
from location_policy.calls.history_file import HistoryFile
from location_policy.integrations.http_client import BODY_LIMIT
from tests.calls.logs import random_lines
from tests.calls.situations import situation, written
from tests.support.maps import snapshot_of
from tests.support.peer import PeerHandler, running_peer
from tests.support.program import run_program
from tests.support.repositories import SYDNEY, force_commit, make_repository
from tests.support.service import running_service, wait_until

TODAY = datetime.now(UTC).date()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Sydney, then Perth."""
    path = make_repository(tmp_path / "locations.git", {"locations.csv": SYDNEY})
    force_commit(path, {"locations.csv": "Perth,10.61.2.0/24\n"})
    return path


def told(repository: Path, *sources: str | Path, form: str = "text") -> str:
    """What the comparison says of both commits."""
    named = [word for source in sources for word in ("--calls", source)]
    done = run_program("diff", "main~", "main", "--repo", repository, "--format", form, *named)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def aggregate_file(path: Path, **calls: int) -> Path:
    """A file of calls from addresses 10.61.2.1 and 10.9.9.9."""
    addresses = {"moved": "10.61.2.1", "other": "10.9.9.9"}
    found = [(situation(ms_subnet=addresses[name]), number, TODAY.toordinal()) for name, number in calls.items()]
    path.write_bytes(written(aggregate(found, TODAY)))
    return path


def test_the_log_of_a_service_and_the_service_itself_say_whose_calls_change(repository: Path, tmp_path: Path) -> None:
    log = tmp_path / "decisions.log"
    with running_service(repository, "--decision-log", log) as service:
        for address in ("10.61.2.7", "10.61.2.7", "10.9.9.9"):
            service.locate(address)
        wait_until(lambda: log.exists() and len(log.read_bytes().splitlines()) == 3)
        of_service = told(repository, f"http://127.0.0.1:{service.port}")
        assert told(repository, f"http://127.0.0.1:{service.port}/api/v1/calls?situations=yes") == of_service
    of_log = told(repository, log)
    assert of_service == of_log
    assert f"Sydney -> Perth  256 addresses, 2 calls, last {TODAY}" in of_log
    assert of_log.endswith("2 of 3 calls of the last day get another answer (66.67%)\n")


def test_a_file_of_calls_is_read_beside_a_log_and_in_every_form(repository: Path, tmp_path: Path) -> None:
    first, second = aggregate_file(tmp_path / "a", moved=311, other=9), aggregate_file(tmp_path / "b", moved=1)
    fields = json.loads(told(repository, first, second, form="json"))
    numbers = {"remembered": 321, "changed": 312, "lost": 0, "unsure": 0}
    assert fields["calls"] == {"since": str(TODAY), "days": 1, **numbers}
    assert [one["calls"] for one in fields["ranges"]] == [{"number": 312, "last": str(TODAY)}]
    markdown = told(repository, first, second, form="markdown")
    assert "- `312 of 321 calls of the last day get another answer (97.2%)`" in markdown
    assert f"| 256 addresses, 312 calls, last {TODAY} |" in markdown


def test_without_a_source_what_the_service_beside_the_repository_remembers_is_told(repository: Path) -> None:
    (state := repository / "location-policy").mkdir()
    with closing(HistoryFile(state / "calls.sqlite")) as file:
        file.add(TODAY.toordinal(), {situation(ms_subnet="10.61.2.1"): 3, situation(ms_subnet="10.9.9.9"): 1})
    assert told(repository).endswith("3 of 4 calls of the last day get another answer (75%)\n")
    (state / "calls.sqlite").write_bytes(b"x" * 9_000)
    assert "calls" not in told(repository)


def test_a_whole_answer_of_the_api_is_a_file_of_calls_however_long_its_report_is(
    repository: Path, tmp_path: Path
) -> None:
    table = json.loads(aggregate_file(tmp_path / "a", moved=3, other=1).read_bytes())
    report = {"commit": None, "by_answer": [], "by_outcome": [{"outcome": "match", "calls": 4}], "rest": "x" * 9_000}
    for layout in (None, 1):
        (tmp_path / "answer").write_text(json.dumps({**report, "situations": table}, indent=layout))
        assert "3 of 4 calls of the last day" in told(repository, tmp_path / "answer")


def test_lines_that_are_none_of_a_log_are_counted(repository: Path, tmp_path: Path) -> None:
    log = tmp_path / "decisions.log"
    log.write_bytes(b"".join(random_lines(random.Random(1), snapshot_of(), 9)) + b'{"version":2,"ti')
    done = run_program("diff", "main~", "main", "--repo", repository, "--calls", log)
    assert (done.returncode, done.stderr) == (0, "location-policy: 1 line of 10 are none of a decision log\n")


def test_a_service_may_tell_more_than_other_programs_answer(repository: Path, tmp_path: Path) -> None:
    table = json.loads(aggregate_file(tmp_path / "a", moved=3, other=1).read_bytes())
    whole = json.dumps({"rest": "x" * BODY_LIMIT, "situations": table}).encode()
    with running_peer(Large, whole=whole) as url:
        assert told(repository, url) == told(repository, tmp_path / "a")


class Large(PeerHandler):
    """A service that remembers very much."""

    whole: bytes

    def do_GET(self) -> None:  # noqa: N802  as http.server has it
        """All of it."""
        self.say(200, self.whole)


def test_what_holds_no_calls_is_refused(repository: Path, tmp_path: Path) -> None:
    old = aggregate_file(tmp_path / "newer", moved=1)
    old.write_bytes(old.read_bytes().replace(b'"version":1', b'"version":7'))
    for content, said in (
        (b"garbage\n" * 3, "no line is one of a decision log"),
        (b'{"a": 1}', "it is no file of calls"),
    ):
        (tmp_path / "wrong").write_bytes(content)
        done = run_program("diff", "main~", "main", "--repo", repository, "--calls", tmp_path / "wrong")
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
    done = run_program("diff", "main~", "main", "--repo", repository, "--calls", old)
    assert "it is of version 7, and 1 is known here" in done.stderr
    done = run_program("diff", "main~", "main", "--repo", repository, "--calls", "http://127.0.0.1:9/locations.git")
    assert "write --calls http://127.0.0.1:9\n" in done.stderr
    done = run_program("diff", "main~", "main", "--repo", repository, "--calls", "http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (2, "")
