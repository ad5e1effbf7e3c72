"""Start, find and end the containers of an SDL; what runs is known by labels, so that nothing can be forgotten."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from cockpit.errors import UsageError
from cockpit.local.containers.engine import ContainerError, Engine
from cockpit.local.containers.environment import forget, given
from cockpit.local.containers.plan import Container, Plan
from cockpit.render.text import last_word

NAME_LABEL, SERVICE_LABEL, FILE_LABEL = "rayakash.cluster", "rayakash.service", "rayakash.file"
# A pod has 30 s to leave (Kubernetes terminationGracePeriodSeconds); Ray drains for 20 of them.
GRACE_S = 30
RESTARTS = 3
MOST_CONTAINERS = 200  # addresses in a network of ours
# What our start scripts say where another start would end the same way: the SDL is wrong, or the head never came.
FINAL_CODES = (69, 78)

Report = Callable[[str], None]


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """One container: its state in the engine's word, and its ports, inside and as (address, port) of this machine."""

    cluster: str
    service: str
    container: str
    file: str
    state: str
    exit_code: int | None
    restarts: int
    started: str
    ip: str
    ports: dict[int, tuple[str, int]]

    @property
    def is_over(self) -> bool:
        """Whether it has ended and is not started again."""
        if self.exit_code is None:
            return False
        return self.restarts >= RESTARTS or self.exit_code in (0, *FINAL_CODES)


class _Network(msgspec.Struct, frozen=True):
    name: str
    prefix: str  # the first three numbers of its addresses

    def ip(self, number: int) -> str:
        return f"{self.prefix}.{number + 10}"


def start(engine: Engine, name: str, file: str, plan: Plan, *, bind: str, report: Report) -> list[Running]:
    """Start every container of the plan; public ports get random ones of the address `bind` of this machine.

    Raises UsageError where the cluster is up or an image cannot be had, and ContainerError; nothing is left then.
    """
    if running(engine, name):
        raise UsageError(f"{name} is up already.", hint=f"rayakash-tui sdl down {last_word(name)}")
    if (total := sum(container.count for container in plan.containers)) > MOST_CONTAINERS:
        raise UsageError(f"{total} containers are more than {MOST_CONTAINERS}.", hint="Run fewer: --replicas N.")
    _fetch(engine, plan, report)
    try:
        network = _create_network(engine, name)
        hosts = _hosts(plan, network)
        number = 0
        for container in plan.containers:
            times = f" × {container.count}" if container.count != 1 else ""
            report(f"Starting {container.service}{times}.")
            for index in range(container.count):
                arguments = _arguments(container, index, network.ip(number), hosts)
                labels = {NAME_LABEL: name, SERVICE_LABEL: container.service, FILE_LABEL: file}
                _run(engine, name, container, index, [*_labels(labels), "--network", network.name, *arguments], bind)
                number += 1
    except BaseException:
        end(engine, name)
        raise
    return running(engine, name)


def _fetch(engine: Engine, plan: Plan, report: Report) -> None:
    for image in dict.fromkeys(container.image for container in plan.containers):
        if engine.has_image(image):
            continue
        report(f"Pulling {image}.")
        try:
            engine.run("pull", "--quiet", engine.source_of(image), seconds=None)
        except ContainerError as error:
            raise UsageError(
                f"The image {image} is not on this machine and cannot be pulled.",
                detail=error.detail,
                hint=f"Any image of that name will do, from {engine.name} build, load or tag; "
                "docker/README.md says what Ray's must hold.",
            ) from None


# --- the network -----------------------------------------------------------------------------------------------------


def _slug(name: str) -> str:
    return "rayakash-" + re.sub(r"[^A-Za-z0-9_.-]", "-", name)


def _create_network(engine: Engine, name: str) -> _Network:
    """A network with addresses that we choose, so that names are known before anything runs."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:2], "big")
    label = f"{NAME_LABEL}={name}"
    for attempt in range(16):
        prefix = f"10.{213 + (seed + attempt) % 8}.{(seed // 8 + attempt * 37) % 256}"
        network = _Network(_slug(name), prefix)
        try:
            engine.run("network", "create", "--label", label, "--subnet", f"{prefix}.0/24", network.name)
            return network
        except ContainerError as error:
            if not re.search("already used|overlap|in use", error.detail):
                raise
    raise ContainerError("No range of addresses is free for a network of containers.")


def _hosts(plan: Plan, network: _Network) -> dict[str, tuple[str, Container]]:
    """Names that resolve, as on a provider: of services that expose a port to others."""
    found, number = {}, 0
    for container in plan.containers:
        if container.has_name and container.count:
            found[container.service] = (network.ip(number), container)
        number += container.count
    return found


# --- one container ---------------------------------------------------------------------------------------------------


def _run(engine: Engine, name: str, container: Container, index: int, options: Sequence[str], bind: str) -> None:
    base = f"{_slug(name)}-{container.service}-{index}"
    published = [f"--publish={f'[{bind}]' if ':' in bind else bind}::{port}" for port in container.public]
    command = ["--entrypoint", container.command[0]] if container.command else []
    rest = [*container.command[1:], *container.args]
    prefix = f"{_slug(name)}.{container.service}.{index}."
    with given(engine, prefix, container.env) as environment:
        engine.run(
            "run", "--detach", "--name", base, *options, *published, *environment, *command, container.image, *rest
        )


def _arguments(container: Container, index: int, ip: str, hosts: dict[str, tuple[str, Container]]) -> Iterator[str]:
    yield from ("--hostname", f"{container.service}-{index}", "--ip", ip)
    yield from ("--restart", f"on-failure:{RESTARTS}")
    for host, (address, target) in hosts.items():
        yield from ("--add-host", f"{host}:{address}")
        # Kubernetes tells every pod of every service so; it must not disturb what runs.
        for key, value in service_links(host, address, target.internal).items():
            if key not in container.env:
                yield from ("--env", f"{key}={value}")
    if container.cpus is not None:
        yield from ("--cpus", f"{container.cpus:g}")
    if container.memory is not None:
        yield from ("--memory", str(container.memory))
    if container.shared_memory is not None:
        yield from ("--shm-size", str(container.shared_memory))
    for mount in container.mounts:
        if mount.size is None:
            yield from ("--volume", mount.path)
        else:
            yield from ("--tmpfs", f"{mount.path}:size={mount.size}")


def service_links(host: str, address: str, ports: Sequence[int]) -> dict[str, str]:
    """The variables about a service that Kubernetes gives to its neighbors (enableServiceLinks)."""
    if not ports:
        return {}
    name = host.upper().replace("-", "_")
    return {
        f"{name}_SERVICE_HOST": address,
        f"{name}_SERVICE_PORT": str(ports[0]),
        f"{name}_PORT": f"tcp://{address}:{ports[0]}",
    }


def _labels(labels: dict[str, str]) -> Iterator[str]:
    for key, value in labels.items():
        yield from ("--label", f"{key}={value}")


# --- what runs -------------------------------------------------------------------------------------------------------


def running(engine: Engine, name: str | None = None) -> list[Running]:
    """Every container of the cluster, or of all clusters, living or not. Raises ContainerError."""
    label = NAME_LABEL if name is None else f"{NAME_LABEL}={name}"
    ids = engine.run("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={label}").split()
    found = [_running(row) for row in engine.inspect(ids)]
    return sorted(found, key=lambda one: (one.cluster, one.container))


def _running(row: Any) -> Running:
    labels, state = row["Config"]["Labels"], row["State"]
    ports = {
        int(port.partition("/")[0]): (bound[0]["HostIp"] or "0.0.0.0", int(bound[0]["HostPort"]))
        for port, bound in (row["NetworkSettings"].get("Ports") or {}).items()
        if bound
    }
    networks = row["NetworkSettings"].get("Networks") or {}
    is_over = state["Status"] in ("exited", "dead", "stopped")
    return Running(
        cluster=labels[NAME_LABEL],
        service=labels.get(SERVICE_LABEL, ""),
        container=row["Name"].lstrip("/"),
        file=labels.get(FILE_LABEL, ""),
        state=state["Status"],
        exit_code=state["ExitCode"] if is_over else None,
        restarts=int(row.get("RestartCount") or 0),
        started=str(state.get("StartedAt") or ""),
        ip=next((network["IPAddress"] for network in networks.values()), ""),
        ports=ports,
    )


def last_words(engine: Engine, container: str, lines: int = 40) -> list[str]:
    """The last lines that a container wrote; ours alone, where it wrote some. Raises ContainerError."""
    text = engine.log(container, lines)
    ours = [line for line in text if line.startswith("rayakash: ")]
    return ours[-3:] or text[-12:]


def end(engine: Engine, name: str) -> int:
    """End every container of the cluster, Ray's workers first, and remove what it had; returns how many there were.

    Raises ContainerError.
    """
    found = running(engine, name)
    living = [one.container for one in found if one.state == "running"]
    if living:
        engine.run("stop", "--time", str(GRACE_S), *reversed(living), seconds=GRACE_S * (len(living) + 1))
    if found:
        engine.run("rm", "--force", "--volumes", *(one.container for one in found), seconds=GRACE_S * len(found))
    forget(engine, f"{_slug(name)}.")
    for network in engine.run("network", "ls", "--quiet", "--filter", f"label={NAME_LABEL}={name}").split():
        engine.run("network", "rm", network)
    return len(found)
