"""`location-policy diff`: which addresses get another answer in one configuration than in the other."""

from __future__ import annotations

import gc
import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

from ...gate.effect import with_remembered_calls
from ...plan.as_json import plan_fields
from ...plan.as_markdown import plan_markdown
from ...plan.as_text import plan_lines
from ...plan.new_problems import split_by_age
from ...plan.plan import make_plan
from ...text import count, escape
from ..terminal.exit_status import NO, NOT_ASKED, first_lines
from ..terminal.progress import Progress
from ..terminal.service_access import ServiceAccess
from .compared_sides import Sides

Form = Literal["text", "markdown", "json"]


class DiffOptions(NamedTuple):
    """How a comparison is told: with `tells_effect` an effect gives exit status 1, with `tells_all` the text has every
    range. `calls` are sources of calls, without any those that a service beside the repository remembers, and `access`
    says who asks a service for them.
    """

    form: Form
    tells_effect: bool
    tells_all: bool
    calls: Sequence[str]
    access: ServiceAccess


def diff(old: str, new: str, repo: str | None, options: DiffOptions) -> int:
    """Print what going from one to the other does; the exit status."""
    with _uncollected():
        return _diff(old, new, repo, options)


def _diff(old: str, new: str, repo: str | None, options: DiffOptions) -> int:
    form, tells_effect, tells_all, calls, access = options
    with Progress() as progress, Sides(repo, progress, with_warnings=form == "markdown") as sides:
        before, after = sides.load(old, was_served=True), sides.load(new)
        if before and after:
            progress.say(f"comparing {count(before.size, 'subnet')} with {after.size:,}")
            plan = make_plan(before, after)
            if calls:
                from ...calls.moved import with_calls
                from .calls.known import known_calls

                plan = with_calls(plan, known_calls(calls, access, progress))
            elif plan.effect and sides.repository:
                plan = with_remembered_calls(plan, sides.repository.directory, sides.repository.settings())
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
