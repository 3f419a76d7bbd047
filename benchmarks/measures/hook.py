"""What the hook adds to a push: one changed row, and a thousand commits of one changed row each.

    python benchmarks/measures/hook.py [--rows 10000] [--turns 21] [--commits 1000] [--long-turns 5] [--expectations 0]

Two repositories hold the same map, one with the hook and one without. Every turn pushes the same commits to both, now
one first and now the other, so that a noisy moment hits both. Printed are seconds: the median with its quartiles of
each push, and of what the hook adds in the same turn.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

PROGRAM = Path(sys.executable).with_name("location-policy")
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{who}_{what}": "benchmark" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}
NAMES = ("Sydney", "Melbourne", "Singapore", "Frankfurt", "Amsterdam", "Oslo")


def run(*command: str | Path, cwd: Path, stdin: bytes = b"") -> str:
    done = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, input=stdin, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stderr.decode()}")
    return done.stdout.decode().strip()


def row(number: int) -> str:
    names = random.sample(NAMES, 3)
    return f"{','.join(names)},{10 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.0/24"


def expectation(number: int) -> str:
    """Nothing of it is in the map, nor ever will be; so it holds, and costs what any other costs."""
    return f"172.{16 + (number >> 16)}.{number >> 8 & 255}.{number & 255},,number {number}\n"


class Map:
    """Rows in several files, one of which changes at a time."""

    def __init__(self, rows: int, files: int) -> None:
        self.paths = [f"locations/region-{number:02}.csv" for number in range(files)]
        self.rows = [[row(number) for number in range(rows)[start::files]] for start in range(files)]

    def content(self, file: int) -> bytes:
        return "".join(f"{line}\n" for line in self.rows[file]).encode()

    def change(self) -> tuple[str, bytes]:
        """The path and the content of a file of which one row is new."""
        file = random.randrange(len(self.paths))
        line = random.randrange(len(self.rows[file]))
        *_, network = self.rows[file][line].split(",")
        self.rows[file][line] = (
            f"{','.join((*random.sample(NAMES, 2), f'Rack {random.randrange(10**9)}'))},{network}"  # a line never seen
        )
        return self.paths[file], self.content(file)


class Site:
    """Two bare repositories with the same map, one of them with the hook, and a clone that pushes to both."""

    def __init__(self, folder: Path, the_map: Map, expectations: int) -> None:
        self.map, self.clone = the_map, folder / "clone"
        start = folder / "start"
        start.mkdir()
        if expectations:
            (start / "expectations.csv").write_text("".join(map(expectation, range(expectations))))
        for file, path in enumerate(the_map.paths):
            (start / path).parent.mkdir(parents=True, exist_ok=True)
            (start / path).write_bytes(the_map.content(file))
        self.repositories = {name: folder / f"{name}.git" for name in ("hook", "plain")}
        run(PROGRAM, "init", self.repositories["hook"], "--from", start, cwd=folder)
        run("cp", "-r", self.repositories["hook"], self.repositories["plain"], cwd=folder)
        (self.repositories["plain"] / "hooks" / "pre-receive").unlink()
        run("git", "clone", "--quiet", self.repositories["hook"], self.clone, cwd=folder)
        run("git", "tag", "start", cwd=self.clone)

    def commit(self, number: int) -> None:
        """That many commits, each of one changed row."""
        stream = [b"feature done\nreset refs/heads/main\nfrom refs/tags/start\n\n"]
        for count in range(number):
            path, content = self.map.change()
            stream.append(b"commit refs/heads/main\ncommitter b <b> %d +0000\n" % (1_700_000_000 + count))
            stream.append(
                b"data 14\nChange one row\nM 100644 inline %s\ndata %d\n%b\n" % (path.encode(), len(content), content)
            )
        run("git", "fast-import", "--quiet", "--force", cwd=self.clone, stdin=b"".join([*stream, b"done\n"]))

    def push(self, name: str) -> float:
        repository = self.repositories[name]
        before = run("git", "rev-parse", "main", cwd=repository)
        start = time.perf_counter()
        run("git", "push", "--quiet", repository, "main", cwd=self.clone)
        took = time.perf_counter() - start
        run("git", "update-ref", "refs/heads/main", before, cwd=repository)
        return took

    def turns(self, turns: int, commits: int) -> Iterator[dict[str, float]]:
        for turn in range(turns):
            self.commit(commits)
            names = ("hook", "plain") if turn % 2 else ("plain", "hook")
            yield {name: self.push(name) for name in names}


def shown(values: list[float]) -> str:
    low, middle, high = quantiles(values, n=4)
    return f"{middle:7.3f} ({low:.3f}-{high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the hook adds to a push.")
    for name, default in (("rows", 10_000), ("turns", 21), ("commits", 1_000), ("long-turns", 5), ("expectations", 0)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default: {default:,}")
    asked = parser.parse_args()
    print(f"{f'{asked.rows:,} rows':28}{'push with hook':>23}{'push without':>23}{'the hook adds':>23}")
    for files in (1, 20):
        with tempfile.TemporaryDirectory() as folder:
            site = Site(Path(folder), Map(asked.rows, files), asked.expectations)
            for commits, turns in ((1, asked.turns), (asked.commits, asked.long_turns)):
                took = list(site.turns(turns, commits))
                hook, plain = ([turn[name] for turn in took] for name in ("hook", "plain"))
                added = [with_hook - without for with_hook, without in zip(hook, plain, strict=True)]
                label = f"{files} file(s), {commits:,} commit(s)"
                print(f"{label:28}{shown(hook):>23}{shown(plain):>23}{shown(added):>23}", flush=True)


if __name__ == "__main__":
    main()
