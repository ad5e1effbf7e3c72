"""Real GPUs, on a head without the stand-in: `gpus --json` against `nvidia-smi`, under load where torch is."""

import csv
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.cluster import started_head
from tests.live.command_line import CommandLine
from tests.live.processes import ProcessTree, eventually

pytestmark = [pytest.mark.live, pytest.mark.gpu]

MIB = 1024 * 1024
FIGURES = (
    "index", "name", "uuid", "memory.total", "memory.used", "memory.reserved", "utilization.gpu", "power.draw",
    "temperature.gpu",
)  # fmt: skip
LOADED = 300.0  # seconds; the first import of torch and of its kernels takes its time
AGREED = 90.0  # seconds; Ray samples every 5, and the load has to settle
LOAD = """
import torch

devices = range(torch.cuda.device_count())
squares = [torch.randn(8192, 8192, device=f"cuda:{device}", dtype=torch.float16) for device in devices]
print("loaded", flush=True)
while True:
    for square in squares:
        square @ square
    for device in devices:
        torch.cuda.synchronize(device)
"""

Row = dict[str, Any]


@dataclass(frozen=True)
class Smi:
    """One GPU as `nvidia-smi` tells of it; MiB, percent, watts and °C, None where it cannot tell."""

    index: int
    name: str
    uuid: str
    total: float | None
    used: float | None
    reserved: float | None
    utilization: float | None
    power: float | None
    temperature: float | None


def ask_smi() -> list[Smi]:
    command = ["nvidia-smi", f"--query-gpu={','.join(FIGURES)}", "--format=csv,noheader,nounits"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = csv.reader(answer.stdout.splitlines(), skipinitialspace=True)
    return [Smi(int(index), name, uuid, *map(_number, rest)) for index, name, uuid, *rest in rows]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # [N/A], [Not Supported]
        return None


@pytest.fixture(scope="module")
def gpus() -> list[Smi]:
    if shutil.which("nvidia-smi") is None:
        pytest.skip("needs nvidia-smi, which comes with NVIDIA's driver (nvidia-utils)")
    try:
        found = ask_smi()
    except subprocess.SubprocessError as error:
        pytest.skip(f"needs a GPU: nvidia-smi says {error}")
    if not found:
        pytest.skip("needs a GPU: nvidia-smi shows none")
    modes = subprocess.run(
        ["nvidia-smi", "--query-gpu=mig.mode.current", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        check=True,
    )
    if "Enabled" in modes.stdout:
        pytest.skip("needs whole GPUs: this one is cut into MIG slices, which nvidia-smi lists otherwise")
    return found


@pytest.fixture(scope="module")
def cockpit(gpus: list[Smi], tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """Our command line, told of a head on this machine's own GPUs, which are at work where torch is."""
    directory = tmp_path_factory.mktemp("gpu")
    with started_head(gpus=len(gpus)) as head, at_work(directory):
        yield CommandLine(directory, {"RAYAKASH_ADDRESS": head.address, "RAY_AUTH_TOKEN": head.token})


@contextmanager
def at_work(directory: Path) -> Iterator[None]:
    """All GPUs at work, where torch can be imported; idle ones agree as well, they only prove less."""
    if importlib.util.find_spec("torch") is None:
        yield
        return
    log = directory / "load.log"
    tree = ProcessTree([sys.executable, "-c", LOAD], environment=os.environ, log=log)
    try:
        eventually(lambda: "loaded" in log.read_text(), within=LOADED, what="a load on the GPUs")
        yield
    finally:
        tree.close()


def test_gpus_are_those_of_nvidia_smi(gpus: list[Smi], cockpit: CommandLine) -> None:
    rows = cockpit.rows("gpus")
    assert [(row["index"], row["name"], row["uuid"]) for row in rows] == [
        (gpu.index, gpu.name, gpu.uuid) for gpu in gpus
    ]
    for row, gpu in zip(rows, gpus, strict=True):
        assert gpu.total is None or row["memory_total"] == gpu.total * MIB


def test_figures_are_those_of_nvidia_smi(cockpit: CommandLine) -> None:
    last: list[str] = []

    def agrees() -> bool:
        """Whether the figures of one moment agree; each side has its own."""
        rows = {row["uuid"]: row for row in cockpit.rows("gpus")}
        last[:] = [text for gpu in ask_smi() for text in differences(gpu, rows[gpu.uuid])]
        return not last

    try:
        eventually(agrees, within=AGREED, what="agreement with nvidia-smi")
    except TimeoutError as error:
        error.add_note("\n".join(last))
        raise


def differences(gpu: Smi, row: Row) -> list[str]:
    """What does not agree, in words; figures that move may differ by what they move within a sample."""
    used = None if gpu.used is None else gpu.used + (gpu.reserved or 0) / 2
    slack = 256 + (gpu.reserved or 0) / 2  # Ray counts what the driver keeps for itself as used, nvidia-smi does not
    pairs = {
        "memory": (_scaled(row["memory_used"], MIB), used, slack),
        "utilisation": (row["utilization_gpu"], gpu.utilization, 15),
        "power": (_scaled(row["power_mw"], 1000), gpu.power, 10 + (gpu.power or 0) / 4),
        "temperature": (row["temperature_c"], gpu.temperature, 5),
    }
    return [
        f"{name} of GPU {gpu.index}: ours {ours}, nvidia-smi {theirs}"
        for name, (ours, theirs, slack) in pairs.items()
        if (ours is None) != (theirs is None)
        or (ours is not None and theirs is not None and abs(ours - theirs) > slack)
    ]


def _scaled(value: float | None, unit: int) -> float | None:
    return None if value is None else value / unit
