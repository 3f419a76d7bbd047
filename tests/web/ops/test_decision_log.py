"""Which answers have a line in the decision log."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from location_policy.lookup import answers
from location_policy.lookup import decision as policy
from location_policy.lookup.query_string import Pairs
from location_policy.web.ops.decision_log import DecisionLog
from tests.support.maps import snapshot_of

SNAPSHOT = snapshot_of()


def test_other_request_types_have_no_line(tmp_path: Path) -> None:
    with closing(DecisionLog(str(tmp_path / "x.log")).start()) as log:
        log.record(policy.understand(SNAPSHOT.rules, Pairs()), answers.not_provided("/policy/v1/x"), None, 1)
        log.record(policy.understand(SNAPSHOT.rules, Pairs()), answers.not_ready(), None, 1)
    assert [json.loads(line)["outcome"] for line in (tmp_path / "x.log").read_text().splitlines()] == ["not-ready"]
    assert log.dropped == 0
