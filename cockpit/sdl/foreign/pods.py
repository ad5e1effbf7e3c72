"""The pods of Kubernetes that run Ray, and the objects beside them that give them variables and disks."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from cockpit.model.secret import REFERENCE_PREFIX, Secret
from cockpit.sdl.foreign.cluster import OWN_ENV, Node
from cockpit.sdl.foreign.losses import VARIABLE, CannotRunError, Config, Losses, items, mapping, text
from cockpit.sdl.foreign.sizes import Demand, gpu_model, quantity, whole_mebibytes
from cockpit.sdl.plan import SHM, DiskPlan
from cockpit.sdl.quantities import GI

VOLUME_CLASS = "beta3"
_DEFAULT_VOLUME = 10 * GI
_STANDARD_PORTS = frozenset((6379, 8265, 8080, 44217, 52365))
_CLIENT_PORT, _SERVE_PORT = 10001, 8000

# What Akash cannot give at all: the domain of a resource, and what it is called.
_ACCELERATORS = {
    "google.com/tpu": "TPUs", "cloud-tpus.google.com": "TPUs", "amd.com/": "AMD GPUs",
    "habana.ai/": "Gaudi accelerators", "aws.amazon.com/neuron": "Neuron accelerators",
    "gpu.intel.com/": "Intel GPUs", "huawei.com/": "Ascend accelerators", "qualcomm.com/": "Qualcomm accelerators",
    "furiosa.ai/": "Furiosa accelerators",
}  # fmt: skip
_GPU_LABELS = re.compile(r"gpu|accelerator", re.IGNORECASE)

_POD_REASONS = {
    "initContainers": "Nothing runs before Ray; build it into the image.",
    "serviceAccountName": "Pods on Akash cannot call Kubernetes.",
    "imagePullSecrets": "Add credentials to the service for a private registry.",
    "tolerations": "Akash chooses providers by price and attributes.",
    "affinity": "Akash chooses providers by price and attributes.",
    "topologySpreadConstraints": "All services land with one provider.",
    "terminationGracePeriodSeconds": "Containers have 30 s to stop.",
    "securityContext": "The image's own user runs Ray.",
    "hostNetwork": "Containers have a network of their own.",
    "priorityClassName": "Deployments do not have priorities.",
    "restartPolicy": "Containers are always restarted.",
}
_CONTAINER_REASONS = {
    "command": "The start script of this project starts Ray.",
    "args": "The start script of this project starts Ray.",
    "imagePullPolicy": "Providers pull an image that they lack; give each build its own tag.",
    "lifecycle": "The start script stops Ray in order.",
    "livenessProbe": "Akash has no probes; a container that ends is restarted.",
    "readinessProbe": "Akash has no probes; a container that ends is restarted.",
    "startupProbe": "Akash has no probes; a container that ends is restarted.",
    "securityContext": "The image's own user runs Ray.",
    "workingDir": "The image's own directory is used.",
}


class Objects:
    """Secrets, ConfigMaps and volume claims of the same file, by name."""

    def __init__(self, documents: list[Config]) -> None:
        self.secrets: dict[str, dict[str, Secret]] = {}
        self.maps: dict[str, dict[str, str]] = {}
        self.claims: dict[str, Config] = {}
        for document in documents:
            name = text(mapping(document.get("metadata")).get("name"))
            match document.get("kind"):
                case "Secret":
                    self.secrets[name] = {key: Secret(value) for key, value in _secret_values(document)}
                case "ConfigMap":
                    self.maps[name] = {key: text(value) for key, value in mapping(document.get("data")).items()}
                case "PersistentVolumeClaim":
                    self.claims[name] = mapping(document.get("spec"))


def _secret_values(document: Config) -> Iterator[tuple[str, str]]:
    for key, value in mapping(document.get("data")).items():
        try:
            yield key, base64.b64decode(text(value), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            continue
    for key, value in mapping(document.get("stringData")).items():
        yield key, text(value)


class Pod:
    """A pod template, read into a node."""

    def __init__(self, template: Config, path: str, objects: Objects, losses: Losses, *, is_head: bool) -> None:
        self._path, self._objects, self._losses, self._is_head = path, objects, losses, is_head
        losses.rest(path, template, ("spec", "metadata"))
        self._spec = mapping(template.get("spec"))
        self._demand = Demand(f"{path}.spec.containers.0.resources", is_head=is_head)

    def node(self, name: str) -> Node:
        """The node. Raises CannotRunError."""
        spec, path = self._spec, f"{self._path}.spec"
        containers = [mapping(one) for one in items(spec.get("containers"))]
        if not containers:
            raise CannotRunError(f"{path}.containers is empty: the pod lacks a Ray container.")
        for index, one in enumerate(containers[1:], 1):
            self._losses.add(
                f"{path}.containers.{index}",
                f"Only the Ray container runs; {text(one.get('name')) or 'this one'} does not.",
            )
        self._losses.rest(path, spec, ("containers", "volumes", "nodeSelector"), _POD_REASONS)
        container, path = containers[0], f"{path}.containers.0"
        node = Node(name, self._demand)
        node.image = text(container.get("image"))
        node.env = self._env(container, path)
        node.ports = list(self._ports(container, path))
        self._resources(mapping(container.get("resources")), f"{path}.resources")
        self._node_selector(mapping(spec.get("nodeSelector")), f"{self._path}.spec.nodeSelector")
        self._volumes(container, path)
        known = ("name", "image", "env", "envFrom", "ports", "resources", "volumeMounts")
        self._losses.rest(path, container, known, _CONTAINER_REASONS)
        return node

    # --- resources ---

    def _resources(self, resources: Config, path: str) -> None:
        self._losses.rest(path, resources, ("limits", "requests"))
        limits = {**mapping(resources.get("requests")), **mapping(resources.get("limits"))}
        for key, value in limits.items():
            amount = quantity(value)
            match key:
                case "cpu":
                    self._demand.cpu = amount
                case "memory":
                    self._demand.memory = amount
                case "ephemeral-storage":
                    self._demand.disk = amount
                case _:
                    self._device(str(key), int(amount or 0), path)

    def _device(self, key: str, count: int, path: str) -> None:
        if not count:
            return
        accelerator = next((words for start, words in _ACCELERATORS.items() if key.startswith(start)), None)
        if accelerator is not None:
            raise CannotRunError(
                f"{path}: Akash has no {accelerator} ({key}).", hint="Akash has NVIDIA GPUs: see `sdl new --gpu`."
            )
        if key == "nvidia.com/gpu" or key.endswith("/gpu") or key == "nvidia.com/gpu.shared":
            self._demand.gpus += count
        elif key.startswith("nvidia.com/mig-"):
            self._demand.gpus += count
            self._losses.add(f"{path}.limits.{key}", "Akash does not divide GPUs: each slice becomes a whole GPU.")
        else:
            self._losses.add(f"{path}.limits.{key}", "Akash does not offer this resource.")

    def _node_selector(self, selector: Config, path: str) -> None:
        for key, value in selector.items():
            if "tpu" in str(key).lower():
                raise CannotRunError(f"{path}: Akash has no TPUs.", hint="Akash has NVIDIA GPUs: see `sdl new --gpu`.")
            model = gpu_model(text(value)) if _GPU_LABELS.search(str(key)) and self._demand.gpus else None
            if model is not None:
                self._demand.models.append(model)
            else:
                self._losses.add(f"{path}.{key}", "Akash chooses providers by price and attributes.")

    # --- volumes ---

    def _volumes(self, container: Config, path: str) -> None:
        volumes = {text(mapping(one).get("name")): mapping(one) for one in items(self._spec.get("volumes"))}
        where = {text(mapping(one).get("name")): index for index, one in enumerate(items(self._spec.get("volumes")))}
        used: set[str] = set()
        for index, one in enumerate(items(container.get("volumeMounts"))):
            mount, mount_path = mapping(one), f"{path}.volumeMounts.{index}"
            name, target = text(mount.get("name")), text(mount.get("mountPath")).rstrip("/")
            self._losses.rest(mount_path, mount, ("name", "mountPath"))
            if not re.fullmatch(r"/[^\s:]+", target) or name not in volumes:
                self._losses.add(mount_path, "It mounts no volume of this pod.")
            elif name in used or any(target == volume.mount for volume in self._demand.volumes):
                self._losses.add(mount_path, "A volume is mounted once.")
            else:
                used.add(name)
                self._volume(name, volumes[name], target, f"{self._path}.spec.volumes.{where[name]}")
        for name, index in where.items():
            if name not in used:
                self._losses.add(f"{self._path}.spec.volumes.{index}", "The Ray container does not mount it.")

    def _volume(self, name: str, volume: Config, target: str, path: str) -> None:
        losses, demand = self._losses, self._demand
        if "emptyDir" in volume:
            empty = mapping(volume.get("emptyDir"))
            limit = quantity(empty.get("sizeLimit"))
            if text(empty.get("medium")) == "Memory":
                if target == SHM:
                    demand.shm = limit
                else:
                    self._add_disk(name, limit, "ram", target, path)
            else:
                demand.disk = limit if demand.disk is None else demand.disk
                losses.add(f"{path}.emptyDir", "It is a part of the container's disk.")
        elif "persistentVolumeClaim" in volume:
            claim = text(mapping(volume.get("persistentVolumeClaim")).get("claimName"))
            self._claim(name, self._objects.claims.get(claim, {}), target, f"{path}.persistentVolumeClaim")
        elif "ephemeral" in volume:
            template = mapping(mapping(volume.get("ephemeral")).get("volumeClaimTemplate"))
            self._claim(name, mapping(template.get("spec")), target, f"{path}.ephemeral")
        else:
            kind = next((key for key in volume if key != "name"), "it")
            losses.add(f"{path}.{kind}", f"Its files do not come to {target}; put them into the image.")

    def _claim(self, name: str, claim: Config, target: str, path: str) -> None:
        size = quantity(mapping(mapping(claim.get("resources")).get("requests")).get("storage"))
        self._losses.add(
            path, f"It becomes an empty volume of class {VOLUME_CLASS} for each replica; nothing is shared or copied."
        )
        self._add_disk(name, size, VOLUME_CLASS, target, path)

    def _add_disk(self, name: str, size: Any, storage_class: str, target: str, path: str) -> None:
        if not size:
            self._losses.add(path, f"No size is given: {_DEFAULT_VOLUME // GI}Gi.")
        taken = {"shm", "default", *(one.name for one in self._demand.volumes)}
        bare = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-") or "data"
        own = (
            bare
            if bare not in taken
            else next(f"{bare}-{number}" for number in range(2, 999) if f"{bare}-{number}" not in taken)
        )
        amount = whole_mebibytes(size) if size else _DEFAULT_VOLUME
        self._demand.volumes.append(DiskPlan(own, max(amount, 5 << 20), storage_class, target))

    # --- variables and ports ---

    def _env(self, container: Config, path: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for index, one in enumerate(items(container.get("envFrom"))):
            found |= self._env_from(mapping(one), f"{path}.envFrom.{index}")
        for index, one in enumerate(items(container.get("env"))):
            entry, own = mapping(one), f"{path}.env.{index}"
            name = text(entry.get("name"))
            if not VARIABLE.fullmatch(name):
                self._losses.add(own, "Its name is not one of a variable.")
            elif name in OWN_ENV:
                if name.startswith("RAY_ADDRESS") or name.endswith("RAY_IP"):
                    self._losses.add(own, f"{name} is left out: the start script says where the head is.")
            elif "valueFrom" in entry:
                value = self._value_from(name, mapping(entry.get("valueFrom")), own)
                if value is not None:
                    found[name] = value
            else:
                found[name] = self._losses.kept_out(name, self._expanded(text(entry.get("value")), found, own))
        return found

    def _expanded(self, value: str, known: dict[str, str], path: str) -> str:
        """`$(NAME)` of an earlier variable, which Kubernetes puts in; `$$` is a plain `$`."""

        def one(match: "re.Match[str]") -> str:
            if match[0] == "$$":
                return "$"
            inner = known.get(match[1])
            if inner is not None and not inner.startswith(REFERENCE_PREFIX):
                return inner
            if inner is not None:
                self._losses.add(path, f"$({match[1]}) stays as it is: nothing puts a secret into a text.")
            return match[0]

        return re.sub(r"\$\$|\$\(([^)]*)\)", one, value)

    def _value_from(self, name: str, source: Config, path: str) -> str | None:
        if secret := mapping(source.get("secretKeyRef")):
            key, owner = text(secret.get("key")), text(secret.get("name"))
            wanted = name if name == "RAY_AUTH_TOKEN" else key
            value = self._objects.secrets.get(owner, {}).get(key)
            return self._losses.reference(wanted, f"{owner}/{key}", value)
        if config := mapping(source.get("configMapKeyRef")):
            found = self._objects.maps.get(text(config.get("name")), {}).get(text(config.get("key")))
            if found is not None:
                return self._losses.kept_out(name, found)
            self._losses.add(path, f"{name} is left out: its ConfigMap is not in this file.")
            return None
        kind = next(iter(source), "valueFrom")
        self._losses.add(path, f"{name} is left out: {kind} is Kubernetes' own.")
        return None

    def _env_from(self, source: Config, path: str) -> dict[str, str]:
        prefix = text(source.get("prefix"))
        if config := mapping(source.get("configMapRef")):
            values = self._objects.maps.get(text(config.get("name")))
            if values is None:
                self._losses.add(path, "Its variables are left out: the ConfigMap is not in this file.")
            return {
                prefix + key: self._losses.kept_out(prefix + key, value)
                for key, value in (values or {}).items()
                if VARIABLE.fullmatch(prefix + key)
            }
        owner = text(mapping(source.get("secretRef")).get("name"))
        secrets = self._objects.secrets.get(owner)
        if secrets is None:
            self._losses.add(
                path, "Its variables are left out: the Secret is not in this file. Add NAME=ac-secret://NAME for each."
            )
        return {
            prefix + key: self._losses.reference(key, f"{owner}/{key}", value)
            for key, value in (secrets or {}).items()
            if VARIABLE.fullmatch(prefix + key)
        }

    def _ports(self, container: Config, path: str) -> Iterator[int]:
        for index, one in enumerate(items(container.get("ports"))):
            port = mapping(one).get("containerPort")
            if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 2**16:
                self._losses.add(f"{path}.ports.{index}", "It is not a port.")
            elif port == _CLIENT_PORT and self._is_head:
                self._losses.add(f"{path}.ports.{index}", "The gateway does not pass ray://; submit jobs instead.")
            elif port == _SERVE_PORT and self._is_head:
                self._losses.add(f"{path}.ports.{index}", "Write `--serve` to let the gateway pass /serve/ to it.")
            elif port not in _STANDARD_PORTS:
                if text(mapping(one).get("protocol")) not in ("", "TCP"):
                    self._losses.add(f"{path}.ports.{index}", "Only TCP ports are carried over.")
                else:
                    yield port
