"""A forge, an upstream that follows it, three replicas that follow the upstream, and HAProxy in front: all real.

The forge is nginx with git http-backend behind TLS. The upstream has TLS and asks for passwords. HAProxy has the file
that is shipped; it adds to each answer which replica has given it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlsplit

from location_policy.rollout import journal
from tests.forge.servers import TOKEN, USER, HttpsForge, https_forge
from tests.forge.test_webhook import SECRET, knock
from tests.support.access import PASSWORD, Pki, login, write_users
from tests.support.deployments import free_port
from tests.support.program import run_program
from tests.support.repositories import GOOD, Files, force_commit, git, make_repository, tip
from tests.support.service import Service, started_service, wait_until
from tests.system.deploy.load import Load, loaded
from tests.system.deploy.oracle import wrong_answers
from tests.system.deploy.rolling_restart import RETRIES
from tests.system.deploy.test_proxies import ASKED, haproxy_before

NAMES = ("one", "two", "three")
ADMIN = login("ana")
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
"""From Debian's package libfaketime."""
_ON_FALSE_TIME = """
import select, sys, time
time.sleep = lambda seconds: select.select((), (), (), seconds)
from location_policy.__main__ import main
main()
"""
"""The program under libfaketime, which refuses the call by which Python sleeps (clock_nanosleep with TIMER_ABSTIME)."""


@dataclass(frozen=True)
class Site:
    """How a fleet is set up.

    `drain`: seconds; `inter`: what HAProxy waits between two checks; `has_retries`: as it is shipped. `clocks`: by how
    much that of a replica is wrong, as faketime takes it; `disks`: where a replica has its state.
    """

    drain: float = 10.0
    inter: str = "1s"
    has_retries: bool = True
    clocks: Mapping[str, str] = field(default_factory=dict)
    disks: Mapping[str, Path] = field(default_factory=dict)


@dataclass
class Member:
    """A service of a fleet, which keeps its port and its state when it ends and begins again."""

    name: str
    folder: Path
    words: tuple[str | Path, ...]
    pki: Pki | None = None
    clock: str = ""
    disk: Path | None = None
    port: int = field(default_factory=free_port)
    _running: ExitStack = field(default_factory=ExitStack)
    _service: Service | None = None

    @property
    def service(self) -> Service:
        """That runs, or ran last."""
        assert self._service
        return self._service

    @property
    def state(self) -> Path:
        """Its state directory."""
        return self.disk or self.folder / "state"

    @property
    def url(self) -> str:
        """What is followed."""
        return f"{'https' if self.pki else 'http'}://127.0.0.1:{self.port}/locations.git"

    def start(self) -> Service:
        """It is ready; an assertion where it does not become so."""
        self.launch()
        wait_until(lambda: self.service.ask("/readyz").status == 200, self.log)
        return self.service

    def launch(self) -> None:
        """It listens."""
        self.folder.mkdir(exist_ok=True)
        words = ("--port", str(self.port), "--name", self.name, "--state-dir", self.state, *self.words)
        found = self._running.enter_context(self._started(*words))
        self._service = replace(found, context=self.pki.client(), login=ADMIN) if self.pki else found

    def _started(self, *words: str | Path) -> AbstractContextManager[Service]:
        if not self.clock:
            return started_service(*words, cwd=self.folder)
        program = [sys.executable, "-c", _ON_FALSE_TIME]
        preload = str(FAKETIME)
        return started_service(
            *words,
            cwd=self.folder,
            program=program,
            LD_PRELOAD=preload,
            FAKETIME=self.clock,
            FAKETIME_DONT_FAKE_MONOTONIC="1",
        )

    def stop(self) -> None:
        """As a restart ends it: it drains."""
        assert self.service.stop() == 0
        self._running.close()

    def kill(self) -> None:
        """As a crash ends it."""
        self.service.process.kill()
        self._running.close()

    def close(self) -> None:
        """End it without draining."""
        if self._service:
            self.service.process.send_signal(signal.SIGINT)
        self._running.close()

    def answers_from(self) -> str | None:
        """The commit of an answer now."""
        return self.service.ask(ASKED).headers.get("x-location-policy-commit")

    def log(self) -> str:
        """What it has said."""
        return (self.folder / "serve.log").read_text()


@dataclass
class Fleet:
    """What runs, and what is done to it; `repository` is that of the forge."""

    forge: HttpsForge
    repository: Path
    upstream: Member
    replicas: Mapping[str, Member]
    proxy: Service

    def push(self, files: Files) -> str:
        """The id of a commit that the forge has, and has told of by its webhook."""
        commit = force_commit(self.repository, files)
        self.knock()
        return commit

    def rewrite(self, files: Files) -> str:
        """The same of one that takes the place of the last."""
        git("update-ref", "refs/heads/other", "refs/heads/main^", cwd=self.repository)
        commit = force_commit(self.repository, files, "refs/heads/other", "Say it otherwise")
        git("update-ref", "refs/heads/main", commit, cwd=self.repository)
        self.knock()
        return commit

    def wait_for_followers(self) -> None:
        """Until the upstream knows that all replicas answer from what it has in force."""

        def all_have() -> bool:
            followers = self.upstream.service.status()["followers"]
            return (followers["total"], followers["at_tip"]) == (len(NAMES), len(NAMES))

        wait_until(all_have, self.upstream.log)

    def wait_for_shares(self) -> None:
        """Until every replica has a share of the calls."""
        seen = set()

        def have_all() -> bool:
            seen.add(self.proxy.ask(ASKED).headers.get("x-answered-by"))
            return seen >= set(NAMES)

        wait_until(have_all, lambda: seen)

    def knock(self) -> None:
        """The webhook of the forge."""
        status, _ = knock(self.upstream.service)
        assert status in (200, 202), status

    def wait_for(self, commit: str, *names: str) -> None:
        """Until these replicas, or all, answer from a commit."""
        for member in [self.replicas[name] for name in names or NAMES]:
            wait_until(lambda one=member: one.answers_from() == commit, member.log)  # type: ignore[misc]

    def run(self, *words: str) -> None:
        """A command at the upstream."""
        done = run_program(*words, "--repo", self.forge.repository(), "--state-dir", self.upstream.state)
        assert done.returncode == 0, done.stderr

    def wrong_answers(self, load: Load) -> list[str]:
        """What is wrong with the answers, by the journal of the upstream."""
        return wrong_answers(load.calls, journal.read(self.upstream.state))

    @contextmanager
    def loaded(self) -> Iterator[Load]:
        """The calls that are made in the block; an assertion where an answer was wrong."""
        with loaded(self.proxy) as load:
            yield load
        assert not (wrong := self.wrong_answers(load)), wrong[:20]


@contextmanager
def running_fleet(folder: Path, site: Site) -> Iterator[Fleet]:
    """All of it, once every replica has its share of the calls."""
    root, pki = folder / "root", Pki(folder / "pki")
    root.mkdir()
    repository = make_repository(root / "locations.git", GOOD)
    git("config", "uploadpack.allowFilter", "true", cwd=repository)  # as forges have it
    with ExitStack() as stack:
        forge = stack.enter_context(https_forge(folder / "forge", root))
        upstream = upstream_of(forge, folder, pki)
        replicas = {name: replica_of(upstream, folder, site, name) for name in NAMES}
        for member in (upstream, *replicas.values()):
            stack.callback(member.close)
            member.launch()
        first = tip(repository)
        proxy = stack.enter_context(_proxy(replicas, pki, folder, site))
        fleet = Fleet(forge, repository, upstream, replicas, proxy)
        fleet.wait_for(first)
        fleet.wait_for_followers()
        fleet.wait_for_shares()
        yield fleet


def upstream_of(forge: HttpsForge, folder: Path, pki: Pki) -> Member:
    """A service that follows the forge, takes its webhook, and asks for passwords."""
    (folder / "secret").write_text(f"{SECRET}\n")
    (folder / "roles").write_text("ana: editor\nreplica: viewer\n")
    users = write_users(folder / "users", "ana", "replica")
    login = _credentials(folder / "forge-credentials", forge.url, USER, TOKEN)
    source = ("--repo", forge.repository(), "--git-ca", forge.ca, "--git-credentials", login)
    asked = ("--htpasswd", users, "--roles", folder / "roles", "--webhook-secret", folder / "secret")
    return Member("upstream", folder / "upstream", (*source, *asked, *pki.arguments()), pki)


def replica_of(upstream: Member, folder: Path, site: Site, name: str, url: str = "") -> Member:
    """A service that follows this one, at another URL where that is said."""
    login = _credentials(folder / "credentials", url or upstream.url, "replica", quote(PASSWORD))
    assert upstream.pki
    source = ("--repo", url or upstream.url, "--git-ca", upstream.pki.ca_file, "--git-credentials", login)
    behind = ("--behind-proxy", "--forwarded-allow-ips", "127.0.0.1", "--drain", str(site.drain))
    return Member(name, folder / name, (*source, *behind), clock=site.clocks.get(name, ""), disk=site.disks.get(name))


def _credentials(file: Path, url: str, user: str, password: str) -> Path:
    parts = urlsplit(url)
    file.write_text(f"{parts.scheme}://{user}:{password}@{parts.netloc}\n")
    file.chmod(0o600)
    return file


def _proxy(replicas: Mapping[str, Member], pki: Pki, folder: Path, site: Site) -> AbstractContextManager[Service]:
    changes = {
        "#server two 127.0.0.1:8081": f"server two 127.0.0.1:{replicas['two'].port}",
        "#server three 127.0.0.1:8082": f"server three 127.0.0.1:{replicas['three'].port}",
        "inter 50ms": f"inter {site.inter}",
        "    option httpchk\n": "    option httpchk\n    http-response set-header X-Answered-By %s\n",
        RETRIES: RETRIES if site.has_retries else "    retries 0\n",
    }
    return haproxy_before(replicas["one"].port, pki, folder, changes)
