"""Asking for one job again and again until it has ended."""

import asyncio

from cockpit.clients.ray import RayClient
from cockpit.errors import JobLostError, NotFoundError, NotRayError, UnreachableError
from cockpit.feeds.patience import Patience
from cockpit.model.jobs import Job

POLL_SECONDS = 1.0
LONGEST_POLL_SECONDS = 30.0
COST_FACTOR = 20  # the next poll waits at least this many times what the last one took


class JobWatch:
    """Polls one job; knows a restarted head, which has forgotten it, from a job that never was."""

    def __init__(self, client: RayClient, job_id: str) -> None:
        self._client = client
        self._job_id = job_id
        self._session: str | None = None
        self.job: Job | None = None
        self.interval = POLL_SECONDS

    async def poll(self) -> Job:
        """The job as it is now. Raises JobLostError where the head was restarted and has forgotten it."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            self.job = await self._client.jobs.get(self._job_id)
        except NotFoundError as error:
            if self.job is None:
                raise
            raise await self._lost(error) from error
        self.interval = min(LONGEST_POLL_SECONDS, max(POLL_SECONDS, COST_FACTOR * (clock() - begun)))
        if self._session is None:
            self._session = (await self._client.version()).session_name
        return self.job

    async def _lost(self, error: NotFoundError) -> NotFoundError | JobLostError:
        session = (await self._client.version()).session_name
        if session == self._session:
            return NotFoundError(f"Job {self._job_id} was deleted while it was watched.", detail=error.detail)
        return JobLostError(
            f"The cluster was restarted and has forgotten job {self._job_id}.",
            detail=f"session {self._session} became {session}",
            hint="Submit it again.",
        )

    async def until_terminal(self, patience: Patience) -> Job:
        """Poll until the job has ended, through outages as long as `patience` allows."""
        while True:
            job = await self.poll_through(patience)
            if job.is_terminal:
                return job
            await asyncio.sleep(self.interval)

    async def poll_through(self, patience: Patience) -> Job:
        """Poll until there is an answer, through an outage as long as `patience` allows."""
        while True:
            try:
                job = await self.poll()
            except UnreachableError as error:
                if isinstance(error, NotRayError) and self.job is None:
                    raise
                await patience.failed(error)
            else:
                patience.succeeded()
                return job
