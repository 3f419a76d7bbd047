"""Hostile input, a little of it each time; `make fuzz` goes on for as long as it is given."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz import strategies, targets
from tests.fuzz.targets import Entry

CORPUS = Path(__file__).parent / "corpus"

few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
fewer = settings(few, max_examples=15)


def kept(kind: str) -> list[Path]:
    return sorted((CORPUS / kind).iterdir())


@few
@given(strategies.CONFIGURATIONS)
def test_the_gate_takes_any_files_or_says_what_is_wrong(files: dict[str, bytes]) -> None:
    targets.configuration(files)


@few
@given(strategies.OLD_TABLES, strategies.TABLES)
def test_a_table_from_elsewhere_is_read_or_refused(table: bytes, sites: bytes) -> None:
    targets.tables(table, sites)


@few
@given(strategies.QUERIES)
def test_any_query_has_an_answer(query: bytes) -> None:
    targets.query(query)


@few
@given(strategies.METHODS, strategies.TARGETS, strategies.QUERIES)
def test_any_request_has_an_answer(method: str, path: str, query: bytes) -> None:
    targets.request(method, path, query)
    targets.request(method, path, query, is_ready=False)


@few
@given(strategies.UPDATES)
def test_the_hook_reads_any_standard_input(text: bytes) -> None:
    targets.updates(text)


@fewer
@given(strategies.TREES, strategies.COMMITS)
def test_the_hook_judges_any_tree_and_any_commit(tree: list[Entry], commit: bytes | None) -> None:
    targets.push(tree, commit)


@pytest.mark.parametrize("path", kept("configuration"), ids=lambda path: path.name)
def test_a_kept_configuration_does_no_harm(path: Path) -> None:
    name = "policy.toml" if path.suffix == ".toml" else "locations.csv"
    targets.configuration({"locations.csv": b"Sydney,10.61.2.0/24\n", name: path.read_bytes()})
    targets.configuration({"locations.csv": b"Sydney,10.61.2.0/24\n", "expectations.csv": path.read_bytes()})


@pytest.mark.parametrize("path", kept("query"), ids=lambda path: path.name)
def test_a_kept_query_does_no_harm(path: Path) -> None:
    targets.query(path.read_bytes())
    targets.request("GET", "/policy/v1/participant/location", path.read_bytes())


@pytest.mark.parametrize("path", kept("updates"), ids=lambda path: path.name)
def test_a_kept_standard_input_does_no_harm(path: Path) -> None:
    targets.updates(path.read_bytes())


@pytest.mark.parametrize("path", kept("commit"), ids=lambda path: path.name)
def test_a_kept_commit_does_no_harm(path: Path) -> None:
    targets.push([Entry(b"100644", b"locations.csv", b"Sydney,10.61.2.0/24\n")], path.read_bytes())
