"""Packages of a `working_dir` in the head's memory (ray-api section 1b)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

from cockpit.clients.ray.http import DashboardHttp
from cockpit.errors import NotFoundError

UPLOAD_CHUNK = 64 * 1024


class PackagesApi:
    """Calls below `/api/packages/gcs/`."""

    def __init__(self, http: DashboardHttp) -> None:
        self._http = http

    async def exists(self, name: str) -> bool:
        """Whether the cluster holds the package `name`; asking also keeps it there for 600 s."""
        try:
            await self._http.transport.request("GET", _path(name))
        except NotFoundError:
            return False
        return True

    async def put(self, name: str, path: Path) -> None:
        """Upload a zip file as the package `name`; Ray takes at most 104,857,600 bytes (413 beyond)."""
        size = (await asyncio.to_thread(path.stat)).st_size
        await self._http.transport.request(
            "PUT",
            _path(name),
            content=_file_chunks(path),
            headers={"Content-Length": str(size)},
            seconds=self._http.transport.timeouts.upload,
        )


def _path(name: str) -> str:
    return f"/api/packages/gcs/{quote(name, safe='')}"


async def _file_chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(UPLOAD_CHUNK):
            yield chunk
