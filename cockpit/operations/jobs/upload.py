"""Sending a working directory: what would go (the plan), and the sending of it."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

from cockpit.clients import packages
from cockpit.clients.secret_names import secret_kind
from cockpit.clients.working_dir import Tick, package_rules, scan
from cockpit.errors import NotFoundError, UsageError
from cockpit.model.uploads import (
    PackedFile,
    Secret,
    SourceKind,
    UploadPlan,
    UploadProgress,
    UploadResult,
    UploadStage,
    WorkingDirectory,
)
from cockpit.render.text import visible

T = TypeVar("T")

Progress = Callable[[UploadProgress], None]

_REPORTS = 100
"""Progress reports of one stage, at most: a hundred thousand small files need no more."""


class PackageStore(Protocol):
    """The two requests of an upload; names are those of packages, without `gcs://`."""

    async def exists(self, name: str) -> bool:
        """Whether the cluster holds a package; asking keeps it there for 600 s."""

    async def put(self, name: str, path: Path) -> object:
        """Store a package from a file."""


async def plan_upload(path: str, excludes: Iterable[str] = ()) -> UploadPlan:
    """What would be sent for a value of `--working-dir`: a directory, an archive, or a URI that is left as it is.

    Every file is read, for the package's name; the event loop stays free. Raises UsageError as
    `packages.classify`, `working_dir.scan` and `packages.directory_uri` do, and for a package that is sure
    to be over the limit.
    """
    given = _patterns(excludes)
    return await _in_thread(lambda tick: _plan(path, given, tick))


async def upload(store: PackageStore, plan: UploadPlan, *, progress: Progress | None = None) -> UploadResult:
    """Send a plan's package, unless the cluster has it, and return the URI for the runtime env.

    To be done before every submit: only the question pins a package on the head, for 600 s. `progress` is
    called on the event loop. Raises UsageError where files have changed since the plan or the zip is over
    the limit, NotFoundError for a `gcs://` URI that the cluster does not hold, and what the store raises.
    """
    report = progress or _no_report
    report(UploadProgress(UploadStage.CHECKING))
    result = await (_pass_on(store, plan) if plan.kind is SourceKind.REMOTE else _send(store, plan, report))
    report(UploadProgress(UploadStage.DONE, result.zip_bytes or 0, result.zip_bytes))
    return result


def _patterns(excludes: Iterable[object]) -> tuple[str, ...]:
    # A runtime env file may hold anything; a lone text would be taken for a list of letters.
    given = () if isinstance(excludes, str) else tuple(excludes)
    patterns = tuple(one for one in given if isinstance(one, str))
    if isinstance(excludes, str) or len(patterns) != len(given):
        raise UsageError("excludes is not a list of patterns.")
    return patterns


def _no_report(event: UploadProgress) -> None:
    del event


def _plan(path: str, excludes: tuple[str, ...], tick: Tick) -> UploadPlan:
    source = path if "://" in path else os.path.expanduser(path)
    match packages.classify(source):
        case SourceKind.DIRECTORY:
            return _plan_directory(source, excludes, tick)
        case SourceKind.ARCHIVE:
            return _plan_archive(source, excludes, tick)
        case SourceKind.REMOTE:
            return UploadPlan(source, SourceKind.REMOTE, uri=source, ignored_excludes=excludes)


def _plan_directory(source: str, excludes: tuple[str, ...], tick: Tick) -> UploadPlan:
    directory = scan(source, package_rules(excludes), tick)
    _require_readable(directory)
    zip_bytes = None
    if directory.total_bytes > packages.PACKAGE_LIMIT:
        # Whether it fits shows only in a zip, which gives up long before gigabytes would have been hashed.
        uri, zip_bytes = packages.measure_package(directory, tick)
    else:
        uri = packages.directory_uri(directory, tick)
    return UploadPlan(
        source,
        SourceKind.DIRECTORY,
        uri,
        file_count=len(directory.files),
        total_bytes=directory.total_bytes,
        zip_bytes=zip_bytes,
        biggest=directory.biggest(),
        excluded=directory.excluded,
        left_out=directory.left_out,
        secrets=directory.secrets,
        outside_links=directory.outside_links,
        dropped=directory.dropped,
        directory=directory,
    )


def _plan_archive(source: str, excludes: tuple[str, ...], tick: Tick) -> UploadPlan:
    archive = packages.read_archive(source, tick)
    files = archive.files
    found = [(file.path, secret_kind(file.path)) for file in files or ()]
    return UploadPlan(
        source,
        SourceKind.ARCHIVE,
        archive.uri,
        file_count=None if files is None else len(files),
        total_bytes=None if files is None else sum(file.size for file in files),
        zip_bytes=archive.size,
        biggest=_biggest(files or ()),
        secrets=tuple(Secret(path, kind) for path, kind in found if kind),
        ignored_excludes=excludes,
    )


def _biggest(files: tuple[PackedFile, ...]) -> tuple[PackedFile, ...]:
    return WorkingDirectory("", files=files).biggest()


def _require_readable(directory: WorkingDirectory) -> None:
    paths = directory.unreadable
    if not paths:
        return
    first = visible(os.path.join(directory.root, paths[0]))
    others = f" and {len(paths) - 1} more file{'s' if len(paths) > 2 else ''}" if len(paths) > 1 else ""
    raise UsageError(
        f"{first}{others} cannot be read: permission denied.",
        detail="\n".join(visible(path) for path in paths[:10]),
        hint="Leave them out with the excludes option or a .rayignore file, or change their permissions.",
    )


async def _pass_on(store: PackageStore, plan: UploadPlan) -> UploadResult:
    protocol = plan.uri.partition("://")[0].lower()
    # A job that names a package which is gone fails only after it was accepted.
    if protocol == packages.PACKAGE_PROTOCOL and not await store.exists(plan.name):
        raise NotFoundError(
            f"The cluster does not have the package {visible(plan.uri)}.",
            hint="Ray drops packages that no job uses. Submit the directory again.",
        )
    return UploadResult(plan.uri, already_there=True)


async def _send(store: PackageStore, plan: UploadPlan, report: Progress) -> UploadResult:
    if await store.exists(plan.name):
        return UploadResult(plan.uri, already_there=True, zip_bytes=plan.zip_bytes)
    if plan.directory is None:
        archive = await _in_thread(lambda tick: packages.read_archive(plan.source, tick))
        _require_same(plan, archive.uri)
        return await _put(store, plan, Path(plan.source), archive.size, report)
    directory = plan.directory
    with packages.temporary_file() as out:
        packing = _meter(UploadStage.PACKING, directory.total_bytes, report)
        uri = await _in_thread(lambda tick: packages.write_package(directory, out, tick), packing)
        _require_same(plan, uri)
        return await _put(store, plan, Path(out.name), out.tell(), report)


async def _put(store: PackageStore, plan: UploadPlan, path: Path, size: int, report: Progress) -> UploadResult:
    report(UploadProgress(UploadStage.SENDING, 0, size))
    await store.put(plan.name, path)
    return UploadResult(plan.uri, already_there=False, zip_bytes=size)


def _require_same(plan: UploadPlan, uri: str) -> None:
    # Names are promises about content, and the cluster believes them: a wrong one would reach later jobs too.
    if uri != plan.uri:
        raise UsageError(
            f"{visible(plan.source)} changed since it was looked at.", hint="Submit again when nothing writes there."
        )


def _meter(stage: UploadStage, total: int, report: Progress) -> Tick:
    """A tick for a worker thread that reports on the event loop, each time another hundredth is done."""
    loop = asyncio.get_running_loop()
    done = shown = 0

    def tick(count: int) -> None:
        nonlocal done, shown
        done += count
        if done - shown >= total / _REPORTS:
            shown = done
            loop.call_soon_threadsafe(report, UploadProgress(stage, done, total))

    return tick


class _StoppedError(Exception):
    """The task that waited for the thread is gone."""


async def _in_thread(work: Callable[[Tick], T], tick: Tick | None = None) -> T:
    """Run work in a thread that ends soon after this task is cancelled, with nothing left behind."""
    stopping = threading.Event()

    def watch(count: int) -> None:
        if stopping.is_set():
            raise _StoppedError
        if tick is not None:
            tick(count)

    running = asyncio.ensure_future(asyncio.to_thread(work, watch))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stopping.set()
        # Files that the thread writes to are closed by the caller: it must have ended before that.
        await asyncio.wait([running])
        running.exception()
        raise
