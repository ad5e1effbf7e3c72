"""An SDL as a file for Docker Compose (compose-spec)."""

from typing import Any

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.export import (
    SHM,
    Export,
    Losses,
    Part,
    dumped,
    is_port,
    label,
    parts_of,
    variables,
    words,
)
from cockpit.sdl.export_losses import common_losses
from cockpit.sdl.nodes import child, elements
from cockpit.sdl.view import View, string

Config = dict[str, Any]

LOOPBACK = "127.0.0.1"


def to_compose(document: SdlDocument, name: str) -> Export:
    """The document for `docker compose`, as the project `name`. Raises UnreadableSdlError where it is not YAML.

    Secrets are variables that compose reads from an env file; none of their values is in the text. Public ports are
    published on this machine alone.
    """
    view, losses = View(document.tree.root), Losses(document)
    parts = parts_of(view, losses)
    common_losses(view, parts, losses)
    secrets: dict[str, None] = {}
    taken: set[tuple[int, str]] = set()
    services = {part.name: _service(part, view, losses, secrets, taken) for part in parts}
    volumes: Config = {volume: {} for part in parts for volume in _named_volumes(part)}
    project: Config = {"name": label(name), "services": services}
    if volumes:
        project["volumes"] = volumes
    return Export(dumped(_head(name, list(secrets)), project), losses.all(), tuple(secrets))


def _head(name: str, secrets: list[str]) -> list[str]:
    if not secrets:
        return [f"Start it with: docker compose -f FILE up    ({name})"]
    return [
        f"Keep the values in {name}.env, for you alone to read, one NAME=VALUE a line, and start it with:",
        f"docker compose --env-file {name}.env -f FILE up",
        f"Names: {', '.join(secrets)}",
    ]


def _service(part: Part, view: View, losses: Losses, secrets: dict[str, None], taken: set[tuple[int, str]]) -> Config:
    found: Config = {"image": _escaped(part.service.image)} if part.service.image else {}
    path = ("services", part.service.name)
    for key, nodes, sdl_key in (
        ("entrypoint", part.service.command, "command"),
        ("command", part.service.args, "args"),
    ):
        if nodes:
            found[key] = [_escaped(word) for word in words(nodes, (*path, sdl_key), losses)]
    environment: dict[str, str] = {}
    for one in variables(part.service, losses):
        if one.secret:
            secrets[one.secret] = None
        environment[one.name] = f"${{{one.secret}:?is missing}}" if one.secret else _escaped(one.value)
    if environment:
        found["environment"] = environment
    found |= _depends_on(part, view, losses)
    found |= _ports(part, losses, taken)
    found |= _storage(part, losses)
    found["deploy"] = _deploy(part)
    found["restart"] = "unless-stopped"
    return found


def _escaped(text: str) -> str:
    """A text that compose takes as it is: a `$` begins a variable."""
    return text.replace("$", "$$")


def _depends_on(part: Part, view: View, losses: Losses) -> Config:
    node = child(part.service.node, "dependencies")
    names = [string(child(item, "service")) for item in elements(node)]
    known = [name for name in names if name in view.deployed and name != part.service.name]
    if node is not None and len(known) != len(names):
        losses.add(("services", part.service.name, "dependencies"), node, "names a service that does not run.")
    return {"depends_on": [label(name) for name in known]} if known else {}


def _ports(part: Part, losses: Losses, taken: set[tuple[int, str]]) -> Config:
    published: list[Config] = []
    inside: list[str] = []
    for expose in part.service.exposes:
        if not is_port(expose.port):
            continue
        path = ("services", part.service.name, "expose", expose.index)
        protocol = expose.proto.lower() or "tcp"
        inside.append(f"{expose.port}/{protocol}" if protocol != "tcp" else str(expose.port))
        outside = expose.external if is_port(expose.external) else expose.port
        if not expose.is_global:
            if outside != expose.port:
                losses.add(
                    (*path, "as"),
                    child(expose.node, "as"),
                    f"is not carried over: others reach it as port {expose.port}.",
                )
            continue
        port: Config = {"target": expose.port, "protocol": protocol, "host_ip": LOOPBACK}
        if part.count == 1 and (outside, protocol) not in taken:
            taken.add((outside, protocol))
            port["published"] = str(outside)
            where = f"port {outside} of {LOOPBACK}"
        else:
            where = f"a free port of {LOOPBACK}"
        losses.add((*path, "to"), child(expose.node, "to"), f"is open to this machine alone, on {where}.")
        if port not in published:
            published.append(port)
    found: Config = {"ports": published} if published else {}
    return found | ({"expose": list(dict.fromkeys(inside))} if inside else {})


def _storage(part: Part, losses: Losses) -> Config:
    found: Config = {}
    volumes: list[Config] = []
    tmpfs: list[Config] = []
    for mount in part.mounts:
        volume, path = mount.volume, ("profiles", "compute", part.row.profile, "resources", "storage")
        size = volume.size or 0
        if mount.is_memory and mount.path == SHM:
            found["shm_size"] = f"{size}b"
        elif mount.is_memory and mount.path:
            tmpfs.append({"type": "tmpfs", "target": mount.path, "tmpfs": {"size": size}})
        elif mount.path:
            source = f"{part.name}-{label(volume.name)}"
            volumes.append({"type": "volume", "source": source, "target": mount.path})
            shared = "; all replicas share it" if part.count > 1 else ""
            what = f"volume {volume.name}: neither its size nor its class {volume.storage_class or 'default'} is kept"
            losses.add(path, volume.node, f"{what}{shared}.")
        elif mount.is_memory:
            losses.add(path, volume.node, f"volume {volume.name} is mounted nowhere, and left out.")
        else:
            losses.add(path, volume.node, f"volume {volume.name}: Compose cannot limit the disk of a container.")
    if volumes or tmpfs:
        found["volumes"] = [*volumes, *tmpfs]
    return found


def _named_volumes(part: Part) -> list[str]:
    return [f"{part.name}-{label(mount.volume.name)}" for mount in part.mounts if mount.path and not mount.is_memory]


def _deploy(part: Part) -> Config:
    deploy: Config = {"replicas": part.count}
    limits: Config = {}
    if part.compute is not None and part.compute.cpu is not None:
        limits["cpus"] = f"{part.compute.cpu / 1000:g}"
    if part.memory is not None:
        limits["memory"] = f"{part.memory}b"
    resources: Config = {"limits": limits} if limits else {}
    if part.compute is not None and part.compute.gpu:
        device = {"driver": "nvidia", "count": part.compute.gpu, "capabilities": ["gpu"]}
        resources["reservations"] = {"devices": [device]}
    return deploy | ({"resources": resources} if resources else {})
