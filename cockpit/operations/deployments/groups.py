"""What an SDL asks providers for: groups of services, the needs of each replica, and the price ceiling."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from cockpit.errors import UsageError
from cockpit.model.akash.market import ResourceRequest, ScreeningRequest, StorageRequest
from cockpit.model.akash.money import UACT, usd_per_hour
from cockpit.sdl.document import SdlDocument, plain
from cockpit.sdl.nodes import child
from cockpit.sdl.view import Compute, Placement, Row, View, Volume

VENDOR = "nvidia"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A service in a group: `count` replicas, the needs of each, and the most that one replica may cost per block."""

    service: str
    profile: str
    count: int
    cpu_millicores: int
    memory_bytes: int
    gpus: int = 0
    models: tuple[str, ...] = ()
    gpu_attributes: dict[str, str] = {}
    storage: tuple[StorageRequest, ...] = ()
    max_uact_per_block: Decimal

    @property
    def ceiling_usd_per_hour(self) -> Decimal:
        """The most that all its replicas may cost."""
        return usd_per_hour(self.max_uact_per_block * self.count)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Services of one placement: one provider serves them all, by one bid."""

    name: str
    parts: tuple[Part, ...]
    attributes: dict[str, str] = {}
    signed_by_all: tuple[str, ...] = ()
    signed_by_any: tuple[str, ...] = ()

    @property
    def ceiling_usd_per_hour(self) -> Decimal:
        """The most that a bid for it may cost."""
        return sum((part.ceiling_usd_per_hour for part in self.parts), Decimal(0))

    @property
    def gpus(self) -> int:
        """GPUs of all replicas."""
        return sum(part.gpus * part.count for part in self.parts)

    def request(self, timezone: str = "UTC") -> ScreeningRequest:
        """The group as providers are asked about it."""
        resources = tuple(
            ResourceRequest(
                id=number,
                count=part.count,
                cpu_millicores=part.cpu_millicores,
                memory_bytes=part.memory_bytes,
                gpu_units=part.gpus,
                gpu_attributes=part.gpu_attributes,
                storage=part.storage,
                max_uact_per_block=part.max_uact_per_block,
            )
            for number, part in enumerate(self.parts, start=1)
        )
        return ScreeningRequest(
            resources=resources,
            attributes=self.attributes,
            signed_by_all=self.signed_by_all,
            signed_by_any=self.signed_by_any,
            timezone=timezone,
        )


def groups_of(document: SdlDocument) -> tuple[Group, ...]:
    """The groups in the order in which Akash numbers them: by name.

    Raises UsageError, naming the field, where something is missing that a bid depends on, and UnreadableSdlError.
    """
    view = View(document.tree.root)
    rows: dict[str, list[Row]] = {}
    for row in view.rows:
        rows.setdefault(row.placement, []).append(row)
    if not rows:
        raise UsageError("The SDL deploys nothing.", hint="deployment names the services that run, with their counts.")
    return tuple(_group(view, name, rows[name]) for name in sorted(rows))


def _group(view: View, name: str, rows: list[Row]) -> Group:
    placement = view.placements.get(name)
    if placement is None:
        raise UsageError(f"profiles.placement.{name} is missing, and deployment.{rows[0].service} uses it.")
    return Group(
        name=name,
        parts=tuple(_part(view, row) for row in rows),
        attributes=placement.attributes,
        signed_by_all=tuple(_signers(placement, "allOf")),
        signed_by_any=tuple(_signers(placement, "anyOf")),
    )


def _signers(placement: Placement, kind: str) -> Iterator[str]:
    node = child(placement.node, "signedBy", kind)
    names = plain(node) if node is not None else None
    yield from (str(name) for name in names) if isinstance(names, list) else ()


def _part(view: View, row: Row) -> Part:
    compute, price = view.computes.get(row.profile), view.price(row)
    if compute is None:
        raise UsageError(f"profiles.compute.{row.profile} is missing, and deployment.{row.service} uses it.")
    where = f"profiles.placement.{row.placement}.pricing.{row.profile}"
    if price is None or price.amount is None:
        raise UsageError(
            f"The amount of {where} is not valid.", hint="Give the maximum, in uact per block and replica."
        )
    if price.denom != UACT:
        raise UsageError(f"{where} is in {price.denom or 'no denom'}; Akash accepts prices in uact only.")
    cpu, memory, count = compute.cpu, compute.memory, row.count
    if cpu is None or memory is None or count is None:
        what = "cpu.units" if cpu is None else "memory.size" if memory is None else "count"
        at = f"deployment.{row.service}.{row.placement}" if what == "count" else f"profiles.compute.{row.profile}"
        raise UsageError(f"{at}: {what} is missing or not valid.")
    return Part(
        service=row.service,
        profile=row.profile,
        count=count,
        cpu_millicores=cpu,
        memory_bytes=memory,
        gpus=compute.gpu,
        models=tuple(one.model for one in compute.models if one.model) if compute.gpu else (),
        gpu_attributes=dict(_gpu_attributes(compute)) if compute.gpu else {},
        storage=tuple(_storage(volume) for volume in compute.volumes),
        max_uact_per_block=price.amount,
    )


def _gpu_attributes(compute: Compute) -> Iterator[tuple[str, str]]:
    """Akash's own keys; without a model any of the vendor will do."""
    for one in compute.models:
        key = f"vendor/{VENDOR}/model/{one.model or '*'}"
        key += f"/ram/{one.ram}" if one.ram else ""
        yield key + (f"/interface/{one.interface}" if one.interface else ""), "true"
    if not compute.models:
        yield f"vendor/{VENDOR}/model/*", "true"


def _storage(volume: Volume) -> StorageRequest:
    attributes = {"persistent": str(volume.persistent).lower()}
    if volume.storage_class:
        attributes["class"] = volume.storage_class
    return StorageRequest(
        name=volume.name,
        size_bytes=volume.size or 0,
        attributes=attributes if volume.persistent or volume.storage_class else {},
    )
