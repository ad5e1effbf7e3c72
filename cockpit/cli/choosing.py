"""What was left out of a command line, chosen from a list on a terminal."""

import shutil
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cockpit.cli import output, terminal
from cockpit.errors import UsageError

if TYPE_CHECKING:
    from cockpit.clients.ray import RayClient

MOST_SHOWN = 15


def can_choose() -> bool:
    """Whether the user is at the terminal: a script, or a pipe in either direction, gets an error instead."""
    return sys.stdin.isatty() and sys.stderr.isatty() and terminal.has_terminal()


async def chosen_job(client: "RayClient") -> str:
    """The ID of the job that the user chooses, the newest first. Raises UsageError where none is chosen."""
    from cockpit.render.jobs import status_word
    from cockpit.render.times import clock_time
    from cockpit.render.units import UNKNOWN

    jobs = [job for job in (await client.jobs.list()).rows if job.id][:MOST_SHOWN]
    if not jobs:
        raise UsageError("No jobs to choose from.", hint="Submit one with: rayakash-tui submit -- ENTRYPOINT")
    now = time.time()
    rows = [
        (status_word(job), clock_time(job.start_time, now), job.id or "", job.entrypoint or UNKNOWN) for job in jobs
    ]
    number = chosen_row(("STATUS", "STARTED", "ID", "ENTRYPOINT"), rows, noun="job", hint="Give a job ID, or --last.")
    return jobs[number].id or ""


def chosen_row(titles: Sequence[str], rows: Sequence[Sequence[str]], *, noun: str, hint: str) -> int:
    """Which row of a table the user chooses, from 0. Raises UsageError where none is chosen."""
    from cockpit.render.plain import text_lines
    from cockpit.render.table import text_column

    columns = [text_column(title, right=not title, shrink=title == titles[-1]) for title in ("", *titles)]
    numbered = [(str(number), *row) for number, row in enumerate(rows, 1)]
    for text in text_lines(columns, numbered, width=shutil.get_terminal_size().columns):
        output.message(text)  # not data: stdout is for the command's own
    answer = terminal.ask_shown(f"Which {noun}? [1-{len(rows)}] ")
    text = answer.reveal().strip() if answer is not None else ""
    if not (text.isdecimal() and text.isascii() and 0 < int(text[:4]) <= len(rows)):
        raise UsageError(f"No {noun} was chosen.", hint=hint)
    return int(text) - 1
