"""What it costs to remember calls and to tell of them: the answer, the file, a push, and a log of a million lines.

    python benchmarks/measures/call_history.py [--days 30] [--calls 100000] [--addresses 20000] [--lines 1000000]

Processor time of the process. Answers are those of the policy API alone, without a socket; with the history on and off
they take turns, one each.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from benchmarks.measures.signatures_and_logs import QUERY, nothing
from location_policy.calls.decision_line import make_line
from location_policy.calls.history import CallHistory
from location_policy.calls.history_file import HistoryFile, read_history
from location_policy.calls.log_reader import LoggedCalls
from location_policy.calls.recent import today
from location_policy.calls.report import make_report
from location_policy.config.validate import load_map
from location_policy.gate.effect import with_remembered_calls
from location_policy.lookup import decision
from location_policy.lookup.query_string import parse_query
from location_policy.plan.plan import make_plan
from location_policy.rollout.state import ActiveState
from location_policy.web.edge.policy_api import PLAIN_TARGET, PolicyApi
from location_policy.web.ops.metrics import Requests
from tests.calls.situations import situation
from tests.support.maps import files_of, snapshot_of

ROWS = "".join(f"Sydney,Melbourne,10.{one}.0.0/16\n" for one in range(200))
SNAPSHOT = snapshot_of({"locations.csv": ROWS})
EDGE_ROWS = '[[view]]\nname = "edge"\nlocation = "DMZ"\n'
NODES = ("London", "Oslo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--calls", type=int, default=100_000, help="on a day")
    parser.add_argument("--addresses", type=int, default=20_000)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--answers", type=int, default=200_000)
    asked = parser.parse_args()
    chosen = random.Random(19)
    addresses = [f"10.{chosen.getrandbits(8)}.{chosen.getrandbits(8)}.0" for _ in range(asked.addresses)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure_report(folder / "decisions.log", addresses, asked.lines)
        (folder / "location-policy").mkdir()
        measure_file(folder / "location-policy" / "calls.sqlite", addresses, asked.days, asked.calls)
        measure_push(folder)
        measure_answers(folder, asked.answers)


def measure_report(path: Path, addresses: list[str], number: int) -> None:
    """A report on a decision log of so many lines."""
    with path.open("wb") as file:
        for at in range(number):
            query = f"protocol=mssip&ms-subnet={addresses[at % len(addresses)]}&location={NODES[at % 2]}".encode()
            question = decision.understand(SNAPSHOT.rules, parse_query(query))
            answer = decision.answer_question(SNAPSHOT, question)
            file.write(make_line(question, answer, "c" * 40, 83_000, with_names=False))
    began = time.process_time()
    logged = LoggedCalls(datetime.fromtimestamp(0, UTC))
    logged.read(path)
    report = make_report(logged.remembered(), today(), SNAPSHOT)
    seconds = time.process_time() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"report on {report.calls:,} lines  {seconds:.1f} s   {memory:.0f} MB at most", flush=True)


def measure_file(path: Path, addresses: list[str], days: int, calls: int) -> None:
    """A file of so many days."""
    chosen, seconds = random.Random(7), 0.0
    every = [
        situation(ms_subnet=address, remote_address=f"{address[:-1]}7", node_location=NODES[at % 2])
        for at, address in enumerate(addresses)
    ]
    with closing(HistoryFile(path)) as file:
        for day in range(days):
            counts = Counter(chosen.choices(every, k=calls))
            began = time.process_time()
            file.add(today().toordinal() - days + day + 1, counts)
            seconds += time.process_time() - began
    began = time.process_time()
    found = list(read_history(path, 0))
    took = time.process_time() - began
    whole = sum(calls for _, calls, _ in found)
    print(
        f"file of {whole:,} calls, {len(found):,} situations  {path.stat().st_size / 1e6:.1f} MB"
        f"   written in {seconds:.1f} s, read in {took:.2f} s",
        flush=True,
    )


def measure_push(folder: Path) -> None:
    """What a push says of calls, by the file beside the repository, where so many of 10,000 rows differ."""
    rows = [f"Sydney,10.{one // 40}.{one % 40 * 6}.0/24\n" for one in range(10_000)]
    view = {"views/edge/locations.csv": "Oslo,10.0.0.0/8\n", "policy.toml": EDGE_ROWS}
    for more, name in (({}, ""), (view, ", with a view")):
        old = load_map(files_of({"locations.csv": "".join(rows), **more}))
        for number in (1, 40, 200, 10_000):
            every = 10_000 // number
            moved = [row.replace("Sydney", "Perth") if at % every == 0 else row for at, row in enumerate(rows)]
            plan = make_plan(old, load_map(files_of({"locations.csv": "".join(moved), **more})))
            seconds = []
            for _ in range(5):
                began = time.process_time()
                found = with_remembered_calls(plan, folder, {}).calls
                seconds.append(time.process_time() - began)
            told = f"{found.changed:,} calls" if found else "nothing is said, as a second had passed"
            print(f"push that moves {number:,} rows{name}  {median(seconds) * 1000:.0f} ms   {told}", flush=True)


def measure_answers(folder: Path, number: int) -> None:
    """Answers with the history on and off, one after the other."""
    active, target = ActiveState(), PLAIN_TARGET + QUERY
    active.change(snapshot=SNAPSHOT)
    with closing(CallHistory(folder, 30).start()) as history:
        apis = [PolicyApi(active, nothing, [Requests().count, *more]) for more in ([], [history.count])]
        times: list[list[float]] = [[], []]
        for _ in range(number):
            for api, found in zip(apis, times, strict=True):
                began = time.perf_counter_ns()
                api.at_once(target)
                found.append((time.perf_counter_ns() - began) / 1000)
    off, on = (quantiles(found, n=100) for found in times)
    for name, at in (("median", 49), ("99th percentile", 98)):
        print(f"answer, {name}  {on[at]:.1f} us with, {off[at]:.1f} us without: {on[at] / off[at]:.2f} times")


if __name__ == "__main__":
    main()
