"""The Overview on a simulated cluster: what it shows is the truth, and every line leads to its thing."""

import itertools
from collections.abc import Iterator
from unittest.mock import PropertyMock, patch

import pytest
from rich.color import Color, ColorSystem

from cockpit.feeds.topics import NODES
from cockpit.model.nodes import Node
from cockpit.model.overview import FREE, IDLE
from cockpit.operations.clusters.live import LiveCluster
from cockpit.panes.idle import IdlePane
from cockpit.panes.overview import OverviewPane
from cockpit.settings import Notify, Ui
from cockpit.widgets import tones
from cockpit.widgets.heat_map import HeatMap
from cockpit.widgets.live_table import LiveTable
from cockpit.widgets.trouble_list import TroubleList
from tests.sim import Plan
from tests.sim.work import FORGOTTEN
from tests.ui.driver import Driver, cockpit, simulated
from tests.ui.screen import assert_sound

PLAN = Plan(nodes=6, gpus=4, jobs=30)
WIDE = (160, 45)
MINUTES = 4
COST = 12.0  # USD per hour for 24 GPUs: 50 cents each
SOON = Ui(idle_minutes=1.0)


@pytest.fixture
def priced() -> Iterator[None]:
    """The cluster costs something."""
    with patch.object(LiveCluster, "usd_per_hour", new_callable=PropertyMock, return_value=COST):
        yield


def overview(driver: Driver) -> OverviewPane:
    pane = driver.pane("overview")
    assert isinstance(pane, OverviewPane)
    return pane


async def minutes(driver: Driver, count: int) -> list[tuple[float, list[Node]]]:
    """Let time go by; what the cluster said at the end of each minute."""
    said = []
    for _ in range(count):
        await driver.elapse(60.0)
        snapshot = driver.cluster.hub.snapshot(NODES)
        assert snapshot.taken is not None
        assert snapshot.value is not None
        said.append((snapshot.taken.wall, [node for node in snapshot.value.rows if node.is_alive]))
    return said


@pytest.mark.usefixtures("priced")
async def test_curves_and_cells_are_the_truth_and_money_is_to_the_cent() -> None:
    async with simulated(PLAN) as server, cockpit(server, size=WIDE, first_pane="overview", ui=SOON) as driver:
        said = await minutes(driver, MINUTES)
        made = overview(driver).overview
        assert made is not None
        curves = {name: dict(samples) for name, samples in made.curves.items()}
        for at, nodes in said:
            uses = [gpu.utilization_gpu for node in nodes for gpu in node.gpus if gpu.utilization_gpu is not None]
            assert curves["gpu"][at] == pytest.approx(sum(uses) / len(uses))
            assert curves["cpu"][at] == pytest.approx(sum(node.cpu or 0 for node in nodes) / len(nodes))
            assert curves["network"][at] == pytest.approx(sum(sum(node.network_speed) for node in nodes) / 1e6)
        cells = {node.node_id: node.cells for node in made.heat}
        for node in said[-1][1]:
            for cell, gpu in zip(cells[node.node_id or ""], node.gpus, strict=True):
                assert cell == gpu.utilization_gpu or (gpu.utilization_gpu or 0) < 5
        idle = [gpu for gpu in made.idle if gpu.counts]
        assert sum(cell == IDLE for row in cells.values() for cell in row) == len(idle) == 2
        assert made.wasted == pytest.approx(1.0)
        held = {job.id: job for job in server.cluster.running()}
        for job in made.running:
            share = sum(share.part for share in held[job.id].shares)
            assert job.gpus == pytest.approx(share)
            assert job.hours == pytest.approx(share * MINUTES / 60, rel=0.01)
            assert (job.usd or 0.0) == pytest.approx(share * MINUTES / 60 * 0.5, abs=0.005 + 0.01 * share)
        driver.sees("$1.00/h wasted", "GPU use", "GPU memory", "Network", "reserved", "worker-6 died")


@pytest.mark.usefixtures("priced")
async def test_every_line_leads_to_its_thing_and_back() -> None:
    async with (
        simulated(PLAN) as server,
        cockpit(server, size=WIDE, first_pane="overview", ui=SOON, notify=Notify(idle=True)) as driver,
    ):
        await minutes(driver, 2)
        pane = overview(driver)
        assert sum("idle for" in one for one in driver.told) == 2, driver.told
        assert pane.query_one(TroubleList).has_focus
        await driver.press("enter")
        assert driver.app.workspace.screen is not None
        assert driver.app.workspace.screen.pane.NAME == "nodes"
        assert "DEAD" in driver.nodes.pane.table.cell_text("state")
        await driver.press("1", "shift+tab", "down", "right", "right")
        node, place = pane.query_one(HeatMap).chosen or (None, 0)
        assert node is not None
        assert place == 2
        driver.sees(f"{node.name} GPU 2")
        await driver.press("enter")
        assert driver.gpus.cursor == f"{node.node_id}/2"
        await driver.press("1", "tab", "tab")
        running = pane.query_one(LiveTable)
        assert running.has_focus
        await driver.press("enter")
        await driver.opened(f"Job {running.row_key}")
        await driver.press("escape")
        await driver.press("minus", "minus")
        driver.sees("24 h ago")
        await driver.press("minus")
        assert any("longest" in one for one in driver.told)
        await driver.press("plus", "plus", "plus")
        driver.sees("10 min ago")
        await driver.press("i")
        idle = driver.pane("idle")
        assert isinstance(idle, IdlePane)
        await driver.wait_until(lambda: idle.table.counts.total == 2, "the idle GPUs")
        forgotten = next(job.id for job in server.cluster.running() if job.kind is FORGOTTEN)
        idle.table.move_to(next(key for key in idle.table.shown_keys if idle.table.cell_text("job", key) == forgotten))
        await driver.press("x")
        await driver.opened(f"Stop job {forgotten}?")
        await driver.press("escape")
        assert idle.summary.endswith("/h wasted")
        await driver.app.workspace.leave_cluster()
        assert idle.summary == "", "what was wasted there is not wasted here"


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_parts_fold_away_in_their_order_and_nothing_costs_money_without_a_price(ascii_only: bool) -> None:
    async with (
        simulated(PLAN) as server,
        cockpit(server, size=WIDE, first_pane="overview", ascii_only=ascii_only) as driver,
    ):
        await driver.elapse(20.0)
        assert "$" not in driver.text
        found = {}
        for size in ((160, 45), (110, 32), (80, 24), (60, 16), (40, 12), (20, 5)):
            await driver.resize(*size)
            assert_sound(driver.app)
            found[size] = driver.text
        assert "Network" in found[160, 45]
        assert "Network" not in found[110, 32]
        assert "Running" in found[110, 32]
        assert "Running" not in found[80, 24]
        assert "GPUs by node" in found[80, 24]
        assert all(("worker-6 died" if width > 20 else "worker-6") in text for (width, _), text in found.items())
        lines = [line for line in found[160, 45].split("\n") if "worker-1 " in line]
        assert (any(sign in lines[0] for sign in "▁▂▃▄▅▆▇█")) is not ascii_only
        for left, right in itertools.pairwise(found.values()):
            assert left != right


def test_sixteen_colors_have_three_steps_and_none_have_digits() -> None:
    steps = [Color.parse(color).downgrade(ColorSystem.STANDARD).number for color in tones._FEW_COLORS]
    assert steps == [10, 10, 10, 11, 11, 9], "bright green, yellow, red"
    plain = HeatMap(has_color=False)
    assert [plain._sign(cell, 2) for cell in (0, 7, 94, 100, FREE, IDLE)] == [" 0", " 7", "94", "99", "··", "!!"]
    assert [plain._sign(cell, 1) for cell in (0, 94, FREE, IDLE)] == ["0", "9", "·", "!"]
