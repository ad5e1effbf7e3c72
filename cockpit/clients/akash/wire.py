"""From the Console's and the providers' JSON to our structs, where an odd part hides nothing but itself."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cockpit.clients.akash.reading import (
    attributes,
    coin,
    coins,
    count,
    decimal,
    fields,
    flag,
    optional_text,
    rows,
    share,
    text,
    whole,
)
from cockpit.model.akash.deployments import (
    LEASE_REASONS,
    Deployment,
    Escrow,
    ForwardedPort,
    Lease,
    LeasedIp,
    LeaseId,
    LeaseStatus,
    ServiceStatus,
)
from cockpit.model.akash.market import (
    Bid,
    GpuModel,
    GpuOffer,
    OfferedResource,
    Provider,
    ResourceRequest,
    ScreenedProvider,
    ScreeningRequest,
)

_GPU_ATTRIBUTE = re.compile(
    r"vendor/(?P<vendor>[^/]+)/model/(?P<model>[^/]+)(?:/ram/(?P<ram>[^/]+))?"
    r"(?:/interface/(?P<interface>[^/]+))?"
)

Fields = Mapping[str, Any]


def deployment_of(row: Fields) -> Deployment | None:
    """A deployment with its leases; None where it does not say which it is, or in what state."""
    found = fields(row.get("deployment"))
    identity = fields(found.get("id"))
    dseq, state = text(identity.get("dseq")), text(found.get("state"))
    if not dseq.isdigit() or not state:
        return None
    settings, escrow = fields(row.get("consoleSettings")), fields(fields(row.get("escrow_account")).get("state"))
    return Deployment(
        dseq=dseq,
        owner=text(identity.get("owner")),
        state=state,
        hash=text(found.get("hash")),
        name=optional_text(row.get("name")),
        created_height=whole(found.get("created_at")),
        leases=tuple(lease for lease in map(lease_of, rows(row.get("leases"))) if lease is not None),
        escrow=Escrow(
            state=text(escrow.get("state")),
            funds=coins(escrow.get("funds")),
            transferred=coins(escrow.get("transferred")),
            settled_height=whole(escrow.get("settled_at")),
        ),
        sdl=optional_text(settings.get("sdl")),
        manifest_version=optional_text(settings.get("manifestVersion")) or optional_text(row.get("manifestVersion")),
    )


def lease_id_of(value: Any) -> LeaseId | None:
    """What names a lease or a bid; None where a part of it is missing."""
    found = fields(value)
    dseq, provider = text(found.get("dseq")), text(found.get("provider"))
    gseq, oseq = whole(found.get("gseq")), whole(found.get("oseq"))
    if not dseq.isdigit() or not provider or gseq is None or oseq is None:
        return None
    return LeaseId(dseq, gseq, oseq, provider, text(found.get("owner")))


def lease_of(row: Fields) -> Lease | None:
    """A lease; None where it does not say which it is."""
    identity = lease_id_of(row.get("id"))
    if identity is None:
        return None
    return Lease(
        id=identity,
        state=text(row.get("state")),
        price=coin(row.get("price")),
        created_height=whole(row.get("created_at")),
        closed_height=whole(row.get("closed_on")) or None,
        reason=_reason(row.get("reason")),
        reclaim_deadline=share(fields(row.get("reclamation")).get("deadline")),
        status=status_of(row["status"]) if isinstance(row.get("status"), dict) else None,
    )


def _reason(value: Any) -> str | None:
    number = whole(value)
    return LEASE_REASONS.get(number, str(number)) if number is not None else optional_text(value)


def status_of(value: Fields) -> LeaseStatus:
    """What a provider says of a lease; ports and addresses are null where there are none."""
    return LeaseStatus(
        services={name: _service(name, fields(row)) for name, row in fields(value.get("services")).items()},
        forwarded_ports={
            name: tuple(_port(row) for row in rows(ports))
            for name, ports in fields(value.get("forwarded_ports")).items()
        },
        ips={name: tuple(_ip(row) for row in rows(ips)) for name, ips in fields(value.get("ips")).items()},
    )


def _service(name: str, row: Fields) -> ServiceStatus:
    uris = row.get("uris")
    return ServiceStatus(
        name=name,
        available=count(row.get("available")),
        total=count(row.get("total")),
        ready_replicas=count(row.get("ready_replicas")),
        uris=tuple(filter(None, map(text, uris))) if isinstance(uris, list) else (),
    )


def _port(row: Fields) -> ForwardedPort:
    return ForwardedPort(
        port=count(row.get("port")),
        external_port=count(row.get("externalPort")),
        host=text(row.get("host")),
        proto=text(row.get("proto")),
        name=text(row.get("name")),
    )


def _ip(row: Fields) -> LeasedIp:
    return LeasedIp(
        ip=text(row.get("IP")),
        port=count(row.get("Port")),
        external_port=count(row.get("ExternalPort")),
        protocol=text(row.get("Protocol")),
    )


def bid_of(row: Fields) -> Bid | None:
    """A bid; None where it does not say which it is."""
    found = fields(row.get("bid"))
    identity = lease_id_of(found.get("id"))
    if identity is None:
        return None
    return Bid(
        id=identity,
        state=text(found.get("state")),
        price=coin(found.get("price")),
        created_height=whole(found.get("created_at")),
        offers=tuple(_offered(offer) for offer in rows(found.get("resources_offer"))),
        reclamation_window=optional_text(found.get("reclamation_window")),
    )


def _offered(row: Fields) -> OfferedResource:
    resources = fields(row.get("resources"))
    gpu = fields(resources.get("gpu"))
    return OfferedResource(
        count=count(row.get("count")),
        cpu_millicores=_value(resources, "cpu", "units"),
        memory_bytes=_value(resources, "memory", "quantity"),
        gpu_units=_value(resources, "gpu", "units") or 0,
        gpus=tuple(filter(None, map(gpu_model_of, attributes(gpu.get("attributes"))))),
    )


def _value(resources: Fields, what: str, unit: str) -> int | None:
    return whole(fields(fields(resources.get(what)).get(unit)).get("val"))


def gpu_model_of(key: str) -> GpuModel | None:
    """The GPU that an attribute such as `vendor/nvidia/model/h100/ram/80Gi` names; None for another attribute."""
    match = _GPU_ATTRIBUTE.fullmatch(key)
    return GpuModel(**match.groupdict()) if match else None


def provider_of(row: Fields) -> Provider | None:
    """A provider; None where it does not say which it is."""
    address = text(row.get("owner"))
    if not address:
        return None
    region = row.get("locationRegion") or row.get("ipRegion")
    return Provider(
        address=address,
        name=optional_text(row.get("name")),
        host_uri=text(row.get("hostUri")),
        region=optional_text(region),
        country=optional_text(row.get("country") or row.get("ipCountryCode")),
        organization=optional_text(row.get("organization")),
        uptime_7d=share(row.get("uptime7d")),
        is_online=flag(row.get("isOnline")),
        is_audited=flag(row.get("isAudited")),
        gpu_models=tuple(_gpu(gpu) for gpu in rows(row.get("gpuModels"))),
        attributes=attributes(row.get("attributes")),
    )


def _gpu(row: Fields) -> GpuModel:
    return GpuModel(
        model=text(row.get("model")),
        vendor=text(row.get("vendor")) or "nvidia",
        ram=optional_text(row.get("ram")),
        interface=optional_text(row.get("interface")),
    )


def gpu_price_of(row: Fields) -> GpuOffer:
    """A GPU model as `/v1/gpu-prices` lists it; prices are USD per hour."""
    price, units = fields(row.get("price")), fields(row.get("availability"))
    return GpuOffer(
        gpu=_gpu(row),
        free=count(units.get("available")),
        total=count(units.get("total")),
        providers=count(fields(row.get("providerAvailability")).get("available")),
        min_usd_per_hour=_usd(price, "min"),
        median_usd_per_hour=_usd(price, "med"),
        max_usd_per_hour=_usd(price, "max"),
    )


def _usd(price: Fields, key: str) -> Decimal | None:
    return decimal(price.get(key)) if text(price.get("currency")) == "USD" else None


def largest_free_nodes(placement: Fields) -> dict[GpuModel, int]:
    """The most GPUs that one node has free, by model alone and by its variants (`/v1/placement-options`)."""
    found: dict[GpuModel, int] = {}
    for vendor in rows(placement.get("gpus")):
        for model in rows(vendor.get("models")):
            for row in [{**model, "memory": None, "interface": None}, *rows(model.get("variants"))]:
                gpu = GpuModel(
                    model=text(model.get("name")),
                    vendor=text(vendor.get("vendor")) or "nvidia",
                    ram=optional_text(row.get("memory")),
                    interface=optional_text(row.get("interface")),
                )
                found[gpu] = max(found.get(gpu, 0), count(row.get("maxNodeFreeUnits")))
    return found


def screened_of(row: Fields) -> ScreenedProvider | None:
    """A provider that could bid; None where it does not say which it is."""
    if not (address := text(row.get("owner"))):
        return None
    incidents = rows(row.get("incidents"))
    return ScreenedProvider(
        address=address,
        host_uri=text(row.get("hostUri")),
        is_audited=row.get("isAudited") is True,
        region=optional_text(row.get("location")),
        organization=optional_text(row.get("organization")),
        downtime_s=sum(count(day.get("downtimeSeconds")) for day in incidents),
        has_open_incident=any(day.get("hasOpenIncident") is True for day in incidents),
    )


def screening_body(request: ScreeningRequest) -> dict[str, Any]:
    """The body of `POST /v1/bid-screening`: resources in their on-chain form, values as text."""
    return {
        "requirements": {
            "signedBy": {"allOf": list(request.signed_by_all), "anyOf": list(request.signed_by_any)},
            "attributes": _pairs(request.attributes),
        },
        "resources": [_requested(resource) for resource in request.resources],
        "timezone": request.timezone,
    }


def _requested(resource: ResourceRequest) -> dict[str, Any]:
    return {
        "resource": {
            "id": resource.id,
            "cpu": {"units": {"val": str(resource.cpu_millicores)}, "attributes": []},
            "memory": {"quantity": {"val": str(resource.memory_bytes)}, "attributes": []},
            "gpu": {"units": {"val": str(resource.gpu_units)}, "attributes": _pairs(resource.gpu_attributes)},
            "storage": [
                {
                    "name": volume.name,
                    "quantity": {"val": str(volume.size_bytes)},
                    "attributes": _pairs(volume.attributes),
                }
                for volume in resource.storage
            ],
            "endpoints": list(resource.endpoints),
        },
        "count": resource.count,
        "price": {"denom": "uact", "amount": str(int(resource.max_uact_per_block))},
    }


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
