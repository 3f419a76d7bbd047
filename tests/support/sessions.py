"""Console sessions in documents: typed again, and what is printed compared.

A session is a fenced block marked `console`. A line that begins with `$ ` is a command, lines after it that begin with
`> ` continue it, and the rest up to the next command is its output, both streams as they come; `[2]` as the last line
is an exit status other than 0. The sessions of one document follow each other as for a reader who goes from top to
bottom: in one folder, `cd` holds, and what was started with ` &` goes on until the end.

An id of a commit that a document shows stands for the one that was printed in its place, and can be typed below.

A question to a service is asked again until it is answered as shown: a push takes a moment to be seen, and so does a
line of the decision log.
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.support.program import closed_environment
from tests.support.repositories import IDENTITY
from tests.support.service import DEADLINE, wait_until

PLACE, PORT = "/srv/policy", "8080"
"""The folder and the port that documents show."""

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ID = re.compile(r"\b[0-9a-f]{40}\b|\b[0-9a-f]{7,10}\b")
_VARYING = [
    (_ID, "COMMIT"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| [+-]\d{4})?|(?<=Date: ).*"), "TIME"),
    (re.compile(r"(?<=took=)[\d.]+|(?<=\"pid\": )\d+"), "NUMBER"),
    (re.compile(r"\bSHA256:[\w+/]{43}"), "KEY"),
    (re.compile(r"(?<=newer version than this, )[\w.]+"), "VERSION"),
    (re.compile(r"(?:(?<=\blast )|(?<=\bsince ))\d{4}-\d\d-\d\d"), "DAY"),
    (re.compile(r" +$", re.MULTILINE), ""),
]


class Step(NamedTuple):
    """A command, and what is printed below it."""

    command: str
    output: str


def read_steps(document: str) -> list[Step]:
    """The commands of all sessions of a document, in order."""
    return [step for block in _BLOCK.findall(document) for step in _steps(block)]


def _steps(block: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *rest = part.split("\n")
        while rest[0].startswith(">"):
            command += "\n" + rest.pop(0).removeprefix(">").removeprefix(" ")
        yield Step(command, "\n".join(rest).strip("\n"))


def without_varying(text: str) -> str:
    """The text with a word in place of all that differs from run to run."""
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return text


class Terminal:
    """Where the commands of one document are typed: a folder of its own and a free port.

    `real` has what stands for a name that documents show.
    """

    def __init__(self, folder: Path, real: Mapping[str, str] | None = None) -> None:
        self._root = self._folder = folder.resolve()
        self._port = _free_port()
        self._real = {f":{PORT}": f":{self._port}", PLACE: str(self._root), **(real or {})}
        self._ids: dict[str, str] = {}
        self._services = ExitStack()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._services.close()

    def follow(self, step: Step) -> Step:
        """The step as it went this time."""
        command = step.command
        for shown, real in self._real.items():
            command = command.replace(shown, real)
        command = _ID.sub(lambda found: self._ids.get(found[0], found[0]), command)
        if command.startswith("cd "):
            self._folder = (self._folder / command.removeprefix("cd ")).resolve(strict=True)
            return step
        if command.endswith(" &"):
            self._start(command.removesuffix(" &"))
            return step
        is_late = "curl" in command or command.startswith("location-policy calls")
        deadline = time.monotonic() + (DEADLINE / 2 if is_late else 0)
        while True:
            seen = Step(step.command, self._run(command))
            self._ids |= zip(_ID.findall(step.output), _ID.findall(seen.output), strict=False)
            if time.monotonic() > deadline or without_varying(seen.output) == without_varying(step.output):
                return seen
            time.sleep(0.1)

    def _run(self, command: str) -> str:
        with self._typed(command) as process:
            output = process.communicate(timeout=60)[0]
        for shown, real in self._real.items():
            output = output.replace(real, shown)
        output = output.strip("\n")
        return output if process.returncode == 0 else f"{output}\n[{process.returncode}]".lstrip("\n")

    def _start(self, command: str) -> None:
        service = self._services.enter_context(self._typed(f"exec {command}"))
        self._services.callback(service.terminate)
        wait_until(self._listens)

    def _typed(self, command: str) -> subprocess.Popen[str]:
        environment = closed_environment(
            **IDENTITY,
            HOME=str(self._root),
            REMOTE_USER="alice",
            LOCATION_POLICY_PORT=str(self._port),
            LOCATION_POLICY_CALL_HISTORY="0",  # what is remembered depends on how long it takes
            PYTHONUNBUFFERED="1",
        )
        pipe, both = subprocess.PIPE, subprocess.STDOUT
        return subprocess.Popen(
            ["sh", "-c", command], cwd=self._folder, env=environment, stdout=pipe, stderr=both, text=True
        )

    def _listens(self) -> bool:
        with socket.socket() as asker:
            return asker.connect_ex(("127.0.0.1", self._port)) == 0


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
