"""Compares how programs draw the pictures: `python -m screenshots.compare [FILE.svg …]`; exit 1 where they differ.

Of Chromium, rsvg-convert and Inkscape those that are installed take part. Edges of shapes are smoothed by each in its
own way, so that a few pixels differ a little; a missing character or line differs by much more.
"""

import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec

HERE = Path(__file__).parent
STRONG = 96  # of 255: a difference that one sees
MOST_STRONG = 0.002  # of all pixels
MOST_MEAN = 1.5  # of 255


class Raster(msgspec.Struct, frozen=True):
    """An image as bytes of red, green and blue."""

    width: int
    height: int
    pixels: bytes


def read_png(data: bytes) -> Raster:
    """Decode a PNG with 8 bits a channel, with or without alpha, not interlaced (PNG 1.2)."""
    width, height, depth, kind, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    channels = {2: 3, 6: 4}[kind]
    assert (depth, interlaced) == (8, 0)
    packed, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    rows = _rows(zlib.decompress(packed), width * channels, channels)
    return Raster(width, height, b"".join(_without_alpha(row, channels) for row in rows))


def _rows(data: bytes, length: int, channels: int) -> list[bytearray]:
    rows: list[bytearray] = []
    above = bytearray(length)
    for start in range(0, len(data), length + 1):
        row = bytearray(data[start + 1 : start + 1 + length])
        _unfilter(data[start], row, above, channels)
        rows.append(row)
        above = row
    return rows


def _unfilter(kind: int, row: bytearray, above: bytearray, step: int) -> None:
    for at in range(len(row) if kind else 0):
        left = row[at - step] if at >= step else 0
        corner = above[at - step] if at >= step else 0
        row[at] = (
            row[at] + (left, above[at], (left + above[at]) // 2, _paeth(left, above[at], corner))[kind - 1]
        ) & 255


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]


def _without_alpha(row: bytearray, channels: int) -> bytes:
    if channels == 3:
        return bytes(row)
    kept = bytearray(len(row) // 4 * 3)
    for at in range(3):
        kept[at::3] = row[at::4]
    return bytes(kept)


def by_chromium(svg: Path, png: Path) -> None:
    """Draw with Chromium, as a browser shows it."""
    width, height = size_of(svg)
    program = next(filter(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
         f"--window-size={width},{height}", f"--screenshot={png}", svg.absolute().as_uri()],
        check=True, capture_output=True,
    )  # fmt: skip


def by_rsvg(svg: Path, png: Path) -> None:
    """Draw with rsvg-convert; the page behind the window's corners is white, as in a browser."""
    subprocess.run(["rsvg-convert", "--background-color=white", "--output", png, svg], check=True)


def by_inkscape(svg: Path, png: Path) -> None:
    """Draw with Inkscape."""
    subprocess.run(
        ["inkscape", "--export-background=white", f"--export-filename={png}", svg], check=True, capture_output=True
    )


PROGRAMS: dict[str, tuple[tuple[str, ...], Callable[[Path, Path], None]]] = {
    "chromium": (("chromium", "chromium-browser", "google-chrome"), by_chromium),
    "rsvg-convert": (("rsvg-convert",), by_rsvg),
    "inkscape": (("inkscape",), by_inkscape),
}


def installed() -> list[str]:
    """The programs that can take part."""
    return [name for name, (commands, _) in PROGRAMS.items() if any(map(shutil.which, commands))]


def size_of(svg: Path) -> tuple[int, int]:
    """Width and height in pixels."""
    head = svg.read_text()[:400].split('"')
    return int(head[head.index(" width=") + 1]), int(head[head.index(" height=") + 1])


class Difference(msgspec.Struct, frozen=True):
    """Of two rasters: the mean of all channels, and the share of channels that differ strongly."""

    mean: float
    strong: float

    @property
    def is_seen(self) -> bool:
        """Whether one sees it."""
        return self.mean > MOST_MEAN or self.strong > MOST_STRONG


def difference(one: Raster, other: Raster) -> Difference:
    """How much two rasters of the same size differ. Raises ValueError for two sizes."""
    if (one.width, one.height) != (other.width, other.height):
        raise ValueError(f"{one.width}x{one.height} and {other.width}x{other.height}")
    counts = [0] * 256
    for a, b in zip(one.pixels, other.pixels, strict=True):
        counts[abs(a - b)] += 1
    total = len(one.pixels)
    return Difference(sum(at * count for at, count in enumerate(counts)) / total, sum(counts[STRONG:]) / total)


def differences(svg: Path) -> dict[str, Difference]:
    """Of each program from the first one, by its name."""
    with tempfile.TemporaryDirectory() as directory:
        rasters = {}
        for name in installed():
            png = Path(directory) / f"{name}.png"
            PROGRAMS[name][1](svg, png)
            rasters[name] = read_png(png.read_bytes())
    first, *others = rasters
    return {name: difference(rasters[first], rasters[name]) for name in others}


def main(files: list[Path]) -> int:
    """Print a line for each picture and program."""
    print("compared with", installed()[0])
    is_seen = False
    for svg in files:
        for name, found in differences(svg).items():
            print(f"{svg.name:24} {name:14} mean {found.mean:.2f} of 255, {found.strong:.3%} differ strongly")
            is_seen = is_seen or found.is_seen
    return int(is_seen)


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]] or sorted(HERE.glob("*.svg"))))
