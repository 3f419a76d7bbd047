"""Environment variables of options: their names, and warnings of those that are none.

Every option has a twin in the environment, `LOCATION_POLICY_<OPTION>`. A variable that is none of them is probably a
mistake and gets a warning, except the forms that Kubernetes makes for a Service named `location-policy`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import pairwise

from ..spelling import nearest

PREFIX = "LOCATION_POLICY_"
COMPLETION = "_LOCATION_POLICY_COMPLETE"
"""With this set the program tells a shell how to complete what is typed, and does nothing else."""
MANAGER_PASSWORD = PREFIX + "MANAGER_PASSWORD"
"""The variable that has no option: what is typed is seen by every user of the machine."""


LOG_FORMAT = "log-format"

_KUBERNETES = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_\w+)")


def variable(option: str) -> str:
    """The environment's name for an option."""
    return PREFIX + option.upper().replace("-", "_")


def logs_json(words: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Does this command line log JSON? It is asked before it is parsed, since what is wrong with it is logged too."""
    if words[:1] != ["serve"]:
        return False
    given = [following for word, following in pairwise([*words, ""]) if word == f"--{LOG_FORMAT}"]
    given += [word.partition("=")[2] for word in words if word.startswith(f"--{LOG_FORMAT}=")]
    return (given or [environment.get(variable(LOG_FORMAT), "")])[-1] == "json"


def foreign_variables(environment: Mapping[str, str]) -> list[str]:
    """The variables with our prefix that Kubernetes has made."""
    return [
        name
        for name, value in environment.items()
        if name.startswith(PREFIX)
        and (
            _KUBERNETES.fullmatch(name.removeprefix(PREFIX)) or (name.endswith("_PORT") and value.startswith("tcp://"))
        )
    ]


def unknown_variables(names: Iterable[str], options: Callable[[], Iterable[str]]) -> list[str]:
    """A warning for each variable that has our prefix and is none of these options, which are asked for if need be."""
    ours = [name for name in names if name.startswith(PREFIX) and name != MANAGER_PASSWORD]
    if not ours:
        return []
    known = tuple(dict.fromkeys(options()))
    return [_warning(name, known) for name in ours if name not in map(variable, known)]


def _warning(name: str, options: Collection[str]) -> str:
    meant = nearest(name.removeprefix(PREFIX).replace("_", "-"), options)  # the prefix would make all names alike
    return f"{name} is not a setting" + (f"; is {variable(meant)} meant?" if meant else "")
