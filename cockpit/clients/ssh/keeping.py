"""The owner's side of the keeper: a command that ends with this process, whatever ends it."""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from cockpit.errors import UsageError
from cockpit.model.child_environment import child_environment
from cockpit.model.kept_process import start_kept

KEEPER = Path(__file__).with_name("keeper.py")
END_S = 6.0
LONGEST_LINE = 64 * 1024
LOST = -1  # in the place of an exit code: the keeper itself was ended


class KeptCommand:
    """One run of a command, for an `async with` block. `heard` is called with each line of its stderr."""

    def __init__(
        self, directory: Path, command: list[str], environment: Mapping[str, str], heard: Callable[[str], None]
    ) -> None:
        self._arguments = [str(directory), f"ended-{secrets.token_hex(16)}", *command]
        # `SendEnv RAY_*` in the configuration of ssh would carry our tokens to the bastion.
        self._environment = {**child_environment(), **environment}
        self._heard = heard
        self._listening: asyncio.Task[int] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it is over."""
        return self._listening is None or self._listening.done()

    async def ended(self) -> int:
        """Wait for its end; its exit code."""
        assert self._listening is not None
        return await asyncio.shield(self._listening)

    async def __aenter__(self) -> Self:
        """Start it. Raises UsageError where no process can be started."""
        command = [sys.executable, "-I", "-S", str(KEEPER), *self._arguments]
        try:
            self._process, line = start_kept(command, self._environment)
        except OSError as error:
            raise UsageError("The keeper of the SSH tunnel cannot be started.", detail=str(error)) from error
        self._reader, self._writer = await asyncio.open_connection(sock=line, limit=LONGEST_LINE)
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        if self._listening is not None:
            self._listening.cancel()
        # Not left to a cancellation: two quick ones must not leave the process behind uncollected.
        await asyncio.shield(asyncio.to_thread(self._collect))

    def _collect(self) -> None:
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    async def _listen(self) -> int:
        mark = self._arguments[1]
        while line := await self._line():
            if line.startswith(mark):
                return int(line.split()[1])
            if line.strip():
                self._heard(line.rstrip())
        return LOST

    async def _line(self) -> str:
        with suppress(ConnectionError):
            try:
                return (await self._reader.readline()).decode(errors="replace")
            except ValueError:  # longer than what is kept
                return "\n"
        return ""
