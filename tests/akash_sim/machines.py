"""Providers that run what they are sent for real: every leased deployment in containers, as `sdl up` runs it.

Kubernetes keeps a cluster as it should be; so does this: it looks at the simulated leases twice a second, starts what
has its manifest, takes down what does not cost any more, and tells the replicas and ports that it finds.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.akash_sim.console import SimConsole
from tests.akash_sim.world import SimDeployment, SimLease

LOOK_S = 0.5
PREFIX = "proof-leased-"


class Machines:
    """The machines of a simulated network's providers; use as an async context manager.

    `bind` is the address that public ports are opened at, `home` that of the providers: they share nothing with the
    tenant but the engine. Deployments with one lease only.
    """

    def __init__(self, console: SimConsole, *, bind: str, home: Path) -> None:
        self._console = console
        self._bind = bind
        self._home = home
        self._up: dict[str, SimLease] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._home.mkdir(parents=True, exist_ok=True)
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for dseq in list(self._up):
            await self._take_down(dseq)

    def enter(self, dseq: str, service: str, is_tty: bool) -> list[str]:
        """The program that leads into a service's first container."""
        engine = os.environ.get("RAYAKASH_CONTAINER_ENGINE", "podman")
        options = ["--interactive", *(["--tty"] if is_tty else [])]
        return [engine, "exec", *options, f"rayakash-{PREFIX}{dseq}-{service}-0"]

    async def _keep(self) -> None:
        while True:
            for deployment in list(self._console.world.deployments.values()):
                await self._look(deployment)
            await asyncio.sleep(LOOK_S)

    async def _look(self, deployment: SimDeployment) -> None:
        self._console.world.settle(deployment)
        lease = next((one for one in deployment.costing if one.manifest_at is not None), None)
        if lease is None:
            if deployment.dseq in self._up:
                await self._take_down(deployment.dseq)
            return
        if deployment.dseq not in self._up:
            lease.provider.replicas = {}
            self._up[deployment.dseq] = lease
            await self._start(deployment)
        await self._tell(deployment.dseq, lease)

    async def _start(self, deployment: SimDeployment) -> None:
        """Run the SDL with the values that were sealed for this Console."""
        file = self._home / f"{PREFIX}{deployment.dseq}.yaml"
        file.write_text(deployment.sdl)
        values = self._console.sealing.opened if deployment.sealed else {}
        secrets = {f"RAYAKASH_SECRET_{name}": value for name, value in values.items()}
        await self._cockpit("sdl", "up", str(file), "--bind", self._bind, "--no-wait", "--json", **secrets)

    async def _tell(self, dseq: str, lease: SimLease) -> None:
        """Let the provider say what runs."""
        code, out = await self._cockpit("sdl", "ps", "--json")
        rows = [row for row in json.loads(out)["containers"] if row["cluster"] == PREFIX + dseq] if not code else []
        running = [row["service"] for row in rows if row["state"] == "running"]
        lease.provider.replicas = {service: running.count(service) for service in running}
        for row in rows:
            for port in row["ports"]:
                lease.provider.forwards[row["service"], port["port"]] = (port["host"], port["host_port"])

    async def _take_down(self, dseq: str) -> None:
        lease = self._up.pop(dseq)
        lease.provider.replicas = None
        lease.provider.forwards.clear()
        await self._cockpit("sdl", "down", PREFIX + dseq)

    async def _cockpit(self, *arguments: str, **variables: str) -> tuple[int, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cockpit", *arguments,
            env={**kept, "HOME": str(self._home), **variables}, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        if process.returncode and arguments[:2] != ("sdl", "ps"):  # which exits 1 where nothing runs
            print(f"{' '.join(arguments)}: {err.decode(errors='replace')}", file=sys.stderr, flush=True)
        return process.returncode or 0, out.decode()


@contextlib.asynccontextmanager
async def machines_of(console: SimConsole, bind: str | None, home: Path) -> AsyncIterator[Machines | None]:
    """Machines where an address is given, else nothing."""
    if bind is None:
        yield None
        return
    async with Machines(console, bind=bind, home=home) as found:
        yield found
