"""Secrets of a remote that are given where others can read them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from location_policy.cli.service.remote_secrets import forget_variables, refuse_password_of_proxy, refuse_typed_password
from location_policy.errors import CannotStart
from location_policy.repository.remote.credentials import RemoteAccess
from tests.support.program import run_program

URL = "https://deploy:plugh@forge.example.com/noc/locations.git"


def test_a_password_that_is_typed_is_refused_with_the_line_that_does_it_right(tmp_path: Path) -> None:
    done = run_program("serve", "--port", "0", "--repo", URL, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "every user of this machine can read a password that is typed" in done.stderr
    assert "plugh" not in done.stderr
    write, serve = done.stderr.partition("hint: ")[2].strip().rsplit("; ", 1)
    file = tmp_path / "git-credentials"
    command = write.replace("/etc/location-policy/git-credentials", str(file))
    subprocess.run(["bash", "-c", command], input="to/ken\n", text=True, check=True, timeout=20)
    assert file.read_text() == "https://deploy:to%2fken@forge.example.com\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert serve == (
        "location-policy serve --repo https://forge.example.com/noc/locations.git"
        " --git-credentials /etc/location-policy/git-credentials"
    )


@pytest.mark.parametrize(
    "url", ["https://deploy@forge.example.com/x.git", "http://a:b@127.0.0.1/x", "http://a:b@[::1]/x"]
)
def test_a_user_and_what_stays_on_this_machine_may_be_typed(url: str) -> None:
    refuse_typed_password(url)


@pytest.mark.parametrize("proxy", ["http://user:plugh@proxy.example.com:3128", "user:plugh@proxy.example.com:3128"])
def test_a_proxy_with_a_password_is_refused(proxy: str) -> None:
    with pytest.raises(CannotStart) as refused:
        refuse_password_of_proxy(RemoteAccess(proxy=proxy))
    assert "plugh" not in f"{refused.value.message} {refused.value.hint}"
    assert "host=proxy.example.com:3128" in (refused.value.hint or "")


@pytest.mark.parametrize("is_typed", [True, False])
def test_doctor_refuses_it_too(is_typed: bool, tmp_path: Path) -> None:
    proxy = "http://user:plugh@proxy.example.com:3128"
    words, variables = (("--git-proxy", proxy), {}) if is_typed else ((), {"LOCATION_POLICY_GIT_PROXY": proxy})
    url = "https://forge.example.com/x.git"
    done = run_program("doctor", "--repo", url, *words, cwd=tmp_path, environment=variables)
    assert (done.returncode, "plugh" in done.stdout + done.stderr) == (2, False)
    assert "host=proxy.example.com:3128" in done.stderr


def test_what_processes_have_no_use_for_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("LOCATION_POLICY_REPO", "https_proxy", "HTTP_PROXY")
    for name in (*names, "NOTIFY_SOCKET"):
        monkeypatch.setenv(name, "plugh")
    forget_variables()
    assert set(names).isdisjoint(os.environ)
    assert "NOTIFY_SOCKET" in os.environ
