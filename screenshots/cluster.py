"""The cluster of the screenshots: simulated, at an address that does not exist, and recorded as a user would."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl

import httpx

from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint, Transport
from cockpit.errors import UsageError
from cockpit.feeds.recording import record
from cockpit.model.secret import Secret
from tests.sim import Plan, SimCluster
from tests.sim.dashboard import Dashboard
from tests.sim.wire import Request, Stream
from tests.ui.driver import Driver, SharedClock, cockpit_on, opener_of

ADDRESS = "https://head.lab.example:8265"
NAME = "lab-h100"
TOKEN = "screenshot" * 4
PLAN = Plan(nodes=12, gpus=8, jobs=212, seed=7)
SECONDS = 90.0  # long enough for sparklines, and for a held GPU to be called idle
FOLLOWED = "mistral-sft-r13"


class Backend(httpx.AsyncBaseTransport):
    """Hands requests to a simulated dashboard without a network."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask it."""
        url = request.url
        pairs = tuple(parse_qsl(url.query.decode(), keep_blank_values=True))
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.aread()
        answer = await self._dashboard.handle(
            Request(request.method, url.path, url.raw_path.decode(), pairs, headers, body)
        )
        if isinstance(answer, Stream):
            return httpx.Response(200, headers={"Content-Type": "text/plain"}, stream=_Chunks(answer.chunks))
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        kind = answer.content_type or ("text/plain" if isinstance(answer.body, bytes) else "application/json")
        # As a stream: what was read whole cannot be read again in pieces.
        return httpx.Response(answer.status, headers={"Content-Type": kind}, stream=httpx.ByteStream(content))


class _Chunks(httpx.AsyncByteStream):
    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            yield chunk


def simulated_client() -> tuple[RayClient, SharedClock]:
    """A client of the simulated cluster, and the clock that moves both."""
    cluster = SimCluster(PLAN)
    endpoint = Endpoint(address=parse_address(ADDRESS), token=Secret(TOKEN))
    transport = Transport(endpoint, backend=Backend(Dashboard(cluster, token=TOKEN)))
    return RayClient(transport), SharedClock(cluster.clock)


async def look_around(driver: Driver) -> None:
    """Show every pane for a while, as somebody would who records what they see."""
    await driver.press("3")
    await driver.elapse(SECONDS)
    await driver.press("4", "2")
    await driver.jobs.select(FOLLOWED)
    await driver.press("l")
    await driver.wait_until(lambda: bool(driver.log.status.bytes), "the log")
    await driver.press("2")


async def write_recording(path: Path) -> None:
    """Record a session of the cockpit to a file."""
    client, clock = simulated_client()

    def failed(error: UsageError) -> None:
        raise error

    recorded, recorder = record(client, path, failed=failed, clock=clock)
    try:
        async with cockpit_on(opener_of(recorded, clock, name=NAME), clock=clock) as driver:
            await driver.wait_until(lambda: driver.app.cluster is not None, "the cluster")
            await look_around(driver)
    finally:
        recorder.close()
