"""What has to be true of the manifests, beyond their schemas: each rule finds what is wrong, with where it is.

Where a whole part is expected as it is written here, a field more is as wrong as one less: what a policy of the network
lets through, say.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from location_policy import __version__
from location_policy.cli.environment import variable
from tests.support.options import OPTIONS
from tests.system.kubernetes.manifests import REPLICAS, UPSTREAM, Manifests, Resource, field

USER = 10001
DRAIN, GRACE = 10, 30
"""Seconds of `--drain`, and after which Kubernetes kills; the end itself takes three."""
NAMESPACE = "location-policy"
COMPONENTS = {UPSTREAM: "upstream", REPLICAS: "replica"}
MEMORY = {UPSTREAM: "2Gi", REPLICAS: "1Gi"}
"""Limits; docs/run/kubernetes.md has what was measured."""
OWN_NAMES = {"LOCATION_POLICY_NAME"}
"""Variables that the program will have an option for."""

POD = {
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "terminationGracePeriodSeconds": GRACE,
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}
CONTAINER = {
    "name": "location-policy",
    "image": f"registry.example.com/location-policy:{__version__}",
    "ports": [{"name": "https", "containerPort": 8443}],
    "securityContext": {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    },
}
PROBES = {
    "startupProbe": ("/healthz", 2, 2, 150),
    "readinessProbe": ("/readyz", 2, 2, 5),
    "livenessProbe": ("/healthz", 10, 5, 3),
}
"""The path, and seconds between two, seconds for one, and how many must fail. Only the second may ask for a map."""

MOUNTS = {
    UPSTREAM: {
        "data": "/data",
        "users": "/etc/location-policy/users",
        "tls": "/etc/location-policy/tls",
        "remote": "/etc/location-policy/remote",
    },
    REPLICAS: {
        "data": "/data",
        "users": "/etc/location-policy/users",
        "tls": "/etc/location-policy/tls",
        "upstream": "/etc/location-policy/upstream",
    },
}
COMMON = {
    "host": "0.0.0.0",
    "port": "8443",
    "drain": str(DRAIN),
    "htpasswd": "/etc/location-policy/users/htpasswd",
    "roles": "/etc/location-policy/users/roles",
    "tls-cert": "/etc/location-policy/tls/tls.crt",
    "tls-key": "/etc/location-policy/tls/tls.key",
}
FOLLOWS_UPSTREAM = {
    "repo": f"https://{UPSTREAM}:8443/locations.git",
    "git-credentials": "/etc/location-policy/upstream/git-credentials",
    "git-ca": "/etc/location-policy/upstream/ca.crt",
}
OF_UPSTREAM = {
    "own": {},
    "forge": {
        "repo": "https://forge.example.com/noc/locations.git",
        "git-credentials": "/etc/location-policy/remote/git-credentials",
        "webhook-secret": "/etc/location-policy/remote/webhook-secret",
    },
    "region": {
        "repo": "https://upstream.example.com:8443/locations.git",
        "git-credentials": "/etc/location-policy/remote/git-credentials",
        "git-ca": "/etc/location-policy/remote/ca.crt",
    },
}

MONITORING = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}


def labels(name: str) -> dict[str, str]:
    """Of the pods of a workload."""
    return {"app.kubernetes.io/name": "location-policy", "app.kubernetes.io/component": COMPONENTS[name]}


def peers(*them: Resource, way: str = "from", port: str | int = "https") -> Resource:
    """A rule of a policy of the network."""
    return {way: list(them), "ports": [{"protocol": "TCP", "port": port}]}


def block(cidr: str) -> Resource:
    """A network; those of documents are to be filled in."""
    return {"ipBlock": {"cidr": cidr}}


def pods(name: str) -> Resource:
    """What selects the pods of a workload."""
    return {"podSelector": {"matchLabels": labels(name)}}


def policy(name: str, **ways: list[Resource]) -> Resource:
    """The spec of a policy for the pods of a workload."""
    types = [way.capitalize() for way in ways]
    return {**pods(name), "policyTypes": types, **ways}


POLICIES: dict[str, Resource] = {
    "deny-all": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    REPLICAS: policy(REPLICAS, ingress=[peers(MONITORING)], egress=[peers(pods(UPSTREAM), way="to"), DNS]),
    UPSTREAM: policy(UPSTREAM, ingress=[peers(pods(REPLICAS), MONITORING)], egress=[]),
    "conference-nodes": policy(REPLICAS, ingress=[peers(block("192.0.2.0/24"))]),
}
FOLLOWING_POLICIES = {f"{UPSTREAM}-dns": policy(UPSTREAM, egress=[DNS])}
POLICIES_OF = {
    "own": {"editors": policy(UPSTREAM, ingress=[peers(block("198.51.100.0/24"))])},
    "forge": FOLLOWING_POLICIES
    | {
        "forge": policy(
            UPSTREAM,
            ingress=[peers(block("198.51.100.0/24"))],
            egress=[peers(block("198.51.100.0/24"), way="to", port=443)],
        )
    },
    "region": FOLLOWING_POLICIES
    | {"origin": policy(UPSTREAM, egress=[peers(block("203.0.113.0/24"), way="to", port=8443)])},
}
"""What goes in and out, and nothing else does."""


def problems(manifests: Manifests) -> Iterator[str]:
    """All that is wrong with an overlay."""
    yield from _whole(manifests)
    for name in COMPONENTS:
        workload = manifests.one("StatefulSet" if name == UPSTREAM else "Deployment", name)
        yield from _pod(name, workload)
        yield from _command(manifests.name, name, workload)
        yield from _volumes(name, workload)
    yield from _upstream(manifests.one("StatefulSet", UPSTREAM))
    yield from _replicas(manifests)
    yield from _services(manifests)
    yield from _network(manifests)


def differences(place: str, wanted: object, found: object, *, whole: bool = True) -> Iterator[str]:
    """Where `found` is not what is wanted; unless it is the whole, it may have more keys, but no other items."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in wanted.keys() | (found.keys() if whole else set()):
            yield from differences(f"{place}.{key}", wanted.get(key), found.get(key), whole=whole)
    elif wanted != found:
        yield f"{place}: {found!r} in place of {wanted!r}"


def _whole(manifests: Manifests) -> Iterator[str]:
    has = sorted(one["kind"] for one in manifests.resources if one.get("kind") not in (None, "NetworkPolicy"))
    yield from differences(
        "kinds",
        ["Deployment", "Namespace", "PodDisruptionBudget", "Service", "Service", "StatefulSet"],
        has,
    )
    wanted = {
        "name": NAMESPACE,
        "labels": {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")},
    }
    yield from differences("Namespace", wanted, field(manifests.one("Namespace", NAMESPACE), "metadata"))
    for one in manifests.resources:
        if one.get("kind") != "Namespace" and field(one, "metadata.namespace") != NAMESPACE:
            yield f"{one.get('kind')}: its namespace is not {NAMESPACE}"


def _pod(name: str, workload: Resource) -> Iterator[str]:
    yield from differences(f"{name}.labels", labels(name), field(workload, "metadata.labels"))
    yield from differences(f"{name}.template.labels", labels(name), field(workload, "spec.template.metadata.labels"))
    yield from differences(f"{name}.selector", {"matchLabels": labels(name)}, field(workload, "spec.selector"))
    spec = field(workload, "spec.template.spec") or {}
    yield from differences(f"{name}.pod", POD, spec, whole=False)
    if set(spec) - {*POD, "containers", "volumes", "topologySpreadConstraints"}:
        yield f"{name}: more than is known"
    container = container_of(workload)
    yield from differences(f"{name}.container", CONTAINER, container, whole=False)
    if set(container) - {*CONTAINER, *PROBES, "args", "env", "resources", "volumeMounts"}:
        yield f"{name}: a container of more than is known"
    resources = {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": MEMORY[name]}}
    yield from differences(f"{name}.resources", resources, container.get("resources"))  # no limit of CPU
    scheme = "HTTPS" if "tls-cert" in options(container) else "HTTP"
    for probe, (path, period, timeout, failures) in PROBES.items():
        wanted: Resource = {"httpGet": {"path": path, "port": "https", "scheme": scheme}, "periodSeconds": period}
        wanted |= {"timeoutSeconds": timeout, "failureThreshold": failures}
        yield from differences(f"{name}.{probe}", wanted, container.get(probe))


def container_of(workload: Resource) -> Resource:
    """The one container, or an empty one."""
    found = field(workload, "spec.template.spec.containers")
    return found[0] if found and len(found) == 1 else {}


def options(container: Resource) -> dict[str, str]:
    """What `serve` is told, by argument or variable."""
    given = dict(word.removeprefix("--").partition("=")[::2] for word in (container.get("args") or [])[1:])
    known = {variable(option): option for option in OPTIONS}
    for entry in container.get("env") or []:
        if entry.get("name") in known and "value" in entry:
            given[known[entry["name"]]] = entry["value"]
    return given


def _command(overlay: str, name: str, workload: Resource) -> Iterator[str]:
    container = container_of(workload)
    yield from differences(f"{name}.command", "serve", next(iter(container.get("args") or []), None))
    wanted = COMMON | (FOLLOWS_UPSTREAM if name == REPLICAS else OF_UPSTREAM[overlay])
    yield from differences(f"{name}.options", wanted, options(container))
    names = {entry.get("name"): entry for entry in container.get("env") or []}
    if set(names) - {variable(option) for option in OPTIONS} - OWN_NAMES:
        yield f"{name}: a variable that is none of ours"
    by_pod = {"fieldRef": {"fieldPath": "metadata.name"}}
    yield from differences(f"{name}.name", by_pod, (names.get("LOCATION_POLICY_NAME") or {}).get("valueFrom"))


def _volumes(name: str, workload: Resource) -> Iterator[str]:
    container = container_of(workload)
    mounts = {one.get("name"): one for one in container.get("volumeMounts") or []}
    volumes = {one.get("name"): one for one in field(workload, "spec.template.spec.volumes") or []}
    used = {PurePosixPath(value).parent for value in options(container).values() if value.startswith("/")}
    needed = {mount for mount, path in MOUNTS[name].items() if mount == "data" or PurePosixPath(path) in used}
    yield from differences(f"{name}.mounts", needed, set(mounts))
    for mount, one in mounts.items():
        # A subPath would never be written anew.
        wanted: Resource = {"name": mount, "mountPath": MOUNTS[name].get(str(mount))}
        wanted |= {} if mount == "data" else {"readOnly": True}
        yield from differences(f"{name}.mounts.{mount}", wanted, one)
    claimed = {field(one, "metadata.name") for one in field(workload, "spec.volumeClaimTemplates") or []}
    yield from differences(f"{name}.volumes", needed, set(volumes) | claimed)
    for volume in needed - {"data"}:
        secret = field(volumes.get(volume), "secret") or {}
        wanted = {"secretName": secret_of(name, volume), "defaultMode": 0o440}
        yield from differences(f"{name}.volumes.{volume}", wanted, secret)


def secret_of(name: str, volume: str) -> str:
    """What the Secret of a volume is called."""
    if volume in ("remote", "upstream"):
        return "location-policy-remote" if volume == "remote" else f"{UPSTREAM}-login"
    return f"{name}-{volume}"


def _upstream(workload: Resource) -> Iterator[str]:
    spec = {key: value for key, value in (workload.get("spec") or {}).items() if key not in ("template", "selector")}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claims = [{"metadata": {"name": "data"}, "spec": claim}]
    wanted = {"replicas": 1, "serviceName": UPSTREAM, "volumeClaimTemplates": claims}
    yield from differences("upstream", wanted, spec)


def _replicas(manifests: Manifests) -> Iterator[str]:
    workload = manifests.one("Deployment", REPLICAS)
    spec: dict[str, Any] = workload.get("spec") or {}
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    yield from differences("replicas.strategy", strategy, spec.get("strategy"))
    yield from differences("replicas.replicas", 3, spec.get("replicas"))
    data = [one for one in field(workload, "spec.template.spec.volumes") or [] if one.get("name") == "data"]
    yield from differences("replicas.data", [{"name": "data", "emptyDir": {"sizeLimit": "1Gi"}}], data)
    of_all = {
        "maxSkew": 1,
        "labelSelector": {"matchLabels": labels(REPLICAS)},
        "matchLabelKeys": ["pod-template-hash"],
    }
    zone = {"topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
    host = {"topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Honor"}
    found = field(workload, "spec.template.spec.topologySpreadConstraints")
    yield from differences("replicas.spread", [zone | of_all, host | of_all], found)
    budget = manifests.one("PodDisruptionBudget", REPLICAS)
    wanted = {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow"}
    wanted |= {"selector": {"matchLabels": labels(REPLICAS)}}
    yield from differences("replicas.budget", wanted, budget.get("spec"))


def _services(manifests: Manifests) -> Iterator[str]:
    outside = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    for name in COMPONENTS:
        service = manifests.one("Service", name)
        ports = [{"name": "https", "port": 8443, "targetPort": "https"}]
        wanted: Resource = {"selector": labels(name), "ports": ports}
        wanted |= {} if (manifests.name, name) == ("region", UPSTREAM) else outside
        wanted |= {"publishNotReadyAddresses": True} if name == UPSTREAM else {}  # the first push has to come by it
        yield from differences(f"{name}.service", wanted, service.get("spec"))
        yield from differences(f"{name}.service.labels", labels(name), field(service, "metadata.labels"))


def _network(manifests: Manifests) -> Iterator[str]:
    found = {field(one, "metadata.name"): one.get("spec") for one in manifests.of_kind("NetworkPolicy")}
    yield from differences("network", POLICIES | POLICIES_OF[manifests.name], found)
