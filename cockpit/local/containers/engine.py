"""podman, or docker where there is none: run as a program, its refusals in words."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import msgspec

from cockpit.errors import CockpitError, UsageError
from cockpit.model.child_environment import child_environment

ENGINES = ("podman", "docker")
ENGINE_VARIABLE = "RAYAKASH_CONTAINER_ENGINE"
QUICK_S = 60.0


class Engine(msgspec.Struct, frozen=True):
    """The program that runs containers."""

    name: str
    path: str

    @property
    def is_podman(self) -> bool:
        """Whether it has what podman alone has: secrets without a swarm."""
        return self.name == "podman"

    def run(self, *arguments: str, stdin: bytes | None = None, seconds: float | None = QUICK_S) -> str:
        """What it printed. Raises ContainerError with its own words where it refuses or hangs."""
        try:
            done = subprocess.run(
                [self.path, *arguments],
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                timeout=seconds,
                check=False,
                env=child_environment(),
            )
        except subprocess.TimeoutExpired as error:
            raise ContainerError(f"{self.name} {arguments[0]} did not end within {seconds:g} s.") from error
        except OSError as error:
            raise ContainerError(f"{self.name} cannot be run.", detail=error.strerror or str(error)) from error
        if done.returncode:
            raise ContainerError(
                f"{self.name} {arguments[0]} was refused.",
                detail=done.stderr.decode(errors="replace").strip(),
                hint=f"Mend what {self.name} names there; `{self.name} info` tells how it is set up.",
            )
        return done.stdout.decode(errors="replace")

    def capacity(self) -> tuple[int, int]:
        """CPUs and bytes of memory that containers can share: a virtual machine's, where it runs one.

        Raises ContainerError.
        """
        words = "{{.Host.CPUs}} {{.Host.MemTotal}}" if self.is_podman else "{{.NCPU}} {{.MemTotal}}"
        answer = self.run("info", "--format", words)
        try:
            cpus, memory = map(int, answer.split())
        except ValueError as error:
            raise ContainerError(f"{self.name} info says nothing of CPUs and memory.", detail=answer) from error
        return cpus, memory

    def log(self, container: str, lines: int) -> list[str]:
        """The last lines that a container wrote to either stream. Raises ContainerError."""
        try:
            done = subprocess.run(
                [self.path, "logs", "--tail", str(lines), container],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=QUICK_S, check=False,
                env=child_environment(),
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ContainerError(f"The log of {container} cannot be read.", detail=str(error)) from error
        return done.stdout.decode(errors="replace").splitlines()

    def inspect(self, names: Sequence[str]) -> list[Any]:
        """What it knows of containers. Raises ContainerError."""
        if not names:
            return []
        found: list[Any] = msgspec.json.decode(self.run("inspect", "--type", "container", *names))
        return found

    def source_of(self, image: str) -> str:
        """Where it gets an image from: Debian's podman does not search for short names by default."""
        return f"docker://{image}" if self.is_podman else image

    def has_image(self, image: str) -> bool:
        """Whether the image is on this machine."""
        try:
            self.run("image", "inspect", "--format", "{{.Id}}", image)
        except ContainerError:
            return False
        return True


class ContainerError(CockpitError):
    """The program that runs containers refused."""


def find_engine() -> Engine:
    """podman, else docker, or the one that RAYAKASH_CONTAINER_ENGINE names.

    Raises UsageError where there is none, or it does not work.
    """
    chosen = os.environ.get(ENGINE_VARIABLE)
    names = (chosen,) if chosen else ENGINES
    for name in names:
        if path := shutil.which(name):
            engine = Engine("podman" if "podman" in os.path.basename(path) else "docker", path)
            _check(engine)
            return engine
    raise UsageError(
        f"{' and '.join(names)} cannot be found; one is needed to run containers.",
        hint="Debian and Ubuntu: apt-get install podman runc netavark iptables; macOS: brew install podman.",
    )


def _check(engine: Engine) -> None:
    try:
        engine.run("info")
    except ContainerError as error:
        raise UsageError(
            f"{engine.name} is installed and does not work.",
            detail=error.detail or error.title,
            hint=f"`{engine.name} info` must succeed; on macOS: {engine.name} machine start.",
        ) from None
