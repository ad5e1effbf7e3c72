"""Text cut to cells: whatever it is, it takes the cells that were asked for and drives no terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cockpit.render.cell_text import clip, tamed, width_of

HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x07\r\n\t\x9b\u202e\u200d\ufe0f\u0301\u0e33中한🇩🇪👩👍🏽אب[]"),
    ),
    max_size=60,
)


@given(HOSTILE, st.integers(0, 30))
def test_what_is_shown_fits_and_is_counted_right(text: str, width: int) -> None:
    shown, size = clip(text, width)
    assert size == cell_len(shown) <= width
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in shown)
    assert "\u202e" not in shown


@given(HOSTILE)
def test_what_fits_is_not_cut(text: str) -> None:
    shown, size = clip(text, 10_000)
    assert clip(text, size) == (shown, size)
    assert not shown.endswith("…") or text.endswith("…")


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("python train.py", 8, "python …"),
        ("中文训练", 5, "中文…"),
        ("中文训练", 4, "中…"),
        ("中文训练", 8, "中文训练"),
        ("\x1b[31mred", 40, "\\x1b[31mred"),
        ("a\nb", 10, "a\\x0ab"),
        ("e\u0301clair", 6, "e\u0301clair"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
        ("", 5, ""),
    ],
)
def test_cutting(text: str, width: int, shown: str) -> None:
    assert clip(text, width)[0] == shown


def test_a_long_text_is_only_looked_at_as_far_as_it_is_shown() -> None:
    shown, _ = clip("x" * 10_000 + "\ud800", 20)
    assert shown == "x" * 19 + "…"


def test_towers_of_combining_characters_are_cut_down() -> None:
    shown, size = clip("a" + "\u0301" * 10_000 + "b", 10)
    assert size <= 10
    assert len(shown) < 10


def test_characters_of_disputed_width_are_left_out() -> None:
    assert tamed("👩\u200d💻 ❤\ufe0f 👍🏽") == "👩💻 ❤ 👍"


@given(HOSTILE, st.integers(1, 20))
def test_a_measured_width_is_the_width_that_is_shown(text: str, most: int) -> None:
    assert clip(text, most)[1] <= width_of(text, most) <= most
    assert clip(text, most)[0].endswith("…") or width_of(text, most) == clip(text, most)[1]
