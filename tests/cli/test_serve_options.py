"""The options of `serve`: each ends in a field of its own, and every field has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import timedelta
from operator import attrgetter
from pathlib import Path

import click
import pytest

from location_policy.cli.app import app
from location_policy.cli.environment import variable
from location_policy.cli.service.options import ServeOptions
from location_policy.cli.service.source import source_of
from location_policy.cli.usage.parameters import Duration, Name
from location_policy.cli.usage.serve_options import ROWS, Row, asked
from location_policy.errors import CannotStart
from location_policy.server.options import Listen, Tls

TLS = Tls(Path("cert.pem"), Path("key.pem"))
MANDATORY = ("--tls-cert", "cert.pem", "--tls-key", "key.pem")


def parsed(*arguments: str) -> ServeOptions:
    """What `serve` is asked for by these arguments."""
    with app.commands["serve"].make_context("serve", [*arguments]) as context:
        return asked(context.params)


def paths(record: object, above: str = "") -> Iterator[str]:
    """The paths of all fields that are no records themselves."""
    assert is_dataclass(record)
    for field in fields(record):
        value = getattr(record, field.name)
        if is_dataclass(value):
            yield from paths(value, f"{above}{field.name}.")
        else:
            yield f"{above}{field.name}"


def words(row: Row) -> tuple[str, object]:
    """What can be typed after an option, and what that is in the record; neither is the default."""
    match row.type:
        case click.Choice(choices=choices):
            return choices[-1], choices[-1]
        case click.IntRange():
            return "5000", 5000
        case click.FloatRange():
            return "7.5", 7.5
        case Duration():
            return "1h30m", timedelta(minutes=90)
        case None | Name():
            return "some", "some"
    return "some", Path("some")


def test_every_field_is_that_of_one_option() -> None:
    assert sorted(paths(ServeOptions(listen=Listen(tls=TLS)))) == sorted(row.into for row in ROWS)
    assert len({row.field for row in ROWS}) == len(ROWS)


def test_without_options_the_record_is_as_it_is_by_itself() -> None:
    assert parsed() == ServeOptions()


@pytest.mark.parametrize("row", [row for row in ROWS if row.metavar], ids=lambda row: row.name)
def test_a_value_ends_in_its_field(row: Row) -> None:
    typed, meant = words(row)
    found = parsed(*MANDATORY, f"--{row.name}", typed)
    assert attrgetter(row.into)(found) == meant
    other = [one for one in ROWS if one is not row]
    wanted = parsed(*MANDATORY)
    assert [attrgetter(one.into)(found) for one in other] == [attrgetter(one.into)(wanted) for one in other]


@pytest.mark.parametrize("row", [row for row in ROWS if not row.metavar], ids=lambda row: row.name)
def test_what_takes_no_value_ends_in_its_field(row: Row) -> None:
    on, _, off = row.name.partition("/")
    assert attrgetter(row.into)(parsed(f"--{on}")) is True
    assert not off or attrgetter(row.into)(parsed(off)) is False


def test_a_variable_ends_where_its_option_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable("max-header-bytes"), "5000")
    monkeypatch.setenv(variable("git-http"), "no")
    found = parsed()
    assert (found.limits.header_bytes, found.git_http) == (5000, False)


def test_an_ipv4_address_in_the_form_of_ipv6_ends_as_that_ipv4_address() -> None:
    assert parsed("--host", "::ffff:127.0.0.1").listen.host == "127.0.0.1"


@pytest.mark.parametrize("number", ["nan", "0", "-1"])
def test_what_is_in_no_range_is_refused(number: str) -> None:
    with pytest.raises(click.BadParameter, match=r"Input should be greater than or equal to 0\.1"):
        parsed("--fetch-interval", number)


def test_a_duration_is_typed_with_its_unit() -> None:
    with pytest.raises(click.BadParameter, match="90 is not a duration: write 30m, 2h, 1h30m or 7d"):
        parsed("--max-stale", "90")


@pytest.mark.parametrize(
    ("arguments", "least"),
    [
        (("--repo", "locations.git"), 60),
        (("--repo", "https://git.example.com/map.git", "--fetch-interval", "300"), 600),
    ],
)
def test_what_would_be_stale_between_two_looks_is_refused(
    arguments: tuple[str, ...], least: int, tmp_path: Path
) -> None:
    where = ("--state-dir", str(tmp_path))
    with pytest.raises(CannotStart, match=f"--max-stale is under {least} seconds") as refused:
        source_of(parsed(*arguments, *where, "--max-stale", f"{least - 1}s"))
    hint = (refused.value.hint or "").removeprefix("write ")
    assert source_of(parsed(*arguments, *where, "--max-stale", hint)).state == tmp_path


@pytest.mark.parametrize("name", ["x" * 65, "é", "a\tb", " "])
def test_a_name_that_no_header_takes_is_refused(name: str) -> None:
    with pytest.raises(click.UsageError, match="at most 64 printable characters of ASCII"):
        parsed("--name", name)
