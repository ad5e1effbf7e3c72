"""`sdl import` of Docker Compose: one small file for each thing that it can say, and what becomes of it."""

from typing import Any

import pytest
import yaml

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.foreign.losses import CannotRunError, Losses
from cockpit.sdl.foreign.reading import read_foreign
from cockpit.sdl.rules import lint
from cockpit.sdl.services import set_count

SECRET = "hunter2-hunter2-hunter2"
HEAD: dict[str, Any] = {"image": "rayproject/ray:2.60.0-py311", "command": "ray start --head --block"}
WORKER: dict[str, Any] = {
    "image": "rayproject/ray:2.60.0-py311",
    "command": ["ray", "start", "--address=ray-head:6379"],
}
LIMITS = {"resources": {"limits": {"cpus": "2", "memory": "8g"}}}


def project(worker: dict[str, Any] | None = None, head: dict[str, Any] | None = None, **more: Any) -> str:
    """A project of a head and a worker, with parts added to them and to it."""
    services = {
        "ray-head": {**HEAD, "deploy": LIMITS, **(head or {})},
        "ray-worker": {**WORKER, "deploy": LIMITS, **(worker or {})},
        **more.pop("services", {}),
    }
    return yaml.safe_dump({"services": services, **more}, sort_keys=False)


def imported(source: str) -> tuple[Losses, SdlDocument]:
    done, losses = read_foreign(source)
    document = SdlDocument(done.text)
    found = lint(document)
    assert found.clean, found.problems
    assert {one.code for one in found.problems} <= {"gpu-any-model", "image-unpinned"}, found.problems
    assert SECRET not in document.text + str(losses.all())
    return losses, document


def reasons(losses: Losses) -> dict[str, str]:
    return {one.path: one.reason for one in losses.all()}


COMPUTE = "profiles.compute.ray-worker.resources"
ENV = "services.ray-worker.env"


@pytest.mark.parametrize(
    ("source", "path", "value"),
    [
        (project(), "deployment.ray-worker.akash.count", 1),
        (project(), f"{COMPUTE}.cpu.units", 2),
        (project(), f"{COMPUTE}.memory.size", "6Gi"),
        (project(), "services.gateway.expose.0.port", 8443),
        (project({"deploy": {"replicas": 3, **LIMITS}}), "deployment.ray-worker.akash.count", 3),
        (project({"scale": 4}), "deployment.ray-worker.akash.count", 4),
        (project({"deploy": {}, "cpus": 1.5, "mem_limit": "4096m"}), f"{COMPUTE}.cpu.units", 1.5),
        (project({"deploy": {}, "cpus": 1.5, "mem_limit": "4096m"}), f"{COMPUTE}.memory.size", "3Gi"),
        (project({"shm_size": "2gb"}), f"{COMPUTE}.storage.1.size", "2Gi"),
        (project({"tmpfs": ["/scratch"]}), f"{COMPUTE}.storage.2.attributes.class", "ram"),
        (project({"volumes": ["data:/data"]}, volumes={"data": {}}),
         "services.ray-worker.params.storage.data.mount", "/data"),
        (project({"volumes": [{"type": "tmpfs", "target": "/dev/shm", "tmpfs": {"size": "3g"}}]}),
         f"{COMPUTE}.storage.1.size", "3Gi"),
        (project({"deploy": {"resources": {**LIMITS["resources"], "reservations": {"devices": [
            {"driver": "nvidia", "count": 2, "capabilities": ["gpu"]}]}}}}), f"{COMPUTE}.gpu.units", 2),
        (project({"deploy": {"resources": {**LIMITS["resources"], "reservations": {"devices": [
            {"device_ids": ["0", "1", "3"], "capabilities": ["gpu"]}]}}}}), f"{COMPUTE}.gpu.units", 3),
        (project({"gpus": "all"}), f"{COMPUTE}.gpu.units", 1),
        (project({"environment": {"A": 1, "B": True}}), f"{ENV}.B", "true"),
        (project({"environment": ["A=b=c"]}), f"{ENV}.A", "b=c"),
        (project({"environment": {"HOME_DIR": "$$HOME"}}), f"{ENV}.HOME_DIR", "$HOME"),
        (project({"environment": {"LEVEL": "${LEVEL:-3}"}}), f"{ENV}.LEVEL", "3"),
        (project({"environment": {"HF_TOKEN": "${MY_TOKEN:?is missing}"}}), f"{ENV}.HF_TOKEN", "ac-secret://MY_TOKEN"),
        (project({"environment": {"DB_PASSWORD": SECRET}}), f"{ENV}.DB_PASSWORD", "ac-secret://DB_PASSWORD"),
        (project({"environment": ["HF_TOKEN"]}), f"{ENV}.HF_TOKEN", "ac-secret://HF_TOKEN"),
        (project(services={"redis": {"image": "redis:7.4", "expose": ["6379"]}}),
         "services.redis.expose.0.to.0.service", "ray-head"),
        (project(services={"ui": {"image": "nginx:1.27", "entrypoint": "nginx -g 'daemon off;'"}}),
         "services.ui.command", ["nginx", "-g", "daemon off;"]),
    ],
)  # fmt: skip
def test_carried_over(source: str, path: str, value: object) -> None:
    _, document = imported(source)
    assert document.get(path) == value


@pytest.mark.parametrize(
    ("source", "path", "words"),
    [
        (project({"build": "."}), "services.ray-worker.build", "Build and push"),
        (project({"image": ""}), "services.ray-worker.image", "No image is named"),
        (project({"deploy": {}}), "services.ray-worker.cpu", "4 CPUs"),
        (project({"deploy": {}}), "services.ray-worker.memory", "12Gi"),
        (project({"env_file": ".env"}), "services.ray-worker.env_file", "add them to env"),
        (project({"depends_on": ["ray-head"]}), "services.ray-worker.depends_on", "any order"),
        (project({"healthcheck": {"test": "x"}}), "services.ray-worker.healthcheck", "no probes"),
        (project({"networks": ["a"]}), "services.ray-worker.networks", "share one network"),
        (project({"network_mode": "host"}), "services.ray-worker.network_mode", "of their own"),
        (project({"privileged": True}), "services.ray-worker.privileged", "does not run privileged"),
        (project({"secrets": ["x"]}), "services.ray-worker.secrets", "ac-secret://NAME"),
        (project({"extends": {"service": "x"}}), "services.ray-worker.extends", "docker compose config"),
        (project({"volumes": ["./src:/src"]}), "services.ray-worker.volumes.0", "do not come to /src"),
        (project({"volumes": ["d:/d"]}, {"volumes": ["d:/d"]}), "services.ray-worker.volumes.0", "no longer share it"),
        (project({"gpus": "all"}), "services.ray-worker.gpus.count", "one GPU"),
        (project({"deploy": {"placement": {"constraints": []}, "update_config": {"a": 1}, **LIMITS}}),
         "services.ray-worker.deploy.update_config", "no counterpart"),
        (project({"deploy": {"replicas": 0, **LIMITS}}), "services.ray-worker", "left out"),
        (project(None, {"deploy": {"replicas": 2, **LIMITS}}), "services.ray-head.deploy.replicas", "one head"),
        (project(None, {"ports": ["8080:9000"]}), "services.ray-head.ports.0", "Only the gateway is public"),
        (project({"environment": {"U": "http://${HOST}/x"}}), "services.ray-worker.environment.U", "HOST"),
        (project({"environment": ["HF_TOKEN"]}), "services.ray-worker.environment.HF_TOKEN", "your shell"),
        (project({"command": f"ray start --address=h:6379 --redis-password={SECRET}"}),
         "services.ray-worker.command.redis-password", "secrets do not belong in a command"),
        (project(services={"app": {"build": "."}}), "services.app", "left out"),
        (project(secrets={"x": {"file": "y"}}), "secrets", "no counterpart"),
        (project(include=["other.yaml"]), "include", "no counterpart"),
        (project(None, {"image": "rayproject/ray:2.40.0"}), "services.ray-head.image", "the gateway checks the token"),
    ],
)  # fmt: skip
def test_lost_with_its_path_and_reason(source: str, path: str, words: str) -> None:
    losses, _ = imported(
        source.replace("rayproject/ray:2.60.0-py311", "rayproject/ray:2.40.0") if "2.40" in source else source
    )
    assert words in reasons(losses).get(path, ""), reasons(losses)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("services:\n  web:\n    image: nginx:1.27\n", "no Ray head"),
        (project(services={"other": HEAD}), "2 Ray heads"),
        (project({"gpus": [{"driver": "amd", "count": 1}]}), "no amd devices"),
    ],
)
def test_what_cannot_run_on_akash(source: str, words: str) -> None:
    with pytest.raises(CannotRunError, match=words) as caught:
        read_foreign(source)
    assert caught.value.exit_code == 1


def test_anchors_merges_and_extensions() -> None:
    source = """\
x-ray: &ray
  image: rayproject/ray:2.60.0-py311
  environment: {LEVEL: "3"}
services:
  ray-head:
    <<: *ray
    command: ray start --head --num-cpus=0
  ray-worker:
    <<: *ray
    command: ray start --address=ray-head:6379
"""
    losses, document = imported(source)
    assert document.get("services.ray-worker.env.LEVEL") == "3"
    assert "--num-cpus=0" in str(document.get(("services", "ray-head", "args", 0)))
    assert "x-ray" not in reasons(losses)
    set_count(document, "ray-worker", 5)
    assert lint(document).clean


@pytest.mark.parametrize(
    "source",
    [
        project(worker={"environment": {"PASSWORD": f"ab${SECRET.replace('-', '_')}"}}),
        project(worker={"environment": [f"DB_PASSWORD=ab${SECRET.replace('-', '_')}"]}),
        project(worker={"command": f"sh -c 'ray start --address=ray-head:6379 --token=ab${SECRET.replace('-', '_')}'"}),
        project(worker={"labels": {"token": SECRET}, "logging": {"options": {"splunk-token": SECRET}}}),
        project(worker={"build": {"args": {"TOKEN": SECRET}}, "healthcheck": {"test": ["CMD", SECRET]}}),
        project(secrets={"token": {"environment": SECRET}}, configs={"x": {"content": SECRET}}),
    ],
)
def test_no_loss_tells_a_secret(source: str) -> None:
    _, losses = read_foreign(source)
    told = str(losses.all())
    assert SECRET not in told
    assert SECRET.replace("-", "_") not in told
