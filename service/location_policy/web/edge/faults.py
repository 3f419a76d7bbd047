"""What went wrong with a request, for people and as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import (
    BranchMoved,
    InvalidConfiguration,
    LocationPolicyError,
    NoAddress,
    NotConfirmed,
    NothingChanges,
    NotJudged,
    NotPinnable,
    NotPushed,
    NotRevertible,
    NotWritable,
    RepositoryError,
    RevertConflict,
    RowChanged,
    UnknownRevision,
    UnusableUpload,
)
from ...problems import Problems, errors_in
from ...text import escape

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Sign in required",
    403: "Permission denied",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timed out",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported format",
    422: "Rejected",
    500: "Internal error",
    503: "Temporarily unavailable",
}
"""What is said first, by status."""
RETRY_AFTER = "5"
SOON = "1"
"""Seconds after which a request that was turned away may be tried again."""


class Fault(LocationPolicyError):
    """A request that gets no answer, and why.

    `problems` are the first of those of a commit that is not valid, `places` where two changes of the map meet,
    or what a remote has said.
    """

    def __init__(
        self,
        status: int,
        message: str,
        hint: str | None = None,
        problems: Problems | None = None,
        places: Sequence[str] = (),
        title: str | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.title = title or TITLES[status]
        self.problems = (problems or Problems()).first()
        self.places = tuple(places)


class NotLoaded(Fault):
    """Nothing can be shown of the map yet."""

    def __init__(self, message: str) -> None:
        super().__init__(503, message, "see / for what is being waited for")


def fault_of(error: LocationPolicyError) -> Fault:
    """Another error of ours as a fault."""
    match error:
        case Fault():
            return error
        case NoAddress():
            return Fault(400, error.message, error.hint)
        case UnknownRevision():
            return Fault(404, error.message, error.hint)
        case InvalidConfiguration():
            return Fault(422, error.message, None, errors_in(error.problems))
        case UnusableUpload():
            return Fault(422, error.message, error.hint, error.problems)
        case RevertConflict(problems=places) | NotPushed(said=places):
            return Fault(409, error.message, error.hint, places=places)
        case RowChanged():
            place = [f"{error.path}:{error.line}: {error.text}"] if error.text else []
            return Fault(409, error.message, error.hint, places=place)
        case NothingChanges() | NotConfirmed() | NotWritable() | NotRevertible() | NotPinnable() | BranchMoved():
            title = "No change" if isinstance(error, NothingChanges) else None
            return Fault(409, error.message, error.hint, title=title)
        case NotJudged():
            return Fault(503, error.message, "nothing was made: try again; what is large also goes by git push")
    did = "written" if isinstance(error, RepositoryError) and error.is_disk_full else "read"
    return Fault(503, f"the repository cannot be {did}: {error.message}", error.hint)


def problem_details(fault: Fault) -> dict[str, Any]:
    """The fault as problem details; `type` is left out, which means `about:blank`."""
    told: dict[str, Any] = {"title": fault.title, "status": fault.status, "detail": escape(fault.message)}
    if fault.hint:
        told["hint"] = escape(fault.hint)
    if fault.problems:
        told |= fault.problems.fields()
    if fault.places:
        told["places"] = [escape(place) for place in fault.places]
    return told
