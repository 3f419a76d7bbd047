"""Builds what is released of the newest commit into dist/, and tries it: `make dist` (docs/develop/release.md).

Wheel and sdist are built twice, in two folders and under two umasks, and must be the same bytes; the wheel is then
installed without this tree, and does what README.md says under "Try it".
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
FOR_DEVELOPMENT = "# --- only for development ---"
MADE_ANEW = ("umask 022", "umask 077")
PORT = "8080"
"""That of the README."""
START = 60.0
"""Seconds in which the service of the README answers."""


def main() -> None:
    """Build, and try unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-try", action="store_true", help="build only: no network is needed")
    asked = parser.parse_args()
    if _run("git", "status", "--porcelain", "--untracked-files=no", cwd=ROOT):
        print("dist: warning: what is not committed is left out", file=sys.stderr)
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _run("git", "log", "-1", "--format=%ct", cwd=ROOT)
    with TemporaryDirectory() as scratch:
        wheel = build(Path(scratch), dist, epoch)
        image_context(Path(scratch) / "0", dist, epoch)
        for packed in dist.glob("*.tar.gz"):
            check_same(Path(scratch), packed, wheel, epoch)
        if not asked.no_try:
            try_it(Path(scratch), wheel, dist)
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(dist.iterdir()))
    (dist / "SHA256SUMS").write_text(sums)
    print(sums, end="")


# --- build ---


def build(scratch: Path, dist: Path, epoch: str) -> Path:
    """Wheel and sdist of the newest commit, and the path of the wheel; raises SystemExit where two builds differ."""
    made: list[dict[str, bytes]] = []
    for number, umask in enumerate(MADE_ANEW):
        tree, out = scratch / str(number), scratch / f"{number}.out"
        tree.mkdir()
        _run("sh", "-c", f"{umask}; git -C '{ROOT}' archive HEAD | tar -x", cwd=tree)
        _hatch(tree, out, epoch, umask)
        made.append({path.name: path.read_bytes() for path in out.iterdir()})
    if made[0] != made[1]:
        raise SystemExit(f"dist: error: two builds differ: {sorted(made[0])}, {sorted(made[1])}")
    for name, content in made[0].items():
        (dist / name).write_bytes(content)
    return next(dist.glob("*.whl"))


def _hatch(tree: Path, out: Path, epoch: str, umask: str, target: str = "") -> None:
    command = f"{umask}; exec '{sys.executable}' -m hatchling build {target} --directory '{out}'"
    _run("sh", "-c", command, cwd=tree, environment={"SOURCE_DATE_EPOCH": epoch})


def check_same(scratch: Path, packed: Path, wheel: Path, epoch: str) -> None:
    """Who builds from the sdist, or in the image, gets the wheel; raises SystemExit."""
    tree, out = scratch / f"{packed.name}.tree", scratch / f"{packed.name}.out"
    with tarfile.open(packed) as archive:
        archive.extractall(tree, filter="data")
    _hatch(next(tree.glob("**/pyproject.toml")).parent, out, epoch, MADE_ANEW[0], "--target wheel")
    if (out / wheel.name).read_bytes() != wheel.read_bytes():
        raise SystemExit(f"dist: error: {packed.name} makes another wheel")


def image_context(tree: Path, dist: Path, epoch: str) -> None:
    """What `docker build - <FILE` takes: the Containerfile, with base and labels filled in, and what it copies."""
    text = (tree / "Containerfile").read_text()
    filled = {
        "BASE": (tree / "deploy/release/base").read_text().strip(),
        "CREATED": datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "REVISION": _run("git", "rev-parse", "HEAD", cwd=ROOT),
    }
    for name, value in filled.items():
        text, number = re.subn(rf"^ARG {name}=.*$", f"ARG {name}={value}", text, count=1, flags=re.MULTILINE)
        assert number == 1, name
    names = [name for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE) for name in line.split()]
    path = dist / f"location-policy-{_version(tree)}-image.tar.gz"
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=int(epoch)) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name in ("Dockerfile", "Containerfile"):  # each engine looks for its own name
            _add(archive, name, text.encode(), epoch)
        for one in sorted(_files(tree, names)):
            _add(archive, str(one.relative_to(tree)), one.read_bytes(), epoch, is_run=os.access(one, os.X_OK))


def _files(tree: Path, names: list[str]) -> Iterator[Path]:
    for name in names:
        yield from (
            [tree / name] if (tree / name).is_file() else (one for one in (tree / name).rglob("*") if one.is_file())
        )


def _add(archive: tarfile.TarFile, name: str, content: bytes, epoch: str, *, is_run: bool = False) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(content), int(epoch), 0o755 if is_run else 0o644
    archive.addfile(entry, io.BytesIO(content))


def _version(tree: Path) -> str:
    found = re.search(
        r'^__version__ = "(.*)"$', (tree / "service/location_policy/__init__.py").read_text(), re.MULTILINE
    )
    assert found
    return found[1]


# --- try ---


def try_it(scratch: Path, wheel: Path, dist: Path) -> None:
    """Install the wheel where nothing else is, write the SBOM of that, and do what is told to newcomers."""
    empty = scratch / "empty"
    _install(empty, wheel, ROOT / "requirements.lock")
    sbom(empty, dist, wheel)
    home = scratch / "home"
    home.mkdir()
    first_steps(empty / "bin", home)
    jobs(empty / "bin", home, wheel)
    if shutil.which("pipx"):
        by_pipx(home, wheel)


def _install(where: Path, wheel: Path, lock: Path) -> None:
    _run(sys.executable, "-m", "venv", str(where))
    needed = where / "run.lock"
    needed.write_text(lock.read_text().partition(FOR_DEVELOPMENT)[0])
    pip = [str(where / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run(*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", str(needed))
    _run(*pip, "--no-deps", "--no-index", str(wheel))
    if not (where / "share" / "man" / "man1" / "location-policy.1").exists():
        raise SystemExit("dist: error: the wheel has no page for man")
    _run(*pip[:3], "uninstall", "--quiet", "--yes", "pip", "setuptools")  # what is shipped has neither


def sbom(environment: Path, dist: Path, wheel: Path) -> None:
    """What the wheel needs, as it is installed: CycloneDX, the same bytes each time."""
    version = wheel.name.split("-")[1]
    told = environment / "pyproject.toml"  # cyclonedx-py reads no version that the build finds out
    told.write_text((ROOT / "pyproject.toml").read_text().replace('dynamic = ["version"]', f'version = "{version}"'))
    command = [str(Path(sys.executable).with_name("cyclonedx-py")), "environment", "--output-reproducible"]
    more = ["--mc-type", "application", "--pyproject", str(told), "--sv", "1.6", "--of", "JSON"]
    out = dist / f"location-policy-{version}.cdx.json"
    _run(*command, *more, "--output-file", str(out), str(environment / "bin" / "python"))
    named = {one["name"] for one in json.loads(out.read_text())["components"]}
    if not {"starlette", "click", "cryptography"} <= named:
        raise SystemExit(f"dist: error: {out.name} names only {', '.join(sorted(named))}")


def first_steps(programs: Path, home: Path) -> None:
    """What README.md lets a newcomer type under "Try it", with the wheel in place of `make serve`."""
    section = (ROOT / "README.md").read_text().partition("\n## Try it\n")[2].partition("\n## ")[0]
    lines = [line.strip() for line in re.findall(r"^    (\S.*)$", section, re.MULTILINE)]
    typed = [line for line in lines if not line.startswith("make ")]
    assert any(line.startswith("git clone") for line in typed), typed
    assert any(line.startswith("curl") for line in typed), typed
    url = f"http://127.0.0.1:{PORT}/policy/v1/participant/location?protocol=mssip&ms-subnet=10.61.9.0"
    mended = [
        "sed -i 's/^known = \\[/&\"Perth\", /' policy.toml && sed -i s,10.61.9.0/23,10.61.9.0/24, locations/apac.csv",
        "git commit --quiet --all --amend --no-edit && git push",
        f"for try in 1 2 3 4 5 6 7 8 9; do curl --silent '{url}' | grep Perth && break; sleep 1; done",
        "git revert --no-edit HEAD && git push",
    ]
    with _served(programs, home) as port:
        script = "\n".join([*typed, *mended]).replace(f":{PORT}/", f":{port}/")
        said = _run("bash", "-c", script, cwd=home, environment=_typing(programs, home), is_told=True)
    for wanted in ('"location": "Sydney"', "main is rejected: 1 of 1 commit", '"location": "Perth"'):
        if wanted not in said:
            raise SystemExit(f"dist: error: {wanted} is not in what the first steps print:\n{said}")
    if said.count("remote: valid: 1 commit for main") != 2:
        raise SystemExit(f"dist: error: the mended push and its revert were not both taken:\n{said}")


@contextmanager
def _served(programs: Path, home: Path) -> Iterator[str]:
    """The port of the example, served from where the wheel is installed."""
    command = [str(programs / "location-policy"), "serve", "--example", "--port", "0"]
    with subprocess.Popen(command, cwd=home, env=_typing(programs, home), stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        first = service.stdout.readline()
        found = re.search(r" serves (\S+) on http://127\.0\.0\.1:(\d+)$", first)
        try:
            if not found or not Path(found[1]).is_relative_to(home):
                raise SystemExit(f"dist: error: the example is not served below {home}: {first}")
            time.sleep(1)  # the sample is read in some milliseconds
            yield found[2]
        finally:
            service.terminate()


def jobs(programs: Path, home: Path, wheel: Path) -> None:
    """What a job of CI does in a configuration repository that was told of the wheel."""
    environment = _typing(programs, home)
    _run("location-policy", "init", "ci.git", "--program", str(wheel), cwd=home, environment=environment)
    _run("git", "clone", "--quiet", "ci.git", "ci", cwd=home, environment=environment)
    alone = {**environment, "PATH": "/usr/local/bin:/usr/bin:/bin", "RUNNER_TEMP": str(home / "runner")}
    script = "PATH=$(sh .location-policy/install):$PATH && location-policy --version && location-policy check"
    said = _run("sh", "-c", script, cwd=home / "ci", environment=alone, is_told=True)
    if "3 subnets in 1 file: no problem" not in said:
        raise SystemExit(f"dist: error: a job of CI says\n{said}")


def by_pipx(home: Path, wheel: Path) -> None:
    """What docs/run/install.md tells those who have pipx, up to the service."""
    text = (ROOT / "docs" / "run" / "install.md").read_text()
    shown = re.search(r"^    (pipx install \./\S+\.whl)\n    location-policy serve --example$", text, re.MULTILINE)
    if not shown or not shown[1].endswith(f"/{wheel.name}"):
        raise SystemExit(f"dist: error: docs/run/install.md does not tell pipx of {wheel.name}")
    shutil.copy(wheel, home)
    places = {"PIPX_HOME": str(home / "pipx"), "PIPX_BIN_DIR": str(home / "pipx.bin"), "HOME": str(home)}
    _run("sh", "-c", shown[1], cwd=home, environment=places)
    with _served(home / "pipx.bin", home):
        pass


def _typing(programs: Path, home: Path) -> dict[str, str]:
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Alice"), ("EMAIL", "alice@example.com"))
    }
    return {"PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8", **who}


def _run(
    *command: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None, is_told: bool = False
) -> str:
    """What a command prints; `is_told` also what it says on standard error, and it may fail. Else raises SystemExit."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PIP_INDEX_URL", "SSL_CERT_FILE") if name in os.environ}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if is_told else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode and not is_told:
        raise SystemExit(f"dist: error: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
