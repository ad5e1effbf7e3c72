"""The simulated cluster: its jobs and nodes at a time, and what becomes of requests that change it."""

from datetime import UTC, datetime
from typing import Any

from tests.sim.clock import SimClock
from tests.sim.gpus import held_on, worker_pid
from tests.sim.jobs import SimJob, details
from tests.sim.libraries import Libraries
from tests.sim.logs import JobLog, NodeFile, log_name
from tests.sim.machines import Machine
from tests.sim.plan import Plan
from tests.sim.population import populated, submitted
from tests.sim.workers import SERVER_JOB, actor_id
from tests.sim.workloads import Workloads

LEAST_DEAD = 3  # a cluster of fewer nodes has no dead one
MESSAGE_LINES = 10

RAYLET = "raylet.out"


class SimCluster:
    """A head with its nodes, jobs and packages. `restart` puts another head in its place, which knows no jobs."""

    def __init__(self, plan: Plan | None = None, *, clock: SimClock | None = None) -> None:
        self.plan = plan or Plan()
        self.clock = clock or SimClock(self.plan.origin)
        self.packages: dict[str, bytes] = {}
        self.workloads = Workloads(self)
        self.libraries = Libraries(self)
        self._begin(self.plan.origin - 6.1 * 86_400, populated(self.plan))

    def _begin(self, moment: float, jobs: list[SimJob]) -> None:
        self.session = f"session_{datetime.fromtimestamp(moment, UTC):%Y-%m-%d_%H-%M-%S}_775059_20033"
        self.jobs = jobs
        self.machines = [Machine(self.plan, number, session=self.session) for number in range(self.plan.nodes)]
        if self.plan.nodes >= LEAST_DEAD:
            self.machines.append(Machine(self.plan, self.plan.nodes, session=self.session, is_dead=True))
        self._logs: dict[str, JobLog] = {}
        self._tails: dict[str, str] = {}
        self._submissions = 0

    def restart(self) -> None:
        """Another head: a new session, new node ids, no jobs, no packages."""
        self.packages = {}
        self._begin(self.clock.now(), [])

    @property
    def head(self) -> Machine:
        """The node that the dashboard runs on."""
        return self.machines[0]

    def running(self) -> list[SimJob]:
        """The jobs that have workers now."""
        now = self.clock.now()
        return [job for job in self.jobs if job.is_running(now)]

    def find(self, job_id: str) -> SimJob | None:
        """A job by submission id or job id."""
        return next((job for job in self.jobs if job_id in (job.submission_id, job.job_id)), None)

    def details(self, job: SimJob, *, redact: bool) -> dict[str, Any]:
        """What is said of a job now."""
        now, machine = self.clock.now(), self.machines[job.node]
        tail = self._last_words(job) if job.mishap is not None and job.is_terminal(now) else ""
        return details(job, now, place=(machine.node_id, machine.ip), log_tail=tail, redact=redact)

    def _last_words(self, job: SimJob) -> str:
        if job.id not in self._tails:
            self._tails[job.id] = self.log(job).tail(self.clock.now(), MESSAGE_LINES)
        return self._tails[job.id]

    def submit(self, fields: dict[str, Any]) -> SimJob:
        """Take a job; one that asks for more GPUs than are free waits for ever."""
        self._submissions += 1
        number = self._submissions
        job = submitted(self.plan, fields, now=self.clock.now(), number=number, pid=500_000 + number)
        wanted = fields.get("entrypoint_num_gpus") or 0
        total = sum(machine.resources().get("GPU", 0.0) for machine in self.machines if not machine.is_dead)
        taken = sum(machine.used(self.running()).get("GPU", 0.0) for machine in self.machines)
        if wanted > total - taken:
            job.started = job.ends = None
        self.jobs.append(job)
        return job

    def delete(self, job: SimJob) -> None:
        """Forget a job; its log stays."""
        self.jobs.remove(job)
        self._tails.pop(job.id, None)

    def log(self, job: SimJob) -> JobLog:
        """The log of a job."""
        if job.id not in self._logs:
            self._logs[job.id] = JobLog(self.plan, job, self.session)
        return self._logs[job.id]

    def log_file(self, node_id: str, filename: str) -> JobLog | NodeFile | None:
        """A log by where it lies; None where there is no such file now."""
        alive = any(machine.node_id == node_id and not machine.is_dead for machine in self.machines)
        if alive and filename == RAYLET:
            return NodeFile(self.plan.origin - 3600.0)
        if alive and filename in self.worker_log_names(node_id):
            return NodeFile(self.plan.origin - 3600.0, "worker: at work")
        for job in self.jobs:
            if not job.is_driver and filename == log_name(job) and self.machines[job.node].node_id == node_id:
                return self.log(job) if self.log(job).tail(self.clock.now(), 1) else None
        return None

    def log_names(self, node_id: str) -> list[str]:
        """The job logs on a node."""
        here = [job for job in self.jobs if not job.is_driver and self.machines[job.node].node_id == node_id]
        return [log_name(job) for job in here if job.started is not None]

    def worker_log_names(self, node_id: str) -> list[str]:
        """The files of the workers that hold GPUs of a node."""
        number = next((machine.number for machine in self.machines if machine.node_id == node_id), None)
        return [
            f"worker-{self.plan.hex_id(56, 'worker', held.job.id, held.worker)}-{held.job.job_id}-{held.pid}.out"
            for held in (held_on(number, self.running()) if number is not None else ())
        ]

    def nodes(self) -> dict[str, Any]:
        """`data` of `/nodes?view=summary`."""
        now, jobs = self.clock.now(), self.running()
        living = [machine for machine in self.machines if not machine.is_dead]
        return {
            "summary": [machine.summary([] if machine.is_dead else jobs, now) for machine in self.machines],
            "nodeLogicalResources": {machine.node_id: machine.logical(jobs) for machine in living},
        }

    def usage_by_node(self) -> dict[str, dict[str, list[float]]]:
        """Used and total by node id and by Ray's own names of resources."""
        jobs = self.running()
        return {
            machine.node_id: {
                name: [machine.used(jobs).get(name, 0.0), total] for name, total in machine.resources().items()
            }
            for machine in self.machines
            if not machine.is_dead
        }

    def actors(self) -> list[dict[str, Any]]:
        """Every actor, those of Ray's job server too, sorted by id as Ray does."""
        now = self.clock.now()
        rows = [row for job in self.jobs for row in self._actors_of(job, is_alive=job.is_running(now))]
        return sorted(rows, key=lambda row: str(row["actor_id"]))

    def _actors_of(self, job: SimJob, *, is_alive: bool) -> list[dict[str, Any]]:
        state = "ALIVE" if is_alive else "DEAD"
        rows = []
        if not job.is_driver and job.started is not None:
            supervisor = self._actor(job, "JobSupervisor", "supervisor", state, job.node, job.pid - 1)
            supervisor |= {"job_id": SERVER_JOB, "name": f"_ray_internal_job_actor_{job.submission_id}"}
            supervisor["ray_namespace"] = "SUPERVISOR_ACTOR_RAY_NAMESPACE"
            rows.append(supervisor)
        if job.kind.actor and is_alive:
            rows += [
                self._actor(job, job.kind.actor, index, state, share.node, worker_pid(job, index))
                for index, share in enumerate(job.shares)
            ]
        return rows

    def _actor(self, job: SimJob, name: str, index: object, state: str, node: int, pid: int) -> dict[str, Any]:
        return {
            "actor_id": actor_id(self.plan, job, index),
            "class_name": name,
            "state": state,
            "job_id": job.job_id or SERVER_JOB,
            "name": "",
            "node_id": self.machines[node].node_id,
            "pid": pid,
            "ray_namespace": self.plan.hex_id(36, "namespace", job.id),
        }
