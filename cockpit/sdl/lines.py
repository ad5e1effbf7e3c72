"""Lines of a text: between string offsets and what a person counts."""

import re
from bisect import bisect_right

# YAML 1.2, 5.4: outside of quotes only these break a line; NEL, LS and PS are ordinary characters to an editor.
_BREAK = re.compile(r"\r\n|\r|\n")


class Lines:
    """Where the lines of a text begin and how they end."""

    __slots__ = ("_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(found.end() for found in _BREAK.finditer(text))]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1; a byte order mark does not count."""
        line = bisect_right(self._starts, offset) - 1
        column = offset - self._starts[line] + 1
        marked = line == 0 and self.text.startswith("\ufeff")
        return line + 1, max(1, column - marked)

    def begin(self, offset: int) -> int:
        """The offset at which the line of `offset` begins."""
        return self._starts[bisect_right(self._starts, offset) - 1]

    def end(self, offset: int) -> int:
        """The offset at which the line of `offset` ends, in front of its line break."""
        found = _BREAK.search(self.text, offset)
        return found.start() if found else len(self.text)

    def next(self, offset: int) -> int:
        """The offset at which the next line begins, or the end of the text."""
        found = _BREAK.search(self.text, offset)
        return found.end() if found else len(self.text)

    def column(self, offset: int) -> int:
        """How far the offset is from the begin of its line; a byte order mark does not count."""
        return self.position(offset)[1] - 1

    def newline(self) -> str:
        """The line break that the text uses first, or a line feed."""
        found = _BREAK.search(self.text)
        return found.group() if found else "\n"
