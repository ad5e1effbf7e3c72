"""Control characters become visible."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.render.text import last_word, pictured, shell_word, visible, without_controls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain text, é 文 🚀 \\ ~", "plain text, é 文 🚀 \\ ~"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("two\nlines\r\n\ttab", "two\\x0alines\\x0d\\x0a\\x09tab"),
        ("\x00\x1f\x7f\x80\x9b\x9f", "\\x00\\x1f\\x7f\\x80\\x9b\\x9f"),
        ("\u202ecod.exe", "\\u202ecod.exe"),
        (
            "\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069",
            "\\u202a\\u202b\\u202c\\u202d\\u2066\\u2067\\u2068\\u2069",
        ),
        ("\u200e\u200f\u061c", "\\u200e\\u200f\\u061c"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("caf\udce9 \ud83d", "caf\\udce9 \\ud83d"),
        ("a\u200bb\u00adc\u3164\ufeff\u2060", "a\\u200bb\\xadc\\u3164\\ufeff\\u2060"),
        ("tag\U000e0041\U000e007f", "tag\\U000e0041\\U000e007f"),
        # What joins emoji and scripts is no control.
        ("👩\u200d💻 \u00a0", "👩\u200d💻 \u00a0"),
        ("می\u200cخواهم क्\u200dष ❤\ufe0f 1\ufe0f\u20e3", "می\u200cخواهم क्\u200dष ❤\ufe0f 1\ufe0f\u20e3"),
        ("train\u200d-1 a\u200cb x\ufe0f", "train\\u200d-1 a\\u200cb x\\ufe0f"),
        ("\u200dम \u0645\u200d\u200d\u200d\u0645", "\\u200dम \u0645\\u200d\\u200d\\u200d\u0645"),
        ("\\x1b", "\\x1b"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters(codec=None)))
def test_anything_becomes_one_harmless_line(text: str) -> None:
    shown = visible(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in shown)
    assert not any(unicodedata.bidirectional(character) in BIDI for character in shown)
    assert visible(shown) == shown


BIDI = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_each_control_is_written_out(code: int) -> None:
    assert visible(f"a{chr(code)}b") == (f"a\\x{code:02x}b" if code < 256 else f"a\\u{code:04x}b")


@given(st.text(st.characters(codec=None)))
def test_pictures_keep_every_offset(text: str) -> None:
    shown = pictured(text)
    assert len(shown) == len(text)
    assert visible(shown) == shown


def test_pictures() -> None:
    assert pictured("a\x1b]52;c\x07\x7f\x9b\u202e文") == "a␛]52;c␇␡\ufffd\ufffd文"


def test_without_controls_leaves_what_joins() -> None:
    assert without_controls("a\x1b[2J\x9b\u202e👩\u200d💻\u200b") == "a[2J👩\u200d💻\u200b"


@pytest.mark.parametrize(
    ("name", "word", "last"),
    [
        ("lab", "lab", "lab"),
        ("a b", "'a b'", "'a b'"),
        ("x;reboot", "'x;reboot'", "'x;reboot'"),
        ("$(id)", "'$(id)'", "'$(id)'"),
        ("-dash", "-dash", "-- -dash"),
        ("a\x1bb", "'a\\x1bb'", "'a\\x1bb'"),
    ],
)
def test_names_in_hints_are_one_word_of_a_shell(name: str, word: str, last: str) -> None:
    assert (shell_word(name), last_word(name)) == (word, last)
