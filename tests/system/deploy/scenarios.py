"""What happens to a fleet: each is done under load, and leaves the fleet as it was, all answering from one commit."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable

from tests.support.repositories import BAD, tip
from tests.support.service import wait_until
from tests.system.deploy.fleet import Fleet
from tests.system.faults.test_state_directory import fill

FULL = ("the disk is full", "No space left on device")
"""How it is told that nothing can be kept, of what is fetched or for a restart."""

Scenario = Callable[[Fleet], None]


class Maps:
    """A map for each commit, unlike all before."""

    number = 0

    @classmethod
    def next(cls) -> dict[str, str]:
        """Its files."""
        cls.number += 1
        return {"locations/apac.csv": f"Perth-{cls.number},10.61.2.0/24\n"}


def good_commit(fleet: Fleet) -> None:
    """A commit is in force at all."""
    fleet.wait_for(fleet.push(Maps.next()))


def bad_commit(fleet: Fleet) -> None:
    """A commit that is not valid is in force nowhere; one that mends it is."""
    good = tip(fleet.repository)
    bad = fleet.push(BAD)
    fleet.upstream.service.wait_for("rejected", good)
    assert fleet.upstream.service.status()["failure"]["commit"] == bad
    fleet.wait_for(good)
    good_commit(fleet)


def rewritten_history(fleet: Fleet) -> None:
    """The last commit makes way for another at its place."""
    good_commit(fleet)
    fleet.wait_for(fleet.rewrite(Maps.next()))


def pin_and_its_end(fleet: Fleet) -> None:
    """An older commit is held at the upstream, and let go."""
    old = tip(fleet.repository)
    new = fleet.push(Maps.next())
    fleet.wait_for(new)
    fleet.run("pin", old, "--for", "1h", "--reason", "calls drop")
    fleet.wait_for(old)
    fleet.run("unpin")
    fleet.wait_for(new)


def restart_of_replicas(fleet: Fleet) -> None:
    """One after the other."""
    for member in fleet.replicas.values():
        member.stop()
        member.start()
    fleet.wait_for_followers()


def restart_of_the_upstream(fleet: Fleet) -> None:
    """It comes back, and its replicas find it."""
    fleet.upstream.stop()
    fleet.upstream.start()
    good_commit(fleet)
    fleet.wait_for_followers()


def killed_replica(fleet: Fleet) -> None:
    """It misses a commit, comes back, and has it."""
    fleet.replicas["two"].kill()
    new = fleet.push(Maps.next())
    fleet.wait_for(new, "one", "three")
    fleet.replicas["two"].start()
    fleet.wait_for(new)


def killed_upstream(fleet: Fleet) -> None:
    """It comes back, and its replicas find it."""
    fleet.upstream.kill()
    fleet.upstream.start()
    good_commit(fleet)


def forge_away(fleet: Fleet, seconds: float = 0.0) -> None:
    """The upstream says so; what was pushed meanwhile is in force when the forge is back."""
    with fleet.forge.away():
        new = fleet.push(Maps.next())
        fleet.upstream.service.wait_for("unreachable")
        time.sleep(seconds)
    fleet.knock()
    fleet.wait_for(new)


def upstream_away(fleet: Fleet, seconds: float = 0.0) -> None:
    """Each replica is restarted meanwhile, and answers from what it has kept; then all find the upstream again."""
    until = time.monotonic() + seconds
    good = tip(fleet.repository)
    fleet.upstream.kill()
    for member in fleet.replicas.values():
        member.stop()
        member.start()
        assert member.answers_from() == good
    time.sleep(max(0.0, until - time.monotonic()))
    fleet.upstream.start()
    good_commit(fleet)
    fleet.wait_for_followers()


def full_disk(fleet: Fleet) -> None:
    """A replica that can keep nothing answers on, from a commit or from the one after it; with room it has the next."""
    full = fleet.replicas["two"]
    fill(full.state)
    fleet.wait_for(fleet.push(Maps.next()), "one", "three")
    wait_until(lambda: any(told in json.dumps(full.service.status()) for told in FULL), full.log)
    (full.state / "filling").unlink()
    full.service.process.send_signal(signal.SIGHUP)
    good_commit(fleet)
