"""Ray's dashboard over HTTP, its calls grouped by what they are about.

The facts behind each call were measured on Ray 2.60; what an older Ray lacks is said where it matters.
"""

from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from cockpit.clients.ray.http import DashboardHttp
from cockpit.clients.ray.jobs import JobsApi
from cockpit.clients.ray.logs import LogsApi
from cockpit.clients.ray.nodes import NodesApi
from cockpit.clients.ray.state import StateApi
from cockpit.clients.transport import Endpoint, Transport
from cockpit.errors import NotRayError
from cockpit.model.cluster import Version

if TYPE_CHECKING:
    from cockpit.clients.ray.data import DataApi
    from cockpit.clients.ray.events import EventsApi
    from cockpit.clients.ray.packages import PackagesApi
    from cockpit.clients.ray.profiling import ProfilingApi
    from cockpit.clients.ray.scheduling import SchedulingApi
    from cockpit.clients.ray.serve import ServeApi
    from cockpit.clients.ray.train import TrainApi
    from cockpit.clients.ray.workloads import WorkloadsApi


class RayClient:
    """Typed calls to one Ray dashboard; use as an async context manager, or call `close`.

    Every call may raise UnreachableError, NotRayError, ServerError or AuthenticationError; others are named.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.http = DashboardHttp(transport)
        self.jobs = JobsApi(self.http)
        self.nodes = NodesApi(self.http)
        self.state = StateApi(self.http)
        self.logs = LogsApi(self.http, self.jobs.whole_log, self.state)

    # What most commands and the first frame do not need is imported when it is wanted.

    @cached_property
    def data(self) -> "DataApi":
        """Datasets."""
        from cockpit.clients.ray.data import DataApi

        return DataApi(self.http)

    @cached_property
    def events(self) -> "EventsApi":
        """What happened."""
        from cockpit.clients.ray.events import EventsApi

        return EventsApi(self.http, self.state, self.workloads)

    @cached_property
    def packages(self) -> "PackagesApi":
        """What is uploaded."""
        from cockpit.clients.ray.packages import PackagesApi

        return PackagesApi(self.http)

    @cached_property
    def profiling(self) -> "ProfilingApi":
        """Stacks, profiles and timelines."""
        from cockpit.clients.ray.profiling import ProfilingApi

        return ProfilingApi(self.http)

    @cached_property
    def scheduling(self) -> "SchedulingApi":
        """What waits, and for what."""
        from cockpit.clients.ray.scheduling import SchedulingApi

        return SchedulingApi(self.http, self.state)

    @cached_property
    def serve(self) -> "ServeApi":
        """Applications of Ray Serve."""
        from cockpit.clients.ray.serve import ServeApi

        return ServeApi(self.http)

    @cached_property
    def train(self) -> "TrainApi":
        """Runs of Ray Train."""
        from cockpit.clients.ray.train import TrainApi

        return TrainApi(self.http)

    @cached_property
    def workloads(self) -> "WorkloadsApi":
        """Actors, tasks and placement groups."""
        from cockpit.clients.ray.workloads import WorkloadsApi

        return WorkloadsApi(self.state)

    @classmethod
    def at(cls, endpoint: Endpoint) -> Self:
        """A client of the dashboard at `endpoint`; nothing is sent yet."""
        return cls(Transport(endpoint))

    @property
    def address(self) -> str:
        """The dashboard's address as text."""
        return self.http.address

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self.transport.close()

    async def version(self) -> Version:
        """Ray's version and the name of the head's session."""
        return await self.http.version()

    async def authentication_mode(self) -> str | None:
        """`disabled`, `token` or `k8s`; None on a Ray before 2.52, which does not know authentication.

        The path is public: it answers without a token.
        """
        try:
            body = await self.http.get("/api/authentication_mode")
        except NotRayError:
            await self.version()
            return None
        return self.http.decode(body, _AuthenticationMode).authentication_mode


class _AuthenticationMode(msgspec.Struct):
    authentication_mode: str | None = None
