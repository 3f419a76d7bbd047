"""What CI of a new configuration installs: a wheel that goes into it, the URL of one, or an image; each by its hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ...gate.hooks import shipped

FOLDER = ".location-policy"
_GITLAB = ".gitlab-ci.yml"
_INSTALL = f"{FOLDER}/install"
_IMAGE = re.compile(r"[A-Za-z0-9._:/-]+@sha256:[0-9a-f]{64}")
_WHEEL = re.compile(r"location_policy-[A-Za-z0-9.+!_]+-py3-none-any\.whl")
_HASH = re.compile(r"sha256=([0-9a-f]{64})")
_GITLAB_IMAGE = re.compile(rb"^  image: \S+@sha256:.*$", re.MULTILINE)
_RUNS_ENDS = "# --- only for development ---"


def program_files(spec: str, folder: Path) -> Mapping[str, bytes]:
    """The files by which the jobs of a configuration install this program, beside those of the folder.

    `spec` is a wheel on this machine, `https://…/NAME.whl#sha256=DIGEST`, or `IMAGE@sha256:DIGEST`. Raises ValueError
    where it is none of these, and OSError.
    """
    install = {_INSTALL: (shipped("config-repo") / _INSTALL).read_bytes()}
    if _IMAGE.fullmatch(spec):
        return install | _image(spec, folder)
    if spec.startswith("https://"):
        url = urlsplit(spec)
        digest = _HASH.fullmatch(url.fragment)
        if digest is None:
            raise ValueError(f"{spec} has no hash; write it as https://…/{Path(url.path).name}#sha256=DIGEST")
        _check_wheel(Path(url.path).name)
        return install | _requirements(f"location-policy @ {url._replace(fragment='').geturl()}", digest[1])
    if "@" in spec or "://" in spec:
        raise ValueError(f"{spec} is neither a file, nor https://…#sha256=DIGEST, nor IMAGE@sha256:DIGEST")
    wheel = Path(spec)
    _check_wheel(wheel.name)
    content = wheel.read_bytes()
    files = _requirements(f"./{wheel.name}", hashlib.sha256(content).hexdigest())
    return install | files | {f"{FOLDER}/{wheel.name}": content}


def _check_wheel(name: str) -> None:
    if not _WHEEL.fullmatch(name):
        raise ValueError(f"{name or 'it'} is not a wheel of location-policy; `make dist` makes one")


def _requirements(program: str, digest: str) -> dict[str, bytes]:
    """For pip with `--require-hashes`: what the program needs at run time, as it was tested, and the program."""
    needed = shipped("requirements.lock").read_text().partition(_RUNS_ENDS)[0]
    lines = [line for line in needed.splitlines() if line and not line.lstrip().startswith("#")]
    text = "\n".join(["# Written by location-policy init --program.", *lines, f"{program} --hash=sha256:{digest}", ""])
    return {f"{FOLDER}/requirements.txt": text.encode()}


def _image(name: str, folder: Path) -> dict[str, bytes]:
    """Jobs of GitLab run in the image; others call it by docker or podman."""
    files = {f"{FOLDER}/image": f"{name}\n".encode()}
    gitlab = folder / _GITLAB
    if gitlab.is_file():
        line = f'  image: {{name: "{name}", entrypoint: [""], docker: {{user: "0"}}}}'
        files[_GITLAB] = _GITLAB_IMAGE.sub(line.encode(), gitlab.read_bytes())
    return files
