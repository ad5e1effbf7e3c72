"""Which files of a working directory go to the cluster: the rules of Ray 2.60, without importing it.

Source of the rules: `ray/_private/runtime_env/packaging.py` (`_dir_travel`, `_zip_files`) and
`working_dir.py` (`upload_working_dir_if_needed`). What surprises in them, and is kept:

- links are followed; a directory reached by a link is packed as a directory;
- an ignore file counts for its own directory too, under the name `.`: a `.gitignore` that says `*` or `.*`
  removes the directory that it lies in, the working directory itself included;
- ignore files only add up: a `!` line takes back lines of its own file, never those of another one. The
  default excludes and the `excludes` option are one list, so `excludes: ["!venv"]` does bring `venv` back;
- sockets, pipes and broken links count in the package's name and are not packed. Ray itself waits forever
  for a named pipe; here it is treated as a socket is.
"""

import errno
import io
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from cockpit.clients.ignore_rules import IgnoreRules, parse_rules
from cockpit.clients.secret_names import secret_kind
from cockpit.errors import UsageError
from cockpit.model.uploads import Excluded, LeftOut, PackedFile, Reason, Secret, WorkingDirectory
from cockpit.render.text import visible
from cockpit.settings import read_file

MAX_ENTRIES = 1_000_000
"""No package holds more: 100 MiB would leave each file less than its two zip headers."""

WEIGHED_ENTRIES = 20_000
"""How many excluded files are looked at, at most, to say how large the excluded directories are."""

LARGEST_IGNORE_FILE = 1024 * 1024
LINK_BACK = "link to a directory that contains it"

DEFAULT_EXCLUDES = ".git,.venv,venv,__pycache__"
LEAVE_OUT_HINT = "Leave it out with the excludes option or a line in a .rayignore file."

Identity = tuple[int, int]
"""Device and inode."""

Tick = Callable[[int], None]
"""Called every now and then with the bytes read since its last call; what it raises ends the work."""


def no_tick(count: int) -> None:
    """Nobody watches."""
    del count


class PackageRules(NamedTuple):
    """What to leave out besides the ignore files: pattern lists, and whether .gitignore counts."""

    excludes: tuple[str, ...] = ()
    default_excludes: tuple[str, ...] = tuple(DEFAULT_EXCLUDES.split(","))
    gitignore: bool = True


def package_rules(excludes: Iterable[str], environ: Mapping[str, str] = os.environ) -> PackageRules:
    """The rules under Ray's own environment variables.

    `RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES` (comma-separated, empty for none) and
    `RAY_RUNTIME_ENV_IGNORE_GITIGNORE=1`; source: `ray/_private/ray_constants.py`.
    """
    defaults = environ.get("RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES", DEFAULT_EXCLUDES).split(",")
    return PackageRules(
        excludes=tuple(excludes),
        default_excludes=tuple(name.strip() for name in defaults if name.strip()),
        gitignore=environ.get("RAY_RUNTIME_ENV_IGNORE_GITIGNORE", "0") != "1",
    )


def scan(
    path: str | os.PathLike[str],
    rules: PackageRules = PackageRules(),  # noqa: B008  immutable
    tick: Tick = no_tick,
) -> WorkingDirectory:
    """What Ray would pack of a directory; file contents are not read.

    Raises UsageError for a path that is not a directory, an unreadable directory or ignore file, a loop of
    symbolic links, a name that is not UTF-8, and a tree of more than MAX_ENTRIES.
    """
    root = os.path.abspath(os.fspath(path))
    status = _directory_status(root)
    scanner = _Scanner(root, rules, tick)
    scanner.run(status)
    return scanner.result()


class _Filter(NamedTuple):
    """Rules that hold from one directory downwards; paths here are relative to the working directory."""

    folder: str
    rules: IgnoreRules
    reason: Reason
    origin: str = ""
    defaults: int = 0

    def decide(self, path: str, is_directory: bool) -> Excluded | None:
        relative = "." if path == self.folder else path if self.folder == "." else path[len(self.folder) + 1 :]
        rule = self.rules.decide(relative)
        if rule is None:
            return None
        reason = Reason.DEFAULT if rule.line < self.defaults else self.reason
        return Excluded(path, None, reason, self.origin, rule.text, is_directory)


class _Folder(NamedTuple):
    path: str
    filters: tuple[_Filter, ...]
    above: tuple[Identity, ...]
    """This directory and the ones that it lies in or was reached through, to notice a link back to one of them."""


class _Scanner:
    def __init__(self, root: str, rules: PackageRules, tick: Tick) -> None:
        self._root = root
        self._real_root = os.path.realpath(root)
        self._rules = rules
        self._tick = tick
        self._seen = 0
        self._to_weigh = WEIGHED_ENTRIES
        self._folders: list[_Folder] = []
        self._files: list[PackedFile] = []
        self._directories: list[str] = []
        self._empty: list[str] = []
        self._excluded: list[Excluded] = []
        self._left_out: list[LeftOut] = []
        self._unreadable: list[str] = []
        self._secrets: list[Secret] = []
        self._outside: list[str] = []

    def run(self, status: os.stat_result) -> None:
        """Walk the tree without recursion, so that depth costs no stack."""
        lines = (*self._rules.default_excludes, *self._rules.excludes)
        given = _Filter(
            ".", parse_rules(lines, "the excludes"), Reason.OPTION, defaults=len(self._rules.default_excludes)
        )
        if excluded := self._enter(".", status, (given,), tuple(_ancestors(self._real_root))):
            self._excluded.append(excluded)
        while self._folders:
            self._visit(self._folders.pop())

    def result(self) -> WorkingDirectory:
        packed = [*(file.path for file in self._files), *self._empty]
        return WorkingDirectory(
            root=self._root,
            files=tuple(self._files),
            directories=tuple(self._directories),
            empty_directories=tuple(self._empty),
            excluded=tuple(self._excluded),
            left_out=tuple(self._left_out),
            unreadable=tuple(self._unreadable),
            secrets=tuple(self._secrets),
            outside_links=tuple(self._outside),
            dropped=tuple(path for path in packed if _is_dropped(path)),
        )

    def _enter(
        self, path: str, status: os.stat_result, filters: tuple[_Filter, ...], above: tuple[Identity, ...]
    ) -> Excluded | None:
        """Queue a directory to be visited, unless a rule excludes it."""
        filters = (*filters, *self._own_filters(path))
        if excluded := _decide(filters, path, is_directory=True):
            return excluded
        self._require_utf8(path)
        self._directories.append(path)
        self._folders.append(_Folder(path, filters, (*above, (status.st_dev, status.st_ino))))
        return None

    def _visit(self, folder: _Folder) -> None:
        entries = self._list(folder.path)
        self._count(len(entries))
        if not entries:
            self._empty.append(folder.path)
        excluded = [gone for entry in entries if (gone := self._take(folder, entry))]
        together = _collapse(folder.path, excluded) if len(excluded) == len(entries) else None
        self._excluded.extend([together] if together else excluded)

    def _take(self, folder: _Folder, entry: os.DirEntry[str]) -> Excluded | None:
        """Sort one entry in, or say what excludes it."""
        path = entry.name if folder.path == "." else f"{folder.path}/{entry.name}"
        if excluded := _decide(folder.filters, path, is_directory=entry.is_dir(follow_symlinks=False)):
            return self._weighed(excluded, entry)
        status = self._status(entry)
        if status is None:
            self._leave_out(path, "broken link")
        elif stat.S_ISDIR(status.st_mode) and (status.st_dev, status.st_ino) in folder.above:
            self._leave_out(path, LINK_BACK)  # packing it would never end; Ray itself fails on such a tree
            return None
        elif stat.S_ISDIR(status.st_mode):
            if excluded := self._enter(path, status, folder.filters, folder.above):
                return self._weighed(excluded, entry)
        elif stat.S_ISREG(status.st_mode):
            self._add_file(path, entry, status)
        else:
            self._leave_out(path, _kind(status.st_mode))
        if entry.is_symlink() and status is not None and self._leads_out(entry.path):
            self._outside.append(path)
        return None

    def _add_file(self, path: str, entry: os.DirEntry[str], status: os.stat_result) -> None:
        self._require_utf8(path)
        self._files.append(PackedFile(path, status.st_size, status.st_mtime_ns))
        if not os.access(entry.path, os.R_OK):
            self._unreadable.append(path)
        if kind := secret_kind(path):
            self._secrets.append(Secret(path, kind))

    def _leave_out(self, path: str, kind: str) -> None:
        self._require_utf8(path)
        self._left_out.append(LeftOut(path, kind))

    def _own_filters(self, path: str) -> Iterable[_Filter]:
        names = ((Reason.GITIGNORE,) if self._rules.gitignore else ()) + (Reason.RAYIGNORE,)
        for reason in names:
            origin = reason.value if path == "." else f"{path}/{reason.value}"
            if os.path.isfile(self._full(origin)):
                yield _Filter(path, parse_rules(self._lines(origin), origin), reason, origin)

    def _lines(self, origin: str) -> list[str]:
        full = self._full(origin)
        try:
            text = read_file(Path(full), LARGEST_IGNORE_FILE).decode("utf-8")
            return io.StringIO(text, newline=None).readlines()  # line ends as those of a file opened for text
        except UnicodeDecodeError:
            raise UsageError(f"{visible(full)} is not UTF-8 text.") from None
        except OSError as error:
            raise _unusable(full, error) from None

    def _list(self, path: str) -> list[os.DirEntry[str]]:
        full = self._full(path)
        try:
            with os.scandir(full) as entries:
                # Sorted, so that a directory always gives the same zip.
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise _unusable(full, error) from None

    def _count(self, entries: int) -> None:
        self._tick(0)
        self._seen += entries
        if self._seen > MAX_ENTRIES:
            raise UsageError(
                f"{visible(self._root)} holds more than {MAX_ENTRIES:,} files, too many for a working directory.",
                hint="Name the project's own directory, or leave data out with a .rayignore file.",
            )

    def _status(self, entry: os.DirEntry[str]) -> os.stat_result | None:
        try:
            return entry.stat()
        except OSError as error:
            if entry.is_symlink() and error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return None
            raise _unusable(entry.path, error) from None

    def _leads_out(self, full: str) -> bool:
        target = os.path.realpath(full)
        return os.path.commonpath([target, self._real_root]) != self._real_root

    def _weighed(self, excluded: Excluded, entry: os.DirEntry[str]) -> Excluded:
        return msgspec.structs.replace(excluded, size=self._weigh(entry))

    def _weigh(self, top: os.DirEntry[str]) -> int | None:
        """Bytes of an excluded path, links not followed; None once looking costs too much."""
        total, pending = 0, [top]
        while pending:
            entry = pending.pop()
            self._to_weigh -= 1
            if self._to_weigh < 0:
                return None
            try:
                if entry.is_dir(follow_symlinks=False):
                    with os.scandir(entry.path) as below:
                        pending.extend(below)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
            except OSError:
                return None
        return total

    def _require_utf8(self, path: str) -> None:
        try:
            path.encode()
        except UnicodeEncodeError:
            raise UsageError(
                f"The name {visible(path)} is not valid UTF-8, and Ray cannot pack it.", hint=LEAVE_OUT_HINT
            ) from None

    def _full(self, path: str) -> str:
        return self._root if path == "." else os.path.join(self._root, path)


def _ancestors(root: str) -> Iterable[Identity]:
    """The directories that `root` lies in; one that cannot be seen is left out, as no link leads to it either."""
    while root != (root := os.path.dirname(root)):
        with suppress(OSError):
            status = os.stat(root)
            yield status.st_dev, status.st_ino


def _directory_status(root: str) -> os.stat_result:
    try:
        status = os.stat(root)
    except (OSError, ValueError) as error:
        raise _unusable(root, error) from None
    if not stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{visible(root)} is not a directory.")
    return status


def _decide(filters: Iterable[_Filter], path: str, *, is_directory: bool) -> Excluded | None:
    for one in filters:
        if excluded := one.decide(path, is_directory):
            return excluded
    return None


def _collapse(folder: str, excluded: list[Excluded]) -> Excluded | None:
    """One entry for a directory that loses all it holds to one rule, as `node_modules/` does it."""
    if folder == "." or len({(one.reason, one.origin, one.pattern) for one in excluded}) != 1:
        return None
    sizes = [one.size for one in excluded]
    known = [size for size in sizes if size is not None]
    total = sum(known) if len(known) == len(sizes) else None
    return Excluded(folder, total, excluded[0].reason, excluded[0].origin, excluded[0].pattern, is_directory=True)


def _kind(mode: int) -> str:
    if stat.S_ISSOCK(mode):
        return "socket"
    return "named pipe" if stat.S_ISFIFO(mode) else "device"


def _is_dropped(path: str) -> bool:
    """Whether Ray skips a name when it unpacks: a backslash, or what Windows would take for a drive.

    Source: `unzip_package` in `ray/_private/runtime_env/packaging.py`, Ray 2.60.
    """
    return "\\" in path or path[1:2] == ":"


def _unusable(full: str, error: Exception) -> UsageError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return UsageError(f"{visible(full)} cannot be read: {reason}.")
