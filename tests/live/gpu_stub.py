"""GPUs on a machine that has none: a stand-in for NVIDIA's library, and its figures driven from tests."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

SOURCE = Path(__file__).with_name("nvml") / "nvmlstub.c"
LIBRARY = "libnvidia-ml.so.1"
FIGURES_VARIABLE = "RAYAKASH_NVML_STUB"
UNREADABLE = "unreadable"


@dataclass(frozen=True)
class GpuProcess:
    """A process on a GPU; None is a figure that the driver cannot read."""

    pid: int
    memory_mib: int | None = 0
    utilization: int | None = 0


@dataclass(frozen=True)
class StubGpu:
    """One GPU as NVML reports it; None is a figure that the driver cannot read."""

    name: str
    uuid: str
    memory_total_mib: int
    memory_used_mib: int = 0
    utilization: int | None = 0
    power_mw: int | None = 60_000
    temperature_c: int | None = 30
    processes: tuple[GpuProcess, ...] = ()


class Figures(TypedDict, total=False):
    """The fields of a StubGpu that `GpuStub.set` may change."""

    name: str
    memory_total_mib: int
    memory_used_mib: int
    utilization: int | None
    power_mw: int | None
    temperature_c: int | None
    processes: tuple[GpuProcess, ...]


class GpuStub:
    """The GPUs of one node. Ray samples them every 5 seconds."""

    def __init__(self, path: Path, library: Path, gpus: Sequence[StubGpu]) -> None:
        self.path = path
        self._library = library
        self._initial = tuple(gpus)
        self.reset()

    def __getitem__(self, index: int) -> StubGpu:
        return self._gpus[index]

    def __len__(self) -> int:
        return len(self._gpus)

    def set(self, index: int, **figures: Unpack[Figures]) -> StubGpu:
        """Change figures of one GPU for every later reading, and return it as it is now."""
        self._gpus[index] = replace(self._gpus[index], **figures)
        self._write()
        return self._gpus[index]

    def reset(self) -> None:
        """Back to the figures of the start."""
        self._gpus = list(self._initial)
        self._write()

    def environment(self) -> dict[str, str]:
        """What a node needs in its environment to see these GPUs and no real ones."""
        search = [str(self._library.parent), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
        return {"LD_LIBRARY_PATH": ":".join(search), FIGURES_VARIABLE: str(self.path)}

    def _write(self) -> None:
        # Replaced as a whole: Ray reads in the middle of anything.
        draft = self.path.with_suffix(".draft")
        draft.write_text("".join(f"{line}\n" for gpu in self._gpus for line in _lines(gpu)))
        os.replace(draft, self.path)


def build_library(directory: Path) -> Path:
    """The compiled stand-in in `directory`; skips the test where it cannot be built."""
    if not sys.platform.startswith("linux"):
        pytest.skip("needs Linux: Ray looks for GPUs through NVML only there")
    if (compiler := shutil.which("cc")) is None:
        pytest.skip("needs a C compiler: apt-get install gcc libc6-dev")
    library = directory / LIBRARY
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-Wl,-soname,{LIBRARY}"]
    subprocess.run([compiler, *flags, "-o", library, SOURCE], check=True)
    return library


def make_gpus(name: str, memory_total_mib: int, count: int) -> list[StubGpu]:
    """`count` idle GPUs of one model."""
    return [StubGpu(name, f"GPU-{uuid.uuid4()}", memory_total_mib) for _ in range(count)]


def _lines(gpu: StubGpu) -> list[str]:
    processes = [
        f"process {process.pid} {_figure(process.memory_mib)} {_figure(process.utilization)}"
        for process in gpu.processes
    ]
    return [
        "gpu",
        f"name {gpu.name}",
        f"uuid {gpu.uuid}",
        f"memory {gpu.memory_used_mib} {gpu.memory_total_mib}",
        f"utilization {_figure(gpu.utilization)}",
        f"power {_figure(gpu.power_mw)}",
        f"temperature {_figure(gpu.temperature_c)}",
        *processes,
    ]


def _figure(value: int | None) -> str:
    return UNREADABLE if value is None else str(value)
