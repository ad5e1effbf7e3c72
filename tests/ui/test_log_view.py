"""The log as somebody reads it: following, pausing, scrolling, while it grows."""

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from cockpit.widgets.log_view import LogStatus, LogView
from tests.ui.apps import LogApp, MemoryLog, lines_of

SIZE = (40, 10)


def numbered(first: int, count: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(first, first + count))


async def until_last_is(app: LogApp, pilot: Pilot[None], text: str) -> None:
    """Wait for the throttle to let the last lines through; the test's own timeout ends a wait in vain."""
    while lines_of(app.view)[-1] != text:
        await pilot.pause()


async def test_it_opens_at_the_end() -> None:
    app = LogApp(numbered(0, 1000))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert lines_of(app.view) == [f" line {number}"[1:] for number in range(990, 1000)]
        assert app.view.status == LogStatus(lines=1000, bytes=app.log_source.size, top=990, following=True)


async def test_an_empty_log_says_so() -> None:
    app = LogApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert lines_of(app.view)[0] == "no output yet"
        app.grow(b"first")
        await until_first_is(app, pilot, "first")


async def until_first_is(app: LogApp, pilot: Pilot[None], text: str) -> None:
    while lines_of(app.view)[0] != text:
        await pilot.pause()


async def test_it_follows_as_the_log_grows() -> None:
    app = LogApp(numbered(0, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.grow(numbered(100, 5))
        await until_last_is(app, pilot, "line 104")
        app.grow(b"half a li")
        await until_last_is(app, pilot, "half a li")
        app.grow(b"ne\n")
        await until_last_is(app, pilot, "half a line")
        app.grow(b"10%\r20%")
        await until_last_is(app, pilot, "20%")


@pytest.mark.parametrize("key", ["up", "pageup", "home", "p", "k", "g"])
async def test_a_key_pauses_and_the_lines_stay(key: str) -> None:
    app = LogApp(numbered(0, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert not app.view.following
        before = lines_of(app.view)
        app.grow(numbered(100, 50))
        while app.view.status.lines != 150:
            await pilot.pause()
        assert lines_of(app.view) == before
        await pilot.press("end")
        await until_last_is(app, pilot, "line 149")
        assert app.view.following


async def test_p_pauses_and_goes_on() -> None:
    app = LogApp(numbered(0, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("p")
        app.grow(numbered(100, 50))
        while app.view.status.lines != 150:
            await pilot.pause()
        assert lines_of(app.view)[-1] == "line 99"
        await pilot.press("p")
        await until_last_is(app, pilot, "line 149")


async def test_scrolling_by_keys_and_wheel() -> None:
    app = LogApp(numbered(0, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("home")
        await pilot.pause()
        assert lines_of(app.view)[0] == "line 0"
        await pilot.press("down", "pagedown")
        assert lines_of(app.view)[0] == "line 10"
        app.view.post_message(MouseScrollDown(app.view, 5, 5, 0, 1, 0, False, False, False))
        await pilot.pause()
        assert lines_of(app.view)[0] == "line 12"
        app.view.goto_line(50)
        await pilot.pause()
        assert lines_of(app.view)[3] == "line 50"
        app.view.goto_offset(app.log_source.data.index(b"line 77"))
        await pilot.pause()
        assert lines_of(app.view)[3] == "line 77"
        await pilot.press("G")
        assert app.view.following


async def test_who_wants_to_see_what_came_before_is_heard() -> None:
    app = LogApp(numbered(0, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("home")
        await pilot.pause()
        app.messages.clear()
        await pilot.press("up")
        app.view.post_message(MouseScrollUp(app.view, 5, 5, 0, -1, 0, False, False, False))
        await pilot.pause()
        assert [type(message) for message in app.messages].count(LogView.StartReached) == 2


async def test_growth_is_painted_a_few_times_a_second_only() -> None:
    app = LogApp(numbered(0, 100), rate=0.001)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.grow(b"one\n")
        app.grow(b"two\n")
        await pilot.pause()
        assert lines_of(app.view)[-1] == "one"


async def test_growth_repaints_the_line_that_grew() -> None:
    app = LogApp(numbered(0, 3))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        painted = dict(app.view._painted)
        app.grow(b"more")
        while app.view.status.lines != 4:
            await pilot.pause()
        await pilot.pause()
        assert {y for y, token in app.view._painted.items() if painted.get(y) != token} == {3}


async def test_long_lines_are_scrolled_along() -> None:
    app = LogApp(b"short\n" + b"0123456789" * 20 + b"\n")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        width = app.view.view_size.width
        assert lines_of(app.view)[1] == ("0123456789" * 20)[: width - 1] + "›"
        await pilot.press("right")
        assert lines_of(app.view)[1].startswith("‹")
        for _ in range(30):
            await pilot.press("right")
        line = lines_of(app.view)[1]
        assert line.endswith("789")
        assert line != "‹"
        for _ in range(30):
            await pilot.press("left")
        assert lines_of(app.view)[0] == "short"


async def test_a_log_that_is_replaced() -> None:
    app = LogApp(numbered(0, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("home")
        app.log_source.data = b"new\n"
        app.view.notify_grown()
        await until_first_is(app, pilot, "new")
        app.view.set_source(MemoryLog(numbered(0, 20)))
        await pilot.pause()
        assert lines_of(app.view)[-1] == "line 19"
        assert app.view.following


async def test_the_last_screen_is_there_before_all_lines_are_counted() -> None:
    app = LogApp(numbered(0, 2_000_000))
    async with app.run_test(size=SIZE) as pilot:
        first = lines_of(app.view)[-1]
        counted = app.view.status.lines
        assert first in ("", "line 1999999")
        while app.view.status.lines is None:
            await pilot.pause()
        await pilot.pause()
        assert counted in (0, None, 2_000_000)
        assert app.view.status.lines == 2_000_000
        assert lines_of(app.view)[-1] == "line 1999999"


async def test_who_leaves_the_end_early_gets_his_place() -> None:
    app = LogApp(numbered(0, 2_000_000))
    async with app.run_test(size=SIZE) as pilot:
        app.view.action_scroll_by(-1)
        await pilot.pause()
        assert lines_of(app.view)[-1] == "line 1999998"
        assert app.view.status.lines == 2_000_000


@pytest.mark.parametrize("size", [(20, 5), (300, 80), (1, 1)])
async def test_every_size(size: tuple[int, int]) -> None:
    app = LogApp("中文\x1b[31m\x1b[2J\r\n".encode() * 100)
    async with app.run_test(size=size) as pilot:
        await pilot.press("right", "pageup", "left", "end")
        for y in range(size[1]):
            assert app.view.render_line(y).cell_length == app.view.view_size.width


async def test_a_storm_of_resizes_stays_at_the_end() -> None:
    app = LogApp(numbered(0, 500))
    async with app.run_test(size=SIZE) as pilot:
        for width, height in [(20, 5), (300, 80), (33, 7), (80, 3), (120, 40), (80, 24)]:
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert lines_of(app.view)[-1] == "line 499"
            assert app.view.following


async def test_paused_stays_where_it_is_when_the_terminal_grows() -> None:
    app = LogApp(numbered(0, 500))
    async with app.run_test(size=SIZE) as pilot:
        app.view.goto_line(100)
        await pilot.pause()
        first = lines_of(app.view)[0]
        await pilot.resize_terminal(60, 30)
        await pilot.pause()
        assert lines_of(app.view)[0] == first
