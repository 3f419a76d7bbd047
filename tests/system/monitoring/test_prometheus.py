"""The metrics, the alerts and the dashboard before the real promtool and the real Prometheus.

Without them (on Debian: package prometheus) these tests are skipped, and coverage does not ask for them.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest

from tests.support.repositories import GOOD, make_repository
from tests.support.service import Service, running_service, wait_until

ROOT = Path(__file__).parent.parent.parent.parent
MONITORING = ROOT / "deploy" / "monitoring"

needs_prometheus = pytest.mark.skipif(
    not (shutil.which("promtool") and shutil.which("prometheus")),
    reason="promtool and prometheus are not installed; on Debian and Ubuntu: apt install prometheus",
)

CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}}
rule_files: [{rules}]
scrape_configs: [{{job_name: location-policy, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
"""


def promtool(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:  # pragma: no cover
    return subprocess.run(
        ["promtool", *arguments], input=stdin, stdout=-1, stderr=subprocess.STDOUT, check=False, timeout=60
    )


@needs_prometheus
def test_the_alert_rules_are_valid() -> None:  # pragma: no cover
    done = promtool("check", "rules", MONITORING / "alerts.yml")
    assert done.returncode == 0, done.stdout.decode()


@needs_prometheus
def test_every_alert_fires_when_it_should_and_not_before() -> None:  # pragma: no cover
    done = promtool("test", "rules", Path(__file__).parent / "alerts.test.yml")
    assert done.returncode == 0, done.stdout.decode()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:  # pragma: no cover
    """A service that was asked something."""
    with running_service(make_repository(tmp_path / "locations.git", GOOD)) as running:
        for address in ("10.61.2.0", "192.0.2.1", "x"):
            running.locate(address)
        yield running


@needs_prometheus
def test_promtool_finds_nothing_wrong_with_the_metrics(service: Service) -> None:  # pragma: no cover
    done = promtool("check", "metrics", stdin=service.ask("/metrics").body)
    assert (done.returncode, done.stdout) == (0, b"")


@needs_prometheus
def test_prometheus_scrapes_the_service_and_runs_every_rule_and_panel(
    service: Service, tmp_path: Path
) -> None:  # pragma: no cover
    with prometheus(service, tmp_path) as port:
        scraped = 'location_policy_requests_total{outcome="match",protocol="mssip"}'
        wait_until(lambda: [one["value"][1] for one in query(port, scraped)] == ["1"])
        in_sync = [one["metric"]["state"] for one in query(port, "location_policy_state == 1")]
        assert in_sync == ["in-sync"]
        wait_until(lambda: all(rule["health"] == "ok" for rule in rules(port)), lambda: rules(port))
        for expression in expressions():
            query(port, expression)  # asserts that Prometheus could


@contextmanager
def prometheus(service: Service, folder: Path) -> Iterator[int]:  # pragma: no cover
    """The port of a Prometheus that scrapes this service."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(rules=json.dumps(str(MONITORING / "alerts.yml")), port=service.port))
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        wait_until(lambda: is_ready(port), (folder / "prometheus.log").read_text)
        yield port
    finally:
        process.kill()
        process.wait()


def is_ready(port: int) -> bool:  # pragma: no cover
    with suppress(OSError):
        return ask(port, "/-/ready")[0] == 200
    return False


def ask(port: int, target: str) -> tuple[int, bytes]:  # pragma: no cover
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def query(port: int, expression: str) -> list[dict[str, Any]]:  # pragma: no cover
    """The present result of an expression."""
    status, body = ask(port, f"/api/v1/query?query={quote(expression)}")
    assert status == 200, body
    return cast("list[dict[str, Any]]", json.loads(body)["data"]["result"])


def rules(port: int) -> list[dict[str, Any]]:  # pragma: no cover
    groups = json.loads(ask(port, "/api/v1/rules")[1])["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:  # pragma: no cover
    """Those of the dashboard, as Grafana asks them."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    found += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
    return [one.replace("$__rate_interval", "1m").replace("$job", ".*").replace("$instance", ".*") for one in found]
