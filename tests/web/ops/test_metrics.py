"""What is counted, and what Prometheus is told of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy import __version__
from location_policy.config.policy_toml import PROTOCOLS, Rules
from location_policy.gate.hooks import Hook
from location_policy.lookup import answers
from location_policy.lookup import decision as policy
from location_policy.lookup.answers import AnswerEncoder
from location_policy.lookup.decision import Question
from location_policy.lookup.query_string import Pairs
from location_policy.repository.remote.looks import Looks
from location_policy.rollout.notify.changes import Change
from location_policy.rollout.notify.outbox import Outbox
from location_policy.rollout.state import ActiveState, StateName, now
from location_policy.web.ops import metrics as module
from location_policy.web.ops.metrics import BUCKETS, HELP, STATES, Metrics, Requests
from tests.integrations.notify.receiving import EVENT
from tests.support.maps import COMMIT, EDGE, MOMENT, snapshot_of
from tests.support.monitoring import scrape

MICROSECOND = 1000
RESULTS = ("sent", "failed", "dropped")
NO_OPINION = AnswerEncoder(Rules(), None).no_opinion("")


def metrics_of(
    active: ActiveState | None = None, requests: Requests | None = None, dropped: int = 0, ends: datetime | None = None
) -> Metrics:
    return Metrics(active or ActiveState(), requests or Requests(), lambda: dropped, {}, lambda: ends)


def asked(protocol: str) -> Question:
    return Question(protocol, "", "", Pairs())


def counted(*protocols: str, took: int = 80 * MICROSECOND) -> Requests:
    """An answer to each of these protocols."""
    requests = Requests()
    for protocol in protocols:
        requests.count(asked(protocol), NO_OPINION, None, took)
    return requests


# --- requests ---


def test_answers_are_counted_by_outcome_and_protocol() -> None:
    requests = counted("mssip", "mssip")
    requests.count(asked("mssip"), answers.not_ready(), None, 1)
    found = scrape(metrics_of(requests=requests))
    assert found['location_policy_requests_total{outcome="no-opinion",protocol="mssip"}'] == 2
    assert found['location_policy_requests_total{outcome="not-ready",protocol="mssip"}'] == 1


def test_answers_of_views_are_counted_by_the_names_in_the_map() -> None:
    requests = counted("mssip")
    for view in ("edge", "gone"):
        answer = AnswerEncoder(Rules(answer=("DMZ",)), None, view).answered("mssip")
        requests.count(asked("mssip"), answer, None, 1)
    active = ActiveState()
    active.change(snapshot=snapshot_of({"policy.toml": EDGE, "locations.csv": "Oslo,192.0.2.0/24\n"}))
    found = scrape(metrics_of(active, requests))
    assert {key: number for key, number in found.items() if "requests_total" in key and number} == {
        'location_policy_requests_total{outcome="no-opinion",protocol="mssip"}': 1,
        'location_policy_requests_total{outcome="answer",protocol="mssip",view="edge"}': 1,
    }


def test_answers_are_counted_by_the_locations_in_the_map_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = counted("mssip")
    wording = AnswerEncoder(Rules(answer=("DMZ",)), None, "edge")
    for _ in range(2):
        requests.count(asked("mssip"), wording.answered("mssip"), None, 1)
    active = ActiveState()
    active.change(snapshot=snapshot_of({"policy.toml": EDGE, "locations.csv": "Oslo,192.0.2.0/24\n"}))
    expected = {'{location="Oslo"}': 0, '{location="DMZ",view="edge"}': 2, '{location="other"}': 0}
    assert answers_in(scrape(metrics_of(active, requests))) == expected
    monkeypatch.setattr(module, "NAMED", 0)
    assert answers_in(scrape(metrics_of(active, requests))) == {'{location="other"}': 2}


def test_a_default_without_a_row_is_among_the_locations_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = '[answer]\ndefault = "Melbourne"\n' + EDGE
    active, requests = ActiveState(), counted("mssip")
    active.change(snapshot=snapshot_of({"policy.toml": rules, "locations.csv": "Sydney,10.0.0.0/9\nOslo,10.0.0.0/8\n"}))
    requests.by_location.update({("Sydney", ""): 3, ("Melbourne", ""): 2, ("Perth", ""): 1, ("Sydney", "gone"): 1})
    told = {'{location="DMZ",view="edge"}': 0, '{location="Melbourne"}': 2, '{location="Oslo"}': 0}
    assert answers_in(scrape(metrics_of(active, requests))) == {
        **told,
        '{location="Sydney"}': 3,
        '{location="other"}': 0,
    }
    monkeypatch.setattr(module, "NAMED", 3)
    assert answers_in(scrape(metrics_of(active, requests))) == {**told, '{location="other"}': 3}


def test_very_many_locations_cost_a_scrape_no_more_than_those_that_are_told() -> None:
    took = []
    snapshot = snapshot_of({"locations.csv": "Oslo,192.0.2.0/24\n"})
    for number in (2_000, 500_000):
        active = ActiveState()
        active.change(snapshot=replace(snapshot, locations=dict.fromkeys(map("{:06}".format, range(number)), 1)))
        metrics = metrics_of(active)
        began = time.process_time()
        scrape(metrics)
        took.append(time.process_time() - began)
    assert took[1] < 10 * took[0]


def answers_in(found: Mapping[str, float]) -> dict[str, float]:
    name = "location_policy_answers_total"
    return {key.removeprefix(name): number for key, number in found.items() if key.startswith(name)}


def test_a_protocol_that_is_not_known_counts_as_other_and_none_as_none() -> None:
    requests = counted(*PROTOCOLS, "", "x", "y", 'a"b\n')
    protocols = {protocol for _, protocol, _ in requests.by_label}
    assert protocols == PROTOCOLS | {"none", "other"}
    assert requests.by_label["no-opinion", "other", ""] == 3


def test_the_histogram_counts_an_answer_in_every_bucket_that_holds_it() -> None:
    requests = counted("sip", took=50 * MICROSECOND)
    requests.count(asked("sip"), NO_OPINION, None, 60 * MICROSECOND)
    requests.count(asked("sip"), NO_OPINION, None, 2_000_000 * MICROSECOND)
    found = scrape(metrics_of(requests=requests))
    name = "location_policy_request_duration_seconds"
    assert [found[f'{name}_bucket{{le="{le}"}}'] for le in ("5e-05", "0.0001", "1.0", "+Inf")] == [1, 2, 2, 3]
    assert found[f"{name}_count"] == 3
    assert found[f"{name}_sum"] == pytest.approx(2.00011)
    assert found["location_policy_request_seconds_count"] == 3  # by the old name, for one release


def test_the_buckets_go_from_fifty_microseconds_to_a_second() -> None:
    assert (BUCKETS[0], BUCKETS[-1]) == (50 * MICROSECOND, 1_000_000 * MICROSECOND)
    assert list(BUCKETS) == sorted(set(BUCKETS))


@given(st.lists(st.tuples(st.text(max_size=8), st.integers(0, 10**12)), max_size=20))
def test_whatever_is_asked_the_sums_hold(exchanges: list[tuple[str, int]]) -> None:
    requests = Requests()
    for protocol, took in exchanges:
        question = policy.understand(snapshot_of().rules, Pairs([("protocol", protocol)]))
        requests.count(question, NO_OPINION, None, took)
    assert sum(requests.by_label.values()) == sum(requests.by_bucket) == len(exchanges)
    assert len(requests.by_label) <= len(PROTOCOLS) + 2
    assert scrape(metrics_of(requests=requests))["location_policy_request_seconds_count"] == len(exchanges)


def test_every_series_is_there_from_the_start_at_0_and_no_request_adds_one() -> None:
    before = scrape(metrics_of())
    counters = {name: number for name, number in before.items() if "_total" in name and "process_" not in name}
    assert 'location_policy_requests_total{outcome="bad-address",protocol="mssip"}' in counters
    assert 'location_policy_webhooks_total{result="unproven"}' in counters
    assert not any(counters.values())
    requests = counted(*PROTOCOLS, "", "x")
    assert scrape(metrics_of(requests=requests)).keys() == before.keys()
    assert len(before) < 250


# --- the program ---


def test_the_version_is_told_with_the_commit_that_it_was_built_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert scrape(metrics_of())[f'location_policy_build_info{{revision="",version="{__version__}"}}'] == 1
    monkeypatch.setattr("location_policy.web.ops.metrics.__revision__", COMMIT.id)
    assert scrape(metrics_of())[f'location_policy_build_info{{revision="{COMMIT.id}",version="{__version__}"}}'] == 1


def test_the_end_of_the_certificate_is_told_where_there_is_one() -> None:
    name = "location_policy_certificate_expiry_timestamp_seconds"
    assert name not in scrape(metrics_of())
    assert scrape(metrics_of(ends=MOMENT))[name] == MOMENT.timestamp()


# --- what is in force ---


def test_before_a_first_snapshot_there_is_no_commit_and_no_time() -> None:
    found = scrape(metrics_of())
    assert found["location_policy_active_subnets"] == 0
    assert found['location_policy_state{state="starting"}'] == 1
    assert not [name for name in found if "timestamp" in name or "active_info" in name]


def test_what_is_in_force_is_told() -> None:
    active = ActiveState()
    snapshot = snapshot_of()
    active.change(snapshot=snapshot, last_checked_at=MOMENT, hook=Hook("missing"))
    found = scrape(metrics_of(active))
    assert found[f'location_policy_active_info{{commit="{COMMIT.id}"}}'] == 1
    assert found["location_policy_active_subnets"] == 2
    assert found["location_policy_loaded_timestamp_seconds"] == pytest.approx(snapshot.loaded_at.timestamp())
    assert found["location_policy_last_check_timestamp_seconds"] == MOMENT.timestamp()
    assert found['location_policy_hook{state="missing"}'] == 1
    assert found['location_policy_hook{state="ok"}'] == 0


def test_the_looks_at_a_remote_are_told_once_it_was_asked() -> None:
    active = ActiveState()
    before = [name for name in scrape(metrics_of(active)) if "fetch" in name]
    active.change(looks=Looks())
    assert before == [name for name in scrape(metrics_of(active)) if "fetch" in name]
    assert before == [f'location_policy_fetches_total{{result="{result}"}}' for result in ("ok", "failed")]
    active.change(looks=Looks(MOMENT, ok=3, failed=1, seconds=0.25))
    found = scrape(metrics_of(active))
    assert [found[name] for name in before] == [3, 1]
    assert found["location_policy_fetch_duration_seconds"] == 0.25
    assert found["location_policy_last_successful_fetch_timestamp_seconds"] == MOMENT.timestamp()


@pytest.mark.parametrize(("checked_at", "number"), [(MOMENT, 1), (now(), 0)])
def test_whether_what_is_served_is_stale_is_told_where_a_limit_is_set(checked_at: datetime, number: int) -> None:
    active = ActiveState()
    active.change(last_checked_at=checked_at)
    assert scrape(metrics_of(active))["location_policy_stale"] == 0
    active.change(max_stale=timedelta(hours=1))
    assert scrape(metrics_of(active))["location_policy_stale"] == number


def test_every_state_is_told_and_one_of_them_is_1() -> None:
    found = scrape(metrics_of())
    states = {name: number for name, number in found.items() if name.startswith("location_policy_state")}
    assert sorted(states.values()) == [0] * (len(STATES) - 1) + [1]
    assert {f'location_policy_state{{state="{state}"}}' for state in STATES} == set(states)
    assert set(get_args(StateName)) | {"pinned"} == set(STATES)


def test_loads_and_lost_lines_are_told() -> None:
    active = ActiveState()
    for result in ("active", "active", "refused"):
        active.count(result)
    found = scrape(metrics_of(active, dropped=7))
    loads = [found[f'location_policy_loads_total{{result="{result}"}}'] for result in active.loads]
    assert (loads, found["location_policy_decision_log_dropped_total"]) == ([2, 1, 0], 7)


def test_the_process_is_told_too() -> None:
    found = scrape(metrics_of())
    assert found["process_resident_memory_bytes"] > 0
    assert found["process_cpu_seconds_total"] > 0


def test_every_metric_of_ours_is_told_and_no_other() -> None:
    told = {family.name for family in metrics_of().collect()}
    assert told == {name.removesuffix("_total") for name in HELP}


# --- the forms of the exposition ---


def test_openmetrics_is_given_to_who_asks_for_it() -> None:
    body, content_type = metrics_of().render("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "application/openmetrics-text;version=x", ";;=,"])
def test_anybody_else_gets_the_text_format(accept: str) -> None:
    body, content_type = metrics_of().render(accept)
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert body.startswith(b"# HELP location_policy_build_info")


def test_who_is_told_of_changes_is_counted_from_the_start() -> None:
    outbox = Outbox(lambda: "hooks.example.com", lambda _: None, lambda _: None)
    outbox.put(Change("active", "c", EVENT))
    found = scrape(Metrics(ActiveState(), Requests(), lambda: 0, {}, lambda: None, outboxes={"notify": outbox}))
    results = {
        result: found[f'location_policy_notifications_total{{receiver="notify",result="{result}"}}']
        for result in RESULTS
    }
    assert results == dict.fromkeys(RESULTS, 0)
    assert found['location_policy_notifications_waiting{receiver="notify"}'] == 1
