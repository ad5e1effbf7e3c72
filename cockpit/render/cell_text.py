"""Text from elsewhere, cut to a number of terminal cells before anything expensive is done with it."""

import re
from functools import lru_cache

from cockpit.render.text import visible

# Joiners, variation selectors, skin tones and fillers: terminals disagree about their width, and a line that is
# wider than we think wraps into the next one.
_DISPUTED = re.compile("[\u115f\u1160\u200d\u3164\ufe00-\ufe0f\uffa0\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]")

# What is known to be one cell wide, most of what is printed: `rich` is imported for other text only, which a command
# need not wait for.
_SINGLE = frozenset(
    chr(code)
    for first, last in ((0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x2FF), (0x370, 0x482), (0x2500, 0x25FC), (0x2800, 0x28FF))
    for code in range(first, last + 1)
) | frozenset("–—…✔✖↑↓→←")

# A grapheme of more combining characters than this is an attack on the terminal, not a language.
_MOST_COMBINING = 4
CHARACTERS_PER_CELL = 1 + _MOST_COMBINING


def cell_width(text: str) -> int:
    """Cells that `text` takes, by the table that Textual draws with."""
    if _SINGLE.issuperset(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def clip(text: str, width: int, ellipsis: str = "…") -> tuple[str, int]:
    """What to show of `text` in `width` cells, and how many cells that takes; cut text ends with `ellipsis`.

    Control characters are written out, and only as much of a long text is looked at as could be shown.
    """
    if len(text) <= width and text.isascii() and text.isprintable():
        return text, len(text)
    head = text[: width * CHARACTERS_PER_CELL + 1]
    return _clipped(head, len(head) < len(text), max(0, width), ellipsis)


@lru_cache(4096)
def _clipped(head: str, longer: bool, width: int, ellipsis: str) -> tuple[str, int]:
    shown = tamed(visible(head))
    if not longer and (size := cell_width(shown)) <= width:
        return shown, size
    if width == 0:
        return "", 0
    kept, size = cut(shown, width - 1)
    return kept + ellipsis, size + 1


def cut(text: str, width: int) -> tuple[str, int]:
    """The longest beginning of tamed `text` that fits into `width` cells, and its width."""
    if text.isascii():
        kept = text[: max(0, width)]
        return kept, len(kept)
    size = 0
    for index, character in enumerate(text):
        wider = size + cell_width(character)
        if wider > width:
            return text[:index], size
        size = wider
    return text, size


def tamed(text: str) -> str:
    """The text without characters of disputed width, and with few combining characters in a row."""
    if text.isascii():
        return text
    plain = _DISPUTED.sub("", text)
    return plain if cell_width(plain) == len(plain) else _few_combining(plain)


def _few_combining(text: str) -> str:
    kept, run = [], 0
    for character in text:
        run = run + 1 if cell_width(character) == 0 else 0
        if run <= _MOST_COMBINING:
            kept.append(character)
    return "".join(kept)


def width_of(text: str, most: int) -> int:
    """The cells that `text` takes, at most `most`; of a longer text only its beginning is looked at."""
    if text.isascii() and text.isprintable():
        return min(len(text), most)
    return min(cell_width(tamed(visible(text[: most * CHARACTERS_PER_CELL + 1]))), most)
