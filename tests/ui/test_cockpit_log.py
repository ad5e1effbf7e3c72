"""The Log pane: following, pausing, going back to the beginning, and what becomes of it when one looks away."""

from tests.sim import SimServer
from tests.sim.jobs import SimJob
from tests.sim.work import PREPARE
from tests.ui.driver import Driver, cockpit, simulated

SECONDS_A_LINE = 5.0


def with_log(server: SimServer, *, lines: int) -> str:
    """A running job that has printed about so many lines."""
    started = server.cluster.clock.now() - lines * SECONDS_A_LINE
    job = SimJob(submission_id="talks", job_id=None, kind=PREPARE, entrypoint="python talk.py", created=started - 4,
                 started=started)  # fmt: skip
    server.cluster.jobs.append(job)
    return job.id


async def followed(driver: Driver, job_id: str) -> None:
    """Open the log of a job and wait for its end."""
    await driver.jobs.select(job_id)
    await driver.press("l")
    await driver.wait_until(lambda: bool(driver.log.status.bytes), "the log")


async def test_a_log_is_followed_paused_and_followed_again() -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=100)
        async with cockpit(server) as driver:
            await followed(driver, job_id)
            driver.sees("talks   ● RUNNING", "following", "p pause")
            last = f"shard {100 + 1}"
            assert last not in driver.text
            await driver.elapse(SECONDS_A_LINE * 4)
            await driver.wait_until(lambda: "shard 103 done" in driver.text, "new lines")
            await driver.press("p")
            driver.sees("paused")
            top = driver.log.status.top
            await driver.elapse(SECONDS_A_LINE * 10)
            await driver.wait_until(lambda: (driver.log.status.lines or 0) >= 110, "more lines")
            assert driver.log.status.top == top
            await driver.press("G")
            await driver.wait_until(lambda: "shard 113 done" in driver.text, "the end")
            driver.sees("following")
            await driver.press("up", "up")
            driver.sees("paused")


async def test_going_up_to_its_beginning_fetches_the_whole_log() -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=8000)
        async with cockpit(server) as driver:
            await followed(driver, job_id)
            driver.sees("5,000 lines", "the last 5,000 lines, Home for the whole")
            await driver.press("home")
            await driver.wait_until(lambda: (driver.log.status.lines or 0) > 8000, "the whole")
            await driver.wait_until(lambda: "Running entrypoint for job talks" in driver.text, "its first line")
            assert "Home for the whole" not in driver.text


async def test_the_log_of_an_ended_job_ends_with_its_outcome() -> None:
    async with simulated() as server, cockpit(server) as driver:
        failed = next(job for job in server.cluster.jobs if job.mishap and job.mishap.exit_code == 127)
        await followed(driver, failed.id)
        await driver.wait_until(lambda: "failed with exit code 127" in driver.text, "the outcome")
        driver.sees("/bin/sh: 1: accelerate: not found", "end")


async def test_no_stream_is_kept_open_for_a_hidden_log_and_no_line_is_lost_or_doubled() -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=50)
        async with cockpit(server) as driver:
            await followed(driver, job_id)
            await driver.press("2")
            await driver.elapse(SECONDS_A_LINE * 20)
            before = driver.log.status.lines
            await driver.press("5")
            await driver.wait_until(lambda: "shard 69 done" in driver.text, "what was missed")
            spool = driver.pane("log").session.spool
            text = spool.read(0, spool.size).decode()
            shards = [int(line.split("shard ")[1].split()[0]) for line in text.splitlines() if "shard " in line]
            assert shards == sorted(set(shards))
            assert before is not None


async def test_a_log_goes_on_after_the_cluster_was_away() -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=50)
        async with cockpit(server) as driver:
            await followed(driver, job_id)
            await server.refuse()
            await driver.wait_until(lambda: "Next try in" in driver.text, "the outage")
            assert "shard 49 done" in driver.text
            server.cluster.clock.advance(SECONDS_A_LINE * 5)
            await server.listen()
            await driver.wait_until(lambda: "shard 53 done" in driver.text, "the rest")
            await driver.wait_until(lambda: "reconnected" in driver.text, "the note")


async def test_a_job_that_never_ran_has_no_log_and_says_so() -> None:
    async with simulated() as server:
        now = server.cluster.clock.now()
        server.cluster.jobs.append(
            SimJob(submission_id="waits", job_id=None, kind=PREPARE, entrypoint="true", created=now, started=None)
        )
        async with cockpit(server) as driver:
            await driver.press("5")
            driver.sees("No log yet. Press l on a job to follow it.")
            await driver.press("2")
            await driver.jobs.select("waits")
            await driver.press("l")
            await driver.wait_until(lambda: "waiting for the job to start" in driver.text, "the wait")
            never = next((job for job in server.cluster.jobs if job.mishap and job.mishap.exit_code is None), None)
            if never is not None:
                await driver.press("2")
                await driver.jobs.select(never.id)
                await driver.press("l")
                assert "never ran" in driver.told[-1]
