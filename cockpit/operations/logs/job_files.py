"""The log files that a job wrote: its own, and those of its workers on every living node."""

from collections.abc import AsyncIterator

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError, UnreachableError
from cockpit.model.jobs import Job
from cockpit.operations.logs.node_logs import NodeFile, Workers, belongs_to, list_files, writer_of


class JobFiles:
    """Finds them; `missing` holds sentences about what could not be had."""

    def __init__(self, client: RayClient, job: Job) -> None:
        self._client = client
        self._job = job
        self._actors: dict[tuple[str, int], str] = {}
        self.missing: list[str] = []

    async def found(self) -> AsyncIterator[NodeFile]:
        """The job's own log first; of an actor's files the kind is its class.

        Raises what the client raises where the cluster does not answer at all.
        """
        job = self._job
        driver = f"job-driver-{job.submission_id}.log"
        if job.is_driver:
            self.missing.append(f"Ray keeps no log of {job.id} itself, a driver that was not submitted.")
        elif job.driver_node_id is None:
            self.missing.append(f"Job {job.id} has not run, so it has no log.")
        else:
            yield NodeFile(node_id=job.driver_node_id, kind="job", name=driver)
        if not job.job_id:
            self.missing.append("The job has not connected to Ray, so no workers of it are known.")
            return
        workers = await self._workers(job.job_id)
        for node in (await self._client.nodes.list()).rows:
            node_id = node.node_id or ""
            if not node.is_alive:
                self.missing.append(f"Node {node_id[:12]} ({node.ip or 'no address'}) is gone, and its logs with it.")
                continue
            for file in await self._files(node_id):
                if file.name != driver and belongs_to(file.name, job.job_id, workers.get(node_id, Workers())):
                    yield self._named(file)

    async def _files(self, node_id: str) -> list[NodeFile]:
        try:
            return await list_files(self._client, node_id)
        except (NotFoundError, UnreachableError) as error:
            self.missing.append(f"The logs of node {node_id[:12]} cannot be listed: {error.title}")
            return []

    def _named(self, file: NodeFile) -> NodeFile:
        """The file with the class of the actor that wrote it, if one did."""
        writer = writer_of(file.name)
        name = self._actors.get((file.node_id, writer.pid)) if writer else None
        return msgspec.structs.replace(file, kind=f"actor {name}") if name else file

    async def _workers(self, job_id: str) -> dict[str, Workers]:
        """The job's workers by node, as far as Ray still knows its actors and tasks."""
        ids: dict[str, set[str]] = {}
        pids: dict[str, set[int]] = {}
        try:
            actors = await self._client.state.actors_of(job_id)
            for actor in actors.rows:
                if actor.pid:
                    pids.setdefault(actor.node_id or "", set()).add(actor.pid)
                    self._actors[actor.node_id or "", actor.pid] = actor.class_name or ""
            tasks = await self._client.state.tasks_of(job_id)
            for task in tasks.rows:
                if task.worker_id:
                    ids.setdefault(task.node_id or "", set()).add(task.worker_id)
            if count := actors.unreadable + tasks.unreadable:
                of = count + len(actors.rows) + len(tasks.rows)
                self.missing.append(f"Not all workers of the job are known: {count} of {of} rows unreadable.")
        except (NotFoundError, UnreachableError) as error:
            self.missing.append(f"Not all workers of the job are known: {error.title}")
        return {
            node: Workers(frozenset(ids.get(node, ())), frozenset(pids.get(node, ()))) for node in ids.keys() | pids
        }
