"""Logs on a real Ray: every byte of them, whatever they hold and whatever happens to the connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint, Timeouts, Transport
from cockpit.errors import JobLostError
from cockpit.feeds.follower import Followed, LogFollower
from cockpit.feeds.log_source import JobLog, LogState
from cockpit.feeds.patience import Outage
from cockpit.feeds.spool import Spool
from cockpit.model.secret import Secret
from tests.live.cluster import RayCluster
from tests.live.command_line import CommandLine
from tests.live.node import RayHead
from tests.live.processes import soon
from tests.live.proxy import Proxy
from tests.live.reference import ended
from tests.live.release import ray_release
from tests.live.speaker import SPEECH, Speaker

pytestmark = pytest.mark.live


@pytest.fixture
def whole_logs() -> None:
    if not ray_release().hands_out_logs:
        pytest.skip("this Ray hands out logs as text only")


HOSTILE = (
    b"10 %\r20 %\r\n"
    b"\x1b[31mred\x1b[0m \x1b[2J\x1b[H\n"
    b"\x1b]0;a title\x07\x1b]52;c;aGk=\x07\n"
    b"\x00 and \x07\n"
    b"\xff\xfe no UTF-8 \xc3(\n"
    b"gr\xc3\xb6\xc3\x9fer\n"
)
LONG_LINE = b"x" * 5_000_000 + b"\n"
ENDLESS = b"no newline at the end"


class Followup:
    """A follower at work in this process, and what it told."""

    def __init__(self, client: RayClient, job_id: str, spool: Spool, *, tail: int | None = None) -> None:
        self.spool = spool
        self.outages = 0
        self.proofs: list[bool] = []
        self.replacements = 0
        self._follower = LogFollower(JobLog(client, job_id), spool, self, tail=tail)
        self._task = asyncio.create_task(self._follower.run())

    def wrote(self, chunk: bytes) -> None:
        """The spool has it."""

    def waiting(self, state: LogState) -> None:
        """Not of interest here."""

    def away(self, outage: Outage) -> None:
        assert outage.error.title
        self.outages += 1

    def reconnected(self, *, proven: bool) -> None:
        self.proofs.append(proven)

    def replaced(self) -> None:
        self.replacements += 1

    def noted(self, sentence: str) -> None:
        """Not of interest here."""

    def held(self) -> bytes:
        return self.spool.read(0, self.spool.size)

    async def has(self, data: bytes) -> None:
        """Wait until `data` is what it holds. Raises TimeoutError, and what the follower raised."""

        async def probe() -> bool:
            if self._task.done():
                self._task.result()
            return self.spool.size == len(data) and self.held() == data

        await soon(probe, within=SPEECH, what=f"{len(data)} bytes; it has {self.spool.size}")

    async def end(self) -> Followed:
        """How it ended. Raises what it raised."""
        async with asyncio.timeout(SPEECH):
            return await self._task

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def following(
    address: str, token: str, job_id: str, *, tail: int | None = None, quiet: float = 15.0
) -> AsyncIterator[Followup]:
    """A follower of a job through `address`; `quiet` seconds of silence within a reply count as an outage."""
    endpoint = Endpoint(address=parse_address(address), token=Secret(token))
    transport = Transport(endpoint, timeouts=Timeouts(quiet=quiet, connect=quiet))
    async with RayClient(transport) as client:
        with Spool() as spool:
            followup = Followup(client, job_id, spool, tail=tail)
            try:
                yield followup
            finally:
                await followup.close()


def numbered(start: int, count: int) -> bytes:
    """Lines that differ, so that a lost or doubled one shows."""
    return b"".join(b"line %d of many\n" % number for number in range(start, start + count))


@pytest.mark.usefixtures("whole_logs")
async def test_every_byte_of_a_hostile_log(ray_cluster: RayCluster, cockpit: CommandLine) -> None:
    address, token = ray_cluster.address, ray_cluster.token
    async with AsyncExitStack() as stack:
        speaker = stack.enter_context(Speaker(ray_cluster.head, "hostile"))
        command = stack.enter_context(cockpit.start("logs", "-f", "hostile"))
        whole = await stack.enter_async_context(following(address, token, "hostile"))
        await speaker.say(HOSTILE)
        before = await speaker.heard()
        await whole.has(before)
        tail = await stack.enter_async_context(following(address, token, "hostile", tail=2))
        last_lines = b"".join(before.splitlines(keepends=True)[-2:])
        await tail.has(last_lines)
        await speaker.say(LONG_LINE + HOSTILE + ENDLESS)
        log = await speaker.heard()
        speaker.stop()
        assert [(await each.end()).job.status for each in (whole, tail)] == ["SUCCEEDED"] * 2
        done = await asyncio.to_thread(command.wait)
        assert whole.held() == log
        assert tail.held() == last_lines + log[len(before) :]
        assert (done.code, done.stdout) == (0, log)
    plain = await asyncio.to_thread(cockpit.run, "logs", "hostile")
    assert (plain.code, plain.stdout) == (0, log)
    cut = await asyncio.to_thread(cockpit.run, "logs", "--tail", "1", "hostile")
    assert (cut.code, cut.stdout) == (0, ENDLESS)


@pytest.mark.usefixtures("whole_logs")
async def test_cut_connections_lose_nothing(ray_cluster: RayCluster) -> None:
    async with AsyncExitStack() as stack:
        speaker = stack.enter_context(Speaker(ray_cluster.head, "cut-off"))
        proxy = await stack.enter_async_context(Proxy(ray_cluster.head.dashboard_port))
        whole = await stack.enter_async_context(following(proxy.address, ray_cluster.token, "cut-off"))
        await speaker.say(numbered(0, 10))
        before = await speaker.heard()
        await whole.has(before)
        tail = await stack.enter_async_context(following(proxy.address, ray_cluster.token, "cut-off", tail=3))
        last_lines = b"".join(before.splitlines(keepends=True)[-3:])
        await tail.has(last_lines)

        for number in range(1, 6):
            proxy.cut_after(50_000 * number)
            await speaker.say(numbered(number * 10_000, 10_000))
            await soon(lambda: _true(proxy.is_whole), within=SPEECH, what="a cut")
        log = await speaker.heard()
        await whole.has(log)
        await tail.has(last_lines + log[len(before) :])

        proxy.close()
        await speaker.say(numbered(100_000, 1000))
        await soon(lambda: _true(whole.outages and tail.outages), within=SPEECH, what="outages")
        proxy.open()
        log = await speaker.heard()
        await whole.has(log)
        await tail.has(last_lines + log[len(before) :])

        proxy.close()
        await speaker.say(numbered(200_000, 1000) + ENDLESS)
        log = await speaker.heard()
        speaker.stop()
        assert await asyncio.to_thread(ended, ray_cluster.head, "cut-off")
        proxy.open()
        assert [(await each.end()).missing for each in (whole, tail)] == [None, None]
        assert whole.held() == log
        assert tail.held() == last_lines + log[len(before) :]
    for each in (whole, tail):
        assert each.replacements == 0
        assert each.proofs
        assert all(each.proofs), "it is said that nothing was lost"


@pytest.mark.slow
@pytest.mark.usefixtures("whole_logs")
async def test_a_proxy_that_ends_every_connection_after_a_while_loses_nothing(
    ray_cluster: RayCluster, cockpit: CommandLine
) -> None:
    async with AsyncExitStack() as stack:
        speaker = stack.enter_context(Speaker(ray_cluster.head, "short-lived"))
        proxy = await stack.enter_async_context(Proxy(ray_cluster.head.dashboard_port, lifetime=1.0))
        words = ("--address", proxy.address, "--send-token", "logs", "-f", "short-lived")
        command = stack.enter_context(cockpit.start(*words))
        whole = await stack.enter_async_context(following(proxy.address, ray_cluster.token, "short-lived"))
        for number in range(5):
            ended = proxy.expired
            await speaker.say(numbered(number * 5000, 5000))
            await soon(lambda before=ended: _true(proxy.expired >= before + 2), within=SPEECH, what="cuts")  # type: ignore[misc]
        await speaker.say(ENDLESS)
        log = await speaker.heard()
        await whole.has(log)
        speaker.stop()
        assert (await whole.end()).missing is None
        done = await asyncio.to_thread(command.wait)
        assert whole.held() == log
        assert (done.code, done.stdout) == (0, log), done.stderr
        assert not whole.replacements
        assert all(whole.proofs)
        assert "unproven" not in done.stderr


@pytest.mark.usefixtures("whole_logs")
async def test_a_cut_of_a_long_log_costs_little(ray_cluster: RayCluster) -> None:
    async with AsyncExitStack() as stack:
        speaker = stack.enter_context(Speaker(ray_cluster.head, "long"))
        proxy = await stack.enter_async_context(Proxy(ray_cluster.head.dashboard_port))
        whole = await stack.enter_async_context(following(proxy.address, ray_cluster.token, "long"))
        await speaker.say(numbered(0, 1_000_000))
        log = await speaker.heard()
        await whole.has(log)
        for number in range(3):
            before = proxy.passed
            proxy.cut()
            await speaker.say(numbered(1_000_000 + 10 * number, 10))
            log = await speaker.heard()
            await whole.has(log)
            assert proxy.passed - before < len(log) / 4, number
        speaker.stop()
        assert (await whole.end()).missing is None
        assert whole.held() == log
    assert not whole.replacements
    assert all(whole.proofs)


async def _true(value: object) -> bool:
    return bool(value)


@pytest.mark.slow
async def test_a_head_that_hangs_and_one_that_forgets(disposable_head: RayHead, tmp_path: Path) -> None:
    head = disposable_head
    cockpit = CommandLine(tmp_path, {"RAYAKASH_ADDRESS": head.address, "RAY_AUTH_TOKEN": head.token})
    async with AsyncExitStack() as stack:
        speaker = stack.enter_context(Speaker(head, "to-be-lost"))
        follower = await stack.enter_async_context(following(head.address, head.token, "to-be-lost", quiet=3))
        commands = [stack.enter_context(cockpit.start(*words, "to-be-lost")) for words in (["logs", "-f"], ["wait"])]
        await speaker.say(numbered(0, 10))
        log = await speaker.heard()
        await follower.has(log)

        await asyncio.to_thread(head.freeze)
        await soon(lambda: _true(follower.outages), within=SPEECH, what="an outage")
        await asyncio.to_thread(head.thaw)
        await speaker.say(numbered(10, 10))
        log = await speaker.heard()
        await follower.has(log)
        assert follower.proofs
        assert all(follower.proofs)

        async def printed() -> bool:
            return commands[0].stdout() == log

        await soon(printed, within=SPEECH, what="the log on stdout")
        await asyncio.to_thread(head.restart)
        with pytest.raises(JobLostError):
            await follower.end()
        for command in commands:
            done = await asyncio.to_thread(command.wait)
            assert done.code == 1, done.stderr
            assert "restarted and has forgotten job to-be-lost" in done.stderr
        assert follower.held() == log
