"""What git and ssh say of a remote that cannot be read: recorded from git 2.39 and OpenSSH 9.2, or from forges."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from location_policy.repository.remote.failures import Kind, explain, first_line

URL = "https://forge.example.com/noc/locations.git"
SSH = """\
fatal: Could not read from remote repository.

Please make sure you have the correct access rights
and the repository exists.
"""
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
The fingerprint for the ED25519 key sent by the remote host is
SHA256:NnDZ8mNEvHTTcrP6CkpBrqWNzq9caanw/NreVX5Ddzc.
Host key for [127.0.0.1]:33793 has changed and you have requested strict checking.
Host key verification failed.
"""
OPEN = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Permissions 0644 for '/etc/key' are too open.
Load key "/etc/key": bad permissions
git@127.0.0.1: Permission denied (publickey).
"""
ACCESS = f"fatal: unable to access '{URL}/': "
SAID = {
    "401": ("credentials", f"fatal: could not read Username for '{URL}': terminal prompts disabled"),
    "wrong token": ("credentials", f"fatal: Authentication failed for '{URL}/'"),
    "GitLab, wrong token": (
        "credentials",
        f"remote: HTTP Basic: Access denied\nfatal: Authentication failed for '{URL}/'",
    ),
    "403": ("right", f"{ACCESS}The requested URL returned error: 403"),
    "404": ("not-found", f"fatal: repository '{URL}/' not found"),
    "GitHub's 404": ("not-found", f"remote: Repository not found.\nfatal: repository '{URL}/' not found"),
    "GitLab's 404": (
        "not-found",
        (
            "remote: The project you were looking for could not be found or you don't have permission to view it.\n"
            f"fatal: repository '{URL}/' not found"
        ),
    ),
    "GitHub by ssh": ("not-found", f"ERROR: Repository not found.\n{SSH}"),
    "a path by ssh": ("not-found", f"fatal: '/srv/no.git' does not appear to be a git repository\n{SSH}"),
    "name": ("name", f"{ACCESS}Could not resolve host: forge.example.com"),
    "name by ssh": ("name", f"ssh: Could not resolve hostname forge.example.com: Name or service not known\n{SSH}"),
    "refused": ("refused", f"{ACCESS}Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server"),
    "refused by ssh": ("refused", f"ssh: connect to host 127.0.0.1 port 1: Connection refused\n{SSH}"),
    "timed out": ("timeout", f"{ACCESS}Failed to connect to 192.0.2.1 port 443 after 130000 ms: Connection timed out"),
    "timed out by ssh": ("timeout", f"ssh: connect to host 192.0.2.1 port 22: Connection timed out\n{SSH}"),
    "TLS name": (
        "tls-name",
        f"{ACCESS}SSL: certificate subject name (other.example) does not match target host name '127.0.0.1'",
    ),
    "TLS name, OpenSSL": (
        "tls-name",
        f"{ACCESS}SSL: no alternative certificate subject name matches target host name 'forge.example.com'",
    ),
    "TLS CA": ("tls-ca", f"{ACCESS}server certificate verification failed. CAfile: none CRLfile: none"),
    "TLS CA, OpenSSL": (
        "tls-ca",
        f"{ACCESS}SSL certificate problem: unable to get local issuer certificate",
    ),
    "TLS expired": ("tls-expired", f"{ACCESS}SSL certificate problem: certificate has expired"),
    "CA file": ("tls-ca", f"{ACCESS}Problem with the SSL CA cert (path? access rights?)"),
    "host key unknown": (
        "host-key-unknown",
        (
            f"No ED25519 host key is known for [127.0.0.1]:33793 and you have requested strict checking.\n"
            f"Host key verification failed.\n{SSH}"
        ),
    ),
    "host key changed": ("host-key-changed", CHANGED + SSH),
    "key refused": ("ssh-key", f"git@127.0.0.1: Permission denied (publickey,keyboard-interactive).\n{SSH}"),
    "key that others read": ("ssh-key", OPEN + SSH),
    "a user without a name": ("ssh-key", f"No user exists for uid 4711\n{SSH}"),
    "proxy 407": ("proxy", f"{ACCESS}Received HTTP code 407 from proxy after CONNECT"),
    "proxy 407, newer curl": ("proxy", f"{ACCESS}CONNECT tunnel failed, response 407"),
    "proxy name": ("proxy", f"{ACCESS}Could not resolve proxy: proxy.example.com"),
    "429": ("rate-limit", f"remote: too many\n{ACCESS}The requested URL returned error: 429"),
    "503": ("server", f"{ACCESS}The requested URL returned error: 503"),
    "algorithms": ("algorithm", "fatal: mismatched algorithms: client sha1; server sha256"),
    "no algorithm of ssh": (
        "algorithm",
        f"Unable to negotiate with 192.0.2.1 port 22: no matching host key type found. Their offer: ssh-rsa\n{SSH}",
    ),
    "cut": (
        "network",
        (
            "error: RPC failed; curl 18 transfer closed with outstanding read data remaining\n"
            "error: 5095 bytes of body are still expected\nfatal: early EOF\n"
            "fatal: fetch-pack: invalid index-pack output"
        ),
    ),
    "https where ssh is asked": ("network", f"kex_exchange_identification: Connection closed by remote host\n{SSH}"),
    "objects that are lost there": ("server", "error: git upload-pack: git-pack-objects died with error."),
    "too much": ("remote", "fatal: Out of memory, realloc failed"),
    "redirect": ("not-found", f"{ACCESS}Maximum (20) redirects followed"),
}


def test_the_table_of_the_documents_has_every_kind() -> None:
    page = (Path(__file__).parents[3] / "docs/run/operate.md").read_text()
    table = page.partition("### When a remote cannot be read")[2].partition("\n## ")[0]
    first_cells = "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    assert sorted(re.findall("`(.+?)`", first_cells)) == sorted(get_args(Kind))


@pytest.mark.parametrize("name", SAID)
def test_what_is_said_is_of_a_kind_with_something_to_do(name: str) -> None:
    kind, said = SAID[name]
    error = explain(URL, said)
    assert error
    assert error.kind == kind
    assert error.message.startswith(f"{URL}: ")
    assert "and the repository exists" not in error.message
    assert error.hint or kind == "algorithm"
    assert error.message.count(URL) == 1
    assert not error.message.endswith(".")


def test_what_to_do_names_the_server() -> None:
    said = f"{ACCESS}server certificate verification failed. CAfile: none CRLfile: none"
    for url, server in {
        URL: "forge.example.com:443",
        "https://me@h:8443/x": "h:8443",
        "https://[::1]/x": "'[::1]:443'",
    }.items():
        error = explain(url, said)
        assert error
        assert error.hint
        assert f" -connect {server} " in error.hint


def test_a_path_that_is_not_there_is_no_matter_of_rights_on_a_forge() -> None:
    error = explain("file:///srv/no.git", f"fatal: '/srv/no.git' does not appear to be a git repository\n{SSH}")
    assert error
    assert error.hint == "see the path: is it mounted, and may the user of the service read it?"


@pytest.mark.parametrize(
    "said",
    [
        "fatal: bad config line 1 in file /var/lib/mirror.git/config",
        (
            "fatal: Unable to create '/var/lib/mirror.git/shallow.lock': File exists.\n\n"
            "Another git process seems to be running in this repository, e.g.\nremove the file manually to continue."
        ),
        "error: cannot lock ref 'refs/remotes/origin/main': Unable to create 'x.lock': File exists.",
        "fatal: bad object HEAD",
    ],
)
def test_a_fault_of_the_copy_is_none_of_the_remote(said: str) -> None:
    assert explain(URL, said) is None
    assert first_line(said) == said.splitlines()[0].removeprefix("fatal: ").removeprefix("error: ")


def test_no_secret_and_no_control_character_is_shown() -> None:
    said = "fatal: unable to access 'https://deploy:token@forge.example.com/x.git/?token=a': \x1b[31merror: 403"
    error = explain("https://deploy:token@forge.example.com/x.git", said)
    assert error
    assert "token" not in error.message
    assert "\x1b" not in error.message


def test_what_is_said_without_end_is_cut() -> None:
    error = explain(URL, "fatal: " + "x" * 1_000_000 + " error: 403")
    assert error is None
    assert len(first_line("fatal: " + "x" * 1_000_000)) <= 1_001
