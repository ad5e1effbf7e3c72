"""A Ray before 2.52 asks nobody for a token: the gateway of an imported cluster does it in its place."""

from pathlib import Path

import pytest

from tests.containers import probes
from tests.containers.conftest import Cluster
from tests.containers.world import World

pytestmark = pytest.mark.containers

NAME = "proof-guard"
OLD = """
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: proof-guard}
spec:
  rayVersion: "2.40.0"
  headGroupSpec:
    rayStartParams: {}
    template:
      spec:
        containers:
          - name: ray-head
            image: rayproject/ray:2.60.0-py311
            resources: {limits: {cpu: "1", memory: 3Gi}}
  workerGroupSpecs:
    - groupName: small
      replicas: 1
      rayStartParams: {}
      template:
        spec:
          containers:
            - name: ray-worker
              image: rayproject/ray:2.60.0-py311
              resources: {limits: {cpu: "1", memory: 3Gi}}
"""


def test_the_gateway_asks_for_the_token_of_a_ray_that_asks_for_none(world: World) -> None:
    source, path = world.folder / "old.yaml", world.folder / f"{NAME}.yaml"
    source.write_text(OLD)
    done = world.cockpit("sdl", "import", source, "-o", path)
    assert done.code == 0, done.err
    assert "Ray 2.40.0 does not support token authentication: the gateway checks the token itself." in done.err
    # The image has a newer Ray: without its tokens it lets everyone in, as an old one does.
    text = path.read_text()
    assert text.count("export RAY_AUTH_MODE=token") == 2
    path.write_text(text.replace("RAY_AUTH_MODE=token", "RAY_AUTH_MODE=disabled"))
    for secret in ("RAY_AUTH_TOKEN", "tls"):
        world.cockpit("secrets", "generate", secret, "--scope", NAME)
    try:
        _asks(Cluster(world, NAME, world.up(Path(path))))
    finally:
        world.cockpit("sdl", "down", NAME)


def _asks(cluster: Cluster) -> None:
    head = cluster.containers("ray-head")[0]["container"]
    open_inside = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8265/api/jobs/').status)"
    assert cluster.world.podman("exec", head, "python3", "-c", open_inside).strip() == "200"
    for path in ("/api/version", "/api/jobs/", "/", "/serve/"):
        for token in ("-", "x" * 43, cluster.token[:-1], cluster.token + "x"):
            status, text = cluster.probe(probes.GET, path, token=token)
            assert (status, text) == (401, ""), (path, token)
        assert cluster.probe(probes.GET, path, token="")[0] == 401, path
    assert cluster.probe(probes.GET, "/api/jobs/") == [200, "[]"]
