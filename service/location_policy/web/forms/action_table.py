"""Everything that can be changed, in one table."""

from __future__ import annotations

from ...edits.intent import Intent
from ...edits.known_edit import WithKnown
from ...edits.revert import Revert
from ...edits.row_edit import AddRow, EditRow, Typed
from ...edits.upload_edit import UPLOAD_LIMIT
from ..edge.faults import Fault
from ..pages.resource_table import A_COMMIT
from ..pages.resources import Facts, Query
from ..site.site import Site
from .actions import Action, Field
from .edit import edit_facts
from .fields import FORM, JSON, LARGEST
from .multipart import FORM_WITH_FILE
from .upload import parse_upload, upload, upload_facts


def _revert(query: Query) -> Intent:
    return Revert(query["commit"], is_return=query["to"], is_again=query["again"])


def _edit(query: Query) -> Intent:
    """A row changed, or taken away; one that was not seen is a new one."""
    row, view = Typed(query["location"] or "", query["overflow"], query["subnet"] or ""), query["view"] or ""
    if query["remove"] and not query["seen"]:
        raise Fault(400, "seen is not given", "send the row to be removed as seen")
    path, seen = query["path"] or "", query["seen"]
    edit = (
        EditRow(path, query["line"] or 1, seen, None if query["remove"] else row) if seen else AddRow(path, row, view)
    )
    return WithKnown(edit, query["known"]) if query["known"] else edit


VIEW = Field("view", "The view that has the rows; without it the map at the top.", "edge")
KNOWN = Field("known", "Names that Pexip has, to be added to known in policy.toml.", "Melbourne", kind="many")


def _revert_facts(_site: Site, _query: Query) -> Facts:
    return {}


ACTIONS = (
    Action(
        "revert",
        "Revert a commit",
        "Revert a commit, or restore one: what it would do, then once confirmed the commit that does it",
        (
            Field("commit", "The id of a commit of the served branch.", A_COMMIT, is_required=True),
            Field("to", "Restore it: revert all that came after it.", "", kind="flag"),
            Field("again", "Also what is itself a revert, or reverted already.", "", kind="flag"),
        ),
        _revert,
        "revert_form.html",
        _revert_facts,
    ),
    Action(
        "edit",
        "Change a subnet",
        "Change, add or take away one row: what it would do, then once confirmed the commit that does it",
        (
            Field("path", "The file; without it that of the nearest rows.", "locations/apac.csv"),
            VIEW,
            Field("line", "The line at which the row was seen.", "1", bounds=(1, 100_000_000)),
            Field("seen", "The line as it was seen; without it the row is a new one.", "Sydney,10.61.2.0/24"),
            Field("subnet", "The subnet.", "10.61.2.0/24"),
            Field("location", "The location.", "Sydney"),
            Field("overflow", "The overflow locations, in order.", "Melbourne", kind="many"),
            Field("remove", "Take the row away.", "", kind="flag"),
            KNOWN,
            Field("at", "The commit at which the row was seen; only for the form.", A_COMMIT),
        ),
        _edit,
        "edit_form.html",
        edit_facts,
        origin="/map",
    ),
    Action(
        "upload",
        "Upload a CSV",
        "Put a table in the place of the map, or of one file: what it would do, then once confirmed the commit of it",
        (
            Field("file", "The table, as text.", "Sydney,Melbourne,Singapore,10.61.2.0/24", kind="file"),
            Field("blob", "Instead of the table: the id under which it was kept when it was shown.", ""),
            Field("name", "What the file of the table is called.", "locations.csv"),
            Field("path", "The one file to be replaced; without it the whole map is.", "locations/apac.csv"),
            VIEW,
            KNOWN,
            Field("sample", "Replace the untouched sample whole: expectations and known names too.", "", kind="flag"),
        ),
        upload,
        "upload_form.html",
        upload_facts,
        largest=UPLOAD_LIMIT + LARGEST,
        kinds=(FORM_WITH_FILE, FORM, JSON),
        parse=parse_upload,
        is_classic=True,
        origin="/upload",
    ),
)
