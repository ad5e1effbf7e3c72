"""`sdl templates`, `sdl show` and `sdl diff`: what a description means, as text and as JSON."""

from pathlib import Path

import pytest

from tests.sdl.conftest import SMALL, Sdl

NAMES = ["ray-cpu", "ray-gpu", "ray-gpu-1x6", "ray-gpu-storage"]


def test_templates(sdl: Sdl) -> None:
    listing = sdl("templates", "--json").json()
    assert [row["name"] for row in listing["templates"]] == NAMES
    assert listing["total"] == 4
    assert listing["as_of"].endswith("Z")
    row = listing["templates"][2]
    assert list(row) == ["name", "title", "services", "gpus", "usd_per_hour"]
    assert (row["services"], row["gpus"]) == ({"gateway": 1, "ray-head": 1, "ray-worker": 6}, 6)
    assert row["usd_per_hour"] == pytest.approx((20 + 400 + 6 * 4066) * 0.00059016, rel=1e-4)
    table = sdl("templates").out.splitlines()
    assert table[0].split() == ["TEMPLATE", "GPUS", "USD/HOUR", "DESCRIPTION"]
    assert [line.split()[0] for line in table[1:]] == NAMES


def test_show_as_json(sdl: Sdl, small: Path) -> None:
    found = sdl("show", small, "--json").json()
    assert list(found) == ["file", "portable", "services", "gpus", "usd_per_hour"]
    assert (found["portable"], found["gpus"], found["usd_per_hour"]) == (True, 0, 0.590164)
    (service,) = found["services"]
    assert service == {
        "name": "web",
        "role": None,
        "image": "nginx:1.27",
        "count": 1,
        "resolves": True,
        "env": ["MODE", "LEVEL"],
        "mounts": {},
        "replicas": [
            {
                "placement": "dc",
                "profile": "web",
                "count": 1,
                "cpu": 0.5,
                "memory": 512 << 20,
                "storage": 512 << 20,
                "shared_memory": 0,
                "gpus": 0,
                "models": [],
                "usd_per_hour": 0.590164,
            }
        ],
        "ports": [
            {
                "port": 80,
                "external": 80,
                "proto": "TCP",
                "kind": "host",
                "hosts": [],
                "endpoint": None,
                "target": None,
                "line": 10,
                "becomes": "80 → a host name of the provider, by HTTP",
            }
        ],
        "line": 4,
    }


def test_show_draws_who_reaches_whom(sdl: Sdl, tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    sdl("new", "ray-gpu-1x6", "-o", path)
    lines = sdl("show", path).out.splitlines()
    assert lines[0] == f"{path}: 3 services, 6 GPUs, at most $14.65 an hour"
    assert lines[2].split()[:3] == ["SERVICE", "ROLE", "COUNT"]
    worker = next(line for line in lines if line.startswith("ray-worker"))
    assert worker.split()[:4] == ["ray-worker", "worker", "6", "12"]
    assert "1 × a100 80Gi" in worker
    drawing = lines[lines.index("┌ gateway") :]
    assert [" ".join(line.split()) for line in drawing[:7]] == [
        "┌ gateway",
        "└ 8443/TCP ◀── the internet a random port of the provider's host",
        "┌ ray-head (head)",
        "├ 6379/TCP ◀── ray-worker ×6 (worker) as ray-head:6379",
        "└ 8265/TCP ◀── gateway as ray-head:8265",
        "┌ ray-worker ×6 (worker)",
        "└ no port: other services cannot reach it by name",
    ]


@pytest.mark.parametrize(
    "text", ["a: 1\n", "services: {web: }\n", "services:\n  web:\n    expose: [{port: x, to: 3}]\n"]
)
def test_show_of_half_an_sdl(sdl: Sdl, small: Path, text: str) -> None:
    small.write_text(text)
    done = sdl("show", small)
    assert done.code == 0
    assert "it is refused" in done.out
    assert sdl("show", small, "--json").json()["usd_per_hour"] is None


def test_unknown_is_null(sdl: Sdl, small: Path) -> None:
    small.write_text(SMALL.replace("denom: uact", "denom: uakt").replace("count: 1", "count: x"))
    found = sdl("show", small, "--json").json()
    assert found["usd_per_hour"] is None
    assert found["services"][0]["count"] is None
    assert "at a price that is not known" in sdl("show", small).out


def test_diff(sdl: Sdl, small: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SMALL.replace("nginx:1.27", "nginx:1.28").replace("MODE=fast", "MODE=slow"))
    found = sdl("diff", small, other, "--json").json()
    assert (found["total"], found["in_place"]) == (2, True)
    assert list(found["differences"][0]) == ["subject", "what", "before", "after", "in_place", "sentence"]
    assert found["differences"][1]["before"] == "nginx:1.27"
    done = sdl("diff", small, other)
    assert done.code == 0
    assert "An update can do it." in done.err
    assert "slow" not in done.out
    other.write_text(SMALL.replace("count: 1", "count: 2"))
    done = sdl("diff", small, "-", stdin=other.read_bytes())
    assert done.out == "! web: count changes from 1 to 2; needs a new deployment.\n"
    assert "No difference" in sdl("diff", small, small).err


def test_an_env_item_without_a_name_is_never_shown(sdl: Sdl, small: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SMALL.replace("MODE=fast", "WANDB_API_KEYcanary11"))
    for done in (sdl("diff", small, other), sdl("diff", small, other, "--json"), sdl("show", other, "--json")):
        assert "canary11" not in done.out + done.err


@pytest.mark.parametrize("command", ["show", "fix", "render"])
def test_what_is_no_yaml_is_told_with_file_and_place(sdl: Sdl, small: Path, command: str) -> None:
    small.write_text("a: [1,\nb: 2")
    done = sdl(command, small)
    assert done.code == 2
    assert f"error: {small}: Not YAML at line 2, column 5" in done.err
    assert sdl("diff", small, small).code == 2


def test_without_a_command_there_is_help(sdl: Sdl) -> None:
    done = sdl()
    assert done.code == 0
    assert "templates" in done.out
