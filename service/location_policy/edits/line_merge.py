"""Lines taken back from a file whose order has no meaning.

git merges by place: two rows that were added one below the other, by two commits, are one conflict to it, and that is
how most maps grow. What a map means does not hang on the order of its rows, so a row can be taken back wherever it
stands, as long as it still stands there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence


def merge_lines(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Our file with the lines by which `theirs` differs from `base`; None where a line that is to go is not there once.

    A line that comes stands after the one that it stands after in `theirs`, or at the end. Blank lines stay.
    """
    before, now, after = (content.split(b"\n") for content in (base, ours, theirs))
    gone = {line for line in set(before).difference(after) if line.strip()}
    times = Counter(now)
    if any(times[line] != 1 for line in gone):
        return None
    coming = _coming(after, set(before).union(now))
    lines = coming.pop(None, [])
    for line in now:
        if line not in gone:
            lines.append(line)
            lines += coming.pop(line, [])
    end = len(lines) - (not lines[-1])  # a file that ends in LF still does
    lines[end:end] = [line for rest in coming.values() for line in rest]
    return b"\n".join(lines)


def _coming(lines: Sequence[bytes], known: set[bytes]) -> dict[bytes | None, list[bytes]]:
    """The lines that are not known, by the known one that they stand after; None: by none."""
    found: dict[bytes | None, list[bytes]] = defaultdict(list)
    anchor = None
    for line in lines:
        if line in known:
            anchor = line
        else:
            found[anchor].append(line)
    return found
