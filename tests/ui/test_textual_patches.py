"""When each patch of Textual can go: as soon as its test here fails, plain Textual does by itself what the patch does.

Each test shows the fault in a plain app. What the patches make of it is tested where they are used.
"""

import inspect

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.events import Key
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input, Static

from cockpit.textual_patches.terminal_app import TerminalApp
from cockpit.textual_patches.terminal_changes import TerminalChanges


class Plain(App[None]):
    """A line to type into opens at a key, as the filter of a table does."""

    BINDINGS = [Binding("slash", "open")]  # noqa: RUF012 - as Textual declares it

    def compose(self) -> ComposeResult:
        line = Input()
        line.display = False
        yield Static("rows")
        yield line

    def action_open(self) -> None:
        line = self.query_one(Input)
        line.display = True
        line.focus()


async def test_key_order_can_go_once_keys_wait_for_what_the_one_before_them_does() -> None:
    app = Plain()
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app._driver is not None
        for key, character in (("slash", "/"), ("a", "a"), ("b", "b")):
            app._driver.send_message(Key(key, character))
        await pilot.pause()
        await pilot.pause()
        assert app.query_one(Input).value != "ab", "cockpit/textual_patches/key_order.py can go"


def _strip(text: str) -> Strip:
    return Strip([Segment(text, Style.parse("#d8dce0 on #12161a"))])


def test_terminal_changes_can_go_once_textual_writes_only_cells_that_changed() -> None:
    console, changes = Console(color_system="truecolor"), TerminalChanges()
    before = ChopsUpdate([{0: _strip("x" * 100)}], [(0, 0, 100)], [[100]])
    after = ChopsUpdate([{0: _strip("x" * 99 + "y")}], [(0, 0, 100)], [[100]])
    changes.smaller(before).render_segments(console)
    ours = changes.smaller(after).render_segments(console)
    assert len(after.render_segments(console)) > 2 * len(ours), "cockpit/textual_patches/terminal_changes.py can go"


def test_terminal_app_can_go_once_textual_suspends_the_whole_group_and_prints_no_variables() -> None:
    """Of its parts: a process group that `fg` brings back, and tracebacks without the values of variables."""
    assert "killpg" not in inspect.getsource(App.action_suspend_process)
    assert "show_locals=True" in inspect.getsource(App._fatal_error)


class First(Screen[None]):
    """The screen of a mode."""


class Moded(TerminalApp):
    """An app with one mode, which it begins in."""

    MODES = {"first": First}  # noqa: RUF012 - as Textual declares it

    def __init__(self) -> None:
        super().__init__()
        self.begin_in("first")


async def test_no_screen_is_made_before_that_of_the_first_mode() -> None:
    app = Moded()
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.current_mode == "first"
        assert list(app._screen_stacks) == ["first"]
        assert [type(screen) for screen in app.screen_stack] == [First]
