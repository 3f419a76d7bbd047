"""`location-policy init --program`: what jobs of CI install, and what they do where nothing was named."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from location_policy.cli.commands.ci_program import program_files
from location_policy.gate.hooks import shipped
from tests.support.program import closed_environment, run_program
from tests.support.repositories import clone, git

SAMPLE = shipped("config-repo")
DIGEST = "0123456789abcdef" * 4
WHEEL = "location_policy-0.2.0-py3-none-any.whl"
IMAGE = f"registry.example.com/noc/location-policy@sha256:{DIGEST}"


def install(folder: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What a job runs, with nothing but tools of the system, or with what a folder has, on its PATH."""
    more = {"RUNNER_TEMP": str(folder.parent), "PATH": f"{path or folder / 'none'}:/usr/bin:/bin"}
    command = ["sh", ".location-policy/install"]
    environment = closed_environment(**more)
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def requirements(files: object) -> list[str]:
    assert isinstance(files, dict)
    text = files[".location-policy/requirements.txt"].decode().replace("\\\n", "")
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_without_a_program_a_job_says_what_to_fill_in_and_fetches_nothing(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "python3", "echo fetched >&2; exit 9")
    assert run_program("init", tmp_path / "x.git").returncode == 0
    copy = clone(tmp_path / "x.git", tmp_path / "map")
    done = install(copy.path, tmp_path / "bin")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "location-policy: nothing says what to install here: put .location-policy/requirements.txt, or"
        " .location-policy/image, into this repository as location-policy init --program writes them\n"
    )


def test_a_wheel_goes_into_the_first_commit_and_all_that_it_needs_has_hashes(tmp_path: Path) -> None:
    (tmp_path / WHEEL).write_bytes(b"PK")
    assert run_program("init", tmp_path / "x.git", "--program", tmp_path / WHEEL).returncode == 0
    assert git("show", f"main:.location-policy/{WHEEL}", cwd=tmp_path / "x.git") == "PK"
    *needed, ours = requirements(program_files(str(tmp_path / WHEEL), SAMPLE))
    assert ours == f"./{WHEEL} --hash=sha256:{hashlib.sha256(b'PK').hexdigest()}"
    assert any(line.startswith("starlette==") for line in needed)
    assert not any(line.startswith(("pytest==", "hypothesis==")) for line in needed)
    assert all(re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line) for line in needed)


def test_pip_is_told_to_take_what_has_the_hash_and_nothing_else(tmp_path: Path) -> None:
    """What pip refuses it refuses before it asks for anything else, and what has no hash never gets to it."""
    (tmp_path / WHEEL).write_bytes(b"PK")
    run_program("init", tmp_path / "x.git", "--program", tmp_path / WHEEL)
    copy = clone(tmp_path / "x.git", tmp_path / "map")
    (copy.path / ".location-policy" / "requirements.txt").write_text(f"./{WHEEL} --hash=sha256:{DIGEST}\n")
    done = install(copy.path)
    assert done.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr
    (copy.path / ".location-policy" / "requirements.txt").write_text("location-policy==0.2.0\n")
    done = install(copy.path)
    said = "location-policy: .location-policy/requirements.txt has a line without a hash\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_a_url_is_installed_by_its_hash() -> None:
    files = program_files(f"https://files.example.com/{WHEEL}#sha256={DIGEST}", SAMPLE)
    assert requirements(files)[-1] == f"location-policy @ https://files.example.com/{WHEEL} --hash=sha256:{DIGEST}"


def test_jobs_call_an_image_by_docker_as_their_own_user(tmp_path: Path) -> None:
    assert run_program("init", tmp_path / "x.git", "--program", IMAGE).returncode == 0
    copy = clone(tmp_path / "x.git", tmp_path / "map")
    program(tmp_path / "bin" / "docker", 'printf "%s\\n" "$@"')
    assert install(copy.path, tmp_path / "bin").stdout == f"{tmp_path}/location-policy/bin\n"
    environment = closed_environment(GITHUB_TOKEN="secret", LOCATION_POLICY_USER="api", RUNNER_TEMP=str(tmp_path))
    command = [str(tmp_path / "location-policy" / "bin" / "location-policy"), "check", "--format", "a b"]
    done = subprocess.run(command, cwd=copy.path, env=environment, capture_output=True, text=True, check=True)
    words = done.stdout.splitlines()
    assert words[:2] == ["run", "--rm"]
    assert words[-4:] == [IMAGE, "check", "--format", "a b"]
    assert {"GITHUB_TOKEN", "LOCATION_POLICY_USER", f"{copy.path}:{copy.path}", f"{tmp_path}:{tmp_path}"} <= set(words)
    assert "secret" not in done.stdout


def test_jobs_of_gitlab_run_in_the_image(tmp_path: Path) -> None:
    assert run_program("init", tmp_path / "x.git", "--program", IMAGE).returncode == 0
    copy = clone(tmp_path / "x.git", tmp_path / "map")
    found = yaml.safe_load((copy.path / ".gitlab-ci.yml").read_text())
    assert found["default"]["image"] == {"name": IMAGE, "entrypoint": [""], "docker": {"user": "0"}}
    program(tmp_path / "bin" / "location-policy", "exit 0")
    assert install(copy.path, tmp_path / "bin").stdout == f"{tmp_path}/bin\n"


def test_an_image_without_its_digest_is_not_run(tmp_path: Path) -> None:
    run_program("init", tmp_path / "x.git", "--program", IMAGE)
    copy = clone(tmp_path / "x.git", tmp_path / "map")
    (copy.path / ".location-policy" / "image").write_text("location-policy:latest\n")
    done = install(copy.path)
    assert (done.returncode, done.stderr) == (1, "location-policy: .location-policy/image is not NAME@sha256:DIGEST\n")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("location-policy==0.2.0", "is not a wheel of location-policy"),
        ("location-policy", "is not a wheel of location-policy"),
        (f"https://files.example.com/{WHEEL}", f"has no hash; write it as https://…/{WHEEL}#sha256=DIGEST"),
        (f"http://files.example.com/{WHEEL}#sha256={DIGEST}", "is neither a file, nor https://…#sha256=DIGEST, nor"),
        ("registry.example.com/location-policy:0.2.0", "is not a wheel of location-policy"),
        ("registry.example.com/location-policy@sha256:12", "is neither a file, nor"),
        ("git+https://example.com/x.git", "is neither a file, nor"),
        (f"https://files.example.com/other-1.0-py3-none-any.whl#sha256={DIGEST}", "is not a wheel of location-policy"),
    ],
)
def test_what_has_no_hash_is_refused_and_nothing_is_made(tmp_path: Path, spec: str, said: str) -> None:
    done = run_program("init", tmp_path / "x.git", "--program", spec)
    assert (done.returncode, said in done.stderr, (tmp_path / "x.git").exists()) == (2, True, False)


def test_a_folder_without_jobs_gets_what_they_would_install(tmp_path: Path) -> None:
    (tmp_path / "map").mkdir()
    (tmp_path / "map" / "locations.csv").write_text("Sydney,10.61.2.0/24\n")
    assert run_program("init", tmp_path / "x.git", "--from", tmp_path / "map", "--program", IMAGE).returncode == 0
    paths = git("ls-tree", "-r", "--name-only", "main", cwd=tmp_path / "x.git").split("\n")
    assert paths == [".location-policy/image", ".location-policy/install", "locations.csv", "policy.toml"]


def test_what_goes_with_no_first_commit_is_refused(tmp_path: Path) -> None:
    done = run_program("init", tmp_path / "x.git", "--empty", "--program", IMAGE)
    assert (done.returncode, "--empty and --program exclude each other" in done.stderr) == (2, True)
