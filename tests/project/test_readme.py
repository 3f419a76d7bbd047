"""What the README says, held to what runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

from location_policy.problems import CODES
from tests.support.program import run_program
from tests.support.repositories import clone, init
from tests.support.service import running_service

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def test_the_table_of_codes_is_the_programs() -> None:
    weights = {code: entry.severity if entry.adjustable else "fixed" for code, entry in CODES.items()}
    rows = [f"| `{code}` | {entry.meaning} | {weights[code]} |" for code, entry in CODES.items()]
    assert "\n".join(rows) in README


def test_the_answer_shown_is_the_one_that_the_sample_map_gives(tmp_path: Path) -> None:
    block = re.search(r"```json\n(.*?)\n```", README, re.DOTALL)
    assert block
    shown = json.loads(block[1])
    with running_service(init(tmp_path / "locations.git")) as service:
        given = service.locate("10.61.2.0").json()
    assert given | {"policy.commit": ""} == shown | {"policy.commit": ""}


def test_the_refusal_shown_is_the_one_that_the_hook_prints(tmp_path: Path) -> None:
    block = re.search(r"```text\n(.*?)\n```", README, re.DOTALL)
    assert block
    copy = clone(init(tmp_path / "locations.git"), tmp_path / "map")
    with (copy.path / "locations" / "apac.csv").open("a") as file:
        file.write("Perth,Sydney,10.61.9.0/23\n")
    copy.git("commit", "--quiet", "--all", "--message", "Add Perth")
    said = [line.rstrip() for line in copy.push().stderr.splitlines() if line.startswith("remote:")]
    commit = re.compile(r"commit [0-9a-f]{10}")
    assert commit.sub("commit", "\n".join(said)) == commit.sub("commit", block[1])


def test_the_rules_shown_are_valid_with_all_their_comments_taken_off(tmp_path: Path) -> None:
    block = re.search(r"```toml\n(.*?)\n```", README, re.DOTALL)
    assert block
    (tmp_path / "policy.toml").write_text(re.sub(r"^# (?=[\w[])", "", block[1], flags=re.MULTILINE))
    (tmp_path / "locations.csv").write_text("Sydney,Melbourne,10.61.2.0/24\n")
    assert run_program("check", tmp_path).stderr == "1 subnet in 1 file and 1 view: no problem\n"


def test_every_command_and_option_is_told() -> None:
    for command in ("init", "serve", "check", "lookup", "pre-receive"):
        assert f"`location-policy {command}" in README
        assert run_program(command, "--help").returncode == 0
