"""What a log belongs to, and whether more of it is to come."""

import asyncio
from typing import Protocol

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.errors import NotFoundError, NotRayError, RejectedError, UnreachableError
from cockpit.feeds.job_watch import COST_FACTOR, LONGEST_POLL_SECONDS, POLL_SECONDS, JobWatch
from cockpit.model.jobs import Job

OWNER_SECONDS = 2.0
NODE_SECONDS = 10.0


class LogState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a log now: where it is (None: nowhere yet), and whether its writer has ended.

    `words` says what its writer is doing. `job` is the job whose log it is, if it is one.
    """

    file: LogFile | None
    is_over: bool = False
    words: str = ""
    job: Job | None = None


class LogSource(Protocol):
    """Something that has a log: a job, an actor, a task, or a node with files."""

    client: RayClient
    can_stream: bool
    """Whether Ray follows it; otherwise it is read again and again."""

    @property
    def interval(self) -> float:
        """Seconds to wait before the next `look`."""

    @property
    def has_answered(self) -> bool:
        """Whether the cluster was there once."""

    async def look(self) -> LogState:
        """Ask how it is. Raises NotFoundError where it is gone, and what the client raises."""


class JobLog:
    """The log of a submitted job. `look` raises RejectedError for a driver, for which Ray keeps no log."""

    can_stream = True

    def __init__(self, client: RayClient, job_id: str) -> None:
        self.client = client
        self._watch = JobWatch(client, job_id)

    @property
    def interval(self) -> float:
        """What the last answer cost decides."""
        return self._watch.interval

    @property
    def has_answered(self) -> bool:
        """Whether the job was seen."""
        return self._watch.job is not None

    async def look(self) -> LogState:
        """Ask for the job."""
        job = await self._watch.poll()
        if job.is_driver:
            raise _no_log_of_driver(job)
        file = None
        if job.driver_node_id:
            file = LogFile(node_id=job.driver_node_id, filename=f"job-driver-{job.submission_id}.log")
        return LogState(file=file, is_over=job.is_terminal, words=f"Job {job.id} is {job.status}", job=job)


class _Owned:
    """What actors, tasks and nodes have in common: a pause that follows from what the last answer cost."""

    can_stream = True
    shortest = OWNER_SECONDS

    def __init__(self, client: RayClient, file: LogFile) -> None:
        self.client = client
        self.file = file
        self.has_answered = False
        self.interval = max(POLL_SECONDS, self.shortest)

    async def look(self) -> LogState:
        """Ask how it is."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        state = await self._look()
        self.interval = min(LONGEST_POLL_SECONDS, max(self.shortest, COST_FACTOR * (clock() - begun)))
        self.has_answered = True
        return state

    async def _look(self) -> LogState:
        raise NotImplementedError


class ActorLog(_Owned):
    """What an actor prints; `suffix` is `out` or `err`."""

    def __init__(self, client: RayClient, actor_id: str, *, suffix: str = "out") -> None:
        super().__init__(client, LogFile(actor_id=actor_id, suffix=suffix))

    async def _look(self) -> LogState:
        actor = await self.client.state.actor(self.file.actor_id)
        return LogState(
            file=self.file if actor.node_id or actor.is_over else None,
            is_over=actor.is_over,
            words=f"Actor {self.file.actor_id} is {actor.state or 'in no known state'}",
        )


class TaskLog(_Owned):
    """What a task prints: a part of its worker's file, of which Ray knows the end once the task has ended.

    It is never streamed: a stream goes on beyond that end, into what the worker prints next.
    """

    can_stream = False

    def __init__(self, client: RayClient, task_id: str, *, suffix: str = "out") -> None:
        super().__init__(client, LogFile(task_id=task_id, suffix=suffix))

    async def _look(self) -> LogState:
        task = await self.client.state.task(self.file.task_id)
        return LogState(
            file=self.file if task.node_id else None,
            is_over=task.is_over,
            words=f"Task {self.file.task_id} is {task.state or 'in no known state'}",
        )


class NodeLog(_Owned):
    """A file among the logs of a node; when it ends is not known."""

    shortest = NODE_SECONDS

    def __init__(self, client: RayClient, node_id: str, filename: str) -> None:
        super().__init__(client, LogFile(node_id=node_id, filename=filename))

    async def _look(self) -> LogState:
        if ".." in self.file.filename.split("/") or self.file.filename.startswith("/"):
            raise NotFoundError(f"There is no {self.file.name}: it would lie outside of the logs.")
        try:
            found = await self.client.logs.files(self.file.node_id, glob=_literal(self.file.filename))
        except NotFoundError:
            if not self.has_answered:
                raise
            return LogState(file=self.file, is_over=True, words=f"Node {self.file.node_id[:12]} is gone")
        if not any(self.file.filename in names for names in found.values()):
            raise NotFoundError(f"There is no {self.file.name}.")
        return LogState(file=self.file, words=f"{self.file.filename} on node {self.file.node_id[:12]}")


def source_of(client: RayClient, file: LogFile) -> LogSource:
    """What a log belongs to if not to a job."""
    if file.actor_id:
        return ActorLog(client, file.actor_id, suffix=file.suffix)
    if file.task_id:
        return TaskLog(client, file.task_id, suffix=file.suffix)
    return NodeLog(client, file.node_id, file.filename)


def is_hopeless(source: LogSource, error: UnreachableError) -> bool:
    """Whether waiting is pointless: what answers was never a Ray dashboard."""
    return isinstance(error, NotRayError) and not source.has_answered


def _literal(name: str) -> str:
    """A glob that means this name alone."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


def _no_log_of_driver(job: Job) -> RejectedError:
    where = f" (node {job.driver_info.node_ip_address}, pid {job.driver_info.pid})" if job.driver_info else ""
    return RejectedError(
        f"Job {job.id} is a driver that was not submitted as a job: Ray keeps no log of it.",
        hint=f"Its output is where it was started{where}.",
    )
