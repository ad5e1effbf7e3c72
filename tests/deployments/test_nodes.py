"""The nodes of a new cluster, counted against those that the SDL deploys."""

from pathlib import Path

import pytest

from cockpit.operations.deployments.reaching import NODES_S, nodes_alive
from tests.akash_sim.console import SimConsole
from tests.deployments.stage import Stage
from tests.ui.driver import simulated
from tests.wire.commands import write_contexts


@pytest.mark.parametrize("is_there", [True, False])
async def test_nodes_are_counted_until_all_joined(home: Path, is_there: bool) -> None:
    """At most three minutes on the virtual clock; then it is said how many, and where to look."""
    async with simulated() as server:
        write_contexts(home, f'[contexts.lab]\naddress = "{server.url}"\n')
        stage = Stage(SimConsole())
        alive = server.cluster.plan.nodes  # and a dead one
        began = stage.step.now()
        found = await nodes_alive(stage.step, "lab", alive if is_there else alive + 1)
        assert found == alive
        assert f"{alive} of {alive if is_there else alive + 1} nodes." in stage.words
        assert (stage.step.now() - began >= NODES_S) == (not is_there)
        assert ("joined within 3 min; look again: rayakash-tui -c lab nodes" in stage.words) == (not is_there)


async def test_a_ray_that_does_not_answer_is_no_count(home: Path) -> None:
    """The cluster is there all the same; nobody counted."""
    write_contexts(home, '[contexts.lab]\naddress = "http://127.0.0.1:9"\n')
    stage = Stage(SimConsole())
    assert await nodes_alive(stage.step, "lab", 3) is None
    assert "could not be counted within 3 min" in stage.words
