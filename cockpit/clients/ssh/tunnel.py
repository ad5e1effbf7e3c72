"""A tunnel through a bastion to a Unix socket here: opened, watched, opened again, and closed without a trace."""

import asyncio
import shutil
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, TypeAlias

import msgspec

from cockpit.clients.ssh.faults import channel_failure, ssh_failure
from cockpit.clients.ssh.keeping import KeptCommand
from cockpit.clients.ssh.place import made_private, private_place
from cockpit.clients.ssh.questions import Questions
from cockpit.clients.ssh.route import Route, ssh_command
from cockpit.errors import CockpitError, UnreachableError, UsageError

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 15.0
REFUSED_DELAY_S = 60.0
LOOK_S = 0.05
EXPLAIN_S = 0.3
KEPT_LINES = 30
LONGEST_LINE = 500

Phase: TypeAlias = Literal["connecting", "up", "down", "given up", "closed"]


class TunnelState(msgspec.Struct, frozen=True, kw_only=True):
    """How a tunnel is: with the error that it is down for, and the loop's time of the next attempt."""

    phase: Phase = "connecting"
    error: CockpitError | None = None
    again_at: float | None = None


class Tunnel:
    """Made inside a running event loop; `open` it, and `close` it in the end."""

    def __init__(self, route: Route) -> None:
        """Raises UsageError where no directory can hold its socket."""
        self.route = route
        self.state = TunnelState()
        self._callbacks: list[Callable[[], None]] = []
        self._directory = private_place()
        self._questions = Questions(self._directory, route.destination)
        self._words: deque[str] = deque(maxlen=KEPT_LINES)
        self._refusals = 0
        self._refusal: UnreachableError | None = None
        self._news = asyncio.Event()
        self._hurried = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    @property
    def socket(self) -> str:
        """The Unix socket that leads to the cluster while the tunnel is up."""
        return str(self._directory / "ray")

    @property
    def through(self) -> str:
        """The bastion, as the user names it."""
        return self.route.destination

    def trouble(self) -> str:
        """A few words while it is not up; none while it is."""
        match self.state:
            case TunnelState(phase="up"):
                return ""
            case TunnelState(phase="down", again_at=float(again_at)):
                return f"down, again in {max(0, round(again_at - asyncio.get_running_loop().time()))} s"
            case TunnelState(phase="given up"):
                return "gave up; press r to retry"
            case TunnelState(phase=phase):
                return phase

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever it comes up or goes down."""
        self._callbacks.append(callback)

    def hurry(self) -> None:
        """Try now what would be tried later, or was given up."""
        self._hurried.set()

    async def open(self) -> None:
        """Make the first attempt. A bastion that cannot be reached is tried again from then on.

        Raises UntrustedError for its host key, AuthenticationError if it rejects the login, and UsageError where
        ssh is missing, or refuses its configuration.
        """
        self._running = asyncio.create_task(self._run())
        await self._while_connecting()
        error = self.state.error
        if error is not None and not isinstance(error, UnreachableError):
            await self.close()
            raise error

    async def lead_to(self, route: Route) -> None:
        """Lead to another address from now on; open requests break off. Listeners stay subscribed."""
        if route == self.route:
            return
        await self._halt()
        if route.destination != self.route.destination:
            self._questions = Questions(self._directory, route.destination)
        self.route, self.state = route, TunnelState()
        self._running = asyncio.create_task(self._run())

    async def _halt(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    async def ready(self) -> int:
        """Wait while it is being opened; returns what `explained` wants to be given. Raises UnreachableError."""
        await self._while_connecting()
        if (failure := self._down()) is not None:
            failure.was_sent = False
            raise failure
        return self._refusals

    async def explained(self, before: int) -> UnreachableError | None:
        """Why a connection through it ended, where the tunnel caused it: known a moment after the end itself."""
        with suppress(TimeoutError):
            async with asyncio.timeout(EXPLAIN_S):
                while self._refusals == before and self.state.phase == "up":
                    self._news.clear()
                    await self._news.wait()
        return self._refusal if self._refusals != before else self._down()

    async def close(self) -> None:
        """End ssh and all that it started; nothing of it is left."""
        await self._halt()
        self._turn(TunnelState(phase="closed"))
        shutil.rmtree(self._directory, ignore_errors=True)

    async def _while_connecting(self) -> None:
        while self.state.phase == "connecting":
            self._news.clear()
            await self._news.wait()

    def _down(self) -> UnreachableError | None:
        if self.state.phase == "up":
            return None
        error = self.state.error
        if error is None:
            return UnreachableError(f"The SSH tunnel through {self.route.destination} is closed.")
        title = f"The SSH tunnel is down. {error.title}"
        return UnreachableError(title, detail=error.detail, hint=error.hint, fault=error.fault)

    def _turn(self, state: TunnelState) -> None:
        self.state = state
        self._notify()

    def _notify(self) -> None:
        self._news.set()
        for callback in self._callbacks:
            callback()

    async def _run(self) -> None:
        """Reconnect until the tunnel is closed."""
        delay = FIRST_DELAY_S
        while True:
            self._turn(TunnelState())
            try:
                error, was_up = await self._attempt()
            except UsageError as failure:  # no place, no process: that may pass
                error, was_up = failure, False
            self._hurried.clear()
            if self._questions.was_refused:
                self._turn(TunnelState(phase="given up", error=error))
                await self._hurried.wait()
                continue
            delay = FIRST_DELAY_S if was_up else min(2 * delay, LONGEST_DELAY_S)
            if not isinstance(error, UnreachableError):  # a wrong key does not mend itself, and guards count attempts
                delay = REFUSED_DELAY_S
            self._turn(TunnelState(phase="down", error=error, again_at=asyncio.get_running_loop().time() + delay))
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._hurried.wait()

    async def _attempt(self) -> tuple[CockpitError, bool]:
        """One life of ssh: why it ended, and whether the tunnel was up."""
        may_ask = self._questions.may_ask
        made_private(self._directory)  # each attempt takes it away at its end
        self._words.clear()
        was_up = False
        await self._questions.open()
        command = ssh_command(self.route, self.socket, may_ask=may_ask)
        try:
            async with KeptCommand(self._directory, command, self._questions.environment, self._heard) as ssh:
                if was_up := await self._until_listening(ssh):
                    self._turn(TunnelState(phase="up"))
                code = await ssh.ended()
        finally:
            await self._questions.close()
        return ssh_failure(self.route, code, "\n".join(self._words), may_ask=may_ask), was_up

    async def _until_listening(self, ssh: KeptCommand) -> bool:
        """Wait until ssh is authenticated and accepts connections; False if it ends before."""
        while not ssh.has_ended:
            with suppress(FileNotFoundError, ConnectionError):
                _, writer = await asyncio.open_unix_connection(self.socket)
                writer.close()
                return True
            await asyncio.sleep(LOOK_S)
        return False

    def _heard(self, line: str) -> None:
        """A line of ssh's."""
        self._words.append(line[:LONGEST_LINE])
        if (failure := channel_failure(self.route, line)) is not None:
            self._refusals += 1
            self._refusal = failure
            self._notify()
