"""What a terminal without Unicode shows in the place of what it cannot: one character for each cell."""

_PLACES = {
    "-": "─━═–—╌◇‐",
    "|": "│┃║▏▕▎╎·•",
    "+": "┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╒╕╘╛✔✓",
    "#": "█▓▉▊▋▇▆■",
    "=": "▒▌▐▅▄▀",
    ".": "░▁▂▃⏎",
    "~": "…◌≈",
    "*": "●★",
    "o": "○◯",
    "x": "✖✗×",
    "^": "↑▲",
    "v": "↓▼",
    "<": "←‹◀",
    ">": "→›▶❯",
    "_": "␣",
    "'": "‘’",
    '"': "“”",
}
_TABLE = {sign: plain for plain, signs in _PLACES.items() for sign in signs}
UNKNOWN = "?"


def ascii_cell(text: str) -> str:
    """The text of one cell; empty is the second half of a wide character."""
    if text and text.isascii():
        return text
    return _TABLE.get(text[:1], UNKNOWN)
