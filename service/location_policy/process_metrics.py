"""What the system knows of our process, as Prometheus has it; where there are several, the sums of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from prometheus_client import ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from .crew import SPENT, Crew

_SUMS: Mapping[str, Callable[[Iterable[float]], float]] = MappingProxyType(
    {"process_start_time_seconds": min, "process_max_fds": min}
)
"""What is no sum: when the first of them began, and how many files each may open."""


class Processes(Collector):
    """The metrics whose names begin with `process_`."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._of_this = ProcessCollector(registry=None)

    def collect(self) -> Iterator[Metric]:
        """The present numbers."""
        crew = self._crew
        if crew.size == 1:
            yield from self._of_this.collect()
            return
        pids = [crew.main_pid, *(facts["pid"] for _, facts in crew.present())]
        yield from summed(pids, spent=crew.board.cells[SPENT] / 1000)


def summed(pids: Iterable[int], *, spent: float = 0.0) -> Iterator[Metric]:
    """The metrics of these processes as if they were one, which has had a past in which it used `spent` seconds."""
    families: dict[str, list[Metric]] = {}
    for pid in pids:
        for family in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
            families.setdefault(family.samples[0].name, []).append(family)
    for name, found in families.items():
        value = _SUMS.get(name, sum)(family.samples[0].value for family in found)
        value += spent if name == "process_cpu_seconds_total" else 0
        found[0].samples = [found[0].samples[0]._replace(value=value)]
        yield found[0]
