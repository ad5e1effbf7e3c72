"""ctrl+o in the SDL editor: paths are completed while they are typed, and folders lead on."""

from pathlib import Path

import pytest
from textual.widgets import Input

from cockpit.widgets.file_tree import FileTree
from tests.sdl.conftest import SMALL
from tests.ui.driver import cockpit_on
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


async def test_folders_stand_beside_recent_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / "clusters" / "deep"
    deep.mkdir(parents=True)
    (deep / "web.yaml").write_text(SMALL)
    (tmp_path / "clusters" / "notes.txt").write_text("x")
    (tmp_path / "clusters" / "\x1b]0;owned\x07.yaml").write_text("x")
    monkeypatch.chdir(tmp_path / "clusters")
    async with sdl_editor() as editor:
        driver = editor.driver
        await driver.press("ctrl+o")
        await driver.opened("Open an SDL")
        await driver.wait_until(lambda: "deep" in driver.text, "the folders")
        assert "notes.txt" not in driver.text
        assert "\x1b" not in driver.text
        await driver.press("right", "down", "right")
        await driver.wait_until(lambda: "web.yaml" in driver.text, "its files")
        await driver.press("down", "enter")
        await driver.wait_until(lambda: editor.text == SMALL, "the file")
        await driver.press("ctrl+o")
        await driver.opened("Open an SDL")
        await driver.press("right", "backspace")
        await driver.wait_until(lambda: f"▾ {tmp_path.name}" in driver.text, "the folder above")
        await driver.press("left")
        await driver.pause()
        assert not isinstance(driver.app.focused, FileTree)


async def test_folders_in_ascii(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clusters").mkdir()
    monkeypatch.chdir(tmp_path)
    async with cockpit_on(None, size=(80, 24), first_pane="sdl", ascii_only=True) as driver:
        await driver.press("ctrl+o")
        await driver.opened("Open an SDL")
        await driver.wait_until(lambda: "+ clusters" in driver.text, "the folder")
        assert not set("▸▾├└") & set(driver.text)
        await driver.press("escape", "ctrl+n")
        await driver.opened("New SDL from a template")
        await driver.press("s")
        await driver.opened("New cluster, from ray-cpu")
        driver.app.screen.query_one("#wish-store").focus()
        await driver.press("tab")
        await driver.wait_until(lambda: "> s3" in driver.text, "the choice")
        assert "›" not in driver.text
