"""Why a job, an actor or a task waits.

It checks in the order in which Ray proceeds: arguments, a node with room, a runtime environment, a
worker, the constructor. Nothing is claimed that the API does not tell: what is left over is `unknown`.
"""

import re
from collections.abc import Sequence

from cockpit.model.actors import Actor
from cockpit.model.jobs import Job
from cockpit.model.tasks import Task
from cockpit.model.why.amounts import joined
from cockpit.model.why.facts import Asked, Offer, RuntimeEnv, SetupLine
from cockpit.model.why.placement import fit, place
from cockpit.model.why.verdicts import Cause, NodeFit

GIVES_UP_SECONDS = 900.0  # RAY_JOB_START_TIMEOUT_SECONDS, unless the head was started with another value
MOST_NAMES = 3
_DOWNLOAD = re.compile(r"Downloading package from (\S+)")
_LINE_START = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+\s+(?:DEBUG|INFO|WARNING|ERROR)\s+\S+\s+--\s+")
# TaskStatus of common.proto, where the task has all that it needs but its own inputs or its turn.
_ARGUMENTS = {
    "PENDING_ARGS_AVAIL": "Waits for an argument that another task has not finished",
    "PENDING_ARGS_FETCH": "Its arguments are being copied to its node",
    "PENDING_ACTOR_TASK_ARGS_FETCH": "Its arguments are being copied to its actor",
    "GETTING_AND_PINNING_ARGS": "Its arguments are being copied to its node",
}
_TURNS = ("SUBMITTED_TO_WORKER", "PENDING_ACTOR_TASK_ORDERING_OR_CONCURRENCY")


def of_actor(
    actor: Actor, asked: Asked, offers: Sequence[Offer], *, log: SetupLine | None = None, candidates: Sequence[str] = ()
) -> Cause:
    """Why an actor has not started; `candidates` are the names of the tasks that its job runs."""
    if actor.state == "ALIVE":
        where = f" (pid {actor.pid})" if actor.pid else ""
        return Cause(verdict="not-pending", reason=f"The actor is alive{where}.", short="")
    if actor.state == "DEAD":
        cause = actor.death_cause
        words = ((cause.message or cause.reason or "") if cause else "").strip().splitlines()
        return Cause(verdict="not-pending", reason=f"The actor is dead{': ' + words[0] if words else '.'}", short="")
    if actor.state == "DEPENDENCIES_UNREADY":
        return _arguments("Its constructor waits for an argument that a task has not finished", candidates)
    if actor.pid:
        return Cause(
            verdict="initializing",
            reason=f"Its process {actor.pid} has started and runs __init__.",
            short=f"__init__ runs, pid {actor.pid}",
        )
    return of_demand(asked, offers, log=log)


def of_task(
    task: Task, asked: Asked, offers: Sequence[Offer], *, log: SetupLine | None = None, candidates: Sequence[str] = ()
) -> Cause:
    """Why a task has not started; one of an actor that waits itself is explained by `of_actor`."""
    state = task.state or ""
    if task.is_over or task.is_running:
        what = f"failed: {task.error_type}" if task.error_type else "finished" if task.is_over else "runs"
        pid = f" (pid {task.worker_pid})" if task.is_running and task.worker_pid else ""
        return Cause(verdict="not-pending", reason=f"The task {what}{pid}.", short="")
    if state in _ARGUMENTS:
        return _arguments(_ARGUMENTS[state], candidates if state == "PENDING_ARGS_AVAIL" else ())
    if state in _TURNS and task.actor_id:
        return Cause(
            verdict="busy",
            reason=f"Waits for its turn: actor {task.actor_id} is busy with other calls.",
            short="its actor is busy",
        )
    if state == "PENDING_OBJ_STORE_MEM_AVAIL":
        return Cause(
            verdict="busy",
            reason="Waits for memory in the object store of its node.",
            short="object store full",
        )
    if state == "PENDING_NODE_ASSIGNMENT" and not task.actor_id:
        return of_demand(asked, offers, log=log)
    return Cause(verdict="unknown", reason=f"Ray says {state or 'nothing'} and no more.", short=state.lower())


def of_demand(asked: Asked, offers: Sequence[Offer], *, log: SetupLine | None = None) -> Cause:
    """Why something that is to be placed on a node is not; where a node has room, what comes after that."""
    cause = place(asked.demand, offers)
    if cause is None:
        return _after_placement(tuple(fit(offer, asked.demand) for offer in offers), asked.env, log)
    return cause


def _after_placement(nodes: tuple[NodeFit, ...], env: RuntimeEnv, log: SetupLine | None) -> Cause:
    roomy = [one.offer.label for one in nodes if one.verdict == "fits"]
    where = f"{roomy[0]} has room" if len(roomy) == 1 else f"{len(roomy)} nodes have room"
    if not env.plugins:
        return Cause(
            verdict="unknown",
            reason=f"{where}: Ray is starting a worker, or decides within seconds.",
            short="a worker is starting",
            nodes=nodes,
        )
    last = _LINE_START.sub("", log.text).strip() if log else ""
    if (download := _DOWNLOAD.search(last)) and _is_of(download[1], env):
        return Cause(
            verdict="downloading",
            reason=f"{where}, and downloads {download[1].rstrip('.,')}.",
            short="downloading " + ("working_dir" if "working_dir" in env.plugins else "its code"),
            nodes=nodes,
        )
    said = f" Last line of the setup log, which its jobs share: {last}" if last else " Its setup log says nothing yet."
    return Cause(
        verdict="runtime-env",
        reason=f"{where}; Ray sets up the runtime environment ({joined(list(env.plugins))}) before it starts.{said}",
        short=f"setting up {joined(list(env.plugins))}",
        nodes=nodes,
    )


def _is_of(uri: str, env: RuntimeEnv) -> bool:
    """The log is shared by all jobs of a job manager: the download may be another's."""
    return any(uri.startswith(one) or one.startswith(uri.rstrip(".")) for one in env.uris)


def _arguments(reason: str, candidates: Sequence[str]) -> Cause:
    names = list(dict.fromkeys(candidates))
    if names:
        shown = joined(names[:MOST_NAMES] + ([f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []))
        reason += f"; Ray does not say which. Its job runs {shown}"
    return Cause(verdict="waiting-for-arguments", reason=f"{reason}.", short="waits for an argument")


def of_job(
    job: Job, supervisor: Actor | None, asked: Asked, offers: Sequence[Offer], *, log: SetupLine | None = None
) -> Cause:
    """Why a job has not started: why the actor that runs its entrypoint has not."""
    if job.status != "PENDING":
        state = (job.status or "unknown").lower()
        words = {"running": "The job runs", "succeeded": "The job succeeded", "unknown": "Ray gives it no status"}
        return Cause(verdict="not-pending", reason=f"{words.get(state, f'The job {state}')}.", short="")
    if supervisor is None or supervisor.state == "DEAD":
        return Cause(
            verdict="unknown",
            reason="Ray has accepted the job and has not asked for its resources yet.",
            short="accepted",
        )
    if supervisor.pid or supervisor.state == "ALIVE":
        return Cause(
            verdict="initializing",
            reason="Its resources are there; its supervisor starts the entrypoint.",
            short="starting",
        )
    return of_demand(asked, offers, log=log)
