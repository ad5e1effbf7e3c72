"""RayCluster, RayJob and RayService of KubeRay (`ray.io/v1`) as the services of an SDL.

Source of the fields: KubeRay's CRD; of which container runs Ray: the first of the pod (controllers/ray/common/pod.go).
"""

import re
from collections.abc import Mapping
from typing import Any

from cockpit.sdl import ray_plan
from cockpit.sdl.foreign.cluster import Draft, Node
from cockpit.sdl.foreign.flags import flags_of_params
from cockpit.sdl.foreign.losses import CannotRunError, Config, Losses, items, mapping, text
from cockpit.sdl.foreign.pods import Objects, Pod

GROUP, VERSIONS = "ray.io", ("v1", "v1alpha1")
KINDS = ("RayCluster", "RayJob", "RayService")
_CLUSTER_OF = {"RayJob": "rayClusterSpec", "RayService": "rayClusterConfig"}
_FIXED = "The number of workers is fixed on Akash: {count}."

_SPEC_REASONS = {
    "enableInTreeAutoscaling": "Akash has no autoscaler; the number of workers is fixed.",
    "autoscalerOptions": "Akash has no autoscaler; the number of workers is fixed.",
    "gcsFaultToleranceOptions": "The head does not use Redis: when it restarts, its jobs are lost.",
    "suspend": "The cluster runs as soon as it is deployed.",
    "upgradeStrategy": "Update the deployment instead.",
    "networkPolicy": "Only the gateway is reached from outside; between the services all ports are open.",
}
_JOB_REASONS = {
    "entrypoint": "Submit it to the cluster: rayakash-tui submit -- ENTRYPOINT.",
    "runtimeEnvYAML": "Give it when you submit: rayakash-tui submit --runtime-env FILE.",
    "shutdownAfterJobFinishes": "The deployment runs, and costs, until it is closed.",
    "ttlSecondsAfterFinished": "The deployment runs, and costs, until it is closed.",
    "activeDeadlineSeconds": "The deployment runs, and costs, until it is closed.",
    "metadata": "Give it when you submit.",
    "jobId": "Give it when you submit: rayakash-tui submit --id ID.",
    "submitterPodTemplate": "Jobs are submitted from your machine.",
    "submissionMode": "Jobs are submitted from your machine.",
}
_SERVICE_REASONS = {
    "serveConfigV2": "Deploy it on the running cluster; the gateway passes /serve/ to it.",
    "serveService": "The gateway passes /serve/ to Ray Serve.",
}
_GROUP_REASONS = {
    "headService": "The gateway is the only public service.",
    "serviceType": "The gateway is the only public service.",
    "enableIngress": "The gateway is the only public service.",
    "idleTimeoutSeconds": "Akash has no autoscaler; the number of workers is fixed.",
    "scaleStrategy": "Akash has no autoscaler; the number of workers is fixed.",
}


def is_ray(document: Config) -> bool:
    """Whether a resource of Kubernetes is one of Ray's."""
    return text(document.get("apiVersion")).partition("/")[0] == GROUP


def name_of(document: Config) -> str:
    """The name in the metadata of a resource."""
    return text(mapping(document.get("metadata")).get("name"))


def read(document: Config, objects: Objects, losses: Losses) -> Draft:
    """The cluster in a resource of Ray. Raises CannotRunError."""
    kind, spec, path = text(document.get("kind")), mapping(document.get("spec")), "spec"
    if text(document.get("apiVersion")).endswith("v1alpha1"):
        losses.add("apiVersion", "ray.io/v1alpha1 is read as ray.io/v1.")
    metadata = mapping(document.get("metadata"))
    losses.rest("metadata", metadata, ("name", "creationTimestamp"))
    if kind in _CLUSTER_OF:
        key = _CLUSTER_OF[kind]
        losses.rest("spec", spec, (key,), _JOB_REASONS if kind == "RayJob" else _SERVICE_REASONS)
        if not mapping(spec.get(key)):
            raise CannotRunError(
                f"This {kind} does not describe its own Ray cluster (spec.{key}).",
                hint="Import the RayCluster that it runs on.",
            )
        spec, path = mapping(spec.get(key)), f"spec.{key}"
    return _Reader(objects, losses).cluster(spec, path, serve=kind == "RayService")


class _Reader:
    """Reads one cluster, noting what is lost."""

    def __init__(self, objects: Objects, losses: Losses) -> None:
        self._objects = objects
        self._losses = losses

    def cluster(self, spec: Config, path: str, *, serve: bool) -> Draft:
        self._losses.rest(path, spec, ("rayVersion", "headGroupSpec", "workerGroupSpecs", "authOptions"), _SPEC_REASONS)
        self._authentication(mapping(spec.get("authOptions")), f"{path}.authOptions")
        head_spec = mapping(spec.get("headGroupSpec"))
        if not head_spec:
            raise CannotRunError(f"{path}.headGroupSpec is missing: the cluster lacks a Ray head.")
        head = self._node(head_spec, f"{path}.headGroupSpec", ray_plan.HEAD_NAME, is_head=True)
        self._losses.rest(
            f"{path}.headGroupSpec", head_spec, ("template", "rayStartParams", "resources", "labels"), _GROUP_REASONS
        )
        workers = []
        for index, group in enumerate(items(spec.get("workerGroupSpecs"))):
            worker = self._group(mapping(group), f"{path}.workerGroupSpecs.{index}")
            if worker is not None:
                workers.append(worker)
        return Draft(
            head=head,
            workers=workers,
            version=text(spec.get("rayVersion")),
            version_path=f"{path}.rayVersion",
            serve=serve,
        )

    def _authentication(self, options: Config, path: str) -> None:
        if text(options.get("mode")) not in ("", "token"):
            self._losses.add(f"{path}.mode", "The cluster always asks for a token.")
        self._losses.rest(path, options, ("mode", "secretName"))

    def _group(self, group: Config, path: str) -> Node | None:
        count = self._count(group, path)
        if not count:
            self._losses.add(path, "It has zero replicas and is left out.")
            return None
        node = self._node(group, path, text(group.get("groupName")) or ray_plan.WORKER_NAME, is_head=False)
        node.count = count
        known = (
            "template",
            "rayStartParams",
            "resources",
            "labels",
            "groupName",
            "replicas",
            "minReplicas",
            "maxReplicas",
            "numOfHosts",
        )
        self._losses.rest(path, group, known, _GROUP_REASONS)
        return node

    def _count(self, group: Config, path: str) -> int:
        """How many pods run: the replicas, within their limits, times the hosts of each."""
        least, most = _whole(group.get("minReplicas")), _whole(group.get("maxReplicas"))
        count = _whole(group.get("replicas"))
        count = max(least or 0, 0 if count is None else count)
        if not count and most:
            count = 1
            self._losses.add(f"{path}.replicas", "The group starts with no worker there, and with one here.")
        if most is not None and most < count:
            count = most
        hosts = _whole(group.get("numOfHosts")) or 1
        if hosts > 1:
            self._losses.add(f"{path}.numOfHosts", f"Each replica of {hosts} hosts becomes {hosts} workers.")
        for key, limit in (("minReplicas", least), ("maxReplicas", most)):
            if limit is not None and limit != count and count:
                self._losses.add(f"{path}.{key}", _FIXED.format(count=count * hosts))
        return min(count * hosts, 10_000)

    def _node(self, group: Config, path: str, name: str, *, is_head: bool) -> Node:
        pod = Pod(mapping(group.get("template")), f"{path}.template", self._objects, self._losses, is_head=is_head)
        params = {text(key): text(value) for key, value in mapping(group.get("rayStartParams")).items()}
        params |= _group_resources(mapping(group.get("resources")), params)
        labels = mapping(group.get("labels"))
        if labels and "labels" not in params:
            params["labels"] = ",".join(f"{key}={text(value)}" for key, value in labels.items())
        node = pod.node(name)
        node.flags = flags_of_params(params, f"{path}.rayStartParams", self._losses)
        return node


def _group_resources(resources: Config, params: Mapping[str, str]) -> dict[str, str]:
    """`resources` of a group override those of Ray's flags. Source: CRD, HeadGroupSpec.resources."""
    named = {"CPU": "num-cpus", "GPU": "num-gpus", "memory": "memory"}
    found: dict[str, str] = {}
    others: dict[str, Any] = {}
    for key, value in resources.items():
        if key in named:
            found[named[key]] = text(value)
        elif re.fullmatch(r"[\d.]+", text(value)):
            others[key] = float(text(value)) if "." in text(value) else int(text(value))
    if others and "resources" not in params:
        import json

        found["resources"] = json.dumps(others)
    return found


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
