"""The colors of a log: parameters of SGR escape sequences as styles."""

from collections.abc import Iterator
from functools import lru_cache

from rich.color import Color
from rich.style import Style

# Blinking keeps a terminal busy, and concealed text hides what a log says: both are left out.
_ON = {
    "1": Style(bold=True),
    "2": Style(dim=True),
    "3": Style(italic=True),
    "4": Style(underline=True),
    "7": Style(reverse=True),
    "9": Style(strike=True),
    "22": Style(bold=False, dim=False),
    "23": Style(italic=False),
    "24": Style(underline=False),
    "27": Style(reverse=False),
    "29": Style(strike=False),
}


@lru_cache(4096)
def styled(style: Style, parameters: str, ground: Style) -> Style:
    """The style after an SGR sequence, such as `1;31`; `ground` is what a reset goes back to."""
    codes = iter(parameters.replace(":", ";").split(";"))
    for code in codes:
        style = ground if code.strip("0") == "" else style + _change(code, codes, ground)
    return style


def _change(code: str, codes: Iterator[str], ground: Style) -> Style:
    if code in _ON:
        return _ON[code]
    if code in ("38", "48"):
        color = _extended(codes)
        return Style() if color is None else _colored(color, background=code == "48")
    if code == "39":
        return Style(color=ground.color)
    if code == "49":
        return Style(bgcolor=ground.bgcolor)
    return _basic(code)


def _basic(code: str) -> Style:
    """The sixteen colors: 30 to 37, bright 90 to 97, and their backgrounds ten above."""
    number = int(code) if code.isascii() and code.isdigit() and len(code) <= 3 else 0
    for first, background, bright in ((30, False, 0), (40, True, 0), (90, False, 8), (100, True, 8)):
        if first <= number <= first + 7:
            return _colored(Color.from_ansi(number - first + bright), background=background)
    return Style()


def _extended(codes: Iterator[str]) -> Color | None:
    """A color of 256 (`5;n`) or of all (`2;r;g;b`)."""
    kind = next(codes, "")
    if kind == "5":
        number = _byte(next(codes, ""))
        return None if number is None else Color.from_ansi(number)
    if kind == "2":
        red, green, blue = (_byte(next(codes, "")) for _ in range(3))
        return None if red is None or green is None or blue is None else Color.from_rgb(red, green, blue)
    return None


def _byte(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 256
    return number if number < 256 else None


def _colored(color: Color, *, background: bool) -> Style:
    return Style(bgcolor=color) if background else Style(color=color)
