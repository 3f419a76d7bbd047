"""deploy/kubernetes, rendered by the real kubectl; no cluster is asked, and none is needed."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.support.deployments import DEPLOY
from tests.support.program import closed_environment

ROOT = DEPLOY.parent
TOOLS = ROOT / ".venv-kubernetes" / "bin"
KUBECTL, VALIDATE = TOOLS / "kubectl", TOOLS / "kubernetes-validate"
FOLDER = DEPLOY / "kubernetes"
OVERLAYS = ("forge", "own", "region")
UPSTREAM, REPLICAS = "location-policy-upstream", "location-policy"

Resource = dict[str, Any]
Place = tuple[str | int, ...]
"""The keys and indexes that lead to a field."""

needs_kubectl = pytest.mark.skipif(not KUBECTL.exists(), reason="there is no kubectl; to install it: make kubernetes")


class Manifests(NamedTuple):
    """The resources of a kustomization; `name` is its folder below deploy/kubernetes."""

    name: str
    resources: list[Resource]

    def one(self, kind: str, name: str) -> Resource:
        """The resource of this kind and name, or an empty one."""
        found = [one for one in self.of_kind(kind) if field(one, "metadata.name") == name]
        return found[0] if found else {}

    def of_kind(self, kind: str) -> list[Resource]:
        """All resources of this kind."""
        return [one for one in self.resources if one.get("kind") == kind]

    def workloads(self) -> list[Resource]:
        """What makes pods."""
        return self.of_kind("StatefulSet") + self.of_kind("Deployment")


def field(resource: object, path: str) -> Any:  # noqa: ANN401  what a manifest holds
    """The value at `spec.template.spec`, say; None where there is none."""
    for key in path.split("."):
        if not isinstance(resource, dict):
            return None
        resource = resource.get(key)
    return resource


def render(folder: Path) -> list[Resource]:
    """The resources of a kustomization."""
    text = run_kubectl("kustomize", folder)
    return [one for one in yaml.safe_load_all(text) if one]


@cache
def overlay(name: str) -> Manifests:
    """An overlay as it is shipped."""
    return Manifests(name, render(FOLDER / "overlays" / name))


def run_kubectl(*arguments: str | Path) -> str:
    """What kubectl prints; it knows of no cluster."""
    environment = closed_environment(HOME=str(TOOLS))
    done = subprocess.run(
        [KUBECTL, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def places(value: object, before: Place = ()) -> Iterator[Place]:
    """Every field of a resource, from the outermost inwards."""
    keys: list[str | int] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    for key in keys:
        yield (*before, key)
        yield from places(value[key], (*before, key))  # type: ignore[index]  # a dict or a list, as told above


def without(manifests: Manifests, number: int, place: Place) -> Manifests:
    """The same resources but for one field of one of them."""
    resources = list(manifests.resources)
    holder = resources[number] = copy.deepcopy(resources[number])
    for key in place[:-1]:
        holder = holder[key]  # type: ignore[index]  # an index where it is a list
    del holder[place[-1]]  # type: ignore[arg-type]  # as above
    return Manifests(manifests.name, resources)
