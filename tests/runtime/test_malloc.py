"""Large contents go back to the system."""

from __future__ import annotations

import subprocess
import sys

FILL = """
from location_policy.runtime.malloc import give_back_large_blocks
if {wanted}:
    give_back_large_blocks()

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

bytes(24_000_000)  # from now on glibc keeps blocks of this size
before, held = resident(), []
for _ in range(10):
    held.append(bytearray(b"x" * 4_000_000))
    last = bytes(100_000)  # something small that stays where it is
    held.append(last)
last = held[-1]
del held
print(resident() - before)
"""


def kept(*, wanted: bool) -> int:
    """Bytes that a process has more than before it held forty million."""
    done = subprocess.run([sys.executable, "-c", FILL.format(wanted=wanted)], capture_output=True, check=True)
    return int(done.stdout)


def test_what_is_no_longer_needed_is_given_back() -> None:
    assert kept(wanted=True) < 4_000_000 < kept(wanted=False)
