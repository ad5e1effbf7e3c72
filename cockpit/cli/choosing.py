"""A job chosen from a list, where its ID was left out on a terminal."""

import shutil
import sys
import time
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
    from cockpit.render.plain import text_lines
    from cockpit.render.table import text_column
    from cockpit.render.times import clock_time
    from cockpit.render.units import UNKNOWN

    jobs = [job for job in (await client.jobs.list()).rows if job.id][:MOST_SHOWN]
    if not jobs:
        raise UsageError("No jobs to choose from.", hint="Submit one with: rayakash-tui submit -- ENTRYPOINT")
    now = time.time()
    titles = ("", "STATUS", "STARTED", "ID", "ENTRYPOINT")
    columns = [text_column(title, right=not title, shrink=title == "ENTRYPOINT") for title in titles]
    rows = [
        (str(number), status_word(job), clock_time(job.start_time, now), job.id or "", job.entrypoint or UNKNOWN)
        for number, job in enumerate(jobs, 1)
    ]
    for text in text_lines(columns, rows, width=shutil.get_terminal_size().columns):
        output.message(text)  # not data: stdout is for the command's own
    answer = terminal.ask_shown(f"Which job? [1-{len(jobs)}] ")
    text = answer.reveal().strip() if answer is not None else ""
    if not (text.isdecimal() and text.isascii() and 0 < int(text[:4]) <= len(jobs)):
        raise UsageError("No job was chosen.", hint="Give a job ID, or --last.")
    return jobs[int(text) - 1].id or ""
