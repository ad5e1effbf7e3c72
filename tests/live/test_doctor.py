"""`doctor` and `clusters` on a real Ray that wants its token: let in, refused, and without one."""

import pytest

from cockpit.clients import transport as transport_module
from cockpit.clients.ray import RayClient
from cockpit.operations.clusters.exposure import Reach, look
from cockpit.operations.clusters.protection import protection_of
from tests.live.cluster import RayCluster
from tests.live.command_line import CommandLine

pytestmark = pytest.mark.live


@pytest.fixture
def commands(tmp_path_factory: pytest.TempPathFactory, ray_cluster: RayCluster) -> CommandLine:
    """A home of the test's own that knows the cluster by name, and nothing of its token."""
    commands = CommandLine(tmp_path_factory.mktemp("doctor"), {})
    done = commands.run("clusters", "add", "real", ray_cluster.address, "--token", "ac-secret://REAL", "--json")
    assert done.code == 0, done.stderr
    assert done.json()["cluster"]["current"] is True
    return commands


@pytest.mark.parametrize(("token", "fault"), [("right", None), ("wrong", "token-refused"), ("", "secret-missing")])
def test_a_real_ray_with_a_token(commands: CommandLine, ray_cluster: RayCluster, token: str, fault: str | None) -> None:
    value = {"right": ray_cluster.token, "wrong": "w" * 40}.get(token, "")
    done = commands.run("doctor", "--json", variables={"RAYAKASH_SECRET_REAL": value})
    cluster = done.json()["clusters"][0]
    faults = [check["fault"] for check in cluster["checks"] if check["fault"] and check["state"] == "fail"]
    assert faults == ([fault] if fault else [])
    assert done.code == (1 if fault else 0)
    assert ray_cluster.token not in done.everything
    assert "w" * 40 not in done.everything
    if fault is None:
        words = {check["name"]: check["message"] for check in cluster["checks"]}
        assert words["access"] == "token accepted"
        assert "agrees" in words["clock"]


async def test_a_real_ray_seen_from_the_internet(client: RayClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lookup(_: str) -> tuple[str, ...]:
        return ("8.8.8.8",)

    # What cannot be had here is a public address; that its resolver names one is all that the check knows of it.
    monkeypatch.setattr(transport_module, "lookup", lookup)
    monkeypatch.setattr("cockpit.clients.address.Address.is_loopback", False)
    found = await look(client)
    assert (found.mode, found.reach) == ("token", Reach.PUBLIC)
    assert protection_of(client.transport.endpoint, found).fault == "token-in-clear"
