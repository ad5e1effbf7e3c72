"""Packages as Ray 2.60 names and fills them: the value of `--working-dir`, the content hash, the zip.

Source: `ray/_private/runtime_env/packaging.py` and `ray/_common/runtime_env_uri.py`. The name of a directory's
package is sixteen hex digits: eight ASCII zeros, XORed with the first eight bytes of the SHA-1 of each path kept
(name, and content for a file). Ray stores files uncompressed in its zip and this one deflates them: the name
speaks of the content alone, and the 100 MiB that a head accepts hold more.
"""

import errno
import hashlib
import os
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple
from urllib.parse import urlsplit

from cockpit.clients.working_dir import Tick, no_tick
from cockpit.errors import UsageError
from cockpit.model.uploads import PackedFile, SourceKind, WorkingDirectory
from cockpit.render.text import visible
from cockpit.render.units import size

PACKAGE_LIMIT = 104_857_600
"""Bytes that the dashboard accepts in one request; one more is answered with 413."""

ARCHIVE_EXTENSIONS = (".zip", ".tar.gz", ".tgz", ".tar.xz")
PACKAGE_PROTOCOL = "gcs"
_REMOTE_PROTOCOLS = ("gcs", "http", "https", "s3", "gs", "azure", "abfss", "file")
_LOCAL_PROTOCOL = "local"

_CHUNK = 1 << 20
_REPLACED = "it changed meanwhile"
_TOO_BIG_HINT = (
    "Leave data out with the excludes option or a .rayignore file, or give the URI of an archive (s3://…, https://…)."
)


def classify(value: str) -> SourceKind:
    """What a value of `--working-dir` is; URIs are not touched, paths are looked at.

    Raises UsageError for a path that is neither a directory nor an archive, and for a URI that Ray would refuse.
    """
    if not value:
        raise UsageError("The working directory is an empty string.")
    if "://" in value:
        _require_ray_uri(value)
        return SourceKind.REMOTE
    try:
        mode = os.stat(value).st_mode
    except (OSError, ValueError) as error:
        raise UsageError(f"{visible(value)} cannot be read: {_reason(error)}.") from None
    if stat.S_ISDIR(mode):
        return SourceKind.DIRECTORY
    if stat.S_ISREG(mode) and value.endswith(ARCHIVE_EXTENSIONS):
        return SourceKind.ARCHIVE
    raise UsageError(
        f"{visible(value)} is neither a directory nor an archive.",
        hint=f"Ray unpacks {', '.join(ARCHIVE_EXTENSIONS)}.",
    )


def directory_uri(directory: WorkingDirectory, tick: Tick = no_tick) -> str:
    """The URI that Ray gives a directory's content; every file is read once.

    Raises UsageError for a file that is unreadable or no longer what the scan saw.
    """
    total = _TreeHash(directory)
    for file in directory.files:
        for _ in total.passing(file.path, _read(directory, file, tick)):
            pass
    return total.uri


def write_package(directory: WorkingDirectory, out: IO[bytes], tick: Tick = no_tick) -> str:
    """Write a directory's zip to an open file and return the URI of the content that went in.

    Raises UsageError for a file that is unreadable or no longer what the scan saw, for a package over
    PACKAGE_LIMIT (as soon as it is), and when `out` cannot be written.
    """
    try:
        uri = _write(directory, out, tick)
        out.flush()
    except OSError as error:
        raise UsageError(f"The package cannot be written to {tempfile.gettempdir()}: {_reason(error)}.") from None
    _require_room(directory, out)
    return uri


def measure_package(directory: WorkingDirectory, tick: Tick = no_tick) -> tuple[str, int]:
    """URI and zip bytes of a directory, from a zip that is thrown away; raises as `write_package` does."""
    with temporary_file() as out:
        return write_package(directory, out, tick), out.seek(0, os.SEEK_END)


@contextmanager
def temporary_file() -> Iterator[IO[bytes]]:
    """A private file (0600), named by its `name`, that is gone afterwards; raises UsageError where none can be made."""
    try:
        handle, path = tempfile.mkstemp(prefix="rayakash-", suffix=".zip")
    except OSError as error:
        raise UsageError(f"No temporary file can be made: {_reason(error)}.") from None
    os.close(handle)
    try:
        with open(path, "r+b") as out:
            yield out
    finally:
        os.unlink(path)


class Archive(NamedTuple):
    """An archive that the user packed: its URI, its size in bytes, its files where they can be listed (zip)."""

    uri: str
    size: int
    files: tuple[PackedFile, ...] | None


def read_archive(path: str, tick: Tick = no_tick) -> Archive:
    """Name and content of an archive, by Ray's rules: all forty digits of its SHA-1, `.tgz` as `.tar.gz`.

    Raises UsageError for an unreadable or oversized file, and for one that is not what its name says.
    """
    file = _regular_file(path)
    if file.size > PACKAGE_LIMIT:
        raise UsageError(
            f"{visible(path)} has {file.size:,} bytes, and Ray accepts {PACKAGE_LIMIT:,}.", hint=_TOO_BIG_HINT
        )
    digest = hashlib.sha1(usedforsecurity=False)
    for chunk in _chunks(path, file, tick):
        digest.update(chunk)
    extension = next(one for one in ARCHIVE_EXTENSIONS if path.endswith(one))
    listed = _zip_files(path) if extension == ".zip" else None
    if listed is None:
        _require_tar(path)
    extension = ".tar.gz" if extension == ".tgz" else extension
    return Archive(f"{PACKAGE_PROTOCOL}://_ray_pkg_{digest.hexdigest()}{extension}", file.size, listed)


class _TreeHash:
    """Ray's content hash of a tree; the order of the paths does not matter."""

    def __init__(self, directory: WorkingDirectory) -> None:
        self._value = int.from_bytes(b"0" * 8)
        for path in (*directory.directories, *(left.path for left in directory.left_out)):
            for _ in self.passing(path, ()):
                pass

    def passing(self, path: str, content: Iterable[bytes]) -> Iterator[bytes]:
        """Hand a path's content through; it counts once it has passed to its end."""
        digest = hashlib.sha1(path.encode(), usedforsecurity=False)
        for chunk in content:
            digest.update(chunk)
            yield chunk
        self._value ^= int.from_bytes(digest.digest()[:8])

    @property
    def uri(self) -> str:
        return f"{PACKAGE_PROTOCOL}://_ray_pkg_{self._value:016x}.zip"


def _write(directory: WorkingDirectory, out: IO[bytes], tick: Tick) -> str:
    total = _TreeHash(directory)
    # Years that a zip cannot hold are moved to 1980 or 2107, as Ray does.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as package:
        for path in directory.empty_directories:
            package.writestr(_zip_info(directory, path, is_directory=True), b"")
        for file in directory.files:
            with package.open(_zip_info(directory, file.path), "w") as target:
                for chunk in total.passing(file.path, _read(directory, file, tick)):
                    target.write(chunk)
                    _require_room(directory, out)
            _require_room(directory, out)
    return total.uri


def _zip_info(directory: WorkingDirectory, path: str, *, is_directory: bool = False) -> zipfile.ZipInfo:
    full = os.path.join(directory.root, path)
    try:
        info = zipfile.ZipInfo.from_file(full, path, strict_timestamps=False)
    except OSError as error:
        raise _changed(full, _reason(error)) from None
    if info.is_dir() != is_directory:
        raise _changed(full, _REPLACED)
    info.compress_type = zipfile.ZIP_STORED if is_directory else zipfile.ZIP_DEFLATED
    return info


def _require_room(directory: WorkingDirectory, out: IO[bytes]) -> None:
    if out.tell() <= PACKAGE_LIMIT:
        return
    lines = [f"{size(file.size):>10}  {visible(file.path)}" for file in directory.biggest()]
    raise UsageError(
        f"The package of {visible(directory.root)} is over {size(PACKAGE_LIMIT)}, the most that Ray accepts.",
        detail="\n".join(["The biggest files:", *lines]),
        hint=_TOO_BIG_HINT,
    )


def _read(directory: WorkingDirectory, file: PackedFile, tick: Tick) -> Iterator[bytes]:
    return _chunks(os.path.join(directory.root, file.path), file, tick)


def _chunks(full: str, file: PackedFile, tick: Tick) -> Iterator[bytes]:
    """The content of a file, which must be as long and as old as it was at the scan."""
    left = file.size
    try:
        with _opened(full, file) as source:
            # One byte more than expected, to notice a file that grows without following it to its end.
            while left >= 0 and (chunk := source.read(min(_CHUNK, left + 1))):
                left -= len(chunk)
                tick(len(chunk))
                yield chunk
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO):
            raise _changed(full, _reason(error)) from None
        raise UsageError(f"{visible(full)} cannot be read: {_reason(error)}.") from None
    if left != 0:
        raise _changed(full, "its size differs from the announced one")


def _opened(full: str, file: PackedFile) -> IO[bytes]:
    # Non-blocking, since a pipe may have taken the file's place: opening one waits for a writer.
    handle = os.open(full, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(handle)
    if stat.S_ISREG(status.st_mode) and (status.st_size, status.st_mtime_ns) == (file.size, file.modified_ns):
        return os.fdopen(handle, "rb", buffering=0)
    os.close(handle)
    raise _changed(full, _REPLACED)


def _changed(full: str, reason: str) -> UsageError:
    return UsageError(
        f"{visible(full)} changed while it was being packed: {reason}.", hint="Submit again when nothing writes there."
    )


def _regular_file(path: str) -> PackedFile:
    try:
        status = os.stat(path)
    except OSError as error:
        raise UsageError(f"{visible(path)} cannot be read: {_reason(error)}.") from None
    return PackedFile(path, status.st_size, status.st_mtime_ns)


def _zip_files(path: str) -> tuple[PackedFile, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(PackedFile(one.filename, one.file_size) for one in archive.infolist() if not one.is_dir())
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise UsageError(f"{visible(path)} is not a zip archive.", detail=visible(str(error))) from None


def _require_tar(path: str) -> None:
    try:
        if tarfile.is_tarfile(path):
            return
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{visible(path)} is not a tar archive.", detail=visible(str(error))) from None
    raise UsageError(f"{visible(path)} is not a tar archive.")


def _require_ray_uri(value: str) -> None:
    """Refuse what Ray would refuse; the message leaves out user names and query, which may hold secrets."""
    try:
        uri = urlsplit(value)
    except ValueError:
        raise UsageError("The working directory is not a valid URI.") from None
    if uri.scheme == _LOCAL_PROTOCOL:
        path = value.partition("://")[2]
        if not path.startswith("/") or path.endswith((*ARCHIVE_EXTENSIONS, ".whl")):
            raise UsageError("A local:// working directory is an absolute path of a directory on every node.")
        return
    if uri.scheme not in _REMOTE_PROTOCOLS:
        known = ", ".join(f"{one}://" for one in (*_REMOTE_PROTOCOLS, _LOCAL_PROTOCOL))
        raise UsageError(
            f"Ray does not support a working directory at {visible(uri.scheme)}://.", hint=f"It supports {known}."
        )
    named = uri.netloc if uri.scheme == PACKAGE_PROTOCOL else uri.netloc + uri.path
    if not named.endswith(ARCHIVE_EXTENSIONS):
        raise UsageError(
            f"The {uri.scheme}:// working directory is not an archive.",
            hint=f"Ray unpacks {', '.join(ARCHIVE_EXTENSIONS)}.",
        )


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
