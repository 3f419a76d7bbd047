"""The steps of docs/run/install.md, followed from nothing to the first real pushes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.repositories import git
from tests.support.service import started_service
from tests.support.sessions import Step, Terminal

DOCUMENT = (Path(__file__).parents[3] / "docs" / "run" / "install.md").read_text()
OLD = "".join(f"Sydney,Melbourne,Singapore,10.61.{at}.0/24\n" for at in range(10, 130))


def steps(beginning: str) -> list[str]:
    """The commands of the block that begins so, here and as one's own user."""
    block = DOCUMENT[DOCUMENT.rindex(f"    {beginning}") :].partition("\n\n")[0]
    lines = [line.strip().replace("sudo -u location-policy ", "") for line in block.split("\n")]
    return [re.sub(r"(ssh://\S+?)?/srv/location-policy/", "", line) for line in lines]


@pytest.mark.parametrize("begins_empty", [True, False])
def test_the_first_real_pushes_are_taken(tmp_path: Path, begins_empty: bool) -> None:
    (tmp_path / "old.csv").write_text(OLD)
    (tmp_path / "subnets.csv").write_text(OLD)
    (init,) = [line for line in steps("sudo install -m 644 deploy/systemd/sysusers.conf") if " init " in line]
    clone, *bring = steps("git clone ssh://ana@")
    commands = [init, clone, *bring]
    if not begins_empty:
        commands = [*steps("sudo -u location-policy location-policy init --shared --from"), clone, *bring[:1]]
    commands += steps("echo 'Sydney,10.61.9.0/24'")
    assert len(commands) == (11 if begins_empty else 7)
    with Terminal(tmp_path) as terminal:
        for command in commands:
            done = terminal.follow(Step(command, "")).output
            assert not re.search(r"\[\d+\]$", done), f"{command}\n{done}"
    repository = next(tmp_path.rglob("locations.git"))
    rules = git("show", "main:policy.toml", cwd=repository)
    assert "changed-addresses" in rules
    assert '    "Melbourne",\n    "Singapore",\n    "Sydney",\n' in rules
    assert "expectations.csv" not in git("ls-tree", "--name-only", "main", cwd=repository)
    with started_service("--repo", repository, cwd=tmp_path) as service:
        service.wait_for("in-sync")
        overflow = {"primary_overflow_location": "Melbourne", "secondary_overflow_location": "Singapore"}
        table = overflow if begins_empty else {}  # import has made one of what all rows of Sydney say
        assert service.locate("10.61.9.0").json()["result"] == {"location": "Sydney", **table}
        assert service.locate("10.61.10.0").json()["result"]["location"] == "Sydney"
