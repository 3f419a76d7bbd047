"""Hostile values: noise, and what is nearly right, which gets further."""

from __future__ import annotations

from ipaddress import ip_network
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from tests.fuzz.targets import Entry

_TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
_NOISE = st.binary(max_size=40)

ADDRESSES = (
    st.ip_addresses().map(str)
    | st.ip_addresses(v=4).map(lambda address: f"::ffff:{address}")
    | st.sampled_from(
        ["10.61.2.0", "[2001:db8::1]", '["10.61.2.0"]', "fe80::1%eth0", "10.61", "010.0.0.1", "", "١٠.1.1.1"]
    )
)
SUBNETS = st.builds("{}/{}".format, ADDRESSES, st.integers(-1, 130) | st.sampled_from(["", "024", "255.255.0.0"]))
NAMES = _TEXTS | st.sampled_from(
    ["Sydney", " Perth\t", "=1+1", '"a,b"', '"', '""', "x" * 251, "<<<<<<< a", "#", "subnet"]
)
CELLS = NAMES | SUBNETS
ROWS = st.lists(CELLS, max_size=6).map(",".join).map(lambda row: row.encode(errors="surrogatepass")) | _NOISE
TABLES = st.lists(ROWS, max_size=12).flatmap(
    lambda rows: st.sampled_from([b"\n", b"\r\n", b"\r"]).map(lambda end: end.join(rows))
)

_PLAIN_NAMES = st.sampled_from(["Sydney", "Melbourne", "Singapore", '"Perth, WA"', "São Paulo"])
_PLAIN_ROWS = st.builds(
    lambda names, network: f"{','.join(names)},{network}",
    st.lists(_PLAIN_NAMES, min_size=1, max_size=3, unique=True),
    st.builds(
        lambda address, length: ip_network((address, length), strict=False),
        st.integers(0, 2**32 - 1) | st.integers(2**32, 2**128 - 1),
        st.integers(0, 32),
    ),
)
PLAIN_TABLES = st.lists(_PLAIN_ROWS, max_size=12, unique_by=lambda row: row.rpartition(",")[2]).map(
    lambda rows: "".join(f"{row}\n" for row in rows).encode()
)
"""Tables that are right, by themselves at least."""

_HEADS = st.sampled_from(
    [
        b"",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"id,loc,pover,sover,snet\n",
        b'#TYPE Subnet\r\n"Identity","MaskBits","NetworkSiteID"\r\n',
        b"SubnetID,MaskBits,NetworkSiteID\n",
        b"Prefix,Status,Site\n",
        b"network,country\n",
        b"header-network,address*,netmask*,EA-Site\n",
        b"apnic|JP|ipv4|1.0.16.0|4096|20110412|allocated\n",
        b'{"count":1,"results":[{"prefix":"10.0.0.0/8","site":{"name":"Sydney"}}]}',
    ]
)
OLD_TABLES = st.builds(
    lambda head, table, separator: (head + table).replace(b",", separator),
    _HEADS,
    TABLES | PLAIN_TABLES,
    st.sampled_from([b",", b";", b"\t"]),
)
"""Tables as other programs save them."""

_KEYS = (
    st.sampled_from(
        ["known", "mssip", "overflow", "default", "host-bits", "nul", "locations", "match.MSSIP", '""', '"a.b"', "x y"]
    )
    | st.sampled_from(["name", "location", "call_direction", "answer", "match"])
    | _TEXTS
)
_VALUES = (
    st.sampled_from(
        [
            "[]",
            "{}",
            '"list"',
            "false",
            '["Sydney"]',
            '"remote_address"',
            "1",
            "nan",
            "1979-05-27",
            "[" * 999,
            '"""',
            "9" * 5000,
        ]
    )
    | _TEXTS
)
_HEADINGS = st.sampled_from(
    ["[locations]", "[match]", "[answer]", "[checks]", "[limits]", "[[answer]]", "[[view]]", "[x.y]", "["]
)
RULES = (
    st.lists(st.builds("{} = {}".format, _KEYS, _VALUES) | _HEADINGS, max_size=10).map(
        lambda lines: "\n".join(lines).encode(errors="surrogatepass")
    )
    | _NOISE
)

PATHS = st.sampled_from(
    [
        "locations.csv",
        "locations/a.csv",
        "locations/A.csv",
        "Locations.csv",
        "x.csv",
        "views",
        "views/edge",
        "views/edge/locations.csv",
        "views/edge/expectations.csv",
        "Expectations.csv",
        "locations/a\udcff.csv",
        "locations/\n.csv",
    ]
)
_EXPECTATIONS = st.lists(
    st.builds(
        lambda place, cells: ",".join([place, *cells]).encode(errors="surrogatepass"),
        ADDRESSES | SUBNETS | CELLS,
        st.lists(_PLAIN_NAMES | CELLS, max_size=3),
    )
    | _NOISE,
    max_size=12,
).map(b"\n".join)
CONFIGURATIONS = st.builds(
    lambda tables, expected, rules: {**tables, **expected, **rules},
    st.dictionaries(PATHS, PLAIN_TABLES | TABLES, max_size=3),
    st.dictionaries(st.just("expectations.csv"), _EXPECTATIONS | PLAIN_TABLES, max_size=1),
    st.dictionaries(st.just("policy.toml"), RULES, max_size=1),
)

_PARAMETERS = st.sampled_from(
    [b"protocol", b"PROTOCOL", b"ms-subnet", b"ms_subnet", b"remote_address", b"", b"%00", b"x"]
)
_RAW = (ADDRESSES | _TEXTS | st.sampled_from(["mssip", "MSSIP", "webrtc"])).map(
    lambda text: quote_from_bytes(text.encode(errors="surrogatepass")).encode()
) | _NOISE
QUERIES = st.lists(st.builds(b"%b=%b".__mod__, st.tuples(_PARAMETERS, _RAW)) | _NOISE, max_size=6).map(b"&".join)

METHODS = st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "get", "TRACE", ""]) | _TEXTS
TARGETS = st.lists(
    st.sampled_from(["policy", "v1", "participant", "location", "status", "healthz", "", ".", "..", "\0", "\ud800"])
    | _TEXTS,
    max_size=6,
).map(lambda parts: "/" + "/".join(parts)) | st.sampled_from(
    ["/policy/v1/participant/location", "", "*", "//policy/v1"]
)

_IDS = st.sampled_from([b"0" * 40, b"1" * 40, b"2" * 64, b"", b"--all", b"HEAD", b"\xff"]) | _NOISE
_REFS = st.sampled_from([b"refs/heads/main", b"refs/heads/\xff", b"refs/location-policy/last-good", b"a b"]) | _NOISE
UPDATES = st.lists(st.builds(b"%b %b %b\n".__mod__, st.tuples(_IDS, _IDS, _REFS)) | _NOISE, max_size=4).map(b"".join)

_MODES = st.sampled_from([b"100644", b"100755", b"120000", b"160000", b"40000", b"040000", b"0", b"", b"x", b"100664"])
_FILES = st.sampled_from(
    [
        b"locations.csv",
        b"policy.toml",
        b"expectations.csv",
        b"locations",
        b"locations/a.csv",
        b"LOCATIONS.csv",
        b"..",
        b".",
        b".git",
        b"",
        b"\xff.csv",
    ]
)
TREES = st.lists(
    st.builds(Entry, _MODES, _FILES | _NOISE.map(lambda name: name.replace(b"\0", b"")), PLAIN_TABLES | TABLES | RULES),
    max_size=4,
)
_HEADERS = (
    st.sampled_from(
        [
            b"tree TREE",
            b"tree HEAD^{tree}",
            b"tree TREE x",
            b"tree 1234",
            b"tree",
            b"parent PARENT",
            b"parent " + b"3" * 40,
            b"author \xff\x1b[2J <a@b> 1 +0000",
            b"committer A <a@b> 99999999999999999999 +0000",
            b"committer A <a@b> -1 x",
            b"encoding utf-7",
            b"encoding rot13",
            b"encoding \xff",
            b"gpgsig x\n y",
        ]
    )
    | _NOISE
)
COMMITS = st.none() | st.builds(
    lambda headers, message: b"\n".join(headers) + b"\n\n" + message,
    st.lists(_HEADERS, max_size=6).map(lambda headers: [b"tree TREE", b"parent PARENT", *headers])
    | st.lists(_HEADERS, max_size=6),
    _NOISE,
)
