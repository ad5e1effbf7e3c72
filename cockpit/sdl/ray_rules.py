"""What makes a Ray cluster on Akash unsafe or broken although both parsers take its SDL.

Sources: Ray 2.60 (token authentication, ports: `ray start`, CVE-2023-48022), the provider's service and network policy
builders (which names resolve, what `http_options` do), Kubernetes (64 MB of /dev/shm).
"""

import difflib
import re

from cockpit.sdl.findings import Fix, Operation, Report, Severity, advise, to_insert, to_set
from cockpit.sdl.grammar import MAX_BODY, MAX_TIMEOUT
from cockpit.sdl.nodes import Mapping, Node, Sequence, child
from cockpit.sdl.quantities import GI, shown_bytes
from cockpit.sdl.ray_cluster import Cluster, Member, is_internal, resolves
from cockpit.sdl.scalars import Value
from cockpit.sdl.view import Compute, Expose, Row, string

MODES = ("token", "disabled")
MIN_SHM = GI
MIN_SHM_SHARE = 0.1
SPARE_PORTS = 10


def check(report: Report, cluster: Cluster) -> None:
    """Note what is wrong with the Ray cluster that the SDL describes, if it describes one."""
    for member in cluster.members:
        _auth(report, member)
        _shm(report, cluster, member)
        _worker_ports(report, cluster, member)
    for head in cluster.heads:
        _one_replica(report, cluster, head)
        _open_ports(report, head)
        _dashboard(report, head)
    for worker in cluster.workers:
        _agent_ports(report, worker)
        if cluster.heads:
            _address(report, cluster, worker)
            _same_placement(report, cluster, worker)
            _same_token(report, cluster, worker)
            _same_version(report, cluster, worker)


# --- who may come in -------------------------------------------------------------------------------------------------


def _auth(report: Report, member: Member) -> None:
    for name, value, node, index in member.service.env:
        path = ("services", member.service.name, "env", index)
        if name == "RAY_AUTH_MODE" and value not in MODES:
            shown = f"={value}" if len(value) < 12 else ""
            message = f"RAY_AUTH_MODE{shown} is not a valid mode: Ray then runs open, without an error. Write token."
            fix = to_set("write RAY_AUTH_MODE=token", path, "RAY_AUTH_MODE=token")
            advise(report, "ray-auth-mode", node, message, severity="error", fix=fix)
        elif name != "RAY_AUTH_MODE" and _is_like(name, "RAY_AUTH_MODE"):
            message = f"{name} is not a Ray variable. Did you mean RAY_AUTH_MODE? Without it Ray runs open."
            fix = to_set("write RAY_AUTH_MODE", path, f"RAY_AUTH_MODE={value}")
            advise(report, "ray-auth-mode", node, message, severity="error", fix=fix)
        elif name == "RAYAKASH_ALLOW_NO_AUTH" and value == "1":
            message = f"{name}=1 lets the start scripts run Ray open where RAY_AUTH_TOKEN is empty; drop it."
            advise(report, "ray-auth-mode", node, message)
    if member.service.env_value("RAY_AUTH_MODE") == "token" and not member.gives_token and member.starts_ray:
        message = f"{member.service.name} has RAY_AUTH_MODE=token but no RAY_AUTH_TOKEN: `ray start` refuses."
        advise(report, "ray-no-token", member.service.key, message, severity="error")


def _is_like(name: str, wanted: str) -> bool:
    return name.startswith("RAY") and difflib.SequenceMatcher(None, name.upper(), wanted).ratio() > 0.88


def _open_ports(report: Report, head: Member) -> None:
    names = head.sensitive_ports
    for expose in head.service.exposes:
        name = names.get(expose.port or 0)
        if name is None or not expose.is_global:
            continue
        if not head.has_token:
            message = (
                f"Port {expose.port} ({name}) is open to the internet without a token: "
                "anyone can run code on the cluster (CVE-2023-48022)."
            )
            advise(report, "ray-open-port", expose.node, message, severity="error")
        elif name == "dashboard and job API" or head.service.env_value("RAY_USE_TLS") != "1":
            message = (
                f"Port {expose.port} ({name}) is public without TLS: the token crosses the internet in clear text; "
                "put a TLS gateway service in front."
            )
            advise(report, "ray-no-tls", expose.node, message)


def _agent_ports(report: Report, worker: Member) -> None:
    ports = worker.agent_ports
    for expose in worker.service.exposes:
        name = ports.get(expose.port or 0)
        if name and expose.is_global and not worker.has_token:
            message = (
                f"Port {expose.port} ({name}) is open to the internet without a token: anyone can use Ray. "
                "Drop it: pods of a placement reach each other on every port."
            )
            advise(report, "ray-public-agent", expose.node, message)


def _same_token(report: Report, cluster: Cluster, worker: Member) -> None:
    heads = [head for head in cluster.heads if head.has_token]
    if heads and not worker.has_token and worker.starts_ray:
        message = (
            f"{heads[0].service.name} asks for a token and {worker.service.name} has none: "
            "the worker is refused (set RAY_AUTH_MODE and RAY_AUTH_TOKEN)."
        )
        advise(report, "ray-no-token", worker.service.key, message, severity="error")


# --- the dashboard ---------------------------------------------------------------------------------------------------


def _dashboard(report: Report, head: Member) -> None:
    port = next(iter(head.sensitive_ports))
    for expose in head.service.exposes:
        if expose.port != port:
            continue
        _dashboard_host(report, head)
        if expose.is_ingress:
            _http_options(report, head, expose)


def _dashboard_host(report: Report, head: Member) -> None:
    host = head.flag("dashboard-host")
    if head.starts_ray and host in (None, "127.0.0.1", "localhost"):
        message = "The dashboard listens on 127.0.0.1 only and nothing reaches it; add --dashboard-host=0.0.0.0."
        advise(report, "ray-dashboard-host", head.place_of("head"), message)


def _http_options(report: Report, head: Member, expose: Expose) -> None:
    if child(expose.http_options, "max_body_size") is not None:
        return
    message = (
        "Behind `as: 80` the provider's proxy cuts bodies at 1 MB and reads at 60 s: "
        "uploads of a working directory fail and quiet logs break off."
    )
    path = ("services", head.service.name, "expose", expose.index, "http_options")
    if expose.http_options is None:
        wanted = {"max_body_size": MAX_BODY, "read_timeout": MAX_TIMEOUT, "send_timeout": MAX_TIMEOUT}
        fix = to_insert("add http_options", path, dict(wanted))
    else:
        fix = to_insert("raise max_body_size", (*path, "max_body_size"), MAX_BODY)
    advise(report, "ray-http-options", expose.node, message, fix=fix)


# --- joining the head ------------------------------------------------------------------------------------------------


def _address(report: Report, cluster: Cluster, worker: Member) -> None:
    dialled = worker.dialled
    if dialled is None or re.fullmatch(r"[\d.]+|\[?[0-9a-fA-F:]+\]?|.*\..*", dialled[0]):
        return
    host, port = dialled
    place = _address_place(worker)
    service = cluster.view.services.get(host)
    if service is None:
        known = ", ".join(head.service.name for head in cluster.heads)
        name = worker.service.name
        message = f"No service is called {host!r}, which {name} dials (the head is {known}): it never joins."
        advise(report, "ray-head-address", place, message, severity="error")
        return
    head = next((head for head in cluster.heads if head.service is service), None)
    if head is not None:
        # An image may start the head on a port that the SDL does not say; then only the name can be checked.
        listens = head.gcs_port if head.starts_ray else None
        _reachable(report, head, worker, place, int(port) if port.isdecimal() else listens)


def _address_place(worker: Member) -> Node:
    place = worker.place_of("address")
    if place is worker.service.key:
        for name, _, node, _ in worker.service.env:
            if name in ("RAY_ADDRESS", "RAY_ADDRESS_HOST"):
                return node
    return place


def _reachable(report: Report, head: Member, worker: Member, place: Node, port: int | None) -> None:
    name = head.service.name
    internal = [expose for expose in head.service.exposes if is_internal(expose)]
    if port is None and resolves(head.service):
        return
    if port is not None and any(expose.external == port for expose in internal):
        _target_port(report, head, place, port, [expose for expose in internal if expose.external == port])
        return
    if not resolves(head.service):
        message = f"The name {name!r} does not resolve: all its ports are global, so {worker.service.name} never joins."
    else:
        message = (
            f"{name}:{port} leads nowhere: the port is not exposed to services, so {worker.service.name} never joins."
        )
    fix = _internal_port(head, worker, port) if port is not None and head.gcs_port == port else None
    advise(report, "ray-head-unreachable", place, message, severity="error", fix=fix)


def _target_port(report: Report, head: Member, place: Node, port: int, exposes: list[Expose]) -> None:
    if head.starts_ray and all(expose.port != head.gcs_port for expose in exposes):
        message = f"{head.service.name}:{port} leads to {exposes[0].port}, but the head listens on {head.gcs_port}."
        advise(report, "ray-head-unreachable", place, message, severity="error")


def _internal_port(head: Member, worker: Member, port: int) -> Fix:
    """Let services reach the port: one more item of `to`, or an expose of its own."""
    base = ("services", head.service.name, "expose")
    target = {"service": worker.service.name}
    for expose in head.service.exposes:
        if expose.external == port and expose.targets:
            return Fix(f"expose {port} to services", (Operation("append", (*base, expose.index, "to"), dict(target)),))
    if not head.service.exposes:
        return to_insert(f"expose {port} to services", base, [{"port": port, "to": [dict(target)]}])
    return Fix(f"expose {port} to services", (Operation("append", base, {"port": port, "to": [dict(target)]}),))


def _one_replica(report: Report, cluster: Cluster, head: Member) -> None:
    """Each head is a cluster of its own, and a name that leads to several leads each worker to any one of them."""
    if "--address" in head.script:
        return  # one service that is head and workers: its script chooses
    for row, _ in cluster.computes(head):
        if row.count is not None and row.count > 1:
            message = (
                f"{row.service} runs {row.count} times: each head is a separate cluster with a part of the workers."
            )
            advise(report, "ray-several-heads", child(row.node, "count") or row.key, message)


def _same_placement(report: Report, cluster: Cluster, worker: Member) -> None:
    mine = cluster.placements(worker)
    theirs = set().union(*(cluster.placements(head) for head in cluster.heads))
    if mine and theirs and not mine & theirs:
        row = next(row for row in cluster.view.rows if row.service == worker.service.name)
        message = (
            f"{worker.service.name} is in placement {row.placement}, the head in {', '.join(sorted(theirs))}: they may "
            "land on different providers and share no network."
        )
        advise(report, "ray-placements", row.key, message, severity="error")


def _same_version(report: Report, cluster: Cluster, worker: Member) -> None:
    head = cluster.heads[0]
    if head.version is None or worker.version is None:
        return
    (ray, python), (head_ray, head_python) = worker.version, head.version
    place = child(worker.service.node, "image") or worker.service.key
    if ray != head_ray:
        message = f"The worker's Ray is {ray}, the head's {head_ray}: Ray refuses nodes of another version."
        advise(report, "ray-versions", place, message, severity="error")
    elif python != head_python:
        message = (
            f"The worker's Python is {_shown(python)}, the head's {_shown(head_python)}: "
            "Ray refuses nodes of another Python."
        )
        severity: Severity = "error" if python and head_python else "warning"
        advise(report, "ray-versions", place, message, severity=severity)


def _shown(python: str) -> str:
    return f"{python[0]}.{python[1:]}" if python else "the default"


# --- resources -------------------------------------------------------------------------------------------------------


def _shm(report: Report, cluster: Cluster, member: Member) -> None:
    mounts = {string(child(params, "mount")): name for name, params in member.service.mounts.items()}
    name = mounts.get("/dev/shm") or mounts.get("/dev/shm/")
    for row, compute in cluster.computes(member):
        volume = next((volume for volume in compute.volumes if volume.name == name), None)
        if volume is None or volume.storage_class != "ram":
            message = (
                f"{member.service.name} has no ram volume on /dev/shm (Kubernetes gives 64 MB): "
                "Ray's object store goes to disk and slows down."
            )
            fix = _add_shm(member, row, compute) if volume is None and name is None else None
            advise(report, "ray-shm", member.service.key, message, fix=fix)
        elif volume.size is not None and volume.size < max(MIN_SHM, int(MIN_SHM_SHARE * (compute.memory or 0))):
            message = (
                f"/dev/shm of {shown_bytes(volume.size)} is small: Ray uses about a third of the memory for objects "
                "and spills the rest to disk."
            )
            advise(report, "ray-shm", child(volume.node, "size") or volume.node, message)


def _add_shm(member: Member, row: Row, compute: Compute) -> Fix | None:
    storage = child(compute.resources, "storage")
    names = {volume.name for volume in compute.volumes}
    for volume in compute.volumes:
        if volume.storage_class == "ram" and volume.name not in member.service.mounts:
            return Fix(f"mount {volume.name} on /dev/shm", (_mount_operation(member, volume.name),))
    if not isinstance(storage, Sequence | Mapping) or "shm" in names:
        return None
    size = shown_bytes(max(1, (compute.memory or 4 * GI) // 4 // GI) * GI)
    added: Value = {"name": "shm", "size": size, "attributes": {"persistent": False, "class": "ram"}}
    profile = ("profiles", "compute", row.profile, "resources", "storage")
    mount = _mount_operation(member, "shm")
    operations: tuple[Operation, ...] = (Operation("append", profile, added), mount)
    if isinstance(storage, Mapping):
        operations = (Operation("wrap", profile), *operations)
    return Fix(f"mount a ram volume of {size} on /dev/shm", operations)


def _mount_operation(member: Member, name: str) -> Operation:
    service = ("services", member.service.name)
    mount = {"mount": "/dev/shm"}
    params = child(member.service.node, "params")
    if params is None:
        return Operation("insert", (*service, "params"), {"storage": {name: dict(mount)}})
    if child(params, "storage") is None:
        return Operation("insert", (*service, "params", "storage"), {name: dict(mount)})
    return Operation("insert", (*service, "params", "storage", name), dict(mount))


def _worker_ports(report: Report, cluster: Cluster, member: Member) -> None:
    ports = member.worker_ports()
    if ports is None:
        return
    for _, compute in cluster.computes(member):
        needed = -(-(compute.cpu or 1000) // 1000) + SPARE_PORTS
        if ports < needed:
            message = (
                f"{ports} worker ports for {needed - SPARE_PORTS} CPUs: each worker, driver and job takes one, and Ray "
                f"fails with «no available ports»; allow {needed} or drop the flags, no port needs to be listed."
            )
            place = member.place_of("max-worker-port")
            if place is member.service.key:
                place = member.place_of("worker-port-list")
            advise(report, "ray-worker-ports", place, message)
