"""The old rule and ours, held to a look at each address in the old file, row after row."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from location_policy.integrations.imports.first_match import Difference, differences
from location_policy.integrations.imports.foreign_tables import read_tables
from location_policy.net.ranges import Names
from tests.support.maps import map_of

SUBNETS = st.builds("10.0.0.{}/{}".format, st.integers(0, 63), st.integers(24, 32))
SENT = st.sampled_from(
    [("Sydney", "Perth", "Hobart"), ("Perth", "Sydney", "Hobart"), ("Sydney", "", ""), ("Oslo ", "", "")]
)
LINES = st.one_of(
    st.builds(lambda sent, subnet: ",".join((*sent, subnet)), SENT, SUBNETS),
    st.sampled_from(["", "# the rest", "Sydney,10.0.0.0/24", "Sydney,Perth,Hobart,10.0.0.0/33", "Sydney,,,10::/24"]),
)
FILES = st.lists(st.builds(lambda sent, subnet: ",".join((*sent, subnet)), SENT, SUBNETS), max_size=8)
ROWS = st.builds(lambda sent, subnet: ",".join((*sent, subnet)), SENT, SUBNETS)
WITH_FLAWS = st.builds(lambda rows, last: [*rows, *[last] * (len(rows) + 1)], st.lists(LINES, max_size=8), ROWS)
"""Most rows are those of pexsubnet, or the table is taken for another."""


def slow_first_match(lines: list[str], address: str) -> Names | None:
    """What pexsubnet sent: the first row that holds the address, unless a line before it could not be read."""
    for line in lines:
        cells = line.split(",")
        try:
            if ip_address(address) in ip_network(cells[3], strict=False):
                return tuple(cells[:3])
        except (IndexError, ValueError):
            return None
    return None


def slow_longest(rows: list[tuple[str, Names]], address: str) -> Names | None:
    """What a map of these rows answers."""
    holding = [(ip_network(subnet), names) for subnet, names in rows if ip_address(address) in ip_network(subnet)]
    return max(holding, key=lambda row: row[0].prefixlen)[1] if holding else None


def told(lines: list[str], *, keep: bool = False) -> tuple[list[Difference], list[tuple[str, Names]]]:
    """The differences for this file, and the rows that it makes."""
    tables = read_tables([("old.csv", "".join(f"{line}\n" for line in lines).encode())], None, only_answering=keep)
    rows = [(str(row.network), row.names) for row in tables.rows["old.csv"]]
    text = "Hobart,192.0.2.0/24\n" + "".join(f"{','.join(names)},{subnet}\n" for subnet, names in rows)
    assert tables.answering is not None
    found = list(differences(tables.answering, map_of(text)))
    return [one for one in found if one.after != ("Hobart",)], rows


@given(WITH_FLAWS)
def test_each_address_is_in_the_one_difference_that_it_sees(lines: list[str]) -> None:
    found, rows = told(lines)
    seen = {
        str(ip_address(address)): (one.before, one.after)
        for one in found
        if one.size == 4
        for address in range(one.range.first, one.range.last + 1)
    }
    answers = {
        f"10.0.0.{host}": (slow_first_match(lines, f"10.0.0.{host}"), slow_longest(rows, f"10.0.0.{host}"))
        for host in range(256)
    }
    assert seen == {address: pair for address, pair in answers.items() if pair[0] != pair[1]}


@given(FILES.filter(bool))
def test_without_the_rows_that_never_answered_only_names_differ(lines: list[str]) -> None:
    assert all(one.is_form for one in told(lines, keep=True)[0])


def test_a_difference_tells_the_row_that_answered_and_the_one_that_answers() -> None:
    (one,), _ = told(["Sydney,Perth,Hobart,10.0.0.0/8", "Perth,Sydney,Hobart,10.0.0.0/24"])
    assert (one.old_row and one.old_row.place, str(one.new_row)) == ("old.csv:1", "10.0.0.0/24")
    assert not one.is_form


def test_ipv6_never_had_an_answer() -> None:
    (one,), _ = told(["Sydney,Perth,Hobart,2001:db8::/32"])
    assert (one.size, one.before, one.after) == (16, None, ("Sydney", "Perth", "Hobart"))
