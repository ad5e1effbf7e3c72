"""The deploy screen against a simulated network whose time passes only as the test says."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cockpit.clients.address import Address
from cockpit.clients.akash.console import ConsoleClient
from cockpit.errors import UnreachableError
from cockpit.operations.deployments import account, deploying
from cockpit.operations.deployments.deploying import Deploying, Tools
from cockpit.operations.deployments.flow import Terms
from cockpit.operations.deployments.preparing import Wish, prepare
from cockpit.operations.question import Question
from cockpit.screens.deploy_page import DeployPage
from cockpit.sdl.document import SdlDocument
from tests.akash_sim.clock import VirtualClock
from tests.akash_sim.console import SimConsole
from tests.akash_sim.wire import client_of
from tests.akash_sim.world import SimWorld
from tests.deployments.sources import ConsoleSource
from tests.deployments.stage import CPU
from tests.ui.driver import PATIENCE, Driver, cockpit_on

STEP_S = 5.0


class HeldClock(VirtualClock):
    """Sleepers wake when the test has moved the clock so far; it never moves by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._moved = asyncio.Event()
        self.sleeping = 0

    def advance(self, seconds: float) -> None:
        """Leap ahead, and wake whoever waits."""
        super().advance(seconds)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait for the test."""
        until = self.time() + seconds
        self.sleeping += 1
        try:
            while self.time() < until:
                await self._moved.wait()
        finally:
            self.sleeping -= 1


class Deployment:
    """A cockpit with an SDL in its editor, the simulated network, and what is told of services."""

    def __init__(self, driver: Driver, sim: SimConsole, source: ConsoleSource) -> None:
        self.driver, self.sim, self.source = driver, sim, source

    @property
    def page(self) -> DeployPage:
        """The deploy screen."""
        found = next(one for one in self.driver.app.screen_stack if isinstance(one, DeployPage))
        assert isinstance(found, DeployPage)
        return found

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Let virtual time pass until something is so."""
        clock, deadline = self.sim.world.clock, time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for _ in range(4):
                await self.driver.pilot.pause(0.005)
                if condition():
                    return
            if not isinstance(clock, HeldClock) or clock.sleeping:  # what is at work is not overtaken
                clock.advance(STEP_S)
        raise AssertionError(f"{what} did not come:\n{self.driver.text}")

    def costing(self) -> list[str]:
        """What exists and may cost."""
        self.sim.world.check()
        return [dseq for dseq, one in self.sim.world.deployments.items() if one.state == "active"]


async def deployed(console: SimConsole, file: Path) -> str:
    """A deployment of a file that runs, with its journal; returns its number."""

    async def answers(_: Address, __: str | None) -> None:
        return None

    async def never(_: Question) -> bool:
        raise AssertionError

    client = client_of(console)
    prepared = await prepare(client, SdlDocument(await asyncio.to_thread(file.read_text)), file, Wish())
    tools = Tools(source=lambda one, _: ConsoleSource(one), probe=answers)
    return (await Deploying(client, prepared, Terms(), lambda _: None, tools=tools).run(never)).dseq


@asynccontextmanager
async def deploying_from(
    home: Path, monkeypatch: pytest.MonkeyPatch, *, size: tuple[int, int] = (120, 36), text: str = CPU,
    sim: SimConsole | None = None, first_pane: str = "sdl",
) -> AsyncIterator[Deployment]:  # fmt: skip
    """The cockpit with `lab.yaml` open, before any key."""
    console = sim or SimConsole(SimWorld(clock=HeldClock()))
    file = home / "lab.yaml"
    await asyncio.to_thread(file.write_text, text)
    for name in ("RAY_AUTH_TOKEN", "GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY"):
        monkeypatch.setenv(f"RAYAKASH_SECRET_{name}", "canary-" + "x" * 40)

    def opened(_: str | None = None, *, with_key: bool = True) -> ConsoleClient:
        return client_of(console, key="" if with_key else None)

    source = ConsoleSource(client_of(console))

    async def answers(address: Address, _: str | None) -> None:
        provider = next((one for one in console.world.providers if one.host == address.host), None)
        if (provider is not None and not provider.port_answers) or all(
            one.state != "active" for one in console.world.deployments.values()
        ):
            raise UnreachableError(f"{address} does not answer.")

    monkeypatch.setattr(account, "open_console", opened)
    monkeypatch.setattr(deploying, "TOOLS", Tools(source=lambda _, __: source, probe=answers))
    async with cockpit_on(None, size=size, first_pane=first_pane, sdl=file) as driver:
        if isinstance(console.world.clock, HeldClock):  # another would run away
            driver.app.workspace.money.clock = console.world.clock
        yield Deployment(driver, console, source)
