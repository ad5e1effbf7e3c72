"""Which Ray the live tests run: the one installed beside them, or an older release from a place of its own."""

import importlib.util
import os
import subprocess
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

RAY_BIN = "RAYAKASH_RAY_BIN"  # the `bin` of a virtual environment that holds the Ray to start

Version = tuple[int, ...]

# The first release known to have it; a head that lacks it is started, and asked, without.
TOKENS: Version = (2, 52)
LOG_MONITOR_FLAG: Version = (2, 52)
GPU_PROCESSES: Version = (2, 60)
GPU_POWER: Version = (2, 60)
LOGS_WITH_TOKENS: Version = (2, 53)
ERROR_TYPES: Version = (2, 52)
ANNOUNCEMENT: Version = (2, 52)


@dataclass(frozen=True)
class RayRelease:
    """A Ray to start: where its programs are, and its version."""

    bin: Path
    version: Version

    @property
    def command(self) -> str:
        """Ray's own command line."""
        return str(self.bin / "ray")

    @property
    def python(self) -> str:
        """An interpreter that can import this Ray."""
        return str(self.bin / "python")

    @property
    def has_tokens(self) -> bool:
        """Whether its head can be told to want a token; an older one lets everyone in."""
        return self.version >= TOKENS

    @property
    def hands_out_logs(self) -> bool:
        """Whether log files can be had from the head as the tests start it: 2.52 has none where tokens are on."""
        return not self.has_tokens or self.version >= LOGS_WITH_TOKENS

    @property
    def has_error_types(self) -> bool:
        """Whether it tells the kind of a job's failure."""
        return self.version >= ERROR_TYPES

    @property
    def announces_entrypoint(self) -> bool:
        """Whether it writes a line about the entrypoint into the job's log."""
        return self.version >= ANNOUNCEMENT

    @property
    def has_log_monitor_flag(self) -> bool:
        """Whether `ray start` can be told to leave the log monitor out."""
        return self.version >= LOG_MONITOR_FLAG

    @property
    def has_gpu_processes(self) -> bool:
        """Whether it asks for the processes of a GPU by the functions that the stand-in has."""
        return self.version >= GPU_PROCESSES

    @property
    def has_gpu_power(self) -> bool:
        """Whether it reports power and temperature of GPUs."""
        return self.version >= GPU_POWER

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


@cache
def ray_release() -> RayRelease:
    """The Ray that `RAYAKASH_RAY_BIN` names, or the one beside the tests. Skips the test where there is none."""
    named = os.environ.get(RAY_BIN)
    if not named and importlib.util.find_spec("ray") is None:
        pytest.skip("needs ray: pip install 'rayakash-tui[local]'")
    programs = Path(named or sysconfig.get_path("scripts"))
    if not (programs / "ray").exists():
        pytest.fail(f"{RAY_BIN}={named}: there is no Ray in it")
    question = "from importlib.metadata import version; print(version('ray'))"
    asked = [str(programs / "python"), "-c", question]
    answer = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60)
    return RayRelease(programs, tuple(int(part) for part in answer.stdout.strip().split(".")[:3]))
