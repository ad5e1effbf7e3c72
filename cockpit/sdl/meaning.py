"""What an SDL asks Akash for: services, replicas, resources, what each port becomes, and the most it can cost."""

from typing import Literal, TypeAlias

import msgspec

from cockpit.sdl.advice import USD_PER_HOUR
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.nodes import child
from cockpit.sdl.ray_cluster import resolves
from cockpit.sdl.view import Compute, Expose, Row, Service, Target, View, shown_name, string

PortKind: TypeAlias = Literal["host", "random", "ip", "internal"]


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """One way to reach a port of a service.

    `host`: a host name of the provider (and `hosts`), over HTTP; `random`: a random port of the provider's host;
    `ip`: the leased address `endpoint`, with this very port; `internal`: only services of the same placement.
    """

    port: int | None
    external: int | None
    proto: str
    kind: PortKind
    hosts: tuple[str, ...] = ()
    endpoint: str = ""
    target: str = ""
    line: int

    @property
    def sentence(self) -> str:
        """What becomes of the port, in words."""
        match self.kind:
            case "host":
                names = ", ".join(self.hosts) or "a host name of the provider"
                return f"{self.port} → {names}, by HTTP"
            case "random":
                return f"{self.port} → a random port of the provider's host"
            case "ip":
                return f"{self.port} → port {self.external} of the leased address {self.endpoint}"
            case _:
                return f"{self.port} → inside only, as port {self.external}"


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted GPU; everything that is empty accepts any."""

    model: str
    ram: str = ""
    interface: str = ""


class Replicas(msgspec.Struct, frozen=True, kw_only=True):
    """A service in one placement: what each replica gets, and what all cost at most.

    CPU in cores, sizes in bytes; `shared_memory` is what ram volumes add to the memory. The cost is None where the
    price is missing or not in uact.
    """

    placement: str
    profile: str
    count: int | None
    cpu: float | None
    memory: int | None
    storage: int
    shared_memory: int
    gpus: int
    models: tuple[Gpu, ...]
    usd_per_hour: float | None


class ServiceMeaning(msgspec.Struct, frozen=True, kw_only=True):
    """One service; `role` is `head` or `worker` in a Ray cluster and empty otherwise."""

    name: str
    role: Literal["head", "worker", ""]
    image: str
    replicas: tuple[Replicas, ...]
    ports: tuple[Port, ...]
    env: tuple[str, ...]
    mounts: dict[str, str]
    resolves: bool
    line: int


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """The whole deployment; the cost is None as soon as the cost of one part is not known."""

    services: tuple[ServiceMeaning, ...]
    gpus: int
    usd_per_hour: float | None


def meaning_of(document: SdlDocument) -> Meaning:
    """What the document asks for, as far as it can be read. Raises UnreadableSdlError where it is not YAML."""
    cluster = document.cluster
    view = cluster.view
    roles = {member.service.name: "head" if member.is_head else "worker" for member in cluster.members}
    services = tuple(_service(document, view, service, roles.get(name, "")) for name, service in view.services.items())
    parts = [part for service in services for part in service.replicas]
    costs = [part.usd_per_hour for part in parts]
    known = [cost for cost in costs if cost is not None]
    return Meaning(
        services=services,
        gpus=sum(part.gpus * (part.count or 0) for part in parts),
        usd_per_hour=sum(known) if len(known) == len(costs) and costs else None,
    )


def _service(document: SdlDocument, view: View, service: Service, role: str) -> ServiceMeaning:
    lines = document.tree.lines
    ports = tuple(
        _port(expose, target, lines.position(expose.node.start)[0])
        for expose in service.exposes
        for target in expose.targets or (None,)
    )
    return ServiceMeaning(
        name=service.name,
        role="head" if role == "head" else "worker" if role == "worker" else "",
        image=service.image,
        replicas=tuple(_replicas(view, row) for row in view.rows if row.service == service.name),
        ports=ports,
        env=tuple(shown_name(item) for _, _, item, _ in service.env),
        mounts={name: path for name, path in _mounts(service).items() if path},
        resolves=resolves(service),
        line=lines.position(service.key.start)[0],
    )


def _mounts(service: Service) -> dict[str, str]:
    return {name: string(child(params, "mount")) for name, params in service.mounts.items()}


def _port(expose: Expose, target: Target | None, line: int) -> Port:
    kind: PortKind = "internal"
    if target is not None and target.is_global:
        kind = "ip" if target.ip else "host" if expose.is_ingress else "random"
    return Port(
        port=expose.port,
        external=expose.external,
        proto=expose.proto.upper() or "TCP",
        kind=kind,
        hosts=tuple(host.value for host in expose.hosts) if kind == "host" else (),
        endpoint=target.ip if target else "",
        target=target.service if target else "",
        line=line,
    )


def _replicas(view: View, row: Row) -> Replicas:
    compute = view.computes.get(row.profile)
    volumes = compute.volumes if compute else ()
    return Replicas(
        placement=row.placement,
        profile=row.profile,
        count=row.count,
        cpu=compute.cpu / 1000 if compute and compute.cpu is not None else None,
        memory=compute.memory if compute else None,
        storage=sum(volume.size or 0 for volume in volumes if volume.storage_class != "ram"),
        shared_memory=sum(volume.size or 0 for volume in volumes if volume.storage_class == "ram"),
        gpus=compute.gpu if compute else 0,
        models=_models(compute),
        usd_per_hour=_cost(view, row),
    )


def _models(compute: Compute | None) -> tuple[Gpu, ...]:
    if compute is None or not compute.gpu:
        return ()
    return tuple(Gpu(model=one.model, ram=one.ram, interface=one.interface) for one in compute.models)


def _cost(view: View, row: Row) -> float | None:
    price = view.price(row)
    if price is None or price.amount is None or price.denom != "uact" or row.count is None:
        return None
    return float(price.amount) * USD_PER_HOUR * row.count
