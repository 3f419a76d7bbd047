"""Files of credentials, and keys, that cannot be used: one sentence each, before any server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from location_policy.repository.remote.credentials import (
    RemoteAccess,
    check_key,
    has_passphrase,
    problem_with_mode,
    proxy_variables,
)
from location_policy.repository.remote.failures import RemoteError
from location_policy.repository.remote.host_key import parse_host_key, seen_host_key

URL = "https://forge.example.com/noc/locations.git"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "git-credentials"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("https://deploy:@forge.example.com", ":1: the password is empty"),
        ("https://deploy@forge.example.com", ":1: the password is empty"),
        ("https://deploy:token@forge.example.com\r", ":1: the line ends in CR"),
        ("https://deploy:token@forge.example.com ", ":1: the line begins or ends with a space"),
        ("https://deploy:to%0Aken@forge.example.com", ":1: user or password have a line end"),
        ("https://deploy:to\x1bken@forge.example.com", ":1: user or password have a line end"),
        ("glpat-token", ":1: this is not a URL with a user and a password"),
        ("https://[x:y@forge.example.com", ":1: this is not a URL"),
        ("https://deploy:to/ken@forge.example.com", ":1: this is not a URL"),
        ("https://forge.example.com", ":1: this is not a URL with a user and a password"),
        ("", " has no line for https://forge.example.com"),
        ("https://deploy:token@forge.example.com:8443", " has no line for https://forge.example.com"),
        ("http://deploy:token@forge.example.com", " has no line for https://forge.example.com"),
    ],
)
def test_a_line_that_git_cannot_use_is_told(file: Path, line: str, said: str) -> None:
    file.write_bytes(f"# a comment\n{line}\n".encode().removeprefix(b"# a comment\n"))
    with pytest.raises(RemoteError) as error:
        RemoteAccess(credentials=file).environment(URL)
    assert error.value.kind == "credentials"
    assert error.value.message.startswith(f"{file}{said}")
    assert "git credential-store --file" in (error.value.hint or "")
    assert "token" not in error.value.message.removeprefix(f"{file}")


def test_no_secret_is_in_what_git_is_started_with(file: Path) -> None:
    file.write_text("https://deploy:a-token@forge.example.com\nhttp://user:a-password@proxy:3128\n")
    variables = RemoteAccess(credentials=file, proxy="http://proxy:3128").environment(URL)
    assert "http://user@proxy:3128" in variables.values()
    assert not any("a-token" in value or "a-password" in value for value in variables.values())


def test_a_proxy_of_the_environment_counts_and_no_variable_of_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of CGI has the header `Proxy` of its client as HTTP_PROXY."""
    for name in ("https_proxy", "no_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "x")
    assert set(proxy_variables()) >= {"https_proxy", "no_proxy"}
    assert "HTTP_PROXY" not in proxy_variables()


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (0o600, None),
        (0o640, None),
        (0o644, "may be read by every user of this machine"),
        (0o660, "may be changed by its group"),
    ],
)
def test_who_may_read_a_file_of_secrets_is_told(file: Path, mode: int, said: str | None) -> None:
    file.touch()
    file.chmod(mode)
    problem = problem_with_mode(file)
    assert problem == (said and (f"{file} {said}", f"chmod 640 {file}"))


@pytest.mark.parametrize(("mode", "who"), [(0o640, "its group"), (0o644, "others than its owner")])
def test_a_key_of_our_own_is_for_its_owner_alone(file: Path, mode: int, who: str) -> None:
    file.write_text("-----BEGIN PRIVATE KEY-----\n")
    file.chmod(mode)
    with pytest.raises(RemoteError) as error:
        check_key(file)
    told = f"{file} has mode {mode:o}: {who} may use it, and ssh takes no key of its own user that is so"
    assert (error.value.message, error.value.hint) == (told, f"chmod 600 {file}")
    assert RemoteAccess(ssh_key=file).wide_files() == {}  # one word of it is enough, and 640 would be the wrong one


def test_a_file_without_a_certificate_is_told(file: Path) -> None:
    access = RemoteAccess(ca=file)
    for content in (b"\x30\x82\x01\x0a", b"-----BEGIN PRIVATE KEY-----\n", b""):
        file.write_bytes(content)
        with pytest.raises(RemoteError, match="has no certificate in PEM") as error:
            access.environment("https://git.example.com/x.git")
        assert (error.value.kind, "openssl x509 -inform der" in (error.value.hint or "")) == ("tls-ca", True)
    file.write_text("# ours\n-----BEGIN TRUSTED CERTIFICATE-----\n")
    assert access.environment("https://git.example.com/x.git")


def test_an_old_key_with_a_passphrase_is_known_too() -> None:
    assert has_passphrase(b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n")
    assert has_passphrase(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert not has_passphrase(b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n")
    assert not has_passphrase(b"-----BEGIN OPENSSH PRIVATE KEY-----\n!\n-----END")


def test_a_file_that_is_no_key_is_told(file: Path) -> None:
    file.write_text("no key\n")
    file.chmod(0o600)
    with pytest.raises(RemoteError, match="is not a private key"):
        check_key(file)


def test_the_fingerprint_is_that_of_ssh_keygen() -> None:
    key = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"  # of github.com
    found = parse_host_key(f"# comment\ngithub.com ssh-ed25519 {key} comment\n")
    assert found
    assert found.line == f"github.com ssh-ed25519 {key}"
    assert found.fingerprint == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
    assert parse_host_key("none\n") is None


@pytest.mark.parametrize("url", [URL, "/srv/locations.git", "ssh://git@127.0.0.1:9/x.git", "git@[127.0.0.1]:x.git"])
def test_where_no_host_key_is_shown_there_is_none(url: str) -> None:
    assert seen_host_key(url.replace("git@[127.0.0.1]", "git@[no-such-host.invalid]")) is None


@pytest.mark.parametrize(
    ("url", "variables", "proxy"),
    [
        ("https://up.example/x", {"https_proxy": "http://p:1", "http_proxy": "http://q:1"}, "http://p:1"),
        ("https://up.example/x", {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        ("https://up.example/x", {"https_proxy": "http://p:1", "no_proxy": "other,.example"}, None),
        ("http://up.example/x", {"HTTPS_PROXY": "p:1", "ALL_PROXY": "http://a:1"}, "http://a:1"),
        ("http://up.example/x", {"ALL_PROXY": "http://a:1", "NO_PROXY": "*"}, None),
        ("http://up.example/x", {}, None),
    ],
)
def test_a_question_of_our_own_goes_through_the_proxy_that_curl_takes(
    url: str, variables: dict[str, str], proxy: str | None
) -> None:
    assert RemoteAccess().over_http(url, variables).proxy == proxy


def test_what_a_question_of_our_own_is_asked_with_is_what_git_would_ask_with(file: Path) -> None:
    file.write_text(
        "https://a:1@up.example:8443\nhttps://bob:s%2F@up.example\nhttp://c:3@proxy:1\nhttps://eve:5@up.example\n"
    )
    access = RemoteAccess(credentials=file, ca=file, proxy="proxy:1")
    found = access.over_http("https://up.example/x", {})
    assert found == (("bob", "s/"), file, "http://proxy:1", ("c", "3"))
    assert "s/" not in repr(found)
    assert access.over_http("https://eve@up.example/x", {}).login == ("eve", "5")
    assert access.over_http("https://eve:typed@up.example/x", {}).login == ("eve", "typed")
    with pytest.raises(RemoteError, match=r"has no line for https://up\.example and the user dan"):
        access.over_http("https://dan@up.example/x", {})
