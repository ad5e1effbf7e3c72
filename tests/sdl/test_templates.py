"""The templates: portable, nothing open, and start scripts that are the same everywhere."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.meaning import ServiceMeaning, meaning_of
from cockpit.sdl.rules import lint
from cockpit.sdl.templates import all_templates, template_named
from cockpit.sdl.wish import PRESETS, written
from tests.sdl.conftest import Sdl

NAMES = ["ray-cpu", "ray-gpu", "ray-gpu-1x6", "ray-gpu-storage"]
SERVICES = ("gateway", "ray-head", "ray-worker")
STORAGE = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "WANDB_API_KEY")
MOST_LINES = 260


def document(name: str) -> SdlDocument:
    return SdlDocument(template_named(name).text)


def services(name: str) -> dict[str, ServiceMeaning]:
    return {service.name: service for service in meaning_of(document(name)).services}


def script(service: str, name: str = "ray-cpu") -> str:
    text = document(name).get(("services", service, "args", 0))
    assert isinstance(text, str)
    return text


# --- what the files ask for ------------------------------------------------------------------------------------------


def test_there_are_four() -> None:
    assert [template.name for template in all_templates()] == NAMES
    assert all(template.title.endswith(".") for template in all_templates())


@pytest.mark.parametrize("name", NAMES)
def test_both_parsers_take_it_and_no_rule_of_ours_objects(name: str) -> None:
    found = lint(document(name))
    assert found.portable
    assert found.problems == []


@pytest.mark.parametrize("name", NAMES)
def test_only_the_gateway_is_open_and_not_behind_the_providers_proxy(name: str) -> None:
    open_ports = [
        (service.name, port.port, port.kind)
        for service in services(name).values()
        for port in service.ports
        if port.kind != "internal"
    ]
    assert open_ports == [("gateway", 8443, "random")]


@pytest.mark.parametrize("name", NAMES)
def test_every_node_asks_for_the_token_and_has_shared_memory(name: str) -> None:
    for service in ("ray-head", "ray-worker"):
        assert document(name).get(f"services.{service}.env.RAY_AUTH_TOKEN") == "ac-secret://RAY_AUTH_TOKEN"
        assert document(name).get(f"services.{service}.env.RAY_AUTH_MODE") == "token"
        found = services(name)[service]
        assert found.mounts == {"shm": "/dev/shm"}
        assert found.replicas[0].shared_memory >= 1 << 30
        assert re.fullmatch(r"rayproject/ray:\d+\.\d+\.\d+-py\d+(-gpu)?", found.image)


def test_gpus() -> None:
    gpus = {name: {one.name: (one.replicas[0].gpus, one.replicas[0].count) for one in services(name).values()}
            for name in NAMES}  # fmt: skip
    assert gpus["ray-cpu"] == {"gateway": (0, 1), "ray-head": (0, 1), "ray-worker": (0, 2)}
    assert gpus["ray-gpu"] == {"gateway": (0, 1), "ray-head": (1, 1), "ray-worker": (1, 1)}
    assert gpus["ray-gpu-1x6"] == {"gateway": (0, 1), "ray-head": (0, 1), "ray-worker": (1, 6)}
    for name in NAMES:
        for service in services(name).values():
            assert all(model.model for model in service.replicas[0].models)
            assert len(service.replicas[0].models) == service.replicas[0].gpus


def test_keys_of_stores_are_references_in_head_and_worker() -> None:
    for service in ("ray-head", "ray-worker"):
        for name in STORAGE:
            assert document("ray-gpu-storage").get(f"services.{service}.env.{name}") == f"ac-secret://{name}"


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_can_be_edited_and_linted_under_another_name(name: str, sdl: Sdl, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    assert sdl("new", name, "-o", path).code == 0
    assert sdl("set", path, "deployment.ray-worker.akash.count", "3").code == 0
    assert sdl("lint", path).code == 0


# --- the scripts as text ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_scripts_are_the_same_in_all_templates(service: str) -> None:
    assert len({script(service, name) for name in NAMES}) == 1
    assert document("ray-cpu").get(f"services.{service}.command") == ["/bin/sh", "-c"]


def test_head_and_worker_check_the_same() -> None:
    def checks(service: str) -> list[str]:
        lines = script(service).splitlines()
        bare = [line for line in lines if not line.startswith("#")]
        return bare[: next(at for at, line in enumerate(bare) if line.startswith("objects=")) + 1]

    assert any("RAY_AUTH_TOKEN" in line for line in checks("ray-head"))
    assert checks("ray-worker") == checks("ray-head")


@pytest.mark.parametrize("name", NAMES)
def test_short_enough_to_read_and_written_by_the_generator(name: str) -> None:
    text = template_named(name).text
    assert len(text.splitlines()) <= MOST_LINES
    assert text == written(PRESETS[name]).text, "run `make scripts`"


@pytest.mark.parametrize("service", SERVICES)
def test_scripts_are_clean(service: str, tmp_path: Path) -> None:
    path = tmp_path / "start.sh"
    path.write_text(script(service))
    assert subprocess.run(["sh", "-n", path], check=False).returncode == 0
    if shutil.which("shellcheck"):
        done = subprocess.run(["shellcheck", "-s", "sh", path], capture_output=True, text=True, check=False)
        assert done.stdout == ""
    # Kubernetes makes one dollar of two, and expands $(NAME) where NAME is a variable of the container.
    assert "$$" not in script(service)
    assert not re.search(r"\$\([A-Z_]+\)", script(service))
