"""The simulated Console's JSON, in the shapes that the real one has been seen to send."""

import datetime
from decimal import Decimal
from typing import Any

import msgspec

from tests.akash_sim.market import SimProvider
from tests.akash_sim.sdl import SimGroup, SimService
from tests.akash_sim.world import OWNER, SimBid, SimDeployment, SimLease, SimWorld


class Shape(msgspec.Struct, kw_only=True):
    """Ways in which real replies differ from the document."""

    numbers: bool = False  # dseq and amounts as numbers
    single_coin: bool = False  # one coin instead of a list
    decimals: bool = True  # 18 of them
    unknown: bool = False  # fields and states that nobody has heard of
    reasons_as_numbers: bool = False


def amount(value: Decimal, shape: Shape) -> Any:
    """An amount as text with 18 decimals, or as a number."""
    return float(value) if shape.numbers else f"{value:.18f}" if shape.decimals else str(value)


def coin(value: Decimal, shape: Shape) -> dict[str, Any]:
    """An amount of uact."""
    return {"denom": "uact", "amount": amount(value, shape)}


def deployment_body(
    world: SimWorld, deployment: SimDeployment, shape: Shape, *, is_new: bool, status: bool
) -> dict[str, Any]:
    """A deployment; `is_new` for the newer dialect, `status` for what the providers say."""
    funds, height = deployment.record
    coins: Any = coin(funds, shape) if shape.single_coin else [coin(funds, shape)]
    body: dict[str, Any] = {
        "deployment": {
            "id": {"owner": OWNER, "dseq": dseq(deployment.dseq, shape)},
            "state": deployment.state,
            "hash": deployment.hash,
            "created_at": str(world.height(deployment.created_at)),
        },
        "leases": [lease_body(world, deployment, lease, shape, status=status) for lease in deployment.leases],
        "escrow_account": {
            "id": {"scope": "deployment", "xid": f"{OWNER}/{deployment.dseq}"},
            "state": {
                "owner": OWNER,
                "state": deployment.escrow,
                "transferred": [coin(deployment.spent, shape)],
                "settled_at": str(height),
                "funds": coins,
                "deposits": [],
            },
        },
    }
    if is_new:
        body["name"] = deployment.name
        body["consoleSettings"] = {"sdl": deployment.sdl, "manifestVersion": deployment.hash} if status else None
    if shape.unknown:
        body["constellation"] = {"of": ["things", None, 7]}
    return body


def dseq(value: str, shape: Shape) -> Any:
    """A dseq as text, or as a number."""
    return int(value) if shape.numbers else value


def lease_body(
    world: SimWorld, deployment: SimDeployment, lease: SimLease, shape: Shape, *, status: bool
) -> dict[str, Any]:
    """A lease; its status is null where the provider does not answer."""
    from cockpit.model.akash.deployments import LEASE_REASONS

    reason = LEASE_REASONS.get(lease.reason, "")
    body: dict[str, Any] = {
        "id": {
            "owner": OWNER,
            "dseq": dseq(deployment.dseq, shape),
            "gseq": lease.gseq,
            "oseq": 1,
            "provider": lease.provider.address,
            "bseq": lease.bseq,
        },
        "state": lease.state,
        "price": coin(lease.price, shape),
        "created_at": str(world.height(lease.created_at)),
        "closed_on": str(world.height(lease.closed_at)) if lease.closed_at is not None else "0",
        "reason": str(lease.reason) if shape.reasons_as_numbers else reason,
    }
    if lease.reclaim_at is not None:
        body["reclamation"] = {"window": "3600s", "deadline": str(int(lease.reclaim_at)), "reason": "maintenance"}
    if status:
        body["status"] = lease_status(world, deployment, lease)
    return body


def lease_status(world: SimWorld, deployment: SimDeployment, lease: SimLease) -> dict[str, Any] | None:
    """What the provider says of a lease: ports and addresses are null where there are none."""
    if not lease.costs or not lease.provider.is_reachable:
        return None
    group = deployment.groups[lease.gseq - 1]
    since = world.clock.time() - lease.manifest_at if lease.manifest_at is not None else None
    services = {service.name: service_status(lease, service, since, deployment.dseq) for service in group.services}
    ports = {service.name: _ports(lease, service) for service in group.services if _ports(lease, service)}
    has_ports = since is not None and since >= lease.provider.ports_after_s
    return {
        "services": services if since is not None else {},
        "forwarded_ports": ports if ports and has_ports else None,
        "ips": None,
    }


def service_status(lease: SimLease, service: SimService, since: float | None, dseq: str) -> dict[str, Any]:
    """One service of a lease."""
    provider = lease.provider
    available = provider.plan(service.name).available(service.count, since) if since is not None else 0
    if provider.replicas is not None:
        available = provider.replicas.get(service.name, 0)
    uris = [f"{dseq[-6:]}.ingress.{lease.provider.host}"] if any(outer == 80 for _, outer in service.ports) else []
    return {
        "name": service.name,
        "available": available,
        "total": service.count,
        "uris": uris,
        "observed_generation": 1,
        "replicas": service.count,
        "updated_replicas": service.count,
        "ready_replicas": available,
        "available_replicas": available,
    }


def _ports(lease: SimLease, service: SimService) -> list[dict[str, Any]]:
    return [_port(lease, service, port) for port, outer in service.ports if outer != 80]


def _port(lease: SimLease, service: SimService, port: int) -> dict[str, Any]:
    made_up = (lease.provider.host, 30000 + (port + lease.ports_seed) % 2768)
    host, outer = lease.provider.forwards.get((service.name, port), made_up)
    return {"host": host, "port": port, "externalPort": outer, "proto": "TCP", "name": service.name}


def bid_body(world: SimWorld, deployment: SimDeployment, bid: SimBid, shape: Shape) -> dict[str, Any]:
    """A bid with what it offers."""
    group = deployment.groups[bid.gseq - 1]
    return {
        "bid": {
            "id": {
                "owner": OWNER,
                "dseq": dseq(deployment.dseq, shape),
                "gseq": bid.gseq,
                "oseq": 1,
                "provider": bid.provider.address,
                "bseq": bid.bseq,
            },
            "state": bid.state_at(world.clock.time()) if deployment.state == "active" else "closed",
            "price": coin(bid.price, shape),
            "created_at": str(world.height(bid.opens_at)),
            "resources_offer": [_offer(service, bid.provider) for service in group.services],
        },
        "escrow_account": {
            "id": {"scope": "bid", "xid": f"{OWNER}/{deployment.dseq}"},
            "state": {
                "owner": bid.provider.address,
                "state": "open",
                "transferred": [],
                "settled_at": str(world.height(bid.opens_at)),
                "funds": [coin(Decimal(500_000), shape)],
                "deposits": [],
            },
        },
    }


def _offer(service: SimService, provider: SimProvider) -> dict[str, Any]:
    gpu = f"vendor/nvidia/model/{provider.model}/ram/{provider.ram}/interface/{provider.interface}"
    attributes = [{"key": gpu, "value": "true"}] if service.gpus else []
    return {
        "resources": {
            "cpu": {"units": {"val": str(service.cpu_millicores)}, "attributes": []},
            "gpu": {"units": {"val": str(service.gpus)}, "attributes": attributes},
            "memory": {"quantity": {"val": str(service.memory_bytes)}, "attributes": []},
            "storage": [
                {"name": name, "quantity": {"val": str(size)}, "attributes": []} for name, size in service.storage
            ],
            "endpoints": [{"kind": "RANDOM_PORT", "sequence_number": 0} for _ in service.ports],
        },
        "count": service.count,
    }


def provider_body(provider: SimProvider, *, is_whole: bool) -> dict[str, Any]:
    """A provider; `is_whole` for one that was asked for by its address."""
    nothing = ("email", "website", "lastCheckDate", "ipRegion", "ipRegionCode", "ipCountry", "ipLat", "ipLon",
               "lastOnlineDate", "statusPage", "city", "timezone", "locationType", "hostingProvider", "hardwareCpu",
               "hardwareCpuArch", "hardwareMemory", "networkProvider", "tier")  # fmt: skip
    body: dict[str, Any] = dict.fromkeys(nothing) | {
        "owner": provider.address,
        "name": provider.host,
        "hostUri": provider.host_uri or f"https://{provider.host}:8443",
        "createdHeight": 1_000_000,
        "deploymentCount": 3,
        "leaseCount": 3,
        "cosmosSdkVersion": "v0.53.0",
        "akashVersion": "0.8.0",
        "ipCountryCode": provider.country,
        "uptime1d": 1,
        "uptime7d": provider.uptime_7d,
        "uptime30d": 0.998,
        "isValidVersion": True,
        "isOnline": provider.is_online,
        "isAudited": provider.is_audited,
        "gpuModels": [
            {"vendor": "nvidia", "model": provider.model, "ram": provider.ram, "interface": provider.interface}
        ],
        "attributes": [{"key": "region", "value": provider.region, "auditedBy": []}],
        "host": provider.host,
        "organization": "sim",
        "locationRegion": provider.region,
        "country": provider.country,
        "hardwareGpuVendor": "nvidia",
        "hardwareGpuModels": [provider.model],
        "hardwareDisk": [],
        "featPersistentStorage": False,
        "featPersistentStorageType": [],
        "networkSpeedDown": 1000,
        "networkSpeedUp": 1000,
        "featEndpointCustomDomain": False,
        "workloadSupportChia": False,
        "workloadSupportChiaCapabilities": [],
        "featEndpointIp": False,
    }
    if is_whole:
        numbers = {"active": 4, "available": sum(provider.nodes), "pending": 0}
        stats: dict[str, Any] = dict.fromkeys(("cpu", "gpu", "memory"), numbers)
        body |= {"stats": stats | {"storage": {"ephemeral": numbers, "persistent": numbers}}, "uptime": []}
    return body


def gpu_prices(found: list[SimProvider]) -> dict[str, Any]:
    """What `/v1/gpu-prices` answers: bare, without an envelope."""
    models: dict[tuple[str, str, str], list[SimProvider]] = {}
    for provider in found:
        models.setdefault((provider.model, provider.ram, provider.interface), []).append(provider)
    rows = []
    for (model, ram, interface), group in sorted(models.items()):
        prices = sorted(float(provider.gpu_price) * 0.00059 for provider in group)
        free = sum(sum(provider.nodes) for provider in group)
        spread = {"min": prices[0], "max": prices[-1], "avg": sum(prices) / len(prices)}
        rows.append(
            {
                "vendor": "nvidia", "model": model, "ram": ram, "interface": interface,
                "availability": {"total": free + 4 * len(group), "available": free},
                "providerAvailability": {"total": len(group), "available": len(group)},
                "price": {"currency": "USD", "weightedAverage": spread["avg"], "med": prices[len(prices) // 2]}
                | spread,
            }
        )  # fmt: skip
    total = sum(row["availability"]["total"] for row in rows)  # type: ignore[index]
    return {"availability": {"total": total, "available": sum(row["availability"]["available"] for row in rows)},  # type: ignore[index]
            "models": rows}  # fmt: skip


def placement_options(found: list[SimProvider]) -> dict[str, Any]:
    """What `/v1/placement-options` answers, which only the newer dialect has."""
    regions = sorted({provider.region for provider in found})
    names = sorted({provider.model for provider in found})
    counts = {region: sum(provider.region == region for provider in found) for region in regions}
    return {
        "regions": regions,
        "regionProviderCounts": counts,
        "gpus": [{"vendor": "nvidia", "models": [_placement(name, found) for name in names]}],
    }


def _placement(name: str, found: list[SimProvider]) -> dict[str, Any]:
    having = [provider for provider in found if provider.model == name]
    shapes = sorted({(provider.ram, provider.interface) for provider in having})

    def counted(group: list[SimProvider]) -> dict[str, Any]:
        return {
            "providerCount": len(group),
            "availableUnits": sum(sum(provider.nodes) for provider in group),
            "maxNodeFreeUnits": max((max(provider.nodes, default=0) for provider in group), default=0),
        }

    variants = [
        {"memory": ram, "interface": interface}
        | counted([provider for provider in having if (provider.ram, provider.interface) == (ram, interface)])
        for ram, interface in shapes
    ]
    return {
        "name": name,
        "memory": [ram for ram, _ in shapes],
        "interface": [interface for _, interface in shapes],
        **counted(having),
        "variants": variants,
    }


def screened(found: list[SimProvider], group: SimGroup) -> dict[str, Any]:
    """What `/v1/bid-screening` answers."""
    today = datetime.date(2026, 11, 1).isoformat()
    day = {"date": today, "hasOpenIncident": False, "incidentCount": 0, "downtimeSeconds": 0}
    return {
        "providers": [
            {
                "owner": provider.address,
                "hostUri": provider.host_uri or f"https://{provider.host}:8443",
                "isAudited": provider.is_audited,
                "createdAt": "2026-01-01T00:00:00.000Z",
                "location": provider.region,
                "organization": "sim",
                "incidents": [day],
            }
            for provider in found
            if provider.can_serve(group)
        ]
    }
