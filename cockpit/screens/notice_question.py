"""The one question about notices, asked when the first job is followed."""

from cockpit.operations.appearance import keep_notices
from cockpit.operations.background import aside
from cockpit.screens.choose import Choose
from cockpit.screens.workspace import Workspace

ON, OFF = "on", "off"


async def ask(work: Workspace) -> None:
    """Ask how to notify when jobs end, and save the answer; Esc asks again at the next start."""
    options = [
        (ON, "Yes: ring the bell and show a notification, whatever is on the screen"),
        (OFF, "No: only say it in the cockpit"),
    ]
    answer = await work.app.push_screen_wait(Choose("Notify you when a job that you follow ends?", options))
    if answer is not None:
        work.notices.tell_by(await aside(lambda: keep_notices(answer == ON)))
