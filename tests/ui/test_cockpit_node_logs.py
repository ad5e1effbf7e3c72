"""The log files of a node: chosen on the Nodes pane, followed in the Log pane."""

from tests.ui.driver import cockpit, simulated


async def test_a_file_of_a_node_is_chosen_and_followed() -> None:
    async with simulated() as server, cockpit(server) as driver:
        head = server.cluster.head
        await driver.press("2")
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
        await driver.press("2")
        await driver.nodes.select(server.cluster.head.node_id)
        await driver.press("l")
        await driver.wait_until(lambda: driver.has_dialog, "the dialog")
        await driver.press("escape")
        await driver.wait_until(lambda: "Logs of" not in driver.text, "the pane")
        driver.sees("Nodes")


async def test_a_dead_node_has_no_logs_to_show() -> None:
    async with simulated() as server, cockpit(server) as driver:
        dead = next(machine for machine in server.cluster.machines if machine.is_dead)
        await driver.press("2")
        await driver.nodes.select(dead.node_id)
        await driver.press("l")
        await driver.wait_until(lambda: any("gone, and its logs with it" in text for text in driver.told), "why not")
