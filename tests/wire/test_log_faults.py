"""Logs that are no logs as one would like them, and what happens when there is no room for them."""

import asyncio
import contextlib
import errno
import itertools
import os
from collections.abc import Callable

import pytest

from cockpit.clients.ray.log_files import LogFile
from cockpit.errors import NotRayError, UsageError
from cockpit.feeds import follower, job_watch, spool
from cockpit.feeds.spool import Spool
from tests.wire.clients import handled_by
from tests.wire.fake_ray import NODE, FakeRay
from tests.wire.following import JOB, brisk, following
from tests.wire.server import Exchange, until

__all__ = ["brisk"]

pytestmark = pytest.mark.usefixtures("brisk")

LINES = b"".join(b"line %d of the log\n" % number for number in range(30_000))

# Each is longer than what is read anew from its first byte without a thought.
HOSTILE = {
    "lines of 50 MB": b"first\n" + b"x" * 50_000_000 + b"\nend\n",
    "nul": b"head\n" + b"before\x00after\n" * 40_000,
    "no utf-8": b"head\n" + (bytes(range(128, 256)) * 50 + b"\n") * 100 + b"\xe2\x82",
    "no newline at all": bytes(range(32, 127)) * 8000,
    "no newline at the end": LINES + b"and no more",
    "dos lines": LINES.replace(b"\n", b"\r\n"),
    "carriage returns alone": LINES.replace(b"\n", b"\r"),
    "a flood of escapes": b"head\n" + b"\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m\x9b2J" * 30_000 + b"\nend\n",
    "a flood of empty lines": b"head\n" + b"\n" * 600_000,
}


@pytest.mark.lengthy
@pytest.mark.parametrize("kind", HOSTILE)
async def test_whatever_it_holds_it_is_the_same_after_cuts(kind: str) -> None:
    ray, data = FakeRay(), HOSTILE[kind]
    log = ray.add(JOB, log=data[: len(data) // 2])
    ray.cuts = [len(data) // 3, len(data) // 2 - 7]
    async with following(ray) as run:
        await run.holds(len(data) // 2)
        log.write(data[len(data) // 2 : -5])
        ray.break_streams()
        await run.holds(len(data) - 5)
        ray.break_streams()
        log.write(data[-5:])
        ray.end(JOB)
        await run.result()
        assert run.held == data
    assert not {"replaced", "reconnected unproven"} & set(run.events)


@pytest.mark.lengthy
@pytest.mark.parametrize("regrown", [0, 100, 700_000], ids=["shorter", "little", "longer than before"])
async def test_log_that_was_truncated_in_place_and_grew_again(regrown: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "QUIET_CHECK_SECONDS", 0.1)
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    new = b"another beginning\n" + LINES.upper()[:regrown]
    async with following(ray) as run:
        await run.holds(len(LINES))
        log.data[:] = new
        await until(lambda: "replaced" in run.events)
        await until(lambda: run.held.endswith(new))
        log.write(b"goes on\n")
        ray.end(JOB)
        await run.result()
        assert run.held.endswith(new + b"goes on\n")
        assert run.held.startswith(LINES)


@pytest.mark.lengthy
async def test_rotated_log_goes_on_with_the_new_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "QUIET_CHECK_SECONDS", 0.1)
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    async with following(ray) as run:
        await run.holds(len(LINES))
        ray.replace_log(JOB, b"the new file\n")  # the stream still has the old one, and is silent
        await until(lambda: run.held == LINES + b"the new file\n")
        ray.end(JOB)
        await run.result()
    assert run.events.count("replaced") == 1


async def test_file_that_is_gone_in_the_middle_is_told_and_what_was_fetched_kept() -> None:
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    async with following(ray) as run:
        await run.holds(len(LINES))
        del ray.logs[f"job-driver-{JOB}.log"]
        ray.break_streams()
        await until(lambda: run.events)
        ray.end(JOB, "FAILED")
        followed = await run.result()
        assert run.held == LINES
    assert run.events == [
        f"noted There is no log job-driver-{JOB}.log on node {NODE[:12]}. What was fetched before is kept."
    ]
    assert followed.missing is not None
    assert followed.missing.endswith("What was fetched before is kept.")


async def test_node_that_dies_is_told_and_what_was_fetched_kept() -> None:
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    async with following(ray) as run:
        await run.holds(len(LINES))
        ray.log_error = f"Agent for node id: {NODE} doesn't exist."
        ray.break_streams()
        ray.end(JOB, "FAILED")
        followed = await run.result()
        assert run.held == LINES
    assert followed.missing == (f"The node {NODE[:12]} is gone, and its logs with it. What was fetched before is kept.")


@pytest.mark.lengthy
async def test_byte_by_byte() -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=b"x")
    async with following(ray) as run:
        for number in range(300):
            await run.holds(number + 1)
            if number % 50 == 0:
                ray.break_streams()
            log.write(b"\n" if number % 7 == 0 else b"%d" % (number % 10))
        ray.end(JOB)
        await run.result()
        assert run.held == bytes(log.data)


# No room


def full_after(room: int) -> Callable[[int, memoryview, int], int]:
    """A disk that takes so many bytes more."""
    real, left = os.pwrite, [room]

    def pwrite(descriptor: int, data: memoryview, offset: int) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(descriptor, data[: left[0]], offset)
        left[0] -= written
        return written

    return pwrite


@pytest.mark.lengthy
async def test_full_disk_is_told_and_the_end_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MEMORY_BYTES", 50_000)
    ray = FakeRay()
    log = ray.add(JOB, log=LINES[:1000])
    async with following(ray) as run:
        await run.holds(1000)
        monkeypatch.setattr(os, "pwrite", full_after(100_000))
        for at in range(1000, len(LINES), 20_000):
            log.write(LINES[at : at + 20_000])
            await run.holds(min(len(LINES), at + 20_000))
            if at % 100_000 == 1000:
                ray.break_streams()  # and it finds its place again
        ray.end(JOB)
        await run.result()
        assert run.heard == LINES
        assert run.spool.size == len(LINES)
        assert run.spool.read(0, 101_000) == LINES[:101_000]
        assert run.spool.read(len(LINES) - 50_000, 50_000) == LINES[-50_000:]
        assert run.spool.read(110_000, 10) == b"\n" * 10
        assert len(run.spool._memory) <= 100_000
    noted = [event for event in run.events if event.startswith("noted")]
    assert len(noted) == 1
    assert "No room is left" in noted[0]
    assert "replaced" not in run.events


def test_two_thousand_logs_are_too_many() -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(spool.MOST_OPEN - Spool.open_now):
            stack.enter_context(Spool())
        for _ in range(2000 - spool.MOST_OPEN):
            with pytest.raises(UsageError, match="200 logs are open already"):
                Spool()
        assert Spool.open_now == spool.MOST_OPEN
    with Spool() as one:
        one.append(b"there is room again")


# Bombs


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
async def test_log_that_is_packed_in_a_way_nobody_asked_for_is_refused(encoding: str) -> None:
    async def bomb(exchange: Exchange) -> None:
        assert exchange.request.headers["accept-encoding"] == "identity"
        await exchange.start(200, {"Content-Type": "text/plain", "Content-Encoding": encoding})
        for _ in itertools.count():
            await exchange.raw(b"\x00" * 65536)

    async with handled_by(bomb) as (client, server):
        with pytest.raises(NotRayError, match="unexpected encoding"):
            async with client.logs.open(LogFile(node_id=NODE, filename="x.log")):
                pass
        assert server.sent < 20_000_000


async def test_sleeping_laptop_finds_its_place_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every connection is dead, the clock has leapt, and the log has grown much."""
    monkeypatch.setattr(follower, "QUIET_CHECK_SECONDS", 0.2)
    monkeypatch.setattr(job_watch, "POLL_SECONDS", 0.05)
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    async with following(ray) as run:
        await run.holds(len(LINES))
        await run.server.refuse()
        log.write(LINES.upper())
        await asyncio.sleep(0)
        await run.server.listen()
        await run.holds(len(log.data))
        ray.end(JOB)
        await run.result()
        assert run.held == bytes(log.data)
    assert set(run.events) <= {"away", "reconnected"}
