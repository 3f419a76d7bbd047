"""The command line as people meet it: help, versions, exit statuses, environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from location_policy import __version__
from location_policy.cli.environment import variable
from tests.support.options import OPTIONS
from tests.support.program import PROGRAM, closed_environment, run_program

COMMANDS = (
    "init",
    "serve",
    "check",
    "lookup",
    "diff",
    "revert",
    "import",
    "fmt",
    "doctor",
    "completion",
    "comment",
    "password",
    "wait",
    "export",
    "pexip",
    "pre-receive",
)
BELOW = ("export local-policy", "pexip locations", "pexip preflight", "pexip calls")
SCREEN = 24
"""Lines of a terminal."""


@pytest.mark.parametrize("command", [*COMMANDS, *BELOW])
def test_help_fits_a_screen_and_ends_in_an_example(command: str) -> None:
    text = run_program(*command.split(), "--help", environment={"COLUMNS": "80"}).stdout
    assert len(text.splitlines()) <= SCREEN
    assert text.splitlines()[-1].startswith("  Example: ")


def test_the_help_of_the_program_lists_every_command() -> None:
    done = run_program("--help", environment={"COLUMNS": "80"})
    assert all(f"\n  {command} " in done.stdout for command in COMMANDS)
    assert done.stdout.splitlines()[-1] == "  Try it: location-policy serve --example"


def test_without_a_command_the_help_is_shown() -> None:
    assert run_program().stdout + run_program().stderr == run_program("--help").stdout


def test_the_version_is_that_of_the_package() -> None:
    assert run_program("--version").stdout == f"location-policy {__version__}\n"


def test_the_package_can_be_run_as_a_module() -> None:
    python = PROGRAM.with_name("python")
    done = subprocess.run(
        [python, "-m", "location_policy", "--version"], env=closed_environment(), capture_output=True, check=False
    )
    assert done.stdout.decode() == f"location-policy {__version__}\n"


@pytest.mark.parametrize("command", [*COMMANDS, *BELOW])
def test_every_option_is_known_as_a_variable_too(command: str) -> None:
    text = whole_help(command)
    options = set(re.findall(r"(?<![\w-])--(?:no-)?([a-z][a-z-]*)", text)) - {"help", "help-all"}
    assert options <= OPTIONS


def whole_help(command: str) -> str:
    """The help with every option, also where a shorter one fits the screen."""
    wide = {"COLUMNS": "200"}
    text = run_program(*command.split(), "--help", environment=wide).stdout
    return run_program(*command.split(), "--help-all", environment=wide).stdout if "--help-all" in text else text


def test_the_options_that_few_need_are_in_the_whole_help_only() -> None:
    short, whole = run_program("serve", "--help").stdout, whole_help("serve")
    assert "--max-connections" not in short
    assert "--max-connections N" in whole
    assert {line.split()[0] for line in short.splitlines() if line} <= {
        line.split()[0] for line in whole.splitlines() if line
    }


def test_an_option_can_come_from_the_environment(tmp_path: Path) -> None:
    done = run_program("check", environment={variable("repo"): str(tmp_path / "nowhere.git")})
    assert (done.returncode, "nowhere.git does not exist" in done.stderr) == (2, True)


def test_a_misspelt_variable_is_a_warning_with_the_nearest_name() -> None:
    done = run_program("--version", environment={"LOCATION_POLICY_PROT": "1"})
    expected = "location-policy: warning: LOCATION_POLICY_PROT is not a setting; is LOCATION_POLICY_PORT meant?\n"
    assert (done.returncode, done.stderr) == (0, expected)


INSTEAD = "is no more: one process answers; run two services behind a proxy, as docs/run/install.md shows"


@pytest.mark.parametrize("number", ["1", "4", "many"])
def test_workers_are_refused_with_what_to_do_instead(number: str) -> None:
    typed = run_program("serve", "--port", "x", "--workers", number)
    assert (typed.returncode, typed.stderr.splitlines()[-1]) == (2, f"Error: --workers {INSTEAD}")
    done = run_program("serve", environment={"LOCATION_POLICY_WORKERS": number})
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"Error: LOCATION_POLICY_WORKERS {INSTEAD}")


def test_no_help_and_no_completion_has_an_option_that_was_taken_out(tmp_path: Path) -> None:
    asked = {"_LOCATION_POLICY_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "location-policy serve --wo"}
    assert "--workers" not in whole_help("serve") + run_program(environment=asked, cwd=tmp_path).stdout


def test_a_variable_that_only_serve_refuses_stops_no_other_command() -> None:
    done = run_program("--version", environment={"LOCATION_POLICY_WORKERS": "2"})
    assert (done.returncode, done.stderr) == (0, "")


def test_what_kubernetes_puts_into_the_environment_is_ignored() -> None:
    environment = {
        "LOCATION_POLICY_PORT": "tcp://10.0.0.1:8080",
        "LOCATION_POLICY_PORT_8080_TCP_ADDR": "10.0.0.1",
        "LOCATION_POLICY_SERVICE_HOST": "10.0.0.1",
        "LOCATION_POLICY_SERVICE_PORT_HTTP": "8080",
    }
    done = run_program("serve", "--repo", "/nowhere", environment=environment)
    assert (done.returncode, done.stderr.count("\n")) == (3, 2)


def test_a_wrong_option_is_a_matter_of_usage() -> None:
    assert run_program("check", "--frobnicate").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["completion", "tcsh"], "Invalid value for 'shell': 'tcsh' is not one of 'bash', 'zsh', 'fish'."),
        (["serve", "--log-format", "x"], "Invalid value for '--log-format': 'x' is not one of 'text', 'json'."),
        (
            ["serve", "--port", "x"],
            "Invalid value for '--port': Input should be a valid integer, unable to parse string as an integer",
        ),
        (["serve", "--port", "70000"], "Invalid value for '--port': Input should be less than or equal to 65535"),
        (
            ["serve", "--fetch-interval", "x"],
            "Invalid value for '--fetch-interval': Input should be a valid number, unable to parse string as a number",
        ),
    ],
)
def test_a_value_that_is_not_one_of_a_few_is_told_in_a_plain_sentence(arguments: list[str], told: str) -> None:
    done = run_program(*arguments)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"Error: {told}")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check", "--form"], "No such option: --form (Possible options: --format)"),
        (["check", "-x"], "No such option: -x"),
        (["chec"], "No such command 'chec'. Did you mean 'check'?"),
        (["pexip", "x"], "No such command 'x'."),
        (["password"], "Missing argument 'user'."),
        (["password", "node"], "Missing option '--htpasswd'."),
    ],
)
def test_what_is_not_known_or_missing_is_told_below_the_usage(arguments: list[str], told: str) -> None:
    usage, hint, _, error = run_program(*arguments).stderr.splitlines()
    assert (usage.startswith("Usage: location-policy "), hint.endswith(" -h' for help."), error) == (
        True,
        True,
        f"Error: {told}",
    )


def test_a_variable_that_is_neither_yes_nor_no_is_told(tmp_path: Path) -> None:
    done = run_program("check", tmp_path, environment={variable("coverage"): "maybe"})
    told = "Error: Invalid value for '--coverage': Input should be a valid boolean, unable to interpret input"
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, told)


def test_commands_load_nothing_that_only_the_service_needs() -> None:
    program = "import sys; from location_policy.cli.app import app; print(*sys.modules)"
    python = PROGRAM.with_name("python")
    done = subprocess.run([python, "-c", program], env=closed_environment(), capture_output=True, text=True, check=True)
    heavy = {"typer", "pydantic", "asyncio", "ssl", "git", "starlette", "uvicorn", "subprocess", "importlib.metadata"}
    assert heavy & {*done.stdout.split()} == set()


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "locations.csv").write_text("Sydney\n" * 20_000)
    command = f"{PROGRAM} check {tmp_path} | head -1"
    done = subprocess.run(["sh", "-c", command], env=closed_environment(), capture_output=True, text=True, check=False)
    assert done.stdout.startswith("locations.csv:1:1: error: ")
    assert "Traceback" not in done.stderr


def test_help_does_not_need_git(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    assert run_program("--help", environment={"PATH": str(tmp_path)}).returncode == 0


def test_what_another_git_has_set_does_not_steer_ours(tmp_path: Path) -> None:
    done = run_program(
        "init", tmp_path / "x.git", "--empty", environment={"GIT_DIR": os.devnull, "GIT_INDEX_FILE": "/x"}
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_first_commit_comes_from_one_place_only(tmp_path: Path) -> None:
    done = run_program("init", tmp_path / "x.git", "--empty", "--from", tmp_path)
    assert (done.returncode, "--empty and --from exclude each other" in done.stderr) == (2, True)


def test_a_first_commit_needs_its_folder(tmp_path: Path) -> None:
    done = run_program("init", tmp_path / "x.git", "--from", tmp_path / "nowhere")
    assert (done.returncode, "nowhere does not exist" in done.stderr) == (2, True)
    assert not (tmp_path / "x.git").exists()


def test_the_hooks_command_says_no_to_what_is_no_push(tmp_path: Path) -> None:
    for arguments in (("pre-receive",), ("pre-receive", "--")):
        done = run_program(*arguments, cwd=tmp_path)
        assert (done.returncode, "names no ref" in done.stderr) == (1, True)


def test_a_folder_that_is_typed_is_meant_whatever_the_environment_says(tmp_path: Path) -> None:
    done = run_program("check", tmp_path, environment={variable("repo"): "/nowhere.git"})
    assert (done.returncode, "[no-rows]" in done.stdout) == (1, True)


def test_a_folder_and_a_repository_exclude_each_other(tmp_path: Path) -> None:
    done = run_program("check", tmp_path, "--repo", tmp_path)
    assert (done.returncode, "exclude each other" in done.stderr) == (2, True)


def test_init_says_that_it_leaves_content_alone(tmp_path: Path) -> None:
    run_program("init", tmp_path / "x.git")
    done = run_program("init", tmp_path / "x.git", "--empty")
    assert (done.returncode, "so its content stays as it is" in done.stderr) == (0, True)


def test_init_takes_no_content_into_a_repository_that_exists(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text("Sydney,10.61.0.0/16\n")
    run_program("init", "x.git", cwd=tmp_path)
    hook = tmp_path / "x.git" / "hooks" / "pre-receive"
    hook.unlink()
    done = run_program("init", "x.git", "--from", "good.csv", cwd=tmp_path)
    assert (done.returncode, done.stdout, hook.exists()) == (1, "", False)
    assert done.stderr == (
        "location-policy: x.git exists, so nothing is taken from good.csv\n"
        "  hint: git clone x.git, commit the files there and push; or init NEWPATH --from good.csv\n"
    )
    assert (run_program("init", "x.git", cwd=tmp_path).returncode, hook.exists()) == (0, True)


@pytest.mark.parametrize("is_absolute", [False, True])
def test_init_does_not_replace_the_folder_that_one_is_in(tmp_path: Path, is_absolute: bool) -> None:
    before = tmp_path.stat().st_ino
    done = run_program("init", tmp_path if is_absolute else ".", cwd=tmp_path)
    assert (done.returncode, done.stdout, tmp_path.stat().st_ino, list(tmp_path.iterdir())) == (2, "", before, [])
    assert done.stderr == (
        f"location-policy: {tmp_path if is_absolute else '.'} is the folder that you are in, "
        "and a repository cannot take its place\n  hint: write location-policy init locations.git\n"
    )
    assert run_program("init", "locations.git", cwd=tmp_path).returncode == 0


def test_init_renews_the_hook_of_the_repository_that_one_is_in(tmp_path: Path) -> None:
    run_program("init", "x.git", cwd=tmp_path)
    assert run_program("init", ".", cwd=tmp_path / "x.git").returncode == 0


def test_what_the_system_refuses_is_one_sentence(tmp_path: Path) -> None:
    done = run_program("init", "a" * 5_000, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.endswith("File name too long\n")


@pytest.mark.parametrize(
    "url",
    [
        "https://alice:plugh@127.0.0.1:9/x.git",
        "https:/alice:plugh@h/x",
        "ssh://git:plugh@127.0.0.1:9/x",
        "git:plugh@h:x",
        "https://127.0.0.1:9/x?token=plugh",
    ],
)
@pytest.mark.parametrize("command", ["check", "history", "doctor", "revert abc", "serve --port 0"])
def test_no_error_repeats_what_is_secret_in_a_url(command: str, url: str, tmp_path: Path) -> None:
    if command.startswith("serve") and url.startswith("https://alice"):
        return  # that is served, once it can be fetched
    done = run_program(*command.split(" "), "--repo", url, cwd=tmp_path)
    assert done.returncode in ((1, 2) if command == "doctor" else (2, 3))
    assert "plugh" not in done.stdout + done.stderr
