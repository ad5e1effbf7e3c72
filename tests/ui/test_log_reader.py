"""The log as somebody looks for something in it: search, filter, errors, marks, wrapping, JSON."""

import asyncio
import time
from collections.abc import Callable
from itertools import count

import pytest
from textual.events import MouseMove
from textual.pilot import Pilot

from cockpit.render.log_query import Query
from cockpit.widgets.later import after
from cockpit.widgets.log_reader import FindStatus, LogReader, Sieve
from tests.ui.apps import MemoryLog, OneWidgetApp, lines_of

SIZE = (40, 10)
PATIENCE = 120.0
NEVER_ENDS = Query("(a+)+$")
TRAP = b"a" * 60 + b"b\n"


class ReaderApp(OneWidgetApp):
    """One log to read, in memory."""

    def __init__(self, data: bytes = b"") -> None:
        self.log_source = MemoryLog(data)
        self.view = LogReader(self.log_source, repaints_per_second=1000)
        self.copied: list[str] = []
        super().__init__(self.view)

    def on_mount(self) -> None:
        """Keys go to the log."""
        self.view.focus()

    def grow(self, data: bytes) -> None:
        """More of the log has come."""
        self.log_source.data += data
        self.view.notify_grown()


def numbered(first: int, count: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(first, first + count))


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait for the other process."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await pilot.pause(0.005)


async def searched(app: ReaderApp, pilot: Pilot[None], text: str) -> FindStatus:
    app.view.search(Query(text))
    await until(pilot, lambda: app.view.find_status.query == Query(text) and app.view.find_status.progress is None)
    await pilot.pause()
    return app.view.find_status


async def sifted(app: ReaderApp, pilot: Pilot[None], sieve: Sieve | None) -> list[str]:
    app.view.sift(sieve)
    await until(pilot, lambda: app.view.find_status.sieve == sieve and app.view.find_status.progress is None)
    await pilot.pause()
    return [line for line in lines_of(app.view) if line]


async def test_a_search_keeps_all_lines_and_goes_to_what_is_nearest() -> None:
    app = ReaderApp(numbered(0, 1000))
    async with app.run_test(size=SIZE) as pilot:
        status = await searched(app, pilot, "line 5.5$")
        assert (status.hits, status.position) == (10, 10)
        assert "line 595" in lines_of(app.view)
        assert not app.view.following
        app.view.next_hit(-1)
        await until(pilot, lambda: app.view.find_status.position == 9)
        assert "line 585" in lines_of(app.view)
        assert "line 584" in lines_of(app.view)
        app.view.next_hit(1)
        app.view.next_hit(1)
        await until(pilot, lambda: app.view.find_status.position == 1)
        assert app.view.find_status.has_turned
        assert "line 505" in lines_of(app.view)
        await pilot.press("escape")
        await pilot.pause()
        assert app.view.find_status == FindStatus()


async def test_what_is_on_the_screen_is_shown_where_it_is_while_the_log_goes_on() -> None:
    app = ReaderApp(numbered(0, 100))
    async with app.run_test(size=SIZE) as pilot:
        await searched(app, pilot, "line 95")
        assert lines_of(app.view)[-1] == "line 99"
        assert app.view.following
        app.grow(b"line 95 again\n")
        await until(pilot, lambda: app.view.find_status.hits == 2)


async def test_matches_are_marked_on_the_screen() -> None:
    app = ReaderApp("中a\tfoo boo\x1b[31m oo\n".encode())
    async with app.run_test(size=SIZE) as pilot:
        await searched(app, pilot, "o+")
        ink = app.view.get_component_rich_style("log-view--found-now").bgcolor

        def marked() -> str:
            strip = app.view.render_line(0)
            return "|".join(segment.text for segment in strip if segment.style and segment.style.bgcolor == ink)

        await until(pilot, lambda: marked() == "oo|oo|oo")


async def test_a_filter_leaves_lines_out_with_as_many_around_as_one_likes() -> None:
    app = ReaderApp(numbered(0, 100))
    async with app.run_test(size=SIZE) as pilot:
        assert await sifted(app, pilot, Sieve(Query("50$"))) == ["line 50"]
        assert await sifted(app, pilot, Sieve(Query("50$"), context=2)) == [f"line {n}" for n in range(48, 53)]
        assert app.view.find_status.shown == 5
        assert await sifted(app, pilot, Sieve(Query("[0-8]$"), inverse=True)) == [
            f"line {n}9" for n in ("", *range(1, 10))
        ]
        assert await sifted(app, pilot, Sieve(Query("nothing"))) == ["no line passes the filter"]
        app.grow(b"nothing new\n")
        await until(pilot, lambda: lines_of(app.view)[0] == "nothing new")
        await pilot.press("escape")
        await pilot.pause()
        assert lines_of(app.view)[-1] == "nothing new"
        assert app.view.find_status == FindStatus()


async def test_a_filter_keeps_the_place() -> None:
    app = ReaderApp(numbered(0, 1000))
    async with app.run_test(size=SIZE) as pilot:
        app.view.goto_line(503)
        await pilot.pause()
        assert lines_of(app.view)[0] == "line 500"
        assert (await sifted(app, pilot, Sieve(Query("0$"))))[:2] == ["line 500", "line 510"]
        await sifted(app, pilot, None)
        assert lines_of(app.view)[0] == "line 500"


async def test_a_search_passes_over_what_the_filter_leaves_out() -> None:
    app = ReaderApp(numbered(0, 100))
    async with app.run_test(size=SIZE) as pilot:
        await sifted(app, pilot, Sieve(Query("5$")))
        status = await searched(app, pilot, "line [45]")
        assert status.hits == 3  # 5, 45, 55
        seen = set()
        for _ in range(3):
            app.view.next_hit(1)
            await pilot.pause()
            seen.add(app.view._now)
        assert seen == {5, 45, 55}


async def test_a_search_that_never_ends_holds_no_key_and_is_given_up() -> None:
    app = ReaderApp(numbered(0, 100) + TRAP * 20 + b"aaa\n")
    async with app.run_test(size=SIZE) as pilot:
        app.view.search(NEVER_ENDS)
        await pilot.press("home", "down", "down")
        assert lines_of(app.view)[0] == "line 2"
        await until(pilot, lambda: app.view.find_status.progress is not None)
        await pilot.press("escape")
        await until(pilot, lambda: app.view.find_status == FindStatus())
        assert (await searched(app, pilot, "aaa$")).hits == 1


async def test_what_is_no_regex_is_told() -> None:
    app = ReaderApp(numbered(0, 10))
    async with app.run_test(size=SIZE) as pilot:
        app.view.search(Query("("))
        await until(pilot, lambda: "unterminated" in app.view.find_status.error)
        app.view.sift(Sieve(Query("[")))
        await until(pilot, lambda: "unterminated" in app.view.find_status.sieve_error)
        assert lines_of(app.view)[0] == "line 0"


ERRORS = [
    b"2026-01-01 12:00:00,123 ERROR worker.py:1 -- gone",
    b"Traceback (most recent call last):",
    b"ValueError: no",
    b"(train pid=12) torch.OutOfMemoryError: CUDA out of memory",
    b"[2026-01-01 12:00:00,123 E 47 48] core.cc:1: lost",
    b'{"level": "error", "message": "x"}',
    b"\x1b[31mFATAL\x1b[0m it",
]


@pytest.mark.parametrize("error", ERRORS)
async def test_from_error_to_error(error: bytes) -> None:
    app = ReaderApp(
        numbered(0, 50) + error + b"\n" + numbered(51, 20) + error + b"\nerror_rate=0 no terrors\n" + numbered(73, 30)
    )
    async with app.run_test(size=SIZE) as pilot:
        for step, line in [(-1, 71), (-1, 50), (1, 71), (1, 50)]:
            app.view.next_error(step)
            await until(pilot, lambda line=line: app.view._now == line)  # type: ignore[misc]
            assert line in app.view._numbers


async def test_long_lines_are_wrapped() -> None:
    app = ReaderApp(numbered(0, 50) + b"0123456789" * 10 + b"\n" + numbered(51, 2))
    async with app.run_test(size=SIZE) as pilot:
        app.view.set_layout(wrapped=True)
        await pilot.pause()
        width = app.view.view_size.width
        text = "0123456789" * 10
        parts = [text[at : at + width] for at in range(0, 100, width)]
        assert lines_of(app.view)[-5:] == [*parts, "line 51", "line 52"]
        await pilot.press("up")
        assert lines_of(app.view)[-4:] == [*parts, "line 51"]
        await pilot.press("up", "up")
        assert lines_of(app.view)[-2:] == parts[:2]
        assert not app.view.following
        await pilot.press("down", "down")
        assert lines_of(app.view)[-1] == "line 51"
        await pilot.press("pageup", "pageup", "pagedown", "home")
        assert lines_of(app.view)[0] == "line 0"
        await pilot.press("end")
        assert lines_of(app.view)[-1] == "line 52"
        app.grow(b"x" * 500 + b"\n")
        await until(pilot, lambda: lines_of(app.view)[-1].startswith("xxx"))
        app.view.set_layout(wrapped=False)
        await pilot.pause()
        assert lines_of(app.view)[-2] == "line 52"


async def test_wide_characters_are_wrapped_whole() -> None:
    app = ReaderApp(("中" * 50).encode() + b"\n")
    async with app.run_test(size=(12, 10)) as pilot:
        app.view.set_layout(wrapped=True)
        await pilot.pause()
        shown = [line for line in lines_of(app.view) if line]
        assert "".join(shown) == "中" * 50
        assert all(app.view.render_line(y).cell_length == app.view.view_size.width for y in range(10))


async def test_json_is_laid_out_and_back() -> None:
    app = ReaderApp(b'(pid=7) {"level": "info", "n": [1]}\nplain {x}\n[]\n')
    async with app.run_test(size=SIZE) as pilot:
        app.view.set_layout(pretty=True)
        await pilot.pause()
        assert lines_of(app.view)[:9] == [
            "(pid=7)", "{", '  "level": "info",', '  "n": [', "    1", "  ]", "}", "plain {x}", "[]",
        ]  # fmt: skip
        await searched(app, pilot, "info")
        app.view.set_layout(pretty=False)
        await pilot.pause()
        assert lines_of(app.view)[0] == '(pid=7) {"level": "info", "n": [1]}'[: app.view.view_size.width]


async def test_lines_are_marked_and_taken() -> None:
    app = ReaderApp(numbered(0, 97) + b"\x1b[31mred\x1b[0m\n10%\r20%\n\xff\n")
    async with app.run_test(size=SIZE) as pilot:
        app.view.action_mark_lines()
        await pilot.press("up", "up")
        await pilot.pause()
        assert app.view.find_status.marked == 3
        assert app.view.chosen_text() == ("red\n20%\n\\xff", 3)
        await pilot.press("home")
        assert app.view.chosen_text() == ("\n".join([*(f"line {n}" for n in range(97)), "red", "20%", "\\xff"]), 100)
        assert lines_of(app.view)[0] == "line 0"
        await pilot.press("escape")
        assert not app.view.is_marking
        assert app.view.chosen_text() == ("\n".join(f"line {n}" for n in range(10)), 10)


async def test_what_is_too_much_for_a_clipboard_is_not_taken() -> None:
    app = ReaderApp(numbered(0, 50_000))
    async with app.run_test(size=SIZE) as pilot:
        app.view.action_mark_lines()
        await pilot.press("home")
        assert app.view.chosen_text() is None


async def test_the_mouse_marks_lines() -> None:
    app = ReaderApp(numbered(0, 100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await pilot.mouse_down(offset=(3, 2))
        app.view.post_message(MouseMove(app.view, 3, 4, 0, 2, 1, False, False, False))
        await pilot.pause()
        assert app.view.find_status.marked == 3
        assert app.view.chosen_text() == ("line 92\nline 93\nline 94", 3)
        app.view.post_message(MouseMove(app.view, 3, 6, 0, 2, 0, False, False, False))
        await pilot.pause()
        assert app.view.find_status.marked == 3


async def test_a_process_that_is_held_up_goes_on_to_show_what_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    app = ReaderApp(b"zero\n")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        # As if it stood still for longer than it may rest whenever Textual looks at its clock.
        held_up = count(0.0, 0.005)
        monkeypatch.setattr("textual._time.get_time", lambda: time.monotonic() + next(held_up))
        app.grow(b"one\n")
        app.grow(b"two\n")
        await until(pilot, lambda: "two" in lines_of(app.view))


async def test_what_is_due_can_still_be_taken_back() -> None:
    app = ReaderApp()
    done: list[str] = []
    async with app.run_test(size=SIZE) as pilot:
        kept = after(0.0, app.view, lambda: done.append("kept"))
        taken_back = after(0.0, app.view, lambda: done.append("taken back"))
        asyncio.get_running_loop().call_later(0.0, taken_back.cancel)  # when it is on its way to the log already
        await until(pilot, lambda: bool(done))
        await pilot.pause()
        assert done == ["kept"]
        assert not kept.cancelled()


async def test_search_and_filter_go_on_in_another_log() -> None:
    app = ReaderApp(numbered(0, 100))
    async with app.run_test(size=SIZE) as pilot:
        await sifted(app, pilot, Sieve(Query("5$")))
        await searched(app, pilot, "line 9")
        app.view.set_source(MemoryLog(numbered(900, 20)))
        await until(pilot, lambda: app.view.find_status.shown == 2 and app.view.find_status.progress is None)
        assert [line for line in lines_of(app.view) if line] == ["line 905", "line 915"]
        app.view.rest()
        app.view.resume()
        await until(pilot, lambda: app.view.find_status.hits == 2)


HOSTILE = [
    b"x" * 50_000_000,
    b"\x00" * 100_000,
    b"\xff\xfe" * 50_000,
    b"5%\r" * 200_000,
    b"\x1b[31m\x1b[2J" * 50_000,
    "中".encode() * 100_000,
]


@pytest.mark.parametrize("line", HOSTILE, ids=["endless", "nul", "no utf-8", "only cr", "escapes", "wide"])
async def test_hostile_lines_are_shown_wrapped_searched_and_left(line: bytes) -> None:
    app = ReaderApp(b"before\n" + line + b"\nafter\n" + line)
    async with app.run_test(size=SIZE) as pilot:
        for wrapped in (False, True):
            app.view.set_layout(wrapped=wrapped, pretty=wrapped)
            await pilot.press("home", "pagedown", "up", "end")
            for y in range(SIZE[1]):
                strip = app.view.render_line(y)
                assert strip.cell_length == app.view.view_size.width
                assert not any(ord(character) < 32 for character in strip.text)
        assert (await searched(app, pilot, "^after$")).hits == 1
        await sifted(app, pilot, Sieve(Query("fore|afte")))
        assert app.view.find_status.shown == 2
