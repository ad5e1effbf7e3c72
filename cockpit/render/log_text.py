r"""What a line of a log says: the text that a terminal would have left of it, without its colors.

Carriage returns fold: what comes after the last one of a line is what stays. Colors (SGR) and the erasing of a line,
which progress bars write before each new state, are not part of the text. Bytes that are not UTF-8 read `\xNN`.
"""

import re

# A line's last carriage return is looked for this far back from its end.
LOOK_BACK = 64 * 1024

_UNSEEN = re.compile(r"\x1b\[(?:[0-9;:]{0,64}m|[0-2]?K)")


def folded(line: bytes) -> bytes:
    """What is left of a line with carriage returns, once a terminal has obeyed them."""
    end = len(line.rstrip(b"\r"))
    return line[line.rfind(b"\r", max(0, end - LOOK_BACK), end) + 1 : end]


def all_folded(lines: bytes) -> bytes:
    """Several lines with their newlines, each of them folded."""
    if b"\r" not in lines:
        return lines
    lines = lines.replace(b"\r\n", b"\n")
    if b"\r" not in lines:
        return lines
    return b"\n".join([folded(line) if b"\r" in line else line for line in lines.split(b"\n")])


def decoded(data: bytes) -> str:
    """Bytes as text, colors and all."""
    return data.decode("utf-8", "backslashreplace")


def uncolored(text: str) -> str:
    """Text without colors and without the erasing of lines."""
    return _UNSEEN.sub("", text) if "\x1b[" in text else text


def seen(line: bytes) -> str:
    """What a whole line says."""
    return uncolored(decoded(folded(line)))
