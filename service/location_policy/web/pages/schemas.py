"""The shapes of the API's answers to who asks, as JSON Schema."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
DATE: Schema = {"type": "string", "format": "date"}
REAL: Schema = {"type": "number"}
OTHER: Schema = {"type": "object"}
"""An object that is not described further."""


def record(**properties: Schema) -> Schema:
    """An object with these keys, all of them there."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def many(item: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": item}


def by_name(item: Schema) -> Schema:
    """An object with any names, each with one of these."""
    return {"type": "object", "additionalProperties": item}


def perhaps(schema: Schema) -> Schema:
    """This, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


COUNTS = by_name(NUMBER)
COMMIT = record(
    commit=TEXT,
    subject=TEXT,
    author=TEXT,
    pusher=perhaps(TEXT),
    committed_at=TIME,
    signer=perhaps(TEXT),
    signing_key=perhaps(TEXT),
)
ANSWER = record(location=TEXT, overflow=many(TEXT))
ROW = record(subnet=TEXT, location=TEXT, overflow=many(TEXT), path=TEXT, line=NUMBER)
PLACED = {"path": TEXT, "line": NUMBER, "column": NUMBER, "code": TEXT, "severity": TEXT, "message": TEXT}
PROBLEM = record(**PLACED, hint=perhaps(TEXT))
TOTAL = {"ranges": NUMBER, "addresses": NUMBER, "slash64s": TEXT}
PART_OF_PLAN = {
    "summary": TEXT,
    "share": TEXT,
    "found": NUMBER,
    "rules": many(TEXT),
    "judging_rules": NUMBER,
    "more_rules": NUMBER,
    "totals": by_name(record(**TOTAL)),
    "pairs": many(record(kind=TEXT, before=perhaps(ANSWER), after=perhaps(ANSWER), size=TEXT, share=TEXT, **TOTAL)),
    "more_pairs": perhaps(record(number=NUMBER, text=TEXT, **TOTAL)),
    "changes": many(
        record(
            kind=TEXT,
            subnets=TEXT,
            before=perhaps(ANSWER),
            after=perhaps(ANSWER),
            size=TEXT,
            **TOTAL,
            source=TEXT,
            address=TEXT,
            places=many(record(path=TEXT, line=NUMBER, is_gone=TRUTH)),
        )
    ),
    "more": NUMBER,
}
PLAN = record(
    effect=TRUTH,
    heading=perhaps(TEXT),
    calls=perhaps(
        record(
            since=TEXT,
            days=NUMBER,
            remembered=NUMBER,
            changed=NUMBER,
            lost=NUMBER,
            unsure=NUMBER,
            lines=many(TEXT),
        )
    ),
    strips=many(
        record(
            family=TEXT,
            segments=many(
                record(
                    first=TEXT,
                    start=NUMBER,
                    width=NUMBER,
                    before=perhaps(TEXT),
                    after=perhaps(TEXT),
                    share=REAL,
                )
            ),
        )
    ),
    **PART_OF_PLAN,
    views=many(
        record(
            text=TEXT,
            before=perhaps(TEXT),
            after=perhaps(TEXT),
            call=by_name(TEXT),
            **PART_OF_PLAN,
        )
    ),
    more_views=NUMBER,
)
PIN = record(commit=TEXT, by=TEXT, at=TIME, until=TIME, reason=TEXT)
CHANGE_OF_TIP = {"plan": perhaps(PLAN), "problems": many(PROBLEM), "errors": NUMBER, "counts": COUNTS, "is_cut": TRUTH}
CHANGE = {"old": perhaps(COMMIT), **CHANGE_OF_TIP, "invalid": perhaps(TEXT)}
FATE = {
    "is_active": TRUTH,
    "is_head": TRUTH,
    "was_active": many(record(**{"from": TIME, "to": perhaps(TIME)})),
    "refused": many(TIME),
    "pins": many(record(event=TEXT, at=TIME, by=perhaps(TEXT), reason=perhaps(TEXT))),
    "override": perhaps(OTHER),
}
TOLD_COMMIT = {**COMMIT["properties"], **FATE}

FOLLOWER = record(
    name=TEXT,
    address=TEXT,
    version=TEXT,
    commit=perhaps(TEXT),
    state=TEXT,
    since=TIME,
    seen_at=TIME,
    problems=perhaps(record(commit=TEXT, problem=TEXT)),
    behind=perhaps(
        record(
            total=NUMBER, at_tip=NUMBER, states=COUNTS, late=many(record(name=TEXT, commit=perhaps(TEXT), state=TEXT))
        )
    ),
)
FOLLOWERS = {"total": NUMBER, "at_tip": NUMBER, "lost": NUMBER, "list": many(FOLLOWER)}
FLEET = record(commit=perhaps(TEXT), **FOLLOWERS)

_TABLES = {
    "by_answer": record(location=TEXT, overflow=many(TEXT), calls=NUMBER),
    "by_protocol": record(protocol=perhaps(TEXT), calls=NUMBER),
    "by_node_location": record(node_location=perhaps(TEXT), calls=NUMBER),
    "by_outcome": record(outcome=TEXT, calls=NUMBER),
    "by_view": record(view=perhaps(TEXT), calls=NUMBER),
    "without_row": record(subnet=TEXT, calls=NUMBER, last=DATE, row=TEXT, view=perhaps(TEXT)),
    "bad_addresses": record(node=perhaps(TEXT), address=perhaps(TEXT), calls=NUMBER),
    "unknown_locations": record(location=TEXT, calls=NUMBER),
}
CALLS = record(
    commit=perhaps(TEXT),
    days=NUMBER,
    since=DATE,
    calls=NUMBER,
    merged=NUMBER,
    scattered=NUMBER,
    rows=NUMBER,
    unused_rows=perhaps(many(record(path=TEXT, line=NUMBER, subnet=TEXT, location=TEXT))),
    more_unused_rows=NUMBER,
    unmet_views=perhaps(many(TEXT)),
    situations=perhaps(
        record(
            format=TEXT,
            version=NUMBER,
            since=DATE,
            calls=NUMBER,
            left_out=NUMBER,
            columns=many(TEXT),
            rows=many({"type": "array"}),
        )
    ),
    **{name: many(row) for name, row in _TABLES.items()},
    **{f"more_{name}": NUMBER for name in _TABLES},
)

STATUS = record(
    state=TEXT,
    sentence=TEXT,
    active=perhaps(OTHER),
    pin=perhaps(PIN),
    pin_problem=perhaps(TEXT),
    head=perhaps(OTHER),
    failure=perhaps(OTHER),
    source=OTHER,
    hook=OTHER,
    service=OTHER,
    followers=record(**FOLLOWERS),
    requests=COUNTS,
    requests_by_view=COUNTS,
    last_hour=many(NUMBER),
    last_request_at=perhaps(TIME),
    loads=COUNTS,
)
MAP = record(
    commit=perhaps(TEXT),
    size=NUMBER,
    found=NUMBER,
    page=NUMBER,
    pages=NUMBER,
    rows=many(record(**ROW["properties"], relation=perhaps(TEXT))),
    more=NUMBER,
    locations=COUNTS,
    more_locations=NUMBER,
    files=NUMBER,
    view=perhaps(TEXT),
    answer=perhaps(ANSWER),
    call=by_name(TEXT),
    maps=many(record(view=perhaps(TEXT), subnets=NUMBER, found=NUMBER)),
)
PICTURE = record(
    commit=perhaps(TEXT),
    view=perhaps(TEXT),
    root=TEXT,
    wider=perhaps(TEXT),
    families=by_name(TEXT),
    roots=many(TEXT),
    rows=NUMBER,
    depth=NUMBER,
    bars=many(
        record(
            first=TEXT,
            last=TEXT,
            start=REAL,
            width=REAL,
            depth=NUMBER,
            leads_to=TEXT,
            rows=NUMBER,
            locations=by_name(REAL),
            row=perhaps(ROW),
        )
    ),
    more=NUMBER,
    by_location=perhaps(many(record(location=TEXT, subnets=NUMBER, size=TEXT, share=TEXT, largest=TEXT))),
    more_locations=NUMBER,
)
LEADING = record(
    location=TEXT,
    commit=perhaps(TEXT),
    is_default=TRUTH,
    is_answer=TRUTH,
    as_location=many(ROW),
    more_as_location=NUMBER,
    as_overflow=many(ROW),
    more_as_overflow=NUMBER,
)
LOOKUP = record(
    commit=perhaps(COMMIT),
    is_active=TRUTH,
    address=perhaps(TEXT),
    request=perhaps(TEXT),
    answer=perhaps(record(http_status=NUMBER, outcome=TEXT, body=OTHER)),
    view=perhaps(TEXT),
    passed=many(record(view=TEXT, parameter=TEXT, asked=TEXT, wanted=many(TEXT), text=TEXT)),
    more_passed=NUMBER,
    conditions=by_name(many(TEXT)),
    rows=many(ROW),
    more=NUMBER,
    subnet=perhaps(
        record(
            subnet=TEXT,
            commit=perhaps(TEXT),
            has_opinion=TRUTH,
            is_split=TRUTH,
            parts=many(
                record(
                    range=TEXT,
                    first=TEXT,
                    last=TEXT,
                    size=TEXT,
                    answer=perhaps(ANSWER),
                    rows=many(ROW),
                    more_rows=NUMBER,
                )
            ),
            more=NUMBER,
        )
    ),
    location=perhaps(record(**LEADING["properties"], views=by_name(LEADING), more_views=NUMBER)),
)
ORIGIN = record(
    address=TEXT,
    commit=TEXT,
    answer=perhaps(ANSWER),
    subnet=perhaps(TEXT),
    source=perhaps(TEXT),
    written=perhaps(COMMIT),
    is_cut=TRUTH,
    beaten=many(record(subnet=TEXT, source=TEXT, answer=ANSWER)),
    changes=many(OTHER),
    more=NUMBER,
    looked_at=NUMBER,
)
HISTORY = record(
    branch=perhaps(TEXT),
    total=NUMBER,
    page=NUMBER,
    pages=NUMBER,
    is_shallow=TRUTH,
    commits=many(record(**TOLD_COMMIT)),
    refused_pushes=many(
        record(
            at=TIME,
            result=TEXT,
            pusher=TEXT,
            branch=TEXT,
            commit=TEXT,
            subject=TEXT,
            author=TEXT,
            reasons=many(TEXT),
            times=NUMBER,
        )
    ),
)
RECENT = record(commits=many(record(**TOLD_COMMIT, is_first=TRUTH, impact=perhaps(TEXT), errors=NUMBER)))
ONE_COMMIT = record(**TOLD_COMMIT, message=TEXT, reviews=many(TEXT), is_loading=TRUTH, is_shallow=TRUTH, **CHANGE)
COMPARE = record(new=COMMIT, **CHANGE)
SOURCE = record(
    path=TEXT,
    commit=COMMIT,
    line=perhaps(NUMBER),
    lines=many(record(number=NUMBER, text=TEXT)),
    total=NUMBER,
)
WRITTEN = record(path=TEXT, line=NUMBER, commit=COMMIT, written=COMMIT)
FAULT = {
    "type": "object",
    "properties": {
        "title": TEXT,
        "status": NUMBER,
        "detail": TEXT,
        "hint": TEXT,
        "problems": many(PROBLEM),
        "total": NUMBER,
        "counts": COUNTS,
        "is_cut": TRUTH,
        "places": many(TEXT),
    },
    "required": ["title", "status", "detail"],
}
