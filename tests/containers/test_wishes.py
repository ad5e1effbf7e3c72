"""Clusters by wish: they form as the templates do, and one of them serves a model behind the same token."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers import probes
from tests.containers.conftest import Cluster
from tests.containers.world import World, eventually

pytestmark = pytest.mark.containers

WISHES = {
    "proof-serve": ("--workers", "1", "--cpu", "1", "--memory", "3Gi", "--shm", "1Gi", "--serve"),
    "proof-lasting": ("--gpu", "t4", "--workers", "1", "--memory", "4Gi", "--persistent", "beta3:1Gi:/data"),
    "proof-head": ("--workers", "1", "--memory", "3Gi", "--gpu", "h100:80Gi", "--head-gpu", "--audited"),
}
# Stands for Ray Serve, which the image of these tests lacks: it tells what reached it.
SERVER = """
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps([self.path, self.headers.get("Authorization")]).encode())
http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""


@pytest.fixture(scope="module", params=WISHES)
def formed(world: World, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """One wish as a cluster."""
    name = str(request.param)
    path = world.folder / f"{name}.yaml"
    path.unlink(missing_ok=True)
    done = world.cockpit("sdl", "new", name, *WISHES[name], "-o", path)
    assert done.code == 0, done.err
    for secret in ("RAY_AUTH_TOKEN", "tls"):
        world.cockpit("secrets", "generate", secret, "--scope", name)
    yield Cluster(world, name, world.up(Path(path)))
    world.cockpit("sdl", "down", name)


def test_it_forms_and_works(formed: Cluster) -> None:
    assert len(formed.whole(2)) == 2
    done = formed.cockpit("submit", "--", "python3", "-c", "import ray; ray.init(); print(6 * 7)")
    assert done.code == 0, done.err + done.out
    assert "42" in done.out
    if formed.name == "proof-serve":
        _serves_behind_the_token(formed)
    if formed.name == "proof-lasting":
        head = formed.containers("ray-head")[0]["container"]
        assert " /data " in formed.world.podman("exec", head, "cat", "/proc/mounts")


def _serves_behind_the_token(cluster: Cluster) -> None:
    done = cluster.cockpit("submit", "--no-wait", "--id", "model", "--", "python3", "-c", SERVER)
    assert done.code == 0, done.err

    def answer() -> object:
        status, text = cluster.probe(probes.GET, "/serve/v1/models?x=1")
        return json.loads(text) if status == 200 else None

    assert eventually(answer, "the model answers") == ["/v1/models?x=1", None]
    for token in ("-", "", "x" * 43, cluster.token[:-1], cluster.token + "x"):
        status, text = cluster.probe(probes.GET, "/serve/v1/models", token=token)
        assert (status, "v1" in text) == (401, False), token
    assert cluster.probe(probes.GET, "/api/jobs/")[0] == 200
    assert cluster.probe(probes.GET, "/api/jobs/", token="")[0] == 401
