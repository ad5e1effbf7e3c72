"""Nodes, their GPUs and their workers, as `/nodes?view=summary` reports them."""

import msgspec

# Thousands of these come every few seconds, and none is part of a cycle: garbage is not looked for in them (`gc`).


class GpuProcess(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A process on a GPU; it need not belong to Ray. Memory in bytes, utilisation in percent."""

    pid: int | None = None
    gpu_memory_usage: int | None = None
    gpu_utilization: int | None = None


class GpuHolder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A Ray worker that was given a share of a GPU; `allocation` is 1.0 for the whole of it."""

    pid: int | None = None
    job_id: str | None = None
    submission_id: str | None = None
    actor_id: str | None = None
    allocation: float | None = None


class Gpu(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One GPU; None is unknown. Memory in bytes, power in milliwatts, temperature in °C, utilisation in percent.

    Ray reports utilisation -1 where NVML cannot read it, and memory in MiB: both are put right here.
    A MIG slice has the index `gpu * 1000 + slice`.
    """

    index: int | None = None
    name: str | None = None
    uuid: str | None = None
    utilization_gpu: int | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    power_mw: int | None = None
    temperature_c: int | None = None
    processes_pids: tuple[GpuProcess, ...] = ()
    holders: tuple[GpuHolder, ...] = ()


class NodeProcess(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A process of Ray on a node; `title` is what it calls itself, memory in bytes (resident), CPU in percent."""

    pid: int | None = None
    title: str = ""
    cpu: float | None = None
    memory: int | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How much of a logical resource is taken: numbers of CPUs or GPUs, bytes for memory."""

    used: float
    total: float


class Disk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One mounted file system; bytes."""

    total: int | None = None
    used: int | None = None
    free: int | None = None
    percent: float | None = None


class Node(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One node; None is unknown. Sizes in bytes, speeds in bytes per second, `now` in seconds since the epoch.

    `now` is the time of the sample by the node's own clock. A dead node keeps the figures of its last sample
    and is listed by Ray for about ten minutes.
    """

    node_id: str | None = None
    state: str | None = None
    state_message: str | None = None
    is_head_node: bool | None = None
    hostname: str | None = None
    ip: str | None = None
    now: float | None = None
    boot_time: float | None = None
    cpu: float | None = None
    cpus_logical: int | None = None
    cpus_physical: int | None = None
    load_avg: tuple[float, ...] = ()
    mem_total: int | None = None
    mem_available: int | None = None
    mem_percent: float | None = None
    mem_used: int | None = None
    shm: int | None = None
    disk: dict[str, Disk] = {}
    disk_io_speed: tuple[float, ...] = ()
    network_speed: tuple[float, ...] = ()
    object_store_used_memory: int | None = None
    object_store_available_memory: int | None = None
    num_workers: int | None = None
    labels: dict[str, str] = {}
    resources_total: dict[str, float] = {}
    logical: dict[str, Usage] = {}
    gpus: tuple[Gpu, ...] = ()

    @property
    def is_alive(self) -> bool:
        """Whether the head counts the node among the living."""
        return self.state == "ALIVE"

    @property
    def root_disk(self) -> Disk | None:
        """The root file system; None where the node did not report it."""
        return self.disk.get("/")


NodeGpu = tuple[Node, Gpu]
"""A GPU with the node that it is in."""
