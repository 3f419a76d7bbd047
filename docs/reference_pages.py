"""The reference of problem codes, of the states of a service, and of what `serve` takes and answers, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

from location_policy.cli.environment import variable
from location_policy.cli.service.options import ServeOptions
from location_policy.cli.usage.serve_options import ROWS, Row
from location_policy.problems import CODES
from location_policy.rollout.state import StateName
from location_policy.web.forms.action_table import ACTIONS
from location_policy.web.forms.pin import PINS
from location_policy.web.pages.home import SENTENCES
from location_policy.web.pages.resource_table import RESOURCES

CONFIGS = Path(__file__).parents[1] / "tests" / "config" / "configs" / "invalid"
"""The smallest configurations that show each code, with what the program says of them."""
LONGEST = 300
"""Characters of a message that are shown."""

PROBLEMS = """# Problems: every code that a rejected push can name

What each code of a problem means, how much it weighs, and what the program says of an example. Made by `make docs` from the program.

A problem is one line, and below it there is often what to do:

    locations/apac.csv:2:28: error: 10.61.3.0/23 has host bits set [host-bits]
      hint: write 10.61.2.0/23, or 10.61.3.0/24 if that was meant

That is file, line and column, then how much it weighs, what is wrong, and the code. An **error** rejects the commit; a **warning** is
told and rejects nothing. A *fixed* code is always an error, since it keeps a row or a file from having one meaning, or a promise from
being kept; the weight of every other is set in [`[checks]`](policy-toml.md#checks) of `policy.toml`. `location-policy check` in a clone
says all that the hook would say.

"""

STATES = """# States of a service

What `state` in `/status` and on Home means, and what to do. The first that applies is told. Made by `make docs` from the program.

In every state nodes are answered from the last good commit; only where there has never been one they get 503, and Pexip chooses.

"""

OF_A_PUSH = {
    "owner-approval": "A push says so, `check` does not: [owners](../use/owners.md).\n\n"
    "    warning: not approved by apac@example.com [owner-approval]\n"
}
"""What no configuration shows by itself."""

DO = {
    "pinned": "who, until when and why is in `pin`; fix what is wrong, then [`location-policy unpin`](../run/operate.md#pin-a-commit)",
    "stale": "see `source`: since when, why, when it is asked again; with `--max-stale` only",
    "last-good": "as in `unreachable`",
    "unreachable": "[the repository is unreachable](../run/incident.md#the-repository-is-unreachable): read `failure.message`; look at disk, mount, rights and network; `git -C locations.git fsck`; of a remote, [what has failed](../run/operate.md#when-a-remote-cannot-be-read)",
    "starting": "push a first commit; if there is one, read `source.branch` and `failure` of `/status`",
    "behind": "wait; of a remote that names an older commit, for a later fetch that says the same",
    "rejected": "[the latest commit is rejected](../run/incident.md#the-latest-commit-is-rejected): read the problems (`curl …/status`, `location-policy check --repo locations.git`), then [undo](../run/incident.md#a-site-lands-in-the-wrong-place) or fix it, and push; it came round the hook, is of [another history](../run/operate.md#another-history), or was fetched and is [not what a push may be](../run/git-servers.md#a-fetch-is-a-push). `location-policy init locations.git` if `hook` is not `ok`",
    "in-sync": "nothing",
}
"""What an operator does in each state."""

SERVICE = """# The service: options, addresses, pages

What `location-policy serve` takes, and what it can be asked over HTTP. Made by `make docs` from the program.

Which role each address needs stands in [access](../run/access.md#what-each-role-may-ask), the metrics in
[logs and metrics](../run/logs-and-metrics.md#metrics), a whole answer of `/status` in [operating](../run/operate.md#states).

## For nodes, probes and programs

| address | answer |
|---|---|
| `/policy/v1/participant/location` | where a call's media is hosted: [as a node asks](../start/subnets.md) |
| `/status` | JSON, always 200: the [state](states.md), the active commit, HEAD, why it is not active, the hook, the source, the clocks |
| `/healthz` | 200 while the process lives |
| `/readyz` | 200 once there is something to answer from, else 503; 503 too before the service ends (`--drain`) |
| `/metrics` | for Prometheus: answers by outcome and protocol, their time, the active commit, the state |
| `/locations.git` | the repository, for git: `clone` for viewers, `push` for editors; [`/locations.git/tip`](tip.md) says which commit is active |
| `/openapi.json` | the description of everything below `/api/v1/` |
"""


def problems() -> str:
    """The page of the codes: a table, then an example of each."""
    rows = [f"| [`{code}`](#{code}) | {entry.meaning} | {_weight(code)} |" for code, entry in CODES.items()]
    table = _table(("code", "what it means", "weight"), rows)
    return PROBLEMS + table + "".join(_example(code) for code in CODES)


def _weight(code: str) -> str:
    return CODES[code].severity if CODES[code].adjustable else "fixed"


def _example(code: str) -> str:
    said = CONFIGS / code / "expected.txt"
    shown = "".join(f"    {line}\n" for line in _first_of(code, said.read_text())) if said.exists() else OF_A_PUSH[code]
    weight = "Fixed: always an error." if not CODES[code].adjustable else f"By default: {CODES[code].severity}."
    meaning = CODES[code].meaning
    return f"\n## `{code}`\n\n{meaning[:1].upper()}{meaning[1:]}. {weight}\n\n{shown}"


def _first_of(code: str, said: str) -> Iterator[str]:
    """The first problem of this code, with its hint."""
    lines = iter(said.splitlines())
    for line in lines:
        if line.endswith(f"[{code}]") and len(line) < LONGEST:
            yield line
            following = next(lines, "")
            if following.startswith("  hint: "):
                yield following
            return


def states() -> str:
    """The page of the states, in the order in which they are looked for."""
    rows = [f"| `{name}` | {SENTENCES[name]} | {DO[name]} |" for name in get_args(StateName)]
    return STATES + _table(("state", "what it means", "what to do"), rows)


def service() -> str:
    """The page of options, addresses and pages."""
    pages = [f"| `{one.path}` | `{one.api_path}` | {one.summary} |" for one in RESOURCES]
    forms = [f"| `{one.path}` | `{one.api_path}` | {one.summary} |" for one in (*ACTIONS, *PINS)]
    heading = ("page", "for programs", "what it says")
    return "".join(
        (
            SERVICE,
            "\n## To look\n\n",
            _table(heading, pages),
            "\n## To change\n\nBy `POST`, for editors.\n\n",
            _table(("page", "for programs", "what it does"), forms),
            "\n## Options of `serve`\n\nEach is a variable of the environment too; what is typed goes before it.\n\n",
            _table(("option", "variable", "what it says", "default"), [_option(row) for row in ROWS]),
        )
    )


def _option(row: Row) -> str:
    name = row.name.partition("/")[0]
    value: object = ServeOptions()
    for part in row.into.split("."):
        value = value and getattr(value, part)
    text, _, told = row.text.partition("  [default: ")
    has_default = isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    default = told.removesuffix("]") or (f"`{value}`" if has_default else "")
    taken = " " + row.metavar.replace("|", "\\|") if row.metavar else ""
    return f"| `--{name}{taken}` | `{variable(name)}` | {text} | {default} |"


def _table(heading: Iterable[str], rows: Iterable[str]) -> str:
    heading = tuple(heading)
    return "\n".join((f"| {' | '.join(heading)} |", f"|{'---|' * len(heading)}", *rows, ""))
