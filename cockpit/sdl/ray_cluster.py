"""Which services of an SDL are a Ray head and its workers, and how their start commands set them up.

Ports and flags: `ray start` of Ray 2.60 (python/ray/scripts/scripts.py).
"""

import re
from functools import cached_property

from cockpit.sdl.nodes import Node
from cockpit.sdl.view import Compute, Expose, Row, Service, View

GCS_PORT, DASHBOARD_PORT, CLIENT_PORT, AGENT_PORT = 6379, 8265, 10001, 52365

# Begins with letters, which is looked for quickly: these texts are scripts of hundreds of lines.
_START = re.compile(r"ray(?<!\wray)\s+start\b")
_IMAGE = re.compile(r"(^|/)(rayproject/)?ray(-ml|-llm)?[:@]|/ray(-[a-z]+)?[:@]|^rayproject/")
_TAG = re.compile(r":(?P<version>\d+\.\d+\.\d+|nightly)[\w.]*(?:-py(?P<python>\d+))?")


class Member:
    """One service of a Ray cluster."""

    def __init__(self, service: Service, *, is_head: bool) -> None:
        self.service = service
        self.is_head = is_head

    @cached_property
    def script(self) -> str:
        """Command and arguments in one line, with the service's own env variables put in."""
        text = " ".join(node.value for node in (*self.service.command, *self.service.args))
        values = {name: value for name, value, _, _ in self.service.env}
        return re.sub(r"\$\{?(\w+)\}?", lambda found: values.get(found[1], found[0]), text)

    def flag(self, name: str) -> str | None:
        """The value of a flag of `ray start`, or None."""
        found = re.search(rf"--{name}[=\s]+[\"']?([^\s\"',;|&)]+(?:,\d+)*)", self.script)
        return found.group(1) if found else None

    def port(self, name: str, default: int) -> int:
        """A port that a flag sets, or its default."""
        value = self.flag(name)
        return int(value) if value and value.isdecimal() else default

    @cached_property
    def starts_ray(self) -> bool:
        """Whether the SDL holds the start command (else the image does)."""
        return bool(_START.search(self.script))

    @property
    def gcs_port(self) -> int:
        """The port that workers join at."""
        return self.port("port", GCS_PORT)

    @property
    def sensitive_ports(self) -> dict[int, str]:
        """The ports of a head through which code can be run, with what they are."""
        return {
            self.port("dashboard-port", DASHBOARD_PORT): "dashboard and job API",
            self.gcs_port: "GCS",
            self.port("ray-client-server-port", CLIENT_PORT): "Ray Client",
        }

    @property
    def agent_ports(self) -> dict[int, str]:
        """The ports of a node's agent, which only the head needs."""
        return {
            self.port("dashboard-agent-listen-port", AGENT_PORT): "dashboard agent",
            self.port("dashboard-agent-grpc-port", 0): "agent gRPC",
            self.port("object-manager-port", 0): "object manager",
            self.port("node-manager-port", 0): "node manager",
        }

    @cached_property
    def has_token(self) -> bool:
        """Whether Ray will ask for a token: mode `token`, or no mode and a token that is there."""
        mode = self.service.env_value("RAY_AUTH_MODE")
        return mode == "token" or (mode is None and self.gives_token)

    @cached_property
    def gives_token(self) -> bool:
        """Whether a token is given: in the env, by a path, or written by the start command."""
        names = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
        return any(self.service.env_value(name) for name in names) or "auth_token" in self.script

    @property
    def dialled(self) -> tuple[str, str] | None:
        """Host and port that a worker joins, from its flag or its env; None where the SDL does not say."""
        address = self.flag("address") or self.service.env_value("RAY_ADDRESS") or ""
        host = self.service.env_value("RAY_ADDRESS_HOST")
        if not address and host:
            return host, ""
        name, _, port = address.removeprefix("ray://").rpartition(":") if ":" in address else (address, "", "")
        return (name, port) if name and "$" not in name and name != "auto" else None

    @cached_property
    def version(self) -> tuple[str, str] | None:
        """Ray and Python version of the image's tag; the second is empty where the tag does not say."""
        return image_version(self.service.image)

    def worker_ports(self) -> int | None:
        """How many worker ports the start command allows, or None for Ray's own range."""
        listed = self.flag("worker-port-list")
        if listed:
            return len(listed.split(","))
        least, most = self.flag("min-worker-port"), self.flag("max-worker-port")
        if least is None or most is None or not (least.isdecimal() and most.isdecimal()) or int(most) == 0:
            return None
        return int(most) - int(least) + 1

    def place_of(self, flag: str) -> Node:
        """The item of command or args that sets a flag, or the service's key."""
        for node in (*self.service.args, *self.service.command):
            if f"--{flag}" in node.value:
                return node
        return self.service.key


class Cluster:
    """Head and workers of the Ray cluster that an SDL describes."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.members = [member for service in view.services.values() if (member := _member(service))]
        self.heads = [member for member in self.members if member.is_head]
        self.workers = [member for member in self.members if not member.is_head]

    def computes(self, member: Member) -> list[tuple[Row, Compute]]:
        """The rows and compute profiles of a member."""
        rows = [row for row in self.view.rows if row.service == member.service.name]
        return [(row, self.view.computes[row.profile]) for row in rows if row.profile in self.view.computes]

    def placements(self, member: Member) -> set[str]:
        """The placements that a member runs in."""
        return {row.placement for row in self.view.rows if row.service == member.service.name}


def _member(service: Service) -> Member | None:
    member = Member(service, is_head=False)
    if member.starts_ray:
        member.is_head = "--head" in member.script
        return member
    if any(expose.port == DASHBOARD_PORT for expose in service.exposes) and "worker" not in service.name:
        member.is_head = True
        return member
    if "ray" not in re.split(r"[^a-z]+", f"{service.name} {service.image}".lower()) and not _named(service):
        return None
    role = f"{service.name} {service.image.rpartition('/')[2]}".lower()
    if "head" in role or "worker" in role:
        member.is_head = "head" in service.name or ("worker" not in service.name and "head" in role)
        return member
    return None


def _named(service: Service) -> bool:
    return any(name.startswith("RAY_") for name, _, _, _ in service.env)


def image_version(image: str) -> tuple[str, str] | None:
    """Ray and Python version of an image's tag; the second is empty where the tag does not say."""
    found = _TAG.search(image) if _IMAGE.search(image) else None
    return (found["version"], found["python"] or "") if found else None


def resolves(service: Service) -> bool:
    """Whether the service's name resolves inside the deployment: some port is internal, or port 80 is public.

    Source: provider cluster/kube/builder/service.go: only those make a ClusterIP service of that name.
    """
    return any(is_internal(expose) or expose.is_ingress for expose in service.exposes)


def is_internal(expose: Expose) -> bool:
    """Whether the port is on the service's ClusterIP: an item of `to` that is not global, or no item at all."""
    return not expose.targets or any(not target.is_global for target in expose.targets)
