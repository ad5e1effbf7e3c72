"""A log on the screen, without a screen: its end, the whole behind it, pauses, and another log in its place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cockpit.clients.ray import RayClient
from cockpit.feeds import log_session
from cockpit.feeds.log_session import LogSession
from cockpit.feeds.log_source import JobLog, LogState
from cockpit.feeds.spool import Spool
from tests.wire.clients import talking_to
from tests.wire.fake_ray import FakeRay
from tests.wire.following import JOB, brisk
from tests.wire.server import WireServer, until

__all__ = ["brisk"]

pytestmark = pytest.mark.usefixtures("brisk")

LINES = b"".join(b"line %d of the log\n" % number for number in range(40))


class Screen:
    """What a session tells, kept."""

    def __init__(self) -> None:
        self.shifts: list[int | None] = []
        self.states: list[str] = []
        self.crashes: list[BaseException] = []

    def grew(self) -> None:
        """Part of the protocol."""

    def changed(self) -> None:
        """Part of the protocol."""

    def heard(self, state: LogState) -> None:
        self.states.append(state.words)

    def replaced_by(self, spool: Spool, *, shift: int | None, at_start: bool) -> None:
        self.shifts.append(shift)

    def crashed(self, error: BaseException) -> None:
        self.crashes.append(error)


class Shown:
    """A session that is awake, its screen, and the dashboard behind it."""

    def __init__(self, ray: FakeRay, client: RayClient, server: WireServer) -> None:
        self.ray, self.client, self.server = ray, client, server
        self.screen = Screen()
        self.session = LogSession(self.screen)
        self.session.wake()

    def open(self) -> None:
        self.session.open(lambda: JobLog(self.client, JOB))

    @property
    def held(self) -> bytes:
        return self.session.spool.read(0, self.session.spool.size)


@asynccontextmanager
async def shown(ray: FakeRay) -> AsyncIterator[Shown]:
    async with talking_to(ray) as (client, server):
        seen = Shown(ray, client, server)
        try:
            yield seen
        finally:
            seen.session.close()
            await asyncio.sleep(0)
    assert seen.screen.crashes == []


async def test_the_end_comes_first_and_the_whole_behind_it_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_session, "TAIL_LINES", 5)
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    async with shown(ray) as seen:
        seen.open()
        await until(lambda: seen.held.endswith(b"line 39 of the log\n"))
        tail = seen.held
        assert LINES.endswith(tail)
        assert len(tail) < len(LINES)
        assert not seen.session.is_whole
        seen.session.want_whole()
        await until(lambda: not seen.session.is_coming)
        assert seen.held == LINES
        assert seen.screen.shifts[-1] == len(LINES) - len(tail)
        ray.end(JOB)
        await until(lambda: seen.session.ended is not None)
        assert seen.screen.states[-1] == f"Job {JOB} is SUCCEEDED"


async def test_asleep_nothing_is_asked_and_awake_nothing_is_lost() -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=b"one\n")
    async with shown(ray) as seen:
        seen.open()
        await until(lambda: seen.held == b"one\n")
        seen.session.sleep()
        assert seen.session._task is None
        log.write(b"two\n")
        seen.session.wake()
        await until(lambda: seen.held == b"one\ntwo\n")


async def test_of_the_log_before_nothing_is_followed_on() -> None:
    """Another cluster is opened, and then the pane is seen again: the follower of the first would write on."""
    ray = FakeRay()
    log = ray.add(JOB, log=b"one\n")
    async with shown(ray) as seen:
        seen.open()
        await until(lambda: seen.held == b"one\n")
        seen.session.sleep()
        seen.session.open(None)
        seen.session.wake()
        assert seen.session._task is None
        assert seen.held == b""
        log.write(b"two\n")
        seen.open()
        await until(lambda: seen.held == b"one\ntwo\n")


async def test_a_bug_in_a_source_is_told() -> None:
    class Broken(JobLog):
        async def look(self) -> LogState:
            raise ZeroDivisionError

    ray = FakeRay()
    ray.add(JOB, log=b"one\n")
    async with talking_to(ray) as (client, _server):
        screen = Screen()
        session = LogSession(screen)
        session.wake()
        session.open(lambda: Broken(client, JOB))
        await until(lambda: bool(screen.crashes))
        assert isinstance(screen.crashes[0], ZeroDivisionError)
        session.close()
