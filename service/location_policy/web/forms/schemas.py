"""The shapes of the API's answers to who changes something, as JSON Schema."""

from __future__ import annotations

from ..pages.schemas import (
    CHANGE_OF_TIP,
    COMMIT,
    NUMBER,
    OTHER,
    PIN,
    PLACED,
    PLAN,
    TEXT,
    TRUTH,
    many,
    perhaps,
    record,
)

WARNED = record(**PLACED, hint=perhaps(TEXT), row=perhaps(TEXT), uploaded_line=perhaps(NUMBER))
SIGNATURES = record(
    problem=perhaps(TEXT),
    number=NUMBER,
    unsigned=many(record(commit=TEXT, why=TEXT, key=TEXT)),
    signers=many(record(name=TEXT, key=TEXT)),
)
VERDICT = record(
    accepted=TRUTH,
    gained=NUMBER,
    dropped=NUMBER,
    worse=NUMBER,
    old_warnings=NUMBER,
    returns_to=perhaps(TEXT),
    nearly=perhaps(TEXT),
    reason=perhaps(TEXT),
    signatures=perhaps(SIGNATURES),
    older=perhaps(record(looked_at=NUMBER, invalid=NUMBER, left=NUMBER, is_cut=TRUTH)),
    skipped=many(TEXT),
)
ATTEMPT = record(
    tip=TEXT,
    branch=TEXT,
    commit=perhaps(TEXT),
    for_review=TRUTH,
    message=TEXT,
    proposed=TEXT,
    **CHANGE_OF_TIP,
    warnings=many(WARNED),
    limits=many(record(rule=TEXT, limit=TEXT, measured=TEXT, loosens=TRUTH)),
    owners=many(TEXT),
    touched=many(TEXT),
    more_owners=NUMBER,
    verdict=VERDICT,
    refusal=many(TEXT),
    may_land=TRUTH,
    came=many(COMMIT),
    others=NUMBER,
    warning=perhaps(TEXT),
    remote=perhaps(TEXT),
    link=perhaps(TEXT),
)
PINNED = record(commit=perhaps(COMMIT), plan=perhaps(PLAN), done=TRUTH, pin=perhaps(PIN))
ACCEPTED_HISTORY = record(branch=perhaps(TEXT), message=TEXT, head=COMMIT, served=OTHER, is_accepted=TRUTH)
