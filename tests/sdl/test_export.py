"""Exports: valid by the official schemas, faithful, without a secret's value, and with every loss named."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.export import Export, label
from cockpit.sdl.export_compose import to_compose
from cockpit.sdl.export_kuberay import to_kuberay
from cockpit.sdl.failures import SdlError, UnreadableSdlError
from cockpit.sdl.files import decoded
from cockpit.sdl.ray_cluster import Cluster
from cockpit.sdl.templates import template_named
from cockpit.sdl.view import View
from tests.sdl import schemas
from tests.sdl.conftest import SMALL, Sdl
from tests.sdl.figures import corpus_files

NAMES = ["ray-cpu", "ray-gpu", "ray-gpu-1x6", "ray-gpu-storage"]
VALUE = "hunter2-hunter2-hunter2"

FULL = f"""\
version: "2.0"
services:
  ray-head:
    image: rayproject/ray:2.40.0
    env:
      - FIRST=1
      - FIRST=two $HOME $(date)
      - RAY_AUTH_TOKEN=ac-secret://TOKEN
      - URL=https://u:ac-secret://P@host
      - WRONG=ac-secret://no-name
      - API_KEY={VALUE}
      - {VALUE}
    command: [/bin/sh, -c]
    args:
      - |
        export DB_PASSWORD={VALUE}
        ray start --head --port=6380 --redis-password={VALUE} --num-cpus=$CPUS --metrics-export-port=$PORT \\
          --dashboard-host 0.0.0.0 --block; sleep 1
    expose:
      - port: 8265
        as: 80
        accept: [ray.example.com]
        http_options:
          max_body_size: 1
        to:
          - global: true
            ip: theip
      - port: 53
        proto: udp
        as: 5353
        to:
          - service: ray-worker
    dependencies:
      - service: ray-worker
      - service: nobody
    credentials:
      host: ghcr.io
      username: me
      password: {VALUE}
    params:
      permissions:
        read: [logs]
      storage:
        shm:
          mount: /dev/shm
        data:
          mount: /data
          readOnly: true
        gone:
          mount: /gone
  ray-worker:
    image: rayproject/ray:2.40.0
    command: [ray, start, "--address=ray-head:6380", --block]
    env:
      - RAY_ADDRESS=ray-head:6380
  web:
    image: nginx:1.27
    expose:
      - port: 80
        to:
          - global: true
  idle:
    image: nginx:1.27
profiles:
  compute:
    head:
      resources:
        cpu:
          units: 0.5
        memory:
          size: 1Gi
        gpu:
          units: 1
          attributes:
            vendor:
              nvidia:
                - model: h100
                  ram: 80Gi
        storage:
          - size: 10Gi
          - name: shm
            size: 512Mi
            attributes: {{persistent: false, class: ram}}
          - name: data
            size: 20Gi
            attributes: {{persistent: true, class: beta3}}
    small:
      resources:
        cpu: {{units: 1}}
        memory: {{size: 512Mi}}
        storage: {{size: 1Gi}}
  placement:
    east:
      attributes: {{region: us-east}}
      signedBy: {{anyOf: [akash1abc]}}
      pricing:
        head: {{denom: uact, amount: 1}}
        small: {{denom: uact, amount: 1}}
    west:
      pricing:
        small: {{denom: uact, amount: 1}}
deployment:
  ray-head:
    east: {{profile: head, count: 1}}
  ray-worker:
    east: {{profile: small, count: 2}}
    west: {{profile: small, count: 3}}
  web:
    east: {{profile: small, count: 2}}
endpoints:
  theip: {{kind: ip}}
"""

COMMON = {
    "endpoints",
    "profiles.placement.east.attributes",
    "profiles.placement.east.pricing",
    "profiles.placement.east.signedBy",
    "profiles.placement.west.pricing",
    "profiles.compute.head.resources.gpu",
    "profiles.compute.head.resources.storage",
    "services.idle",
    "services.ray-head.credentials",
    "services.ray-head.env.3",
    "services.ray-head.env.4",
    "services.ray-head.env.5",
    "services.ray-head.env.6",
    "services.ray-head.expose.0.accept",
    "services.ray-head.expose.0.http_options",
    "services.ray-head.expose.0.to",
    "services.ray-head.expose.0.to.0.ip",
    "services.ray-head.expose.1.as",
    "services.ray-head.params.permissions",
    "services.ray-head.params.storage.data.readOnly",
    "services.ray-head.params.storage.gone",
    "deployment.ray-worker.east",
    "deployment.ray-worker.west",
}


def exported(text: str, kind: str) -> Export:
    """The export of a text, valid by its schema."""
    document = SdlDocument(text)
    done = to_compose(document, "lab") if kind == "compose" else to_kuberay(document, "lab")
    validator = schemas.compose() if kind == "compose" else schemas.ray_cluster()
    assert schemas.problems(validator, done.text) == []
    return done


def loaded(done: Export) -> Any:
    """The exported data."""
    return yaml.safe_load(done.text)


# --- the schemas are worth something ---------------------------------------------------------------------------------


def test_schemas_refuse_what_is_wrong() -> None:
    good = exported(template_named("ray-cpu").text, "kuberay").text
    assert schemas.problems(schemas.ray_cluster(), good.replace("rayVersion:", "rayVersoin:"))
    assert schemas.problems(schemas.ray_cluster(), good.replace("containerPort: 6379", "containerPort: gcs"))
    assert schemas.problems(schemas.ray_cluster(), good.replace("mode: token", "mode: tokne"))
    good = exported(template_named("ray-cpu").text, "compose").text
    assert schemas.problems(schemas.compose(), good.replace("image:", "imgae:", 1))
    assert schemas.problems(schemas.compose(), good.replace("shm_size:", "shmsize:"))


# --- templates and real files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_templates_to_kuberay(name: str) -> None:
    spec = loaded(exported(template_named(name).text, "kuberay"))["spec"]
    document = SdlDocument(template_named(name).text)
    assert spec["authOptions"] == {"mode": "token", "secretName": "lab-secrets"}
    assert spec["rayVersion"] == "2.60.0"
    assert spec["headGroupSpec"]["rayStartParams"]["dashboard-host"] == "0.0.0.0"
    (group,) = spec["workerGroupSpecs"]
    assert group["replicas"] == document.get("deployment.ray-worker.akash.count")
    for pod in (spec["headGroupSpec"], group):
        assert not {"head", "address", "block", "num-cpus", "memory"} & set(pod["rayStartParams"])
        (container,) = pod["template"]["spec"]["containers"]
        env = {one["name"]: one for one in container["env"]}
        assert len(env) == len(container["env"])
        assert env["RAY_AUTH_MODE"]["value"] == "token"
        assert env["RAY_AUTH_TOKEN"]["valueFrom"]["secretKeyRef"] == {"name": "lab-secrets", "key": "auth_token"}
        assert "RAY_ADDRESS_HOST" not in env
        assert container["volumeMounts"] == [{"name": "shm", "mountPath": "/dev/shm"}]
        assert pod["template"]["spec"]["volumes"][0]["emptyDir"]["medium"] == "Memory"
        gpus = container["resources"]["limits"].get("nvidia.com/gpu")
        profile = f"profiles.compute.{'ray-head' if pod is spec['headGroupSpec'] else 'ray-worker'}.resources.gpu.units"
        assert gpus == (str(document.get(profile)) if document.has(profile) else None)


@pytest.mark.parametrize("name", NAMES)
def test_templates_to_compose(name: str) -> None:
    done = exported(template_named(name).text, "compose")
    project = loaded(done)
    document = SdlDocument(template_named(name).text)
    assert list(project["services"]) == ["gateway", "ray-head", "ray-worker"]
    for service, config in project["services"].items():
        for key, ours in (("entrypoint", "command"), ("command", "args")):
            assert [word.replace("$$", "$") for word in config[key]] == document.get(f"services.{service}.{ours}")
            assert not re.search(r"(?<!\$)\$(?!\$)", "".join(config[key]).replace("$$", ""))
        assert config["deploy"]["replicas"] == document.get(f"deployment.{service}.akash.count")
        published = [port for port in config.get("ports", ()) if port["host_ip"] != "127.0.0.1"]
        assert published == []
    head = project["services"]["ray-head"]
    assert head["environment"]["RAY_AUTH_TOKEN"] == "${RAY_AUTH_TOKEN:?is missing}"
    assert "ports" not in head
    assert head["shm_size"].endswith("b")
    assert set(done.secrets) >= {"GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY", "RAY_AUTH_TOKEN"}


@pytest.mark.parametrize("kind", ["kuberay", "compose"])
@pytest.mark.parametrize("name", NAMES)
def test_templates_lose_nothing_unsaid_and_hold_no_reference(name: str, kind: str) -> None:
    done = exported(template_named(name).text, kind)
    paths = {loss.path for loss in done.losses}
    assert "profiles.placement.akash.pricing" in paths
    assert ("services.gateway" in paths) == (kind == "kuberay")
    assert ("services.ray-head.args" in paths) == (kind == "kuberay")
    assert not [loss for loss in done.losses if "plain text" in loss.sentence]
    assert "ac-secret://" not in done.text


@pytest.mark.lengthy
def test_real_files(corpus: Path) -> None:
    clusters = 0
    for path in corpus_files(corpus):
        try:
            document = SdlDocument(decoded(path.read_bytes()))
            view = View(document.tree.root)
        except UnreadableSdlError:
            continue
        done = to_compose(document, path.stem)
        assert schemas.problems(schemas.compose(), done.text) == [], path
        heads = [one for one in Cluster(view).heads if one.service.name in view.deployed]
        if len(heads) == 1:
            clusters += 1
            done = to_kuberay(document, path.stem)
            assert schemas.problems(schemas.ray_cluster(), done.text) == [], path
        else:
            with pytest.raises(SdlError, match="Ray head"):
                to_kuberay(document, path.stem)
    assert clusters >= 10


# --- one file with everything ----------------------------------------------------------------------------------------


def test_full_to_kuberay() -> None:
    done = exported(FULL, "kuberay")
    spec = loaded(done)["spec"]
    assert spec["headGroupSpec"]["rayStartParams"] == {"port": "6380", "dashboard-host": "0.0.0.0"}
    pod = spec["headGroupSpec"]["template"]["spec"]
    (container,) = pod["containers"]
    env = {one["name"]: one.get("value", "from the Secret") for one in container["env"]}
    assert env == {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": "from the Secret",
        "FIRST": "two $HOME $$(date)",
        "URL": "https://u:ac-secret://P@host",
        "API_KEY": "from the Secret",
    }
    assert done.secrets == ("auth_token", "API_KEY")
    limits = {"cpu": "500m", "memory": "1536Mi", "ephemeral-storage": "10Gi", "nvidia.com/gpu": "1"}
    assert container["resources"] == {"limits": limits, "requests": limits}
    assert {(port["name"], port["containerPort"], port["protocol"]) for port in container["ports"]} == {
        ("gcs-server", 6380, "TCP"),
        ("dashboard", 8265, "TCP"),
        ("client", 10001, "TCP"),
        ("udp-53", 53, "UDP"),
    }
    assert [volume["name"] for volume in pod["volumes"]] == ["shm", "data"]
    assert pod["volumes"][0]["emptyDir"] == {"medium": "Memory", "sizeLimit": "512Mi"}
    assert pod["volumes"][1]["ephemeral"]["volumeClaimTemplate"]["spec"]["resources"]["requests"] == {"storage": "20Gi"}
    groups = {group["groupName"]: group["replicas"] for group in spec["workerGroupSpecs"]}
    assert groups == {"ray-worker-east": 2, "ray-worker-west": 3}
    own = {"services.ray-head.args", "services.ray-head.image", "services.ray-worker.command", "services.web"}
    own |= {"services.ray-worker.env.0", "services.ray-head.expose.0.as"}
    assert {loss.path for loss in done.losses} == COMMON | own
    sentences = " ".join(loss.sentence for loss in done.losses)
    for words in (
        "--redis-password is a secret",
        "--metrics-export-port is computed",
        "2.40.0 does not support tokens",
    ):
        assert words in sentences
    assert "--num-cpus" not in sentences  # KubeRay takes it from the limits, as the script did


def test_full_to_compose() -> None:
    done = exported(FULL, "compose")
    project = loaded(done)
    assert list(project["services"]) == ["ray-head", "ray-worker-east", "ray-worker-west", "web"]
    head = project["services"]["ray-head"]
    assert head["environment"] == {
        "FIRST": "two $$HOME $$(date)",
        "RAY_AUTH_TOKEN": "${TOKEN:?is missing}",
        "URL": "https://u:ac-secret://P@host",
        "API_KEY": "${API_KEY:?is missing}",
    }
    assert done.secrets == ("TOKEN", "API_KEY")
    assert head["ports"] == [{"target": 8265, "protocol": "tcp", "host_ip": "127.0.0.1", "published": "80"}]
    assert head["expose"] == ["8265", "53/udp"]
    assert head["volumes"] == [{"type": "volume", "source": "ray-head-data", "target": "/data"}]
    assert project["volumes"] == {"ray-head-data": {}}
    assert head["shm_size"] == f"{512 << 20}b"
    limits = {"cpus": "0.5", "memory": f"{1536 << 20}b"}
    device = {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert head["deploy"] == {"replicas": 1, "resources": {"limits": limits, "reservations": {"devices": [device]}}}
    web = project["services"]["web"]["ports"]
    assert web == [{"target": 80, "protocol": "tcp", "host_ip": "127.0.0.1"}]  # two replicas cannot have one port
    own = {
        "services.ray-head.args.0",
        "services.ray-head.dependencies",
        "services.web.expose.0.to",
        "profiles.compute.small.resources.storage",
    }
    assert {loss.path for loss in done.losses} == COMMON | own


@pytest.mark.parametrize("kind", ["kuberay", "compose"])
def test_values_stay_out(kind: str) -> None:
    done = exported(FULL, kind)
    allowed = 2 if kind == "compose" else 0  # in the script, of which a loss tells
    assert done.text.count(VALUE) == allowed
    assert VALUE not in repr(done.losses)


@pytest.mark.parametrize("kind", ["kuberay", "compose"])
def test_losses_have_the_line_they_stand_in(kind: str) -> None:
    lines = FULL.splitlines()
    for loss in exported(FULL, kind).losses:
        last = [step for step in loss.path.split(".") if not step.isdecimal()][-1]
        near = " ".join(lines[max(0, loss.line - 8) : loss.line])
        assert last in near or loss.path.startswith("services.ray-head.env"), loss


MAPPINGS = (
    "", "services.ray-head", "services.ray-head.expose.0", "services.ray-head.expose.0.to.0",
    "services.ray-head.params", "services.ray-head.params.storage.shm", "services.ray-head.dependencies.0",
    "profiles", "profiles.compute.head", "profiles.compute.head.resources", "profiles.compute.head.resources.cpu",
    "profiles.compute.head.resources.memory", "profiles.compute.head.resources.gpu",
    "profiles.compute.head.resources.storage.0", "profiles.compute.head.resources.storage.1.attributes",
    "profiles.compute.small.resources.storage", "profiles.placement.east", "deployment.ray-head.east",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["kuberay", "compose"])
@pytest.mark.parametrize("path", MAPPINGS)
def test_key_that_we_do_not_know_is_named(path: str, kind: str) -> None:
    document = SdlDocument(FULL)
    where = ".".join(filter(None, (path, "zz-unknown")))
    document.insert(where, "1")
    assert where in {loss.path for loss in exported(document.text, kind).losses}


# --- small and broken files ------------------------------------------------------------------------------------------


def test_what_is_no_cluster() -> None:
    services = loaded(exported(SMALL, "compose"))["services"]
    assert services["web"]["environment"] == {"MODE": "fast", "LEVEL": "3"}
    with pytest.raises(SdlError, match="no Ray head") as caught:
        to_kuberay(SdlDocument(SMALL), "lab")
    assert "--format compose" in caught.value.hint
    two = template_named("ray-cpu").text.replace("ray start --block", "ray start --head --block")
    with pytest.raises(SdlError, match="2 Ray heads"):
        to_kuberay(SdlDocument(two), "lab")


@pytest.mark.parametrize("text", ["", "a: [", "- 1\n", "services: 3\ndeployment: x\n", "services: {a: {}, b: }\n"])
def test_what_is_no_sdl_at_all(text: str) -> None:
    for export in (to_compose, to_kuberay):
        with pytest.raises(SdlError):  # noqa: PT012 - compose takes what is YAML
            export(SdlDocument(text), "lab")
            raise SdlError("taken")


@pytest.mark.parametrize(
    "value", ["yes", "1e3", "0o7", "0x10", "012", "1_000", "12:30", "null", "~", " a ", "a: b", "# c", "", "ä\t", "*x"]
)
def test_values_arrive_as_the_text_that_they_are(value: str) -> None:
    document = SdlDocument(SMALL)
    document.set("services.web.env.MODE", value)
    text = exported(document.text, "compose").text
    assert yaml.safe_load(text)["services"]["web"]["environment"]["MODE"] == value
    if value in ("yes", "1e3", "0o7", "0x10", "012", "1_000", "12:30", "null", "~"):
        assert f'MODE: "{value}"' in text  # readers of YAML 1.1 and 1.2 disagree on these


@pytest.mark.parametrize(("value", "there"), [("a$$b", "a$$$b"), ("$$(A)", "$$$$(A)"), ("$A $", "$A $"), ("$$", "$$$")])
def test_dollars_arrive_in_kubernetes_as_they_are(value: str, there: str) -> None:
    document = SdlDocument(template_named("ray-cpu").text)
    document.append("services.ray-worker.env", f"DOLLARS={value}")
    worker = loaded(exported(document.text, "kuberay"))["spec"]["workerGroupSpecs"][0]["template"]["spec"]
    found = {one["name"]: one.get("value") for one in worker["containers"][0]["env"]}
    assert found["DOLLARS"] == there


def test_names() -> None:
    assert label("My Lab_2") == "my-lab-2"
    assert label("2024") == "ray-2024"
    assert label("---") == "ray"
    assert len(label("x" * 100, 50)) == 50


# --- the command -----------------------------------------------------------------------------------------------------


def test_command(sdl: Sdl, tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(template_named("ray-cpu").text, encoding="utf-8")
    target = tmp_path / "out.yaml"
    done = sdl("export", str(file), "--format", "kuberay", "-o", str(target))
    assert (done.code, done.out) == (0, "")
    assert yaml.safe_load(target.read_text())["metadata"] == {"name": "lab"}
    assert re.search(r"lab\.yaml:\d+: services\.gateway: is not part of the Ray cluster", done.err)
    assert "auth_token" in done.err
    assert sdl("export", str(file), "--format", "compose", "-o", str(target)).code == 2
    assert sdl("export", str(file), "--format", "compose", "-o", str(target), "--force", "--name", "x").code == 0
    assert yaml.safe_load(target.read_text())["name"] == "x"


def test_command_on_stdout_and_as_json(sdl: Sdl, tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(SMALL, encoding="utf-8")
    done = sdl("export", str(file), "--format", "compose")
    assert yaml.safe_load(done.out)["name"] == "web"
    row = json.loads(sdl("export", str(file), "--format", "compose", "--json").out)
    assert row["text"] == done.out
    assert {"path", "line", "message"} == set(row["losses"][0])
    refused = sdl("export", str(file), "--format", "kuberay")
    assert (refused.code, refused.out) == (2, "")
    assert "no Ray head" in refused.err
