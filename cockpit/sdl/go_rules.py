"""What the Go parser refuses beyond types: profiles, limits, volumes, references; services and groups beside it.

Source: chain-sdk `go/sdl` (v2.go, v2_1.go, groupBuilder_v2*.go, gpu.go, storage.go), `go/node/deployment`.
"""

import re

from cockpit.sdl import go_groups, go_services, quantities, row_rules
from cockpit.sdl.findings import GO, Report, refuser
from cockpit.sdl.go_limits import (
    MAX_CPU,
    MAX_GPU,
    MAX_MEMORY,
    MAX_PRICE,
    MAX_STORAGE,
    MIN_CPU,
    MIN_MEMORY,
    MIN_STORAGE,
)
from cockpit.sdl.nodes import Mapping, Node, child
from cockpit.sdl.scalars import is_null
from cockpit.sdl.view import Compute, Row, View, string, truth

_refuse = refuser(GO)

# Source: go/node/types/attributes/v1/attribute.go; only the last character may be an asterisk, and any model is that.
_GPU_KEY = re.compile(r"[a-zA-Z][\w/.\-]{1,126}[\w*]?", re.ASCII)


def check(report: Report, view: View) -> None:
    """Note everything that Go refuses in a document of sound structure."""
    _profiles(report, view)
    if not view.rows:
        _no_groups(report, view)
        return
    for row in view.rows:
        _row(report, view, row)
    for service in view.deployed.values():
        go_services.service(report, service)
    go_services.manifest(report, view)
    go_services.endpoints(report, view)
    go_groups.groups(report, view)
    go_groups.reclamation(report, view)


def _no_groups(report: Report, view: View) -> None:
    node = child(view.root, "deployment") or view.root
    if node is not None:
        _refuse(report, "no-deployment", node, "Nothing is deployed: Go refuses a file without a group.")


# --- compute profiles, used or not -----------------------------------------------------------------------------------


def _profiles(report: Report, view: View) -> None:
    for compute in view.computes.values():
        _volume_names(report, compute)
        _gpu_shape(report, compute)
    for placement in view.placements.values():
        for price in placement.prices.values():
            for name in ("denom", "amount") if isinstance(price.node, Mapping) else ():
                if child(price.node, name) is None:
                    _refuse(report, f"missing-{name}", price.node, f"The price has no {name}; both parsers refuse it.")


def _volume_names(report: Report, compute: Compute) -> None:
    seen: set[str] = set()
    for volume in compute.volumes:
        if volume.name in seen:
            message = f"Two volumes are called {volume.name!r} (one without a name is `default`); Go refuses that."
            _refuse(report, "volume-name", volume.node, message)
        seen.add(volume.name)


def _gpu_shape(report: Report, compute: Compute) -> None:
    gpu = child(compute.resources, "gpu")
    if is_null(gpu) or gpu is None:
        return
    attributes = child(gpu, "attributes")
    if not is_null(attributes) and is_null(child(attributes, "vendor")):
        _refuse(report, "gpu-vendor", attributes or gpu, "GPU attributes need a vendor: Go refuses them without.")
    if is_null(attributes) and compute.gpu > 0:
        _refuse(report, "gpu-vendor", gpu, "A GPU needs attributes with a vendor; both parsers refuse it without.")
    _gpu_models(report, compute)


def _gpu_models(report: Report, compute: Compute) -> None:
    seen: set[str] = set()
    for model in compute.models:
        key = f"vendor/nvidia/model/{model.model}"
        if model.ram:
            size = quantities.go_bytes(model.ram, quantities.BINARY_SUFFIXES)
            key += f"/ram/{(size or 0) // quantities.GI}Gi"
        key += f"/interface/{model.interface}" if model.interface else ""
        if not _GPU_KEY.fullmatch(key):
            _refuse(
                report, "gpu-model", model.node, f"Go refuses the GPU model {model.model!r}: letters, digits, - only."
            )
        if key in seen:
            _refuse(report, "gpu-model", model.node, f"The GPU model {model.model!r} is listed twice; Go refuses that.")
        seen.add(key)


# --- rows of the deployment ------------------------------------------------------------------------------------------


def _row(report: Report, view: View, row: Row) -> None:
    row_rules.references(report, view, row, GO)
    compute = view.computes.get(row.profile)
    if compute is not None:
        _limits(report, compute)
        _volumes(report, view, row, compute)
        _tee(report, view, row, compute)
    _price(report, view, row)


def _price(report: Report, view: View, row: Row) -> None:
    price = view.price(row)
    if price is None:
        return
    if is_null(price.node):
        _refuse(report, "bad-amount", price.node, "The price is empty; Go crashes on it.")
    elif price.amount is not None and price.amount > MAX_PRICE:
        amount = child(price.node, "amount") or price.node
        _refuse(report, "price-limit", amount, f"Go refuses a price above {MAX_PRICE:,} per block and replica.")


def _limits(report: Report, compute: Compute) -> None:
    resources = compute.resources
    if resources is None or is_null(resources):
        _refuse(report, "missing-resources", compute.node, "The profile has no resources; Go crashes on it.")
        return
    for name in ("cpu", "memory"):
        if is_null(child(resources, name)):
            _refuse(report, f"missing-{name}", resources, f"The profile {compute.name} has no {name}; both refuse it.")
    _limit(report, child(resources, "cpu"), "units", compute.cpu, MIN_CPU, MAX_CPU, "0.01 to 384 cores")
    _limit(report, child(resources, "memory"), "size", compute.memory, MIN_MEMORY, MAX_MEMORY, "1Mi to 2Ti of memory")
    for volume in compute.volumes:
        if is_null(volume.node):
            _refuse(report, "missing-size", volume.node, "The volume is empty, its size 0; Go takes 5Mi to 32Ti.")
        _limit(report, volume.node, "size", volume.size, MIN_STORAGE, MAX_STORAGE, "5Mi to 32Ti a volume")
    if not compute.volumes:
        storage = child(resources, "storage") or resources
        _refuse(report, "missing-storage", storage, f"The profile {compute.name} has no volume; Go refuses it.")
    _gpu_limit(report, compute)


def _limit(report: Report, node: Node | None, key: str, value: int | None, least: int, most: int, words: str) -> None:
    if not isinstance(node, Mapping):
        return
    place = child(node, key)
    if key == "size" and quantities.go_bytes(string(place)) is None and not is_null(place):
        return
    if is_null(place):
        _refuse(report, f"missing-{key}", node, f"Without {key!r} the amount is 0; Go takes {words}.")
    elif value is not None and place is not None and not least <= value <= most:
        _refuse(report, "resource-limit", place, f"Go takes {words} and refuses {string(place)}.")


def _gpu_limit(report: Report, compute: Compute) -> None:
    gpu = child(compute.resources, "gpu")
    if gpu is None or is_null(gpu):
        return
    if compute.gpu > MAX_GPU:
        node = child(gpu, "units") or gpu
        _refuse(report, "resource-limit", node, f"Go takes at most {MAX_GPU} GPUs a replica and refuses {compute.gpu}.")
    units = string(child(gpu, "units"))
    known = not units or quantities.go_units(units) is not None
    if known and compute.gpu == 0 and not is_null(child(gpu, "attributes")):
        _refuse(report, "gpu-none", gpu, "GPU attributes without GPU units: both parsers refuse them.")


def _volumes(report: Report, view: View, row: Row, compute: Compute) -> None:
    """Source: v2.go and v2_1.go, validate(): 2.1 forgets to ask for the mount of a persistent volume."""
    service = view.services.get(row.service)
    if service is None:
        return
    by_name = {volume.name: volume for volume in compute.volumes}
    mounted: dict[str, str] = {}
    for name, params in service.mounts.items():
        mount, place = string(child(params, "mount")), child(params, "mount") or params
        volume = by_name.get(name)
        if volume is None:
            message = f"The profile {compute.name} has no volume {name!r}; the mount is refused."
            if isinstance(child(compute.resources, "storage"), Mapping):
                message += " A volume outside a list is always named default."
            _refuse(report, "unknown-volume", params, message)
        if not mount.startswith("/"):
            _refuse(
                report, "bad-mount", place, f"Volume {name!r} needs an absolute mount path; both parsers refuse it."
            )
        elif mount in mounted:
            message = f"{mount} is already the mount of volume {mounted[mount]!r}; both parsers refuse that."
            _refuse(report, "same-mount", place, message)
        mounted[mount] = name
        if volume and volume.storage_class == "ram" and truth(child(params, "readOnly")) and view.version >= (2, 1, 0):
            message = "A ram volume cannot be read-only in version 2.1; Go refuses it."
            _refuse(report, "ram-read-only", child(params, "readOnly") or params, message)
    if not mounted and view.version < (2, 1, 0):
        for volume in compute.volumes:
            if volume.persistent:
                message = (
                    f"The persistent volume {volume.name!r} is mounted nowhere by {row.service}; both refuse that."
                )
                _refuse(report, "no-mount", volume.node, message)


def _tee(report: Report, view: View, row: Row, compute: Compute) -> None:
    service = view.services.get(row.service)
    node = child(service.node, "params", "tee") if service else None
    kind = string(node)
    if node is None or not kind:
        return
    if kind not in ("cpu", "cpu-gpu"):
        _refuse(report, "bad-choice", node, f"{kind!r} is none of cpu, cpu-gpu; both parsers refuse it.")
    elif kind == "cpu-gpu" and not compute.gpu:
        _refuse(report, "tee-gpu", node, "tee: cpu-gpu needs a GPU in the compute profile; both parsers refuse it.")
    row_rules.tee_mix(report, view, row, node, GO)
