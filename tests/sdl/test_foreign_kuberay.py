"""`sdl import` of KubeRay's resources: one small file for each field of the CRD, and what becomes of it."""

import base64
from typing import Any

import pytest
import yaml

from cockpit.errors import UsageError
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.foreign.cluster import Imported
from cockpit.sdl.foreign.losses import CannotRunError, Losses
from cockpit.sdl.foreign.reading import HELM, kind_of, read_foreign
from cockpit.sdl.rules import lint

SECRET = "hunter2-hunter2-hunter2"


def container(**more: Any) -> dict[str, Any]:
    limits = {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "20Gi"}
    return {"name": "ray", "image": "rayproject/ray:2.60.0-py311", "resources": {"limits": limits}, **more}


def cluster(
    head: dict[str, Any] | None = None, worker: dict[str, Any] | None = None, *, pod: dict[str, Any] | None = None,
    group: dict[str, Any] | None = None, head_group: dict[str, Any] | None = None, kind: str = "RayCluster",
    **spec: Any,
) -> str:  # fmt: skip
    """A resource with parts of it replaced: the containers, the worker's pod, the groups, the spec."""
    groups = {
        "rayVersion": "2.60.0",
        "headGroupSpec": {
            "rayStartParams": {}, "template": {"spec": {"containers": [head or container()]}}, **(head_group or {}),
        },
        "workerGroupSpecs": [
            {
                "groupName": "small", "replicas": 2, "rayStartParams": {},
                "template": {"spec": {"containers": [worker or container()], **(pod or {})}}, **(group or {}),
            }
        ],
        **(spec if kind == "RayCluster" else {}),
    }  # fmt: skip
    key = {"RayJob": "rayClusterSpec", "RayService": "rayClusterConfig"}.get(kind)
    own: dict[str, Any] = {key: groups, **spec} if key else groups
    return yaml.safe_dump({"apiVersion": "ray.io/v1", "kind": kind, "metadata": {"name": "lab"}, "spec": own})


def imported(source: str, **options: str) -> tuple[Imported, Losses, SdlDocument]:
    done, losses = read_foreign(source, **options)
    document = SdlDocument(done.text)
    found = lint(document)
    assert found.clean, found.problems
    assert {one.code for one in found.problems} <= {"gpu-any-model", "image-unpinned"}, found.problems
    return done, losses, document


def reasons(losses: Losses) -> dict[str, str]:
    return {one.path: one.reason for one in losses.all()}


def resources(**limits: str) -> dict[str, Any]:
    return container(resources={"limits": {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "20Gi", **limits}})


WORKER = "spec.workerGroupSpecs.0"
CONTAINER = f"{WORKER}.template.spec.containers.0"


# --- what is carried over --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "path", "value"),
    [
        (cluster(), "deployment.small.akash.count", 2),
        (cluster(), "services.ray-head.image", "rayproject/ray:2.60.0-py311"),
        (cluster(), "services.ray-head.env.RAY_AUTH_TOKEN", "ac-secret://RAY_AUTH_TOKEN"),
        (cluster(), "services.gateway.expose.0.to.0.global", True),
        (cluster(worker=resources(cpu="2500m")), "profiles.compute.small.resources.cpu.units", 2.5),
        (cluster(worker=resources(cpu="0.5")), "profiles.compute.small.resources.cpu.units", 0.5),
        (cluster(worker=resources(memory="16Gi")), "profiles.compute.small.resources.memory.size", "12Gi"),
        (cluster(worker=resources(memory="8G")), "profiles.compute.small.resources.storage.1.size", "1907Mi"),
        (cluster(worker=resources(memory="1e10")), "profiles.compute.small.resources.storage.1.size", "2384Mi"),
        (cluster(worker=resources(**{"ephemeral-storage": "90Gi"})),
         "profiles.compute.small.resources.storage.0.size", "90Gi"),
        (cluster(worker=resources(**{"nvidia.com/gpu": "2"})), "profiles.compute.small.resources.gpu.units", 2),
        (cluster(worker=resources(**{"nvidia.com/gpu": "1"}),
                 pod={"nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}}),
         "profiles.compute.small.resources.gpu.attributes.vendor.nvidia.0",
         {"model": "a100", "ram": "80Gi", "interface": "sxm"}),
        (cluster(worker=resources(**{"nvidia.com/gpu": "1"}),
                 pod={"nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-tesla-t4"}}),
         "profiles.compute.small.resources.gpu.attributes.vendor.nvidia.0.model", "t4"),
        (cluster(group={"groupName": "GPU_Group.1"}), "deployment.gpu-group-1.akash.count", 2),
        (cluster(group={"groupName": "gateway"}), "deployment.gateway-2.akash.count", 2),
        (cluster(group={"replicas": 1, "minReplicas": 3, "maxReplicas": 9}), "deployment.small.akash.count", 3),
        (cluster(group={"replicas": 7, "maxReplicas": 4}), "deployment.small.akash.count", 4),
        (cluster(group={"replicas": 0, "minReplicas": 0, "maxReplicas": 4}), "deployment.small.akash.count", 1),
        (cluster(group={"replicas": 2, "numOfHosts": 4}), "deployment.small.akash.count", 8),
        (cluster(worker=container(env=[{"name": "MODE", "value": "fast"}])), "services.small.env.MODE", "fast"),
        (cluster(worker=container(env=[{"name": "N", "value": 5}])), "services.small.env.N", "5"),
        (cluster(worker=container(env=[{"name": "A", "value": "a"}, {"name": "B", "value": "$(A)/b $$(A)"}])),
         "services.small.env.B", "a/b $(A)"),
        (cluster(worker=container(
            env=[{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "token"}}}])),
         "services.small.env.HF_TOKEN", "ac-secret://token"),
        (cluster(worker=container(env=[{"name": "API_KEY", "value": SECRET}])),
         "services.small.env.API_KEY", "ac-secret://API_KEY"),
        (cluster(worker=container(volumeMounts=[{"name": "shm", "mountPath": "/dev/shm"}]),
                 pod={"volumes": [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "6Gi"}}]}),
         "profiles.compute.small.resources.memory.size", "10Gi"),
        (cluster(worker=container(volumeMounts=[{"name": "tmp", "mountPath": "/scratch"}]),
                 pod={"volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}]}),
         "profiles.compute.small.resources.storage.2", {
             "name": "tmp", "size": "2Gi", "attributes": {"persistent": False, "class": "ram"}}),
        (cluster(worker=container(volumeMounts=[{"name": "data", "mountPath": "/data"}]),
                 pod={"volumes": [{"name": "data", "ephemeral": {"volumeClaimTemplate": {"spec": {
                     "resources": {"requests": {"storage": "500Gi"}}}}}}]}),
         "profiles.compute.small.resources.storage.2.size", "500Gi"),
        (cluster(head=container(ports=[{"containerPort": 9090}])), "services.ray-head.expose.2.port", 9090),
        (cluster(worker=container(ports=[{"containerPort": 7000}])), "services.small.expose.0.port", 7000),
        (cluster(kind="RayService", serveConfigV2="applications: []"), "services.ray-head.expose.2.port", 8000),
        (cluster(kind="RayJob", entrypoint="python x.py"), "deployment.small.akash.count", 2),
    ],
)  # fmt: skip
def test_carried_over(source: str, path: str, value: object) -> None:
    _, losses, document = imported(source)
    assert document.get(path) == value
    assert all(SECRET not in one.path + one.reason for one in losses.all())
    assert SECRET not in document.text


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ({"rayStartParams": {"num-cpus": "0"}}, "--num-cpus=0"),
        ({"rayStartParams": {"num-gpus": "1", "block": "true"}}, "--num-gpus=1"),
        ({"rayStartParams": {"resources": '"{\\"disk\\": 2}"'}}, """--resources='{"disk": 2}'"""),
        ({"rayStartParams": {"metrics-export-port": "8081"}}, "--metrics-export-port=8081"),
        ({"rayStartParams": {"no-monitor": "true"}}, "--no-monitor"),
        ({"labels": {"zone": "a"}}, "--labels=zone=a"),
        ({"resources": {"CPU": "8", "disk": "2"}}, """--num-cpus=8 --resources='{"disk": 2}'"""),
    ],
)
def test_flags_of_ray_start(group: dict[str, Any], words: str) -> None:
    _, losses, document = imported(cluster(group=group))
    script = str(document.get(("services", "small", "args", 0)))
    assert words in script
    assert not [path for path in reasons(losses) if "rayStartParams" in path]


# --- what is lost ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "path", "words"),
    [
        (cluster(enableInTreeAutoscaling=True), "spec.enableInTreeAutoscaling", "no autoscaler"),
        (cluster(autoscalerOptions={"idleTimeoutSeconds": 60}), "spec.autoscalerOptions", "no autoscaler"),
        (cluster(gcsFaultToleranceOptions={"redisAddress": "x"}), "spec.gcsFaultToleranceOptions", "not use Redis"),
        (cluster(suspend=True), "spec.suspend", "runs as soon"),
        (cluster(managedBy="kueue"), "spec.managedBy", "no counterpart"),
        (cluster(authOptions={"mode": "disabled"}), "spec.authOptions.mode", "asks for a token"),
        (cluster(head_group={"serviceType": "LoadBalancer"}), "spec.headGroupSpec.serviceType", "only public service"),
        (cluster(head_group={"enableIngress": True}), "spec.headGroupSpec.enableIngress", "only public service"),
        (cluster(head_group={"headService": {"a": 1}}), "spec.headGroupSpec.headService", "only public service"),
        (cluster(group={"maxReplicas": 9}), f"{WORKER}.maxReplicas", "is fixed on Akash: 2"),
        (cluster(group={"numOfHosts": 2}), f"{WORKER}.numOfHosts", "becomes 2 workers"),
        (cluster(group={"idleTimeoutSeconds": 9}), f"{WORKER}.idleTimeoutSeconds", "no autoscaler"),
        (cluster(group={"suspend": True}), f"{WORKER}.suspend", "no counterpart"),
        (cluster(group={"replicas": 0}), WORKER, "left out"),
        (cluster(group={"rayStartParams": {"port": "6380"}}), f"{WORKER}.rayStartParams.port", "uses 6379"),
        (cluster(group={"rayStartParams": {"redis-password": SECRET}}), f"{WORKER}.rayStartParams.redis-password", "Redis"),  # noqa: E501
        (cluster(group={"rayStartParams": {"node-ip-address": "$IP"}}), f"{WORKER}.rayStartParams.node-ip-address", "own"),  # noqa: E501
        (cluster(group={"rayStartParams": {"temp-dir": "$HOME/x"}}), f"{WORKER}.rayStartParams.temp-dir", "computed"),
        (cluster(pod={"initContainers": [{"name": "x"}]}), f"{WORKER}.template.spec.initContainers", "before Ray"),
        (cluster(pod={"serviceAccountName": "x"}), f"{WORKER}.template.spec.serviceAccountName", "Kubernetes"),
        (cluster(pod={"tolerations": [{"key": "x"}]}), f"{WORKER}.template.spec.tolerations", "chooses providers"),
        (cluster(pod={"imagePullSecrets": [{"name": "x"}]}), f"{WORKER}.template.spec.imagePullSecrets", "credentials"),
        (cluster(pod={"nodeSelector": {"zone": "a"}}), f"{WORKER}.template.spec.nodeSelector.zone", "chooses providers"),  # noqa: E501
        (cluster(pod={"containers": [container(), {"name": "fluentbit"}]}),
         f"{WORKER}.template.spec.containers.1", "fluentbit does not"),
        (cluster(pod={"volumes": [{"name": "x", "hostPath": {"path": "/x"}}]}),
         f"{WORKER}.template.spec.volumes.0", "does not mount it"),
        (cluster(worker=container(volumeMounts=[{"name": "x", "mountPath": "/etc/x"}]),
                 pod={"volumes": [{"name": "x", "configMap": {"name": "c"}}]}),
         f"{WORKER}.template.spec.volumes.0.configMap", "do not come to /etc/x"),
        (cluster(worker=container(volumeMounts=[{"name": "x", "mountPath": "/x", "readOnly": True, "subPath": "a"}]),
                 pod={"volumes": [{"name": "x", "persistentVolumeClaim": {"claimName": "c"}}]}),
         f"{CONTAINER}.volumeMounts.0.subPath", "no counterpart"),
        (cluster(worker=container(command=["x"])), f"{CONTAINER}.command", "start script"),
        (cluster(worker=container(lifecycle={"preStop": {}})), f"{CONTAINER}.lifecycle", "in order"),
        (cluster(worker=container(livenessProbe={"exec": {}})), f"{CONTAINER}.livenessProbe", "no probes"),
        (cluster(worker=container(imagePullPolicy="Always")), f"{CONTAINER}.imagePullPolicy", "its own tag"),
        (cluster(worker=container(envFrom=[{"secretRef": {"name": "s"}}])), f"{CONTAINER}.envFrom.0", "not in this file"),  # noqa: E501
        (cluster(worker=container(envFrom=[{"configMapRef": {"name": "s"}}])), f"{CONTAINER}.envFrom.0", "ConfigMap"),
        (cluster(worker=container(env=[{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}])),
         f"{CONTAINER}.env.0", "fieldRef"),
        (cluster(worker=container(env=[{"name": "RAY_ADDRESS", "value": "x"}])), f"{CONTAINER}.env.0", "start script"),
        (cluster(worker=container(env=[{"name": "a.b", "value": "x"}])), f"{CONTAINER}.env.0", "not one of a variable"),
        (cluster(worker=container(resources={})), f"{CONTAINER}.resources.cpu", "4 CPUs"),
        (cluster(worker=container(resources={})), f"{CONTAINER}.resources.memory", "12Gi"),
        (cluster(worker=resources(memory="512Mi")), f"{CONTAINER}.resources.memory", "too little"),
        (cluster(worker=resources(cpu="1000")), f"{CONTAINER}.resources.cpu", "384"),
        (cluster(worker=resources(**{"nvidia.com/gpu": "1"})), f"{CONTAINER}.resources.gpu", "No model is named"),
        (cluster(worker=resources(**{"nvidia.com/mig-1g.5gb": "1"})),
         f"{CONTAINER}.resources.limits.nvidia.com/mig-1g.5gb", "whole GPU"),
        (cluster(worker=resources(**{"rdma/hca": "1"})), f"{CONTAINER}.resources.limits.rdma/hca", "not offer this"),
        (cluster(kind="RayJob", entrypoint=f"TOKEN={SECRET} python x"), "spec.entrypoint", "rayakash-tui submit"),
        (cluster(kind="RayJob", shutdownAfterJobFinishes=True), "spec.shutdownAfterJobFinishes", "costs"),
        (cluster(kind="RayService", serveConfigV2="x"), "spec.serveConfigV2", "/serve/"),
        (cluster().replace("ray.io/v1", "ray.io/v1alpha1"), "apiVersion", "read as ray.io/v1"),
        (cluster(rayVersion="2.40.0"), "spec.rayVersion", "the gateway checks the token itself"),
        (cluster(head={**container(), "image": "me/own:1"}, rayVersion=""), "spec.rayVersion", "the gateway checks"),
        (cluster(worker={**container(), "image": ""}), f"{CONTAINER}.resources.image", "rayproject/ray:2.60.0-py311"),
    ],
)  # fmt: skip
def test_lost_with_its_path_and_reason(source: str, path: str, words: str) -> None:
    _, losses, document = imported(source)
    assert words in reasons(losses).get(path, ""), reasons(losses)
    assert SECRET not in str(losses.all())
    assert SECRET not in document.text


def test_a_ray_without_tokens_is_guarded_by_the_gateway() -> None:
    _, _, document = imported(cluster(rayVersion="2.40.0"))
    assert "not header Authorization" in str(document.get(("services", "gateway", "args", 0)))
    assert document.get("services.gateway.env.RAY_AUTH_TOKEN") == "ac-secret://RAY_AUTH_TOKEN"
    _, _, newer = imported(cluster(rayVersion="2.52.0"))
    assert "not header Authorization" not in str(newer.get(("services", "gateway", "args", 0)))


def test_the_objects_of_the_same_file() -> None:
    worker = container(
        env=[{"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "level"}}}],
        envFrom=[{"secretRef": {"name": "s"}, "prefix": "P_"}],
        volumeMounts=[{"name": "d", "mountPath": "/d"}],
    )
    others: list[dict[str, Any]] = [
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"level": "3"}},
        {"kind": "Secret", "metadata": {"name": "s"}, "data": {"PW": base64.b64encode(SECRET.encode()).decode()}},
        {"kind": "PersistentVolumeClaim", "metadata": {"name": "c"},
         "spec": {"resources": {"requests": {"storage": "70Gi"}}}},
        {"kind": "Service", "metadata": {"name": "redis"}},
        {"kind": "Role", "metadata": {"name": "r"}},
    ]  # fmt: skip
    pod = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "c"}}]}
    source = "---\n".join(
        [cluster(worker=worker, pod=pod), *(yaml.safe_dump({"apiVersion": "v1", **one}) for one in others)]
    )
    _, losses, document = imported(source)
    assert document.get("services.small.env.LEVEL") == "3"
    assert document.get("services.small.env.P_PW") == "ac-secret://PW"
    assert document.get("profiles.compute.small.resources.storage.2.size") == "70Gi"
    assert {name: value.reveal() for name, value in losses.values.items()} == {"PW": SECRET}
    assert {"ConfigMap/c", "Secret/s", "PersistentVolumeClaim/c", "Service/redis", "Role/r"} <= set(reasons(losses))
    assert SECRET not in document.text + str(losses.all())


def test_two_secrets_of_one_key_stay_two() -> None:
    env = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": owner, "key": "password"}}}
        for name, owner in (("DB", "db"), ("CACHE", "redis"), ("DB2", "db"))
    ]
    _, _, document = imported(cluster(worker=container(env=env)))
    found = [document.get(f"services.small.env.{name}") for name in ("DB", "CACHE", "DB2")]
    assert found == ["ac-secret://password", "ac-secret://password_2", "ac-secret://password"]


# --- what cannot run, and what is something else ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (cluster(worker=resources(**{"google.com/tpu": "4"})), "no TPUs"),
        (cluster(pod={"nodeSelector": {"cloud.google.com/gke-tpu-topology": "2x2"}}), "no TPUs"),
        (cluster(worker=resources(**{"amd.com/gpu": "1"})), "no AMD GPUs"),
        (cluster(head=resources(**{"habana.ai/gaudi": "1"})), "no Gaudi"),
        (cluster(head=resources(**{"aws.amazon.com/neuroncore": "1"})), "no Neuron"),
        (cluster(worker=resources(**{"nvidia.com/gpu": "32"})), "32 GPUs"),
        (cluster(pod={"containers": []}), "lacks a Ray container"),
        (cluster(headGroupSpec=None), "lacks a Ray head"),
        (cluster(kind="RayJob", clusterSelector={"a": "b"}, rayClusterSpec=None), "spec.rayClusterSpec"),
        (cluster() + "---\n" + cluster().replace("name: lab", "name: two"), "--name: lab, two"),
    ],
)
def test_what_cannot_run_on_akash(source: str, words: str) -> None:
    with pytest.raises(CannotRunError) as caught:
        read_foreign(source)
    assert words in caught.value.title + caught.value.hint
    assert caught.value.exit_code == 1


def test_one_of_several_by_its_name() -> None:
    done, losses, _ = imported(cluster() + "---\n" + cluster().replace("name: lab", "name: two"), name="two")
    assert done.name == "two"
    assert "RayCluster/lab" in reasons(losses)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("head:\n  replicas: 1\nworker:\n  replicas: 2\nimage:\n  repository: rayproject/ray\n", HELM),
        ("image:\n  tag: 1\nfullnameOverride: x\n", HELM),
        ("kind: RayCluster\n{{- if .Values.x }}\n", "template of a Helm chart"),
        ("apiVersion: ray.io/v2\nkind: RayCluster\nspec: {}\n", "Unknown version of the CRD: ray.io/v2"),
        ("apiVersion: ray.io/v1\nkind: RayCronJob\nspec: {}\n", "Unknown kind of Ray object: 'RayCronJob'"),
        ("apiVersion: apps/v1\nkind: Deployment\nspec: {}\n", "A Deployment is not a Ray cluster"),
        ('version: "2.0"\nservices: {}\nprofiles: {}\ndeployment: {}\n', "an SDL already"),
        ("a: 1\n", "not a RayCluster"),
        ("- 1\n", "not a RayCluster"),
        ("", "not a RayCluster"),
        ("a: [", "Not YAML"),
        ("a: &a [*a]\n", "contains itself"),
        (f"a: {'x' * 5_000_000}\n", "limit 1 MiB"),
        ("a:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 90)), "deep"),
    ],
)
def test_what_is_something_else_is_refused(source: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_foreign(source)
    assert words in caught.value.title + caught.value.hint
    assert caught.value.exit_code == 2


def test_what_an_editor_takes_for_foreign() -> None:
    assert kind_of(cluster()) == "kuberay"
    assert kind_of("services:\n  ray-head:\n    command: ray start --head\n") == "compose"
    assert kind_of('version: "2.0"\nservices:\n  ray: {}\nprofiles: {}\n') is None
    assert kind_of("x" * 2_000_000) is None
    assert kind_of("") is None


@pytest.mark.parametrize(
    "source",
    [
        cluster(worker=container(env=[{"name": "PASSWORD", "value": f"$(OTHER){SECRET}"}], tty=True)),
        cluster(worker=container(env=[{"name": "1", "value": SECRET}])),
        cluster(worker=container(command=["sh", "-c", f"export TOKEN={SECRET}; ray start"], tty=True)),
        cluster(worker=container(args=[f"--token={SECRET}"], tty=True)),
        cluster(worker=container(lifecycle={"postStart": {"exec": {"command": [SECRET]}}})),
        cluster(worker=container(livenessProbe={"httpGet": {"httpHeaders": [{"name": "A", "value": SECRET}]}})),
        cluster(group={"rayStartParams": {"redis-password": SECRET, "odd": f"--token={SECRET}", "labels": SECRET}}),
        cluster(pod={"imagePullSecrets": [{"name": SECRET}], "initContainers": [{"name": "x", "args": [SECRET]}]}),
        cluster(gcsFaultToleranceOptions={"redisAddress": "r:6379", "redisPassword": {"value": SECRET}}),
        cluster(kind="RayJob", entrypoint=f"python x.py --token {SECRET}", runtimeEnvYAML=f"env_vars: {SECRET}"),
        cluster()
        + "---\n"
        + yaml.safe_dump({"kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": SECRET}}),
    ],
)
def test_no_loss_tells_a_secret(source: str) -> None:
    _, losses = read_foreign(source)
    assert losses.all()
    assert SECRET not in str(losses.all())
