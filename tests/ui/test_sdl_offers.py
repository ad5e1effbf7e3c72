"""Writing YAML in the editor: what can stand at the cursor comes by itself and takes no key, and words are found."""

from pathlib import Path

import pytest
from textual import events

from cockpit.sdl.completion import is_worth_a_look
from tests.ui.sdl_editor import SMALL, WIDE, SdlEditor, sdl_editor
from tests.ui.test_sdl_editor import SMALL_SDL

MEMORY = SMALL_SDL.splitlines().index("          size: 512Mi")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "web.yaml"
    path.write_bytes(SMALL_SDL.encode())
    return path


async def offered(editor: SdlEditor) -> list[str]:
    """What is offered by itself."""
    area = editor.pane.text
    await editor.driver.wait_until(lambda: area.offers is not None, "the list")
    assert area.offers is not None
    return [item.text for item in area.offers.items]


async def test_a_key_that_is_begun_is_offered_and_tab_takes_it_and_then_its_value(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver, row = editor.driver, SMALL_SDL.splitlines().index("    dc:")
        await editor.type(row, len("    dc:"), "")
        await driver.press("enter", "a")
        assert (await offered(editor))[0] == "attributes:"
        await driver.press("escape")
        assert editor.pane.text.offers is None
        assert editor.pane.text.has_focus, "the first Escape is the list's"
        await driver.press("backspace")
        await driver.type("s")
        assert (await offered(editor))[0] == "signedBy:"
        await driver.press("tab")
        assert editor.text.splitlines()[row + 1] == "      signedBy:"


async def test_values_come_behind_a_key_and_what_is_typed_narrows_them(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver, line = editor.driver, "          size: 512Mi"
        editor.pane.text.replace("", (MEMORY, len("          size: ")), (MEMORY, len(line)))
        editor.pane.go_to(MEMORY, len("          size: "))
        await driver.wait_until(lambda: editor.pane.text.has_focus, "the text")
        await driver.press("backspace")
        await driver.type(" ")
        assert "16Gi" in await offered(editor)
        await driver.type("3")
        await driver.wait_until(
            lambda: editor.pane.text.offers is not None and editor.pane.text.offers.text == "32Gi", "the narrowed list"
        )
        driver.sees("tab takes it")
        await driver.press("tab")
        assert editor.text.splitlines()[MEMORY] == "          size: 32Gi"
        await editor.ready()
        assert editor.pane.text.offers is None


async def test_a_list_that_nobody_asked_for_takes_neither_enter_nor_arrows(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver = editor.driver
        await editor.type(0, len('version: "2.0"'), "")
        await driver.press("enter", "e")
        assert "endpoints:" in await offered(editor)
        await driver.press("enter")
        assert editor.text.splitlines()[:3] == ['version: "2.0"', "e", ""]
        await driver.type("e")
        await offered(editor)
        await driver.press("up")
        assert editor.pane.text.cursor_location[0] == 1
        assert editor.pane.text.offers is None


async def test_a_list_that_was_asked_for_is_walked_with_arrows_and_taken_with_enter(small: Path) -> None:
    async with sdl_editor(small, size=SMALL) as editor:
        driver, at = editor.driver, len("          size: ")
        editor.pane.text.replace("", (MEMORY, at), (MEMORY, at + 5))
        editor.pane.go_to(MEMORY, at)
        await driver.wait_until(lambda: editor.pane.text.has_focus, "the text")
        editor.pane.text.offer(None)
        await driver.press("ctrl+@")
        first = (await offered(editor))[0]
        await driver.wait_until(
            lambda: bool(editor.pane.text.offers and editor.pane.text.offers.is_active), "the list that was asked for"
        )
        await driver.press("down", "up", "down", "enter")
        chosen = editor.text.splitlines()[MEMORY].removeprefix("          size: ")
        assert chosen not in ("", first)
        await driver.press("ctrl+z")
        assert editor.text.splitlines()[MEMORY] == "          size: "


async def test_words_are_found_in_the_text_one_after_the_other(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver, area = editor.driver, editor.pane.text
        rows = [row for row, line in enumerate(SMALL_SDL.splitlines()) if "web" in line]
        await driver.press("slash")
        await driver.type("WEB")
        driver.sees("nothing found")
        await driver.press(*("backspace",) * 3)
        await driver.type("web")
        assert (area.selected_text, area.selection.start[0]) == ("web", rows[0])
        driver.sees(f"1 of {len(rows)}")
        await driver.press("enter")
        assert area.selection.start[0] == rows[1]
        await driver.press("up", "up")
        assert area.selection.start[0] == rows[-1], "in front of the first comes the last"
        await driver.press("escape")
        assert area.has_focus
        await driver.press("f3")
        assert area.selection.start[0] == rows[0]
        await driver.press("ctrl+f")
        await driver.type("x")
        assert editor.text == SMALL_SDL, "the line has the keys"


async def test_the_form_s_field_goes_through_what_is_known(small: Path) -> None:
    async with sdl_editor(small) as editor:
        driver = editor.driver
        await editor.choose("memory", "web")
        await driver.press("ctrl+u")
        await driver.type("6")
        driver.sees("choose")
        await driver.press("down", "enter")
        await editor.ready()
        assert editor.row("memory", "web").value == "64Gi"


@pytest.mark.parametrize(
    ("before", "worth"),
    [
        ("services:\n  we", True), ("a:\n  - ", True), ("# se", False), ("a:\n  ", False),
        ("args:\n  - |\n    run me\n\n    me", False), ("args: >-\n  x", False), ("args: |\n  x\nse", True),
    ],
)  # fmt: skip
def test_scripts_and_comments_are_left_in_peace(before: str, worth: bool) -> None:
    assert is_worth_a_look(before, len(before)) is worth


async def click(editor: SdlEditor, x: int, y: int) -> None:
    """Click on a cell of the text."""
    await editor.driver.pilot.click(type(editor.pane.text), offset=(x, y))
    await editor.driver.pause()


def line_on_screen(editor: SdlEditor, text: str) -> tuple[int, int]:
    """Where in the text a word of the list stands. Fails where it is not seen."""
    area = editor.pane.text
    for y in range(area.size.height):
        if (x := area.render_line(y).text.find(text)) >= 0:
            return x, y
    raise AssertionError(f"{text!r} is not seen:\n{editor.driver.text}")


async def sizes_offered(editor: SdlEditor) -> None:
    """Sizes of memory are offered unasked."""
    at = len("          size: ")
    editor.pane.text.replace("", (MEMORY, at), (MEMORY, at + 5))
    editor.pane.go_to(MEMORY, at)
    await editor.driver.wait_until(lambda: editor.pane.text.has_focus, "the text")
    await editor.driver.press("backspace")
    await editor.driver.type(" ")
    await offered(editor)


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_a_click_on_one_of_the_list_writes_it(small: Path, size: tuple[int, int]) -> None:
    async with sdl_editor(small, size=size) as editor:
        editor.pane.show_side("text")
        await sizes_offered(editor)
        await click(editor, *line_on_screen(editor, "16Gi"))
        assert editor.text.splitlines()[MEMORY] == "          size: 16Gi"
        assert editor.pane.text.offers is None
        assert editor.pane.text.cursor_location == (MEMORY, len("          size: 16Gi"))
        await editor.driver.press("ctrl+z")
        assert editor.text.splitlines()[MEMORY] == "          size: "


async def test_a_click_beside_the_list_takes_it_away_and_one_on_its_keys_nothing(small: Path) -> None:
    async with sdl_editor(small) as editor:
        await sizes_offered(editor)
        before = editor.text
        await click(editor, *line_on_screen(editor, "tab takes it"))
        assert (await offered(editor))[0]
        assert editor.pane.text.cursor_location[0] == MEMORY
        await click(editor, 20, 1)
        assert editor.pane.text.offers is None
        assert editor.pane.text.cursor_location[0] == 1
        assert editor.text == before


async def test_the_wheel_goes_through_the_list_where_the_mouse_is_over_it(small: Path) -> None:
    async with sdl_editor(small) as editor:
        await sizes_offered(editor)
        area = editor.pane.text
        x, y = line_on_screen(editor, "16Gi")
        assert area.offers is not None
        first, top = area.offers.text, area.scroll_y
        wheel = events.MouseScrollDown(area, x, y, 0, 1, 0, shift=False, meta=False, ctrl=False)
        area.post_message(wheel)
        await editor.driver.wait_until(lambda: bool(area.offers and area.offers.text != first), "the next one")
        assert area.scroll_y == top
