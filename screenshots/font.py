"""Takes outlines of characters out of a TrueType font: `python -m screenshots.font FONT.ttf BOLD.ttf`.

Pictures draw characters as paths, so that every program draws them alike, whatever fonts it has. `glyphs.json` holds
those of DejaVu Sans Mono (a free font, https://dejavu-fonts.github.io), in thousandths of the font's size.
"""

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import cockpit

GLYPHS = Path(__file__).parent / "glyphs.json"
_UNITS = 1000

Point = tuple[float, float, bool]  # x, y, on the curve


class Font:
    """The glyphs of a TrueType file (OpenType 1.9: cmap format 4 and 12, glyf)."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        count = struct.unpack_from(">H", self._data, 4)[0]
        self._tables = {
            self._data[at : at + 4].decode(): struct.unpack_from(">II", self._data, at + 8)
            for at in range(12, 12 + 16 * count, 16)
        }
        head = self._tables["head"][0]
        self._per_em = struct.unpack_from(">H", self._data, head + 18)[0]
        is_long = struct.unpack_from(">h", self._data, head + 50)[0]
        glyphs = struct.unpack_from(">H", self._data, self._tables["maxp"][0] + 4)[0]
        form, factor = (">%dI", 1) if is_long else (">%dH", 2)
        offsets = struct.unpack_from(form % (glyphs + 1), self._data, self._tables["loca"][0])
        self._loca = [offset * factor for offset in offsets]
        self._cmap = dict(self._characters())

    def _characters(self) -> Iterator[tuple[int, int]]:
        base = self._tables["cmap"][0]
        count = struct.unpack_from(">H", self._data, base + 2)[0]
        starts = [base + struct.unpack_from(">I", self._data, base + 8 + 8 * at)[0] for at in range(count)]
        for start in starts:
            if struct.unpack_from(">H", self._data, start)[0] == 4:
                yield from self._segments(start)
            elif struct.unpack_from(">H", self._data, start)[0] == 12:
                groups = struct.unpack_from(">I", self._data, start + 12)[0]
                for at in range(groups):
                    first, last, glyph = struct.unpack_from(">III", self._data, start + 16 + 12 * at)
                    yield from ((code, glyph + code - first) for code in range(first, last + 1))

    def _segments(self, start: int) -> Iterator[tuple[int, int]]:
        twice = struct.unpack_from(">H", self._data, start + 6)[0]
        count = twice // 2
        ends = struct.unpack_from(f">{count}H", self._data, start + 14)
        begins = struct.unpack_from(f">{count}H", self._data, start + 16 + twice)
        deltas = struct.unpack_from(f">{count}h", self._data, start + 16 + 2 * twice)
        where = start + 16 + 3 * twice
        ranges = struct.unpack_from(f">{count}H", self._data, where)
        for at in range(count):
            for code in range(begins[at], min(ends[at], 0xFFFE) + 1):
                if not ranges[at]:
                    yield code, (code + deltas[at]) & 0xFFFF
                    continue
                place = where + 2 * at + ranges[at] + 2 * (code - begins[at])
                glyph = struct.unpack_from(">H", self._data, place)[0]
                if glyph:
                    yield code, (glyph + deltas[at]) & 0xFFFF

    def path(self, character: str) -> str | None:
        """The outline as an SVG path whose y grows downwards from the base line; None where the font lacks it."""
        glyph = self._cmap.get(ord(character))
        if glyph is None:
            return None
        factor = _UNITS / self._per_em
        return "".join(_contour(points, factor) for points in self._contours(glyph))

    def _contours(self, glyph: int) -> list[list[Point]]:
        if self._loca[glyph] == self._loca[glyph + 1]:
            return []
        at = self._tables["glyf"][0] + self._loca[glyph]
        count = struct.unpack_from(">h", self._data, at)[0]
        return self._simple(at + 10, count) if count >= 0 else self._composite(at + 10)

    def _simple(self, at: int, count: int) -> list[list[Point]]:
        ends = struct.unpack_from(f">{count}H", self._data, at)
        at += 2 * count
        at += 2 + struct.unpack_from(">H", self._data, at)[0]
        total = ends[-1] + 1 if ends else 0
        flags: list[int] = []
        while len(flags) < total:
            flag = self._data[at]
            at += 1
            flags.append(flag)
            if flag & 8:
                flags += [flag] * self._data[at]
                at += 1
        xs, at = self._coordinates(flags, at, 2, 16)
        ys, _ = self._coordinates(flags, at, 4, 32)
        points = [(x, y, bool(flag & 1)) for x, y, flag in zip(xs, ys, flags, strict=True)]
        return [
            points[begin:end] for begin, end in zip([0, *(e + 1 for e in ends)], [e + 1 for e in ends], strict=False)
        ]

    def _coordinates(self, flags: list[int], at: int, short: int, same: int) -> tuple[list[float], int]:
        values: list[float] = []
        value = 0
        for flag in flags:
            if flag & short:
                value += self._data[at] if flag & same else -self._data[at]
                at += 1
            elif not flag & same:
                value += struct.unpack_from(">h", self._data, at)[0]
                at += 2
            values.append(float(value))
        return values, at

    def _composite(self, at: int) -> list[list[Point]]:
        contours: list[list[Point]] = []
        while True:
            flags, glyph = struct.unpack_from(">HH", self._data, at)
            dx, dy = struct.unpack_from(">hh" if flags & 1 else ">bb", self._data, at + 4)
            at += 8 if flags & 1 else 6
            scale = (1.0, 0.0, 0.0, 1.0)
            if flags & 8:
                (both,) = struct.unpack_from(">h", self._data, at)
                scale, at = (both / 16384, 0.0, 0.0, both / 16384), at + 2
            elif flags & 0x40:
                x, y = struct.unpack_from(">hh", self._data, at)
                scale, at = (x / 16384, 0.0, 0.0, y / 16384), at + 4
            elif flags & 0x80:
                a, b, c, d = struct.unpack_from(">hhhh", self._data, at)
                scale, at = (a / 16384, b / 16384, c / 16384, d / 16384), at + 8
            contours += [
                [(x * scale[0] + y * scale[2] + dx, x * scale[1] + y * scale[3] + dy, on) for x, y, on in points]
                for points in self._contours(glyph)
            ]
            if not flags & 0x20:
                return contours


def _contour(points: list[Point], factor: float) -> str:
    """A closed contour of straight lines and quadratic curves; between two control points lies a point of the curve."""
    full: list[Point] = []
    for at, (x, y, on) in enumerate(points):
        before = points[at - 1]
        if not on and not before[2]:
            full.append(((x + before[0]) / 2, (y + before[1]) / 2, True))
        full.append((x, y, on))
    start = next(at for at, point in enumerate(full) if point[2])
    full = full[start:] + full[:start] + [full[start]]
    parts = [f"M{_xy(full[0], factor)}"]
    at = 1
    while at < len(full):
        if full[at][2]:
            parts.append(f"L{_xy(full[at], factor)}")
            at += 1
        else:
            parts.append(f"Q{_xy(full[at], factor)} {_xy(full[at + 1], factor)}")
            at += 2
    return "".join(parts) + "Z"


def _xy(point: Point, factor: float) -> str:
    return f"{round(point[0] * factor)} {round(-point[1] * factor)}"


def wanted() -> list[str]:
    """ASCII, and what the sources of the cockpit hold beside it; lines, blocks and braille are drawn by ours."""
    sources = Path(cockpit.__file__).parent.rglob("*.py")
    others = {character for path in sources for character in path.read_text() if character > "\x7f"}
    drawn = {chr(code) for code in (*range(0x2500, 0x25A0), *range(0x2800, 0x2900))}
    return [*map(chr, range(33, 127)), *sorted(one for one in others - drawn if one.isprintable() and one > "\xa0")]


def main(regular: Path, bold: Path) -> None:
    """Write the outlines of both weights."""
    characters = wanted()
    found = {}
    for name, path in (("regular", regular), ("bold", bold)):
        font = Font(path)
        paths = {character: font.path(character) for character in characters}
        found[name] = {character: path for character, path in paths.items() if path}
        print(name, len(found[name]), "without:", *(character for character in characters if not paths[character]))
    GLYPHS.write_text(json.dumps(found, ensure_ascii=False, indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
