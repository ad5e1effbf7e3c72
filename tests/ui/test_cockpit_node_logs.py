"""Log files of nodes, of who holds a GPU and of a job: chosen in a pane, followed in the Log pane."""

from tests.sim import Plan, SimServer
from tests.sim.gpus import Held, held_on
from tests.ui.driver import cockpit, simulated


async def test_a_file_of_a_node_is_chosen_and_followed() -> None:
    async with simulated() as server, cockpit(server) as driver:
        head = server.cluster.head
        await driver.press("4")
        assert "l logs" not in driver.text, "the node under the cursor is dead"
        await driver.nodes.select(head.node_id)
        driver.sees("l logs")
        await driver.press("l")
        await driver.wait_until(lambda: driver.has_dialog, "the dialog")
        driver.sees("raylet     raylet.out", "files")
        await driver.press(*"raylet")
        await driver.wait_until(lambda: "1 of" in driver.text, "the one file")
        await driver.press("enter")
        await driver.wait_until(lambda: "raylet: alive" in driver.text, "its lines")
        driver.sees("raylet.out", f"node {head.node_id[:12]}", "following")
        lines = driver.log.status.lines or 0
        await driver.elapse(180.0)
        await driver.wait_until(lambda: (driver.log.status.lines or 0) >= lines + 3, "more of them")


async def test_nothing_is_opened_where_one_would_rather_not() -> None:
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("4")
        await driver.nodes.select(server.cluster.head.node_id)
        await driver.press("l")
        await driver.wait_until(lambda: driver.has_dialog, "the dialog")
        await driver.press("escape")
        await driver.wait_until(lambda: "Logs of" not in driver.text, "the pane")
        driver.sees("Nodes")


async def test_a_dead_node_has_no_logs_to_show() -> None:
    async with simulated() as server, cockpit(server) as driver:
        dead = next(machine for machine in server.cluster.machines if machine.is_dead)
        await driver.press("4")
        await driver.nodes.select(dead.node_id)
        await driver.press("l")
        await driver.wait_until(lambda: any("gone, and its logs with it" in text for text in driver.told), "why not")


async def test_the_log_of_the_worker_that_holds_a_gpu_is_at_hand() -> None:
    async with simulated() as server, cockpit(server) as driver:
        (held,) = [one for one in held_on(0, server.cluster.running()) if one.share.gpu == 0]
        await driver.press("3")
        await driver.gpus.select(f"{server.cluster.head.node_id}/0")
        driver.sees("l logs")
        await driver.press("l")
        await driver.wait_until(lambda: driver.has_dialog, "the dialog")
        driver.sees(f"-{held.pid}.out", "1 of")
        await driver.press("enter")
        await driver.wait_until(lambda: "worker: at work" in driver.text, "its lines")


async def test_of_a_gpu_that_nobody_holds_there_are_the_files_of_its_node() -> None:
    async with simulated(Plan(nodes=3, gpus=8, jobs=6)) as server, cockpit(server) as driver:
        taken = {(one.share.node, one.share.gpu) for one in _held(server)}
        free = next((node, gpu) for node in range(3) for gpu in range(8) if (node, gpu) not in taken)
        await driver.press("3")
        await driver.gpus.select(f"{server.cluster.machines[free[0]].node_id}/{free[1]}")
        await driver.press("l")
        await driver.wait_until(lambda: driver.has_dialog, "the dialog")
        driver.sees("raylet.out")


async def test_all_logs_of_a_job_are_listed_with_its_actors() -> None:
    async with simulated() as server, cockpit(server) as driver:
        held = next(one for one in _held(server) if one.job.kind.actor and not one.job.is_driver)
        await driver.jobs.select(held.job.submission_id or "")
        await driver.press("L")
        await driver.wait_until(lambda: driver.has_dialog, "the dialog")
        driver.sees(f"actor {held.job.kind.actor}", "job", "is gone, and its logs with it")
        await driver.press(*str(held.pid))
        await driver.wait_until(lambda: "1 of" in driver.text, "the one file")
        await driver.press("enter")
        await driver.wait_until(lambda: "worker: at work" in driver.text, "its lines")


def _held(server: SimServer) -> list[Held]:
    jobs = server.cluster.running()
    return [one for node in range(server.cluster.plan.nodes) for one in held_on(node, jobs)]
