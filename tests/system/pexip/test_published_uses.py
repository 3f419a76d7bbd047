"""The four uses that Pexip's pages show of a location policy, each with the request that a node sends for it.

The media-location examples of its local policy branch on the location of the node that asks; its page on external
policy has one answer for all, and the subnets of callers. Requests have the parameters of releases 35 to 39.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.support.repositories import make_repository
from tests.support.service import Service, running_service
from tests.system.pexip.conference_node import ask, judge

RULES = """
[match]
webrtc = "remote_address"
api = "remote_address"

[[view]]
name = "streams"
call_direction = "dial_out"
protocol = "rtmp"
location = ["Oslo", "Sydney"]
answer = "DMZ"

[[view]]
name = "edge"
location = "DMZ"
default = "DMZ"

[[view]]
name = "teams"
protocol = "teams"
answer = ["Oslo", "DMZ"]
"""
FILES = {
    "policy.toml": RULES,
    "locations.csv": "Sydney,Melbourne,10.61.0.0/16\nOslo,192.168.1.0/24\n",
    "views/edge/locations.csv": "Oslo,DMZ,10.61.0.0/16\n",
}
KNOWN = ("DMZ", "Melbourne", "Oslo", "Sydney")

NODE = {
    "bandwidth": "0",
    "call_direction": "dial_in",
    "call_tag": "",
    "has_authenticated_display_name": "False",
    "idp_uuid": "",
    "local_alias": "meet.bob",
    "location": "Oslo",
    "node_ip": "10.144.101.21",
    "proxy_node_address": "",
    "proxy_node_location": "",
    "pseudo_version_id": "77683.0.0",
    "registered": "False",
    "remote_alias": "sip:alice@example.com",
    "remote_display_name": "Alice",
    "remote_port": "58435",
    "service_name": "meet.bob",
    "service_tag": "",
    "supports_direct_media": "False",
    "teams_tenant_id": "",
    "trigger": "web",
    "unique_service_name": "meet.bob",
    "version_id": "39",
}
"""What a node sends with every request for a media location."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    repository = make_repository(tmp_path_factory.mktemp("uses") / "locations.git", FILES)
    with running_service(repository) as found:
        yield found


@pytest.mark.parametrize(
    ("said", "placed", "view"),
    [
        # by the location of the node that asks
        ({"protocol": "webrtc", "remote_address": "10.61.2.7", "location": "DMZ"}, "Oslo(DMZ)", "edge"),
        ({"protocol": "webrtc", "remote_address": "192.168.1.7", "location": "DMZ"}, "DMZ", "edge"),
        ({"protocol": "webrtc", "remote_address": "192.168.1.7"}, "Oslo", None),
        # rtmp that is dialled out to a host on the internet
        (
            {
                "protocol": "rtmp",
                "call_direction": "dial_out",
                "remote_address": "a.rtmp.example.com",
                "trigger": "unspecified",
            },
            "DMZ",
            "streams",
        ),
        ({"protocol": "rtmp", "call_direction": "dial_in", "remote_address": "10.61.2.7"}, "FALLBACK", None),
        # one answer for all: no address is asked for
        ({"protocol": "teams", "remote_address": "", "trigger": "teams"}, "Oslo(DMZ)", "teams"),
        # the subnet of the caller
        ({"protocol": "mssip", "ms-subnet": "10.61.2.0", "remote_address": "172.23.0.4"}, "Sydney(Melbourne)", None),
    ],
)
def test_the_node_places_the_call_as_the_view_says(
    service: Service, said: dict[str, str], placed: str, view: str | None
) -> None:
    response = ask(service.port, f"/policy/v1/participant/location?{urlencode(NODE | said)}")
    assert str(judge(response, KNOWN)) == placed
    assert json.loads(response.body).get("policy.view") == view


def test_the_status_counts_the_rows_of_views(service: Service) -> None:
    active = service.status()["active"]
    assert (active["subnets"], {name: one["subnets"] for name, one in active["views"].items()}) == (
        2,
        {"streams": 0, "edge": 1, "teams": 0},
    )
