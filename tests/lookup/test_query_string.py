"""A query string: what is read where it stands is what is read from the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from location_policy.lookup.query_string import PlainQuery, parse_pairs, parse_query
from tests.fuzz.strategies import QUERIES

NAMES = ("protocol", "ms-subnet", "remote-address", "request-id", "node-ip", "x")
_PIECES = st.sampled_from(
    [
        *("protocol", "Protocol", "ms-subnet", "ms_subnet", "MS_Subnet", "remote_address", "request_id", "node_ip"),
        *("=", "&", ";", "?", "#", "+", " ", "\t", "[", "]", '"', "'", ",", "%", "%20", "%26", "%3D", "%5B", "%5D"),
        *("%70rotocol", "ms%2dsubnet", "mssip", "10.61.2.0", "%ff", "%E2%84%AA", "\u212a", "\u0130", "\xff", "\0", "x"),
    ]
)
NEAR_QUERIES = st.lists(_PIECES, max_size=30).map(lambda pieces: "".join(pieces).encode())


@given(QUERIES | NEAR_QUERIES)
def test_every_name_has_the_value_that_it_has_in_the_whole(query: bytes) -> None:
    found, whole = parse_query(query), parse_pairs(query)
    for name in (*NAMES, *(name for name, _ in whole)):
        assert found.first(name) == whole.first(name), name


@pytest.mark.parametrize(
    ("query", "is_plain"),
    [
        (b"", True),
        (b"protocol=mssip&vendor=a%2Fb&ms_subnet=10.61.2.0", True),
        (b"=%20&protocol", True),
        (b"%70rotocol=mssip", False),
        (b"a=b&ms%2dsubnet=10.61.2.0", False),
        (b"a=\xff", False),
    ],
)
def test_a_query_is_taken_apart_only_where_a_name_is_not_written_plainly(query: bytes, is_plain: bool) -> None:
    assert isinstance(parse_query(query), PlainQuery) == is_plain
