"""Maps of real networks with a seeded choice of location, and the requests that ask for them."""

from __future__ import annotations

import gzip
import random
from functools import cache
from ipaddress import ip_network
from pathlib import Path

NAMES = ("Sydney", "Melbourne", "Singapore", "London", "Paris", "New York", "Dallas", "Tokyo")
SEED = 8
REQUESTS = 2000
AT_HOME = 10
"""Of so many callers one is at home, where no row is for."""
HOME = "192.168.1.0"

QUERY = (
    "call_direction=dial_in&protocol=mssip&bandwidth=0&vendor=UCCAPI%2F16.0.7967.5277+OC%2F16.0.7967.2139+%28Skype+for"
    "+Business%29&encryption=On&registered=False&trigger=invite&remote_display_name=Alice+Jones&remote_alias=sip%3Aalice"
    "%40example.com&remote_address=10.44.151.5&remote_port=64410&proxy_node_address=&proxy_node_location=&call_tag="
    "&idp_uuid=&has_authenticated_display_name=False&supports_direct_media=False&teams_tenant_id=&location=London"
    "&node_ip=10.144.101.21&version_id=35&pseudo_version_id=77683.0.0&service_name=meet.bob&service_tag=&ms-subnet={}"
    "&local_alias=meet.bob&unique_service_name=meet.bob&request_id=644d4edc"
)
LOCATION = "/policy/v1/participant/location"


def networks(count: int, prefixes: Path | None) -> list[str]:
    """This many networks: of the routing table at `prefixes`, or made up where there is none."""
    chance = random.Random(SEED)
    if prefixes is None:
        return made_up(count, chance)
    table = routing_table(prefixes)
    if len(table) < count:
        raise SystemExit(f"{prefixes} has {len(table):,} networks, {count:,} are wanted")
    return [table[index] for index in sorted(chance.sample(range(len(table)), count))]


@cache
def routing_table(prefixes: Path) -> list[str]:
    """A network on each line, gzip or plain."""
    content = prefixes.read_bytes()
    text = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    return [line for line in text.decode().split("\n") if line]


def made_up(count: int, chance: random.Random) -> list[str]:
    """Distinct IPv4 networks of the lengths that routing tables mostly have."""
    found: dict[str, None] = {}
    while len(found) < count:
        length = chance.choice((16, 19, 20, 21, 22, 22, 23, 24, 24, 24, 24, 24))
        found[str(ip_network((chance.randrange(1 << 24, 224 << 24) >> 32 - length << 32 - length, length)))] = None
    return list(found)


def rows(of: list[str]) -> str:
    """A `locations.csv` with a row for each network."""
    chance = random.Random(SEED)
    return "".join(f"{','.join(chance.sample(NAMES, 3))},{network}\n" for network in of)


def requests(of: list[str], authorization: str | None = None) -> list[bytes]:
    """Requests as a node sends them: for the first address of some network, and now and then of none, from a home."""
    chance = random.Random(SEED)
    addresses = [chance.choice(of).partition("/")[0] if number % AT_HOME else HOME for number in range(REQUESTS)]
    headers = "Host: policy.example.com\r\nUser-Agent: Pexip\r\nAccept: */*\r\n"
    if authorization:
        headers += f"Authorization: {authorization}\r\n"
    return [f"GET {LOCATION}?{QUERY.format(one)} HTTP/1.1\r\n{headers}\r\n".encode() for one in addresses]
