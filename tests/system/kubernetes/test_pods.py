"""Pods of deploy/kubernetes as they are run: upstream and replica, from the Secrets that the document makes."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from tests.support.access import PASSWORD, hashed, write_users
from tests.support.deployments import needs, nginx_around, search_path
from tests.support.program import closed_environment
from tests.support.repositories import GOOD, Clone, git
from tests.support.service import wait_until
from tests.system.kubernetes.manifests import REPLICAS, UPSTREAM, needs_kubectl, overlay
from tests.system.kubernetes.pods import Pod, Secrets, documented_secrets, missing_here, running_pod

pytestmark = [needs_kubectl, pytest.mark.skipif(missing_here() != "", reason=missing_here())]

LOCATE = "/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.2.0"
NEW = "another long password"
FORGE = "forge.example.com"
SERVED_BY_NGINX = """
server {{
  listen 443 ssl;
  ssl_certificate {folder}/tls.crt;
  ssl_certificate_key {folder}/tls.key;
  location = /noc/locations.git/tip {{ return 404; }}
  location /noc/locations.git/ {{ proxy_pass https://127.0.0.1:8443/locations.git/; }}
}}
"""
"""A forge, as far as its clients see one: git's http-backend behind nginx, and nothing that tells of commits."""


class Site:
    """The files that an administrator has, and the pods of an overlay."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = trustme.CA()
        for one, users, roles, name in (
            ("upstream", ("ana", "replica"), "ana: editor\nreplica: viewer\n", UPSTREAM),
            ("replicas", ("node",), "node: node\n", "policy.example.com"),
        ):
            place = folder / one
            place.mkdir(parents=True)
            write_users(place / "htpasswd", *users)
            (place / "roles").write_text(roles)
            key, cert = self.certificate(name, "upstream.example.com")
            (place / "tls.key").write_bytes(key)
            (place / "tls.crt").write_bytes(cert)
            (place / "git-credentials").write_bytes(self.credentials())
            self.ca.cert_pem.write_to_path(place / "ca.crt")
        (folder / "upstream" / "webhook-secret").write_text("a secret of webhooks\n")
        self.secrets: Secrets = documented_secrets(folder)

    def certificate(self, *names: str) -> tuple[bytes, bytes]:
        """A new key, and the certificate for it."""
        leaf = self.ca.issue_cert(*names)
        return leaf.private_key_pem.bytes(), b"".join(one.bytes() for one in leaf.cert_chain_pems)

    def credentials(self, password: str = PASSWORD) -> bytes:
        """As whom the upstream is asked, by either of its names, and the forge."""
        hosts = (f"{UPSTREAM}:8443", "upstream.example.com:8443", "forge.example.com")
        return "".join(f"https://replica:{quote(password)}@{host}\n" for host in hosts).encode()

    def is_trusted(self, pod: Pod, name: str) -> bool:
        """Has the pod a certificate for this name, of the CA of now?"""
        ca = ("--cacert", self.folder / "replicas" / "ca.crt", "--resolve", f"{name}:8443:127.0.0.1")
        return pod.inside("curl", "--silent", *ca, f"https://{name}:8443/healthz").returncode == 0

    @contextmanager
    def upstream(self, name: str = "own", beside: Pod | None = None) -> Iterator[Pod]:
        """The pod of the upstream of an overlay; it reaches another as its forge, or the upstream of another region."""
        workload = overlay(name).one("StatefulSet", UPSTREAM)
        place, hosts = self.folder / "pods" / f"upstream-{name}", ["upstream.example.com", FORGE]
        ca = self.folder / "replicas" / "ca.crt"
        with running_pod(workload, f"{UPSTREAM}-0", self.secrets, place, hosts, beside, ca) as pod:
            pod.wait_for("startupProbe")
            yield pod

    @contextmanager
    def replica(self, upstream: Pod | None, name: str = "location-policy-5d9f-1", of: str = "own") -> Iterator[Pod]:
        """The pod of a replica of it, or of one that cannot be reached."""
        workload = overlay(of).one("Deployment", REPLICAS)
        with running_pod(workload, name, self.secrets, self.folder / "pods" / name, [UPSTREAM], upstream) as pod:
            pod.wait_for("startupProbe")
            yield pod

    @contextmanager
    def forge(self) -> Iterator[Pod]:
        """A pod with a repository that is read at the address of the forge."""
        with self.upstream() as pod:
            folder = self.folder / "nginx"
            folder.mkdir()
            for name, content in zip(("tls.key", "tls.crt"), self.certificate(FORGE), strict=True):
                (folder / name).write_bytes(content)
            (folder / "nginx.conf").write_text(nginx_around(SERVED_BY_NGINX.format(folder=folder), folder))
            enter = ["nsenter", "--target", str(pod.pid), "--net"]
            nginx: list[str | Path] = [
                *enter,
                "nginx",
                "-e",
                folder / "error.log",
                "-g",
                "user root;",
                "-c",
                folder / "nginx.conf",
            ]
            process = subprocess.Popen(nginx, env=closed_environment(PATH=search_path()))
            try:
                wait_until(lambda: pod.inside("curl", "--silent", "--insecure", "https://127.0.0.1/").returncode == 0)
                yield pod
            finally:
                process.terminate()
                process.wait(10)

    def push(self, upstream: Pod, rows: str) -> str:
        """The id of a commit that an editor pushes to the upstream, over https."""
        clone = Clone(self.folder / "clone")
        if not clone.path.exists():
            git("init", "--quiet", "--initial-branch=main", clone.path, cwd=self.folder)
        commit = clone.commit({**GOOD, "locations/apac.csv": rows})
        url = f"https://ana:{quote(PASSWORD)}@{UPSTREAM}:8443/locations.git"
        here = ("-c", f"http.curloptResolve={UPSTREAM}:8443:127.0.0.1", "-C", clone.path)
        ca = {"GIT_SSL_CAINFO": str(self.folder / "replicas" / "ca.crt")}
        done = upstream.inside("git", *here, "push", "--quiet", url, "HEAD:main", **ca)
        assert done.returncode == 0, done.stderr
        return commit


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def serves(pod: Pod, commit: str, password: str = PASSWORD) -> None:
    """Wait until a node is answered from this commit."""

    def does() -> bool:
        answer = pod.ask(LOCATE, user="node", password=password)
        return answer.status == 200 and answer.json()["policy.commit"] == commit

    wait_until(does, pod.log)


def test_a_replica_follows_the_upstream_and_goes_on_without_it(site: Site) -> None:
    with ExitStack() as stack:
        upstream = stack.enter_context(site.upstream())
        assert upstream.probe("livenessProbe")
        assert not upstream.probe("readinessProbe")  # it has no map yet
        commit = site.push(upstream, "Sydney,10.61.2.0/24\n")
        upstream.wait_for("readinessProbe")

        replica = stack.enter_context(site.replica(upstream))
        replica.wait_for("readinessProbe")
        serves(replica, commit)
        for pod in (upstream, replica):
            assert pod.status_of_process("Uid").split() == ["10001"] * 4
            assert pod.status_of_process("NoNewPrivs") == "1"
            assert {int(pod.status_of_process(f"Cap{kind}"), 16) for kind in ("Prm", "Eff", "Bnd", "Amb")} == {0}
            assert pod.writable() == {"/data"}

        upstream.tell(signal.SIGKILL)
        late = stack.enter_context(site.replica(None, "location-policy-5d9f-2"))
        assert late.probe("livenessProbe")
        assert not late.probe("readinessProbe")
        serves(replica, commit)
        assert replica.probe("readinessProbe")


def test_a_pod_that_is_deleted_answers_on_while_it_says_that_it_is_not_ready(site: Site) -> None:
    with site.upstream() as upstream:
        site.push(upstream, "Sydney,10.61.2.0/24\n")
        upstream.wait_for("readinessProbe")
        upstream.tell(signal.SIGTERM)
        wait_until(lambda: not upstream.probe("readinessProbe"))
        assert upstream.probe("livenessProbe")
        assert "draining" in upstream.ask("/readyz").body
        upstream.tell(signal.SIGTERM)  # a second one ends it at once
        assert upstream.process.wait(10) == 0


def test_secrets_that_change_are_taken_up_without_a_restart(site: Site) -> None:
    with ExitStack() as stack:
        upstream = stack.enter_context(site.upstream())
        commit = site.push(upstream, "Sydney,10.61.2.0/24\n")
        replica = stack.enter_context(site.replica(upstream))
        serves(replica, commit)
        site.ca = trustme.CA()
        site.ca.cert_pem.write_to_path(site.folder / "replicas" / "ca.crt")
        key, certificate = site.certificate(UPSTREAM)
        upstream.change_secret("tls", tls_key=key, tls_crt=certificate)
        upstream.change_secret("users", htpasswd=f"ana:{hashed()}\nreplica:{hashed(NEW)}\n".encode())
        login = {"git-credentials": site.credentials(NEW), "ca.crt": site.ca.cert_pem.bytes()}
        replica.change_secret("upstream", **login)
        replica.change_secret("users", htpasswd=f"node:{hashed(NEW)}\n".encode(), roles=b"node: node, viewer\n")
        key, certificate = site.certificate("renewed.example.com")
        replica.change_secret("tls", tls_key=key, tls_crt=certificate)

        wait_until(lambda: upstream.ask("/status", user="replica", password=NEW).status == 200, upstream.log)
        wait_until(lambda: site.is_trusted(upstream, UPSTREAM), upstream.log)
        assert upstream.ask("/status", user="replica").status == 401
        commit = site.push(upstream, "Melbourne,10.61.2.0/24\n")
        replica.tell(signal.SIGHUP)  # to look now, and not when the interval is over
        serves(replica, commit, NEW)
        assert replica.ask(LOCATE, user="node").status == 401
        assert replica.ask("/status", user="node", password=NEW).status == 200
        wait_until(lambda: site.is_trusted(replica, "renewed.example.com"), replica.log)


def test_a_mirror_of_another_region_follows_its_upstream_and_is_followed(site: Site) -> None:
    with site.upstream() as upstream:
        commit = site.push(upstream, "Sydney,10.61.2.0/24\n")
        with site.upstream("region", beside=upstream) as mirror:
            mirror.wait_for("readinessProbe")
            status = mirror.ask("/status", user="replica").json()
            assert status["active"]["commit"] == commit
            with site.replica(mirror, of="region") as replica:
                serves(replica, commit)
                commit = site.push(upstream, "Melbourne,10.61.2.0/24\n")
                serves(replica, commit)
                wait_until(lambda: _has_all(upstream, 2), upstream.log)
                mirror.tell(signal.SIGKILL)
                serves(replica, commit)


def _has_all(upstream: Pod, number: int) -> bool:
    """Does it know of so many followers that answer from what it does, those behind a mirror too?"""
    followers = upstream.ask("/status", user="ana").json()["followers"]
    return (followers["total"], followers["at_tip"]) == (number, number)


def knock(upstream: Pod, token: str) -> int:
    """Status of a webhook, as GitLab sends it."""
    headers = (f"X-Gitlab-Token: {token}", "X-Gitlab-Event: Push Hook")
    words = [word for header in headers for word in ("--header", header)]
    return upstream.ask("/webhook", "--request", "POST", *words, "--data", '{"ref": "refs/heads/main"}').status


@needs("nginx", "nginx")
def test_a_push_to_the_forge_is_active_at_a_replica_when_the_forge_has_knocked(site: Site) -> None:
    with site.forge() as forge:
        first = site.push(forge, "Sydney,10.61.2.0/24\n")
        with site.upstream("forge", beside=forge) as upstream, site.replica(upstream, of="forge") as replica:
            serves(replica, first)
            commit = site.push(forge, "Melbourne,10.61.2.0/24\n")
            assert knock(upstream, "a secret of webhooks") in (200, 202)
            serves(replica, commit)
            forge.tell(signal.SIGKILL)
            assert replica.probe("readinessProbe")
            serves(replica, commit)


def test_an_upstream_that_cannot_reach_its_forge_lives_and_takes_webhooks_by_the_secret_of_now(site: Site) -> None:
    with site.upstream("forge") as upstream:
        assert upstream.probe("livenessProbe")
        assert not upstream.probe("readinessProbe")

        assert knock(upstream, "a secret of webhooks") in (200, 202)
        assert knock(upstream, "another secret of webhooks") in (401, 403)
        upstream.change_secret("remote", **{"webhook-secret": b"another secret of webhooks\n"})
        wait_until(lambda: knock(upstream, "another secret of webhooks") in (200, 202), upstream.log)
