"""Recordings on disk: gzip'd lines of JSON, a header and then what a cluster answered and when.

    {"kind": "header", "format": "rayakash-recording", "version": 1, "recorded_at": …, "address": …, "program": …}
    {"kind": "reply", "at": …, "method": …, "path": …, "params": …, "status": …, "content_type": …, "text" or "data"}
    {"kind": "failure", "at": …, "method": …, "path": …, "params": …, "error": {"name", "title", "detail", …}}
    {"kind": "open" | "chunk" | "end", "at": …, "stream": n, …}   a log stream, as its bytes came
    {"kind": "past", "at": …, "cpu": …, …}   figures from before the recording, for its curves; `at` is negative

`at` is in seconds since the recording began, `recorded_at` in seconds since the epoch; `data` is base64, used where
a body is not valid UTF-8. Each line is flushed, so that of a killed session only the tail is missing.
"""

import lzma
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from cockpit import __version__
from cockpit.errors import UsageError

FORMAT = "rayakash-recording"
VERSION = 1
SIZE_LIMIT = 1024**3  # bytes after decompression

_XZ = b"\xfd7zXZ"
_GZIP = 31  # zlib's wbits for a gzip header and trailer
_LEVEL = 5
_BLOCK = 256 * 1024

Pairs = tuple[tuple[str, str], ...]


class _Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """Base of the lines of a recording."""


class Header(_Line, frozen=True, kw_only=True, tag="header"):
    """What the recording is of, and when it began (seconds since the epoch)."""

    format: str
    version: int
    recorded_at: float = 0.0
    address: str = ""
    program: str = ""


class Failing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A CockpitError in writing; `status` is that of a refused token."""

    name: str
    title: str
    detail: str = ""
    hint: str = ""
    status: int | None = None


class Reply(_Line, frozen=True, kw_only=True, tag="reply"):
    """An answer that came whole."""

    at: float
    method: str
    path: str
    params: Pairs = ()
    status: int = 200
    content_type: str = ""
    text: str | None = None
    data: bytes | None = None


class Failure(_Line, frozen=True, kw_only=True, tag="failure"):
    """A request that ended in an error."""

    at: float
    method: str
    path: str
    params: Pairs = ()
    error: Failing


class Open(_Line, frozen=True, kw_only=True, tag="open"):
    """A stream was asked for; its pieces carry its number."""

    at: float
    stream: int
    path: str
    params: Pairs = ()


class Chunk(_Line, frozen=True, kw_only=True, tag="chunk"):
    """A piece of a stream."""

    at: float
    stream: int
    text: str | None = None
    data: bytes | None = None


class End(_Line, frozen=True, kw_only=True, tag="end"):
    """A stream was over, by an error where there is one."""

    at: float
    stream: int
    error: Failing | None = None


class Past(_Line, frozen=True, kw_only=True, tag="past"):
    """Figures of all nodes before the recording began, in the order of the first answer of `/nodes`.

    `cpu`, `memory` and the `use` and `filled` memory of each GPU are percent, `network` is MB/s, `held` names the job
    on each GPU.
    """

    at: float
    cpu: tuple[int | None, ...]
    memory: tuple[int | None, ...]
    network: tuple[int | None, ...]
    use: tuple[tuple[int | None, ...], ...]
    filled: tuple[tuple[int | None, ...], ...]
    held: tuple[tuple[str, ...], ...]


Entry = Reply | Failure | Open | Chunk | End | Past


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A recording in memory; one that is not whole has lost its tail."""

    header: Header
    entries: tuple[Entry, ...] = ()
    is_whole: bool = True

    @property
    def has_past(self) -> bool:
        """Whether there are figures from before it began."""
        return bool(self.entries) and isinstance(self.entries[0], Past)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.entries[-1].at if self.entries else 0.0


def content(line: Reply | Chunk) -> bytes:
    """The bytes of a body or piece."""
    return line.data if line.data is not None else (line.text or "").encode()


def packed(content: bytes) -> dict[str, str | bytes]:
    """Bytes as the field that can hold them: text, or data for invalid UTF-8."""
    try:
        return {"text": content.decode()}
    except UnicodeDecodeError:
        return {"data": content}


class Recorder:
    """Writes a recording, line by line, to a new file that only its owner can read.

    Raises UsageError where the file exists or cannot be made. A later write that fails ends the recording, not the
    session: `failed` hears why, once.
    """

    def __init__(
        self,
        path: Path,
        *,
        address: str,
        recorded_at: float,
        failed: Callable[[UsageError], None],
    ) -> None:
        self.path = path
        self._failed = failed
        self._pack = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._file: BinaryIO | None = _new_file(path)
        self.write(
            Header(
                format=FORMAT,
                version=VERSION,
                recorded_at=recorded_at,
                address=address,
                program=f"rayakash-tui {__version__}",
            )
        )

    @property
    def is_open(self) -> bool:
        """Whether what is written still reaches the file."""
        return self._file is not None

    def write(self, line: Header | Entry) -> None:
        """Add a line; after the end of the recording nothing is added."""
        if self._file is None:
            return
        # A sync flush makes what was written so far readable, at the price of a few bytes.
        packed = self._pack.compress(msgspec.json.encode(line) + b"\n")
        self._put(packed + self._pack.flush(zlib.Z_SYNC_FLUSH))

    def close(self) -> None:
        """Finish the file."""
        if self._file is None:
            return
        self._put(self._pack.flush(zlib.Z_FINISH))
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _put(self, data: bytes) -> None:
        if self._file is None:
            return
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            file, self._file = self._file, None
            file.close()
            self._failed(UsageError(f"The recording {self.path} ends here.", detail=str(error)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _new_file(path: Path) -> BinaryIO:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(f"{path} exists already.", hint="A recording is written to a new file.") from error
    except OSError as error:
        raise UsageError(f"The recording {path} cannot be written.", detail=str(error)) from error
    # Unbuffered, so that what is written survives the process.
    return os.fdopen(descriptor, "wb", buffering=0)


def read_recording(path: Path) -> Recording:
    """Read a recording; one whose tail is missing is read as far as it goes.

    Raises UsageError where the file cannot be read, is none of ours, is of a newer version, or is damaged.
    """
    lines = _Lines(path)
    texts = iter(lines)
    header = _header(path, next(texts, b""))
    decoder = msgspec.json.Decoder(Entry)
    entries: list[Entry] = []
    for number, text in enumerate(texts, 2):
        try:
            entries.append(decoder.decode(text))
        except msgspec.DecodeError as error:
            raise UsageError(f"The recording {path} is damaged at line {number}.", detail=str(error)) from error
    return Recording(header=header, entries=tuple(entries), is_whole=lines.is_whole)


def _header(path: Path, text: bytes) -> Header:
    try:
        header = msgspec.json.decode(text, type=Header)
    except msgspec.DecodeError:
        header = None
    if header is None or header.format != FORMAT:
        raise UsageError(f"{path} is not a recording.", hint="Recordings are written with --record FILE.")
    if header.version > VERSION:
        raise UsageError(
            f"{path} was recorded by a newer version ({header.program or 'unknown'}).",
            hint="Update this program to replay it.",
        )
    return header


def write_packed(path: Path, lines: Sequence[Header | Entry]) -> int:
    """Write a recording that ships with a program: as xz, whose long memory makes a tenth of it. Returns its size."""
    text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    return path.write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))


class _Lines:
    """The whole lines of a packed file; `is_whole` tells afterwards whether its end was there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_whole = False

    def __iter__(self) -> Iterator[bytes]:
        held = b""
        for text in self._texts():
            *lines, held = (held + text).split(b"\n")
            yield from lines

    def _texts(self) -> Iterator[bytes]:
        unpack: zlib._Decompress | lzma.LZMADecompressor | None = None
        total = 0
        for block in self._blocks():
            if unpack is None:
                unpack = lzma.LZMADecompressor() if block.startswith(_XZ) else zlib.decompressobj(_GZIP)
            text = self._unpacked(unpack, block)
            total += len(text)
            if total > SIZE_LIMIT:
                raise UsageError(f"The recording {self._path} is too big to replay.")
            yield text
        self.is_whole = unpack is not None and unpack.eof

    def _unpacked(self, unpack: "zlib._Decompress | lzma.LZMADecompressor", block: bytes) -> bytes:
        try:
            return unpack.decompress(block)
        except (zlib.error, lzma.LZMAError) as error:
            raise UsageError(f"{self._path} is not a recording, or a damaged one.", detail=str(error)) from error

    def _blocks(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as file:
                while block := file.read(_BLOCK):
                    yield block
        except OSError as error:
            raise UsageError(f"The recording {self._path} cannot be read.", detail=str(error)) from error
