"""A session that is recorded: a scripted cluster, and the time in the test's hand."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.errors import (
    UsageError,
)
from cockpit.feeds.clock import ManualClock
from cockpit.feeds.recording import record
from cockpit.model.secret import Secret
from tests.scripted import ScriptedTransport

WALL = 1_795_000_000.0
JOBS_PATH = "/api/jobs/"
LOG = LogFile(node_id="node-1", filename="job-driver-j1.log")
TOKEN = "token-0123456789abcdef0123456789abcdef"


class Session:
    """A session that is recorded: a scripted cluster, the client that records, and the time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.transport = ScriptedTransport()
        endpoint = msgspec.structs.replace(self.transport.endpoint, token=Secret(TOKEN))
        self.transport.endpoint = endpoint
        self.clock = ManualClock(WALL, steady=500.0)
        self.problems: list[UsageError] = []
        self.client, self.recorder = record(self.transport.client, path, failed=self.problems.append, clock=self.clock)

    async def jobs(self, at: float, *ids: str, **fields: object) -> None:
        """Ask for the list at a time of the recording."""
        self.transport.answers[JOBS_PATH] = [{"submission_id": name, **fields} for name in ids]
        self.at(at)
        await self.client.jobs.list()

    def at(self, offset: float) -> None:
        """Move to a time of the recording."""
        self.clock.advance(500.0 + offset - self.clock.now().steady)

    async def read_log(self, chunks: list[tuple[float, bytes]], *, lines: int = -1, endless: bool = True) -> None:
        """Read a log whose pieces come at these times."""
        kind = "stream" if endless else "file"
        self.transport.answers[f"/api/v0/logs/{kind}"] = [chunk for _, chunk in chunks]
        async with self.client.logs.open(LOG, lines=lines, endless=endless) as received:
            for at, _ in chunks:
                self.at(at)
                await anext(received)

    def written(self) -> list[dict[str, Any]]:
        """The lines of the file as it is now."""
        self.recorder.close()
        return [json.loads(line) for line in gzip.decompress(self.path.read_bytes()).splitlines()]


async def listed(client: RayClient) -> list[str | None]:
    return [job.id for job in (await client.jobs.list()).rows]


async def log_of(client: RayClient, *, lines: int = -1) -> bytes:
    async with client.logs.open(LOG, lines=lines) as chunks:
        return b"".join([chunk async for chunk in chunks])
