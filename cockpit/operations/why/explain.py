"""Why one thing waits: about four cheap calls, each narrowed on the head, and then the engine in `model/why`."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from msgspec.structs import replace

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.clients.ray.scheduling import Grounds, PendingActor, PendingTask, runtime_env_of
from cockpit.errors import NotFoundError, RejectedError, ServerError
from cockpit.model.jobs import Job
from cockpit.model.placement_groups import PlacementGroup
from cockpit.model.serve import Application, Replica
from cockpit.model.why.amounts import lowered
from cockpit.model.why.causes import GIVES_UP_SECONDS, of_actor, of_job, of_task
from cockpit.model.why.facts import Asked, Demand, Offer, SetupLine, bundle_key
from cockpit.model.why.groups import of_group
from cockpit.model.why.placement import fit
from cockpit.model.why.verdicts import Cause, Explanation
from cockpit.operations.why.naming import with_names
from cockpit.operations.why.subjects import Subject, find_subject

SETUP_NODES = 3
SETUP_LINES = 5
MOST_SETUP_BYTES = 20_000


async def explain(client: RayClient, text: str) -> Explanation:
    """Why the thing with this ID waits. Raises NotFoundError."""
    return await explain_subject(client, await find_subject(client, text))


async def explain_subject(client: RayClient, subject: Subject) -> Explanation:
    """The same for an ID whose kind is known. Raises NotFoundError."""
    match subject.kind:
        case "actor":
            return await _explain_actor(client, subject.id)
        case "task":
            return await _explain_task(client, subject.id)
        case "placement-group":
            return await _explain_group(client, subject.id)
        case "replica":
            return await _explain_replica(client, subject.id)
        case "job":
            return await explain_job(client, subject.job or await client.jobs.get(subject.id))


async def explain_job(client: RayClient, job: Job) -> Explanation:
    """Why a job waits; nothing is asked about one that does not."""
    given_up = job.start_time / 1000 + GIVES_UP_SECONDS if job.status == "PENDING" and job.start_time else None
    if job.status != "PENDING" or not job.submission_id:
        cause = of_job(job, None, Asked(), ())
    else:
        grounds, supervisor = await asyncio.gather(
            client.scheduling.grounds(), client.scheduling.supervisor(job.submission_id)
        )
        asked = supervisor.asked if supervisor else Asked()
        asked = replace(asked, env=runtime_env_of(job.runtime_env))
        offers = await with_names(client, grounds.offers, [asked.demand])
        log = await _setup_line(client, asked, offers, supervisor.job_id if supervisor else None)
        cause = of_job(job, supervisor, asked, offers, log=log)
    return Explanation(id=job.id or "", kind="job", state=job.status, cause=cause, gives_up_at=given_up)


async def _explain_actor(client: RayClient, actor_id: str) -> Explanation:
    actor = await client.scheduling.actor(actor_id)
    if actor is None:
        raise NotFoundError(f"Actor {actor_id} not found.", hint="`rayakash-tui actors` lists the actors.")
    return Explanation(id=actor_id, kind="actor", state=actor.state, cause=await _cause_of_actor(client, actor))


async def _cause_of_actor(client: RayClient, actor: PendingActor) -> Cause:
    if actor.state in ("ALIVE", "DEAD") or (actor.pid and actor.state != "DEPENDENCIES_UNREADY"):
        return of_actor(actor, Asked(), ())
    if actor.state == "DEPENDENCIES_UNREADY":
        return of_actor(actor, Asked(), (), candidates=await _candidates(client, actor.job_id))
    grounds = await client.scheduling.grounds()
    if cause := await _cause_of_pending_group(client, actor.placement_group_id, grounds):
        return cause
    offers = await with_names(client, grounds.offers, [actor.asked.demand])
    log = await _setup_line(client, actor.asked, offers, actor.job_id)
    return of_actor(actor, actor.asked, offers, log=log)


async def _explain_task(client: RayClient, task_id: str) -> Explanation:
    task = await client.scheduling.task(task_id)
    if task is None:
        raise NotFoundError(
            f"Task {task_id} not found.",
            hint="Ray hears of a task about a second after it starts, and forgets old ones.",
        )
    return Explanation(id=task_id, kind="task", state=task.state, cause=await _cause_of_task(client, task))


async def _cause_of_task(client: RayClient, task: PendingTask) -> Cause:
    if task.is_over or task.is_running:
        return of_task(task, Asked(), ())
    if task.actor_id and (actor := await client.scheduling.actor(task.actor_id)) and actor.state != "ALIVE":
        cause = await _cause_of_actor(client, actor)
        reason = lowered(cause.reason)
        return replace(cause, reason=f"Its actor {actor.name or actor.class_name} waits: {reason}")
    if task.state == "PENDING_ARGS_AVAIL":
        return of_task(task, Asked(), (), candidates=await _candidates(client, task.job_id, besides=task.task_id))
    if task.state != "PENDING_NODE_ASSIGNMENT":
        return of_task(task, Asked(), ())
    grounds = await client.scheduling.grounds()
    if unplaced := await _cause_of_pending_group(client, task.placement_group_id, grounds):
        return unplaced
    offers = await with_names(client, grounds.offers, [task.asked.demand])
    log = await _setup_line(client, task.asked, offers, task.job_id)
    return of_task(task, task.asked, offers, log=log)


async def _candidates(client: RayClient, job_id: str | None, *, besides: str | None = None) -> list[str]:
    """The tasks that a job runs: one of them makes what is waited for."""
    tasks = await client.scheduling.running_tasks(job_id) if job_id else ()
    return [
        task.name or task.func_or_class_name or "a task"
        for task in tasks
        if task.task_id != besides and not _is_driver(task.type)
    ]


def _is_driver(kind: str | None) -> bool:
    return kind == "DRIVER_TASK"


async def _cause_of_pending_group(client: RayClient, group_id: str | None, grounds: Grounds) -> Cause | None:
    """Why the placement group is not there inside which something waits; None where it has its nodes."""
    if not group_id or any(group_id in name for offer in grounds.offers for name in offer.total):
        return None
    group = await client.scheduling.group(group_id)
    if group is None or group.state == "CREATED":
        return None
    if group.state == "REMOVED":
        reason = f"Its placement group {group.name or group_id[:12]} was removed."
        return Cause(verdict="infeasible", reason=reason, short="its placement group was removed")
    cause = await _cause_of_group(client, group, grounds)
    reason = lowered(cause.reason)
    return replace(cause, reason=f"Its placement group {group.name or group_id[:12]} waits: {reason}")


async def _explain_group(client: RayClient, group_id: str) -> Explanation:
    group = await client.scheduling.group(group_id)
    if group is None:
        raise NotFoundError(
            f"Placement group {group_id} not found.", hint="`rayakash-tui placement-groups` lists placement groups."
        )
    is_waiting = group.state not in ("CREATED", "REMOVED")
    cause = (
        await _cause_of_group(client, group, await client.scheduling.grounds()) if is_waiting else of_group(group, ())
    )
    return Explanation(id=group_id, kind="placement-group", state=group.state, cause=cause)


async def _cause_of_group(client: RayClient, group: PlacementGroup, grounds: Grounds) -> Cause:
    bundles = group.bundles or ()
    demands = [Demand(resources=one.unit_resources or {}, labels=one.label_selector or {}) for one in bundles]
    offers = await with_names(client, grounds.offers, demands[:SETUP_NODES])
    key = bundle_key(one.unit_resources or {} for one in bundles)
    return of_group(group, offers, strategy=grounds.strategies.get(key))


async def _explain_replica(client: RayClient, text: str) -> Explanation:
    replica = _replica(list((await client.serve.list()).rows), text)
    state = replica.state
    if state != "STARTING" or not replica.actor_name:
        words = {"RUNNING": "The replica runs.", None: "Ray gives it no state."}
        reason = words.get(state, f"The replica is {(state or '').lower()}.")
        cause = Cause(verdict="not-pending" if state != "PENDING_MIGRATION" else "unknown", reason=reason, short="")
        return Explanation(id=text, kind="replica", state=state, cause=cause)
    actor = await client.scheduling.actor(replica.actor_id) if replica.actor_id else None
    actor = actor or await client.scheduling.waiting_actor(replica.actor_name)
    if actor is None:
        cause = Cause(verdict="unknown", reason="Serve has not made its actor yet.", short="being made")
    elif actor.state == "ALIVE":
        reason = f"Its process {actor.pid} is alive; the constructor or the first health check runs."
        cause = Cause(verdict="initializing", reason=reason, short="constructor runs")
    else:
        cause = await _cause_of_actor(client, actor)
    return Explanation(id=text, kind="replica", state=state, cause=cause)


def _replica(applications: Sequence[Application], text: str) -> Replica:
    """The replica named `APP/DEPLOYMENT#REPLICA`. Raises NotFoundError."""
    path, _, replica_id = text.partition("#")
    app, _, deployment = path.rpartition("/")
    for one in applications:
        found = one.deployments.get(deployment) if one.name == app else None
        for replica in (*found.replicas, *found.recent_dead_replicas) if found else ():
            if replica.replica_id == replica_id:
                return replica
    raise NotFoundError(f"Replica {text} not found.", hint="`rayakash-tui serve` lists applications and replicas.")


async def _setup_line(client: RayClient, asked: Asked, offers: Sequence[Offer], job_id: str | None) -> SetupLine | None:
    """The last line of the setup log of a node that has room; None where nothing is set up, or nothing is known."""
    roomy = [offer.node_id for offer in offers if fit(offer, asked.demand).verdict == "fits" and offer.node_id]
    if not asked.env.plugins or not job_id:
        return None
    for node_id in roomy[:SETUP_NODES]:
        file = LogFile(node_id=node_id, filename=f"runtime_env_setup-{job_id}.log")
        with suppress(NotFoundError, RejectedError, ServerError):
            if text := await _last_line(client, file):
                return SetupLine(text, node_id)
    return None


async def _last_line(client: RayClient, file: LogFile) -> str:
    held = bytearray()
    async with client.logs.open(file, lines=SETUP_LINES) as chunks:
        async for chunk in chunks:
            held += chunk
            if len(held) > MOST_SETUP_BYTES:
                break
    lines = [line.strip() for line in held.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
