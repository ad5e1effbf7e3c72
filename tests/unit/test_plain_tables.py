"""Tables of commands: whole in a pipe, fitted to a terminal, aligned, and no cell speaks to the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.render.cell_text import cell_width
from cockpit.render.layout import GAP
from cockpit.render.meters import meter_cell
from cockpit.render.plain import lines
from cockpit.render.table import WIDEST, Cell, Column, Fixed, Flexible, Measured, Row, text_column

TEXTS = st.text(st.sampled_from("ab –üé\u0301語😀\x1b\n\t[red]\u202e"), max_size=40)
COLUMNS = (
    Column(key="id", title="ID", width=Measured(4, 20), priority=0),
    Column(key="text", title="TEXT", width=Flexible(10, 100), priority=1),
    Column(key="more", title="MORE", width=Fixed(12), priority=2),
    Column(key="past", title="PAST", width=Fixed(6), live=True, priority=3),
    Column(key="uuid", title="UUID", width=Measured(4, 20), hidden=True, priority=4),
)
LONG = Row("1", ("i" * 30, "t" * 150, "m" * 20, "past", "u" * 40))


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=6), st.none() | st.integers(40, 120))
def test_columns_are_aligned_and_no_control_reaches_the_terminal(
    rows: list[tuple[str, ...]], width: int | None
) -> None:
    columns = [text_column("FIRST"), text_column("SECOND", right=True), text_column("THIRD", shrink=True)]
    header, *shown = lines([*columns, text_column("|")], [Row("", (*row, "|")) for row in rows], width=width)
    assert len(shown) == len(rows)
    assert {cell_width(line) for line in shown} <= {cell_width(header)}
    assert all(line.endswith("|") for line in shown)
    assert not any(character in line for line in shown for character in "\x1b\n\t\u202e")


def test_nothing_is_cut_or_left_out_in_a_pipe() -> None:
    header, line = lines(COLUMNS, [LONG], width=None)
    assert header.split() == ["ID", "TEXT", "MORE"]
    assert line.split() == ["i" * 30, "t" * 150, "m" * 20]


def test_an_endless_cell_is_whole_and_does_not_widen_the_other_rows() -> None:
    endless = "x" * 1_000_000
    header, first, second = lines([text_column("A"), text_column("B")], _rows((endless, "1"), ("y", "2")), width=None)
    assert first == f"{endless}  1"
    assert len(header) == len(second) == WIDEST + GAP + 1


@pytest.mark.parametrize(
    ("width", "titles"), [(100, ["ID", "TEXT", "MORE"]), (40, ["ID", "TEXT"]), (20, ["ID"]), (4, ["ID"])]
)
def test_a_narrow_terminal_leaves_columns_out_by_priority(width: int, titles: list[str]) -> None:
    shown = lines(COLUMNS, [LONG], width=width)
    assert shown[0].split() == titles
    assert all(cell_width(line) <= width for line in shown)
    assert any("…" in cell for cell in shown[1].split())


def test_wide_shows_hidden_columns_and_cuts_nothing() -> None:
    header, line = lines(COLUMNS, [LONG], width=40, wide=True)
    assert header.split() == ["ID", "TEXT", "MORE", "UUID"]
    assert line.split() == ["i" * 30, "t" * 150, "m" * 20, "u" * 40]


def test_columns_of_the_past_need_somebody_who_saw_it() -> None:
    assert lines(COLUMNS, [LONG], width=None, live=True)[0].split() == ["ID", "TEXT", "MORE", "PAST"]


def test_a_meter_is_drawn_on_a_terminal_and_a_number_in_a_pipe() -> None:
    columns = [Column(key="cpu", title="CPU", width=Fixed(15))]
    rows = [Row("1", (meter_cell(41.0),))]
    assert lines(columns, rows, width=None) == ["CPU", "41 %"]
    assert lines(columns, rows, width=80)[1].startswith("▕███▎")


def test_controls_and_markup_are_shown_as_they_are() -> None:
    (_, line) = lines([text_column("A")], _rows(("[red]\x1b[31m\x07 a\nb\u202e",)), width=None)
    assert line == r"[red]\x1b[31m\x07 a\x0ab\u202e"


def test_no_rows_leave_the_header_and_it_can_go_too() -> None:
    columns = [text_column("A"), text_column("B", right=True)]
    assert lines(columns, [], width=80) == ["A  B"]
    assert lines(columns, [Row("", (Cell("1"), None))], width=80, headers=False) == ["1  –"]


def _rows(*cells: tuple[str, ...]) -> list[Row]:
    return [Row("", texts) for texts in cells]
