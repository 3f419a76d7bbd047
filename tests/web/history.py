"""Some history of a repository, for pages."""

from __future__ import annotations

from tests.support.repositories import Files

POLICY = '[match]\nwebrtc = "remote_address"\n[answer]\ndefault = "Oslo"\n'
FIRST: Files = {"locations.csv": "Sydney,Melbourne,10.61.2.0/24\n", "policy.toml": POLICY}
SECOND: Files = {
    **FIRST,
    "locations/apac.csv": "# the office\nSydney,10.61.0.0/16\nMelbourne,Sydney,Oslo,10.65.0.0/20\n",
}
INVALID: Files = {**SECOND, "locations.csv": "Sydney,10.61.2.1/24\nOslo\n"}
THIRD: Files = {**SECOND, "locations.csv": "Melbourne,10.61.2.0/24\n"}
