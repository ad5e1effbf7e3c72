"""The log of a job reaches the spool byte for byte, whatever lies in between."""

import os
import random
import stat

import pytest

from cockpit.errors import (
    RejectedError,
)
from tests.wire.fake_ray import FakeRay
from tests.wire.following import JOB, brisk, following
from tests.wire.server import until

__all__ = ["brisk"]

pytestmark = pytest.mark.usefixtures("brisk")

LINES = b"".join(b"line %d of the log\n" % number for number in range(500))

HOSTILE = {
    "carriage returns": b"".join(b"\r%3d%% done" % percent for percent in range(101)) + b"\nend\n",
    "no utf-8": bytes(range(128, 256)) * 50 + b"\n" + b"\xe2\x82",
    "nul": b"before\x00after\n" * 40,
    "escapes": b"\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m\n" * 40,
    "a line of 5 MB": b"x" * 5_000_000 + b"\nend\n",
    "no newline at the end": b"one\ntwo\nthree",
    "empty lines": b"\n" * 300,
    "one line again and again": b"tick\n" * 2000,
    "empty": b"",
}


async def test_log_that_grows_is_copied_from_the_first_byte() -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=b"already there\n")
    async with following(ray) as run:
        for number in range(20):
            await run.holds(len(log.data))
            log.write(b"line %d\n" % number)
        ray.end(JOB)
        followed = await run.result()
        assert run.held == run.heard == bytes(log.data)
    assert (followed.job.status, followed.missing, run.events) == ("SUCCEEDED", None, [])


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
async def test_any_bytes_are_copied_as_they_are(kind: str, ended: bool) -> None:
    ray = FakeRay()
    data = HOSTILE[kind]
    half = data[: len(data) // 2]
    log = ray.add(JOB, "SUCCEEDED" if ended else "RUNNING", log=data if ended else half)
    async with following(ray) as run:
        if not ended:
            await run.holds(len(half))
            log.write(data[len(half) :])
            ray.end(JOB)
        await run.result()
        assert run.held == data
    assert "replaced" not in run.events


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("lines", [1, 3, 100, 499, 500, 10_000])
async def test_tail_begins_at_the_last_lines(lines: int, follow: bool) -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    expected = b"".join(LINES.splitlines(keepends=True)[-lines:])
    async with following(ray, tail=lines, follow=follow) as run:
        if follow:
            await run.holds(len(expected))
            log.write(b"one more\n")
            await run.holds(len(expected) + 9)
            ray.end(JOB)
            expected += b"one more\n"
        await run.result()
        assert run.held == expected
    # What ended well is not read a second time.
    assert len(run.server.seen("GET", "/api/v0/logs/file")) == 1


async def test_tail_of_lines_that_repeat_is_whole() -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=b"tick\n" * 50)
    async with following(ray, tail=3) as run:
        await run.holds(15)
        log.write(b"tick\n" * 7)
        ray.end(JOB)
        await run.result()
        assert run.held == b"tick\n" * 10


@pytest.mark.lengthy
@pytest.mark.parametrize("seed", range(30))
async def test_cut_anywhere(seed: int) -> None:
    """Streams and readings break after any number of bytes, amid lines that look alike."""
    chance = random.Random(seed)
    words = [b"tick\n", b"tock\n", b"\n", b"tick\r", b"x" * chance.randrange(3000) + b"\n"]
    data = b"".join(chance.choice(words) for _ in range(chance.randrange(1, 600)))
    if chance.random() < 0.3:
        data = b"tick\n" * (len(data) // 5)
    ray = FakeRay()
    ray.cuts = [chance.randrange(len(data) + 2) for _ in range(chance.randrange(1, 8))]
    log = ray.add(JOB, log=data[: len(data) // 3])
    async with following(ray) as run:
        await run.holds(len(data) // 3)
        log.write(data[len(data) // 3 :])
        if chance.random() < 0.5:
            await run.holds(len(data))
        ray.end(JOB)
        await run.result()
        assert run.held == data
    assert "replaced" not in run.events
    assert "reconnected unproven" not in run.events


async def test_half_of_equal_lines_is_not_taken_for_the_whole() -> None:
    # What is held is exactly what the log ends with, and yet a hundred lines are missing.
    ray = FakeRay()
    ray.add(JOB, "SUCCEEDED", log=b"tick\n" * 200)
    ray.cuts = [len(b"tick\n") * 100]
    async with following(ray) as run:
        await run.result()
        assert run.held == b"tick\n" * 200


@pytest.mark.lengthy
@pytest.mark.parametrize("seed", range(10))
async def test_cut_anywhere_from_a_tail(seed: int) -> None:
    chance = random.Random(seed)
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    ray.cuts = [chance.randrange(1, 2000) for _ in range(3)]
    async with following(ray, tail=100) as run:
        await run.holds(1)
        log.write(LINES.replace(b"line", b"word"))
        ray.end(JOB)
        await run.result()
        whole = bytes(log.data)
        assert run.held == whole[log.start_of_last(600) :]
    assert "reconnected unproven" not in run.events


async def test_doubt_about_a_cut_tail_of_equal_lines_is_told() -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=b"tick\n" * 50)
    ray.cuts = [5]
    async with following(ray, tail=2) as run:
        await run.holds(5)
        log.write(b"tick\n" * 20)
        await until(lambda: run.events)
        ray.end(JOB)
        await run.result()
    assert "reconnected unproven" in run.events


async def test_log_that_appears_late() -> None:
    ray = FakeRay()
    ray.add(JOB, "PENDING", log=None)
    async with following(ray) as run:
        await until(lambda: run.events)
        ray.run(JOB)
        await until(lambda: len(run.server.seen("GET", "/api/v0/logs/stream")) >= 3)
        log = ray.replace_log(JOB, b"first\n")
        await run.holds(6)
        log.write(b"second\n")
        ray.end(JOB)
        await run.result()
        assert run.held == b"first\nsecond\n"
    assert run.events == ["waiting PENDING"]


async def test_job_that_fails_before_it_starts_has_no_log() -> None:
    ray = FakeRay()
    ray.add(JOB, "PENDING", log=None)
    async with following(ray) as run:
        await until(lambda: run.events)
        ray.end(JOB, "FAILED", None, "runtime_env setup failed")
        followed = await run.result()
        assert run.held == b""
    assert (followed.job.status, followed.missing) == ("FAILED", None)
    assert not [request for request in run.server.requests if "logs" in request.path]


async def test_log_that_is_gone_is_told() -> None:
    ray = FakeRay()
    ray.add(JOB, "SUCCEEDED", log=None)
    async with following(ray) as run:
        followed = await run.result()
    assert followed.missing is not None
    assert f"job-driver-{JOB}.log" in followed.missing


async def test_plain_reading_ends_where_the_log_ends_now() -> None:
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    async with following(ray, follow=False) as run:
        assert (await run.result()).job.status == "RUNNING"
        assert run.held == LINES
    reading = run.server.seen("GET", "/api/v0/logs/file")[0]
    # Ray breaks a reading off after 30 s by itself, which a long log on a slow line exceeds.
    assert "timeout=3600" in reading.target


async def test_driver_has_no_log() -> None:
    ray = FakeRay()
    ray.add(JOB, type="DRIVER", job_id=JOB, submission_id=None, driver_node_id=None)
    async with following(ray) as run:
        with pytest.raises(RejectedError, match="keeps no log"):
            await run.result()


async def test_spool_is_private() -> None:
    ray = FakeRay()
    ray.add(JOB, "SUCCEEDED", log=LINES)
    async with following(ray) as run:
        await run.result()
        status = os.fstat(run.spool._file.fileno())
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert status.st_nlink == 0  # nothing is left of it after a kill -9
