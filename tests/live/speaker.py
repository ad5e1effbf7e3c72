"""A job that prints what the test wants, when it wants: `cat` of a named pipe."""

import asyncio
import os
import re
from typing import Self

from tests.live.node import RayHead
from tests.live.processes import soon
from tests.live.reference import JOB, explained, log_on_disk, submit
from tests.live.release import ray_release

SPEECH = JOB  # seconds until the job runs and has taken what was said

_HEADER = re.compile(rb"\A\S+ \S+\tINFO job_manager\.py:\d+ -- Runtime env is setting up\.\n")


class Speaker:
    """Use as a context manager: the job ends with it, and well, unless it is gone by then."""

    def __init__(self, head: RayHead, job_id: str) -> None:
        self._head = head
        self.job_id = job_id
        self.said = b""
        path = head.site.directory / f"{job_id}.pipe"
        os.mkfifo(path)
        # Open for reading too: so it can be opened and written to before the job does its part.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        entrypoint = f"exec cat {path}"
        self._announcement = f"Running entrypoint for job {job_id}: {entrypoint}\n".encode()
        submit(head, entrypoint, submission_id=job_id)

    async def say(self, data: bytes) -> None:
        """Let the job print `data`; returns once it has taken it, the last 64 KiB excepted."""
        left = memoryview(data)
        async with asyncio.timeout(SPEECH):
            while left:
                try:
                    left = left[os.write(self._pipe, left) :]
                except BlockingIOError:
                    await asyncio.sleep(0.01)
        self.said += data

    async def heard(self) -> bytes:
        """The log on disk, as soon as all that was said is in it. Raises TimeoutError."""

        async def probe() -> bytes:
            log = self.log()
            # Ray's own line may come after the job's first ones, and a log without it would change again.
            is_whole = self._announcement in log or not ray_release().announces_entrypoint
            return log if is_whole and self.body(log) == self.said else b""

        with explained(self._head, self.job_id):
            return await soon(probe, within=SPEECH, what=f"{len(self.said)} bytes in the log of {self.job_id}")

    def log(self) -> bytes:
        """The log on disk as it is now; empty while there is none."""
        try:
            return log_on_disk(self._head, self.job_id)
        except ValueError:
            return b""

    def body(self, log: bytes) -> bytes:
        """What the job itself printed: without Ray's lines, the second of which may come anywhere in it."""
        return _HEADER.sub(b"", log).replace(self._announcement, b"", 1)

    def stop(self) -> None:
        """End the job's input; may be repeated."""
        pipe, self._pipe = self._pipe, -1
        if pipe >= 0:
            os.close(pipe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
