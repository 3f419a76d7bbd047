"""deploy/kubernetes: what is rendered fits the schemas of Kubernetes, and rules of ours that miss no field."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.deployments import DEPLOY
from tests.system.kubernetes.manifests import (
    FOLDER,
    OVERLAYS,
    REPLICAS,
    ROOT,
    VALIDATE,
    Manifests,
    Resource,
    field,
    needs_kubectl,
    overlay,
    places,
    render,
    without,
)
from tests.system.kubernetes.rules import USER, labels, problems

pytestmark = needs_kubectl

HELD_BY_SCHEMA = {("apiVersion",)}
"""Fields that no rule of ours asks for, since a manifest without them fits no schema."""


def validated(resources: list[Resource], folder: Path) -> subprocess.CompletedProcess[str]:
    """Whether resources fit the schemas, and nothing is in them that these do not have."""
    path = folder / "rendered.yaml"
    path.write_text(yaml.safe_dump_all(resources))
    command: list[str | Path] = [VALIDATE, "--strict", "--quiet", "--kubernetes-version", "1.37", path]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_fits_the_schemas(name: str, tmp_path: Path) -> None:
    done = validated(overlay(name).resources, tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_field_that_is_spelled_wrongly_fits_no_schema(tmp_path: Path) -> None:
    service = overlay("own").one("Service", REPLICAS)
    misspelt = service | {"spec": service["spec"] | {"externalTraficPolicy": "Local"}}
    done = validated([misspelt], tmp_path)
    assert done.returncode == 1
    assert "externalTraficPolicy" in done.stdout + done.stderr


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_keeps_every_rule(name: str) -> None:
    assert list(problems(overlay(name))) == []


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_field_can_be_taken_away_unnoticed(name: str) -> None:
    manifests = overlay(name)
    unnoticed = [
        (resource["kind"], place)
        for number, resource in enumerate(manifests.resources)
        for place in places(resource)
        if place not in HELD_BY_SCHEMA and not any(problems(without(manifests, number, place)))
    ]
    assert unnoticed == []


def test_the_user_is_that_of_the_image() -> None:
    assert f"\nUSER {USER}:{USER}\n" in (ROOT / "Containerfile").read_text()


def with_components(name: str, folder: Path) -> Manifests:
    """An overlay with all components that can be added to it."""
    shutil.copytree(FOLDER, folder / "kubernetes")
    there = folder / "kubernetes" / "overlays" / name
    text = (there / "kustomization.yaml").read_text()
    (there / "kustomization.yaml").write_text(text.replace("  #- ../../components/", "  - ../../components/"))
    return Manifests(name, render(there))


@pytest.mark.parametrize("name", OVERLAYS)
def test_uncommented_components_scale_by_cpu_alone_and_ask_each_pod_for_its_metrics(name: str, tmp_path: Path) -> None:
    manifests = with_components(name, tmp_path)
    scaler = manifests.one("HorizontalPodAutoscaler", REPLICAS)
    assert "replicas" not in manifests.one("Deployment", REPLICAS)["spec"]
    assert field(scaler, "spec.scaleTargetRef") == {"apiVersion": "apps/v1", "kind": "Deployment", "name": REPLICAS}
    assert field(scaler, "spec.minReplicas") == 3
    assert [one["resource"]["name"] for one in field(scaler, "spec.metrics")] == ["cpu"]
    monitor = manifests.one("ServiceMonitor", REPLICAS)
    assert field(monitor, "spec.selector.matchLabels").items() <= labels(REPLICAS).items()
    job = labels(REPLICAS)[field(monitor, "spec.jobLabel")]
    assert f'job="{job}"' in (DEPLOY / "monitoring" / "alerts.yml").read_text()
    assert [(one["port"], one["scheme"], one["path"]) for one in field(monitor, "spec.endpoints")] == [
        ("https", "https", "/metrics")
    ]
    # The schema of the last is that of an operator, not of Kubernetes.
    done = validated([one for one in manifests.resources if one["kind"] != "ServiceMonitor"], tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
