"""What the simulated network reads of an SDL: groups of services with their resources and public ports."""

import base64
import functools
import hashlib
import json
from typing import Any

import msgspec
import yaml

_SIZES = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


class SimService(msgspec.Struct, frozen=True, kw_only=True):
    """A service of a group; `ports` are its global container ports with `as`."""

    name: str
    count: int
    cpu_millicores: int
    memory_bytes: int
    gpus: int
    gpu_attributes: tuple[str, ...]
    storage: tuple[tuple[str, int], ...]
    ports: tuple[tuple[int, int], ...]
    image: str
    ceiling: float


class SimGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The services of one placement, which one provider runs."""

    name: str
    services: tuple[SimService, ...]
    attributes: dict[str, str] = {}

    @property
    def gpus(self) -> int:
        """GPUs of all replicas."""
        return sum(service.gpus * service.count for service in self.services)

    @property
    def ceiling(self) -> float:
        """The most that it may cost a block."""
        return sum(service.ceiling * service.count for service in self.services)


class InvalidSdlError(Exception):
    """Console's words for an SDL that it does not take."""


@functools.cache
def groups_of(sdl: str) -> tuple[SimGroup, ...]:
    """The groups of an SDL, by the names of their placements. Raises InvalidSdlError."""
    try:
        document = yaml.safe_load(sdl)
        profiles, placements = document["profiles"]["compute"], document["profiles"]["placement"]
        found: dict[str, list[SimService]] = {}
        for name, places in sorted(document["deployment"].items()):
            for place, entry in places.items():
                price = placements[place]["pricing"][entry["profile"]]["amount"]
                service = _service(name, document["services"][name], profiles[entry["profile"]], entry["count"], price)
                found.setdefault(place, []).append(service)
    except (KeyError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise InvalidSdlError(f"Invalid SDL: {type(error).__name__} {error}") from error
    if not found or not any(service.ports for services in found.values() for service in services):
        raise InvalidSdlError("Invalid SDL: no service is exposed globally")
    return tuple(
        SimGroup(name=place, services=tuple(services), attributes=placements[place].get("attributes") or {})
        for place, services in sorted(found.items())
    )


def _service(name: str, service: dict[str, Any], profile: dict[str, Any], count: int, price: float) -> SimService:
    resources = profile["resources"]
    gpu = resources.get("gpu") or {}
    storage = resources.get("storage") or {"size": "1Gi"}
    volumes = storage if isinstance(storage, list) else [storage]
    exposes = service.get("expose") or []
    ports = [
        (int(expose["port"]), int(expose.get("as", expose["port"])))
        for expose in exposes
        if any(to.get("global") is True for to in expose.get("to") or [])
    ]
    return SimService(
        name=name,
        count=int(count),
        cpu_millicores=_millicores(resources["cpu"]["units"]),
        memory_bytes=size(resources["memory"]["size"]),
        gpus=int(gpu.get("units", 0)),
        gpu_attributes=tuple(_gpu_attributes(gpu.get("attributes") or {})),
        storage=tuple((volume.get("name", "default"), size(volume["size"])) for volume in volumes),
        ports=tuple(ports),
        image=service["image"],
        ceiling=float(price),
    )


def _gpu_attributes(attributes: dict[str, Any]) -> list[str]:
    found = []
    for vendor, models in (attributes.get("vendor") or {}).items():
        for model in models or [{"model": "*"}]:
            parts = [f"vendor/{vendor}/model/{model.get('model', '*')}"]
            parts += [f"{key}/{model[key]}" for key in ("ram", "interface") if model.get(key)]
            found.append("/".join(parts))
    return found


def _millicores(units: object) -> int:
    text = str(units)
    return int(text[:-1]) if text.endswith("m") else int(float(text) * 1000)


def size(text: object) -> int:
    """A size such as `16Gi` in bytes."""
    found = str(text).strip()
    digits = found.rstrip("BbKMGTikmgt")
    return int(float(digits) * _SIZES.get(found[len(digits) :].lower(), 1))


@functools.cache
def manifest_of(sdl: str) -> str:
    """Console's manifest: the services as JSON, which is all that the fake needs of it."""
    return json.dumps(yaml.safe_load(sdl), sort_keys=True, separators=(",", ":"), default=str)


def version_of(manifest: str) -> str:
    """The manifest's version as the chain keeps it, in base64."""
    return base64.b64encode(hashlib.sha256(manifest.encode()).digest()).decode()


def wanted_of(body: dict[str, Any]) -> SimGroup:
    """The group that a body of `/v1/bid-screening` asks about."""
    services = [
        SimService(
            name=str(row["resource"]["id"]),
            count=row["count"],
            cpu_millicores=int(row["resource"]["cpu"]["units"]["val"]),
            memory_bytes=int(row["resource"]["memory"]["quantity"]["val"]),
            gpus=int(row["resource"]["gpu"]["units"]["val"]),
            gpu_attributes=tuple(pair["key"] for pair in row["resource"]["gpu"].get("attributes", [])),
            storage=(),
            ports=(),
            image="",
            ceiling=float(row["price"]["amount"]) or float("inf"),
        )
        for row in body["resources"]
    ]
    attributes = {pair["key"]: pair["value"] for pair in body.get("requirements", {}).get("attributes", [])}
    return SimGroup(name="screened", services=tuple(services), attributes=attributes)
