"""What the follower does when the file is another one, the way there is broken, or the cluster is."""

import asyncio
from functools import partial

import pytest

from cockpit.errors import AuthenticationError, JobLostError, NotFoundError, ServerError, UnreachableError
from cockpit.feeds import follower, job_watch
from tests.wire.fake_ray import FakeRay
from tests.wire.following import JOB, brisk, following
from tests.wire.server import Exchange, until

__all__ = ["brisk"]

pytestmark = [pytest.mark.usefixtures("brisk"), pytest.mark.lengthy]

LINES = b"".join(b"line %d of the log\n" % number for number in range(500))


# The file is another one


async def test_replaced_log_follows_from_its_beginning() -> None:
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    async with following(ray) as run:
        await run.holds(len(LINES))
        new = ray.replace_log(JOB, b"all new\n")
        ray.break_streams()
        await until(lambda: "replaced" in run.events)
        new.write(b"and more\n")
        ray.end(JOB)
        await run.result()
        assert run.held == LINES + b"all new\nand more\n"
    assert run.events.count("replaced") == 1


@pytest.mark.parametrize("remains", [0, 8, 5000])
async def test_log_cut_short_by_the_end_of_the_job_is_told(remains: int) -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    async with following(ray) as run:
        await run.holds(len(LINES))
        del log.data[remains:]
        ray.end(JOB)
        await run.result()
        assert run.held == LINES + LINES[:remains]
    assert run.events.count("replaced") == 1


async def test_log_of_which_only_the_end_is_left_is_another_file() -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    async with following(ray) as run:
        await run.holds(len(LINES))
        del log.data[:-200]  # what is held ends with it, and yet it is not the file of before
        ray.end(JOB)
        await run.result()
        assert run.held == LINES + LINES[-200:]
    assert run.events.count("replaced") == 1


async def test_replaced_log_from_a_tail() -> None:
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    async with following(ray, tail=10) as run:
        await run.holds(1)
        ray.replace_log(JOB, b"all new\n")
        ray.break_streams()
        await until(lambda: run.held.endswith(b"all new\n"))
        ray.end(JOB)
        await run.result()
    assert "replaced" in run.events


# The way there is broken


async def test_outage_shorter_than_patience() -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    async with following(ray) as run:
        await run.holds(len(LINES))
        await run.server.refuse()
        log.write(b"meanwhile\n")
        await until(lambda: "away" in run.events)
        await run.server.listen()
        await run.holds(len(log.data))
        ray.end(JOB)
        await run.result()
        assert run.held == LINES + b"meanwhile\n"
    assert run.events[-1] == "reconnected"
    assert set(run.events) == {"away", "reconnected"}


async def test_waiting_is_told_once_through_an_outage() -> None:
    ray = FakeRay()
    ray.add(JOB, "PENDING", log=None)
    async with following(ray) as run:
        await until(lambda: run.events)
        await run.server.refuse()
        await until(lambda: "away" in run.events)
        await run.server.listen()
        await until(lambda: run.events[-1] == "reconnected")
        polls = len(run.server.requests)
        await until(lambda: len(run.server.requests) > polls + 3)
    assert run.events.count("waiting PENDING") == 1


async def test_outage_longer_than_patience() -> None:
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    async with following(ray, retry_for=0.1) as run:
        await run.holds(len(LINES))
        await run.server.refuse()
        with pytest.raises(UnreachableError, match="No cluster answers"):
            await run.result()
        assert run.held == LINES
    assert "away" in run.events


async def test_cut_stream_is_nothing_to_tell_while_the_cluster_answers() -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    async with following(ray) as run:
        for _ in range(3):
            await run.holds(len(log.data))
            ray.break_streams()
            log.write(b"more\n")
        await run.holds(len(log.data))
        ray.end(JOB)
        await run.result()
        assert run.held == bytes(log.data)
    assert run.events == []


async def test_readings_that_bring_nothing_new_end_by_the_patience_however_long_they_take() -> None:
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    ray.cuts = [4096] * 10_000
    ray.slowness = 0.04  # each reading takes longer than what is called steady
    async with following(ray, retry_for=1.0) as run:
        with pytest.raises(UnreachableError, match="does not get any further") as caught:
            await run.result()
        assert run.held == LINES[:4096]
    assert caught.value.exit_code == 3
    assert "away" in run.events


async def test_a_whole_log_whose_readings_bring_nothing_new_ends_too() -> None:
    ray = FakeRay()
    ray.add(JOB, "SUCCEEDED", log=LINES)
    ray.cuts = [4096] * 10_000
    ray.slowness = 0.04
    async with following(ray, retry_for=1.0, follow=False, retry_from_start=True) as run:
        with pytest.raises(UnreachableError, match="does not get any further"):
            await run.result()


async def test_a_quiet_stream_that_is_cut_again_and_again_uses_up_no_patience() -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    async with following(ray, retry_for=0.5) as run:
        await run.holds(len(LINES))
        for _ in range(5):
            streams = ray.streams
            await asyncio.sleep(2 * follower.STEADY_SECONDS)  # longer in all than the patience lasts
            ray.break_streams()
            await until(partial(lambda before: ray.streams > before, streams))
        log.write(b"and more\n")
        ray.end(JOB)
        await run.result()
        assert run.held == LINES + b"and more\n"
    assert run.events == []


async def test_first_request_has_no_second_chance_unless_asked_for() -> None:
    ray = FakeRay()
    async with following(ray) as run:
        with pytest.raises(NotFoundError):
            await run.result()
    ray.overrides[("GET", f"/api/jobs/{JOB}")] = lambda exchange: exchange.reply(b"", status=502)
    async with following(ray) as run:
        with pytest.raises(UnreachableError):
            await run.result()
    assert run.events == []
    async with following(ray, retry_from_start=True) as run:
        await until(lambda: "away" in run.events)
        ray.overrides.clear()
        ray.add(JOB, "SUCCEEDED", log=LINES)
        await run.result()
        assert run.held == LINES


async def test_restarted_head_has_lost_the_job() -> None:
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    async with following(ray) as run:
        await run.holds(len(LINES))
        await run.server.refuse()
        ray.restart()
        await run.server.listen()
        with pytest.raises(JobLostError, match="has forgotten job train") as caught:
            await run.result()
        assert run.held == LINES
    assert caught.value.exit_code == 1


async def test_deleted_job_is_not_called_lost() -> None:
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    async with following(ray) as run:
        await run.holds(len(LINES))
        del ray.jobs[JOB]
        with pytest.raises(NotFoundError, match="deleted while it was watched"):
            await run.result()


async def test_token_that_is_no_longer_accepted_ends_it() -> None:
    ray = FakeRay()
    ray.token = "old"
    ray.add(JOB, log=LINES)
    async with following(ray, token="old") as run:
        await run.holds(len(LINES))
        ray.token = "new"
        with pytest.raises(AuthenticationError):
            await run.result()


async def test_stream_that_died_quietly_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "QUIET_CHECK_SECONDS", 0.1)
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    ray.streams_dead = 1000
    async with following(ray) as run:
        await run.holds(len(LINES))  # although no stream ever brings a byte
        assert run.held == LINES
        log.write(b"more\n")
        await run.holds(len(log.data))
        ray.end(JOB)
        await run.result()
        assert run.held == bytes(log.data)
    assert run.events == []


async def test_slow_replay_is_not_taken_for_a_dead_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "QUIET_CHECK_SECONDS", 0.2)
    ray = FakeRay()
    log = ray.add(JOB, log=b"".join(b"%050d\n" % number for number in range(2000)))
    async with following(ray) as run:
        await run.holds(len(log.data))
        ray.slowness = 0.01  # to replay it all takes a second
        ray.break_streams()
        log.write(b"the log goes on\n")
        await run.holds(len(log.data))
        assert ray.streams == 2
        ray.end(JOB)
        await run.result()
        assert run.held == bytes(log.data)


async def test_log_that_cannot_be_read_ends_although_the_cluster_answers() -> None:
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    ray.log_error = "Deadline Exceeded"
    async with following(ray, retry_for=0.3) as run:
        with pytest.raises(ServerError, match="Deadline Exceeded"):
            await run.result()
    assert "away" in run.events
    ray.end(JOB)
    async with following(ray, retry_for=0.3) as run:
        with pytest.raises(ServerError):
            await run.result()


async def test_streams_that_end_at_once_do_not_hammer_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_watch, "POLL_SECONDS", 0.05)
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    ray.streams_end = True
    async with following(ray) as run:
        await run.holds(len(LINES))
        log.write(b"more\n")
        await run.holds(len(log.data))
        await until(lambda: len(run.server.seen("GET", f"/api/jobs/{JOB}")) >= 30)
        assert ray.streams < 15
        ray.end(JOB)
        await run.result()
        assert run.held == bytes(log.data)
    assert run.events == []


async def test_log_that_goes_on_after_the_end_of_the_job_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "SETTLE_SECONDS", 0.3)
    monkeypatch.setattr(follower, "SETTLE_ROUNDS", 2)
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)

    async def chatter() -> None:
        while True:
            log.write(b"a process that the job left behind\n")
            await asyncio.sleep(0.002)

    task = asyncio.create_task(chatter())
    try:
        async with following(ray) as run:
            await run.holds(len(LINES))
            ray.end(JOB)
            await run.result()
            assert bytes(log.data).startswith(run.held)
            assert len(run.held) >= len(LINES)
    finally:
        task.cancel()


async def test_full_disk_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    async with following(ray) as run:
        await run.holds(len(LINES))

        def full(_: bytes) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(run.spool, "append", full)
        log.write(b"more\n")
        with pytest.raises(OSError, match="No space left"):
            await run.result()


async def test_listener_that_fails_at_the_very_end_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "SETTLE_SECONDS", 5)
    ray = FakeRay()
    log = ray.add(JOB, log=LINES)
    told_the_end = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(ray.jobs[JOB])
        if ray.jobs[JOB]["status"] == "SUCCEEDED":
            told_the_end.set()

    def broken(_: bytes) -> None:
        monkeypatch.setattr(run, "wrote", lambda _: None)  # it would work the next time
        raise BrokenPipeError

    ray.overrides[("GET", f"/api/jobs/{JOB}")] = answer
    async with following(ray) as run:
        await run.holds(len(LINES))
        monkeypatch.setattr(run, "wrote", broken)
        ray.end(JOB)
        await told_the_end.wait()
        log.write(b"last words\n")
        with pytest.raises(BrokenPipeError):
            await run.result()


async def test_cancelling_ends_at_once_and_leaves_nothing() -> None:
    ray = FakeRay()
    ray.add(JOB, log=LINES)
    before = asyncio.all_tasks()
    async with following(ray) as run:
        await run.holds(len(LINES))
        assert run.task is not None
        run.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run.task
    await until(lambda: asyncio.all_tasks() <= before)
