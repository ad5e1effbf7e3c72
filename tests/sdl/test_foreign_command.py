"""`sdl import` as a command, and that import and export agree."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.cli import terminal
from cockpit.model.secret import Secret
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.export_compose import to_compose
from cockpit.sdl.export_kuberay import to_kuberay
from cockpit.sdl.foreign.reading import read_foreign
from cockpit.sdl.rules import lint
from cockpit.sdl.templates import all_templates
from tests.sdl import schemas
from tests.sdl.conftest import OPEN, Sdl
from tests.sdl.test_foreign_kuberay import SECRET, cluster, container
from tests.secrets.machine import Machine

pytestmark = pytest.mark.lengthy
WITH_SECRET = cluster(worker=container(env=[{"name": "API_KEY", "value": SECRET}]))


def test_as_a_user_does_it(sdl: Sdl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(terminal, "has_terminal", lambda: False)
    Path("ray.yaml").write_text(WITH_SECRET)
    done = sdl("import", "ray.yaml", "--json")
    assert done.code == 0, done.err
    row = done.json()
    assert row["file"] == "lab.yaml"
    assert {"path", "reason"} == set(row["losses"][0])
    assert {"path": "API_KEY", "reason": "The value was not kept: store it with `rayakash-tui secrets set`."} in row[
        "losses"
    ]
    assert SECRET not in done.out + done.err + Path("lab.yaml").read_text()
    assert sdl("lint", "lab.yaml").code == 0
    again = sdl("import", "ray.yaml")
    assert (again.code, again.out) == (2, "")
    assert "already exists" in again.err
    done = sdl("import", "ray.yaml", "--force")
    assert (done.code, done.out) == (0, "")
    assert "warning: ray.yaml: API_KEY: The value was not kept" in done.err
    assert "Wrote lab.yaml: The Ray cluster lab, imported from a RayCluster." in done.err
    done = sdl("import", "-", "-o", "-", stdin=WITH_SECRET.encode())
    assert done.out == Path("lab.yaml").read_text()


def test_exit_codes(sdl: Sdl, tmp_path: Path) -> None:
    path = tmp_path / "in.yaml"
    path.write_text(cluster(worker=container(resources={"limits": {"google.com/tpu": "4"}})))
    done = sdl("import", path, "-o", tmp_path / "out.yaml")
    assert (done.code, "no TPUs" in done.err) == (1, True)
    path.write_text("head: {}\nworker: {}\n")
    done = sdl("import", path, "-o", tmp_path / "out.yaml")
    assert (done.code, "helm template" in done.err) == (2, True)
    assert sdl("import", tmp_path / "none.yaml").code == 2
    path.write_text(cluster())
    done = sdl("import", path, "--from", "compose", "-o", tmp_path / "out.yaml")
    assert (done.code, "RayCluster" in done.err) == (2, True)
    assert not (tmp_path / "out.yaml").exists()


def test_a_value_is_kept_after_a_yes(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "in.yaml").write_text(WITH_SECRET)
    script = (
        "import sys\nfrom cockpit.cli import terminal, main\nfrom cockpit.model.secret import Secret\n"
        "terminal.has_terminal = lambda: True\nterminal.ask_shown = lambda question: Secret('y')\n"
        "sys.exit(main.run(sys.argv[1:]))"
    )
    out = tmp_path / "lab.yaml"
    done = machine.python("-c", script, "sdl", "import", str(tmp_path / "in.yaml"), "-o", str(out), **OPEN)
    assert done.code == 0, done.err
    assert "API_KEY: stored in the vault, scope lab." in done.err
    assert "not kept" not in done.err
    assert SECRET not in done.said + out.read_text()
    read = (
        "from cockpit.secrets.references import resolve_reference\n"
        "print(resolve_reference('ac-secret://API_KEY', scopes=('lab',)).reveal())"
    )
    assert machine.python("-c", read, **OPEN).out.strip() == SECRET


def test_a_no_is_a_no(sdl: Sdl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "has_terminal", lambda: True)
    asked: list[str] = []

    def answer(question: str) -> Secret:
        asked.append(question)
        return Secret("no")

    monkeypatch.setattr(terminal, "ask_shown", answer)
    (tmp_path / "in.yaml").write_text(WITH_SECRET)
    done = sdl("import", tmp_path / "in.yaml", "-o", tmp_path / "lab.yaml")
    assert "API_KEY: The value was not kept" in done.err
    assert asked == ["Keep the values of API_KEY in the secret store, scope lab? [y/N] "]


# --- import and export agree -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", all_templates(), ids=lambda one: one.name)
def test_templates_come_back_byte_for_byte(template: Any) -> None:
    for export in (to_kuberay, to_compose):
        there = export(SdlDocument(template.text), "lab").text
        back = SdlDocument(read_foreign(there)[0].text)
        assert lint(back).clean
        assert export(back, "lab").text == there


# PyYAML writes 09 without quotes, which readers of YAML 1.2 take for a number.
WORDS = st.text("abcXYZ019 =$\"'{}()#:/,-é", max_size=12).filter(
    lambda one: "ac-secret" not in one and not re.fullmatch(r"0[0-9]+", one)
)
NAMES = st.sampled_from(("MODE", "LEVEL", "B", "a_1"))
GROUPS = st.fixed_dictionaries(
    {
        "cpu": st.integers(1, 64),
        "memory": st.integers(4, 512),
        "disk": st.integers(1, 900),
        "gpus": st.integers(0, 8),
        "count": st.integers(1, 50),
        "env": st.dictionaries(NAMES, WORDS, max_size=3),
        "params": st.dictionaries(
            st.sampled_from(("num-cpus", "temp-dir", "labels")), st.sampled_from(("0", "7")), max_size=2
        ),
    }
)


def _container(group: dict[str, Any]) -> dict[str, Any]:
    limits = {"cpu": str(group["cpu"]), "memory": f"{group['memory']}Gi", "ephemeral-storage": f"{group['disk']}Gi"}
    if group["gpus"]:
        limits["nvidia.com/gpu"] = str(group["gpus"])
    env = [{"name": name, "value": re.sub(r"\$(?=[$(])", "$$", value)} for name, value in group["env"].items()]
    return container(resources={"limits": limits, "requests": limits}, env=env)


def _said(group: dict[str, Any], count: bool = True) -> dict[str, Any]:
    """What both formats can say of a group."""
    one = group["template"]["spec"]["containers"][0]
    own = {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN"}
    return {
        "image": one["image"],
        "limits": one["resources"]["limits"],
        "env": {entry["name"]: entry["value"] for entry in one["env"] if entry["name"] not in own},
        "replicas": group["replicas"] if count else None,
    }


@given(GROUPS, GROUPS)
@settings(max_examples=30, deadline=None)
def test_a_ray_cluster_keeps_what_both_can_say(head: dict[str, Any], worker: dict[str, Any]) -> None:
    source = cluster(
        _container(head), _container(worker), head_group={"rayStartParams": head["params"]},
        group={"rayStartParams": worker["params"], "replicas": worker["count"]},
    )  # fmt: skip
    done, _ = read_foreign(source)
    document = SdlDocument(done.text)
    assert lint(document).clean
    back = to_kuberay(document, "lab").text
    assert schemas.problems(schemas.ray_cluster(), back) == []
    there, here = yaml.safe_load(source)["spec"], yaml.safe_load(back)["spec"]
    assert _said(here["headGroupSpec"], count=False) == _said(there["headGroupSpec"], count=False)
    assert _said(here["workerGroupSpecs"][0]) == _said(there["workerGroupSpecs"][0])
    params = here["workerGroupSpecs"][0]["rayStartParams"]
    assert {name: params.get(name) for name in worker["params"]} == worker["params"]


@given(GROUPS)
@settings(max_examples=30, deadline=None)
def test_a_compose_file_keeps_what_both_can_say(worker: dict[str, Any]) -> None:
    limits = {"cpus": f"{worker['cpu']}", "memory": f"{worker['memory']}g"}
    resources: dict[str, Any] = {"limits": limits}
    if worker["gpus"]:
        device = {"driver": "nvidia", "count": worker["gpus"], "capabilities": ["gpu"]}
        resources["reservations"] = {"devices": [device]}
    environment = {name: value.replace("$", "$$") for name, value in worker["env"].items()}
    image = "rayproject/ray:2.60.0-py311"
    services = {
        "ray-head": {"image": image, "command": "ray start --head"},
        "ray-worker": {
            "image": image, "command": "ray start --address=ray-head:6379", "environment": environment,
            "deploy": {"replicas": worker["count"], "resources": resources},
        },
    }  # fmt: skip
    document = SdlDocument(read_foreign(yaml.safe_dump({"services": services}))[0].text)
    assert lint(document).clean
    back = to_compose(document, "lab").text
    assert schemas.problems(schemas.compose(), back) == []
    found = yaml.safe_load(back)["services"]["ray-worker"]
    assert found["image"] == image
    assert found["deploy"]["replicas"] == worker["count"]
    assert found["deploy"]["resources"]["limits"] == {
        "cpus": f"{worker['cpu']}",
        "memory": f"{worker['memory'] << 30}b",
    }
    assert ("reservations" in found["deploy"]["resources"]) == bool(worker["gpus"])
    assert {name: found["environment"][name] for name in environment} == environment
