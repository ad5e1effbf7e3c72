"""A new cluster by wish in the editor: what follows is said at once, and what cannot be is not taken."""

import pytest
from textual.widgets import Static

from cockpit.clients.akash.console import ConsoleClient
from cockpit.operations.deployments import account
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.rules import lint
from tests.akash_sim.console import SimConsole
from tests.akash_sim.wire import client_of
from tests.ui.sdl_editor import SMALL, WIDE, sdl_editor


async def test_sizes_are_asked_for_and_the_file_follows() -> None:
    async with sdl_editor(size=WIDE) as editor:
        driver = editor.driver
        await driver.press("ctrl+n")
        await driver.opened("New SDL from a template")
        await driver.press("down", "s")
        await driver.opened("New cluster, from ray-gpu")
        dialog = driver.app.screen
        result = dialog.query_one("#wish-result", Static)

        async def says(words: str) -> None:
            await driver.wait_until(lambda: words in str(result.render()), words)

        await says("A Ray cluster of two GPUs")
        dialog.query_one("#wish-workers").focus()
        await driver.type("3")
        await says("3 workers with 1 GPU (rtx4090) each. At most $3.61/h.")
        await driver.press("down")
        await driver.type("h100:40Gi")
        await says("No h100 has 40Gi. The nearest: --gpu h100:80Gi.")
        await driver.press("enter")
        await driver.pause()
        assert dialog.is_current
        await driver.press("ctrl+u")
        await driver.type("h100:80Gi")
        await says("3 workers with 1 GPU (h100) each.")
        await driver.press("enter")
        await driver.wait_until(lambda: "model: h100" in editor.text, "the SDL")
        await editor.ready()
        document = SdlDocument(editor.text)
        assert lint(document).problems == []
        assert document.get("deployment.ray-worker.akash.count") == 3
        assert editor.pane.desk.suggested_name == "lab.yaml"


async def test_offers_stand_beside_each_choice_and_propose_the_price(monkeypatch: pytest.MonkeyPatch) -> None:
    console = SimConsole()

    def opened(_: str | None = None, *, with_key: bool = True) -> ConsoleClient:
        assert not with_key
        return client_of(console, key=None)

    monkeypatch.setattr(account, "open_console", opened)
    async with sdl_editor(size=SMALL) as editor:
        driver = editor.driver
        await driver.press("ctrl+n")
        await driver.opened("New SDL from a template")
        await driver.press("s")
        await driver.opened("New cluster, from ray-cpu")
        dialog = driver.app.screen

        async def sees(words: str) -> None:
            await driver.wait_until(lambda: words in driver.text, words)

        dialog.query_one("#wish-gpu").focus()
        await sees("Offers on Akash at ")
        await sees("rtx4090:24Gi:pcie")
        await driver.type("h1")
        await driver.press("tab")
        await sees("› h100:80Gi:sxm")
        await sees("The preset ray-cpu is without GPUs.")
        await driver.press("escape", "ctrl+n")
        await driver.opened("New SDL from a template")
        await driver.press("down", "s")
        await driver.opened("New cluster, from ray-gpu")
        dialog = driver.app.screen
        dialog.query_one("#wish-max_price").focus()
        await sees("proposed: a quarter above the median of the offers")
        await driver.press("tab")
        await driver.wait_until(lambda: dialog.query_one("#wish-max_price").value.endswith("/gpu-h"), "the price")  # type: ignore[attr-defined]
        await sees("1 worker would cost about $")
        dialog.query_one("#wish-serve").focus()
        await driver.pause()
        assert dialog.query_one("#wish-serve").region.y < dialog.query_one("#wish-choices").region.y
        await sees("tab next choice")
