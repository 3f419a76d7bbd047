"""The form in which a CSV file or another table is uploaded.

It is kept in the repository, where nothing names it until it is confirmed.
"""

from __future__ import annotations

from ...edits.intent import Intent
from ...edits.upload_edit import UPLOAD_LIMIT, UploadRows
from ...text import quote
from ..edge.faults import Fault
from ..pages.resources import Facts, Query
from ..site.site import Site
from .edit import own_snapshot, path_fields, view_fields
from .fields import Body, Given, parse_fields
from .multipart import FORM_WITH_FILE, Form, UploadedFile, clean_name, parse_multipart

UNNAMED = "locations.csv"
"""What a file is called that comes without a name."""


def parse_upload(site: Site, body: Body) -> Given:
    """What a form says, with the id of its file instead of the file; raises LocationPolicyError."""
    if body.kind == FORM_WITH_FILE:
        form = parse_multipart(body.content_type, body.content)
    else:
        fields = dict(parse_fields(body))
        texts = fields.pop("file", [])
        name = next(iter(fields.get("name", [])), UNNAMED)
        form = Form(fields, {"file": [UploadedFile(name, text.encode()) for text in texts]} if texts else {})
    chosen = _chosen(form)
    if chosen is None:
        return form.fields
    return {**form.fields, "blob": [site.change_service.keep(chosen.content)], "name": [chosen.name or UNNAMED]}


def _chosen(form: Form) -> UploadedFile | None:
    """The one file; raises Fault where it stands elsewhere, or there are several."""
    if others := sorted(form.files.keys() - {"file"}):
        message = f"the file is in the field {quote(others[0])}, not in the field file"
        raise Fault(400, message, "with curl: -F file=@locations.csv")
    files = form.files.get("file", [])
    if len(files) > 1:
        raise Fault(400, f"there are {len(files)} files, and one is taken at a time", "upload one after the other")
    if any(form.fields.get("file", [])):
        raise Fault(400, "the field file is a text, not a file", "with curl: -F file=@locations.csv, with the @")
    if files and len(files[0].content) > UPLOAD_LIMIT:
        message = f"{quote(files[0].name)} is too large: {UPLOAD_LIMIT:,} bytes are taken"
        raise Fault(413, message, "what is larger goes by git push")
    return files[0] if files else None


def upload(query: Query) -> Intent:
    """The table that was uploaded now, or when its plan was shown."""
    if not query["blob"]:
        raise Fault(400, "no file is given", "choose one; with curl: -F file=@locations.csv")
    name = clean_name(query["name"] or "") or UNNAMED
    return UploadRows(query["blob"], name, query["path"] or "", query["known"], query["sample"], query["view"] or "")


def upload_facts(site: Site, query: Query) -> Facts:
    """What was chosen, and the files to choose from."""
    own = own_snapshot(site.active.state.snapshot, query)
    return {
        "query": query,
        "chosen": clean_name(query["name"] or "") or UNNAMED if query["blob"] else None,
        **path_fields(own, query["path"]),
        **view_fields(site.active.state.snapshot, query),
        "rows": own.size if own else 0,
        "unknown": list(query["known"]),
        "holds_sample": site.change_service.holds_sample(),
    }
