"""Where the lines of the Overview lead."""

from cockpit.feeds.topics import JOBS
from cockpit.panes.base import Pane
from cockpit.panes.idle import IdlePane
from cockpit.panes.overview import OverviewPane
from cockpit.panes.table_pane import TablePane
from cockpit.screens.job_actions import JobActions
from cockpit.screens.workspace import Workspace


async def open_wanted(work: Workspace, pane: OverviewPane) -> None:
    """Go to the thing under the cursor: a row of its pane, or the page of a job."""
    wanted = pane.wanted
    if wanted is None or work.cluster is None:
        return
    if wanted.pane != "job":
        await go_to(work, wanted.pane, wanted.key)
        return
    jobs = work.cluster.hub.snapshot(JOBS).value
    job = next((job for job in (jobs.rows if jobs else ()) if job.id == wanted.key), None)
    if job is not None:
        await JobActions(work).show_detail(job)


async def go_to(work: Workspace, name: str, key: str) -> Pane:
    """Show a pane with the cursor on a row."""
    await work.app.switch_mode(name)
    shown = work.screens[name].pane
    if isinstance(shown, TablePane):
        work.app.call_after_refresh(shown.table.move_to, key)
    return shown


def show_idle(work: Workspace, _: Pane) -> None:
    """List the GPUs that are held and not used."""
    work.show("idle")


async def stop_idle(work: Workspace, pane: IdlePane) -> None:
    """Stop the jobs that hold the chosen GPUs, after a yes."""
    await JobActions(work).stop(pane.jobs)
