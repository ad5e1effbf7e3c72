"""Which session of the head answers: a restarted head has another one, and has forgotten its jobs."""

import asyncio
from collections.abc import Callable

from cockpit.clients.ray import RayClient
from cockpit.model.cluster import Version


class SessionWatch:
    """Asks for the version, once however many want to know, and tells when the session's name changes.

    `/api/version` carries `session_name`, which changes when the head is restarted (ray-api section 6).
    """

    def __init__(self, client: RayClient, changed: Callable[[], None]) -> None:
        self._client = client
        self._changed = changed
        self._asking: asyncio.Task[Version] | None = None
        self.name: str | None = None

    async def ask(self) -> Version:
        """Ask now, or wait for the answer to a request that is on its way. Raises what the client raises."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(self._asked)
        return await asyncio.shield(self._asking)

    async def _ask(self) -> Version:
        version = await self._client.version()
        before, self.name = self.name, version.session_name or self.name
        if before is not None and before != self.name:
            self._changed()
        return version

    def _asked(self, task: asyncio.Task[Version]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # its waiters have it; there may be none left

    async def close(self) -> None:
        """Give up a request that is on its way."""
        if (task := self._asking) is not None:
            task.cancel()
            await asyncio.wait({task})
