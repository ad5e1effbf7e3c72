"""The Ray cluster of an SDL as a RayCluster of KubeRay (`ray.io/v1`).

KubeRay starts Ray itself, from `rayStartParams` and the limits of the containers, and tells the workers where the head
is. Facts: KubeRay's operator (controllers/ray/common/pod.go) and the CRD; a Secret's key `auth_token` holds the token.
"""

import re
from typing import Any

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.export import (
    Export,
    Losses,
    Mount,
    Part,
    Variable,
    dumped,
    is_port,
    label,
    parts_of,
    variables,
)
from cockpit.sdl.export_losses import common_losses
from cockpit.sdl.failures import SdlError
from cockpit.sdl.nodes import child
from cockpit.sdl.quantities import shown_bytes
from cockpit.sdl.ray_cluster import CLIENT_PORT, Cluster, Member
from cockpit.sdl.secret_names import is_plain_secret
from cockpit.sdl.view import View

Config = dict[str, Any]

# KubeRay adds endings to it, and a name has 63 characters.
LONGEST_NAME = 50
TOKEN_VARIABLE, TOKEN_KEY = "RAY_AUTH_TOKEN", "auth_token"
FIRST_WITH_TOKENS = (2, 52)

_FLAG = re.compile(
    r"--(?P<name>[a-z][a-z-]+)(?:(?:=|\s+)(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"'&|;-][^\s\"'&|;]*|(?<==)-?\d+))?"
)
_START = re.compile(r"\bray\s+start\b(?P<flags>[^\n;&|]*)")
# What KubeRay knows better than a script that was made for Akash; amounts only where the script computes them.
_ITS_OWN = frozenset(("head", "address", "block"))
_AMOUNTS = frozenset(("num-cpus", "num-gpus", "memory", "object-store-memory"))
_SIMPLE = re.compile(r"[\w.,:/@=+%-]*")
_ADDRESSES = ("RAY_ADDRESS_HOST", "RAY_ADDRESS")


def to_kuberay(document: SdlDocument, name: str) -> Export:
    """The Ray cluster of the document as a RayCluster called `name`.

    Raises SdlError unless there is exactly one head, UnreadableSdlError if it is not YAML.
    """
    view, losses = View(document.tree.root), Losses(document)
    cluster = Cluster(view)
    members = {member.service.name: member for member in cluster.members if member.service.name in view.deployed}
    heads = [member for member in members.values() if member.is_head]
    if len(heads) != 1:
        found = f"{len(heads)} Ray heads" if heads else "no Ray head"
        raise SdlError(
            f"There is {found} in this SDL, and a RayCluster has one.", hint="Export it with --format compose."
        )
    parts = parts_of(view, losses)
    ours = [part for part in parts if part.service.name in members]
    common_losses(view, ours, losses)
    for part in parts:
        if part.service.name not in members:
            sentence = "is not part of the Ray cluster: a RayCluster has only a head and workers."
            losses.add(("services", part.service.name), part.service.key, sentence)
    writer = _Writer(label(name, LONGEST_NAME), losses)
    resource = writer.cluster(ours, members, heads[0])
    secrets = tuple(writer.secrets)
    return Export(dumped(_head(writer, secrets), resource), losses.all(), secrets)


def _head(writer: "_Writer", secrets: tuple[str, ...]) -> list[str]:
    name = writer.secret_name
    return [
        f"Make the Secret first, from a file with a line KEY=VALUE for each of: {', '.join(secrets)}",
        f"kubectl create secret generic {name} --from-env-file={name}.env && kubectl apply -f FILE",
        f"The dashboard is port 8265 of the service {writer.name}-head-svc, inside the cluster; it asks for the token.",
    ]


class _Writer:
    """Writes one RayCluster; `secrets` are the keys that its Secret must have."""

    def __init__(self, name: str, losses: Losses) -> None:
        self.name = name
        self.secret_name = f"{name}-secrets"
        self.secrets: dict[str, None] = {}
        self._losses = losses

    def cluster(self, parts: list[Part], members: dict[str, Member], head: Member) -> Config:
        """The whole resource."""
        head_part, *others = [part for part in parts if part.service.name == head.service.name]
        for part in (head_part, *others):
            if others or part.count != 1:
                path = ("deployment", part.service.name, part.row.placement)
                self._losses.add(path, part.row.node, "runs once: a RayCluster has one head.")
        self._authentication(head)
        version = head.version
        spec: Config = {"rayVersion": version[0]} if version and version[0] != "nightly" else {}
        spec["authOptions"] = {"mode": "token", "secretName": self.secret_name}
        spec["headGroupSpec"] = {"rayStartParams": self._params(head), "template": self._pod(head_part, head)}
        workers = [part for part in parts if part.service.name != head.service.name]
        if workers:
            spec["workerGroupSpecs"] = [self._group(part, members[part.service.name]) for part in workers]
        return {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": self.name}, "spec": spec}

    def _authentication(self, head: Member) -> None:
        self.secrets[TOKEN_KEY] = None
        path = ("services", head.service.name)
        if not head.has_token:
            sentence = f"runs Ray without a token; the export asks for one, {TOKEN_KEY} in the Secret."
            self._losses.add((*path, "env"), head.service.key, sentence)
        version = head.version
        numbers = tuple(int(part) for part in version[0].split(".")[:2]) if version and version[0] != "nightly" else ()
        if numbers and numbers < FIRST_WITH_TOKENS:
            ray = f"Ray {version[0] if version else ''}"
            sentence = f"{ray} does not support tokens: anyone who reaches the pod can run commands."
            self._losses.add((*path, "image"), child(head.service.node, "image"), sentence)

    def _group(self, part: Part, member: Member) -> Config:
        return {
            "groupName": part.name,
            "replicas": part.count,
            "minReplicas": part.count,
            "maxReplicas": part.count,
            "rayStartParams": self._params(member),
            "template": self._pod(part, member),
        }

    def _params(self, member: Member) -> Config:
        """The flags of the start command that KubeRay does not set by itself."""
        service = member.service
        nodes, key = (service.args, "args") if service.args else (service.command, "command")
        script = "\n".join(node.value for node in (*service.command, *service.args))
        started = _START.search(script.replace("\\\n", " "))
        if started is None:
            sentence = "is not carried over: KubeRay starts Ray by itself, with its usual flags."
            self._losses.add(("services", service.name, key), nodes[0] if nodes else service.key, sentence)
            return {}
        path = ("services", service.name, key)
        sentence = "only the flags of ray start are carried over: KubeRay does the rest of the script by itself."
        self._losses.add(path, nodes[0] if nodes else service.key, sentence)
        params: Config = {}
        for flag in _FLAG.finditer(started["flags"]):
            name, value = flag["name"], (flag["value"] or "true").strip("\"'")
            if name in _ITS_OWN or (name in _AMOUNTS and not value.isdecimal()):
                continue
            if "$" in value or not value:
                self._losses.add(path, nodes[0] if nodes else service.key, f"--{name} is computed there, and left out.")
            elif is_plain_secret(name, value):
                sentence = f"--{name} is a secret in plain text, and left out."
                self._losses.add(path, nodes[0] if nodes else service.key, sentence)
            else:
                params[name] = value if _SIMPLE.fullmatch(value) else _quoted(value)
        return params

    def _pod(self, part: Part, member: Member) -> Config:
        container: Config = {"name": "ray-head" if member.is_head else "ray-worker"}
        if part.service.image:
            container["image"] = part.service.image
        container["env"] = self._env(part, member)
        if ports := self._ports(part, member):
            container["ports"] = ports
        container["resources"] = _resources(part)
        mounts = [mount for mount in part.mounts if mount.path]
        if mounts:
            container["volumeMounts"] = [{"name": label(one.volume.name), "mountPath": one.path} for one in mounts]
        spec: Config = {"containers": [container]}
        if mounts:
            spec["volumes"] = [self._volume(part, mount) for mount in mounts]
        return {"spec": spec}

    def _env(self, part: Part, member: Member) -> list[Config]:
        found = [self._variable(one) for one in variables(part.service, self._losses) if one.name not in _ADDRESSES]
        for name, _, node, index in part.service.env:
            if name in _ADDRESSES:
                path = ("services", part.service.name, "env", index)
                self._losses.add(path, node, f"{name} is left out: KubeRay tells the workers where the head is.")
        own = {
            "RAY_AUTH_MODE": {"name": "RAY_AUTH_MODE", "value": "token"},
            TOKEN_VARIABLE: self._variable(Variable(TOKEN_VARIABLE, secret=TOKEN_KEY)),
        }
        return [*own.values(), *(one for one in found if one["name"] not in own)]

    def _variable(self, one: Variable) -> Config:
        if not one.secret:
            return {"name": one.name, "value": _escaped(one.value)}
        key = TOKEN_KEY if one.name == TOKEN_VARIABLE else one.secret
        self.secrets[key] = None
        return {"name": one.name, "valueFrom": {"secretKeyRef": {"name": self.secret_name, "key": key}}}

    def _ports(self, part: Part, member: Member) -> list[Config]:
        ports: dict[tuple[int, str], str] = {}
        if member.is_head:
            gcs, dashboard = member.gcs_port, member.port("dashboard-port", 8265)
            client = member.port("ray-client-server-port", CLIENT_PORT)
            ports = {(gcs, "TCP"): "gcs-server", (dashboard, "TCP"): "dashboard", (client, "TCP"): "client"}
        for expose in part.service.exposes:
            if not is_port(expose.port):
                continue
            protocol = expose.proto.upper() or "TCP"
            ports.setdefault((expose.port, protocol), f"{protocol.lower()}-{expose.port}")
            path = ("services", part.service.name, "expose", expose.index)
            if expose.is_global:
                sentence = f"port {expose.port} is open inside the Kubernetes cluster alone; an Ingress would open it."
                self._losses.add((*path, "to"), child(expose.node, "to"), sentence)
            if expose.given_as not in (None, expose.port):
                sentence = f"is not carried over: others reach it as port {expose.port}."
                self._losses.add((*path, "as"), child(expose.node, "as"), sentence)
        return [{"name": name, "containerPort": port, "protocol": kind} for (port, kind), name in ports.items()]

    def _volume(self, part: Part, mount: Mount) -> Config:
        volume = mount.volume
        name, size = label(volume.name), _quantity(volume.size or 0)
        if mount.is_memory:
            return {"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": size}}
        if not volume.persistent:
            return {"name": name, "emptyDir": {"sizeLimit": size}}
        sentence = f"volume {volume.name}: the class {volume.storage_class} is Akash's; it lives as long as its pod."
        path = ("profiles", "compute", part.row.profile, "resources", "storage")
        self._losses.add(path, volume.node, sentence)
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
        return {"name": name, "ephemeral": {"volumeClaimTemplate": {"spec": claim}}}


def _escaped(value: str) -> str:
    """A text that Kubernetes takes as it is. Source: its expansion of variables, where `$$` is a `$`."""
    return re.sub(r"\$(?=[$(])", "$$", value)


def _quoted(value: str) -> str:
    """A value in quotes of its own: KubeRay puts it into a shell command as it is."""
    return '"' + re.sub(r'(["\\\\$`])', r"\\\1", value) + '"'


def _quantity(size: int) -> str:
    """A size as Kubernetes writes it, to the byte."""
    shown = shown_bytes(size)
    return str(size) if "." in shown else shown


def _resources(part: Part) -> Config:
    """Limits, and the same requests: KubeRay takes Ray's resources from the limits."""
    amounts: dict[str, str] = {}
    compute = part.compute
    if compute is not None and compute.cpu is not None:
        amounts["cpu"] = f"{compute.cpu}m" if compute.cpu % 1000 else str(compute.cpu // 1000)
    if part.memory is not None:
        amounts["memory"] = _quantity(part.memory)
    disk = sum(mount.volume.size or 0 for mount in part.mounts if not mount.is_memory and not mount.volume.persistent)
    if disk:
        amounts["ephemeral-storage"] = _quantity(disk)
    if compute is not None and compute.gpu:
        amounts["nvidia.com/gpu"] = str(compute.gpu)
    return {"limits": amounts, "requests": amounts} if amounts else {}
