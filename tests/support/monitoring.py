"""What `/metrics` says, line by line, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from location_policy.web.ops.metrics import Metrics
from tests.support.service import Service

Samples = dict[str, float]
"""Numbers by name and labels, as in `location_policy_state{state="in-sync"}`."""


def samples_of(exposition: str) -> Samples:
    """Every number of an exposition in the text format."""
    return {
        _name(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }


def scrape(source: Service | Metrics) -> Samples:
    """The numbers that a service tells over HTTP, or that its metrics would tell."""
    body = source.ask("/metrics").body if isinstance(source, Service) else source.render("")[0]
    return samples_of(body.decode())


def _name(name: str, labels: dict[str, str]) -> str:
    told = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{told}}}" if told else name
