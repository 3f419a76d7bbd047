"""Tables of other programs: what is written answers as the source says, for every address of it."""

from __future__ import annotations

import time
from ipaddress import IPv4Network, ip_address, summarize_address_range
from itertools import pairwise
from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.integrations.imports.foreign_tables import read_tables
from location_policy.lookup.snapshot import build_snapshot
from location_policy.net.addresses import parse_address
from tests.support.maps import map_of
from tests.support.program import run_program

SUBNETS = st.builds("10.0.0.{}/{}".format, st.integers(0, 255), st.integers(23, 32))
SITES = st.sampled_from(["Sydney", "Perth", "Hobart"])
COUNTRIES = st.sampled_from(["AU", "NZ", "JP", "FR"])
COUNTRIES_FILE = ("countries.csv", b"country,location\nAU,Sydney\nNZ,Sydney\nJP,Tokyo\n")
LOCATIONS = {"AU": "Sydney", "NZ": "Sydney", "JP": "Tokyo"}
BASE = int(ip_address("10.0.0.0"))
ADDRESSES = [str(ip_address(BASE + at)) for at in range(512)]


def answers(table: bytes, sites: tuple[str, bytes] | None = None) -> dict[str, str | None]:
    """What each address gets from the rows that the table makes."""
    rows = read_tables([("table", table)], sites).rows["table"]
    text = "Elsewhere,192.0.2.0/24\n" + "".join(f"{','.join(row.names)},{row.network}\n" for row in rows)
    snapshot = build_snapshot(map_of(text), None)
    found = {address: snapshot.match(parse_address(address)) for address in ADDRESSES}
    return {address: match and match.names[0] for address, match in found.items()}


def longest(rows: list[tuple[IPv4Network, str]]) -> dict[str, str | None]:
    """What a slow look at every row says: the first of those with the longest prefix."""
    parts = [(range(int(network[0]), int(network[-1]) + 1), network.prefixlen, name) for network, name in rows]
    found: dict[str, str | None] = {}
    for at, address in enumerate(ADDRESSES, BASE):
        holding = [(length, name) for addresses, length, name in parts if at in addresses]
        found[address] = max(holding, key=itemgetter(0))[1] if holding else None
    return found


def networks(rows: list[tuple[str, str]]) -> list[tuple[IPv4Network, str]]:
    return [(IPv4Network(subnet, strict=False), name) for subnet, name in rows]


@given(st.lists(st.tuples(SUBNETS, SITES), min_size=1, max_size=8))
def test_a_table_of_prefixes_answers_as_it_says(rows: list[tuple[str, str]]) -> None:
    table = "Site,VLAN,Prefix\n" + "".join(f"{site},7,{subnet}\n" for subnet, site in rows)
    assert answers(table.encode()) == longest(networks(rows))


@given(st.lists(st.tuples(SUBNETS, COUNTRIES), min_size=1, max_size=8))
def test_networks_with_a_country_are_merged_and_answer_as_before(rows: list[tuple[str, str]]) -> None:
    unique = {str(network): country for network, country in networks(rows)}
    table = "network,country\n" + "".join(f"{subnet},{country}\n" for subnet, country in unique.items())
    expected = longest(networks(list(unique.items())))
    assert answers(table.encode(), COUNTRIES_FILE) == {
        address: LOCATIONS.get(country or "") for address, country in expected.items()
    }


@given(st.lists(st.tuples(st.integers(0, 511), COUNTRIES), min_size=2, max_size=8), st.booleans())
def test_ranges_of_a_country_answer_as_before(cuts: list[tuple[int, str]], is_registry: bool) -> None:
    ends = sorted({at for at, _ in cuts} | {0, 512})
    found = [
        (BASE + first, BASE + beyond - 1, name)
        for (first, beyond), (_, name) in zip(pairwise(ends), cuts, strict=False)
    ]
    if is_registry:
        lines = [f"apnic|{name}|ipv4|{ip_address(a)}|{z - a + 1}|20240101|allocated" for a, z, name in found]
    else:
        lines = [f"{ip_address(a)},{ip_address(z)},{name}" for a, z, name in found]
    expected = [
        (network, name)
        for a, z, name in found
        for network in summarize_address_range(ip_address(a), ip_address(z))
        if isinstance(network, IPv4Network)
    ]
    assert answers("\n".join([*lines, ""]).encode(), COUNTRIES_FILE) == {
        address: LOCATIONS.get(country or "") for address, country in longest(expected).items()
    }


def test_neighbours_with_one_location_become_the_fewest_rows() -> None:
    table = b"network,country\n" + b"".join(
        f"10.{n >> 8}.{n & 255}.0/24,{'AU' if n % 2 else 'NZ'}\n".encode() for n in range(4096)
    )
    rows = read_tables([("table", table)], COUNTRIES_FILE).rows["table"]
    assert [str(row.network) for row in rows] == ["10.0.0.0/12"]


def test_a_network_that_another_file_has_is_left_to_it() -> None:
    elsewhere = map_of("Perth,10.0.0.0/24\n").files[0].networks
    tables = read_tables([("t", b"network,country\n10.0.0.0/24,AU\n")], COUNTRIES_FILE, elsewhere=elsewhere)
    assert tables.rows["t"] == ()
    assert [problem.code for problem in tables.problems] == ["duplicate-subnet"]


HEADINGS = {
    "netbox": "ID,Prefix,Status,Children,VRF,Utilization,Tenant,Site,VLAN,Role,Description",
    "phpipam": "Section,Subnet,Mask,Description,VLAN,VRF",
    "infoblox": "header-network,address*,netmask*,comment,EA-Site",
    "bluecat": "Type,Name,CIDR,Location Code",
    "active-directory": '"DistinguishedName","Location","Name","ObjectClass","Site"',
    "teams": '"Identity","Description","MaskBits","SubnetID","NetworkSiteID"',
    "building-file": "",
    "plain": "subnet;site",
}
ROWS = {
    "netbox": '{n},{net}.0/24,Active,0,,0,,Site {site},"VLAN {n}",Users,"Floor {n}, left"',
    "phpipam": "Site {site},{net}.0,24,Floor {n},,",
    "infoblox": "network,{net}.0,255.255.255.0,,Site {site}",
    "bluecat": "IP4Network,N{n},{net}.0/24,Site {site}",
    "active-directory": '"CN={net}.0/24,CN=Subnets,DC=a","","{net}.0/24","subnet","CN=Site {site},CN=Sites,DC=a"',
    "teams": '"{net}.0","","24","{net}.0","Site {site}"',
    "building-file": "{net}.0,N{n},24,Site {site},Contoso,,,,,AU,,,1,0,0",
    "plain": "{net}.0/24;Site {site}",
}


def table_of(kind: str) -> bytes:
    rows = [ROWS[kind].format(n=n, net=f"10.{n >> 8}.{n & 255}", site=n % 40) for n in range(5_000)]
    return "\n".join([HEADINGS[kind], *rows, ""]).encode()


@pytest.mark.parametrize("kind", HEADINGS)
def test_five_thousand_rows_of_each_kind_are_read_in_two_seconds_with_nothing_to_say(kind: str) -> None:
    started = time.process_time()
    tables = read_tables([("table.csv", table_of(kind))], None)
    assert time.process_time() - started < 2
    rows = [(row.names, str(row.network)) for row in tables.rows["table.csv"]]
    assert rows == [((f"Site {n % 40}",), f"10.{n >> 8}.{n & 255}.0/24") for n in range(5_000)]
    assert (tables.problems, tables.passed) == ((), {})


def test_five_thousand_rows_take_few_lines_to_tell(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(table_of("netbox"))
    done = run_program("import", "table.csv", "--into", "map", cwd=tmp_path)
    assert (done.returncode, (done.stdout + done.stderr).count("\n")) == (0, 5)
