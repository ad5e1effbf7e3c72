"""Any SDL runs: env values arrive as they are, no argument holds one, and nothing is left afterwards."""

import json
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cockpit.local.containers.cluster import service_links
from tests.containers.images import RAY_IMAGE
from tests.containers.world import NEAR, World, eventually

pytestmark = pytest.mark.containers

SECRET = "s3cret with 'quotes', \"more\", $HOME, `id` and\nanother line \\ ü"
PLAIN = {
    "QUOTES": 'it\'s "quoted"',
    "DOLLARS": "$HOME ${HOME} $(HOME) $$",
    "SPACES": "  two  spaces  ",
    "LINES": "one\ntwo\n",
    "HASH": "#no comment",
    "EQUALS": "a=b=c",
    "EMPTY": "",
    "GREETING": "hello",
}
SERVER = """
import http.server, json, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
found = json.dumps({"env": dict(os.environ), "argv": sys.argv[1:], "host": os.uname().nodename,
    "hosts": open("/etc/hosts").read(), "mounts": open("/proc/mounts").read()}).encode()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(found)
http.server.HTTPServer(("", 8080), Handler).serve_forever()
"""
NAME = "proof-env"


@pytest.fixture(scope="module")
def path(world: World) -> Path:
    """An SDL without a Ray, with odd values and a secret."""
    env = [f"{key}={value}" for key, value in PLAIN.items()] + ["SECRET=ac-secret://ODD"]
    service = {
        "image": RAY_IMAGE,
        "env": env,
        "command": ["python3", "-c"],
        "args": [SERVER, "$(GREETING) world", "$$(GREETING)", "$(NOBODY)"],
        "expose": [{"port": 8080, "to": [{"global": True}]}, {"port": 9000, "to": [{"service": "echo"}]}],
        "params": {"storage": {"scratch": {"mount": "/scratch"}}},
    }
    volumes = [
        {"size": "1Gi"},
        {"name": "scratch", "size": "32Mi", "attributes": {"persistent": False, "class": "ram"}},
    ]
    resources = {"cpu": {"units": 0.5}, "memory": {"size": "256Mi"}, "storage": volumes}
    placement = {"pricing": {"echo": {"denom": "uact", "amount": 100}}}
    text = {
        "version": "2.0",
        "services": {"echo": service},
        "profiles": {"compute": {"echo": {"resources": resources}}, "placement": {"here": placement}},
        "deployment": {"echo": {"here": {"profile": "echo", "count": 2}}},
    }
    found = world.folder / f"{NAME}.yaml"
    found.write_text(json.dumps(text))
    assert world.cockpit("secrets", "set", "ODD", "--scope", NAME, stdin=SECRET).code == 0
    return found


@pytest.fixture(scope="module")
def echoes(world: World, path: Path) -> Iterator[list[dict[str, Any]]]:
    """What both replicas tell of themselves."""
    up = world.up(path)
    assert up["address"] is None
    ports = [row["ports"][0] for row in up["containers"]]
    yield [eventually(partial(_answer, port["host_port"]), "an answer") for port in ports]
    world.cockpit("sdl", "down", NAME)


def _answer(port: int) -> Any:
    try:
        with urllib.request.urlopen(f"http://{NEAR}:{port}", timeout=5) as answer:
            return json.loads(answer.read())
    except OSError:
        return None


def test_values_arrive_as_they_are(echoes: list[dict[str, Any]]) -> None:
    for echo in echoes:
        assert {name: echo["env"].get(name) for name in PLAIN} == PLAIN
        assert echo["env"]["SECRET"] == SECRET


def test_kubernetes_ways(echoes: list[dict[str, Any]]) -> None:
    assert sorted(echo["host"] for echo in echoes) == ["echo-0", "echo-1"]
    assert echoes[0]["argv"] == ["hello world", "$(GREETING)", "$(NOBODY)"]
    address = next(line.split()[0] for line in echoes[1]["hosts"].splitlines() if line.split()[1:] == ["echo"])
    assert service_links("echo", address, [9000]).items() <= echoes[0]["env"].items()
    assert any(line.startswith("tmpfs /scratch ") for line in echoes[0]["mounts"].splitlines())


def test_no_value_was_an_argument(world: World, echoes: list[dict[str, Any]]) -> None:
    arguments = world.calls.read_text()
    assert "--env-file" in arguments
    for value in (SECRET.splitlines()[0], SECRET.splitlines()[1], PLAIN["QUOTES"], "two  spaces"):
        assert value not in arguments
    for name in ("proof-cpu", "proof-gpu"):
        token = world.cockpit("secrets", "list", "--json").out and world.token(name) if _exists(world, name) else "-"
        assert token == "-" or token not in arguments
    assert len(echoes) == 2


def _exists(world: World, name: str) -> bool:
    return (world.folder / f"{name}.yaml").exists()


def test_nothing_is_left(world: World, path: Path) -> None:
    assert world.cockpit("sdl", "down", path).code == 0
    assert NAME not in world.cockpit("sdl", "ps").out
    for kind in ("secret", "network"):
        assert NAME not in world.podman(kind, "ls", "--format", "{{.Name}}")
    assert world.cockpit("sdl", "down", NAME).err.strip().endswith("was not up.")
