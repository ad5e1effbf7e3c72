"""Everything that a job wrote into its logs, in one tar file."""

import io
import os
import re
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.errors import CockpitError, UsageError
from cockpit.feeds.follower import LogFollower
from cockpit.feeds.log_source import LogState
from cockpit.feeds.patience import Outage
from cockpit.feeds.spool import Spool
from cockpit.model.jobs import Job
from cockpit.operations.logs.job_files import JobFiles
from cockpit.operations.logs.node_logs import NodeFile

RETRY_SECONDS = 60.0
MISSING = "MISSING.txt"


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What is in an archive: names of members and their bytes, and sentences about what could not be had."""

    files: tuple[tuple[str, int], ...]
    missing: tuple[str, ...]


class _Once:
    """A log that is read to its end of now."""

    can_stream = False
    interval = 1.0
    has_answered = True

    def __init__(self, client: RayClient, file: LogFile) -> None:
        self.client = client
        self._file = file

    async def look(self) -> LogState:
        """It is where it was said to be."""
        return LogState(file=self._file, is_over=True)


class _Quiet:
    """Hears of the reading, and keeps what makes it less than whole."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def wrote(self, chunk: bytes) -> None:
        """It is in the spool."""

    def waiting(self, state: LogState) -> None:
        """It is there."""

    def away(self, outage: Outage) -> None:
        """It is tried again."""

    def reconnected(self, *, proven: bool) -> None:
        """It goes on."""
        if not proven:
            self.notes.append("the connection broke, and whether bytes were lost is unproven")

    def replaced(self) -> None:
        """Another file follows."""
        self.notes.append("it was replaced while it was read; both parts are in it")

    def noted(self, sentence: str) -> None:
        """Something is not as it should be."""
        self.notes.append(sentence)


async def save_logs(
    client: RayClient, job_id: str, path: Path, *, on_file: Callable[[str, int], None] = lambda _name, _size: None
) -> Saved:
    """Write the log of a job, and the files of its workers on every living node, to a tar file (mode 0600).

    A name that ends in `gz` is compressed. One file at a time, through a spool on disk: memory does not grow with them.
    `on_file` gets each name and size. The file appears when it is complete. Raises NotFoundError for an unknown
    job, UsageError where the file cannot be written, and what the client raises.
    """
    job = await client.jobs.get(job_id)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            saved = await _Archive(client, job, out, on_file, compressed=path.name.endswith("gz")).write()
        os.replace(draft, path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            draft.unlink()
    return saved


class _Archive:
    def __init__(
        self, client: RayClient, job: Job, out: IO[bytes], on_file: Callable[[str, int], None], *, compressed: bool
    ) -> None:
        self._client = client
        self._job = job
        self._tar = tarfile.open(fileobj=out, mode="w:gz" if compressed else "w")  # noqa: SIM115 - closed by write
        self._on_file = on_file
        self._files: list[tuple[str, int]] = []
        self._missing: list[str] = []

    async def write(self) -> Saved:
        with self._tar:
            files = JobFiles(self._client, self._job)
            async for file in files.found():
                await self._add(file)
            self._missing += files.missing
            if self._missing:
                text = "".join(f"{sentence}\n" for sentence in self._missing).encode()
                self._put(MISSING, io.BytesIO(text), len(text))
        return Saved(files=tuple(self._files), missing=tuple(self._missing))

    async def _add(self, file: NodeFile) -> None:
        """Fetch one file and put it into the archive, as far as it could be had."""
        heard = _Quiet()
        source = _Once(self._client, LogFile(node_id=file.node_id, filename=file.name))
        with Spool() as spool:
            follower = LogFollower(source, spool, heard, follow=False, retry_for=RETRY_SECONDS, retry_from_start=True)
            try:
                if (missing := (await follower.run()).missing) is not None:
                    heard.notes.append(missing)
            except CockpitError as error:
                if error.exit_code not in (1, 3):
                    raise
                heard.notes.append(error.title)
            self._missing += [f"{file.name} on node {file.node_id[:12]}: {note}" for note in heard.notes]
            if spool.size or not heard.notes:
                self._put(f"{file.node_id[:12]}/{file.name}", io.BufferedReader(_Reader(spool)), spool.size)

    def _put(self, name: str, data: IO[bytes], size: int) -> None:
        info = tarfile.TarInfo("/".join(_plain(part) for part in (self._job.id or "job", *name.split("/"))))
        info.size, info.mtime, info.mode = size, int(time.time()), 0o600
        self._tar.addfile(info, data)
        self._files.append((info.name, size))
        self._on_file(info.name, size)


class _Reader(io.RawIOBase):
    """A spool as a file that is read from its beginning."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes."""
        data = self._spool.read(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _plain(name: str) -> str:
    """A name from the cluster as part of a path that leads nowhere else."""
    return re.sub(r"[^\w.+=@-]", "_", name).lstrip(".")[:200] or "_"
