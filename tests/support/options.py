"""The long options of all commands."""

from __future__ import annotations

from location_policy.cli.app import app
from location_policy.cli.usage.options import long_options

OPTIONS = frozenset(long_options(app))
