"""A restart of each service behind the real HAProxy fails no call, though none is sent a second time."""

from __future__ import annotations

from pathlib import Path

from tests.support.deployments import needs
from tests.system.deploy.load import RATE
from tests.system.deploy.rolling_restart import restart_in_turn

DRAIN = 1.5
"""Seconds: a second more than two checks that fail take, and the last one."""


@needs("haproxy", "haproxy")  # pragma: no cover
def test_services_that_drain_are_restarted_in_turn_and_no_call_fails_without_retries(tmp_path: Path) -> None:
    outcomes = restart_in_turn(tmp_path, DRAIN, "200ms")
    assert set(outcomes) == {"answered"}
    assert outcomes["answered"] > 3 * DRAIN * RATE / 2
