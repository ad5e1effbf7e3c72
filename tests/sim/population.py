"""Who works on the simulated cluster: jobs that run now, wait, or are over."""

from collections.abc import Iterator
from typing import Any

import msgspec

from tests.sim import work
from tests.sim.jobs import START_SECONDS, SUBMITTED, Share, SimJob, life_of
from tests.sim.plan import Plan
from tests.sim.work import Kind

HOUR = 3600.0
DAYS = 3.0
CONNECTLESS = (work.SMOKE, work.EXPORT)  # kinds whose command never calls `ray.init`
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


class FreeGpus:
    """The GPUs of the living nodes that nobody holds yet, handed out in order."""

    def __init__(self, plan: Plan) -> None:
        self._free = [(node, gpu) for node in range(plan.nodes) for gpu in range(plan.gpus)]
        self._all = len(self._free)

    @property
    def is_roomy(self) -> bool:
        """Whether more than a quarter is free."""
        return len(self._free) * 4 > self._all

    def take(self, count: int, part: float) -> tuple[Share, ...]:
        """Shares for so many workers, several to a GPU where the part allows; none where there is no room."""
        per_gpu = max(1, int(1 / part)) if part else 1
        wanted = -(-count // per_gpu)
        # A few are never given away.
        if not wanted or not part or wanted > len(self._free) - self._all // 16:
            return ()
        taken, self._free = self._free[:wanted], self._free[wanted:]
        slots = [place for place in taken for _ in range(per_gpu)]
        return tuple(Share(node, gpu, part) for node, gpu in slots[:count])


def populated(plan: Plan) -> list[SimJob]:
    """All jobs of the plan, in no order that means anything."""
    writer = _Writer(plan)
    jobs = [*_running(plan, writer), *_waiting(plan, writer)][: plan.jobs]
    while len(jobs) < plan.jobs:
        jobs.append(_ended(plan, writer, len(jobs)))
    _number(jobs)
    return sorted(jobs, key=lambda job: plan.hex_id(8, "order", job.id))


def _number(jobs: list[SimJob]) -> None:
    """Give job ids in the order of time, to those that connect to Ray; 01000000 is the job server itself."""
    connected = sorted((job for job in jobs if job.kind not in CONNECTLESS), key=lambda job: job.created)
    for number, job in enumerate(connected, 2):
        if job.started is not None:
            job.job_id = number.to_bytes(4, "little").hex()


def _running(plan: Plan, writer: "_Writer") -> Iterator[SimJob]:
    """What runs at the origin: the usual round of work, and more of it while much of the cluster is free."""
    free = FreeGpus(plan)
    for turn in range(plan.nodes):
        for number, (kind, workers, hours) in enumerate(_roster(plan)):
            shares = free.take(workers, kind.share)
            if shares or not (workers or turn):
                is_driver = kind is work.NOTEBOOK
                yield writer.job(
                    kind, f"now-{turn}-{number}", hours_ago=hours + turn * 1.3, shares=shares, is_driver=is_driver
                )
        if not free.is_roomy:
            return


def _roster(plan: Plan) -> tuple[tuple[Kind, int, float], ...]:
    """Kinds, workers, and for how many hours they have run: two of them hold a GPU for nothing."""
    few, gpus = min(4, plan.gpus), min(96, plan.nodes * plan.gpus)
    return (
        (work.PRETRAIN, gpus // 3 // max(1, plan.gpus) * plan.gpus or 1, 2.07),
        (work.FINETUNE, plan.gpus, 0.7),
        (work.SERVE, 4, 41.0),
        (work.FORGOTTEN, 1, 5.2),
        (work.NOTEBOOK, 1, 7.9),
        (work.SWEEP, few, 1.4),
        (work.SWEEP, few, 0.9),
        (work.EVALUATE, 2, 0.25),
        (work.EMBED, 6, 0.4),
        (work.FINETUNE, plan.gpus, 3.1),
        (work.PRETRAIN, gpus // 6 // max(1, plan.gpus) * plan.gpus, 19.4),
        (work.PREPARE, 0, 0.6),
        (work.SMOKE, 0, 0.02),
    )


def _waiting(plan: Plan, writer: "_Writer") -> Iterator[SimJob]:
    for number, (kind, minutes) in enumerate(((work.SWEEP, 4.0), (work.PRETRAIN, 26.0), (work.FINETUNE, 1.5))):
        if plan.jobs >= 20 * (number + 1):
            job = writer.job(kind, f"waiting-{number}", hours_ago=minutes / 60)
            job.started, job.ends, job.asks_resources = None, None, True
            yield job


def _ended(plan: Plan, writer: "_Writer", number: int) -> SimJob:
    chance = plan.chance("ended", number)
    kind = chance.choice(work.PAST)
    minutes = chance.uniform(*kind.minutes)
    # More of them today than three days ago, and all over before the origin.
    hours = minutes / 60 + 0.05 + DAYS * 24 * chance.random() ** 1.7
    is_driver = number % 23 == 5 and kind not in CONNECTLESS
    job = writer.job(kind, f"past-{number}", hours_ago=hours, is_driver=is_driver)
    job.ends = job.created + minutes * 60
    if not is_driver:
        _decide(job, chance.random(), chance.choice(work.MISHAPS))
    return job


def _decide(job: SimJob, luck: float, mishap: work.Mishap) -> None:
    if luck < 0.06:
        job.outcome = "STOPPED"
    elif luck < 0.18:
        job.outcome, job.mishap = "FAILED", _fitting(job.kind, mishap)
        if job.mishap.exit_code is None:
            job.ends = job.created + (900.0 if "TIMEOUT" in job.mishap.error_type else 8.0)


def _fitting(kind: Kind, mishap: work.Mishap) -> work.Mishap:
    if kind is work.SMOKE:
        return work.BROKEN_TEST
    return work.NO_DATA if mishap.needs_gpu and not kind.share else mishap


class _Writer:
    """Fills in what every job has: ids, an owner, an environment, a place."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ids: set[str] = set()

    def job(
        self, kind: Kind, key: str, *, hours_ago: float, shares: tuple[Share, ...] = (), is_driver: bool = False
    ) -> SimJob:
        chance = self._plan.chance("job", key)
        number = chance.randrange(2, 97)
        created = self._plan.origin - hours_ago * HOUR
        owner = "ci" if kind is work.SMOKE else chance.choice(work.OWNERS)
        return SimJob(
            submission_id=None if is_driver else self._submission_id(kind, number, key),
            job_id=None,
            kind=kind,
            entrypoint=kind.entrypoint.replace("{n:05d}", f"{number:05d}").replace("{n}", str(number)),
            created=created,
            started=created + START_SECONDS,
            metadata=self._metadata(kind, owner, key),
            runtime_env=self._runtime_env(kind, key),
            node=shares[0].node if shares else chance.randrange(self._plan.nodes),
            pid=chance.randrange(4_000, 400_000),
            shares=shares,
        )

    def _submission_id(self, kind: Kind, number: int, key: str) -> str:
        chance = self._plan.chance("id", key)
        name = kind.submission_id.replace("{n:03d}", f"{number:03d}").replace("{n}", str(number))
        if not name or name in self._ids or chance.random() < 0.3:
            name = "raysubmit_" + "".join(chance.choices(LETTERS, k=16))
        self._ids.add(name)
        return name

    def _metadata(self, kind: Kind, owner: str, key: str) -> dict[str, str] | None:
        chance = self._plan.chance("metadata", key)
        if chance.random() < 0.08:
            return None
        metadata = {"owner": owner}
        if chance.random() < 0.6:
            metadata["job_name"] = kind.name
        if chance.random() < 0.25:
            metadata["team"] = chance.choice(work.TEAMS)
        return metadata

    def _runtime_env(self, kind: Kind, key: str) -> dict[str, Any] | None:
        chance = self._plan.chance("environment", key)
        if chance.random() < 0.1:
            return None
        environment: dict[str, Any] = {"working_dir": f"gcs://_ray_pkg_{self._plan.hex_id(16, 'package', key)}.zip"}
        if kind.share and chance.random() < 0.7:
            # Whatever shows one of these values anywhere has not masked it.
            names = chance.sample(("WANDB_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY"), 2)
            environment["env_vars"] = {name: f"sim-secret-{self._plan.hex_id(12, name, key)}" for name in names}
            environment["env_vars"]["NCCL_DEBUG"] = "WARN"
        if chance.random() < 0.3:
            environment["pip"] = {"packages": chance.sample(work.PACKAGES, 2), "pip_check": False}
        return environment


def submitted(plan: Plan, fields: dict[str, Any], *, now: float, number: int, pid: int) -> SimJob:
    """A job that somebody submits; the fields are those of the request (JobSubmitRequest, common.py)."""
    seconds, mishap = life_of(fields["entrypoint"])
    name = fields.get("submission_id") or "raysubmit_" + "".join(plan.chance("new", number).choices(LETTERS, k=16))
    gpus = float(fields.get("entrypoint_num_gpus") or 0)
    kind = msgspec.structs.replace(SUBMITTED, share=min(1.0, gpus), load=(60, 90), memory=0.4)
    wants = ("entrypoint_num_cpus", "entrypoint_num_gpus", "entrypoint_memory", "entrypoint_resources")
    return SimJob(
        submission_id=name,
        job_id=None,
        kind=kind,
        entrypoint=fields["entrypoint"],
        created=now,
        started=now + START_SECONDS,
        ends=now + START_SECONDS + seconds,
        outcome="FAILED" if mishap else "SUCCEEDED",
        mishap=mishap,
        metadata=fields.get("metadata"),
        runtime_env=fields.get("runtime_env"),
        pid=pid,
        asks_resources=any(fields.get(field) for field in wants),
    )
