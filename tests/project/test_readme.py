"""What the README says, held to what runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

from docs.push_picture import WIDE, picture, session, without_ids
from tests.support.program import run_program
from tests.support.repositories import clone, init
from tests.support.service import running_service

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()


def test_it_is_one_page() -> None:
    assert len(README.splitlines()) <= 110


def test_the_answer_shown_is_the_one_that_the_sample_map_gives(tmp_path: Path) -> None:
    block = re.search(r"```json\n(.*?)\n```", README, re.DOTALL)
    assert block
    shown = json.loads(block[1])
    with running_service(init(tmp_path / "locations.git")) as service:
        given = service.locate("10.61.2.0").json()
    assert given | {"policy.commit": ""} == shown | {"policy.commit": ""}


def test_the_push_shown_is_the_one_that_the_hook_prints(tmp_path: Path) -> None:
    shown = (ROOT / "docs" / "images" / "push.svg").read_text()
    assert "main is rejected" in shown
    assert "valid: 1 commit" in shown
    assert without_ids(picture(session(tmp_path))) == without_ids(shown)  # else: make docs


def test_what_is_typed_is_what_the_push_shown_was(tmp_path: Path) -> None:
    copy = clone(init(tmp_path / "locations.git"), tmp_path / "map")
    row = re.search(r"    echo '(.*)' >> locations/apac.csv\n", README)
    assert row
    copy.commit({"locations/apac.csv": (copy.path / "locations" / "apac.csv").read_text() + f"{row[1]}\n"})
    said = copy.push().stderr
    shown = (ROOT / "docs" / "images" / "push.svg").read_text()
    told = [
        line.rstrip()
        for line in said.splitlines()
        if line.startswith("remote:") and ("error:" in line or "hint:" in line)
    ]
    assert len(told) == 4
    assert all(f">{line.replace('  ', WIDE)}</text>" in shown for line in told)


def test_the_ten_lines_of_configuration_are_valid_and_are_ten(tmp_path: Path) -> None:
    blocks: dict[str, str] = dict(re.findall(r"```(csv|toml)\n(.*?)```", README, re.DOTALL))
    (tmp_path / "locations.csv").write_text(blocks["csv"])
    (tmp_path / "policy.toml").write_text(blocks["toml"])
    assert run_program("check", tmp_path).stderr == "3 subnets in 1 file: no problem\n"
    assert sum(not line.startswith("#") for text in blocks.values() for line in text.splitlines()) == 10


def test_every_command_named_is_there() -> None:
    for command in re.findall(r"`location-policy ([a-z-]+)", README):
        assert run_program(command, "--help").returncode == 0


def test_what_ci_runs_is_the_test_command_named() -> None:
    assert "\n    make test\n" in README
    assert "\nrun make test\n" in (ROOT / ".ci" / "run").read_text()
