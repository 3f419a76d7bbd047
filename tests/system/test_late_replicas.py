"""What a push and `wait` say of real replicas: one of an older version that refuses a commit, and one that is lost."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

from tests.support.git_http import clone_over_http, push_over_http
from tests.support.program import run_program
from tests.support.repositories import GOOD, SYDNEY, init_with, said, tip
from tests.support.service import Service, running_service, started_service, wait_until

OLDER = """
import location_policy
location_policy.__version__ = "0.1.0"
from location_policy.config import policy_toml
known_today = policy_toml.RulesReader._known_keys
def known_then(self, name, table, keys):
    known_today(self, name, table, set(keys) - {"default"})
policy_toml.RulesReader._known_keys = known_then
from location_policy.__main__ import main
main()
"""
"""A version that does not know `default` in [answer]."""
NEW_KEY = {**GOOD, "policy.toml": '[answer]\ndefault = "Sydney"\n'}


def replica(stack: ExitStack, above: Service, folder: Path, name: str, program: list[str] | None = None) -> Service:
    """A service that follows this one."""
    (folder / name).mkdir(exist_ok=True)
    words = ("--repo", f"{above.url}/locations.git", "--name", name)
    return stack.enter_context(started_service(*words, cwd=folder / name, program=program))


def wait_for(upstream: Service, commit: str, *more: str) -> tuple[int, str]:
    """Status and output of `wait`."""
    done = run_program("wait", commit, "--url", upstream.url, *more)
    return done.returncode, done.stdout


def test_a_push_and_wait_tell_of_a_replica_that_refuses_and_of_one_that_is_lost(tmp_path: Path) -> None:
    repository = init_with(tmp_path, GOOD)
    old = tip(repository)
    with ExitStack() as stack:
        upstream = stack.enter_context(running_service(repository))
        replica(stack, upstream, tmp_path, "web-1")
        older = replica(stack, upstream, tmp_path, "web-2", [sys.executable, "-c", OLDER])
        lost = replica(stack, upstream, tmp_path, "web-3")
        assert wait_for(upstream, old, "--followers", "3")[0] == 0
        lost.process.kill()
        lost.process.wait()

        clone = clone_over_http(upstream, tmp_path / "clone")
        new = clone.commit(NEW_KEY)
        told = said(push_over_http(clone))
        refusal = "policy.toml:2:1: error: there is no key default in [answer]"
        assert "active at 1 of 3 replicas after 5." in told
        assert f"web-2 rejects it: {refusal}" in told
        assert f"web-3 answers from {old[:10]} (in-sync)" in told
        status, told = wait_for(upstream, new)
        assert (status, told.splitlines()[0]) == (1, f"rejected: {new[:10]}")
        assert f"  web-2: {refusal}" in told
        listed = {one["name"]: one for one in upstream.status()["followers"]["list"]}
        assert (listed["web-2"]["version"], listed["web-2"]["state"]) == ("0.1.0", "rejected")
        assert listed["web-2"]["commit"] == old == older.status()["active"]["commit"]
        assert older.locate("10.61.2.0").status == 200

        again = clone.commit({"policy.toml": "", "locations/apac.csv": SYDNEY})
        push_over_http(clone)
        status, told = wait_for(upstream, again, "--timeout", "1s")
        assert (status, told.partition(",")[0]) == (1, f"not active everywhere: {again[:10]}")
        assert told.splitlines()[1:] == [f"  web-3: answers from {old[:10]} (in-sync)"]
        replica(stack, upstream, tmp_path, "web-3")
        status, told = wait_for(upstream, again, "--followers", "3")
        assert (status, told.partition(", after ")[0]) == (0, f"active: {again[:10]}, at 3 of 3 followers")


def test_a_service_that_would_come_to_follow_itself_is_told_so_in_a_sentence(tmp_path: Path) -> None:
    repository = init_with(tmp_path, GOOD)
    with ExitStack() as stack:
        first = stack.enter_context(running_service(repository))
        second = replica(stack, first, tmp_path, "second")
        second.wait_for("in-sync", tip(repository))
        first.stop()
        port = str(first.port)
        words = ("--repo", f"{second.url}/locations.git", "--port", port, "--name", "first")
        state = ("--state-dir", repository / "location-policy")
        again = stack.enter_context(started_service(*words, *state, cwd=tmp_path))
        wait_until(
            lambda: "follow itself" in f"{again.status()['failure']}{second.status()['failure']}", again.log.read_text
        )
        for one in (again, second):
            assert one.locate("10.61.2.0").status == 200
