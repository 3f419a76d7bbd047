"""Every option and variable of ours that deploy/ and its documents name is one of the program's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from location_policy.cli.environment import variable
from tests.support.deployments import DEPLOY
from tests.support.options import OPTIONS

PAGES = DEPLOY.parent / "docs" / "run"
FILES = [
    PAGES / "install.md",
    PAGES / "git-servers.md",
    PAGES / "follow-a-forge.md",
    PAGES / "kubernetes.md",
    PAGES / "scale.md",
    DEPLOY / "nginx" / "location-policy.conf",
]
FILES += [DEPLOY / "nginx" / "two-services.conf", DEPLOY / "caddy" / "Caddyfile", DEPLOY / "haproxy" / "haproxy.cfg"]

OURS = re.compile(r"(?:location-policy (?:serve|init|password|check)|serve|The service runs) ([^\n`]*)|`(--[a-z-]+)")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_option_and_variable_is_one_of_the_programs(path: Path) -> None:
    text = path.read_text()
    lines = " ".join("".join(groups) for groups in OURS.findall(text))
    named = set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", lines))
    assert named
    assert named <= set(OPTIONS)
    assert set(re.findall(r"LOCATION_POLICY_\w+(?==)", text)) <= {variable(option) for option in OPTIONS}


def test_what_a_document_shows_of_a_script_is_there() -> None:
    for path in (PAGES / "install.md", PAGES / "git-servers.md"):
        for name in re.findall(r"(?<![\w/.])deploy/[\w./@-]+\w", path.read_text()):
            assert (DEPLOY.parent / name).exists(), name
