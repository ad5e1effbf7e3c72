"""What the editor offers when it is opened on nothing, and what it forgets when a secret has left its file."""

import gc
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cockpit.operations.sdl_editor.drafts import DraftKeeper, drafts
from cockpit.operations.sdl_editor.recent import remember
from cockpit.operations.secrets.sdl_import import import_secrets
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.templates import template_named
from cockpit.secrets.names import Place
from tests.ui.driver import Driver, cockpit_on
from tests.ui.sdl_editor import SMALL, SdlEditor, sdl_editor
from tests.ui.test_sdl_editor import SMALL_SDL, read, written

CANARY = "canary" + "5b1e0c77d2"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "web.yaml"
    path.write_bytes(SMALL_SDL.encode())
    return path


@pytest.fixture
def dead_editors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wrote a draft is dead: its process is looked up under a number that nobody has."""
    monkeypatch.setattr("cockpit.operations.sdl_editor.drafts.os.getpid", lambda: 2**22 - 1)


async def opened(driver: Driver) -> SdlEditor:
    """Pane 5, as somebody comes to it who has no cluster."""
    await driver.wait_until(lambda: driver.has_dialog, "the start dialog")
    await driver.answer("escape")
    await driver.press("6")
    return SdlEditor(driver)


@pytest.mark.usefixtures("dead_editors")
async def test_what_was_typed_without_a_file_is_offered_when_the_pane_is_opened() -> None:
    keeper = DraftKeeper()
    keeper.note(SMALL_SDL)
    assert keeper.write()
    async with cockpit_on(None) as driver:
        editor = await opened(driver)
        await driver.wait_until(lambda: "An SDL without a file was edited until" in driver.text, "the offer")
        await driver.press("down", "enter")
        await driver.wait_until(lambda: editor.text == SMALL_SDL, "what was typed")
        assert editor.pane.desk.is_dirty
        editor.pane.desk.session.saved()


@pytest.mark.parametrize("size", [SMALL, (160, 45)])
async def test_a_pane_without_an_sdl_says_how_to_begin(small: Path, size: tuple[int, int]) -> None:
    remember(small)
    async with cockpit_on(None, size=size) as driver:
        editor = await opened(driver)
        await driver.wait_until(lambda: "web.yaml" in driver.text, "the files used lately")
        view = editor.pane.form.view
        assert view.row is not None
        assert (view.row.label, view.row.kind) == ("new", "field")
        await driver.press("enter")
        await driver.opened("New SDL from a template")
        await driver.answer("escape")
        assert view.move_to(f"start:{small}")
        await driver.press("enter")
        await driver.wait_until(lambda: editor.pane.desk.file.path == small, "the opened file")
        await editor.ready()
        assert editor.row("image", "web").value == "nginx:1.27"


async def test_what_was_typed_and_all_undone_leaves_no_draft(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver = editor.driver
        await editor.type(1, 0, "x")
        await driver.wait_until(lambda: bool(drafts().found), "the draft")
        await driver.press("ctrl+z")
        assert editor.text == SMALL_SDL
        await driver.wait_until(lambda: not drafts().found, "that the draft went")
        await editor.type(1, 0, "y")
        await driver.wait_until(lambda: bool(drafts().found), "another draft")


async def test_a_template_goes_into_the_file_that_was_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    async with sdl_editor(path) as editor:
        driver = editor.driver
        driver.sees("mine.yaml is not there yet")
        await driver.press("ctrl+n")
        await driver.opened("New SDL from a template")
        await driver.press("enter")
        await driver.wait_until(lambda: bool(editor.text), "the new SDL")
        await driver.press("ctrl+s")
        dialog = await driver.opened("Save the SDL as")
        dialog.says("mine.yaml")
        await driver.press("enter")
        await driver.wait_until(lambda: not editor.pane.desk.is_dirty, "the saved file")
    assert path.read_bytes() == template_named("ray-cpu").text.encode()


async def test_an_import_out_of_the_file_leaves_no_value_in_the_editor(small: Path) -> None:
    written(small, SMALL_SDL.replace("MODE=fast", f"API_TOKEN={CANARY}"))
    async with sdl_editor(small) as editor:
        driver = editor.driver
        editor.pane.text.go_to(5, 0)
        await driver.pause()
        assert CANARY in driver.text
        await editor.type(0, 0, "# mine\n")
        await driver.press("ctrl+s")
        await driver.wait_until(lambda: not editor.pane.desk.is_dirty, "the saved file")
        assert holders(driver.app), "the search finds what is there"
        import_secrets(small, SdlDocument(read(small)), scope="web", places=(Place.SESSION,))
        assert CANARY not in read(small)
        await driver.wait_until(lambda: CANARY not in editor.text, "the file as it is now")
        await driver.wait_until(lambda: editor.pane.desk.session.undo_label == "", "that the history went")
        await editor.ready()
        await driver.press("u", "ctrl+z")
        assert CANARY not in editor.text
        await driver.press("ctrl+t")
        await driver.wait_until(lambda: not holders(driver.app), "memory without the value")


def holders(root: object) -> list[str]:
    """Where, among all that can be reached from an object, the value is; the store itself may hold it."""
    found: list[str] = []
    seen: set[int] = set()
    waiting: list[Any] = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | ModuleType) or type(one).__name__ in ("Secret", "function"):
            continue
        seen.add(id(one))
        if isinstance(one, str | bytes):
            continue
        referents = gc.get_referents(one)
        found += [type(one).__name__ for part in referents if isinstance(part, str) and CANARY in part]
        found += [type(one).__name__ for part in referents if isinstance(part, bytes) and CANARY.encode() in part]
        waiting += referents
    return found
