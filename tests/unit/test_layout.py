"""Which columns have room, and how wide they are."""

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cockpit.render.layout import GAP, Layout, Widths, arranged, chosen
from cockpit.render.table import Arrangement, Column, Fixed, Flexible, Measured, Row, Sort
from tests.ui.apps import COLUMNS, rows

RULES = st.one_of(
    st.builds(Fixed, st.integers(1, 20)),
    st.builds(Measured, st.integers(1, 10), st.integers(10, 40)),
    st.builds(Flexible, st.integers(1, 10), st.integers(10, 80), st.integers(1, 3)),
)
SOME_COLUMNS = st.lists(
    st.builds(
        Column,
        key=st.sampled_from("abcdefgh"),
        title=st.sampled_from(["A", "STATUS", "内存 GiB", "A LONG TITLE"]),
        width=RULES,
        priority=st.integers(0, 3),
        hidden=st.booleans(),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda column: column.key,
)


def laid_out(columns: Sequence[Column], space: int, given_rows: Sequence[Row] = (), *, wide: bool = False) -> Layout:
    widths = Widths(columns)
    widths.measure(given_rows)
    return arranged(columns, chosen(columns, Arrangement()), widths, space, wide=wide, sticky=1)


def keys(layout: Layout) -> str:
    return " ".join(place.column.key for place in layout.placed)


@given(SOME_COLUMNS, st.integers(0, 200), st.lists(st.text(max_size=30), max_size=8))
def test_columns_fit_unless_only_indispensable_ones_are_left(
    columns: list[Column], space: int, texts: list[str]
) -> None:
    layout = laid_out(columns, space, [Row("k", tuple(texts))])
    assert layout.placed
    too_wide = layout.width > space
    assert not too_wide or len(layout.placed) == 1 or all(place.column.priority == 0 for place in layout.placed)
    assert layout.width == sum(place.width for place in layout.placed) + GAP * (len(layout.placed) - 1)
    kept, left_out = {place.column.key for place in layout.placed}, {column.key for column in layout.left_out}
    assert kept | left_out == {columns[index].key for index in chosen(columns, Arrangement())}
    for place in layout.placed:
        assert place.width >= min(_least(place.column), place.width if too_wide else 1)


def _least(column: Column) -> int:
    return column.width.width if isinstance(column.width, Fixed) else column.width.minimum


@given(SOME_COLUMNS, st.integers(0, 200))
def test_wide_leaves_nothing_out(columns: list[Column], space: int) -> None:
    layout = laid_out(columns, space, wide=True)
    assert len(layout.placed) == len(chosen(columns, Arrangement()))
    assert layout.sticky <= space // 2


def test_the_least_important_columns_go_first() -> None:
    assert [keys(laid_out(COLUMNS, space, rows(3))) for space in (60, 38, 30, 20, 5)] == [
        "id state command size note",
        "id state command size",
        "id state command",
        "id state",
        "id state",
    ]


def test_a_flexible_column_takes_what_is_left_and_no_more_than_it_needs() -> None:
    long = [Row("k", ("id", "ok", "x" * 50, "1", "note"))]
    assert [laid_out(COLUMNS, space, long).placed[2].width for space in (50, 60, 300)] == [20, 30, 50]


def test_columns_are_as_wide_as_the_rows_that_are_left_need() -> None:
    widths = Widths(COLUMNS)
    widths.measure([Row("k", ("123456789012",)), Row("l", ("12345678",))])
    assert widths.renew([Row("l", ("12345678",))])
    assert widths.natural(0) == 8
    assert not widths.renew([Row("l", ("12345678",))])


def test_widths_only_grow_while_no_row_goes() -> None:
    widths = Widths(COLUMNS)
    assert widths.measure([Row("k", ("123456789012",))])
    assert not widths.measure([Row("k", ("1",))])
    assert widths.natural(0) == 12
    assert widths.measure([Row("k", ("中" * 40,))])
    assert widths.natural(0) == 20


def test_a_row_that_is_too_short_or_too_long_is_measured_as_far_as_it_goes() -> None:
    widths = Widths(COLUMNS[:2])
    assert not widths.measure([Row("a", ()), Row("b", ("1", "2", "3"))])


def test_the_user_s_choice_survives_its_settings_file() -> None:
    arrangement = Arrangement(order=("note", "id", "gone"), hidden=("size", "gone"), sort=Sort("id", True), wide=True)
    again = msgspec.convert(msgspec.to_builtins(arrangement), Arrangement)
    assert again == arrangement
    assert [COLUMNS[index].key for index in chosen(COLUMNS, again)] == ["note", "id", "state", "command", "secret"]


def test_somebody_who_hides_everything_still_sees_one_column() -> None:
    everything = tuple(column.key for column in COLUMNS)
    assert chosen(COLUMNS, Arrangement(hidden=everything)) == [0]


def test_a_place_on_the_line_belongs_to_a_column() -> None:
    layout = laid_out(COLUMNS, 60, rows(3))
    titles = [column.key if (column := layout.column_at(x)) else None for x in (0, 5, 7, 200, -1)]
    assert titles == ["id", "id", "state", "note", None] or titles[0] == "id"
