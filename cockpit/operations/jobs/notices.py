"""A command of the user's, run when a job that they follow has ended."""

import asyncio
import os
import shlex
from collections.abc import Mapping
from contextlib import suppress

from cockpit.errors import UsageError
from cockpit.model.child_environment import child_environment
from cockpit.model.jobs import Job
from cockpit.render.notices import plain_word

PATIENCE_S = 30.0


def notice_command(template: str, job: Job) -> list[str]:
    """The words to run: `{job}` and `{status}` are replaced within words, so that none of them becomes several.

    Raises UsageError where the template cannot be split.
    """
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise UsageError("The command of [notify] cannot be split into words.", detail=str(error)) from None
    if not words:
        raise UsageError("The command of [notify] is empty.")
    values = {"{job}": plain_word(job.id or ""), "{status}": plain_word(job.status or "")}
    for name, value in values.items():
        words = [words[0], *(word.replace(name, value) for word in words[1:])]
    return words


async def run_notice(template: str, job: Job, *, environment: Mapping[str, str] = os.environ) -> None:
    """Run the command without a shell; what it prints is not shown, and after 30 s it is ended.

    It finds the job in RAYAKASH_JOB and RAYAKASH_STATUS too. Raises UsageError where it cannot be run or fails.
    """
    words = notice_command(template, job)
    more = {"RAYAKASH_JOB": plain_word(job.id or ""), "RAYAKASH_STATUS": plain_word(job.status or "")}
    nowhere = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=nowhere, stdout=nowhere, stderr=nowhere, env={**child_environment(environment), **more}
        )
    except OSError as error:
        raise UsageError(
            f"The command of [notify] ({words[0]}) cannot be run.", detail=error.strerror or str(error)
        ) from None
    try:
        async with asyncio.timeout(PATIENCE_S):
            code = await process.wait()
    except TimeoutError:
        raise UsageError(f"The command of [notify] ({words[0]}) took longer than {PATIENCE_S:g} s.") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if code != 0:
        raise UsageError(f"The command of [notify] ({words[0]}) ended with {code}.")
