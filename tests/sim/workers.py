"""Worker processes of the simulated nodes, as a raylet tells of them."""

from collections.abc import Sequence
from typing import Any, Protocol

from tests.sim.gpus import Held, held_on
from tests.sim.jobs import SimJob
from tests.sim.plan import Plan

NO_ACTOR = "f" * 32
SERVER_JOB = "01000000"  # the job server itself, which owns what nobody uses
IDLE_WORKERS = 3


class Host(Protocol):
    """What workers need to know of their node."""

    plan: Plan
    number: int
    ip: str


def actor_id(plan: Plan, job: SimJob, worker: object) -> str:
    """The id of the actor that a job's worker is."""
    return plan.hex_id(24, "actor", job.id, worker) + (job.job_id or SERVER_JOB)


def worker_rows(host: Host, jobs: Sequence[SimJob]) -> list[dict[str, Any]]:
    """The entries in `raylet.coreWorkersStats`: drivers, workers with their shares, and some that are idle."""
    drivers = [_driver(host, job) for job in jobs if job.job_id is not None and job.node == host.number]
    workers = [_worker(host, held) for held in held_on(host.number, jobs)]
    return [*drivers, *workers, *(_idle(host, number) for number in range(IDLE_WORKERS))]


def _worker(host: Host, held: Held) -> dict[str, Any]:
    job, plan = held.job, host.plan
    gpu = {"slot": str(held.share.gpu), "allocation": held.share.part}
    cpu = {"slot": "0", "allocation": 1.0}
    return _row(
        host,
        actorId=actor_id(plan, job, held.worker) if job.kind.actor else NO_ACTOR,
        jobId=job.job_id or SERVER_JOB,
        workerId=plan.hex_id(56, "worker", job.id, held.worker),
        pid=held.pid,
        usedResources={"GPU": {"resourceSlots": [gpu]}, "CPU": {"resourceSlots": [cpu]}},
        numExecutedTasks=3,
        numRunningTasks="1",
    )


def _driver(host: Host, job: SimJob) -> dict[str, Any]:
    job_id = job.job_id or ""
    return _row(host, jobId=job_id, workerId=job_id + "f" * 48, pid=job.pid, workerType="DRIVER")


def _idle(host: Host, number: int) -> dict[str, Any]:
    worker_id = host.plan.hex_id(56, "idle", host.number, number)
    return _row(host, jobId=SERVER_JOB, workerId=worker_id, pid=3_000 + number, numExecutedTasks=12)


def _row(host: Host, **fields: Any) -> dict[str, Any]:
    return {
        "ipAddress": host.ip,
        "port": "10042",
        "actorId": NO_ACTOR,
        "numExecutedTasks": 0,
        "numPendingTasks": 0,
        "numObjectRefsInScope": 0,
        "usedResources": {},
        "numInPlasma": 0,
        "numLocalObjects": 0,
        "usedObjectStoreMemory": "0",
        "taskQueueLength": 0,
        "objectRefs": [],
        "language": "PYTHON",
        "workerType": "WORKER",
        "objectsTotal": "0",
        "numOwnedObjects": "0",
        "numOwnedActors": "0",
        "numRunningTasks": "0",
        "numInFlightArgPinningRequests": "0",
        "numOfFailedArgPinningRequests": "0",
        **fields,
    }
