"""A forge behind a proxy: with and without a password, and one that refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from location_policy.repository.remote.credentials import RemoteAccess
from tests.forge.connect_proxy import Proxy, running_proxy
from tests.forge.looks import failing, looking
from tests.forge.servers import TOKEN, USER, HttpsForge, https, https_forge
from tests.support.deployments import free_port
from tests.support.repositories import GOOD, make_repository

PASSWORD = "a-proxy-password"

pytestmark = https


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with running_proxy() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsForge]:
    root = tmp_path_factory.mktemp("root")
    make_repository(root / "locations.git", GOOD)
    with https_forge(tmp_path_factory.mktemp("forge") / "nginx", root) as forge:
        yield forge


@pytest.fixture
def access(forge: HttpsForge, proxy: Proxy, tmp_path: Path) -> RemoteAccess:
    file = tmp_path / "git-credentials"
    logins = {forge.url: f"{USER}:{TOKEN}", proxy.url: f"proxy-user:{PASSWORD}"}
    file.write_text("".join(f"{url.replace('://', f'://{login}@')}\n" for url, login in logins.items()))
    return RemoteAccess(credentials=file, ca=forge.ca, proxy=proxy.url)


def test_a_proxy_is_gone_through(forge: HttpsForge, access: RemoteAccess, proxy: Proxy, tmp_path: Path) -> None:
    looking(forge.repository(), tmp_path, access)
    assert set(proxy.targets) == {forge.url.removeprefix("https://")}


@pytest.mark.parametrize("is_option", [True, False])
def test_its_password_comes_from_the_file(
    is_option: bool,
    forge: HttpsForge,
    access: RemoteAccess,
    proxy: Proxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy.login = f"proxy-user:{PASSWORD}"
    if not is_option:
        monkeypatch.setenv("https_proxy", proxy.url)
        access = replace(access, proxy=None)
    looking(forge.repository(), tmp_path, access)
    assert proxy.targets


def test_a_proxy_that_refuses_is_told_as_that(
    forge: HttpsForge, access: RemoteAccess, proxy: Proxy, tmp_path: Path
) -> None:
    proxy.login = "proxy-user:another"
    told = failing(forge.repository(), tmp_path, access)
    assert (told.kind, PASSWORD in f"{told}") == ("proxy", False)
    proxy.status = 403
    assert failing(forge.repository(), tmp_path, access).kind == "proxy"
    nowhere = replace(access, proxy=f"http://127.0.0.1:{free_port()}")
    told = failing(forge.repository(), tmp_path, nowhere)
    assert (told.kind, "--git-proxy" in told.hint) == ("proxy", True)


def test_no_proxy_counts(
    forge: HttpsForge, access: RemoteAccess, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    looking(forge.repository(), tmp_path, access)
    assert proxy.targets == []
