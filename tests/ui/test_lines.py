"""Widgets of one line: the state line, the key hints, the filter."""

import pytest
from textual.app import App, ComposeResult
from textual.events import Paste
from textual.geometry import Region
from textual.message import Message

from cockpit.widgets.filter_bar import LONGEST, FilterBar
from cockpit.widgets.key_hints import Hint, KeyHints
from cockpit.widgets.state_line import Piece, StateLine, fitting
from tests.ui.apps import OneWidgetApp, lines_of

LEFT = (Piece("rayakash", "strong", 0), Piece("https://provider.example", priority=2), Piece("Ray 2.60.0", priority=3))
RIGHT = (Piece("TLS pinned", "warn"),)
HINTS = (Hint("⏎", "detail"), Hint("l", "log"), Hint("x", "stop", "stop"), Hint("?", "help", keep=True))


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (80, "rayakash   https://provider.example   Ray 2.60.0                    TLS pinned"),
        (55, "rayakash   https://provider.example        TLS pinned"),
        (30, "rayakash          TLS pinned"),
        (12, "rayakash"),
        (7, "raya…"),
        (2, ""),
    ],
)
async def test_the_least_important_pieces_go_first(width: int, text: str) -> None:
    app = OneWidgetApp(StateLine(LEFT, RIGHT))
    async with app.run_test(size=(width, 1)) as pilot:
        await pilot.pause()
        assert lines_of(app.widget) == [text]


async def test_equal_pieces_are_not_painted_again() -> None:
    class Counting(StateLine):
        painted = 0

        def refresh(
            self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
        ) -> "Counting":
            self.painted += 1
            super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
            return self

    line = Counting(LEFT)
    app = OneWidgetApp(line)
    async with app.run_test(size=(80, 1)) as pilot:
        await pilot.pause()
        line.painted = 0
        line.show(list(LEFT))
        assert line.painted == 0
        line.show(LEFT[:1])
        assert line.painted == 1
        assert line.text.strip() == "rayakash"


async def test_pieces_are_text_and_nothing_else() -> None:
    line = StateLine([Piece("[b]x[/b]\x1b[2J\n" + "y" * 10_000)])
    app = OneWidgetApp(line)
    async with app.run_test(size=(40, 2)) as pilot:
        await pilot.pause()
        assert line.text.startswith("[b]x[/b]\\x1b[2J\\x0ayyy")
        assert line.text.endswith("…")


def test_what_may_not_go_stays() -> None:
    assert fitting([10, 10, 10], [1, 0, 2], 23, 3) == [0, 1]
    assert fitting([10, 10, 10], [1, 0, 2], 5, 3) == [1]
    assert fitting([0, 10, 0], [0, 1, 0], 10, 3) == [1]


@pytest.mark.parametrize(
    ("width", "text"), [(60, "⏎ detail  l log  x stop  ? help"), (30, "⏎ detail  l log  ? help"), (11, "? help")]
)
async def test_as_many_hints_as_fit_and_help_always(width: int, text: str) -> None:
    app = OneWidgetApp(KeyHints(HINTS))
    async with app.run_test(size=(width, 1)) as pilot:
        await pilot.pause()
        assert lines_of(app.widget) == [text]


async def test_a_click_on_a_hint_is_its_key() -> None:
    pressed: list[Hint] = []

    class HintApp(OneWidgetApp):
        def on_key_hints_pressed(self, event: KeyHints.Pressed) -> None:
            pressed.append(event.hint)

    app = HintApp(KeyHints(HINTS))
    async with app.run_test(size=(60, 1)) as pilot:
        for x in (1, 8, 9, 11, 19, 50):
            await pilot.click(offset=(x, 0))
        await pilot.pause()
        assert [hint.key for hint in pressed] == ["⏎", "⏎", "l", "x"]
        assert isinstance(app.widget, KeyHints)
        app.widget.show([Hint("q", "quit")])
        await pilot.pause()
        assert lines_of(app.widget) == ["q quit"]


class FilterApp(App[None]):
    """One filter line."""

    def __init__(self) -> None:
        super().__init__()
        self.bar = FilterBar()
        self.told: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield self.bar

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        self.told.append(("changed", event.text))

    def on_filter_bar_submitted(self, event: FilterBar.Submitted) -> None:
        self.told.append(("submitted", event.text))

    def on_filter_bar_cancelled(self, event: FilterBar.Cancelled) -> None:
        self.told.append(("cancelled", event.text))

    def on_input_changed(self, event: Message) -> None:
        self.told.append(("the input's own message", repr(event)))


async def test_each_key_is_told_and_enter_keeps_it() -> None:
    app = FilterApp()
    async with app.run_test(size=(60, 3)) as pilot:
        app.bar.open("a")
        await pilot.press("b", "backspace", "c", "enter")
        await pilot.pause()
        assert app.told == [("changed", "ab"), ("changed", "a"), ("changed", "ac"), ("submitted", "ac")]


async def test_escape_brings_back_what_was_there() -> None:
    app = FilterApp()
    async with app.run_test(size=(60, 3)) as pilot:
        app.bar.open("train")
        await pilot.press("x", "escape")
        await pilot.pause()
        assert app.told == [("changed", "trainx"), ("cancelled", "train")]


async def test_earlier_filters_are_recalled() -> None:
    app = FilterApp()
    async with app.run_test(size=(60, 3)) as pilot:
        for text in ("one", "two", "one"):
            app.bar.open(text)
            await pilot.press("enter")
        app.bar.open()
        seen = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            seen.append(app.bar.text)
        assert seen == ["one", "two", "two", "one", "", ""]


async def test_a_paste_of_a_megabyte_is_cut() -> None:
    app = FilterApp()
    async with app.run_test(size=(60, 3)) as pilot:
        app.bar.open()
        app.bar.query_one("LineInput").post_message(Paste("x" * 1_000_000 + "\nsecond line"))
        await pilot.pause()
        assert len(app.bar.text) <= LONGEST


async def test_it_says_what_came_of_it() -> None:
    app = FilterApp()
    async with app.run_test(size=(60, 3)) as pilot:
        app.bar.open("[b]train[/b]")
        app.bar.result("12 of 212")
        await pilot.pause()
        shown = app.bar.query_one(StateLine).text
        assert shown.strip() == "12 of 212"
        assert app.bar.query_one("LineInput").render_line(0).text.startswith("[b]train[/b]")
