"""From an ID to the process behind it: an actor's, the one that runs a task, or the driver of a job."""

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError, RejectedError
from cockpit.model.jobs import Job
from cockpit.model.query import Query
from cockpit.operations.why.subjects import find_subject


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A process on a node; the task is set where one was asked for."""

    label: str
    node_id: str
    pid: int
    task_id: str | None = None
    attempt: int = 0


async def find_target(client: RayClient, text: str) -> Target:
    """The process that an ID of an actor, task or job means. Raises NotFoundError, RejectedError where it has none."""
    subject = await find_subject(client, text)
    if subject.kind == "actor":
        return await _actor(client, subject.id)
    if subject.kind == "task":
        return await _task(client, subject.id)
    if subject.kind == "job":
        return await _driver(client, subject.job or await client.jobs.get(subject.id))
    raise RejectedError(
        f"A {subject.kind.replace('-', ' ')} has no process of its own.", hint="Give the ID of an actor."
    )


async def _actor(client: RayClient, actor_id: str) -> Target:
    actor = await client.state.actor(actor_id)
    if actor.is_over:
        raise RejectedError(f"Actor {actor_id} is dead: it has no process.")
    # While __init__ runs Ray tells the process without its node.
    node_id = actor.node_id or (await _node_of(client, actor.pid) if actor.pid else None)
    if not actor.pid or not node_id:
        raise RejectedError(
            f"Actor {actor_id} has no process yet.", hint=f"Ask why it waits: rayakash-tui why {actor_id}"
        )
    return Target(label=actor.name or actor.class_name or actor_id, node_id=node_id, pid=actor.pid)


async def _node_of(client: RayClient, pid: int) -> str | None:
    """The node of the one living worker with this process ID; two nodes may have the same ones."""
    found = {worker.node_id for worker in (await client.workloads.workers(Query())).rows if worker.pid == pid}
    return found.pop() if len(found) == 1 else None


async def _task(client: RayClient, task_id: str) -> Target:
    task = await client.state.task(task_id)
    if not task.is_running or not task.node_id or not task.worker_pid:
        hint = "" if task.is_over else f"Ask why it waits: rayakash-tui why {task_id}"
        raise RejectedError(f"Task {task_id} does not run: it is {task.state}.", hint=hint)
    label = task.name or task.func_or_class_name or task_id
    attempt = task.attempt_number or 0
    return Target(label=label, node_id=task.node_id, pid=task.worker_pid, task_id=task_id, attempt=attempt)


async def _driver(client: RayClient, job: Job) -> Target:
    pid = job.driver_info.pid if job.driver_info else None
    if job.is_terminal or not pid:
        why = "has ended" if job.is_terminal else "has not called ray.init: Ray does not know its process"
        raise RejectedError(f"Job {job.id} {why}.")
    node_id = job.driver_node_id or await _node_at(client, job.driver_info.node_ip_address if job.driver_info else None)
    if node_id is None:
        raise NotFoundError(f"Ray does not say on which node the driver of job {job.id} runs.")
    return Target(label=f"driver of {job.id}", node_id=node_id, pid=pid)


async def _node_at(client: RayClient, ip: str | None) -> str | None:
    """The one living node with an address; where several share it, the driver may be on any of them."""
    found = [node.node_id for node in (await client.nodes.list()).rows if node.is_alive and node.ip == ip]
    return found[0] if len(found) == 1 else None


async def stack(client: RayClient, target: Target) -> str:
    """What every thread of a process does now."""
    if target.task_id is not None:
        return await client.profiling.task_stack(target.task_id, target.attempt, target.node_id)
    return await client.profiling.stack(target.node_id, target.pid)
