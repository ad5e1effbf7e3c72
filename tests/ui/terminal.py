"""As much of a terminal as is needed to see what a stream of text, colors and cursor moves looks like."""

import re

from rich.cells import cell_len

TOKEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|([^\x1b])")
OTHER = re.compile(r"\x1b\[[0-9;:?<>=$]*[a-zA-Z]|\x1b[\]P_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>78]")
UNFINISHED = re.compile(r"\x1b(?:[\[\]P_][^\x1b]{0,200})?$")
BLANK_INK = {"4", "7", "9", "21", "53"}


class Screen:
    """Characters with the parameters they are drawn with, by line and column."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, tuple[str, ...]]] = {}
        self._at = (0, 0)
        self._look: dict[str, str] = {}

    def feed(self, sequences: str) -> None:
        """Draw."""
        end = 0
        for match in TOKEN.finditer(sequences):
            assert match.start() == end, f"an unknown sequence: {sequences[end : end + 20]!r}"
            end = match.end()
            if match[1]:
                self._at = (int(match[1]) - 1, int(match[2]) - 1)
            elif match[3] is not None:
                self._turn(match[3].split(";"))
            elif match[4] >= " ":
                self._put(match[4])
        assert end == len(sequences)

    @property
    def lines(self) -> list[str]:
        """What can be read."""
        height = max((y for y, _ in self.cells), default=-1) + 1
        width = max((x for _, x in self.cells), default=-1) + 1
        return ["".join(self.cells.get((y, x), (" ", ()))[0] for x in range(width)) for y in range(height)]

    def follow(self, stream: str) -> str:
        """Draw whatever a program writes; returns the end of it that is not yet whole."""
        rest = unfinished[0] if (unfinished := UNFINISHED.search(stream)) else ""
        rest = "" if TOKEN.fullmatch(rest) or OTHER.fullmatch(rest) else rest
        whole = stream[: len(stream) - len(rest)]
        self.feed(OTHER.sub(lambda match: match[0] if TOKEN.fullmatch(match[0]) else "", whole))
        return rest

    def _turn(self, codes: list[str]) -> None:
        while codes:
            code = codes[0] or "0"
            length = {"2": 5, "5": 3}[codes[1]] if code in ("38", "48") else 1
            value, codes = ";".join(codes[:length]), codes[length:]
            number = int(code)
            if number == 0:
                self._look = {}
            elif 30 <= number <= 39 or 90 <= number <= 97:
                self._look["ink"] = value
            elif 40 <= number <= 49 or 100 <= number <= 107:
                self._look["ground"] = value
            else:
                self._look[f"attribute {code}"] = code

    def _put(self, character: str) -> None:
        y, x = self._at
        width = cell_len(character)
        look = {key: value for key, value in self._look.items() if value not in ("39", "49")}
        if character == " " and not BLANK_INK & set(look.values()):
            look = {key: value for key, value in look.items() if key == "ground"}
        if width == 0:
            before = max(place for place in self.cells if place[0] == y and place[1] < x and self.cells[place][0])
            self.cells[before] = (self.cells[before][0] + character, self.cells[before][1])
            return
        self.cells[y, x] = (character, tuple(sorted(look.values())))
        for place in range(x + 1, x + width):
            self.cells[y, place] = ("", ())
        self._at = (y, x + width)
