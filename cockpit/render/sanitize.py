"""Log bytes made safe for a terminal: colors pass, everything else that a terminal would obey is written out."""

import codecs
import re

from cockpit.render.text import INVISIBLE, escaped

RESET = "\x1b[0m"

# Tab, newline and carriage return are what logs are made of; SGR (CSI … m) is color and nothing else.
_TOKEN = re.compile(
    r"(?P<color>\x1b\[[0-9;:]{0,64}m)"
    r"|(?P<hidden>[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
    rf"{INVISIBLE}])"
)
_UNFINISHED = re.compile(r"\x1b(\[[0-9;:]{0,64})?\Z")


class LogSanitizer:
    """A stream of bytes in, a stream of bytes out; sequences and characters that are cut between chunks are kept whole.

    Invalid UTF-8 is written as `\\xNN`.
    """

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("backslashreplace").decode
        self._held = ""
        self._colored = False

    def feed(self, chunk: bytes) -> bytes:
        """The safe form of the next bytes; the beginning of an escape sequence is held back until its end is there."""
        text = self._held + self._decode(chunk)
        cut = _UNFINISHED.search(text)
        self._held = text[cut.start() :] if cut else ""
        return self._safe(text[: cut.start()] if cut else text)

    def finish(self) -> bytes:
        """What was held back, and the colors reset where the log left them on."""
        text = self._held + self._decode(b"", True)
        self._held = ""
        return self._safe(text) + (RESET.encode() if self._colored else b"")

    def _safe(self, text: str) -> bytes:
        return _TOKEN.sub(self._replace, text).encode("utf-8")

    def _replace(self, token: re.Match[str]) -> str:
        if token["color"]:
            self._colored = token["color"] not in ("\x1b[m", RESET)
            return token["color"]
        return escaped(token["hidden"])
