"""Notifies when a job ends that a command followed, as `[notify]` says."""

import os
import sys

from cockpit.cli import output
from cockpit.errors import UsageError
from cockpit.model.jobs import Job


async def tell_end(job: Job) -> None:
    """Ring, notify and run the user's command; what goes wrong with that is a warning, the result stays."""
    from cockpit.operations.jobs.notices import run_notice
    from cockpit.render.notices import BELL, notice_sequence
    from cockpit.settings import load_settings

    notify = load_settings().notify
    if sys.stderr.isatty():
        bell = BELL if notify.bell else ""
        output.sequence(bell + notice_sequence(job, notify.osc, os.environ))
    if notify.command:
        try:
            await run_notice(notify.command, job)
        except UsageError as error:
            output.warning(f"{error.title} {error.detail}".strip())
