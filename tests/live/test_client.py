"""The client as a library, call by call, on a real Ray."""

import asyncio
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.clients.transport import Endpoint
from cockpit.errors import AuthenticationError, NotFoundError, RejectedError
from cockpit.model.cluster import ClusterUsage
from cockpit.model.jobs import JobRequest
from cockpit.model.nodes import Usage
from cockpit.model.secret import Secret
from cockpit.operations.jobs.runtime_env import KNOWN_KEYS
from tests.live.cluster import Driver, RayCluster
from tests.live.processes import soon
from tests.live.reference import ended, job, log_on_disk, submit
from tests.live.release import ray_release

pytestmark = pytest.mark.live

REPORTED = 60.0  # seconds until usage is reported; the head is told of it every 5
ACTORS = """
import threading
import ray

@ray.remote
class Actor:
    def ping(self):
        return "here"

ray.init()
alive = [Actor.options(num_cpus=1).remote() for _ in range(2)]
dead = Actor.remote()
ray.get([actor.ping.remote() for actor in [*alive, dead]])
ray.kill(dead)
never = Actor.options(resources={"not-there": 1}).remote()
print("two are alive", flush=True)
threading.Event().wait()
"""


@pytest.fixture(scope="module")
def ended_job(ray_cluster: RayCluster) -> str:
    job_id = submit(ray_cluster.head, "echo one; echo two; echo three")
    ended(ray_cluster.head, job_id)
    return job_id


async def test_version_is_that_of_the_installed_ray(client: RayClient, ray_cluster: RayCluster) -> None:
    version = await client.version()
    assert version.ray_version == str(ray_release())
    session = (ray_cluster.site.directory / "session_latest").resolve()
    assert version.session_name == session.name


async def test_authentication_mode(client: RayClient) -> None:
    assert await client.authentication_mode() == ("token" if ray_release().has_tokens else None)


@pytest.mark.parametrize(("token", "status"), [(None, 401), (Secret("no" * 32), 403)])
async def test_token_is_wanted(ray_cluster: RayCluster, token: Secret | None, status: int) -> None:
    if not ray_release().has_tokens:
        pytest.skip("this Ray knows no tokens")
    async with RayClient.at(Endpoint(address=parse_address(ray_cluster.address), token=token)) as stranger:
        assert await stranger.authentication_mode() == "token", "which is public"
        with pytest.raises(AuthenticationError) as caught:
            await stranger.version()
    assert caught.value.status == status


async def test_job_is_found_by_its_id_and_in_the_list(
    client: RayClient, ended_job: str, ray_cluster: RayCluster
) -> None:
    found = await client.jobs.get(ended_job)
    assert found in (await client.jobs.list()).rows
    bare = job(ray_cluster.head, ended_job)
    assert (found.status, found.driver_node_id, found.driver_exit_code) == ("SUCCEEDED", bare["driver_node_id"], 0)
    assert (found.start_time, found.end_time) == (bare["start_time"], bare["end_time"])


async def test_unknown_job(client: RayClient) -> None:
    for call in (client.jobs.get, client.jobs.stop, client.jobs.delete):
        with pytest.raises(NotFoundError):
            await call("nobody-knows-me")


async def test_an_id_in_use_is_refused(client: RayClient, ended_job: str) -> None:
    with pytest.raises(RejectedError, match="already exists"):
        await client.jobs.submit(JobRequest(entrypoint="true", submission_id=ended_job))


async def test_nothing_is_left_to_stop_of_an_ended_job(client: RayClient, ended_job: str) -> None:
    assert await client.jobs.stop(ended_job) is False


async def test_log_file_is_listed_and_read(client: RayClient, ended_job: str, ray_cluster: RayCluster) -> None:
    node_id = (await client.jobs.get(ended_job)).driver_node_id or ""
    name = f"job-driver-{ended_job}.log"
    assert name in (await client.logs.files(node_id, glob="job-driver-*"))["internal"]
    whole = log_on_disk(ray_cluster.head, ended_job)
    assert {b"one", b"two", b"three"} <= set(whole.splitlines()), "beside Ray's own lines, which may come anywhere"
    for lines, wanted in ((-1, whole), (2, b"".join(whole.splitlines(keepends=True)[-2:])), (100, whole)):
        async with client.logs.open(LogFile(node_id=node_id, filename=name), lines=lines) as chunks:
            assert b"".join([chunk async for chunk in chunks]) == wanted


async def test_stream_begins_with_what_is_there_and_goes_on(
    client: RayClient, ended_job: str, ray_cluster: RayCluster
) -> None:
    node_id = (await client.jobs.get(ended_job)).driver_node_id or ""
    file = LogFile(node_id=node_id, filename=f"job-driver-{ended_job}.log")
    seen = b""
    async with asyncio.timeout(60), client.logs.open(file, endless=True) as chunks:
        async for chunk in chunks:
            seen += chunk
            if seen == log_on_disk(ray_cluster.head, ended_job):
                break


async def test_log_that_is_not_there(client: RayClient, ray_cluster: RayCluster) -> None:
    unwritten = NotFoundError if ray_release().hands_out_logs else RejectedError
    for node_id, expected in ((ray_cluster.head.node_id, unwritten), ("f" * 56, NotFoundError)):
        assert await _refusal(client, node_id) is expected


async def _refusal(client: RayClient, node_id: str) -> type[Exception] | None:
    """What a log that is not there raises. A busy Ray answers such a request with an empty 200 at times (3 of 600)."""
    for _ in range(5):
        try:
            async with client.logs.open(LogFile(node_id=node_id, filename="nobody-wrote-me.log")) as chunks:
                assert not [chunk async for chunk in chunks]
        except (NotFoundError, RejectedError) as error:
            return type(error)
    return None


async def test_package_is_stored_once(client: RayClient, tmp_path: Path) -> None:
    name = "_ray_pkg_00000000deadbeef.zip"
    package = tmp_path / "package.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("main.py", "print('packed')")
    assert not await client.packages.exists(name)
    await client.packages.put(name, package)
    assert await client.packages.exists(name)


def test_known_keys_of_a_runtime_environment_are_those_of_ray(ray_cluster: RayCluster) -> None:
    with ray_cluster.driver(
        "from ray.runtime_env import RuntimeEnv; print('keys', *sorted(RuntimeEnv.known_fields))"
    ) as driver:
        assert driver.wait() == 0
    known = set(driver.output().rpartition("keys ")[2].split())
    assert known - {"docker"} <= KNOWN_KEYS, "docker is a word of 2.40 that 2.60 ignores"


@pytest.fixture(scope="module")
def actors(ray_cluster: RayCluster) -> Iterator[Driver]:
    """Two actors that live and take a CPU each, one that was killed, and one that cannot start."""
    with ray_cluster.driver(ACTORS) as driver:
        driver.wait_for("two are alive")
        yield driver


@pytest.mark.usefixtures("actors", "ended_job")
async def test_actors_are_counted_alive_and_without_supervisors(client: RayClient, ray_cluster: RayCluster) -> None:
    with ray_cluster.head.http() as http:
        every = http.get("/api/v0/actors", params={"limit": "10000"}).json()["data"]["result"]["result"]
    states = Counter(actor["state"] for actor in every if actor["class_name"] == "Actor")
    assert (states["ALIVE"], states["DEAD"]) == (2, 1)
    assert len(every) > states.total(), "there are supervisors of jobs, too"
    others = [actor for actor in every if actor["state"] == "ALIVE" and actor["class_name"] != "JobSupervisor"]
    assert await client.state.actor_count() == len(others)


@pytest.mark.usefixtures("actors")
async def test_usage_is_that_of_ray_status(client: RayClient, ray_cluster: RayCluster) -> None:
    async def reported() -> ClusterUsage | None:
        usage = await client.nodes.usage()
        return usage if usage.total["CPU"].used == 2 else None

    usage = await soon(reported, within=REPORTED, what="the CPUs of two actors in use")
    assert usage is not None
    nodes = [usage.by_node[node_id]["CPU"] for node_id in ray_cluster.node_ids]
    assert [use.total for use in nodes] == [4, 2]
    assert sum(use.used for use in nodes) == 2
    told = ray_cluster.run_ray("status").stdout
    for name in ("CPU", "GPU"):
        (line,) = re.findall(rf"([\d.]+)/([\d.]+) {name}\b", told)
        assert usage.total[name] == Usage(used=float(line[0]), total=float(line[1]))
