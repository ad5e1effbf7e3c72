"""What is seen when the cluster hangs, is lost, comes back, is another one, or lets nobody in."""

from collections import Counter

from tests.sim import Fault, SimServer
from tests.ui.driver import cockpit, simulated


class Asked:
    """The requests that a simulated dashboard was sent, by path."""

    def __init__(self, server: SimServer) -> None:
        self.paths: Counter[str] = Counter()
        take = server.dashboard.faults.take

        def counting(path: str) -> Fault | None:
            self.paths[path] += 1
            return take(path)

        server.dashboard.faults.take = counting  # type: ignore[method-assign]


async def test_a_lost_cluster_leaves_everything_on_screen_and_is_live_again_without_a_key() -> None:
    async with simulated() as server, cockpit(server) as driver:
        jobs = driver.jobs.keys
        await server.refuse()
        await driver.elapse(10.0)
        assert driver.jobs.keys == jobs
        assert all(key in driver.text for key in jobs)
        driver.sees("jobs as of 10s ago · next try in", "r now · No cluster answers at")
        assert "cluster as of" in driver.lines[1]  # though the version is not due for another 5 s
        assert driver.lines[0].split()[:2] == ["◌", "lab"]
        await driver.press("4")
        driver.sees("No cluster answers at")
        await driver.press("2")
        await driver.elapse(300.0)
        driver.sees("jobs as of 5m ago", "cluster as of 5m ago")
        assert driver.jobs.keys == jobs
        await server.listen()
        server.cluster.submit({"entrypoint": "sleep 900", "submission_id": "after-the-storm"})
        await driver.elapse(31.0)
        assert "after-the-storm" in driver.jobs.keys
        assert driver.lines[0].split()[:2] == ["●", "lab"]
        assert " ago" not in driver.text
        assert "CPU" in driver.lines[1]


async def test_a_head_that_hangs_is_told_by_the_age_of_its_data_and_recovers() -> None:
    async with simulated() as server, cockpit(server) as driver:
        server.dashboard.faults.add(Fault(path="/", kind="hang"))
        driver.clock.advance(40.0)  # type: ignore[union-attr]
        await driver.wait_until(lambda: "jobs as of 40s ago" in driver.text, "the age", settled=False)
        assert driver.jobs.keys
        server.dashboard.faults.clear()
        await driver.wait_until(lambda: " ago" not in driver.text, "fresh data")


async def test_jobs_that_a_restarted_head_forgot_stay_as_those_of_the_previous_session() -> None:
    async with simulated() as server, cockpit(server) as driver:
        known, running = driver.jobs.keys, [job.id for job in server.cluster.running()]
        await server.refuse()
        await driver.elapse(5.0)
        server.cluster.restart()
        server.cluster.submit({"entrypoint": "sleep 900", "submission_id": "after-restart"})
        await server.listen()
        await driver.elapse(40.0)
        assert driver.jobs.keys[0] == "after-restart"
        assert driver.jobs.keys[1:] == [f"previous:{key}" for key in known]
        driver.sees("previous session", "FORGOTTEN")
        await driver.jobs.select(f"previous:{known[0]}")
        await driver.press("x")
        assert driver.told[-1] == "The head was restarted and has forgotten this job."
        assert not driver.has_dialog
        assert known[0] in running
        driver.sees(f"{known[0]} was last seen running; the head was restarted")
        await driver.press("enter")
        (await driver.opened(f"Job {known[0]}")).says("has forgotten this job: it was last seen like this")


async def test_the_detail_of_a_job_tells_that_the_head_has_forgotten_it() -> None:
    async with simulated() as server, cockpit(server) as driver:
        job = driver.jobs.cursor
        await driver.press("enter")
        (await driver.opened(f"Job {job}")).says("● RUNNING")
        server.cluster.restart()
        await driver.elapse(40.0)
        driver.dialog().has_title(f"Job {job}").says("has forgotten this job", "● RUNNING")


async def test_a_cluster_that_wants_a_token_says_so_and_is_not_asked_again_and_again() -> None:
    async with simulated(token="t" * 40) as server, cockpit(server) as driver:
        driver.sees("token", "press r to try again")
        asked = server.dashboard.requests
        await driver.elapse(120.0)
        # The mode of authentication is open to all, and asked for now and then.
        assert server.dashboard.requests - asked <= 2
        await driver.opened(f"{server.url} requires a token, and none was sent (401).")
        await driver.press("escape")
        server.dashboard.token = None
        await driver.press("r")
        assert driver.jobs.keys


async def test_a_wrong_token_is_told_from_a_missing_one() -> None:
    async with simulated(token="t" * 40) as server, cockpit(server, token="w" * 40) as driver:
        driver.sees("token", "press r to try again")
        assert "w" * 40 not in driver.text


async def test_an_answer_that_is_no_ray_is_told_and_the_last_good_one_stays() -> None:
    async with simulated() as server, cockpit(server) as driver:
        jobs = driver.jobs.keys
        for kind in ("error", "cut", "empty"):
            server.dashboard.faults.add(Fault(path="/", kind=kind))
            await driver.press("r")
            assert driver.jobs.keys == jobs
            driver.sees("jobs as of")
            server.dashboard.faults.clear()
            await driver.press("r")
            await driver.elapse()
            assert "jobs as of" not in driver.text
        server.dashboard.faults.add(Fault(path="/", kind="null"))
        await driver.elapse(31.0)
        for pane in ("4", "3", "2"):
            await driver.press(pane)


async def test_hidden_panes_ask_for_nothing() -> None:
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("4")
        await driver.press("2")
        asked = Asked(server)
        await driver.elapse(24.0)
        assert asked.paths["/api/jobs/"] in (5, 6)
        # The past of nodes is kept by a watcher that is content with one answer a minute.
        assert asked.paths["/nodes"] <= 1
        await driver.press("4")
        asked.paths.clear()
        await driver.elapse(24.0)
        assert asked.paths["/api/jobs/"] <= 1
        assert asked.paths["/nodes"] in (4, 5)
        await driver.press("5")
        asked.paths.clear()
        await driver.elapse(24.0)
        assert asked.paths["/nodes"] <= 1


async def test_a_dialog_in_front_does_not_put_the_pane_to_sleep() -> None:
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("question_mark")
        server.cluster.submit({"entrypoint": "sleep 900", "submission_id": "behind-the-dialog"})
        await driver.elapse(8.0)
        assert "behind-the-dialog" in driver.jobs.keys
        assert driver.has_dialog


async def test_a_clock_that_is_set_back_makes_no_duration_negative_and_no_data_old() -> None:
    async with simulated() as server, cockpit(server) as driver:
        assert driver.clock is not None
        jobs = driver.jobs.keys
        driver.clock.set_wall(driver.clock.now().wall - 7 * 86_400.0)
        await driver.elapse(30.0)
        assert driver.jobs.keys == jobs
        table = driver.jobs.pane.table
        assert all("-" not in table.cell_text("duration", key) for key in jobs)
        running = server.cluster.running()[0].id
        assert table.cell_text("duration", running) == "0s"
        assert " ago" not in driver.text
        server.cluster.submit({"entrypoint": "sleep 900", "submission_id": "in-our-future"})
        await driver.elapse(8.0)
        assert "in-our-future" in driver.jobs.keys
