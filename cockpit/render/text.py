"""Text from elsewhere, made safe to show on one line."""

import re

# C0, DEL and C1 drive the terminal; the bidi controls reorder what is read; the two separators
# break lines in str.splitlines(); a surrogate is half of a character and cannot be printed.
CONTROLS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
# Takes no room, or looks like a space: two names that differ in one of them read alike.
INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

# The joiners (U+200C, U+200D) between letters of scripts that join, and between emoji, are left alone, and so are
# variation selectors behind what has variants. Beside Latin letters, at an end, or beside hidden characters they join
# nothing, and only make two names that read alike.
_NOT_JOINED = rf"\x00-\u02ff\u200c\u200d{CONTROLS}{INVISIBLE}"
STRAY_JOINERS = (
    rf"[\u200c\u200d](?:(?<![^{_NOT_JOINED}].)|(?![^{_NOT_JOINED}]))"
    rf"|[\ufe00-\ufe0f](?<![^\x00-\x7f\u200c\u200d\ufe00-\ufe0f{CONTROLS}{INVISIBLE}].)(?!\u20e3)"
)

_HIDDEN = re.compile(f"[{CONTROLS}{INVISIBLE}]|{STRAY_JOINERS}")
# Most texts have none of them, and looking around at each place takes ten times as long.
_MAY_HIDE = re.compile(f"[{CONTROLS}{INVISIBLE}\u200c\u200d\ufe00-\ufe0f]")
_BREAKS = re.compile("([\n\t])")
_DRIVING = re.compile(f"[{CONTROLS}]")


def visible(text: str) -> str:
    r"""The text with each hidden character written out, such as `\x1b`, `\x0a`, `\u202e` or `\U000e0041`.

    Covers C0, DEL and C1 controls, bidi controls, line and paragraph separators, lone surrogates, and characters
    that cannot be seen: zero-width spaces, soft hyphens, fillers, tag characters, joiners that join nothing.
    The result is one line, can be encoded as UTF-8, and is not changed by a second call.
    """
    return _HIDDEN.sub(lambda found: escaped(found[0]), text) if _MAY_HIDE.search(text) else text


def shell_word(text: str) -> str:
    """A name as one word of a shell command, safe to paste; hidden characters are written out."""
    import shlex  # only hints need it

    return shlex.quote(visible(text))


def last_word(text: str) -> str:
    """As `shell_word`, for the end of a command: behind `--` where the name begins with a dash."""
    return f"-- {shell_word(text)}" if text.startswith("-") else shell_word(text)


def visible_lines(text: str) -> str:
    """The same for a text of several lines, which stay lines; tabs stay tabs."""
    return "".join(part if part in ("\n", "\t") else visible(part) for part in _BREAKS.split(text))


def pictured(text: str) -> str:
    """The text with one visible character for each hidden one, so that offsets into it stay valid.

    C0 and DEL become control pictures (U+2400 and on), everything else U+FFFD.
    """
    return _HIDDEN.sub(lambda found: _picture(found[0]), text) if _MAY_HIDE.search(text) else text


def without_controls(text: str) -> str:
    """The text without the characters that drive a terminal; for cells in which they take no room."""
    return _DRIVING.sub("", text)


def escaped(character: str) -> str:
    r"""A character as an escape of Python's: `\x1b`, `\u202e`, `\U000e0041`."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _picture(character: str) -> str:
    code = ord(character)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"
