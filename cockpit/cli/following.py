"""Following a log on stdout, shared by `logs`, `submit` and `demo`."""

import argparse
import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from cockpit.cli import output
from cockpit.cli.options import RETRY_SECONDS
from cockpit.errors import EXIT_FAILED, EXIT_OK
from cockpit.feeds.follower import Followed, LogFollower
from cockpit.feeds.log_source import LogSource, LogState
from cockpit.feeds.patience import Outage
from cockpit.feeds.spool import Spool
from cockpit.model.jobs import Job
from cockpit.render import jobs as render
from cockpit.render.text import last_word


class Printer:
    """Hears of a followed log, and prints it."""

    def __init__(self, stream: TextIO | None = None, *, keep: int = 0) -> None:
        self.kept = b""
        """The last `keep` bytes of the log."""
        self._keep = keep
        self._log = output.LogWriter(stream)

    def wrote(self, chunk: bytes) -> None:
        """Print bytes of the log."""
        if self._keep:
            self.kept = (self.kept + chunk)[-self._keep :]
        self._log.write(chunk)

    def waiting(self, state: LogState) -> None:
        """Say that the log is not there yet."""
        why = render.reason(state.job) if state.job else ""
        output.message(state.words + (f": {why}" if why else "."))

    def away(self, outage: Outage) -> None:
        """Say that the cluster does not answer."""
        output.message(f"{outage.error.title} Trying again in {math.ceil(outage.next_try)} s.")

    def reconnected(self, *, proven: bool) -> None:
        """Say that it is back."""
        output.message("Reconnected, 0 bytes lost." if proven else "Reconnected; whether bytes were lost is unproven.")

    def replaced(self) -> None:
        """Say that another file follows."""
        output.message("The log on the cluster was replaced; the new one follows from its beginning.")

    def noted(self, sentence: str) -> None:
        """Print a note on the log."""
        output.warning(sentence)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._log.close()


async def follow(
    source: LogSource,
    args: argparse.Namespace,
    *,
    tail: int | None = None,
    until_end: bool = True,
    has_answered: bool = False,
    printer: Printer | None = None,
) -> Followed:
    """Print a log, until its writer has ended or, without `until_end`, to where it is now.

    A cluster that `has_answered` before is waited for from the first request on.
    """
    printer = printer or Printer()
    with Spool() as spool:
        follower = LogFollower(
            source,
            spool,
            printer,
            tail=tail,
            follow=until_end,
            retry_for=RETRY_SECONDS if args.retry_for is None else args.retry_for,
            retry_from_start=has_answered or args.retry_for is not None,
        )
        try:
            return await follower.run()
        finally:
            printer.close()


def conclude(followed: Followed) -> int:
    """Say how the job ended; returns its exit code."""
    job = followed.job
    if followed.missing:
        output.warning(followed.missing)
    output.message(render.outcome(job, time.time()))
    if job.was_stopped_at_start:
        return result_code(job)
    if job.status == "FAILED" and (followed.missing or job.driver_node_id is None or job.driver_exit_code is None):
        # It never came to run, or was ended from outside: its log does not tell why, only the message does.
        for text in (job.message or "").expandtabs(4).splitlines():
            output.message(f"  | {text}")
    return result_code(job)


def result_code(job: Job) -> int:
    """0 for a job that succeeded, 1 for one that failed, was stopped, or may have failed for all that Ray says."""
    return EXIT_OK if job.status == "SUCCEEDED" and job.outcome_is_known else EXIT_FAILED


@contextmanager
def detached_on_interrupt(submission_id: str) -> Iterator[None]:
    """Ctrl-C ends the following and not the job: say so, and how to stop that."""
    try:
        yield
    except asyncio.CancelledError:
        output.message("")  # the terminal stands behind its ^C
        output.message(
            f"Detached: job {submission_id} goes on. Stop it with: rayakash-tui stop {last_word(submission_id)}"
        )
        raise
