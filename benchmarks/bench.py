"""The service beside what would be used instead of it: speed, roll-outs, memory, in one table.

    make bench [QUICK=1] [ARGS='--prefixes FILE']

Everything runs on this machine: servers on its first core, load on its second. Two servers are compared in short slices
by turns, and what is told is the median of the ratios with its quartiles. A peer that is not installed is passed over.
`--prefixes` (or BGP_PREFIXES) names a routing table, a network a line; without it the networks are made up.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.side_by_side.answers import Answers
from benchmarks.side_by_side.commands import Commands
from benchmarks.side_by_side.idle import Idle
from benchmarks.side_by_side.pairs import Row
from benchmarks.side_by_side.peers import NotInstalled
from benchmarks.side_by_side.rollouts import Rollouts
from benchmarks.side_by_side.site import Site


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two minutes: fewer slices, no large map")
    parser.add_argument("--prefixes", type=Path, default=os.environ.get("BGP_PREFIXES"), help="a routing table")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="where the figures go as JSON")
    parser.add_argument("--only", default="", help="measure only rows whose name holds this")
    arguments = parser.parse_args()
    if (os.cpu_count() or 1) < 2:
        print("bench: two cores are needed, one for the server and one for the load", file=sys.stderr)
        return 2
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        prefixes = Path(arguments.prefixes) if arguments.prefixes else None
        site = Site(Path(name), prefixes, quick=arguments.quick)
        for row in measured((Answers(site), Rollouts(site), Commands(site), Idle(site)), arguments.only):
            rows.append(row)
            print(row.shown(), flush=True)
            write(arguments.json, rows)  # what was measured stays, also if a later measure fails
    print(f"written: {arguments.json}")
    return 0


def write(path: Path, rows: list[Row]) -> None:
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "system": platform.platform()}
    path.write_text(json.dumps({"machine": machine, "rows": [asdict(row) for row in rows]}, indent=2) + "\n")


def measured(parts: Iterable[Answers | Rollouts | Commands | Idle], only: str) -> Iterator[Row]:
    for part in parts:
        for name, measure in part.rows():
            if only not in name:
                continue
            try:
                yield from measure()
            except NotInstalled as error:
                yield Row(name, f"passed over: {error}", "", None)
            except Exception as error:  # noqa: BLE001  the rim: one row that fails is not to cost the others
                traceback.print_exc()
                yield Row(name, f"failed: {type(error).__name__}", "", None)


if __name__ == "__main__":
    sys.exit(main())
