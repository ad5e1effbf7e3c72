"""Tables are as wide as told, columns stand below each other, and no cell speaks to the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.render.cells import ELLIPSIS, GAP, WIDEST, Column, cell_width, fit, table

TEXTS = st.text(st.sampled_from("ab –üé\u0301語😀\x1b\n\t[red]\u202e"), max_size=40)


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("abc", 3), ("–", 1), ("語", 2), ("e\u0301", 1), ("😀", 2), ("a\u200bb", 2)],
)
def test_cell_width(text: str, width: int) -> None:
    assert cell_width(text) == width


@given(TEXTS, st.integers(0, 50))
def test_fit_is_never_wider_and_cuts_only_what_does_not_fit(text: str, width: int) -> None:
    shown = fit(text, width)
    assert cell_width(shown) <= width
    if cell_width(text) <= width:
        assert shown == text
    elif width > 0:
        assert shown.endswith(ELLIPSIS)
        assert text.startswith(shown[:-1])


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=6), st.integers(40, 120))
def test_columns_stand_below_each_other(rows: list[tuple[str, ...]], width: int) -> None:
    columns = [Column("FIRST"), Column("SECOND", right=True), Column("THIRD", shrink=True), Column("|")]
    header, *lines = table(columns, [(*row, "|") for row in rows], width=width)
    assert len(lines) == len(rows)
    assert {cell_width(line) for line in lines} <= {cell_width(header)}
    assert all(line.endswith("|") for line in lines)
    assert not any(character in line for line in lines for character in "\x1b\n\t\u202e")


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_columns_that_may_shrink_give_way(width: int) -> None:
    columns = [Column("ID"), Column("TEXT", shrink=True), Column("MORE", shrink=True)]
    lines = table(columns, [("x", "y" * 100, "z" * 60)], width=width)
    assert max(map(cell_width, lines)) <= max(width, 2 + 8 + 8 + 4)
    assert lines[1].startswith("x ")


def test_controls_and_markup_are_shown_as_they_are() -> None:
    (_, line) = table([Column("A")], [("[red]\x1b[31m\x07 a\nb\u202e",)], width=None)
    assert line == r"[red]\x1b[31m\x07 a\x0ab\u202e"


def test_endless_cell_does_not_widen_its_column_for_ever() -> None:
    lines = table([Column("A"), Column("B")], [("x" * 1_000_000, "1"), ("y", "2")], width=80)
    assert [line[-1] for line in lines] == ["B", "1", "2"]
    assert {cell_width(line) for line in lines} == {WIDEST + len(GAP) + 1}


def test_no_rows_leave_the_header() -> None:
    assert table([Column("A"), Column("B", right=True)], [], width=80) == ["A  B"]
