"""The unit and what goes with it, before systemd's own tools where they are, and each option before the program."""

from __future__ import annotations

import os
import re
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from location_policy.cli.environment import variable
from tests.support.access import Pki, write_users
from tests.support.deployments import DEPLOY, changed, free_port, needs
from tests.support.options import OPTIONS
from tests.support.program import PROGRAM, closed_environment
from tests.support.repositories import GOOD, make_repository

SYSTEMD = DEPLOY / "systemd"
UNIT = SYSTEMD / "location-policy.service"
TEMPLATE = SYSTEMD / "location-policy@.service"
ENVIRONMENT = (SYSTEMD / "environment").read_text()
INSTALLED = "/opt/location-policy/bin/location-policy"

EXPOSURE = 20
"""Tenths of what `systemd-analyze security` counts, at the most: "OK" ends at 50, and the unit has 16."""


def unit(path: Path = UNIT) -> RawConfigParser:
    """The unit's settings; of one that is there more than once, the last."""
    parser = RawConfigParser(strict=False, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as the documentation of configparser has it
    parser.read_string(path.read_text())
    return parser


def run_tool(*command: str | Path) -> str:  # pragma: no cover
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(params=[UNIT, TEMPLATE], ids=lambda path: path.name)
def installed(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A unit as it is installed here."""
    shipped: Path = request.param
    path = tmp_path / shipped.name
    path.write_text(changed(shipped, {INSTALLED: PROGRAM}))
    return path


@needs("systemd-analyze", "systemd")  # pragma: no cover
def test_systemd_finds_nothing_wrong_with_the_unit(installed: Path) -> None:
    assert run_tool("systemd-analyze", "verify", "--man=no", installed) == ""


@needs("systemd-analyze", "systemd")  # pragma: no cover
def test_the_unit_stays_hardened(installed: Path) -> None:
    run_tool("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}", installed)


@needs("systemd-sysusers", "systemd")  # pragma: no cover
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make users")
def test_the_users_and_the_folders_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    run_tool("systemd-sysusers", f"--root={tmp_path}", SYSTEMD / "sysusers.conf")
    groups = dict(line.split(":")[::2] for line in (tmp_path / "etc" / "group").read_text().splitlines())
    user = (tmp_path / "etc" / "passwd").read_text().split(":")
    assert (user[0], user[3], user[6]) == ("location-policy", groups["location-policy"], "/usr/sbin/nologin\n")
    assert "location-policy-push:x:" in (tmp_path / "etc" / "group").read_text()
    run_tool("systemd-tmpfiles", "--create", f"--root={tmp_path}", SYSTEMD / "tmpfiles.conf")
    for folder, owner, group in (
        ("etc", 0, groups["location-policy"]),
        ("srv", int(user[2]), groups["location-policy-push"]),
    ):
        found = (tmp_path / folder / "location-policy").stat()
        assert (found.st_uid, found.st_gid, oct(found.st_mode)) == (owner, int(group), "0o42750")


def test_the_unit_names_what_the_other_files_make() -> None:
    service = unit()["Service"]
    users, folders = ((SYSTEMD / name).read_text() for name in ("sysusers.conf", "tmpfiles.conf"))
    assert f"u {service['User']} " in users
    assert service["Group"] == service["User"]
    assert re.search(rf"^d {service['ReadWritePaths'].removeprefix('-')} ", folders, re.MULTILINE)
    assert re.search(rf"^d {Path(service['EnvironmentFile'].removeprefix('-')).parent} ", folders, re.MULTILINE)
    assert f"/var/lib/{service['StateDirectory']}" in service["Environment"]
    assert f"/run/{service['RuntimeDirectory']}/" in ENVIRONMENT


def test_the_template_is_the_unit_but_for_what_each_instance_has_by_itself() -> None:
    own = {
        "Service": {"ExecStart", "Environment", "StateDirectory", "RuntimeDirectory", "RuntimeDirectoryMode"},
        "Unit": {"Description"},
    }
    one, template = unit(), unit(TEMPLATE)
    assert one.sections() == template.sections()
    for section in one.sections():
        wanted = {key: value for key, value in one[section].items() if key not in own.get(section, ())}
        assert {key: value for key, value in template[section].items() if key not in own.get(section, ())} == wanted
    service = template["Service"]
    assert f"--state-dir /var/lib/{service['StateDirectory']}" in service["ExecStart"]
    assert service["StateDirectory"] == "location-policy/%i"


@pytest.mark.parametrize("path", [UNIT, TEMPLATE, SYSTEMD / "environment"], ids=lambda path: path.name)
def test_every_variable_is_one_of_the_programs(path: Path) -> None:
    named = re.findall(r"\bLOCATION_POLICY_[A-Z_]+\b(?==)", path.read_text())
    assert named
    assert set(named) <= {variable(option) for option in OPTIONS}


def test_a_push_that_takes_too_much_memory_does_not_take_the_service_with_it() -> None:
    service = unit()["Service"]
    assert (service["MemoryMax"], service["OOMPolicy"]) == ("2G", "continue")


def test_one_of_several_drains_for_longer_than_haproxy_takes_to_see_that_it_does() -> None:
    found = re.search(r"check inter (\d+)s fall (\d+) ", (DEPLOY / "haproxy" / "haproxy.cfg").read_text())
    drain = re.search(r"\bLOCATION_POLICY_DRAIN=(\d+)$", unit(TEMPLATE)["Service"]["Environment"])
    assert found
    assert drain
    assert int(drain[1]) > int(found[1]) * (int(found[2]) + 1) + 2  # the last check may take as long as between two
    assert f"#{drain[0]}\n" in ENVIRONMENT


def test_the_unit_says_where_its_manual_is() -> None:
    page, section = unit()["Unit"]["Documentation"].removeprefix("man:").removesuffix(")").split("(")
    assert (DEPLOY.parent / "docs" / "reference" / "man" / f"{page}.{section}").exists()


@needs("systemd-analyze", "systemd")  # pragma: no cover
def test_systemd_takes_the_drop_in_of_credentials(installed: Path) -> None:
    folder = installed.with_name(f"{installed.name}.d")
    folder.mkdir()
    (folder / "credentials.conf").write_text((SYSTEMD / "credentials.conf").read_text())
    assert run_tool("systemd-analyze", "verify", "--man=no", installed) == ""
    (folder / "credentials.conf").write_text("[Service]\nLoadCredentials=x\n")
    assert "LoadCredentials" in run_tool("systemd-analyze", "verify", "--man=no", installed)  # so it is read


def test_each_secret_is_handed_over_as_a_credential_and_read_where_it_is_then() -> None:
    text = (SYSTEMD / "credentials.conf").read_text()
    given = re.findall(r"^LoadCredential=(\S+):/etc/location-policy/\1$", text, re.MULTILINE)
    named = re.findall(r"^Environment=(\w+)=%d/(\S+)$", text, re.MULTILINE)
    assert [name for _, name in named] == given
    assert {"htpasswd", "key.pem", "webhook-secret", "git-credentials"} == set(given)
    assert {name for name, _ in named} <= {variable(option) for option in OPTIONS}


def test_the_reload_is_the_programs() -> None:
    service = unit()["Service"]
    assert (service["Type"], service["ExecReload"]) == ("notify", "/bin/sh -c 'kill -HUP $MAINPID'")
    assert "Type=notify-reload\nExecReload=\n" in (SYSTEMD / "notify-reload.conf").read_text()


PARAGRAPHS = dict(
    zip(("use", "forge", "users", "drain", "direct", "socket", "proxy"), ENVIRONMENT.split("\n\n"), strict=True)
)


@pytest.mark.parametrize(
    ("way", "where"), [("direct", "https://127.0.0.1:"), ("socket", "/socket"), ("proxy", "http://127.0.0.1:")]
)
def test_each_way_to_be_reached_that_is_shown_works(tmp_path: Path, way: str, where: str) -> None:
    write_users(tmp_path / "htpasswd", "node")
    Pki(tmp_path)
    (tmp_path / "roles").write_text("node: node\n")
    text = "\n".join(PARAGRAPHS[one] for one in ("users", way))
    shown = dict(re.findall(r"^#(LOCATION_POLICY_\w+)=(.*)$", text, re.MULTILINE))
    for old, new in (("/etc/location-policy", tmp_path), ("/run/location-policy", tmp_path), ("0.0.0.0", "127.0.0.1")):
        shown = {name: value.replace(old, str(new)) for name, value in shown.items()}
    repository = make_repository(tmp_path / "locations.git", GOOD)
    shown |= {"LOCATION_POLICY_REPO": str(repository)}
    if way != "socket":
        shown["LOCATION_POLICY_PORT"] = str(free_port())
    with subprocess.Popen(
        [PROGRAM, "serve"], env=closed_environment(**shown), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as service:
        assert service.stdout
        assert service.stderr
        line = service.stdout.readline()
        service.terminate()
        assert service.wait(timeout=10) == 0
        assert where in line
        assert "is not a setting" not in service.stderr.read()
