"""What the Log pane asks a dialog for: where to save, and which number to plot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.app import App

from cockpit.operations.jobs.runs import earlier_runs, run_name
from cockpit.operations.logs.numbers import MOST_NUMBERS, read_numbers
from cockpit.operations.logs.save import LogFileExistsError, save_log
from cockpit.panes.log import LogPane
from cockpit.render.number_plots import MOST_RUNS
from cockpit.render.units import size
from cockpit.screens.choose import Choose
from cockpit.screens.confirm import Confirm
from cockpit.screens.prompt import Prompt
from cockpit.screens.workspace import Workspace


class LogActions:
    """Acts on the log of a pane; every method is to be run as a worker and may raise CockpitError."""

    def __init__(self, app: App[Any], pane: LogPane) -> None:
        self._app = app
        self._pane = pane

    async def save(self) -> None:
        """Ask for a name and save what the pane holds, or the marked lines; an existing file is asked about."""
        part = self._pane.part_to_save()
        hint = f"{part.what}: {size(part.end - part.start)}, as they came."
        typed = await self._app.push_screen_wait(Prompt("Save the log as", part.name, hint=hint))
        if not typed or not typed.strip():
            return
        path = _path_of(typed.strip())
        try:
            written = await save_log(part.source, path, start=part.start, end=part.end)
        except LogFileExistsError:
            if not await self._app.push_screen_wait(Confirm("Replace this file?", [str(path)], "Its bytes are lost.")):
                return
            written = await save_log(part.source, path, start=part.start, end=part.end, replace=True)
        self._app.notify(f"Saved {size(written)} in {path}.", markup=False)

    async def plot(self) -> None:
        """Plot a number of the line, or of any line where the log repeats several; one that is plotted goes."""
        names = self._pane.numbers_at_hand()
        if not names and not self._pane.plotting.names:
            self._app.notify("This log repeats no number.", severity="warning")
            return
        name = names[0] if len(names) == 1 and not self._pane.plotting.names else await self._chosen(names)
        if not name:
            return
        plotted = self._pane.plotting.names
        if name not in plotted and len(plotted) >= MOST_NUMBERS:
            self._app.notify(f"{MOST_NUMBERS} numbers are plotted; m takes one away.", severity="warning")
            return
        if name not in plotted:
            self._pane.want_whole()
        self._pane.plotting.toggle(name)

    async def _chosen(self, names: Sequence[str]) -> str | None:
        plotted = self._pane.plotting.names
        options = [(name, f"{name}  (plotted: choose to remove)") for name in plotted]
        options += [(name, name) for name in names if name not in plotted]
        return await self._app.push_screen_wait(Choose("Plot which number?", options))

    async def plot_runs(self) -> None:
        """Lay the runs of the same name that came before over the plots, or take them away."""
        plotting, cluster, job = self._pane.plotting, self._pane.cluster, self._pane.job
        if plotting.has_others:
            plotting.lay_over([])
            return
        if not plotting.names or cluster is None or job is None:
            self._app.notify("No number of a job is plotted; m plots one.", severity="warning")
            return
        runs = earlier_runs(job, (await cluster.client.jobs.list()).rows, most=MOST_RUNS - 1)
        if not runs:
            self._app.notify(f"No earlier run of {run_name(job)}.", severity="warning", markup=False)
            return
        found = [await read_numbers(cluster.client, run, plotting.names) for run in runs]
        if self._pane.job is not None and self._pane.job.id == job.id:
            plotting.lay_over([(run.job.id or "", run.series) for run in found])


async def plot(work: Workspace, pane: LogPane) -> None:
    """Plot a number, or take its plot away."""
    await LogActions(work.app, pane).plot()


async def plot_runs(work: Workspace, pane: LogPane) -> None:
    """Lay earlier runs over the plots, or take them away."""
    await LogActions(work.app, pane).plot_runs()


async def save(work: Workspace, pane: LogPane) -> None:
    """Save the log, or the marked lines."""
    await LogActions(work.app, pane).save()


def _path_of(typed: str) -> Path:
    return Path(typed).expanduser().absolute()
