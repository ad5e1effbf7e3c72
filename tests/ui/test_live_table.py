"""The table as somebody uses it: what is on the screen, what is repainted, keys, mouse, sizes."""

import unicodedata

import pytest
from rich.cells import cell_len
from textual.events import MouseScrollDown
from textual.message import Message
from textual.pilot import Pilot

from cockpit.render.table import Arrangement, Cell, Column, Row, Sort
from cockpit.widgets.live_table import LiveTable
from cockpit.widgets.table.state import Counts, Phase
from tests.ui.apps import TableApp, lines_of, row, rows

SIZE = (70, 12)
PAGE = SIZE[1] - 2


def told(app: TableApp, kind: type[Message]) -> list[Message]:
    return [message for message in app.messages if type(message) is kind]


def shown_keys(app: TableApp) -> list[str]:
    """The keys on the screen, read from it."""
    table = app.table
    lines = lines_of(table)[1 : 1 + table.page_height]
    return [line[2:].split()[0] for line in lines if line[2:].strip()]


async def settle(app: TableApp, pilot: Pilot[None]) -> None:
    """Until everything is painted; then count anew."""
    await pilot.pause()
    app.table.repainted.clear()
    app.messages.clear()


# What is on the screen


async def test_titles_rows_and_counts() -> None:
    app = TableApp(given=rows(3))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        lines = lines_of(app.table)
        assert lines[0] == "   ID    STATE     COMMAND     SIZE  NOTE"
        assert lines[1] == "▌  r0    ok        run r0         1  note"
        assert lines[2] == "   r1    ok        run r1         1  note"
        assert lines[-1].endswith("3 rows")


async def test_unknown_is_a_dash() -> None:
    app = TableApp(given=[Row("a", ("a", None))])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert lines_of(app.table)[1].split() == ["▌", "a", "–", "–", "–", "–"]


@pytest.mark.parametrize(
    ("phase", "sentence", "said"),
    [
        (Phase.READY, "", "no jobs yet"),
        (Phase.LOADING, "asking lab-h100", "◌ asking lab-h100"),
        (Phase.FAILED, "it did not answer", "✖ it did not answer"),
        (Phase.LOADING, "", "loading"),
    ],
)
async def test_a_sentence_stands_where_there_are_no_rows(phase: Phase, sentence: str, said: str) -> None:
    app = TableApp()
    async with app.run_test(size=SIZE) as pilot:
        app.table.empty_sentence = "no jobs yet"
        app.table.set_state(phase, sentence)
        await pilot.pause()
        assert lines_of(app.table)[2].strip() == said


async def test_stale_rows_stay_and_are_dim() -> None:
    app = TableApp(given=[Row("a", (Cell("a", "error"), "ok"))])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        fresh = {segment.style for segment in app.table.render_line(1)}
        app.table.set_state(Phase.STALE, "stale 48 s")
        await pilot.pause()
        stale = {segment.style for segment in app.table.render_line(1)}
        assert len(stale) < len(fresh)
        lines = lines_of(app.table)
        assert lines[1].startswith("▌  a")
        assert lines[-1].split("  ")[0].strip() == ""
        assert "◌ stale 48 s" in lines[-1]
        assert lines[-1].endswith("1 row")


async def test_hostile_text_neither_drives_the_terminal_nor_breaks_the_line() -> None:
    hostile = "\x1b[31m[bold]x[/bold]\x07\r\n\t\u202e中文 e\u0301 שלום 👩\u200d💻🇩🇪" + "\x9b2J" * 3000 + "\u0301" * 5000
    app = TableApp(given=[Row("a", (hostile,) * 6), Row("b", (hostile[::-1],) * 6)])
    async with app.run_test(size=SIZE) as pilot:
        app.table.set_state(Phase.FAILED, hostile)
        for text in ("", "x", hostile[:40], "/(" + hostile[:20]):
            app.table.filter = text
            await pilot.pause()
            for y in range(SIZE[1]):
                strip = app.table.render_line(y)
                assert cell_len(strip.text) == strip.cell_length == app.table.view_size.width
                assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in strip.text)
        assert app.table.cell_text("id", "a") == hostile


async def test_markup_is_text() -> None:
    app = TableApp(given=[row("a", "[b]a[/b]")])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "[b]a[/b]" in lines_of(app.table)[1]


# What is repainted


async def test_equal_rows_repaint_nothing() -> None:
    app = TableApp(given=rows(100))
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        app.table.set_rows(rows(100))
        app.table.set_state(Phase.READY)
        await pilot.pause()
        assert app.table.repainted == []
        assert app.messages == []


async def test_a_changed_row_repaints_its_line() -> None:
    app = TableApp(given=rows(100))
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        changed = rows(100)
        changed[4] = row("r4", "r4", "gone")
        changed[50] = row("r50", "r50", "gone")
        app.table.set_rows(changed)
        await pilot.pause()
        assert app.table.repainted == [5]
        assert "gone" in lines_of(app.table)[5]


async def test_a_row_more_below_the_screen_repaints_only_the_count() -> None:
    app = TableApp(given=rows(500))
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        app.table.set_rows(rows(501))
        await pilot.pause()
        assert app.table.repainted == [SIZE[1] - 1]


async def test_moving_the_cursor_repaints_two_lines() -> None:
    app = TableApp(given=rows(100))
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("down")
        await pilot.pause()
        assert app.table.repainted == [1, 2]


async def test_another_theme_repaints_everything_in_its_colors() -> None:
    app = TableApp(given=rows(3))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        before = [segment.style for segment in app.table.render_line(1)]
        app.theme = "textual-light"
        await pilot.pause()
        assert [segment.style for segment in app.table.render_line(1)] != before


# The cursor


async def test_the_row_under_the_eye_stays_where_it_is() -> None:
    app = TableApp(given=rows(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(*["down"] * 30)
        await pilot.pause()
        before = shown_keys(app)
        app.table.set_rows([row("new"), *rows(100)])
        await pilot.pause()
        assert shown_keys(app) == before
        assert app.table.row_key == "r30"
        app.table.set_rows(rows(100)[20:])
        await pilot.pause()
        assert shown_keys(app) == before
        assert app.table.row_key == "r30"


async def test_at_the_top_new_rows_are_seen() -> None:
    app = TableApp(given=rows(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.table.set_rows([row("new"), *rows(100)])
        await pilot.pause()
        assert shown_keys(app)[:2] == ["new", "r0"]
        assert app.table.row_key == "r0"


async def test_somebody_who_has_scrolled_away_stays_there() -> None:
    app = TableApp(given=rows(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.table.scroll_lines_to(50)
        await pilot.pause()
        before = shown_keys(app)
        app.table.set_rows([row("new"), *rows(100)])
        await pilot.pause()
        assert shown_keys(app) == before


async def test_the_cursor_s_row_goes_and_the_next_is_told() -> None:
    app = TableApp(given=rows(5))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("down")
        await settle(app, pilot)
        app.table.set_rows([one for one in rows(5) if one.key != "r1"])
        await pilot.pause()
        assert told(app, LiveTable.RowHighlighted) == [LiveTable.RowHighlighted(app.table, "r2")]
        app.table.set_rows([])
        await pilot.pause()
        assert app.table.row_key is None
        await pilot.press("down", "enter", "space", "shift+down", "v", "end", "pageup", "o", "asterisk")
        app.table.set_rows(rows(2))
        await pilot.pause()
        assert app.table.row_key == "r0"


async def test_pages_and_ends() -> None:
    app = TableApp(given=rows(100))
    async with app.run_test(size=SIZE) as pilot:
        keys = []
        for key in ("pagedown", "pagedown", "pageup", "end", "down", "home", "up", "G", "g", "j", "k"):
            await pilot.press(key)
            keys.append(app.table.row_key)
        assert keys == ["r10", "r20", "r10", "r99", "r99", "r0", "r0", "r99", "r0", "r1", "r0"]
        assert app.table.move_to("r70")
        await pilot.pause()
        assert "r70" in shown_keys(app)
        assert not app.table.move_to("nobody")


# Marks


async def test_marks_with_space_ranges_and_all() -> None:
    app = TableApp(given=rows(20))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("space", "down", "shift+down", "shift+down")
        assert app.table.marked_keys == ["r0", "r1", "r2", "r3"]
        await pilot.press("shift+up")
        assert app.table.marked_keys == ["r0", "r1", "r2"]
        await pilot.press("down", "down", "v", "down", "down")
        assert app.table.marked_keys == ["r0", "r1", "r2", "r4", "r5", "r6"]
        await pilot.press("v", "down")
        assert app.table.marked_keys == ["r0", "r1", "r2", "r4", "r5", "r6"]
        assert lines_of(app.table)[7].startswith(" * r6")
        assert lines_of(app.table)[-1].endswith("20 rows · 6 marked")
        await pilot.press("asterisk")
        assert len(app.table.marked_keys) == 20
        await pilot.press("asterisk")
        assert app.table.chosen_keys == ["r7"]


async def test_marks_follow_their_keys_and_go_with_their_rows() -> None:
    app = TableApp(given=rows(5))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("space", "end", "space")
        app.table.sort_by("id", descending=True)
        app.table.filter = "r4"
        assert app.table.marked_keys == ["r4"]
        app.table.filter = ""
        assert app.table.marked_keys == ["r4"]
        await pilot.press("home", "down", "space")
        app.table.set_rows(rows(4))
        await pilot.pause()
        assert app.table.marked_keys == ["r3"]
        assert told(app, LiveTable.MarksChanged)[-1] == LiveTable.MarksChanged(app.table, frozenset({"r3"}))


async def test_escape_closes_range_filter_and_marks_one_at_a_time() -> None:
    app = TableApp(given=rows(5))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("v", "down", "escape")
        assert app.escapes == 0
        await pilot.press("down")
        assert app.table.marked_keys == ["r0", "r1"]
        app.table.filter = "r"
        await pilot.press("escape")
        assert (app.table.filter, app.table.marked_keys, app.escapes) == ("", ["r0", "r1"], 0)
        await pilot.press("escape")
        assert (app.table.marked_keys, app.escapes) == ([], 0)
        await pilot.press("escape")
        assert app.escapes == 1


# Filter


async def test_a_filter_is_never_invisible() -> None:
    app = TableApp(given=rows(100))
    async with app.run_test(size=SIZE) as pilot:
        app.table.filter = "r1"
        await pilot.pause()
        assert shown_keys(app)[:3] == ["r1", "r10", "r11"]
        assert lines_of(app.table)[-1].endswith("/r1 · 11 of 100 rows")
        app.table.filter = "nothing like it"
        await pilot.pause()
        assert lines_of(app.table)[2].strip() == "none of 100 rows passes the filter"


async def test_a_bad_regex_says_so_and_changes_nothing() -> None:
    app = TableApp(given=rows(100))
    async with app.run_test(size=SIZE) as pilot:
        app.table.filter = "/r1$"
        app.table.filter = "/r1$("
        await pilot.pause()
        assert shown_keys(app) == ["r1"]
        assert "✖ filter: no regex" in lines_of(app.table)[-1]
        assert app.table.filter_error
        app.table.set_rows(rows(2))
        app.table.filter = ""
        app.table.recall_filter()
        assert app.table.filter == "/r1$"
        assert app.table.filter_error == ""


async def test_rows_come_through_a_regex_that_has_become_too_slow() -> None:
    app = TableApp(given=[row("a", "x")])
    async with app.run_test(size=SIZE) as pilot:
        app.table.filter = "/(a+)+$"
        app.table.set_rows([row("a", "a" * 60 + "b"), row("b", "y")])
        await pilot.pause()
        assert app.table.shown_keys == ["a", "b"]
        assert app.table.filter_error == "too slow a regex"


async def test_the_filter_sees_changes_and_only_chosen_columns() -> None:
    app = TableApp(given=[row("a", "a", "ok", "run", "1", "note", "hush"), row("b", "b")])
    async with app.run_test(size=SIZE):
        app.table.filter = "hush"
        assert app.table.shown_keys == []
        app.table.show_column("secret")
        assert app.table.shown_keys == ["a"]
        app.table.set_rows([row("a", "a"), row("b", "b", "ok", "run", "1", "note", "hush")])
        assert app.table.shown_keys == ["b"]
        assert app.table.counts == Counts(1, 2, 0)


# Order and columns


async def test_sorting_by_keys() -> None:
    given = [row("a", "a", "ok", "run", "10"), row("b", "b", "ok", "run", "9"), row("c", "c", "ok", "run", None)]
    app = TableApp(given=given)
    async with app.run_test(size=SIZE) as pilot:
        app.table.sort_by("size")
        assert app.table.shown_keys == ["b", "a", "c"]
        await pilot.press("O")
        assert app.table.shown_keys == ["a", "b", "c"]
        assert lines_of(app.table)[0].endswith("SIZE▼ NOTE")
        for _ in range(3):
            await pilot.press("o")
        assert app.table.sort == Sort("id")
        await settle(app, pilot)
        app.table.sort_by(None)
        await pilot.pause()
        assert told(app, LiveTable.SortChanged) == [LiveTable.SortChanged(app.table, None)]
        app.table.sort_by("no such column")
        assert app.table.shown_keys == ["a", "b", "c"]


async def test_sorting_by_the_mouse() -> None:
    app = TableApp(given=rows(3))
    async with app.run_test(size=SIZE) as pilot:
        sorts = []
        for x in (4, 4, 4, 11):
            await pilot.click(offset=(x, 0))
            sorts.append(app.table.sort)
        assert sorts == [Sort("id"), Sort("id", True), None, Sort("state")]


async def test_what_the_user_arranges_is_told_and_can_be_given_back() -> None:
    app = TableApp(given=rows(3))
    async with app.run_test(size=SIZE) as pilot:
        app.table.move_column("size", -10)
        app.table.show_column("note", False)
        app.table.sort_by("id")
        await pilot.pause()
        saved = told(app, LiveTable.ArrangementChanged)[-1]
        assert isinstance(saved, LiveTable.ArrangementChanged)
        assert lines_of(app.table)[0] == "   SIZE  ID▲   STATE     COMMAND"
    other = TableApp(given=rows(3))
    async with other.run_test(size=SIZE) as pilot:
        other.table.arrangement = saved.arrangement
        await pilot.pause()
        assert lines_of(other.table)[0] == "   SIZE  ID▲   STATE     COMMAND"
        other.table.arrangement = Arrangement(order=("gone",), hidden=("gone",), sort=Sort("gone"))
        await pilot.pause()
        assert lines_of(other.table)[0].split() == ["ID", "STATE", "COMMAND", "SIZE", "NOTE", "SECRET"]


async def test_wide_columns_scroll_beside_the_first() -> None:
    app = TableApp(given=[row("a", "a", "ok", "x" * 60, "1", "y" * 30)])
    async with app.run_test(size=(50, 12)) as pilot:
        await pilot.pause()
        assert lines_of(app.table)[-1].endswith("+1 column")
        await pilot.press("w", "right")
        assert lines_of(app.table)[1].startswith("▌  a     xxxx")
        await pilot.press("right", "right", "right", "right")
        line = lines_of(app.table)[1]
        assert line.startswith("▌  a     ")
        assert line.endswith("y" * 30)
        await pilot.press("left")
        assert "y" * 30 not in lines_of(app.table)[1]
        await pilot.press("w")
        assert lines_of(app.table)[1].startswith("▌  a     ok")


# The mouse


async def test_clicks() -> None:
    app = TableApp(given=rows(20))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.click(offset=(5, 3))
        assert app.table.row_key == "r2"
        await pilot.click(offset=(5, 5))
        assert app.table.row_key == "r4"
        await pilot.pause()
        assert told(app, LiveTable.RowSelected) == []
        await pilot.click(offset=(5, 5))
        await pilot.pause()
        assert told(app, LiveTable.RowSelected) == [LiveTable.RowSelected(app.table, "r4")]
        await pilot.click(offset=(5, 2), control=True)
        assert app.table.marked_keys == ["r1"]
        await pilot.click(offset=(5, 4), shift=True)
        assert app.table.marked_keys == ["r1", "r2", "r3"]
        await pilot.click(offset=(5, SIZE[1] - 1))
        assert app.table.row_key == "r3"


async def test_the_wheel_scrolls_and_leaves_the_cursor() -> None:
    app = TableApp(given=rows(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.table.post_message(MouseScrollDown(app.table, 5, 5, 0, 1, 0, False, False, False))
        await pilot.pause()
        assert app.table.top == 2
        assert app.table.row_key == "r0"
        await pilot.press("down")
        assert app.table.row_key == "r1"
        assert shown_keys(app)[0] == "r1"


async def test_enter_opens_the_row() -> None:
    app = TableApp(given=rows(3))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("down", "enter")
        await pilot.pause()
        assert told(app, LiveTable.RowSelected) == [LiveTable.RowSelected(app.table, "r1")]


# Sizes


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (300, 80), (1, 1), (4, 3)])
async def test_every_size(size: tuple[int, int]) -> None:
    app = TableApp(given=rows(200))
    async with app.run_test(size=size) as pilot:
        await pilot.press("end", "space", "w", "right", "pageup")
        app.table.filter = "r1"
        await pilot.pause()
        for y in range(size[1]):
            assert app.table.render_line(y).cell_length == app.table.view_size.width
        assert app.table.page_height == max(0, size[1] - (2 if size[1] >= 5 else 1))


async def test_a_storm_of_resizes() -> None:
    app = TableApp(given=rows(200))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*["down"] * 40)
        for width, height in [(20, 5), (300, 80), (33, 7), (80, 3), (1, 1), (120, 40), (20, 40), (80, 24)]:
            await pilot.resize_terminal(width, height)
            app.table.set_rows(rows(200 + width))
            await pilot.pause()
            assert app.table.row_key == "r40"
            assert all(app.table.render_line(y).cell_length == app.table.view_size.width for y in range(height))
            if app.table.page_height:
                place = app.table.shown_keys.index("r40")
                assert app.table.top <= place < app.table.top + app.table.page_height


async def test_rows_given_before_there_is_a_screen() -> None:
    app = TableApp()
    app.table.set_rows(rows(3))
    app.table.filter = "r2"
    app.table.sort_by("id", descending=True)
    app.given = rows(3)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert shown_keys(app) == ["r2"]


async def test_a_table_of_one_column_and_no_cells() -> None:
    app = TableApp([Column(key="only", title="ONLY")], [Row("a", ())])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert lines_of(app.table)[1] == "▌  –"
