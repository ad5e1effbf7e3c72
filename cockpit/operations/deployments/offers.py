"""The market: what it offers, who could bid for an SDL, and which line excludes most providers; no key is needed."""

from collections.abc import Iterator, Sequence

import msgspec

from cockpit.clients.akash.console import ConsoleClient
from cockpit.model.akash.market import GpuOffer, Provider, ScreenedProvider, ScreeningRequest
from cockpit.operations.deployments.groups import Group, Part
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import MissingNodeError
from cockpit.sdl.quantities import GI, go_bytes, shown_bytes

MOST_RELAXED = 8
"""How many requirements are tried without, at most: each is one request."""

DEARER = 20
"""How far the price ceilings are raised to tell whether they exclude anybody."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the user looks for: a model, GPUs on one node, memory of the GPU in bytes, a region."""

    model: str | None = None
    count: int = 1
    ram_bytes: int | None = None
    region: str | None = None


async def find_offers(console: ConsoleClient, wanted: Wanted) -> list[GpuOffer]:
    """The offers that fit, those with the most free GPUs first; a region costs one request more."""
    found = [offer for offer in await console.gpu_offers() if _fits(offer, wanted)]
    if wanted.region is not None:
        found = [offer for offer in _in_region(found, await console.providers(), wanted.region) if offer.providers]
    return sorted(found, key=lambda offer: (-offer.free, offer.gpu.model, offer.gpu.ram or ""))


def _fits(offer: GpuOffer, wanted: Wanted) -> bool:
    if wanted.model is not None and wanted.model.lower() not in offer.gpu.model.lower():
        return False
    if wanted.ram_bytes is not None and (go_bytes(offer.gpu.ram or "") or 0) < wanted.ram_bytes:
        return False
    room = offer.free if offer.largest_free_node is None else offer.largest_free_node
    return wanted.count <= 1 or room >= wanted.count


def _in_region(offers: Sequence[GpuOffer], providers: Sequence[Provider], region: str) -> Iterator[GpuOffer]:
    """The offers of that region's providers; `free` counts the whole market, since the API reports only that."""
    there = [one for one in providers if region.lower() in f"{one.region or ''} {one.country or ''}".lower()]
    for offer in offers:
        having = [
            one for one in there
            if one.is_online is not False and any(gpu.model == offer.gpu.model for gpu in one.gpu_models)
        ]  # fmt: skip
        regions = tuple(sorted({one.region for one in having if one.region}))
        yield msgspec.structs.replace(offer, providers=len(having), regions=regions)


# --- who could bid ---------------------------------------------------------------------------------------------------


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement of the SDL, the line that states it, and how many providers could bid without it."""

    line: int | None
    requirement: str
    without: int


class Screening(msgspec.Struct, frozen=True, kw_only=True):
    """Who could bid for a group; `exclusions` begin with the requirement that excludes most."""

    group: Group
    providers: tuple[ScreenedProvider, ...]
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def worst(self) -> Exclusion | None:
        """The requirement that excludes most providers; None where none excludes any."""
        found = self.exclusions[0] if self.exclusions else None
        return found if found is not None and found.without > len(self.providers) else None


async def screen(console: ConsoleClient, groups: Sequence[Group]) -> list[Screening]:
    """Who could bid for each group: one request each."""
    return [Screening(group=group, providers=await console.screen(group.request())) for group in groups]


async def explain(console: ConsoleClient, screening: Screening, document: SdlDocument) -> Screening:
    """Try each requirement without, to find the line that excludes most: a request each, at most `MOST_RELAXED`."""
    tried: list[Exclusion] = []
    for relaxed in list(_relaxed(screening.group))[:MOST_RELAXED]:
        could = await console.screen(relaxed.request)
        line = _line_of(document, relaxed.paths)
        tried.append(Exclusion(line=line, requirement=relaxed.requirement, without=len(could)))
    return msgspec.structs.replace(screening, exclusions=tuple(sorted(tried, key=lambda one: -one.without)))


class _Relaxed(msgspec.Struct, frozen=True, kw_only=True):
    """A request without one requirement, and where in the SDL that may stand."""

    requirement: str
    paths: tuple[str, ...]
    request: ScreeningRequest


def _relaxed(group: Group) -> Iterator[_Relaxed]:
    request = group.request()
    placement = f"profiles.placement.{group.name}"
    parts = sorted(group.parts, key=lambda part: -part.gpus)
    yield from _of_part(group, parts[0], request)
    yield _without_ceiling(parts[0], placement, request)
    for part in parts[1:]:
        yield from _of_part(group, part, request)
    for name, value in group.attributes.items():
        rest = {key: text for key, text in group.attributes.items() if key != name}
        without = msgspec.structs.replace(request, attributes=rest)
        yield _Relaxed(
            requirement=f"attribute {name}: {value}", paths=(f"{placement}.attributes.{name}",), request=without
        )
    if group.signed_by_all or group.signed_by_any:
        without = msgspec.structs.replace(request, signed_by_all=(), signed_by_any=())
        yield _Relaxed(requirement="signedBy", paths=(f"{placement}.signedBy",), request=without)


def _without_ceiling(dearest: Part, placement: str, request: ScreeningRequest) -> _Relaxed:
    resources = tuple(
        msgspec.structs.replace(one, max_uact_per_block=one.max_uact_per_block * DEARER) for one in request.resources
    )
    return _Relaxed(
        requirement="the price ceiling",
        paths=(f"{placement}.pricing.{dearest.profile}.amount",),
        request=msgspec.structs.replace(request, resources=resources),
    )


def _of_part(group: Group, part: Part, request: ScreeningRequest) -> Iterator[_Relaxed]:
    index = group.parts.index(part)
    resources = f"profiles.compute.{part.profile}.resources"

    def relaxed(requirement: str, *paths: str, **values: object) -> _Relaxed:
        changed = list(request.resources)
        changed[index] = msgspec.structs.replace(changed[index], **values)
        without = msgspec.structs.replace(request, resources=tuple(changed))
        return _Relaxed(requirement=f"{part.service}: {requirement}", paths=paths, request=without)

    vendor = f"{resources}.gpu.attributes.vendor.nvidia"
    if part.models:
        gpu = " or ".join(key.removeprefix("vendor/nvidia/model/").replace("/", " ") for key in part.gpu_attributes)
        yield relaxed(f"GPU {gpu}", f"{vendor}.0.model", vendor, gpu_attributes={"vendor/nvidia/model/*": "true"})
    if part.gpus > 1:
        yield relaxed(f"{part.gpus} GPUs on one node", f"{resources}.gpu.units", gpu_units=1)
    if part.count > 1:
        paths = (f"deployment.{part.service}.{group.name}.count",)
        yield relaxed(f"{part.count} replicas", *paths, count=1)
    if part.memory_bytes > GI:
        yield relaxed(f"memory {shown_bytes(part.memory_bytes)}", f"{resources}.memory.size", memory_bytes=GI)
    if any(volume.attributes for volume in part.storage):
        plain = tuple(msgspec.structs.replace(volume, attributes={}) for volume in part.storage)
        yield relaxed("storage class", f"{resources}.storage", storage=plain)


def _line_of(document: SdlDocument, paths: Sequence[str]) -> int | None:
    for path in paths:
        try:
            return document.position(path)[0]
        except MissingNodeError:  # written in another form: the next path is that of its section
            continue
    return None
