"""deploy/monitoring and docs/run/logs-and-metrics.md, held to what the service tells and to what Prometheus takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from location_policy.calls.decision_line import KEYS, NAMES
from location_policy.web.ops.metrics import HELP

ROOT = Path(__file__).parent.parent.parent.parent
ALERTS = (ROOT / "deploy" / "monitoring" / "alerts.yml").read_text()
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "monitoring" / "dashboard.json").read_text())
DOCUMENT = (ROOT / "docs" / "run" / "logs-and-metrics.md").read_text()


def metrics_in(text: str) -> set[str]:
    """Our metrics that a text names, a part of a histogram as the whole."""
    names = re.findall(r"\blocation_policy_\w+", text)
    return {name if name in HELP else re.sub(r"_(bucket|count|sum)$", "", name) for name in names}


def targets() -> list[dict[str, Any]]:
    return [target for panel in DASHBOARD["panels"] for target in panel["targets"]]


def test_the_alerts_name_only_metrics_that_there_are() -> None:
    assert metrics_in(ALERTS) <= set(HELP)


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    told = metrics_in(json.dumps(DASHBOARD))
    assert told == {name for name, meaning in HELP.items() if not meaning.startswith("Deprecated: ")}


def test_the_dashboard_takes_its_data_from_the_chosen_source_alone() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    variables = DASHBOARD["templating"]["list"]
    assert (variables[0]["name"], variables[0]["type"]) == ("datasource", "datasource")
    named = [*DASHBOARD["panels"], *targets(), *variables[1:], *DASHBOARD["annotations"]["list"]]
    assert all(one["datasource"] == chosen for one in named)


def test_the_dashboard_can_be_imported() -> None:
    """Grafana wants a title, and panels whose ids differ and whose places do not overlap."""
    panels = DASHBOARD["panels"]
    assert DASHBOARD["title"]
    assert "id" not in DASHBOARD
    assert len({panel["id"] for panel in panels}) == len(panels)
    fields = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(fields) == len(set(fields))
    assert max(x for x, _ in fields) < 24


@pytest.mark.parametrize("alert", re.findall(r"alert: (\w+)", ALERTS))
def test_every_alert_has_a_unit_test_in_which_it_fires(alert: str) -> None:
    tests = (Path(__file__).parent / "alerts.test.yml").read_text()
    assert re.search(rf"alertname: {alert}\n\s+eval_time: \w+\n\s+exp_alerts:", tests)
    assert alert in DOCUMENT


def test_the_document_has_every_metric_as_the_program_explains_it() -> None:
    assert "\n".join(f"| `{name}` | {meaning} |" for name, meaning in rows_of_metrics()) in DOCUMENT


def rows_of_metrics() -> list[tuple[str, str]]:
    labels = {
        "location_policy_build_info": "{version,revision}",
        "location_policy_requests_total": "{outcome,protocol,view}",
        "location_policy_answers_total": "{location,view}",
        "location_policy_active_info": "{commit}",
        "location_policy_loads_total": "{result}",
        "location_policy_pushes_total": "{result}",
        "location_policy_fetches_total": "{result}",
        "location_policy_webhooks_total": "{result}",
        "location_policy_notifications_total": "{receiver,result}",
        "location_policy_notifications_waiting": "{receiver}",
        "location_policy_state": "{state}",
        "location_policy_hook": "{state}",
        "location_policy_followers": "{state}",
    }
    return [(f"{name}{labels.get(name, '')}", meaning) for name, meaning in HELP.items()]


@pytest.mark.parametrize("keys", [KEYS, NAMES], ids=["always", "with names"])
def test_the_document_has_every_key_of_the_decision_log(keys: dict[str, str]) -> None:
    assert "\n".join(f"| `{key}` | {meaning} |" for key, meaning in keys.items()) in DOCUMENT
