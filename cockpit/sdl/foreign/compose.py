"""A Docker Compose project with a Ray cluster in it, as the services of an SDL (compose-spec)."""

import re
import shlex
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from cockpit.sdl import ray_plan
from cockpit.sdl.export import label
from cockpit.sdl.foreign.cluster import LONGEST_NAME, OWN_ENV, Draft, Node, plain_price
from cockpit.sdl.foreign.flags import flags_of_script
from cockpit.sdl.foreign.losses import VARIABLE, CannotRunError, Config, Losses, items, mapping, text
from cockpit.sdl.foreign.sizes import Demand, compose_bytes, quantity, whole_mebibytes
from cockpit.sdl.plan import SHM, DiskPlan, PortPlan, ServicePlan
from cockpit.sdl.quantities import GI, MI
from cockpit.sdl.secret_names import is_plain_secret, is_secret_name

_START = re.compile(r"\bray\s+start\b")
_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?P<how>:?[-?+])?(?P<other>[^}]*)\}|(?P<bare>[A-Za-z_]\w*))")
_STANDARD_PORTS = frozenset((6379, 8265, 8080, 10001, 8443))
_DEFAULT_VOLUME = 10 * GI

_REASONS = {
    "build": "Build and push the image, and name it in the SDL.",
    "cap_add": "Akash does not grant capabilities to containers.",
    "configs": "Put the files into the image.",
    "container_name": "Services are reached by their name in the SDL.",
    "depends_on": "Services start in any order; workers wait for the head.",
    "devices": "GPUs are asked for in the resources.",
    "env_file": "Its variables are not in this file; add them to env.",
    "extends": "Import what `docker compose config` prints, which has it resolved.",
    "healthcheck": "Akash has no probes; a container that ends is restarted.",
    "hostname": "Services are reached by their name in the SDL.",
    "ipc": "Shared memory is a volume of the SDL.",
    "network_mode": "Containers have a network of their own.",
    "networks": "All services of the SDL share one network.",
    "privileged": "Akash does not run privileged containers.",
    "profiles": "All services are deployed.",
    "runtime": "GPUs are asked for in the resources.",
    "secrets": "Write NAME=ac-secret://NAME in env instead of a file.",
    "ulimits": "Providers set the limits.",
    "user": "The image's own user runs.",
    "working_dir": "The image's own directory is used.",
}
# How a container ends and is restarted is Akash's own; nothing of the cluster changes with it.
_SILENT = (
    "restart",
    "stop_grace_period",
    "stop_signal",
    "init",
    "tty",
    "stdin_open",
    "labels",
    "logging",
    "pull_policy",
)
_KNOWN = (
    "image", "command", "entrypoint", "environment", "ports", "expose", "deploy", "cpus", "mem_limit",
    "mem_reservation", "shm_size", "volumes", "tmpfs", "scale", "gpus", *_SILENT,
)  # fmt: skip


def read(project: Config, losses: Losses) -> Draft:
    """The cluster of a project. Raises CannotRunError where it has no Ray head."""
    services = {str(name): mapping(value) for name, value in mapping(project.get("services")).items()}
    known = ("services", "name", "version", "volumes", "networks")
    losses.rest("", project, (*known, *(key for key in project if str(key).startswith("x-"))))
    heads = [name for name, one in services.items() if _role(name, one) == "head"]
    if len(heads) != 1:
        found = f"{len(heads)} Ray heads" if heads else "no Ray head"
        hint = "A service starts one with `ray start --head`."
        raise CannotRunError(f"There is {found} in this Compose file.", hint=hint)
    reader = _Reader(services, mapping(project.get("volumes")), losses)
    head = reader.node(heads[0], ray_plan.HEAD_NAME, is_head=True)
    workers, others = [], []
    for name, one in services.items():
        role = _role(name, one)
        if role == "worker":
            worker = reader.node(name, name, is_head=False)
            if worker.count:
                workers.append(worker)
            else:
                losses.add(f"services.{name}", "It has zero replicas and is left out.")
        elif not role and not _is_our_gateway(one):
            others += [made for made in (reader.other(name),) if made is not None]
    return Draft(
        head=head, workers=workers, version="", version_path=f"services.{heads[0]}.image", others=tuple(others)
    )


def _script(service: Config) -> str:
    return " ".join(_words(service.get("entrypoint")) + _words(service.get("command"))).replace("$$", "$")


def _words(value: object) -> list[str]:
    if isinstance(value, list):
        return [text(one) for one in value]
    return [text(value)] if text(value) else []


def _role(name: str, service: Config) -> str:
    """head, worker, or nothing of a Ray cluster."""
    script = _script(service)
    if _START.search(script):
        return "head" if "--head" in script else "worker"
    image = text(service.get("image"))
    if re.search(r"(^|/)ray(-ml|-llm)?(:|@|$)", image) or image.startswith("rayproject/"):
        return "head" if "head" in name else "worker" if "worker" in name else ""
    return ""


def _is_our_gateway(service: Config) -> bool:
    """What an export of ours has in front of the head; the SDL gets a new one."""
    return text(service.get("image")).startswith("caddy:") and "GATEWAY_TLS_KEY" in dict(
        _pairs(service.get("environment"))
    )


def _pairs(value: object) -> Iterator[tuple[str, str | None]]:
    """Variables in either form; None is the value that the shell has."""
    if isinstance(value, dict):
        yield from ((str(key), None if one is None else text(one)) for key, one in value.items())
    for one in items(value):
        name, equals, rest = text(one).partition("=")
        yield name, rest if equals else None


class _Reader:
    """Reads the services of one project."""

    def __init__(self, services: dict[str, dict[str, Any]], volumes: Config, losses: Losses) -> None:
        self._services, self._volumes, self._losses = services, volumes, losses

    def node(self, name: str, own: str, *, is_head: bool) -> Node:
        """A head or a group of workers."""
        service, path = self._services[name], f"services.{name}"
        demand = Demand(path, is_head=is_head)
        node = Node(own, demand)
        node.image = self._image(service, path)
        node.env = self._env(service, path)
        node.flags = flags_of_script(_script(service), f"{path}.command", self._losses)
        if not is_head:
            node.count = self._count(service)
        elif self._count(service) != 1:
            self._losses.add(f"{path}.deploy.replicas", "A Ray cluster has one head.")
        if not _START.search(_script(service)) and _script(service):
            self._losses.add(f"{path}.command", "The start script of this project starts Ray.")
        self._demand(service, path, demand)
        node.ports = [port for port in self._ports(service, path) if port not in _STANDARD_PORTS]
        self._losses.rest(path, service, _KNOWN, _REASONS)
        return node

    def other(self, name: str) -> ServicePlan | None:
        """A service beside the cluster, reached by its name alone."""
        service, path = self._services[name], f"services.{name}"
        image = self._image(service, path)
        if not image:
            self._losses.add(path, "It names no image, and is left out.")
            return None
        demand = Demand(path, is_head=False)
        self._demand(service, path, demand)
        cpu = int((demand.cpu or 1) * 1000)
        if demand.cpu is None:
            self._losses.add(f"{path}.cpu", "No limit is given: 1 CPU.")
        if demand.memory is None:
            self._losses.add(f"{path}.memory", "No limit is given: 1Gi.")
        volumes = list(demand.volumes)
        if demand.shm:
            volumes.insert(0, DiskPlan("shm", whole_mebibytes(demand.shm), "ram", SHM))
        if demand.gpus:
            self._losses.add(f"{path}.gpus", "Only head and workers get GPUs.")
        self._losses.rest(path, service, _KNOWN, _REASONS)
        ports = dict.fromkeys(self._ports(service, path))
        return ServicePlan(
            name=label(name, LONGEST_NAME), image=image, env=tuple(self._env(service, path).items()),
            command=tuple(self._command(service.get("entrypoint"), f"{path}.entrypoint")),
            args=tuple(self._command(service.get("command"), f"{path}.command")),
            ports=tuple(PortPlan(port, (ray_plan.HEAD_NAME,)) for port in ports),
            cpu=min(max(cpu, 10), 384_000), memory=max(whole_mebibytes(demand.memory or GI), 16 * MI), disk=5 * GI,
            volumes=tuple(volumes), count=max(1, self._count(service)), price=plain_price(),
            comment="Beside the cluster, as in the file that this was imported from; reached by its name.",
        )  # fmt: skip

    def _image(self, service: Config, path: str) -> str:
        image = text(service.get("image"))
        return self._resolved(image, f"{path}.image") if image else ""

    def _count(self, service: Config) -> int:
        replicas = mapping(service.get("deploy")).get("replicas", service.get("scale", 1))
        return (
            replicas if isinstance(replicas, int) and not isinstance(replicas, bool) and 0 <= replicas <= 10_000 else 1
        )

    # --- resources ---

    def _demand(self, service: Config, path: str, demand: Demand) -> None:
        deploy = mapping(service.get("deploy"))
        resources = mapping(deploy.get("resources"))
        limits, reserved = mapping(resources.get("limits")), mapping(resources.get("reservations"))
        self._losses.rest(f"{path}.deploy", deploy, ("replicas", "resources", "restart_policy"))
        cpus = limits.get("cpus", service.get("cpus", reserved.get("cpus")))
        memory = limits.get("memory", service.get("mem_limit", reserved.get("memory", service.get("mem_reservation"))))
        demand.cpu = quantity(cpus) if cpus is not None else None
        size = compose_bytes(memory) if memory is not None else None
        demand.memory = Decimal(size) if size else None
        shm = compose_bytes(service.get("shm_size"))
        demand.shm = Decimal(shm) if shm else None
        self._gpus(service, items(reserved.get("devices")), path, demand)
        self._mounts(service, path, demand)

    def _gpus(self, service: Config, devices: list[Any], path: str, demand: Demand) -> None:
        asked = [
            (mapping(one), f"{path}.deploy.resources.reservations.devices.{index}") for index, one in enumerate(devices)
        ]
        gpus = service.get("gpus")
        if gpus == "all":
            asked.append(({"count": "all", "capabilities": ["gpu"]}, f"{path}.gpus"))
        asked += [
            ({"capabilities": ["gpu"], **mapping(one)}, f"{path}.gpus.{index}") for index, one in enumerate(items(gpus))
        ]
        for device, where in asked:
            driver = text(device.get("driver")) or "nvidia"
            if driver not in ("nvidia", "cdi") or "tpu" in items(device.get("capabilities")):
                raise CannotRunError(
                    f"{where}: Akash has no {driver} devices.", hint="Akash has NVIDIA GPUs: see `sdl new --gpu`."
                )
            if "gpu" not in items(device.get("capabilities")):
                self._losses.add(where, "It is not a GPU.")
                continue
            count, ids = device.get("count"), items(device.get("device_ids"))
            if isinstance(count, int) and not isinstance(count, bool) and count > 0:
                demand.gpus += count
            elif ids:
                demand.gpus += len(ids)
            else:
                demand.gpus += 1
                self._losses.add(f"{where}.count", "All GPUs of a machine become one GPU; raise units for more.")

    def _mounts(self, service: Config, path: str, demand: Demand) -> None:
        for index, one in enumerate(items(service.get("volumes"))):
            where = f"{path}.volumes.{index}"
            kind, source, target, size = _mount(one)
            if not _is_free(target, demand):
                self._losses.add(where, "It does not name a path.")
            elif kind == "tmpfs":
                self._tmpfs(target, size, where, demand)
            elif kind == "bind":
                self._losses.add(
                    where, f"Files of this machine do not come to {target}; put them into the image or a store."
                )
            else:
                demand.volumes.append(
                    DiskPlan(_free(source or "data", demand), _DEFAULT_VOLUME, "beta3", target.rstrip("/"))
                )
                shared = "; the services no longer share it" if source and self._uses(source) > 1 else ""
                self._losses.add(where, f"It becomes an empty volume of 10Gi, class beta3, for each replica{shared}.")
        value = service.get("tmpfs")
        for index, target in enumerate(_words(value)):
            self._tmpfs(
                target.partition(":")[0],
                None,
                f"{path}.tmpfs.{index}" if isinstance(value, list) else f"{path}.tmpfs",
                demand,
            )

    def _tmpfs(self, target: str, size: int | None, path: str, demand: Demand) -> None:
        if not _is_free(target, demand):
            self._losses.add(path, "It does not name a path.")
            return
        if target.rstrip("/") == SHM:
            demand.shm = Decimal(size) if size else demand.shm
            return
        if not size:
            self._losses.add(path, "No size is given: 1Gi of memory.")
        demand.volumes.append(DiskPlan(_free("tmp", demand), whole_mebibytes(size or GI), "ram", target.rstrip("/")))

    def _uses(self, source: str) -> int:
        return sum(
            any(_mount(one)[1] == source for one in items(service.get("volumes")))
            for service in self._services.values()
        )

    # --- commands, variables and ports ---

    def _command(self, value: object, path: str) -> list[str]:
        if isinstance(value, list):
            return [self._resolved(text(one), path) for one in value]
        try:
            return [self._resolved(word, path) for word in shlex.split(text(value))]
        except ValueError:
            self._losses.add(path, "Its quotes do not match; it is left out.")
            return []

    def _env(self, service: Config, path: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, given in _pairs(service.get("environment")):
            where = f"{path}.environment.{name}"
            if not VARIABLE.fullmatch(name):
                self._losses.add(f"{path}.environment", "A name is not one of a variable.")
            elif name in OWN_ENV:
                continue
            elif given is None:
                found[name] = self._losses.reference(name, f"shell/{name}")
                self._losses.add(where, "Its value is that of your shell; store it as a secret, or write it.")
            elif whole := _VARIABLE.fullmatch(given):
                found[name] = self._variable(name, whole, where)
            else:
                found[name] = self._losses.kept_out(name, self._resolved(given, where))
        return found

    def _variable(self, name: str, found: "re.Match[str]", path: str) -> str:
        """A value that is one variable of the shell: its default, or a reference."""
        if found[0] == "$$":
            return "$"
        if found["how"] in ("-", ":-"):
            return self._losses.kept_out(name, found["other"])
        wanted = found["name"] or found["bare"]
        return self._losses.reference(wanted, f"shell/{wanted}")

    def _resolved(self, value: str, path: str) -> str:
        """A text with the defaults of its variables; the others stay empty, as Compose has them."""

        def one(found: "re.Match[str]") -> str:
            if found[0] == "$$":
                return "$"
            if found["how"] in ("-", ":-"):
                return str(found["other"])
            what = "A variable" if is_secret else f"The variable {found['name'] or found['bare']}"
            self._losses.add(path, f"{what} of your shell is not known here.")
            return ""

        # A password with a dollar sign in it is not a variable: what follows the sign is part of the secret.
        option = value.partition("=")[0].lstrip("-").replace("-", "_").upper()
        is_secret = is_secret_name(option) or is_plain_secret(path.rpartition(".")[2], value)
        return _VARIABLE.sub(one, value)

    def _ports(self, service: Config, path: str) -> Iterator[int]:
        for index, one in enumerate(items(service.get("ports"))):
            where = f"{path}.ports.{index}"
            port = _port(one)
            if port is None:
                self._losses.add(where, "It is not one TCP port.")
                continue
            if port != 8265:
                self._losses.add(where, f"Only the gateway is public; port {port} is open between the services.")
            yield port
        for one in items(service.get("expose")):
            port = _port(one)
            if port is not None:
                yield port


def _port(value: object) -> int | None:
    """The port of the container in a short or long form."""
    if isinstance(value, dict):
        target = text(value.get("target"))
        return int(target) if target.isdecimal() and text(value.get("protocol")) in ("", "tcp") else None
    found = re.fullmatch(r"(?:.*:)?(\d+)(?:/tcp)?", text(value))
    return int(found[1]) if found and 0 < int(found[1]) < 2**16 else None


def _mount(value: object) -> tuple[str, str, str, int | None]:
    """Type, source, target and size of a mount in a short or long form."""
    if isinstance(value, dict):
        kind = text(value.get("type")) or "volume"
        size = compose_bytes(mapping(value.get("tmpfs")).get("size"))
        return kind, text(value.get("source")), text(value.get("target")), size
    parts = text(value).split(":")
    if len(parts) == 1:
        return "volume", "", parts[0], None
    kind = "bind" if parts[0][:1] in (".", "/", "~", "$") else "volume"
    return kind, parts[0], parts[1], None


def _is_free(target: str, demand: Demand) -> bool:
    """Whether it is an absolute path that no volume has yet."""
    path = target.rstrip("/")
    return bool(re.fullmatch(r"/[^\s:]+", path)) and all(path != volume.mount for volume in demand.volumes)


def _free(name: str, demand: Demand) -> str:
    taken = {"shm", "default", *(one.name for one in demand.volumes)}
    stem = label(name, 30)
    return next(one for one in (stem, *(f"{stem}-{number}" for number in range(2, 999))) if one not in taken)
