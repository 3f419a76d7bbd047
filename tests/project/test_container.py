"""What the Containerfile says twice, held to where it comes from; deploy/container/try shows the container itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from location_policy import __version__
from tests.support.program import PROGRAM
from tests.support.repositories import GOOD, make_repository
from tests.support.service import running_service

ROOT = Path(__file__).parent.parent.parent
CONTAINERFILE = (ROOT / "Containerfile").read_text()


def found(pattern: str) -> str:
    """What the one group of the pattern matches in the Containerfile."""
    match = re.search(pattern, CONTAINERFILE)
    assert match, pattern
    return match[1]


def test_the_label_names_the_version_of_the_package() -> None:
    assert found(r'image\.version="(.*?)"') == __version__


def test_a_release_pins_the_base_of_the_containerfile_by_its_digest() -> None:
    base = (ROOT / "deploy" / "release" / "base").read_text()
    assert re.fullmatch(re.escape(found(r"ARG BASE=(\S+)")) + r"@sha256:[0-9a-f]{64}\n", base)
    assert re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE) == ["${BASE}", "${BASE}"]


def test_every_label_is_documented() -> None:
    text = (ROOT / "docs" / "run" / "install.md").read_text()
    for name in re.findall(r"org\.opencontainers\.image\.([a-z.]+)=", CONTAINERFILE):
        assert f".{name}`" in text, name


def test_the_container_installs_the_first_part_of_the_lock_and_no_more() -> None:
    command = found(r"RUN (sed .*?) >run\.lock")
    part = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert part == (ROOT / "requirements.lock").read_text().partition("# --- only for development")[0]


def probe(port: int) -> int:
    """The exit status of the container's probe, for a service on this port."""
    program = found(r'"(from http\.client .*)"\]').replace("8080", str(port))
    return subprocess.run([PROGRAM.with_name("python"), "-c", program], capture_output=True, check=False).returncode


def test_the_probe_finds_a_service_that_lives_and_misses_one_that_does_not(tmp_path: Path) -> None:
    with running_service(make_repository(tmp_path / "locations.git", GOOD)) as service:
        assert probe(service.port) == 0
        service.stop()
        assert probe(service.port) == 1


def test_the_documentation_shows_the_command_and_the_user_of_the_container() -> None:
    text = (ROOT / "docs" / "run" / "install.md").read_text()
    user = found(r"USER (\d+):")
    assert f"runAsUser: {user}" in text
    assert f"fsGroup: {user}" in text
    assert found(r"CMD (\[.*\])") == '["serve", "--host", "0.0.0.0"]'
    assert "--allow-anonymous-policy" in text
