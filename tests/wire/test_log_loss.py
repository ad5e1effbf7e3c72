"""No byte of a log is lost or doubled through two hundred broken connections; where that is in doubt it is said."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from cockpit.feeds import follower, job_watch, patience
from tests.wire.fake_ray import FakeRay
from tests.wire.following import JOB, Following, brisk, following
from tests.wire.server import until

pytestmark = pytest.mark.lengthy

__all__ = ["brisk"]

LINES = 500_000
CUTS = 200
HEADER = b"2026-11-20 21:40:01,112\tINFO job_manager.py:581 -- Runtime env is setting up.\n"
BLOCK = b"".join(b"epoch step %d of 1000 done\n" % step for step in range(1000))

LOGS = {
    "lines that differ": HEADER + b"".join(b"step %d\n" % number for number in range(LINES - 1)),
    "one line again and again": b"tick\n" * LINES,
    "one line below a header": HEADER + b"tick\n" * (LINES - 1),
    "a block again and again": HEADER + BLOCK * (LINES // 1000),
}


@pytest.fixture(autouse=True)
def hasty(brisk: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - it comes first
    """Two hundred times a pause would be a long time."""
    monkeypatch.setattr(job_watch, "POLL_SECONDS", 0.002)
    monkeypatch.setattr(patience, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(patience, "LONGEST_DELAY", 0.005)


def piecewise(data: bytes, chance: random.Random) -> Iterator[bytes]:
    """The data in pieces of any size, a few hundred of them."""
    at = 0
    while at < len(data):
        size = chance.randrange(1, max(2, len(data) // 150))
        yield data[at : at + size]
        at += size


def check(run: Following, data: bytes) -> None:
    """What is held is the log, or it is said that this is not certain."""
    if run.held != data:
        assert "reconnected unproven" in run.events
    assert "replaced" not in run.events


KINDS = [
    "lines that differ",
    "one line again and again",
    pytest.param("one line below a header", marks=pytest.mark.slow),
    pytest.param("a block again and again", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("kind", KINDS)
async def test_ended_log_is_whole_after_two_hundred_cuts(kind: str) -> None:
    chance, data, ray = random.Random(kind), LOGS[kind], FakeRay()
    ray.add(JOB, "SUCCEEDED", log=data)
    if kind != "one line again and again":  # what was read needs not be read again
        ray.cuts = [chance.randrange(len(data) // 125) for _ in range(CUTS)]
    else:
        ray.cuts = [chance.randrange(len(data) * (number + 2) // CUTS) for number in range(CUTS)]
    async with following(ray, retry_for=300.0) as run:
        await run.result(seconds=240)
        assert run.held == data
        assert not ray.cuts
    assert "replaced" not in run.events


@pytest.mark.parametrize("kind", KINDS)
async def test_growing_log_is_whole_or_said_to_be_in_doubt(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "STEADY_SECONDS", 0.0)
    chance, data, ray = random.Random(kind), LOGS[kind], FakeRay()
    log = ray.add(JOB, log=data[:1000])
    cuts = 0
    async with following(ray, retry_for=300.0) as run:
        await run.holds(1000)
        for piece in piecewise(data[1000:], chance):
            log.write(piece)
            if cuts < CUTS:
                cuts += 1
                await break_off(ray, run, chance)
        assert cuts == CUTS
        ray.end(JOB)
        await run.result(seconds=240)
        check(run, data)


async def break_off(ray: FakeRay, run: Following, chance: random.Random) -> None:
    """Break the stream at some byte of what it brings next, at once, or with the server; then let it be read again."""
    opened = ray.streams
    match chance.randrange(8):
        case 0:
            await run.server.refuse()
            await asyncio.sleep(0)
            await run.server.listen()
        case 1 | 2:
            ray.break_streams()
        case _:
            ray.cuts = [chance.randrange(1, 100_000)]
            ray.break_streams()
    await until(lambda: ray.streams > opened or run.is_over)


@pytest.mark.parametrize("tail", [None, 1000])
async def test_what_a_reconnect_costs_does_not_grow_with_the_log(tail: int | None) -> None:
    data, ray = LOGS["lines that differ"], FakeRay()
    log = ray.add(JOB, log=data)
    async with following(ray, tail=tail) as run:
        await until(lambda: run.held.endswith(data[-10_000:]))
        costs = []
        for number in range(4):
            before, size = run.server.sent, run.spool.size
            ray.break_streams()
            log.write(b"cut %d\n" % number)
            await run.holds(size + 6)
            costs.append(run.server.sent - before)
        ray.end(JOB)
        await run.result()
        assert (
            data + b"cut 0\ncut 1\ncut 2\ncut 3\n" == (b"" if tail is None else data[: -run.spool.size + 24]) + run.held
        )
    assert run.events == []
    # A log of which only the tail was read is looked through once, to know where that lies.
    assert all(cost < 1_500_000 for cost in (costs if tail is None else costs[1:]))
    assert len(data) > 5_000_000


async def test_lines_that_came_while_nobody_listened_are_fetched_from_where_they_begin() -> None:
    data, ray = HEADER + b"".join(b"%-63d\n" % number for number in range(300_000)), FakeRay()
    half = len(data) // 2
    log = ray.add(JOB, log=data[:half])
    async with following(ray) as run:
        await run.holds(half)
        await run.server.refuse()
        log.write(data[half:])
        before = run.server.sent
        await run.server.listen()
        await run.holds(len(data))
        assert run.server.sent - before < len(data) - half + 6_000_000
        ray.end(JOB)
        await run.result()
        assert run.held == data
