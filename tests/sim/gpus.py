"""GPUs of the simulated nodes: who holds them, and how busy and warm they are."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from tests.sim.jobs import Share, SimJob
from tests.sim.plan import Plan

OUTSIDER = 999_999  # a process that Ray knows nothing of
EMPTY_MIB = 3


class Model(msgspec.Struct, frozen=True):
    """A kind of GPU: its name, Ray's name for it, memory in MiB, and watts idle and at work."""

    name: str
    accelerator: str
    memory: int
    idle_watts: int
    full_watts: int


H100 = Model("NVIDIA H100 80GB HBM3", "H100", 81_559, 72, 680)
A100 = Model("NVIDIA A100-SXM4-80GB", "A100", 81_920, 58, 385)


class Held(msgspec.Struct, frozen=True):
    """A share of a GPU, and which of a job's workers has it."""

    job: SimJob
    worker: int
    share: Share

    @property
    def pid(self) -> int:
        """The worker's process."""
        return worker_pid(self.job, self.worker)


class Host(Protocol):
    """What GPUs need to know of their node."""

    plan: Plan
    number: int
    model: Model

    def wave(self, what: object, tick: int) -> float:
        """Chance between 0 and 1 that belongs to a sample."""


def worker_pid(job: SimJob, worker: int) -> int:
    """The process of a job's worker."""
    return job.pid + 7 * (worker + 1)


def held_on(node: int, jobs: Sequence[SimJob]) -> list[Held]:
    """The shares of a node's GPUs."""
    return [Held(job, worker, share) for job in jobs for worker, share in enumerate(job.shares) if share.node == node]


def gpu_rows(host: Host, held: Sequence[Held], tick: int) -> list[dict[str, Any]]:
    """The entries in a node's `gpus`.

    Of the cluster's last GPU NVML says nothing, and on the one before sits somebody from outside of Ray, where they
    are free.
    """
    rows = [_row(host, gpu, [one for one in held if one.share.gpu == gpu], tick) for gpu in range(host.plan.gpus)]
    if host.number == host.plan.nodes - 1 and host.plan.gpus > 1 and not held:
        rows[-1] |= {"utilizationGpu": -1, "powerMw": None, "temperatureC": None}
        rows[-2] |= {"memoryUsed": 6_144, "processesPids": [_process(OUTSIDER, 6_141, 0)]}
    return rows


def _row(host: Host, gpu: int, held: Sequence[Held], tick: int) -> dict[str, Any]:
    model, flicker = host.model, host.wave(("flicker", gpu), tick)
    load = _load(host, held[0].job, gpu, tick) if held else 0
    taken = int(model.memory * (held[0].job.kind.memory + 0.02 * flicker)) if held else 0
    watts = model.idle_watts + load / 100 * (model.full_watts - model.idle_watts)
    return {
        "index": gpu,
        "name": model.name,
        "uuid": f"GPU-{host.plan.hex_id(8, 'uuid', host.number, gpu)}-0000-0000-0000-{gpu:012d}",
        "utilizationGpu": load,
        "memoryUsed": EMPTY_MIB + taken,
        "memoryTotal": model.memory,
        "processesPids": [_process(one.pid, taken // len(held), load // len(held)) for one in held],
        "powerMw": round(watts * 1000 + 900 * flicker),
        "temperatureC": round(29 + load * 0.36 + 3 * flicker),
    }


def _load(host: Host, job: SimJob, gpu: int, tick: int) -> int:
    """Utilisation in percent: it comes and goes over minutes, and flickers."""
    low, high = job.kind.load
    minutes = math.sin(6.3 * host.wave(("phase", gpu), 0) + tick / (4 + 20 * host.wave(("period", gpu), 0)))
    return round(low + (high - low) * (0.5 + 0.33 * minutes + 0.17 * (2 * host.wave(("load", gpu), tick) - 1)))


def _process(pid: int, memory: int, load: int) -> dict[str, int]:
    return {"pid": pid, "gpuMemoryUsage": memory, "gpuUtilization": load}
