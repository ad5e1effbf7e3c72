"""Drives the cockpit as a person would: keys in, what is on the screen out, and waits that end with a reason.

    async with cockpit(server) as driver:
        await driver.press("x")
        driver.dialog().has_title("Stop job chat-serving?")

Time is that of the simulated cluster and stands still until `elapse`: both the cluster and the hub see it pass.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

from textual.pilot import Pilot

from cockpit import app as app_module
from cockpit.app import CockpitApp
from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint
from cockpit.feeds.clock import ManualClock
from cockpit.feeds.hub import Hub
from cockpit.feeds.job_watch import COST_FACTOR
from cockpit.model.secret import Secret
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.opening import Opener, Opening
from cockpit.screens.dialog import Dialog
from cockpit.widgets.log_view import LogView
from tests.sim import NOON, Plan, SimClock, SimCluster, SimServer
from tests.ui.parts import DialogDriver, TableDriver
from tests.ui.screen import screen_lines

PATIENCE = 60.0  # seconds until what a test waits for is said not to come; machines are busy at times
SIZE = (110, 30)
SMALL = Plan(nodes=3, gpus=2, jobs=12)


class SharedClock(ManualClock):
    """The hub's clock, which takes the simulated cluster's along."""

    def __init__(self, cluster_clock: SimClock | None = None) -> None:
        super().__init__(cluster_clock.now() if cluster_clock else NOON)
        self._cluster_clock = cluster_clock

    def _move_to(self, steady: float) -> None:
        before = self.now().steady
        super()._move_to(steady)
        if self._cluster_clock is not None:
            self._cluster_clock.advance(self.now().steady - before)


class WatchedApp(CockpitApp):
    """Remembers what was told in passing, and what crashed."""

    CSS_PATH: ClassVar[Any] = Path(app_module.__file__).parent / "cockpit.tcss"

    def __init__(self, opener: Opener | None, **options: Any) -> None:
        super().__init__(opener, **options)
        self.told: list[str] = []
        self.crashes: list[BaseException] = []

    def notify(self, message: str, **options: Any) -> None:
        """Remember it, for it goes by itself."""
        self.told.append(message)
        super().notify(message, **options)

    def crashed(self, error: BaseException) -> None:
        """A bug, which fails the test at its end."""
        self.crashes.append(error)
        super().crashed(error)


class Driver:
    """The app with its clock; the simulated dashboard where there is one."""

    def __init__(
        self, app: WatchedApp, pilot: Pilot[int], clock: ManualClock | None, server: SimServer | None = None
    ) -> None:
        self.app = app
        self.pilot = pilot
        self.clock = clock
        self._server = server
        self.jobs, self.nodes, self.gpus = (TableDriver(self, name) for name in ("jobs", "nodes", "gpus"))

    @property
    def server(self) -> SimServer:
        """The simulated dashboard."""
        assert self._server is not None
        return self._server

    @property
    def cluster(self) -> LiveCluster:
        """The cluster on the screen."""
        assert self.app.cluster is not None, "there is no cluster yet"
        return self.app.cluster

    def pane(self, name: str) -> Any:
        """The pane of that name; it must have been shown."""
        return self.app.workspace.screens[name].pane

    @property
    def log(self) -> LogView:
        """The lines of the Log pane."""
        view = self.pane("log").view
        assert isinstance(view, LogView)
        return view

    # What is seen

    @property
    def lines(self) -> list[str]:
        """The screen, line by line."""
        return screen_lines(self.app)

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines)

    def sees(self, *texts: str) -> None:
        """All of these texts can be read on the screen."""
        for text in texts:
            assert text in self.text, f"{text!r} is not in:\n{self.text}"

    def dialog(self) -> DialogDriver:
        """The dialog in front. Fails where there is none."""
        return DialogDriver(self)

    @property
    def has_dialog(self) -> bool:
        """Whether a dialog is in front."""
        return isinstance(self.app.screen, Dialog)

    @property
    def told(self) -> list[str]:
        """What was told in passing, oldest first."""
        return self.app.told

    # What is done

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until what they began has been done."""
        for key in keys:
            await self.pilot.press(key)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.press(*("space" if character == " " else character for character in text))

    async def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        await self.pilot.resize_terminal(width, height)
        await self.pause()

    async def pause(self) -> None:
        """Wait until every widget has read its messages."""
        await self.pilot.pause()

    async def settle(self) -> None:
        """Wait until nothing is in flight and all of it is on the screen."""
        await self.pause()
        if self.app.cluster is not None:
            async with asyncio.timeout(PATIENCE):
                await self.app.cluster.hub.settled()
            await self.pause()

    async def elapse(self, seconds: float = 0.0) -> None:
        """Let time go by for the cluster and for the cockpit, with every answer on the way."""
        assert isinstance(self.clock, ManualClock)
        async with asyncio.timeout(PATIENCE):
            await self.clock.run(seconds, self.settle)
        self.app.workspace.tick()
        await self.pause()

    async def wait_until(
        self, condition: Callable[[], bool], what: str = "", *, settled: bool = True, within: float = PATIENCE
    ) -> None:
        """Wait for something that takes real time, such as a request that no pane asked for."""
        deadline = time.monotonic() + within
        while not condition():
            if self.app.crashes:
                raise self.app.crashes[0]
            if time.monotonic() > deadline:
                raise AssertionError(f"{what or 'it'} did not come to pass; told {self.told}:\n{self.text}")
            await self.pause()
            await asyncio.sleep(0.01)
        if settled:
            await self.settle()

    async def opened(self, title: str) -> DialogDriver:
        """Wait for a dialog with that title."""
        await self.wait_until(lambda: self.has_dialog, f"the dialog {title!r}")
        return self.dialog().has_title(title)

    async def answer(self, key: str) -> None:
        """Answer the dialog with a key, and wait until it is gone."""
        screen = self.app.screen
        await self.press(key)
        await self.wait_until(lambda: self.app.screen is not screen, "the end of the dialog")


@asynccontextmanager
async def simulated(plan: Plan = SMALL, *, token: str | None = None) -> AsyncIterator[SimServer]:
    """A simulated dashboard whose clock stands still."""
    async with SimServer(SimCluster(plan), token=token) as server:
        yield server


def opener_of(client: RayClient, clock: ManualClock | None, *, name: str = "lab", read_only: bool = False) -> Opener:
    """Opens a client as the app would open the cluster that the user named."""

    async def open_client(opening: Opening) -> LiveCluster:
        hub = Hub(client, on_crash=opening.on_crash, clock=clock, chance=lambda: 0.0)
        return LiveCluster(client, name=name, on_crash=opening.on_crash, is_read_only=read_only, hub=hub)

    return open_client


def client_of(server: SimServer, token: str | None = None) -> RayClient:
    """A client of a simulated dashboard."""
    secret = Secret(token) if token is not None else None
    return RayClient.at(Endpoint(address=parse_address(server.url), token=secret))


@asynccontextmanager
async def cockpit_on(
    opener: Opener | None,
    *,
    clock: ManualClock | None = None,
    server: SimServer | None = None,
    size: tuple[int, int] = SIZE,
    **options: Any,
) -> AsyncIterator[Driver]:
    """The cockpit on whatever an opener opens; a crash inside fails the test."""
    app = WatchedApp(opener, **options)
    # Where time is in the test's hand, answers cost none: else a busy machine would be asked more seldom.
    cost = COST_FACTOR if clock is None else 0.0
    with patch("cockpit.feeds.pace.COST_FACTOR", cost):
        async with app.run_test(size=size, tooltips=False) as pilot:
            driver = Driver(app, pilot, clock, server)
            try:
                yield driver
            finally:
                if app.is_running:
                    await app.action_quit()
    assert app.crashes == []


@asynccontextmanager
async def cockpit(
    subject: SimServer | RayClient,
    *,
    size: tuple[int, int] = SIZE,
    token: str | None = None,
    read_only: bool = False,
    settled: bool = True,
    **options: Any,
) -> AsyncIterator[Driver]:
    """The cockpit on a simulated dashboard or on any client, with time in the test's hand."""
    server = subject if isinstance(subject, SimServer) else None
    clock = SharedClock(server.cluster.clock if server else None)
    client = client_of(subject, token) if isinstance(subject, SimServer) else subject
    opener = opener_of(client, clock, read_only=read_only)
    async with cockpit_on(opener, clock=clock, server=server, size=size, **options) as driver:
        await driver.wait_until(lambda: driver.app.cluster is not None, "the cluster", settled=settled)
        yield driver


def ids(rows: Sequence[Any]) -> list[str]:
    """The ids of simulated jobs."""
    return [job.id for job in rows]
