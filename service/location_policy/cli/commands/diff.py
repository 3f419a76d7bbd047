"""`location-policy diff`: which addresses get another answer in one configuration than in the other."""

from __future__ import annotations

import gc
import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ...plan.as_json import plan_fields
from ...plan.as_markdown import plan_markdown
from ...plan.as_text import plan_lines
from ...plan.new_problems import split_by_age
from ...plan.plan import make_plan
from ...text import count, escape
from ..terminal.exit_status import NO, NOT_ASKED, first_lines
from ..terminal.progress import Progress
from .compared_sides import Sides

Form = Literal["text", "markdown", "json"]


def diff(old: str, new: str, repo: str | None, form: Form, *, tells_effect: bool, tells_all: bool) -> int:
    """Print what going from one to the other does; the exit status, which with `tells_effect` is 1 for an effect.

    With `tells_all` the text has every range.
    """
    with _uncollected():
        return _diff(old, new, repo, form, tells_effect=tells_effect, tells_all=tells_all)


def _diff(old: str, new: str, repo: str | None, form: Form, *, tells_effect: bool, tells_all: bool) -> int:
    with Progress() as progress, Sides(repo, progress, with_warnings=form == "markdown") as sides:
        before, after = sides.load(old, was_served=True), sides.load(new)
        if before and after:
            progress.say(f"comparing {count(before.size, 'subnet')} with {after.size:,}")
            plan = make_plan(before, after)
            progress.say(f"writing down {count(len(plan.changes), 'range')}")
            if form == "json":
                text = json.dumps(plan_fields(plan))
            elif form == "markdown":
                text = plan_markdown(plan, _command(old, new), *split_by_age(after.warnings, before.warnings))
            else:
                text = "\n".join(plan_lines(plan, None if tells_all else _command(old, new, repo)))
    for name, error in sides.refused:
        print(
            f"location-policy: {escape(name)}: {error.message}", *first_lines(error.problems), sep="\n", file=sys.stderr
        )
    if sides.refused:
        return NOT_ASKED
    print(text)
    return NO if tells_effect and plan.effect else 0


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cycles, of which there are none: among millions of small objects it takes a third of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _command(old: str, new: str, repo: str | None = None) -> str:
    """What tells every range; a repository is named to the user who named it."""
    words = ("location-policy", "diff", old, new, *(("--repo", repo) if repo else ()), "--all")
    return escape(shlex.join(words))
