"""Completion in shells: the scripts, and what a real shell makes of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.program import closed_environment, run_program


def run_shell(*command: str, cwd: Path) -> str:
    """What a shell printed; an assertion where it failed, or complained."""
    if shutil.which(command[0]) is None:  # pragma: no cover  depends on the machine
        pytest.skip(f"{command[0]} is not installed")
    environment = closed_environment(HOME=str(cwd), TERM="dumb", LOCATION_POLICY_PROT="1")
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def complete_in_bash(*words: str, cwd: Path) -> list[str]:
    """What bash offers for the last of these words."""
    script = f"""
        source <(env --unset LOCATION_POLICY_PROT location-policy completion bash)
        COMP_WORDS=({" ".join(words)} {'""' * (words[-1:] == ("",))})
        COMP_CWORD={len(words) - 1}
        "$(complete -p location-policy | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" location-policy
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return run_shell("bash", "--norc", "-c", script, cwd=cwd).split()


def test_bash_completes_commands_options_and_values(tmp_path: Path) -> None:
    assert complete_in_bash("location-policy", "ch", cwd=tmp_path) == ["check"]
    assert complete_in_bash("location-policy", "check", "--only", cwd=tmp_path) == ["--only-changed"]
    assert "sarif" in complete_in_bash("location-policy", "check", "--format", "", cwd=tmp_path)


def test_bash_completes_files_by_itself_where_there_is_nothing_to_offer(tmp_path: Path) -> None:
    assert complete_in_bash("location-policy", "check", "map", cwd=tmp_path) == []
    assert "complete -o default " in run_program("completion", "bash").stdout


def test_fish_completes_commands_options_and_values(tmp_path: Path) -> None:
    script = "env --unset LOCATION_POLICY_PROT location-policy completion fish | source; complete --do-complete $argv"
    for typed, offered in (("ch", "check"), ("check --only", "--only-changed"), ("check --format sa", "sarif")):
        seen = run_shell("fish", "--no-config", "-c", script, f"location-policy {typed}", cwd=tmp_path)
        assert [line.partition("\t")[0] for line in seen.splitlines()] == [offered]


def test_zsh_reads_its_script(tmp_path: Path) -> None:
    (tmp_path / "script").write_text(run_program("completion", "zsh").stdout)
    assert run_shell("zsh", "-f", "-n", "script", cwd=tmp_path) == ""
    script = "autoload -Uz compinit && compinit -u && source ./script && print -r -- $_comps[location-policy]"
    assert run_shell("zsh", "-f", "-c", script, cwd=tmp_path) == "_location_policy_completion\n"


def test_zsh_gets_what_it_offers_from_the_program(tmp_path: Path) -> None:
    asked = {"_LOCATION_POLICY_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "location-policy ch"}
    done = run_program(environment=asked, cwd=tmp_path)
    assert '"check":"' in done.stdout


def test_no_other_shell_has_a_script() -> None:
    assert run_program("completion", "tcsh").returncode == 2


def test_nothing_is_written_into_the_files_of_a_shell() -> None:
    assert "--install-completion" not in run_program("--help").stdout
    assert run_program("--install-completion").returncode == 2


def test_what_no_script_asks_is_an_error() -> None:
    for asked in ("complete_tcsh", "source", "bash_source"):
        done = run_program(environment={"_LOCATION_POLICY_COMPLETE": asked})
        assert (done.returncode, done.stdout) == (1, "")
