"""A pod of a manifest as a process: its command line, environment, user, file modes and read-only root, in namespaces.

What the kubelet and a container runtime do is done here by util-linux: namespaces of mounts, processes and network, a
root of this machine's programs to which nothing can be written, volumes with the owner and the modes that Kubernetes
gives them, and no capability. Not here: the image (the program is that of the tests), the filter of system calls, the
limit of memory, and the policies of the network.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import yaml

from tests.support.access import PASSWORD
from tests.support.program import PROGRAM, closed_environment
from tests.support.service import wait_until
from tests.system.kubernetes.manifests import ROOT, Resource, run_kubectl
from tests.system.kubernetes.rules import USER, container_of

Secrets = dict[str, dict[str, bytes]]
"""The files of each Secret."""

SETUP = """
root=$1; shift
mount --make-rprivate /
mount -t tmpfs -o mode=755 root "$root"
while [ "$1" != -- ]; do
    mode=$1 from=$2 to=$root$3; shift 3
    mkdir -p "$(dirname "$to")"
    if [ "$mode" = link ]; then ln -s "$from" "$to"; continue; fi
    if [ -d "$from" ]; then mkdir -p "$to"; else touch "$to"; fi
    mount --bind "$from" "$to"
    if [ "$mode" = ro ]; then mount -o remount,bind,ro "$to"; fi
done
shift
mkdir "$root/proc" "$root/tmp"
mount -t proc proc "$root/proc"
mount -o remount,ro "$root"
ip link set lo up
read -r _ # until the network is there
exec env -i "$@"
"""


@cache
def missing_here() -> str:
    """Why no pod can be run here; empty where one can."""
    if os.geteuid() != 0:  # pragma: no cover  depends on the machine
        return "only root makes namespaces"
    try:
        command = ["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c"]
        probe = (
            "mount --make-rprivate / && mount -t tmpfs probe /mnt && ip link add probe type veth && setpriv --version"
        )
        done = subprocess.run([*command, probe], capture_output=True, text=True, check=False, timeout=20)
    except OSError as error:  # pragma: no cover  as above
        return str(error)
    return f"no namespaces: {done.stderr}" if done.returncode else ""  # pragma: no cover  as above


class Answer(NamedTuple):
    """What curl got; status 0 where it got nothing."""

    status: int
    body: str

    def json(self) -> Any:  # noqa: ANN401  as JSON is
        """The body's meaning."""
        return json.loads(self.body)


@dataclass
class Pod:
    """A pod that runs; `process` holds the namespaces, `pid` is the service in it."""

    name: str
    container: Resource
    folder: Path
    process: subprocess.Popen[str]
    pid: int
    links: int = 0
    """How many numbers its links to pods beside it have taken, and those of the pod that it is beside."""

    def inside(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command of this machine that has the network of the pod."""
        return subprocess.run(
            ["nsenter", "--target", str(self.pid), "--net", *command],
            env=closed_environment(**environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def ask(self, path: str, *more: str, user: str | None = None, password: str = PASSWORD) -> Answer:
        """The answer to a request, from within, whatever the certificate says."""
        login = ("--user", f"{user}:{password}") if user else ()
        form = ("--silent", "--insecure", "--max-time", "5", "--write-out", "\n%{http_code}")
        body, _, status = self.inside("curl", *form, *login, *more, f"https://127.0.0.1:8443{path}").stdout.rpartition(
            "\n"
        )
        return Answer(int(status or 0), body)

    def probe(self, kind: str) -> bool:
        """Does this probe of the container succeed? As the kubelet asks: no password, any certificate, below 400."""
        probe = self.container[kind]
        wanted = probe["httpGet"]
        port = next(one["containerPort"] for one in self.container["ports"] if one["name"] == wanted["port"])
        url = f"{wanted['scheme'].lower()}://127.0.0.1:{port}{wanted['path']}"
        form = ("--silent", "--insecure", "--max-time", str(probe["timeoutSeconds"]), "--output", "/dev/null")
        status = self.inside("curl", *form, "--write-out", "%{http_code}", url).stdout
        return 200 <= int(status or 0) < 400

    def wait_for(self, kind: str) -> None:
        """Until this probe succeeds."""
        wait_until(lambda: self.probe(kind), self.log)

    def log(self) -> str:
        """What the service has said."""
        return (self.folder / "log").read_text()

    def tell(self, one: signal.Signals) -> None:
        """A signal, as a container runtime sends it to the first process."""
        os.kill(self.pid, one)

    def status_of_process(self, key: str) -> str:
        """A line of /proc/PID/status."""
        found = re.search(rf"^{key}:\s*(.*)$", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        assert found, key
        return found[1]

    def writable(self) -> set[str]:
        """What is mounted to be written to, but for devices and what the kernel tells."""
        mounts = [line.split(" ") for line in Path(f"/proc/{self.pid}/mountinfo").read_text().splitlines()]
        open_to_all = {one[4] for one in mounts if "ro" not in one[5].split(",")}
        return {place for place in open_to_all if not place.startswith(("/dev/", "/proc"))}

    def change_secret(self, volume: str, **files: bytes) -> None:
        """Other content of a Secret, as the kubelet writes it."""
        place = self.folder / "volumes" / volume
        content = {path.name: path.read_bytes() for path in place.iterdir() if not path.name.startswith("..")}
        write_secret(place, content | {name.replace("_", "."): one for name, one in files.items()}, 0o440)


def write_secret(place: Path, content: Mapping[str, bytes], mode: int) -> None:
    """The files of a Secret: links into a folder that a rename puts in place (atomic_writer.go of the kubelet)."""
    before = (place / "..data").resolve() if (place / "..data").exists() else None
    there = place / f"..{uuid4().hex}"
    there.mkdir(mode=0o750)
    for name, one in content.items():
        (there / name).write_bytes(one)
        (there / name).chmod(mode)
        os.chown(there / name, 0, USER)
        if not (place / name).is_symlink():
            (place / name).symlink_to(f"..data/{name}")
    there.chmod(0o750)
    os.chown(there, 0, USER)
    (place / "..data_tmp").symlink_to(there.name)
    (place / "..data_tmp").rename(place / "..data")
    if before:
        for old in before.iterdir():
            old.unlink()
        before.rmdir()


def documented_secrets(folder: Path) -> Secrets:
    """What the commands of docs/run/kubernetes.md make of files in `folder`."""
    found: Secrets = {}
    commands = re.findall(r"^    kubectl (.* create secret (?:generic|tls) .*)$", _document(), re.MULTILINE)
    for command in commands:
        words = [re.sub(r"(?<==)(?=\w+/)", f"{folder}/", word) for word in shlex.split(command)]
        made = yaml.safe_load(run_kubectl(*words, "--dry-run=client", "--output=yaml"))
        found[made["metadata"]["name"]] = {name: base64.b64decode(one) for name, one in made["data"].items()}
    return found


def _document() -> str:
    return (ROOT / "docs" / "run" / "kubernetes.md").read_text()


@contextmanager
def running_pod(
    workload: Resource,
    name: str,
    secrets: Secrets,
    folder: Path,
    hosts: Sequence[str] = (),
    beside: Pod | None = None,
    ca: Path | None = None,
) -> Iterator[Pod]:
    """A pod of this workload.

    `hosts` are names by which it reaches `beside`, over a link between the two; without it they lead nowhere. `ca`: one
    that its image knows beside those of this machine.
    """
    container = container_of(workload)
    volumes = folder / "volumes"
    volumes.mkdir(parents=True)
    (folder / "root").mkdir()
    number = beside.links + 1 if beside else 0
    binds = [*_machine(), *_etc(folder / "etc", hosts, number)]
    if ca:
        known = _with_ca(folder / "ssl", ca)
        binds = [("ro", str(known), to) if to == "/etc/ssl" else (mode, one, to) for mode, one, to in binds]
    for mount in container["volumeMounts"]:
        place = volumes / mount["name"]
        _fill(place, workload, mount["name"], secrets)
        binds.append(("ro" if mount.get("readOnly") else "rw", str(place), mount["mountPath"]))
    entry = ["chroot", str(folder / "root"), *_as_user(workload), str(PROGRAM), *container["args"]]
    namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-euc", SETUP, "sh"]
    command = [*namespaces, str(folder / "root"), *(word for bind in binds for word in bind), "--"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *_environment(container, name), *entry],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
        )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_until(lambda: children.read_text().strip() != "")
    pod = Pod(name, container, folder, process, int(children.read_text()))
    try:
        if beside:
            beside.links = pod.links = number
            _link(beside, pod, number)
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.close()
        yield pod
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):  # a test has ended it just now, and what started it has not seen that
                pod.tell(signal.SIGKILL)  # the first of its processes, with which all others end
        process.wait()


def _machine() -> list[tuple[str, str, str]]:
    """The programs of this machine, and the program that is tested."""
    places = {"/usr", "/etc/ssl", "/etc/alternatives", str(ROOT), sys.prefix, sys.base_prefix}
    nested = {one for one in places for other in places if one != other and one.startswith(f"{other}/")}
    binds = [("ro", place, place) for place in sorted(places - nested) if Path(place).exists()]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/") / name
        if path.is_symlink():
            binds.append(("link", str(path.readlink()), str(path)))
        elif path.exists():  # pragma: no cover  depends on the machine
            binds.append(("ro", str(path), str(path)))
    binds += [("dev", f"/dev/{name}", f"/dev/{name}") for name in ("null", "zero", "random", "urandom")]
    return [*binds, ("link", "/proc/self/fd", "/dev/fd"), ("ro", "/etc/ld.so.cache", "/etc/ld.so.cache")]


def _with_ca(folder: Path, ca: Path) -> Path:
    """The CAs of this machine, and another."""
    (folder / "certs").mkdir(parents=True)
    bundle = Path("/etc/ssl/certs/ca-certificates.crt").read_text()
    (folder / "certs" / "ca-certificates.crt").write_text(bundle + ca.read_text())
    return folder


def _etc(folder: Path, hosts: Sequence[str], number: int) -> list[tuple[str, str, str]]:
    """What the image says of its user and of git, and Kubernetes of names."""
    folder.mkdir()
    (folder / "passwd").write_text(f"location-policy:x:{USER}:{USER}::/data:/usr/sbin/nologin\n")
    (folder / "group").write_text(f"location-policy:x:{USER}:\n")
    (folder / "nsswitch.conf").write_text("hosts: files\n")
    names = " ".join(hosts)
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{_address(number, 1)} {names}\n" if names else "")
    (folder / "gitconfig").write_text("[gc]\n\tautoDetach = false\n")
    return [("ro", str(path), f"/etc/{path.name}") for path in folder.iterdir()]


def _address(number: int, end: int) -> str:
    return f"10.61.{number}.{end}"


def _link(one: Pod, other: Pod, number: int) -> None:
    """A cable between two pods, in no network but theirs."""
    names = f"to{number}", "eth0"
    ends = ["netns", str(one.pid), "type", "veth", "peer", "name", names[1], "netns", str(other.pid)]
    subprocess.run(["ip", "link", "add", names[0], *ends], check=True)
    for end, (pod, name) in enumerate(zip((one, other), names, strict=True), 1):
        assert pod.inside("ip", "address", "add", f"{_address(number, end)}/24", "dev", name).returncode == 0
        assert pod.inside("ip", "link", "set", name, "up").returncode == 0


def _fill(place: Path, workload: Resource, name: str, secrets: Secrets) -> None:
    """A volume as the pod finds it: of the group that `fsGroup` names."""
    place.mkdir()
    spec = workload["spec"]["template"]["spec"]
    group = spec["securityContext"]["fsGroup"]
    os.chown(place, 0, group)
    place.chmod(0o2777 if name == "data" else 0o2750)
    for volume in spec["volumes"]:
        if volume["name"] == name and "secret" in volume:
            write_secret(place, secrets[volume["secret"]["secretName"]], volume["secret"]["defaultMode"])


def _as_user(workload: Resource) -> list[str]:
    """What gives up all rights that the manifest does not ask for."""
    context = workload["spec"]["template"]["spec"]["securityContext"]
    ids = ["--reuid", str(context["runAsUser"]), "--regid", str(context["runAsGroup"])]
    ids += ["--groups", str(context["fsGroup"])]
    security = container_of(workload)["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    rights = ["--bounding-set=-all", "--inh-caps=-all"]
    return ["setpriv", *ids, *rights, *([] if security["allowPrivilegeEscalation"] else ["--no-new-privs"])]


def _environment(container: Resource, name: str) -> list[str]:
    """The variables of the image, and of the manifest."""
    own = re.search(r"^ENV PATH=\S+ (TMPDIR=.+)$", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    assert own
    found = [f"PATH={PROGRAM.parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", *own[1].split(), "HOME=/data"]
    for entry in container["env"]:
        source = entry.get("valueFrom")
        assert source in (None, {"fieldRef": {"fieldPath": "metadata.name"}})
        found.append(f"{entry['name']}={name if source else entry['value']}")
    return found
