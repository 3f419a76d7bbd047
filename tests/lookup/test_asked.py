"""What a person asks for: an address, a subnet or a location."""

from __future__ import annotations

import pytest

from location_policy.config.validate import load_map
from location_policy.errors import NoAddress
from location_policy.lookup.asked import require_location
from tests.support.maps import files_of, view_rules


@pytest.mark.parametrize(
    ("conditions", "hint"),
    [
        ({"location": "Edge Oslo"}, "ask by view edge: --ask 'location=Edge Oslo'"),
        ({"protocol": "mssip"}, "ask by view edge: --ask protocol=mssip"),
        ({"location": "DMZ", "protocol": "mssip"}, "ask by view edge: --ask location=DMZ --ask protocol=mssip"),
        ({"location": "Lab"}, "view edge has it"),  # a view before it takes all its calls
    ],
)
def test_a_location_that_only_a_view_has_leads_to_how_that_is_asked(conditions: dict[str, str], hint: str) -> None:
    rules = view_rules("lab", location="Lab", answer="Lab") + view_rules("edge", **conditions)
    rows = {"locations.csv": "Sydney,10.61.2.0/24\n", "views/edge/locations.csv": "Oslo,10.61.0.0/16\n"}
    found = load_map(files_of({**rows, "policy.toml": rules}))
    with pytest.raises(NoAddress) as told:
        require_location("Oslo", found, found)
    assert (told.value.message, told.value.hint) == ("Oslo is no location of the map at the top", hint)
