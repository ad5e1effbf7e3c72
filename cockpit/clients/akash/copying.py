"""Copying between this machine and a container: tar over a shell of the lease, resumed where it broke, and compared.

The container needs `sh`, `tar`, `tail`, `head`, `wc` and `sha256sum`, which busybox has too. An archive of files that
do not change is the same each time, so a broken stream goes on at its offset; the SHA-256 of the whole shows whether
it did, and where not the copy restarts, once.
"""

import asyncio
import contextlib
import hashlib
import os
import shlex
import tarfile
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path, PurePosixPath

import msgspec

from cockpit.clients.akash.gateway import BACK_OFF_S, STDOUT, ProviderGateway, Shell
from cockpit.errors import AuthenticationError, NotFoundError, RejectedError, UnreachableError, UsageError
from cockpit.model.akash.deployments import LeaseId

PIECE = 32 * 1024
TRIES = 8
_PART = ".rayakash-part"
OnProgress = Callable[[int, int | None], None]


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """A container of a lease: one replica of a service."""

    lease: LeaseId
    service: str
    pod: int = 0


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied: where it is now, the bytes of its archive and their SHA-256, and how often the stream broke."""

    path: str
    archive_bytes: int
    sha256: str
    resumed: int = 0


def _no_progress(done: int, total: int | None) -> None:
    del done, total


class Copier:
    """Copies files of one container; `on_progress` is called with bytes done and, where known, bytes in all."""

    def __init__(
        self, gateway: ProviderGateway, container: Container, *, on_progress: OnProgress = _no_progress
    ) -> None:
        self._gateway = gateway
        self._container = container
        self._on_progress = on_progress

    # From the container

    async def download(self, remote: str, local: Path) -> Copied:
        """Copy a file or folder of the container to `local`, or into it where it is a folder.

        Raises NotFoundError, UsageError for a place that cannot be written, RejectedError for an unequal copy.
        """
        source = PurePosixPath(remote)
        if source.name in ("", ".."):
            raise UsageError(f"{remote!r} does not name a file or folder to copy.")
        if not hasattr(tarfile, "data_filter"):
            raise UsageError("Copying out of a container needs Python 3.11.4 or newer.")
        target = _target(local, source.name)
        part = target.parent / f".{target.name}{_PART}"
        await self._run(
            f"test -e {shlex.quote(remote)}", absent=f"{remote} does not exist in {self._container.service}."
        )
        archive = f"tar -C {shlex.quote(str(source.parent))} -cf - {shlex.quote('./' + source.name)}"
        for attempt in range(2):
            resumed = await self._receive(archive, part)
            digest = await asyncio.to_thread(_sha256, part)
            if digest == (await self._run(f"{archive} | sha256sum")).split()[0]:
                break
            part.unlink()
            if attempt:
                raise _unequal(remote)
        size = part.stat().st_size
        await asyncio.to_thread(_unpack, part, source.name, target)
        return Copied(path=str(target), archive_bytes=size, sha256=digest, resumed=resumed)

    async def _receive(self, archive: str, part: Path) -> int:
        """Append to `part` what of the archive it lacks; returns how often the stream broke."""
        with _writable(part) as file:
            return await self._resumed(lambda: self._append(archive, file), lambda: file.tell())

    async def _append(self, archive: str, file: "_File") -> None:
        script = f"{archive} | tail -c +{file.tell() + 1}"
        async with self._shell(script) as shell:
            async for kind, data in shell.output():
                if kind == STDOUT:
                    file.write(data)
                    self._on_progress(file.tell(), None)
            _check(shell, "read the files")

    # To the container

    async def upload(self, local: Path, remote: str) -> Copied:
        """Copy a file or folder of this machine to `remote` in the container, or into it where it is a folder.

        While it lasts the container holds the archive beside the files. Raises UsageError for files that cannot be
        read, RejectedError for an unequal copy.
        """
        wanted = PurePosixPath(remote)
        is_folder = remote.endswith("/") or "yes" in await self._run(f"test -d {shlex.quote(remote)} && echo yes || :")
        folder, name = (wanted, _own_name(local)) if is_folder else (wanted.parent, wanted.name)
        if name in ("", ".."):
            raise UsageError(f"{remote!r} does not name a place to copy to.")
        with tempfile.TemporaryDirectory(prefix="rayakash-") as own:
            archive = Path(own) / "archive.tar"
            await asyncio.to_thread(_pack, local, name, archive)
            digest, size = await asyncio.to_thread(_sha256, archive), archive.stat().st_size
            part = shlex.quote(f"{folder}/.{name}{_PART}-{digest[:12]}")
            await self._run(f"mkdir -p {shlex.quote(str(folder))}")
            for attempt in range(2):
                resumed = await self._resumed(lambda: self._give(archive, size, part), lambda: 0)
                if digest == (await self._run(f"sha256sum < {part}")).split()[0]:
                    break
                await self._run(f"rm -f {part}")
                if attempt:
                    raise _unequal(remote)
        await self._run(f"tar -C {shlex.quote(str(folder))} -xf {part} && rm -f {part}")
        return Copied(path=str(folder / name), archive_bytes=size, sha256=digest, resumed=resumed)

    async def _give(self, archive: Path, size: int, part: str) -> None:
        """Append to the container's part what of the archive it lacks; `head` knows when it has all."""
        offset = int(await self._run(f"cat {part} 2>/dev/null | wc -c"))
        if offset >= size:
            return
        async with self._shell(f"head -c {size - offset} >> {part}", stdin=True) as shell:
            feeding = asyncio.create_task(self._feed(shell, archive, offset, size))
            try:
                async for _ in shell.output():
                    pass
            finally:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
            _check(shell, "write the files")

    async def _feed(self, shell: Shell, archive: Path, offset: int, size: int) -> None:
        with archive.open("rb") as file:
            file.seek(offset)
            while piece := file.read(PIECE):
                await shell.write(piece)
                self._on_progress(file.tell(), size)

    # Shells

    async def _resumed(self, step: Callable[[], Awaitable[None]], offset: Callable[[], int]) -> int:
        """Run a step until it is through, again where the connection broke; raises after TRIES without progress."""
        broken = failures = 0
        while True:
            before = offset()
            try:
                await step()
            except AuthenticationError:
                self._gateway.forget_token()
                if failures:
                    raise
            except UnreachableError:
                if failures >= TRIES:
                    raise
            else:
                return broken
            broken += 1
            failures = 0 if offset() > before else failures + 1
            await self._gateway.clock.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])

    @contextlib.asynccontextmanager
    async def _shell(self, script: str, *, stdin: bool = False) -> AsyncIterator[Shell]:
        where = self._container
        command = ["/bin/sh", "-c", script]
        async with self._gateway.shell(where.lease, where.service, command, pod=where.pod, stdin=stdin) as shell:
            yield shell

    async def _run(self, script: str, *, absent: str = "") -> str:
        """The output of a short script, which may be run again. Raises RejectedError; with `absent` NotFoundError."""
        found = bytearray()

        async def run() -> None:
            found.clear()
            async with self._shell(script) as shell:
                async for kind, data in shell.output():
                    found.extend(data if kind == STDOUT else b"")
                if absent and shell.exit_code:
                    raise NotFoundError(absent)
                _check(shell, "run a command")

        await self._resumed(run, lambda: 0)
        return found.decode("utf-8", "replace").strip()


class _File(contextlib.AbstractContextManager["_File"]):
    """A file that is appended to, private to its owner."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600), "ab")
        self._size = os.fstat(self._file.fileno()).st_size

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def tell(self) -> int:
        """How much it holds."""
        return self._size

    def write(self, data: bytes) -> None:
        """Append."""
        self._file.write(data)
        self._size += len(data)


def _own_name(path: Path) -> str:
    """A file's or folder's name, that of `.` included."""
    return path.resolve().name


def _target(local: Path, name: str) -> Path:
    target = local / name if local.is_dir() else local
    if target.exists():
        raise UsageError(f"{target} already exists.", hint="Name another place, or move it away.")
    return target


def _writable(path: Path) -> _File:
    try:
        return _File(path)
    except OSError as error:
        raise UsageError(f"{path.parent} cannot be written to.", detail=str(error)) from error


def _check(shell: Shell, what: str) -> None:
    if shell.exit_code is None:
        raise UnreachableError("The connection to the container broke.", fault="cut")
    if shell.exit_code:
        raise RejectedError(
            f"The container could not {what} (exit code {shell.exit_code}).",
            detail=shell.errors,
            hint="Copying needs sh, tar, tail, head, wc and sha256sum in the container.",
        )


def _unequal(path: str) -> RejectedError:
    return RejectedError(
        f"The copy of {path} differs from the original.",
        hint="Is something still writing there? Stop it, or copy a folder that does not change.",
        fault="checksum",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(local: Path, name: str, archive: Path) -> None:
    try:
        with tarfile.open(archive, "w") as tar:
            tar.add(local, arcname=f"./{name}")
    except (OSError, tarfile.TarError) as error:
        raise UsageError(f"{local} cannot be read.", detail=str(error)) from error


def _unpack(part: Path, name: str, target: Path) -> None:
    """Unpack beside the target, with nothing outside of it, and put it in its place at once."""
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".rayakash-") as own:
            with tarfile.open(part) as tar:
                tar.extractall(own, filter="data")
            (Path(own) / name).rename(target)
    except (OSError, tarfile.TarError) as error:
        raise RejectedError(f"The archive could not be unpacked to {target}.", detail=str(error)) from error
    part.unlink()
