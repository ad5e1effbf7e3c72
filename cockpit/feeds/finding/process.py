"""Starting, asking and ending the process that finds lines."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Final

import cockpit
from cockpit.feeds.finding.frames import HEADER, Frame
from cockpit.model.child_environment import child_environment

_START = "import sys; sys.path.insert(0, sys.argv[1]); from cockpit.feeds.finding.worker import main; main()"

# It takes and gives back a megabyte for each slice: where glibc returned that to the system each time, the pages that
# come again would cost as much as the search.
_KEEPS_MEMORY: Final = {"MALLOC_TRIM_THRESHOLD_": str(32 * 1024**2), "MALLOC_MMAP_THRESHOLD_": str(8 * 1024**2)}


class FinderGoneError(Exception):
    """The process has ended by itself, or cannot be started."""


class FinderProcess:
    """A running process; requests are answered in order."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._input, self._output = process.stdin, process.stdout
        self._is_ending = False

    @classmethod
    async def start(cls, descriptor: int | None) -> "FinderProcess":
        """Start one that can read the file `descriptor`. Raises FinderGoneError."""
        command = [sys.executable, "-I", "-S", "-c", _START, str(Path(cockpit.__file__).parent.parent)]
        command += [str(-1 if descriptor is None else descriptor), str(os.getpid())]
        files = () if descriptor is None else (descriptor,)
        environment = child_environment() | _KEEPS_MEMORY
        try:
            return cls(
                await asyncio.create_subprocess_exec(
                    *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, pass_fds=files, env=environment
                )
            )
        except OSError as error:
            raise FinderGoneError(str(error)) from error

    def send(self, frame: Frame) -> None:
        """Ask; what the pipe cannot take yet is kept."""
        self._input.write(frame.packed())

    async def receive(self) -> Frame:
        """The next answer. Raises FinderGoneError."""
        try:
            kind, query, start, end, length = HEADER.unpack(await self._output.readexactly(HEADER.size))
            return Frame(kind, query, start, end, await self._output.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self._is_ending = True
            raise FinderGoneError("the process that searches has ended") from error

    def kill(self) -> None:
        """End it at once, whatever it does; `close` waits for that."""
        # A second signal could meet a process that has ended but is still to be waited for.
        if not self._is_ending:
            self._is_ending = True
            with suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """End it, and leave nothing of it behind."""
        self.kill()
        self._input.close()
        await self._process.wait()
        with suppress(BrokenPipeError, ConnectionResetError):
            await self._input.wait_closed()
