"""Services of one repository behind the real HAProxy, restarted one after the other under a steady load.

As a program it measures what docs/run/install.md says: `python -m tests.system.deploy.rolling_restart --drain 10`.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.support.access import Pki
from tests.support.deployments import free_port
from tests.support.repositories import GOOD, make_repository
from tests.support.service import Service, running_service
from tests.system.deploy.load import loaded
from tests.system.deploy.test_proxies import haproxy_before

NAMES = ("one", "two", "three")
RETRIES = """\
    retries 2
    option redispatch 1
    retry-on conn-failure empty-response response-timeout 503
"""
"""What is shipped, by which a call that fails at one service would be sent to another."""


def restart_in_turn(folder: Path, drain: float, inter: str, fall: int = 2, *, retries: bool = False) -> Counter[str]:
    """What becomes of the calls while each of three services ends and begins again."""
    repository, pki = make_repository(folder / "locations.git", GOOD), Pki(folder / "pki")
    ports = {name: free_port() for name in NAMES}
    changes = {
        "#server two 127.0.0.1:8081": f"server two 127.0.0.1:{ports['two']}",
        "#server three 127.0.0.1:8082": f"server three 127.0.0.1:{ports['three']}",
        "inter 50ms fall 2": f"inter {inter} fall {fall}",
        RETRIES: RETRIES if retries else "    retries 0\n",
    }
    with ExitStack() as stack:

        def start(name: str) -> Service:
            own = folder / name
            own.mkdir(exist_ok=True)
            state = ("--state-dir", own / "state", "--port", str(ports[name]), "--drain", str(drain))
            behind = ("--behind-proxy", "--forwarded-allow-ips", "127.0.0.1")
            return stack.enter_context(running_service(repository, *state, *behind, cwd=own))

        services = {name: start(name) for name in NAMES}
        proxy = stack.enter_context(haproxy_before(ports["one"], pki, folder, changes))
        with loaded(proxy) as load:
            time.sleep(1)
            for name in NAMES:
                assert services[name].stop() == 0
                services[name] = start(name)
            time.sleep(1)
        for service in services.values():
            service.stop(signal.SIGINT)  # without draining
        log = (folder / "server.log").read_text()
        assert not drain or all(f"location-policy/{name} is DOWN" in log for name in NAMES), log
    return load.outcomes


def main() -> None:
    """Print the outcomes of one round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drain", type=float, default=10.0)
    parser.add_argument("--inter", default="1s")
    parser.add_argument("--fall", type=int, default=2)
    parser.add_argument("--retries", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(dict(restart_in_turn(Path(folder), asked.drain, asked.inter, asked.fall, retries=asked.retries)))


if __name__ == "__main__":
    main()
