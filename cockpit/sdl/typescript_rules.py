"""What the TypeScript package refuses beyond its schema: references, mounts, GPUs, endpoints, and what it crashes on.

Source: chain-sdk `ts/src/sdl/validateSDL/validateSDL.ts` and `manifest/generateManifest.ts`.
"""

from collections.abc import Iterator

from cockpit.sdl import quantities, row_rules
from cockpit.sdl.findings import TS, Fix, Operation, Report, refuser
from cockpit.sdl.nodes import Mapping, Node, Scalar, Sequence, child, elements
from cockpit.sdl.scalars import is_null, meaning
from cockpit.sdl.view import Compute, Expose, Row, Service, View, string, truth

_refuse = refuser(TS)


def check(report: Report, view: View) -> None:
    """Note everything that TypeScript refuses in a document that passes its schema."""
    _deployed(report, view)
    for row in view.rows:
        _row(report, view, row)
    _leased_ips(report, view)


def _deployed(report: Report, view: View) -> None:
    section = view.section("deployment")
    for service in view.services.values():
        if service.name not in section:
            message = f"{service.name} is not under `deployment`: TypeScript refuses the file, Go drops the service."
            _refuse(report, "not-deployed", service.key, message)


def _row(report: Report, view: View, row: Row) -> None:
    row_rules.references(report, view, row, TS, needs_service=_has_group(view, row.placement))
    compute = view.computes.get(row.profile)
    if compute is None:
        return
    _sizes(report, compute)
    _gpu(report, compute)
    service = view.services.get(row.service)
    if service is not None:
        _mounts(report, service, compute)
        _tee(report, view, row, service, compute)


def _has_group(view: View, placement: str) -> bool:
    """Whether TypeScript makes a group of the placement: only for services that exist, and then it reads all rows."""
    return any(row.placement == placement and row.service in view.services for row in view.rows)


def _sizes(report: Report, compute: Compute) -> None:
    sizes = [child(compute.resources, "memory", "size"), *(child(volume.node, "size") for volume in compute.volumes)]
    for node in sizes:
        if isinstance(node, Scalar) and isinstance(meaning(node), str) and quantities.ts_bytes(node.value) is None:
            portable = quantities.portable_size(node.value)
            path = _size_path(compute, node)
            fix = Fix(f"write {portable}", (Operation("set", path, portable),)) if portable and path else None
            message = f"TypeScript crashes on the size {node.value!r}: it needs a unit such as Mi or Gi."
            report.add("size-unit", node, message, (TS,), fix=fix)


def _size_path(compute: Compute, node: Node) -> tuple[str | int, ...] | None:
    base = ("profiles", "compute", compute.name, "resources")
    if child(compute.resources, "memory", "size") is node:
        return (*base, "memory", "size")
    storage = child(compute.resources, "storage")
    if isinstance(storage, Mapping):
        return (*base, "storage", "size")
    for index, item in enumerate(elements(storage)):
        if child(item, "size") is node:
            return (*base, "storage", index, "size")
    return None


def _gpu(report: Report, compute: Compute) -> None:
    gpu = child(compute.resources, "gpu")
    if not isinstance(gpu, Mapping):
        return
    units, attributes = child(gpu, "units"), child(gpu, "attributes")
    value = meaning(units) if isinstance(units, Scalar) else None
    # The schema takes the text "0" for none (see `check_unused_gpus`), the check behind it only the number.
    none = units is None or value == 0
    if attributes is None and not none:
        _refuse(report, "gpu-vendor", gpu, "A GPU needs attributes with a vendor; both parsers refuse it without.")
    elif attributes is not None and not none and child(attributes, "vendor") is None:
        _refuse(report, "gpu-vendor", attributes, "GPU attributes need a vendor; both parsers refuse them without.")


def check_unused_gpus(report: Report, view: View) -> None:
    """The schema's part of the GPU rules, which holds for profiles that nothing uses as well."""
    for compute in view.computes.values():
        gpu = child(compute.resources, "gpu")
        if not isinstance(gpu, Mapping):
            continue
        units = child(gpu, "units")
        value = meaning(units) if isinstance(units, Scalar) else None
        if child(gpu, "attributes") is None and not quantities.is_no_gpu(value):
            _refuse(report, "gpu-vendor", gpu, "A GPU needs attributes with a vendor; both parsers refuse it without.")
        if child(gpu, "attributes") is not None and quantities.is_no_gpu(value):
            _refuse(report, "gpu-none", gpu, "GPU attributes without GPU units: both parsers refuse them.")


def _mounts(report: Report, service: Service, compute: Compute) -> None:
    names = set(_volume_names(compute))
    mounted: dict[str, str] = {}
    for name, params in service.mounts.items():
        if name not in names:
            message = f"The profile {compute.name} has no volume {name!r}; the mount is refused."
            _refuse(report, "unknown-volume", params, message)
            continue
        node = child(params, "mount")
        mount = "undefined" if node is None else string(node)
        if mount in mounted:
            message = f"{mount} is already the mount of volume {mounted[mount]!r}; both parsers refuse that."
            _refuse(report, "same-mount", node or params, message)
        mounted[mount] = name
    _persistent(report, service, compute)


def _volume_names(compute: Compute) -> Iterator[str]:
    """The names as TypeScript sees them: a volume in mapping form keeps its name, one without has none."""
    storage = child(compute.resources, "storage")
    for item in elements(storage) if isinstance(storage, Sequence) else [storage]:
        node = child(item, "name")
        if node is not None and not is_null(node):
            yield string(node)


def _persistent(report: Report, service: Service, compute: Compute) -> None:
    for volume in compute.volumes:
        node = child(volume.node, "attributes", "persistent")
        value = meaning(node) if isinstance(node, Scalar) else None
        kept = value.lower() not in ("", "0", "false", "no", "off") if isinstance(value, str) else value is True
        name = string(child(volume.node, "name"))
        params = service.mounts.get(name) if name else None
        if kept and not string(child(params, "mount")):
            message = (
                f"The persistent volume {name or 'default'!r} is mounted nowhere by {service.name}; it is refused."
            )
            _refuse(report, "no-mount", volume.node, message)


def _tee(report: Report, view: View, row: Row, service: Service, compute: Compute) -> None:
    node = child(service.node, "params", "tee")
    kind = string(node)
    if node is None or not kind:
        return
    units = child(compute.resources, "gpu", "units")
    value = meaning(units) if isinstance(units, Scalar) else None
    if kind == "cpu-gpu" and (units is None or value == 0):
        _refuse(report, "tee-gpu", node, "tee: cpu-gpu needs a GPU in the compute profile; both parsers refuse it.")
    row_rules.tee_mix(report, view, row, node, TS)


def _leased_ips(report: Report, view: View) -> None:
    used: set[str] = set()
    ports: dict[tuple[str, int | None, str], str] = {}
    for service, expose, node, ip in _ip_targets(view):
        used.add(ip)
        place = child(node, "ip") or node
        if not truth(child(node, "global")):
            message = "An ip needs `global: true` in the same item; both parsers refuse that."
            _refuse(report, "ip-not-global", node, message)
        if ip not in view.endpoints:
            _refuse(report, "unknown-endpoint", place, f"Unknown endpoint {ip!r}; both parsers refuse that.")
        key = (ip, expose.port if expose.given_as is None else expose.given_as, expose.proto.upper() or "TCP")
        if key in ports:
            message = f"Endpoint {ip!r} port {key[1]} is already used by {ports[key]!r}; it is refused."
            _refuse(report, "ip-port", place, message)
        ports[key] = service.name
    for name, (endpoint, _) in view.endpoints.items():
        if name not in used:
            message = f"Endpoint {name!r} is used by no port; both parsers refuse that."
            _refuse(report, "unused-endpoint", endpoint, message)


def _ip_targets(view: View) -> Iterator[tuple[Service, Expose, Node, str]]:
    for service in view.services.values():
        for expose in service.exposes:
            for target in expose.targets:
                if target.ip:
                    yield service, expose, target.node, target.ip
