"""Versions, ports and names of variables have one truth: templates, start scripts, Dockerfile and rules agree."""

import re
import tomllib
from pathlib import Path

import pytest

from cockpit.model.env_names import KNOWN
from cockpit.sdl.ray_cluster import DASHBOARD_PORT, GCS_PORT, Cluster, Member
from cockpit.sdl.view import View
from cockpit.secrets.names import CERTIFICATE_NAME, KEY_NAME
from tests.sdl.test_templates import NAMES, SERVICES, document, script, services

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
FILES = {"gateway": "start-gateway.sh", "ray-head": "start-head.sh", "ray-worker": "start-worker.sh"}
# What the scripts read beside the variables that the templates declare.
OF_THE_SCRIPTS = {
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S",
}  # fmt: skip


def argument(name: str) -> str:
    """The default of an ARG of the Dockerfile."""
    found = re.findall(rf"^ARG {name}=(.*)$", DOCKERFILE, re.MULTILINE)
    assert len(found) == 1, f"ARG {name} has its value in one place"
    return str(found[0])


def member(service: str, name: str = "ray-cpu") -> Member:
    found = Cluster(View(document(name).tree.root)).members
    return next(one for one in found if one.service.name == service)


# --- scripts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("service", SERVICES)
def test_templates_carry_the_scripts_of_docker(service: str, name: str) -> None:
    assert script(service, name) == (DOCKER / FILES[service]).read_text(), "run `make scripts`"


def test_the_image_holds_the_scripts_of_the_nodes() -> None:
    copied = re.search(r"^COPY (?:--\S+ )*(.*) /usr/local/bin/$", DOCKERFILE, re.MULTILINE)
    assert copied is not None
    assert set(copied[1].split()) == {FILES["ray-head"], FILES["ray-worker"], "healthy.py"}
    assert all((DOCKER / name).stat().st_mode & 0o111 for name in FILES.values())


# --- versions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_images_of_nodes_are_those_of_the_dockerfile(name: str) -> None:
    stock = f"rayproject/ray:{argument('RAY')}-{argument('PYTHON')}"
    for service in ("ray-head", "ray-worker"):
        assert services(name)[service].image in (stock, f"{stock}-gpu")
    assert re.fullmatch(r"caddy:\d+\.\d+\.\d+", services(name)["gateway"].image)


def test_the_local_ray_is_of_the_same_release() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"]["local"] == [f"ray[default]=={argument('RAY')}"]


def test_the_readme_builds_what_the_dockerfile_says() -> None:
    tags = re.findall(r"NAME/rayakash:(\S+?)-(py\d+)", (DOCKER / "README.md").read_text())
    assert set(tags) == {(argument("RAY"), argument("PYTHON"))}


# --- ports -----------------------------------------------------------------------------------------------------------


def test_ports_of_head_and_workers() -> None:
    head, worker = member("ray-head"), member("ray-worker")
    assert (head.gcs_port, head.port("dashboard-port", 0)) == (GCS_PORT, DASHBOARD_PORT)
    assert head.agent_ports == worker.agent_ports
    assert 0 not in head.agent_ports
    assert head.worker_ports() == worker.worker_ports()


def test_workers_and_the_gateway_ask_where_the_head_listens() -> None:
    asked = {int(port) for port in re.findall(r"\(host, (\d+)", script("ray-worker"))}
    assert asked == {GCS_PORT}
    assert member("ray-worker").flag("address") == f"$RAY_ADDRESS_HOST:{GCS_PORT}".replace(
        "$RAY_ADDRESS_HOST", "ray-head"
    )
    assert f"reverse_proxy ray-head:{DASHBOARD_PORT}" in script("gateway")


@pytest.mark.parametrize("name", NAMES)
def test_exposed_ports_are_those_that_something_listens_on(name: str) -> None:
    exposed = {one.name: {port.port for port in one.ports} for one in services(name).values()}
    listens = {int(port) for port in re.findall(r"^\s*:(\d+) \{$", script("gateway"), re.MULTILINE)}
    assert exposed == {"gateway": listens, "ray-head": {GCS_PORT, DASHBOARD_PORT}, "ray-worker": set()}


def test_the_health_check_asks_the_agent() -> None:
    port = re.search(r"^AGENT_PORT = (\d+)", (DOCKER / "healthy.py").read_text(), re.MULTILINE)
    assert port is not None
    assert member("ray-head").agent_ports[int(port[1])] == "dashboard agent"


# --- variables -------------------------------------------------------------------------------------------------------


def test_every_variable_that_a_script_reads_is_known() -> None:
    read = {name for service in SERVICES for name in re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", script(service))}
    assert read - set(KNOWN) - {CERTIFICATE_NAME, KEY_NAME} <= OF_THE_SCRIPTS
    assert read >= OF_THE_SCRIPTS


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_that_a_template_declares_is_known(name: str) -> None:
    declared = {one.name: set(one.env) for one in services(name).values()}
    assert declared["gateway"] == {CERTIFICATE_NAME, KEY_NAME}
    assert (declared["ray-head"] | declared["ray-worker"]) - {CERTIFICATE_NAME, KEY_NAME} <= set(KNOWN)
    assert "RAY_ADDRESS_HOST" in declared["ray-worker"]
    assert document(name).get("services.ray-worker.env.RAY_ADDRESS_HOST") == "ray-head"


def test_the_readme_tells_of_every_variable() -> None:
    text = (DOCKER / "README.md").read_text()
    read = {
        name
        for service in ("ray-head", "ray-worker")
        for name in re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", script(service))
    }
    assert {name for name in read if f"`{name}`" not in text} == set()
