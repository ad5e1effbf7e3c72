"""What is done with deployments by a key: confirmed, done beside the screen, and proven."""

from textual.app import App

from cockpit.errors import EXIT_UNKNOWN, CockpitError
from cockpit.operations.background import aside
from cockpit.operations.deployments import account
from cockpit.operations.deployments.copying import copy
from cockpit.operations.deployments.ending import end
from cockpit.operations.deployments.existing import extend
from cockpit.operations.deployments.register import Row
from cockpit.operations.deployments.telling import detail_lines, summary
from cockpit.panes.deployments import DeploymentsPane
from cockpit.render.deployments import dollars
from cockpit.render.units import size
from cockpit.screens.confirm import Confirm
from cockpit.screens.deployment_dialogs import CopyDialog, EndDialog
from cockpit.screens.text import TextDialog
from cockpit.screens.workspace import Workspace

LONGER_HOURS = 24
ELSEWHERE = "It was not made on this machine. "


class DeploymentActions:
    """Acts on the account's deployments; every method is to be run as a worker and may raise CockpitError."""

    def __init__(self, app: App[int], pane: DeploymentsPane) -> None:
        self._app = app
        self._pane = pane

    async def close(self, row: Row) -> None:
        consequence = f"{'' if row.is_ours else ELSEWHERE}The data in its containers is lost. Its cost ends."
        while (answer := await self._app.push_screen_wait(EndDialog(summary(row), consequence))) == "copy":
            await self._copy_out(row)
        if answer != "close":
            return
        self._app.notify(f"Closing {row.dseq}; this takes up to three minutes until it is proven.", markup=False)
        try:
            async with await aside(account.open_console) as console:
                ended = await end(console, row.dseq, context=row.context)
        except CockpitError as error:
            if error.exit_code == EXIT_UNKNOWN:
                self._pane.action_refresh()  # it stays in the list, marked
            raise
        refund = f", {dollars(ended.refund_usd)} came back" if ended.refund_usd is not None else ""
        self._app.notify(f"Deployment {row.dseq} is closed{refund}.", markup=False)

    async def _copy_out(self, row: Row) -> None:
        """Copy what is asked for; a copy that fails is told, and the deployment stays."""
        if (wanted := await self._app.push_screen_wait(CopyDialog(row.dseq))) is None:
            return
        self._app.notify(f"Copying {wanted.place.path} to {wanted.local}…", markup=False)
        try:
            async with await aside(account.open_console) as console:
                copied = await copy(console, wanted, on_progress=lambda _, __: None)
        except CockpitError as error:
            told = " ".join(part for part in (error.title, error.hint) if part)
            self._app.notify(told, severity="error", markup=False)
            return
        self._app.notify(f"Copied {size(copied.archive_bytes)} to {copied.path}; the checksum is right.", markup=False)

    async def extend(self, row: Row) -> None:
        async with await aside(account.open_console) as console:
            now = await console.settings(row.dseq)
            if now.runtime_limit_hours is None:
                self._app.notify(f"Deployment {row.dseq} does not end by itself.", markup=False)
                return
            hours = now.runtime_limit_hours + LONGER_HOURS
            question = f"Let it run {hours} h in all, {LONGER_HOURS} h longer?"
            if await self._app.push_screen_wait(Confirm(question, [summary(row)])):
                found = await extend(console, row.dseq, hours)
                self._app.notify(f"It ends by itself after {found.runtime_limit_hours} h.", markup=False)


# What keys do; after a change the pane looks again.


async def close_row(work: Workspace, pane: DeploymentsPane) -> None:
    """Close the deployment under the cursor."""
    if (row := pane.row) is not None:
        await DeploymentActions(work.app, pane).close(row)
        pane.action_refresh()


async def extend_row(work: Workspace, pane: DeploymentsPane) -> None:
    """Let the deployment under the cursor run longer."""
    if (row := pane.row) is not None:
        await DeploymentActions(work.app, pane).extend(row)
        pane.action_refresh()


async def show_detail(work: Workspace, pane: DeploymentsPane) -> None:
    """Show what is known of the deployment under the cursor."""
    if (row := pane.row) is not None:
        await work.app.push_screen_wait(TextDialog(f"Deployment {row.dseq}", detail_lines(row)))
