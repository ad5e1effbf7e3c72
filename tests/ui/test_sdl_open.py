"""ctrl+o in the SDL editor: paths are completed while they are typed, and folders lead on."""

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.sdl.conftest import SMALL
from tests.ui.sdl_editor import sdl_editor


async def test_a_path_is_completed_and_a_folder_leads_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters" / "web.yaml").write_text(SMALL)
    monkeypatch.chdir(tmp_path)
    async with sdl_editor() as editor:
        driver = editor.driver
        await driver.press("ctrl+o")
        await driver.opened("Open an SDL")
        field = driver.app.screen.query_one("#open-path", Input)
        await driver.type("cl")
        await driver.press("tab")
        await driver.wait_until(lambda: field.value == "clusters/", "the folder")
        await driver.wait_until(lambda: "clusters/web.yaml" in driver.text, "its files")
        await driver.press("down")
        await driver.wait_until(lambda: not field.has_focus, "the list")
        await driver.press("enter")
        await driver.wait_until(lambda: editor.text == SMALL, "the file")
