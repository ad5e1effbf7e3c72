"""From a row of a table to the process behind it, and to its log."""

from typing import Any

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.errors import NotFoundError, RejectedError
from cockpit.model.actors import Actor
from cockpit.model.log_paths import below_logs
from cockpit.model.serve import ServeRow
from cockpit.model.tasks import Task
from cockpit.model.train import TrainRow
from cockpit.model.tune import TuneRow
from cockpit.model.workers import Worker
from cockpit.operations.profiling.targets import Target, find_target
from cockpit.operations.replica_logs import access_log


def label_of(item: Any) -> str:
    """What a row is called in the title of a page."""
    match item:
        case Actor():
            return item.name or item.class_name or item.actor_id or ""
        case Task():
            return item.name or item.task_id or ""
        case Worker():
            return f"worker {item.pid}"
        case TrainRow(worker=worker) if worker is not None:
            return f"rank {worker.world_rank} of {item.run.name or item.run.id}"
        case ServeRow() | TuneRow() | TrainRow():
            return str(item.key)
        case _:
            return ""


async def target_of(client: RayClient, item: Any) -> Target:
    """The process of an actor, a task, a worker, a replica, a rank or a trial; of a run its controller's, of a sweep
    its driver's. Raises NotFoundError, RejectedError where it has none.
    """
    if isinstance(item, Worker):
        return _process(item.node_id, item.pid if item.is_alive else None, label_of(item))
    wanted = _id_of(item)
    if wanted is None:
        raise RejectedError(f"{label_of(item)} has no process of its own.", hint="Choose a row below it.")
    return await find_target(client, wanted)


def _process(node_id: str | None, pid: int | None, label: str) -> Target:
    if not node_id or not pid:
        raise RejectedError(f"{label} has no living process.")
    return Target(label=label, node_id=node_id, pid=pid)


def _id_of(item: Any) -> str | None:
    match item:
        case Actor():
            return item.actor_id
        case Task():
            return item.task_id
        case ServeRow():
            return item.actor_id
        case TrainRow():
            return item.worker.actor_id if item.worker is not None else item.run.controller_actor_id
        case TuneRow():
            return item.actor.actor_id if item.actor is not None else item.job.id
        case _:
            return None


def log_of(item: Any) -> LogFile:
    """The log of an actor, a task, a replica (its requests), a rank or a trial. Raises NotFoundError."""
    match item:
        case Actor(actor_id=str(actor_id)):
            return LogFile(actor_id=actor_id)
        case Task(task_id=str(task_id)):
            return LogFile(task_id=task_id)
        case ServeRow(kind="replica"):
            return access_log(item)
        case TrainRow(worker=worker) if worker is not None:
            return _file(worker.node_id, worker.log_file_path, label_of(item))
        case TrainRow(run=run) if run.controller_actor_id:
            return LogFile(actor_id=run.controller_actor_id, suffix="err")
        case TuneRow(actor=Actor(actor_id=str(actor_id))):
            return LogFile(actor_id=actor_id)
        case TuneRow(job=job):
            return _file(job.driver_node_id, f"job-driver-{job.submission_id}.log", job.id or "")
        case _:
            raise NotFoundError(f"{label_of(item) or 'This row'} has no log of its own.", hint="Choose a row below it.")


def _file(node_id: str | None, path: str | None, label: str) -> LogFile:
    if not node_id or not path:
        raise NotFoundError(f"Ray does not say where the log of {label} is.")
    return LogFile(node_id=node_id, filename=below_logs(path))
