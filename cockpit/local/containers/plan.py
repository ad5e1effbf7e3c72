"""What an SDL becomes on one machine: containers with their resources, env and ports, and what is left out.

What a provider's Kubernetes does is done alike where plain containers can.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from cockpit.errors import UsageError
from cockpit.model.secret import Secret
from cockpit.render.units import size
from cockpit.sdl.nodes import child
from cockpit.sdl.ray_cluster import Cluster, resolves
from cockpit.sdl.view import Compute, Expose, Row, Service, View, string

SHARED_MEMORY = "/dev/shm"

_EXPANSION = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")


class Machine(msgspec.Struct, frozen=True):
    """What there is to run on: CPUs, and bytes of memory."""

    cpus: int
    memory: int


class Mount(msgspec.Struct, frozen=True):
    """A volume; one of memory has its size in bytes, any other has None."""

    path: str
    size: int | None


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """One service as `count` equal containers; sizes in bytes, memory with the volumes that are made of it."""

    service: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: dict[str, Secret]
    count: int
    cpus: float | None
    memory: int | None
    shared_memory: int | None
    mounts: tuple[Mount, ...]
    public: tuple[int, ...]
    internal: tuple[int, ...]
    has_name: bool
    is_ray: bool


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All containers, sentences about what differs from the real thing, and the ports that the dashboard is behind."""

    containers: tuple[Container, ...]
    notices: tuple[str, ...]
    doors: tuple[tuple[str, int], ...]
    """Service and public port of what leads to the dashboard: a gateway, or the head itself."""

    @property
    def nodes(self) -> int:
        """How many Ray nodes there will be."""
        return sum(container.count for container in self.containers if container.is_ray)

    @property
    def memory(self) -> int:
        """The most that all containers may take together, in bytes."""
        return sum((container.memory or 0) * container.count for container in self.containers)


def plan_of(view: View, machine: Machine, *, most: int | None = None) -> Plan:
    """The plan for an SDL whose references have their values; `most` bounds the replicas of each service.

    Raises UsageError, naming the field, where something that no container can do without is missing.
    """
    cluster = Cluster(view)
    ray = {member.service.name for member in cluster.members}
    rows = list(view.rows)
    if not rows:
        raise UsageError("Nothing is deployed.", hint="deployment names the services that run, with their counts.")
    containers = tuple(_container(view, row, machine, most, is_ray=row.service in ray) for row in rows)
    notices = (*_notices(view, rows, machine, most), *_memory_notice(containers, machine))
    return Plan(containers=containers, notices=notices, doors=tuple(doors_of(cluster)))


# --- one service -----------------------------------------------------------------------------------------------------


def _container(view: View, row: Row, machine: Machine, most: int | None, *, is_ray: bool) -> Container:
    service, compute = view.services.get(row.service), view.computes.get(row.profile)
    if service is None or not service.image:
        raise UsageError(f"services.{row.service}.image is missing.")
    if compute is None:
        raise UsageError(f"profiles.compute.{row.profile} is missing, which deployment.{row.service} names.")
    env = {name: Secret(value) for name, value, _, _ in service.env if name}
    mounts = tuple(_mounts(service, compute))
    in_memory = sum(mount.size or 0 for mount in mounts)
    shared = next((mount.size for mount in mounts if mount.path == SHARED_MEMORY), None)
    return Container(
        service=service.name,
        image=service.image,
        command=_expanded((node.value for node in service.command), env),
        args=_expanded((node.value for node in service.args), env),
        env=env,
        count=_count(row, most),
        cpus=None if compute.cpu is None else min(compute.cpu / 1000, machine.cpus),
        # Volumes of memory come on top of the limit (provider cluster/kube/builder/workload.go).
        memory=None if compute.memory is None else compute.memory + in_memory,
        shared_memory=shared,
        mounts=tuple(mount for mount in mounts if mount.path != SHARED_MEMORY),
        public=tuple(expose.port for expose in service.exposes if expose.is_global and expose.port),
        internal=tuple(expose.port for expose in service.exposes if not expose.is_global and expose.port),
        has_name=resolves(service),
        is_ray=is_ray,
    )


def _count(row: Row, most: int | None) -> int:
    if row.count is None:
        raise UsageError(f"deployment.{row.service}.{row.placement}.count is missing.")
    return row.count if most is None else min(row.count, most)


def _mounts(service: Service, compute: Compute) -> Iterator[Mount]:
    volumes = {volume.name: volume for volume in compute.volumes}
    for name, params in service.mounts.items():
        path = string(child(params, "mount")).rstrip("/")
        volume = volumes.get(name)
        if path and volume is not None:
            yield Mount(path, volume.size if volume.storage_class == "ram" else None)


def _expanded(texts: Iterator[str], env: dict[str, Secret]) -> tuple[str, ...]:
    """`$(NAME)` of a known variable gets its value, `$$` is one dollar, as Kubernetes has it."""
    return tuple(_EXPANSION.sub(lambda found: _expansion(found, env), text) for text in texts)


def _expansion(found: "re.Match[str]", env: dict[str, Secret]) -> str:
    if found[0] == "$$":
        return "$"
    value = env.get(found[1])
    return found[0] if value is None else value.reveal()


# --- what differs ----------------------------------------------------------------------------------------------------


def _notices(view: View, rows: Sequence[Row], machine: Machine, most: int | None) -> Iterator[str]:
    for row in rows:
        compute = view.computes.get(row.profile)
        if compute is None or row.service not in view.services:
            continue
        if compute.gpu:
            yield f"{row.service}: {compute.gpu} GPU{'s' * (compute.gpu > 1)} left out; its containers have none."
        if compute.cpu is not None and compute.cpu > machine.cpus * 1000:
            yield f"{row.service}: {compute.cpu / 1000:g} CPUs are asked for, this machine has {machine.cpus}."
        if most is not None and row.count is not None and row.count > most:
            yield f"{row.service}: {most} of {row.count} replicas."
        for expose in view.services[row.service].exposes:
            yield from _port_notices(row.service, expose)


def _port_notices(service: str, expose: Expose) -> Iterator[str]:
    if not expose.is_global and expose.given_as not in (None, expose.port):
        yield f"{service}: inside, port {expose.port} keeps its number here; `as: {expose.given_as}` has no effect."


def _memory_notice(containers: Sequence[Container], machine: Machine) -> Iterator[str]:
    total = sum((container.memory or 0) * container.count for container in containers)
    if total > machine.memory:
        yield f"The limits allow {size(total)} in all, this machine has {size(machine.memory)}."


# --- the way in ------------------------------------------------------------------------------------------------------


def doors_of(cluster: Cluster) -> Iterator[tuple[str, int]]:
    """A service that forwards to the head's dashboard, then the dashboard where it is public itself."""
    for head in cluster.heads:
        port = next(iter(head.sensitive_ports))
        target = f"{head.service.name}:{port}"
        for service in cluster.view.services.values():
            texts = (*(node.value for node in service.args), *(value for _, value, _, _ in service.env))
            if service is not head.service and any(target in text for text in texts):
                yield from (
                    (service.name, expose.port) for expose in service.exposes if expose.is_global and expose.port
                )
        yield from ((head.service.name, expose.port) for expose in head.service.exposes
                    if expose.is_global and expose.port == port)  # fmt: skip
