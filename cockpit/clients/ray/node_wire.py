"""The shape of `/nodes?view=summary`, and its translation into the model.

Keys arrive camel-cased, int64 as strings, memory of GPUs in MiB, and utilisation as -1 where NVML is silent
(ray-api section 3, measured on 2.60).
"""

import re
from functools import lru_cache
from math import isfinite
from typing import Any

import msgspec

from cockpit.clients.decoding import Number, Whole
from cockpit.model.nodes import Disk, Gpu, GpuHolder, GpuProcess, Node, Usage

MIB = 1024 * 1024
NO_ACTOR = "f" * 32

# An amount may be a rest such as 4.44e-16, which is what is left of sums of floats.
_AMOUNT = r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_USAGE_LINE = re.compile(rf"^\s*{_AMOUNT}/{_AMOUNT} ([^\s(]+)", re.MULTILINE)
_NAME_IN_LINE = re.compile(r"^\s*\S+/\S+ ([^\s(]+)", re.MULTILINE)
# Those that the text leaves out.
_OTHER_NAMES = ("object_store_memory", "node:__internal_head__")


class _Wire(msgspec.Struct, kw_only=True, rename="camel", gc=False):
    """Base of the structs that mirror a reply; none is part of a cycle, and garbage is not looked for in them."""


class WireProcess(_Wire):
    pid: Whole | None = None
    gpu_memory_usage: Number | None = None
    gpu_utilization: Number | None = None


class WireGpu(_Wire):
    index: Whole | None = None
    name: str | None = None
    uuid: str | None = None
    utilization_gpu: Number | None = None
    memory_used: Number | None = None
    memory_total: Number | None = None
    processes_pids: list[WireProcess] | None = None
    power_mw: Number | None = None
    temperature_c: Number | None = msgspec.field(name="temperatureC", default=None)


class WireSlot(_Wire):
    slot: Whole | None = None
    allocation: Number | None = None


class WireUsed(_Wire):
    resource_slots: list[WireSlot] | None = None


class WireWorker(_Wire):
    pid: Whole | None = None
    job_id: str | None = None
    actor_id: str | None = None
    used_resources: dict[str, WireUsed | None] | None = None


class WireRaylet(_Wire):
    node_id: str | None = None
    state: str | None = None
    state_message: str | None = None
    is_head_node: bool | None = None
    node_manager_address: str | None = None
    node_manager_hostname: str | None = None
    num_workers: Whole | None = None
    object_store_used_memory: Whole | None = None
    object_store_available_memory: Whole | None = None
    resources_total: dict[str, Number | None] | None = None
    labels: dict[str, str | None] | None = None
    core_workers_stats: list[WireWorker] | None = None


class WireDisk(_Wire):
    total: Whole | None = None
    used: Whole | None = None
    free: Whole | None = None
    percent: Number | None = None


class WireNode(_Wire):
    now: Number | None = None
    hostname: str | None = None
    ip: str | None = None
    cpu: Number | None = None
    cpus: list[Whole | None] | None = None
    mem: list[Number | None] | None = None
    shm: Whole | None = None
    load_avg: list[list[Number | None]] | None = None
    disk: dict[str, WireDisk | None] | None = None
    disk_io_speed: list[Number | None] | None = None
    network_speed: list[Number | None] | None = None
    boot_time: Number | None = None
    gpus: list[WireGpu] | None = None
    raylet: WireRaylet | None = None


def to_node(wire: WireNode, logical_text: str | None) -> Node:
    """The model's node; `logical_text` is its entry in `nodeLogicalResources`."""
    raylet = wire.raylet or WireRaylet()
    mem = _padded(wire.mem, 4)
    cpus = _padded(wire.cpus, 2)
    return Node(
        node_id=raylet.node_id,
        state=raylet.state,
        state_message=raylet.state_message,
        is_head_node=raylet.is_head_node,
        hostname=wire.hostname or raylet.node_manager_hostname,
        ip=wire.ip or raylet.node_manager_address,
        now=wire.now,
        boot_time=wire.boot_time,
        cpu=wire.cpu,
        cpus_logical=cpus[0],
        cpus_physical=cpus[1],
        load_avg=_numbers(wire.load_avg[0] if wire.load_avg else None),
        mem_total=_whole(mem[0]),
        mem_available=_whole(mem[1]),
        mem_percent=mem[2],
        mem_used=_whole(mem[3]),
        shm=wire.shm,
        disk={path: _to_disk(disk) for path, disk in (wire.disk or {}).items() if disk is not None},
        disk_io_speed=_numbers(wire.disk_io_speed),
        network_speed=_numbers(wire.network_speed),
        object_store_used_memory=raylet.object_store_used_memory,
        object_store_available_memory=raylet.object_store_available_memory,
        num_workers=raylet.num_workers,
        labels={key: value for key, value in (raylet.labels or {}).items() if value is not None},
        resources_total=_by_exact_name(raylet.resources_total or {}, logical_text or ""),
        logical=logical_usage(logical_text or ""),
        gpus=tuple(_to_gpu(gpu, raylet.core_workers_stats or []) for gpu in wire.gpus or []),
    )


def logical_usage(text: str) -> dict[str, Usage]:
    """CPU, GPU and custom resources in use, read from lines such as `1.5/4.0 CPU (0.0 used of 1.0 reserved…)`.

    Memory is left out: its lines hold rounded units (`0B/22.82GiB memory`).
    """
    found = ((name, float(used), float(total)) for used, total, name in _USAGE_LINE.findall(text))
    return {name: Usage(used=used, total=total) for name, used, total in found if isfinite(used) and isfinite(total)}


def _by_exact_name(totals: dict[str, float | None], logical_text: str) -> dict[str, float]:
    """Totals by the names that resources have: Ray camel-cases keys, and the logical text holds them as they are."""
    exact = {camel(name): name for name in (*_NAME_IN_LINE.findall(logical_text), *_OTHER_NAMES)}
    return {exact.get(key, key): value for key, value in totals.items() if value is not None}


@lru_cache(1024)
def camel(name: str) -> str:
    """What Ray makes of a key (`to_camel_case` in dashboard/utils.py): GeForce becomes Geforce too."""
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


def _to_disk(wire: WireDisk) -> Disk:
    return Disk(total=wire.total, used=wire.used, free=wire.free, percent=wire.percent)


def _to_gpu(wire: WireGpu, workers: list[WireWorker]) -> Gpu:
    return Gpu(
        index=wire.index,
        name=wire.name,
        uuid=wire.uuid,
        utilization_gpu=_percent(wire.utilization_gpu),
        memory_used=_mib(wire.memory_used),
        memory_total=_mib(wire.memory_total),
        power_mw=_whole(wire.power_mw),
        temperature_c=_whole(wire.temperature_c),
        processes_pids=tuple(_to_process(process) for process in wire.processes_pids or []),
        holders=tuple(_holders(wire.index, workers)),
    )


def _to_process(wire: WireProcess) -> GpuProcess:
    return GpuProcess(
        pid=wire.pid,
        gpu_memory_usage=_mib(wire.gpu_memory_usage),
        gpu_utilization=_percent(wire.gpu_utilization),
    )


def _holders(index: int | None, workers: list[WireWorker]) -> list[GpuHolder]:
    """The workers whose GPU slots name this index."""
    found = []
    for worker in workers:
        used = (worker.used_resources or {}).get("GPU")
        for slot in (used.resource_slots if used else None) or []:
            if slot.slot is not None and slot.slot == index:
                actor = None if worker.actor_id in (None, "", NO_ACTOR) else worker.actor_id
                found.append(
                    GpuHolder(pid=worker.pid, job_id=worker.job_id, actor_id=actor, allocation=slot.allocation)
                )
    return found


def _percent(value: float | None) -> int | None:
    return None if value is None or value < 0 else round(value)


def _mib(value: float | None) -> int | None:
    return None if value is None or value < 0 else round(value * MIB)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _numbers(values: list[float | None] | None) -> tuple[float, ...]:
    """All of them or none: each means what its place says."""
    known = [value for value in values or () if value is not None]
    return tuple(known) if len(known) == len(values or ()) else ()


def _padded(values: list[Any] | None, count: int) -> list[Any]:
    return [*(values or []), *[None] * count][:count]
