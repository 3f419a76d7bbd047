"""Everything that can be asked, in one table."""

from __future__ import annotations

from ...calls.report import AT_LEAST
from ...config.views.view import PARAMETERS
from . import schemas
from .calls import calls
from .fleet import fleet
from .history import commit, compare, history, recent
from .home import home
from .lookup import REQUEST, lookup, origin
from .map import PAGE, map_rows, picture
from .resources import Parameter, Resource
from .source import source, written

LINES = 100_000_000
"""More than a file has."""
A_COMMIT = "c99d929d73245a13463547ac3bdcd9657848f315"
AT = Parameter("at", "The id of a commit; without it the active one.", A_COMMIT)
PATH = Parameter("path", "The file.", "locations/apac.csv", is_required=True)
NUMBERED = Parameter("page", "Which page, from 1.", "2", 1, bounds=(1, 1_000_000))

PROTOCOL = Parameter("protocol", "The protocol of the call.", "mssip", "mssip")
VIEW = Parameter("view", "The rows of this view; without it those of the map at the top.", "")

CHANGES = (
    Parameter("kind", "Only changes of this kind.", "removed", choices=("removed", "moved", "added", "overflow")),
    Parameter("location", "Only changes that leave or reach this location.", "Sydney"),
    Parameter("subnet", "Only changes of addresses in this subnet.", "10.61.0.0/16"),
    NUMBERED,
)
"""Which of the ranges that change are listed, fifty at a time."""

RESOURCES = (
    Resource("status", "/", "What is active, and why it is not newer", "home.html", home, schemas.STATUS),
    Resource("fleet", "/fleet", "The services that follow this one", "fleet.html", fleet, schemas.FLEET),
    Resource(
        "calls",
        "/calls",
        "The calls that are remembered: how they were answered, and which networks call without a row",
        "calls.html",
        calls,
        schemas.CALLS,
        (
            Parameter("days", "How many days back, with this one.", "7", 30, bounds=(1, 10_000)),
            Parameter("at_least", "Calls of a network that is told by itself.", "100", AT_LEAST, bounds=(1, 1_000_000)),
            Parameter("situations", "With a table that `diff --calls` reads.", "yes", "no", choices=("yes", "no")),
        ),
        is_slow=True,
    ),
    Resource(
        "map",
        "/map",
        "The rows of the active commit, searched and sorted",
        "map.html",
        map_rows,
        schemas.MAP,
        (
            Parameter("q", "An address, a subnet, or words of a location or a file.", "10.61.2.7"),
            Parameter("location", "Exactly this location.", "Sydney"),
            Parameter("root", "The network of the picture.", "10.61.0.0/16"),
            VIEW,
            Parameter("file", "Exactly this file.", "locations/apac.csv"),
            Parameter("sort", "In which order.", "location", choices=("subnet", "location", "source", "length")),
            Parameter("order", "Upwards or downwards.", "desc", "asc", choices=("asc", "desc")),
            NUMBERED,
            Parameter("limit", "Rows of a page.", "100", PAGE, bounds=(1, 1000)),
        ),
        form="map_form.html",
    ),
    Resource(
        "picture",
        "/picture",
        "The subnets of one network as bars, those inside below those that hold them",
        "picture.html",
        picture,
        schemas.PICTURE,
        (
            Parameter("root", "The network; without it the part of the address space with most rows.", "10.61.0.0/16"),
            VIEW,
        ),
    ),
    Resource(
        "lookup",
        "/lookup",
        "The answer that a node gets, and the rows that contain the address; or those of a subnet, or of a location",
        "lookup.html",
        lookup,
        schemas.LOOKUP,
        (
            Parameter("address", "The address of a caller, in place of a request; a subnet; a location.", "10.61.2.7"),
            PROTOCOL,
            AT,
            *(Parameter(name, f"{name}, as a node sends it.", "") for name in REQUEST),
        ),
        form="lookup_form.html",
    ),
    Resource(
        "origin",
        "/lookup/origin",
        "Who wrote the row that answers an address, and when the answer has changed",
        "origin.html",
        origin,
        schemas.ORIGIN,
        (
            Parameter("address", "The address of a caller.", "10.61.2.7", is_required=True),
            AT,
            PROTOCOL,
            *(Parameter(name, f"{name}, as a node sends it.", "") for name in PARAMETERS if name != "protocol"),
            Parameter("number", "Commits to look at.", "100", 100, bounds=(1, 1000)),
        ),
        is_slow=True,
    ),
    Resource(
        "history",
        "/history",
        "The commits of the served branch, and the status of each",
        "history.html",
        history,
        schemas.HISTORY,
        (NUMBERED,),
        is_slow=True,
    ),
    Resource(
        "recent",
        "/recent",
        "The last five commits of the served branch, and the impact of each",
        "recent.html",
        recent,
        schemas.RECENT,
        is_slow=True,
    ),
    Resource(
        "commit",
        "/commit/{id}",
        "One commit, and its impact",
        "commit.html",
        commit,
        schemas.ONE_COMMIT,
        (Parameter("id", "Its id.", A_COMMIT, is_required=True), *CHANGES),
        is_slow=True,
    ),
    Resource(
        "compare",
        "/compare",
        "What going from one commit to another does",
        "compare.html",
        compare,
        schemas.COMPARE,
        (
            Parameter("old", "The id of a commit.", A_COMMIT, is_required=True),
            Parameter("new", "The id of another.", A_COMMIT, is_required=True),
            *CHANGES,
        ),
        form="compare_form.html",
        is_slow=True,
    ),
    Resource(
        "source",
        "/source/{path:path}",
        "The lines of a file as it was committed",
        "source.html",
        source,
        schemas.SOURCE,
        (
            PATH,
            AT,
            Parameter("line", "The line that is meant.", "3", bounds=(1, LINES)),
        ),
        is_slow=True,
    ),
    Resource(
        "written",
        "/written/{path:path}",
        "Who wrote a line of a file",
        "written.html",
        written,
        schemas.WRITTEN,
        (
            PATH,
            AT,
            Parameter("line", "The line.", "3", bounds=(1, LINES), is_required=True),
        ),
        is_slow=True,
    ),
)
