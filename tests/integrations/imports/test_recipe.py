"""The scheduled job of the documents that asks NetBox, where something goes wrong on the way: nothing is pushed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integrations.imports.netbox import NEW_TOKEN, TOKEN, running_netbox
from tests.support.access import Pki
from tests.support.repositories import Clone, clone, make_repository, run_git
from tests.support.sessions import read_steps

DOCUMENT = Path(__file__).parents[3] / "docs" / "use" / "import.md"
PREFIXES = [(f"10.61.{n}.0/24", "active", "Sydney") for n in range(5)]
KEPT = "locations/netbox.csv"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl, which the script uses, is not installed")


@pytest.fixture
def copy(tmp_path: Path) -> Clone:
    """A clone whose map has a location, and the file of sites beside it."""
    (tmp_path / "sites.csv").write_text("site,location\nSydney,Sydney\n")
    repository = make_repository(tmp_path / "locations.git", {"locations.csv": "Perth,10.70.0.0/16\n"})
    return clone(repository, tmp_path / "clone")


def script() -> str:
    """What the document writes into the file of the job."""
    (text,) = [step.command for step in read_steps(DOCUMENT.read_text()) if "from-netbox.sh <<" in step.command]
    return text.split("\n", 1)[1].removesuffix("\nEND")


def run(copy: Clone, url: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    asked = {"PATH": path, "NETBOX": url, "TOKEN": token, "PAGE": "2"}
    return subprocess.run(
        ["sh", "-c", script()],
        cwd=copy.path,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def pushed(copy: Clone) -> str:
    """The rows that were pushed for review; empty where nothing was."""
    return run_git("show", f"netbox:{KEPT}", cwd=copy.path.parent / "locations.git").stdout


@pytest.mark.parametrize(("token", "faults"), [(TOKEN, []), (NEW_TOKEN, []), (TOKEN, ["", "too many"])])
def test_every_page_is_fetched_with_either_token_and_again_where_there_were_too_many_requests(
    copy: Clone, token: str, faults: list[str]
) -> None:
    with running_netbox(PREFIXES, faults) as url:
        assert run(copy, url, token).returncode == 0
    assert [line for line in pushed(copy).splitlines() if not line.startswith("#")] == [
        f"Sydney,{prefix}" for prefix, _, _ in PREFIXES
    ]


@pytest.mark.parametrize(
    ("token", "faults", "told"),
    [
        ("wrong", [], "curl: (22) The requested URL returned error: 403"),
        (TOKEN, ["", "half"], "curl: (18) transfer closed with"),
    ],
)
def test_a_wrong_token_and_half_an_answer_push_nothing(copy: Clone, token: str, faults: list[str], told: str) -> None:
    with running_netbox(PREFIXES, faults) as url:
        done = run(copy, url, token)
    assert done.returncode != 0
    assert done.stderr.startswith(told)
    assert token not in done.stdout + done.stderr
    assert pushed(copy) == ""


def test_a_certificate_of_nobody_that_is_trusted_pushes_nothing_and_gets_no_token(copy: Clone, tmp_path: Path) -> None:
    with running_netbox(PREFIXES, pki=Pki(tmp_path / "pki")) as url:
        done = run(copy, url)
    assert (done.returncode, done.stderr.startswith("curl: (60) SSL certificate problem")) == (60, True)
    assert pushed(copy) == ""
