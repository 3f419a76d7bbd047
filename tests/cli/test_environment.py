"""The environment twins of options, and the variables that are none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

import click
import pytest

from location_policy.cli.app import app
from location_policy.cli.environment import foreign_variables, unknown_variables, variable
from tests.support.options import OPTIONS


def commands(group: click.Group) -> Iterator[click.Command]:
    """Every command, also those below others."""
    for command in group.commands.values():
        if isinstance(command, click.Group):
            yield from commands(command)
        else:
            yield command


ALL = list(commands(app))


def test_every_long_option_of_every_command_has_a_twin() -> None:
    """`--help`, `--help-all` and `--version` do their work at once."""
    found = {name for command in ALL for option in command.params for name in option.opts if name.startswith("--")}
    assert found - {"--help-all"} == {f"--{option}" for option in OPTIONS}


def test_an_option_that_can_be_typed_can_be_set() -> None:
    for command in ALL:
        for option in command.params:
            if isinstance(option, click.Option) and "--help-all" not in option.opts:
                long = next(name for name in option.opts if name.startswith("--"))
                assert option.envvar == variable(long.removeprefix("--"))


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("LOCATION_POLICY_BRNACH", "LOCATION_POLICY_BRNACH is not a setting; is LOCATION_POLICY_BRANCH meant?"),
        ("LOCATION_POLICY_STATEDIR", "LOCATION_POLICY_STATEDIR is not a setting; is LOCATION_POLICY_STATE_DIR meant?"),
        ("LOCATION_POLICY_X", "LOCATION_POLICY_X is not a setting"),
    ],
)
def test_an_unknown_variable_is_told_with_the_nearest_name(name: str, warning: str) -> None:
    assert unknown_variables([name], lambda: OPTIONS) == [warning]


def test_settings_of_any_command_and_variables_of_others_are_not_told() -> None:
    assert unknown_variables([*map(variable, OPTIONS), "PATH", "LOCATION_POLIC_X"], lambda: OPTIONS) == []


def test_options_are_not_asked_for_where_no_variable_has_the_prefix() -> None:
    def fail() -> NoReturn:
        raise AssertionError

    assert unknown_variables(["PATH", "_LOCATION_POLICY_COMPLETE", "LOCATION_POLICY_MANAGER_PASSWORD"], fail) == []


def test_what_kubernetes_makes_is_not_ours() -> None:
    made = {
        "LOCATION_POLICY_SERVICE_HOST": "10.0.0.1",
        "LOCATION_POLICY_SERVICE_PORT": "8080",
        "LOCATION_POLICY_SERVICE_PORT_HTTP": "8080",
        "LOCATION_POLICY_PORT": "tcp://10.0.0.1:8080",
        "LOCATION_POLICY_PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "LOCATION_POLICY_PORT_8080_TCP_ADDR": "10.0.0.1",
        "LOCATION_POLICY_CANARY_SERVICE_HOST": "10.0.0.2",
        "LOCATION_POLICY_CANARY_PORT": "tcp://10.0.0.2:8080",
    }
    assert foreign_variables({**made, "KUBERNETES_PORT": "tcp://10.0.0.3:443"}) == list(made)


def test_a_port_that_is_a_number_is_ours() -> None:
    assert foreign_variables({"LOCATION_POLICY_PORT": "8080", "LOCATION_POLICY_HOST": "::1"}) == []
