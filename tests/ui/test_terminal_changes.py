"""Only what looks different is written, and the terminal looks as if everything had been."""

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from cockpit.textual_patches.terminal_changes import Place, TerminalChanges
from tests.ui.terminal import Screen

WIDTH = 24
STYLES = [
    Style.null(),
    Style.parse("#d8dce0 on #12161a"),
    Style.parse("bold #4db6ac on #12161a"),
    Style.parse("reverse #4db6ac on #12161a"),
    Style.parse("underline red on blue"),
    Style.parse("color(200) on color(17)"),
    Style.parse("dim white"),
]
TEXTS = st.text(alphabet="ab ─█●✔ 训％é" + "\u0301", max_size=9)
STRIPS = st.lists(st.tuples(TEXTS, st.sampled_from(STYLES)), max_size=4).map(
    lambda parts: Strip([Segment("x"), *(Segment(text, style) for text, style in parts)]).adjust_cell_length(WIDTH)
)
UPDATES = st.lists(st.tuples(st.integers(0, 3), STRIPS), min_size=1, max_size=12)


def raw(y: int, strip: Strip) -> str:
    """What Textual would send."""
    return f"\x1b[{y + 1};1H" + "".join(
        style.render(text, color_system=ColorSystem.TRUECOLOR) if style else text for text, style, _ in strip
    )


@given(UPDATES)
def test_the_terminal_looks_as_if_everything_had_been_written(updates: list[tuple[int, Strip]]) -> None:
    ours, textual, changes = Screen(), Screen(), TerminalChanges()
    for y, strip in updates:
        ours.feed(changes.written([Place(y, 0, strip)], ColorSystem.TRUECOLOR))
        textual.feed(raw(y, strip))
        assert ours.cells == textual.cells
        assert changes.written([Place(y, 0, strip)], ColorSystem.TRUECOLOR) == ""


def line(text: str, style: str = "#d8dce0 on #12161a") -> Strip:
    return Strip([Segment(text, Style.parse(style))])


def test_nothing_that_drives_a_terminal_passes() -> None:
    written = TerminalChanges().written(
        [Place(0, 0, line("a\x1b]52;c;x\x07b\x9b2J\u202e\x00 文\x1b[2J"))], ColorSystem.TRUECOLOR
    )
    assert not re.search("[\x00-\x1a\x1c-\x1f\x7f-\x9f\u202e]", written)
    assert re.sub(r"\x1b\[[0-9;]*[mH]", "", written) == "a]52;c;xb2J 文[2J"


def test_one_changed_character_costs_its_place_and_its_colors() -> None:
    changes = TerminalChanges()
    changes.written([Place(5, 2, line("10 running   2 pending"))], ColorSystem.TRUECOLOR)
    written = changes.written([Place(5, 2, line("11 running   2 pending"))], ColorSystem.TRUECOLOR)
    assert written == "\x1b[6;4H\x1b[38;2;216;220;224;48;2;18;22;26m1\x1b[0m"


def test_a_line_of_doubtful_width_is_written_from_its_beginning() -> None:
    changes = TerminalChanges()
    changes.written([Place(0, 0, line("训练 is 1"))], ColorSystem.TRUECOLOR)
    assert "训练 is 2" in changes.written([Place(0, 0, line("训练 is 2"))], ColorSystem.TRUECOLOR)


def test_what_the_terminal_may_have_lost_is_written_again() -> None:
    changes = TerminalChanges()
    first = changes.written([Place(0, 0, line("text"))], ColorSystem.TRUECOLOR)
    changes.forget()
    assert changes.written([Place(0, 0, line("text"))], ColorSystem.TRUECOLOR) == first != ""


def test_updates_of_textual_become_smaller_and_say_the_same() -> None:
    console, changes, screen, expected = Console(color_system="truecolor"), TerminalChanges(), Screen(), Screen()
    layout = LayoutUpdate([[line("one "), line("two")], [line("three..")]], Region(0, 0, 7, 2))
    chops = ChopsUpdate(
        [{0: line("one "), 4: line("2wo")}, {0: line("three!!")}], [(0, 4, 7), (1, 0, 6)], [[4, 7], [7]]
    )
    for update in (layout, chops):
        expected.feed(update.render_segments(console))
        smaller = changes.smaller(update)
        written = smaller.render_segments(console)
        screen.feed(written)
        assert len(written) <= len(update.render_segments(console)) + 10
        assert screen.cells == expected.cells
    assert changes.smaller(None) is None
    assert changes.smaller("text") == "text"
