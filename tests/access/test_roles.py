"""Who may do what."""

from __future__ import annotations

import pytest

from location_policy.access.roles import read_roles
from location_policy.errors import UnusableFile


def test_each_user_has_the_roles_of_its_line_and_an_editor_is_a_viewer_too() -> None:
    text = "# who\n\nnode: node\nana: Editor\nJose\u0301: viewer , node\n"
    assert read_roles(text.encode(), "roles") == {
        "node": {"node"},
        "ana": {"viewer", "editor"},
        "Jos\u00e9": {"viewer", "node"},
    }


def test_every_line_that_is_wrong_is_told() -> None:
    with pytest.raises(UnusableFile, match="roles cannot be used: 6 errors") as caught:
        read_roles(b"ana\n: node\nana: editr\nbo: node\nbo: viewer\ncy:\ndi: node,\n", "roles")
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(n, 1) for n in (1, 2, 3, 5, 6, 7)]
    told = [str(problem).partition(" error: ")[2].partition("\n")[0] for problem in caught.value.problems]
    assert told == [
        "this is not a user, a colon and roles [not-a-role]",
        "this is not a user, a colon and roles [not-a-role]",
        "editr is not a role; is editor meant? [not-a-role]",
        "bo has a line above already [not-a-role]",
        "this is not a user, a colon and roles [not-a-role]",
        '"" is not a role [not-a-role]',
    ]
