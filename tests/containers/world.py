"""A machine with containers, and an outside that reaches only what it publishes."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tests.containers.images import Podman
from tests.secrets.fakes import PASSPHRASE
from tests.secrets.machine import quick_vault

ROOT = Path(__file__).parents[2]
NEEDED = {
    "podman": "podman", "runc": "runc", "debootstrap": "debootstrap", "iptables": "iptables", "ip": "iproute2",
    "dpkg-deb": "dpkg",
}  # fmt: skip
GUARD_S = 300  # nothing waits this long; what hangs fails
OUTSIDE, NEAR, FAR = "rayakash-outside", "10.212.77.1", "10.212.77.2"
# A name server that does not answer holds Ray's agent up until its node is given up; one that refuses does not.
_SETTINGS = """\
[engine]
runtime = "runc"
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc=8000:8000"]
dns_servers = ["127.0.0.1"]
"""


def missing() -> str:
    """What these tests need and this machine lacks, in a sentence; empty where it has all."""
    packages = sorted({package for program, package in NEEDED.items() if shutil.which(program) is None})
    if packages:
        return f"needs the packages {', '.join(packages)} (and netavark), as apt-get install knows them"
    return "" if os.geteuid() == 0 else "needs root, for networks of its own"


class Done(NamedTuple):
    """How a process ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)


class World:
    """A user with a home and podman, and the outside of their machine as a network namespace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = folder / "podman-arguments"
        files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 16384)
        settings = folder / "containers.conf"
        settings.write_text(_SETTINGS.format(files=files))
        home = folder / "home"
        home.mkdir(mode=0o700)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "CONTAINERS_CONF": str(settings),
            "RAYAKASH_CONTAINER_ENGINE": str(self._spied_podman()),
            "RAYAKASH_VAULT_PASSPHRASE": PASSPHRASE,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
        self.podman = Podman(self.environment)
        quick_vault(home / ".local" / "share" / "rayakash-tui" / "vault")

    def _spied_podman(self) -> Path:
        """podman, which also writes down its arguments: no secret may be among them."""
        path = self.folder / "podman"
        path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >>{self.calls}\nexec {shutil.which("podman")} "$@"\n')
        path.chmod(0o700)
        return path

    # --- the network ---

    def open(self) -> None:
        """Make the outside: one address of this machine is its only neighbor, and it has no other route."""
        self.close()
        for command in (
            f"netns add {OUTSIDE}",
            "link add rayakash-near type veth peer name rayakash-far",
            f"link set rayakash-far netns {OUTSIDE}",
            f"addr add {NEAR}/30 dev rayakash-near",
            "link set rayakash-near up",
            f"-n {OUTSIDE} addr add {FAR}/30 dev rayakash-far",
            f"-n {OUTSIDE} link set rayakash-far up",
            f"-n {OUTSIDE} link set lo up",
        ):
            subprocess.run(["ip", *command.split()], check=True, capture_output=True)

    def close(self) -> None:
        """Remove the outside; the pair of interfaces goes with it."""
        subprocess.run(["ip", "netns", "del", OUTSIDE], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", "rayakash-near"], check=False, capture_output=True)

    # --- programs ---

    def run(
        self, *command: str, outside: bool = False, stdin: str = "", variables: Mapping[str, str] | None = None
    ) -> Done:
        """Run a program here or outside, and wait for its end."""
        where = ["ip", "netns", "exec", OUTSIDE] if outside else []
        done = subprocess.run(
            [*where, *command],
            env={**self.environment, **(variables or {})}, cwd=self.folder, input=stdin, capture_output=True, text=True,
            errors="replace", timeout=GUARD_S, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def cockpit(self, *arguments: str | Path, outside: bool = False, stdin: str = "", **variables: str) -> Done:
        """Run `rayakash-tui …`."""
        command = [sys.executable, "-m", "cockpit", *map(str, arguments)]
        return self.run(*command, outside=outside, stdin=stdin, variables=variables)

    def python(self, text: str, *arguments: str, outside: bool = False) -> Any:
        """What a small program prints as JSON."""
        done = self.run(sys.executable, "-c", text, *arguments, outside=outside)
        assert done.code == 0, done.err
        return done.data

    def started(self, text: str, *arguments: str) -> "subprocess.Popen[str]":
        """A small program that goes on outside."""
        return subprocess.Popen(
            ["ip", "netns", "exec", OUTSIDE, sys.executable, "-c", text, *arguments],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    # --- clusters ---

    def sdl(self, name: str, template: str, *changes: tuple[str, str]) -> Path:
        """A copy of a template with other text in places, and the secrets that it refers to."""
        path = self.folder / f"{name}.yaml"
        path.unlink(missing_ok=True)
        assert self.cockpit("sdl", "new", template, "-o", path).code == 0
        text = path.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path.write_text(text)
        for secret in ("RAY_AUTH_TOKEN", "tls"):
            self.cockpit("secrets", "generate", secret, "--scope", name)
        return path

    def up(self, path: Path, *options: str) -> dict[str, Any]:
        """Start a cluster whose gateway listens at the address that the outside knows."""
        self.cockpit("sdl", "down", path.stem)
        done = self.cockpit("sdl", "up", path, "--bind", NEAR, "--json", *options)
        assert done.code == 0, done.err
        found: dict[str, Any] = done.data
        return found

    def token(self, scope: str) -> str:
        """The value that the cluster's token has."""
        text = (
            "import json\nfrom cockpit.secrets.references import resolve_reference\n"
            f"print(json.dumps(resolve_reference('ac-secret://RAY_AUTH_TOKEN', scopes=({scope!r},)).reveal()))"
        )
        return str(self.python(text))


def eventually(found: Callable[[], Any], what: str, *, seconds: float = 120) -> Any:
    """The first true answer; fails the test with the last one where none comes."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, f"never: {what}; at last {answer!r}"
        time.sleep(0.5)
    return answer


def killed(process: "subprocess.Popen[str]") -> None:
    """End a process that may have ended."""
    with suppress(ProcessLookupError):
        process.kill()
    process.communicate()
