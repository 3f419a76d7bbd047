"""What the checks of a map that can be served add to the gate.

    python benchmarks/measures/lint.py [--rows 10000 100000] [--turns 7]

Printed are milliseconds of processor time, medians: the gate without these checks, with them, and what they add, for
maps of which few rows, a quarter, or all are told.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from statistics import median
from time import process_time

from location_policy.config.files import File
from location_policy.config.location_map import LocationMap
from location_policy.config.validate import Validator

NAMES = [f"{city} {number}" for city in ("Sydney", "Melbourne", "Singapore", "Frankfurt") for number in range(50)]


def few(number: int) -> str:
    """Subnets side by side."""
    names = f"{NAMES[number % 100]},{NAMES[100 + number * 7 % 100]}"
    return f"{names},10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32"


def quarter(number: int) -> str:
    """Subnets in subnets, of which chance makes a quarter redundant."""
    outer = number // 4 * 4
    length = 32 if number % 4 else 30
    return f"{NAMES[random.randrange(3)]},10.{outer >> 16}.{outer >> 8 & 255}.{number & 255}/{length}"


def all_of_them(number: int) -> str:
    """One row for all, and the others in it."""
    return f"Sydney,10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32" if number else "Sydney,0.0.0.0/0"


def milliseconds(load: Callable[[], LocationMap], turns: int) -> float:
    took = []
    for _ in range(turns):
        start = process_time()
        load()
        took.append((process_time() - start) * 1_000)
    return median(took)


def measure(rows: int, row: Callable[[int], str], turns: int) -> None:
    content = "\n".join(dict.fromkeys(map(row, range(rows)))).encode()
    file, validator = File("locations.csv", "file", len(content), "1", content), Validator()
    told = len(validator.load_map([file]).warnings)
    plain = milliseconds(lambda: validator.load_map([file], errors_only=True), turns)
    checked = milliseconds(lambda: validator.load_map([file]), turns)
    print(f"{rows:>9,} {told:>9,} told {plain:>9.1f} {checked:>9.1f} {checked - plain:>9.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the checks of a map that can be served cost.")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--turns", type=int, default=7)
    asked = parser.parse_args()
    print(f"{'rows':>9} {'':>14} {'without':>9} {'with':>9} {'added':>9}")
    for rows in asked.rows:
        for row in (few, quarter, all_of_them):
            measure(rows, row, asked.turns)


if __name__ == "__main__":
    main()
