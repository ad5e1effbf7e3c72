"""Amounts as Kubernetes and Compose write them, fitted into what Akash takes."""

import re
from decimal import ROUND_CEILING, Decimal, InvalidOperation

from cockpit.sdl import gpu_models
from cockpit.sdl.foreign.losses import CannotRunError, Losses, text
from cockpit.sdl.go_limits import MAX_CPU, MAX_GPU, MAX_MEMORY, MAX_STORAGE, MIN_CPU
from cockpit.sdl.plan import DiskPlan, GpuPlan
from cockpit.sdl.quantities import GI, MI, SUFFIXES, shown_bytes
from cockpit.sdl.ray_plan import Size
from cockpit.sdl.wish import card_ceiling, cpu_price, gpu_price

_QUANTITY = re.compile(r"([0-9.]+(?:[eE][-+]?[0-9]{1,3})?)([a-zA-Z]*)")
_NANO = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}
# Compose counts kB, MB and GB in 1024.
_COMPOSE = {"": 1, "b": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gb": 1 << 30}
# Cards that providers have and our list lacks.
_ALSO = ("l40s", "l40", "l4", "a10g", "a10", "a30", "b200", "gh200")


def quantity(value: object) -> Decimal | None:
    """A quantity of Kubernetes: 500m, 2, 8Gi, 1e9; None where it is none."""
    found = _QUANTITY.fullmatch(text(value).strip())
    if found is None:
        return None
    suffix = found[2]
    factor = Decimal(1) if not suffix else _NANO.get(suffix) or Decimal(SUFFIXES.get(suffix, 0))
    try:
        number = Decimal(found[1])
    except InvalidOperation:
        return None
    return number * factor if factor else None


def compose_bytes(value: object) -> int | None:
    """A size of Compose: 64m, 2gb, 1073741824; None where it is none."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)", text(value).strip().lower())
    factor = _COMPOSE.get(found[2].removesuffix("ib") + ("b" if found[2].endswith("ib") else "")) if found else None
    return int(Decimal(found[1]) * factor) if found and factor else None


def whole_mebibytes(size: Decimal | int) -> int:
    """Rounded up to what both parsers take."""
    return int((Decimal(size) / MI).to_integral_value(ROUND_CEILING)) * MI


def gpu_model(label: str) -> tuple[str, str, str] | None:
    """Model, memory and interface that a label of a node speaks of: NVIDIA-A100-SXM4-80GB, nvidia-tesla-t4."""
    bare = re.sub(r"[^a-z0-9]", "", label.lower()).removeprefix("nvidia")
    for model in sorted({*gpu_models.BY_MODEL, *_ALSO}, key=len, reverse=True):
        if re.search(rf"(?<![0-9]){model}(?![0-9])|^{model}", bare):
            card = gpu_models.BY_MODEL.get(model)
            found = re.search(r"(\d+)g(?:i?b)?\b", label.lower())
            ram = f"{found[1]}Gi" if found and card and f"{found[1]}Gi" in card.ram else ""
            interface = next((one for one in ("sxm", "pcie") if one in bare and card and one in card.interfaces), "")
            return model, ram, interface if ram else ""
    return None


class Demand:
    """What one node asks for, before it is fitted: None where the file does not say."""

    def __init__(self, path: str, *, is_head: bool) -> None:
        self.path = path
        self.is_head = is_head
        self.cpu: Decimal | None = None
        self.memory: Decimal | None = None
        self.disk: Decimal | None = None
        self.shm: Decimal | None = None
        self.volumes: list[DiskPlan] = []
        self.gpus = 0
        self.models: list[tuple[str, str, str]] = []

    def size(self, losses: Losses) -> Size:
        """The resources on Akash. Raises CannotRunError for more GPUs than a replica may have."""
        cpu = self._cpu(losses)
        memory, shm = self._memory(losses)
        gpu = self._gpu(losses)
        price = (
            gpu_price(card_ceiling(gpu.models[0][0] if gpu.models else ""), gpu.units)
            if gpu
            else cpu_price(cpu, memory)
        )
        return Size(cpu, memory, shm=shm, disk=self._disk(losses), price=price, gpu=gpu, volumes=tuple(self.volumes))

    def _cpu(self, losses: Losses) -> int:
        if self.cpu is None or self.cpu <= 0:
            cpu = 2000 if self.is_head else 4000
            losses.add(f"{self.path}.cpu", f"No limit is given: {cpu // 1000} CPUs.")
            return cpu
        cpu = int((self.cpu * 1000).to_integral_value(ROUND_CEILING))
        fitting = min(max(cpu, MIN_CPU), MAX_CPU)
        if fitting != cpu:
            losses.add(f"{self.path}.cpu", f"{cpu / 1000:g} CPUs are not possible: {fitting / 1000:g}.")
        return fitting

    def _memory(self, losses: Losses) -> tuple[int, int]:
        """Memory and /dev/shm, which comes on top on Akash and is a part of it elsewhere."""
        total = whole_mebibytes(self.memory) if self.memory else 0
        if not total:
            total = 8 * GI if self.is_head else 12 * GI
            losses.add(f"{self.path}.memory", f"No limit is given: {shown_bytes(total)}.")
        others = sum(one.size for one in self.volumes if one.storage_class == "ram")
        shm = whole_mebibytes(self.shm) if self.shm else max(GI, total // 4 // MI * MI)
        memory = total - shm - others
        least = GI
        if memory < least:
            losses.add(
                f"{self.path}.memory",
                f"{shown_bytes(total)} is too little for Ray: {shown_bytes(least)} and shared memory.",
            )
            memory = least
        if memory > MAX_MEMORY:
            losses.add(f"{self.path}.memory", f"Akash gives at most {shown_bytes(MAX_MEMORY)}.")
            memory = MAX_MEMORY
        small = max(GI, whole_mebibytes(memory // 10))
        if shm < small:
            losses.add(
                f"{self.path}.shm", f"{shown_bytes(shm)} of shared memory is too little for Ray: {shown_bytes(small)}."
            )
            shm = small
        return memory, min(shm, MAX_MEMORY)

    def _disk(self, losses: Losses) -> int:
        if not self.disk:
            disk = 50 * GI if self.gpus else 20 * GI
            losses.add(f"{self.path}.ephemeral-storage", f"No limit is given: {shown_bytes(disk)} of disk.")
            return disk
        return min(max(whole_mebibytes(self.disk), GI), MAX_STORAGE)

    def _gpu(self, losses: Losses) -> GpuPlan | None:
        if not self.gpus:
            return None
        if self.gpus > MAX_GPU:
            raise CannotRunError(
                f"{self.path}: no provider gives {self.gpus} GPUs to one replica.",
                hint="Use more workers with fewer GPUs.",
            )
        if not self.models:
            losses.add(f"{self.path}.gpu", "No model is named: any NVIDIA GPU, at the price of the dearest. Name one.")
        return GpuPlan(self.gpus, tuple(dict.fromkeys(self.models)))
