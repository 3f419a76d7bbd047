"""A push to a forge, its webhook, and the answer: nginx and git http-backend behind TLS, and the service."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import time
from pathlib import Path

from tests.forge.servers import TOKEN, USER, https, https_forge
from tests.support.repositories import GOOD, make_repository, tip
from tests.support.service import Service, started_service

pytestmark = https

SECRET = "0123456789abcdef0123456789abcdef"
PAYLOAD = json.dumps({"ref": "refs/heads/main", "repository": {"full_name": "noc/locations"}}).encode()
"""The form of GitHub's push event, of which nothing is read."""


def knock(service: Service, secret: str = SECRET, body: bytes = PAYLOAD) -> tuple[int, dict[str, int | str]]:
    """Status and answer of a webhook as GitHub sends it."""
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    connection = service.connection()
    connection.request("POST", "/webhook", body, headers)
    response = connection.getresponse()
    told = json.loads(response.read())
    connection.close()
    return response.status, told


def test_a_push_is_in_force_when_the_forge_has_knocked_and_not_before_the_interval(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    repository = make_repository(root / "locations.git", GOOD)
    subprocess.run(["git", "-C", repository, "config", "http.receivepack", "true"], check=True)
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    with https_forge(tmp_path / "forge", root) as forge:
        (tmp_path / "credentials").write_text(forge.url.replace("://", f"://{USER}:{TOKEN}@") + "\n")
        (tmp_path / "credentials").chmod(0o600)
        asked = ("--git-ca", forge.ca, "--git-credentials", tmp_path / "credentials")
        words = ("--repo", forge.repository(), "--fetch-interval", "1000", "--webhook-secret", tmp_path / "secret")
        with started_service(*words, *asked, cwd=tmp_path) as service:
            service.wait_for("in-sync", tip(repository))
            copy = tmp_path / "copy"
            trust = ("-c", f"http.sslCAInfo={forge.ca}")
            url = forge.repository().replace("://", f"://{USER}:{TOKEN}@")
            run_git(*trust, "clone", "--quiet", url, copy)
            (copy / "locations.csv").write_text("Perth,10.99.0.0/24\n")
            run_git("-C", copy, "add", ".")
            run_git("-C", copy, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-qm", "Perth")
            run_git(*trust, "-C", copy, "push", "--quiet", "origin", "HEAD:main")
            assert service.status()["active"]["commit"] != tip(repository)

            assert knock(service, "another secret of this length") == (401, {"message": WRONG})
            assert service.status()["active"]["commit"] != tip(repository)

            began = time.monotonic()
            status, told = knock(service)
            assert status == 202
            found = service.ask(f"/api/v1/sync/{told['sync']}?wait=20").json()
            assert (found["result"], found["tip"]) == ("in-force", tip(repository))
            assert service.locate("10.99.0.7").json()["result"]["location"] == "Perth"
            assert time.monotonic() - began < 10
            assert metric(service, "accepted") == 1
            assert metric(service, "unproven") == 1


WRONG = "The proof is missing or wrong: see the webhook's secret"


def metric(service: Service, result: str) -> float:
    """How many webhooks have ended so."""
    name = f'location_policy_webhooks_total{{result="{result}"}} '
    (line,) = [line for line in service.ask("/metrics").body.decode().splitlines() if line.startswith(name)]
    return float(line.removeprefix(name))


def run_git(*words: str | Path) -> None:
    """git of a user, who trusts what is said here."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *words], env=environment, check=True, capture_output=True, timeout=60)


def test_a_thousand_knocks_in_a_moment_are_one_look_or_two(tmp_path: Path) -> None:
    remote = make_repository(tmp_path / "remote.git", GOOD)
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    words = ("--repo", remote.as_uri(), "--fetch-interval", "1000", "--webhook-secret", tmp_path / "secret")
    (tmp_path / "secret").chmod(0o644)
    with started_service(*words, cwd=tmp_path) as service:
        service.wait_for("in-sync", tip(remote))
        wide = f"WARNING {tmp_path}/secret may be read by every user of this machine: chmod 640 {tmp_path}/secret\n"
        assert service.log.read_text().count(wide) == 1
        connection = service.connection()
        numbers, began = set(), time.monotonic()
        for _ in range(300):
            connection.request("POST", "/webhook", PAYLOAD, {"X-Gitlab-Token": SECRET})
            numbers.add(json.loads(connection.getresponse().read())["sync"])
        spent = time.monotonic() - began
        connection.close()
        newest = service.ask(f"/api/v1/sync/{max(numbers)}?wait=20").json()
        assert newest["result"] == "in-force"
        assert len(numbers) <= 2 + spent, numbers
