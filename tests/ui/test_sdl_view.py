"""What a key has painted anew, what colors the rows have, and how lines are broken."""

from pathlib import Path

import pytest

from cockpit.sdl.templates import template_named
from cockpit.widgets.sdl_view import SdlView
from cockpit.widgets.yaml_lines import YamlLines, highlights
from tests.ui.sdl_editor import SdlEditor, sdl_editor
from tests.ui.test_sdl_editor import SMALL_SDL

ROWS = template_named("ray-gpu").text.splitlines()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "web.yaml"
    path.write_bytes(SMALL_SDL.encode())
    return path


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The lines of the screen that the text draws from now on."""
    lines: set[int] = set()
    draw = SdlView.render_line

    def noted(view: SdlView, y: int) -> object:
        lines.add(y)
        return draw(view, y)

    monkeypatch.setattr(SdlView, "render_line", noted)
    return lines


async def typing_at(editor: SdlEditor, row: int, column: int) -> None:
    editor.pane.show_side("text")
    await editor.driver.wait_until(lambda: editor.pane.text.has_focus, "the text")
    editor.pane.text.move_cursor((row, column))
    await editor.driver.pause()


async def test_a_key_paints_the_row_that_it_changes_and_no_other(small: Path, painted: set[int]) -> None:
    row = SMALL_SDL.splitlines().index("          amount: 1000")
    async with sdl_editor(small) as editor:
        await typing_at(editor, row, len("          amount: 1000"))
        await editor.driver.press("1")
        await editor.ready()
        await editor.driver.pause()
        painted.clear()
        await editor.driver.press("2")
        await editor.ready()
        await editor.driver.pause()
        assert painted == {row}
        assert "amount: 100012" in editor.driver.text
        painted.clear()
        await editor.driver.press("up")
        await editor.driver.pause()
        assert painted == {row - 1, row}, "the cursor's line is another one"


async def test_rows_that_move_or_turn_to_text_are_painted_too(small: Path) -> None:
    async with sdl_editor(small) as editor:
        await typing_at(editor, 3, 0)
        await editor.driver.press("enter")
        await editor.ready()
        editor.driver.sees("5      image: nginx:1.27")
        await editor.type(1, len("services:"), " '")
        assert editor.pane.text.document.lines == editor.pane.desk.session.rows()
        for line in editor.text.splitlines()[:20]:
            editor.driver.sees(line.strip())


@pytest.mark.parametrize(
    ("line", "below"),
    [
        ("  web:", "    "), ("    env:", "      "), ("      - A=1", "      "), ("      - A=b: c", "        "),
        ("      - port: 80", "        "), ("      - |", "        "), ("    args: >-", "      "), ("    x: 1", "    "),
        ("- - a", ""), ("# note:", ""), ("  # x: |", "  "), ("", ""),
    ],
)  # fmt: skip
async def test_enter_begins_a_line_where_it_is_likely_to_begin(tmp_path: Path, line: str, below: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"{line}\n")
    async with sdl_editor(path) as editor:
        await typing_at(editor, 0, len(line))
        await editor.driver.press("enter", "x")
        assert editor.text.splitlines()[1] == f"{below}x"


def test_the_colors_of_a_row_do_not_depend_on_what_else_is_looked_at() -> None:
    whole = highlights(YamlLines(list(ROWS)), 0, len(ROWS))
    for first in range(60, 110, 7):
        part = highlights(YamlLines(list(ROWS)), first, first + 33)
        assert part == {row: whole[row] for row in part}
    header = ROWS.index("      - |")
    assert [name for _, _, name in whole[header]] == ["string", "punctuation.delimiter", "punctuation.delimiter"]
