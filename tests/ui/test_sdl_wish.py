"""A new cluster by wish in the editor: what follows is said at once, and what cannot be is not taken."""

from textual.widgets import Static

from cockpit.sdl.document import SdlDocument
from cockpit.sdl.rules import lint
from tests.ui.sdl_editor import WIDE, sdl_editor


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
