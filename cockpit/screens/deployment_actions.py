"""What is done with deployments by a key: confirmed, done beside the screen, and proven."""

from functools import partial
from pathlib import Path

from textual.app import SuspendNotSupported

from cockpit.clients.akash.console import ConsoleClient
from cockpit.errors import EXIT_UNKNOWN, CockpitError, UsageError
from cockpit.operations.background import aside
from cockpit.operations.deployments import account, updating
from cockpit.operations.deployments.copying import copy
from cockpit.operations.deployments.ending import end
from cockpit.operations.deployments.existing import extend, file_of, follow
from cockpit.operations.deployments.inside import services_of
from cockpit.operations.deployments.journal import attempt_of
from cockpit.operations.deployments.news import News
from cockpit.operations.deployments.progress_words import end_words
from cockpit.operations.deployments.register import Row
from cockpit.operations.deployments.replacing import avoided_of
from cockpit.operations.deployments.running import scope_of
from cockpit.operations.deployments.shell_here import command_of, run_shell
from cockpit.operations.deployments.telling import detail_lines, inside_lines, summary
from cockpit.operations.deployments.updating import UpdatePlan
from cockpit.panes.deployments import DeploymentsPane
from cockpit.render.glyphs import Glyphs
from cockpit.render.units import size
from cockpit.screens.choose import Choose
from cockpit.screens.confirm import Confirm
from cockpit.screens.deploy_actions import Replaced, deploy_path, leave_if_closed
from cockpit.screens.deployment_dialogs import CopyDialog, EndDialog
from cockpit.screens.prompt import Prompt
from cockpit.screens.text import TextDialog
from cockpit.screens.workspace import Workspace
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.files import read_document

LONGER_HOURS = 24
DATA = "The data in its containers is lost."
ELSEWHERE = "It was not made on this machine. "


class DeploymentActions:
    """Acts on the account's deployments; every method is to be run as a worker and may raise CockpitError."""

    def __init__(self, work: Workspace, pane: DeploymentsPane) -> None:
        self._work = work
        self._app = work.app
        self._pane = pane

    async def close(self, row: Row) -> None:
        consequence = f"{'' if row.is_ours else ELSEWHERE}{DATA} Its cost ends."
        if not await self._may_touch(row, "close"):
            return
        while (answer := await self._app.push_screen_wait(EndDialog(summary(row), consequence))) == "copy":
            await self._copy_out(row)
        if answer != "close":
            return
        await self._end(row)

    async def _may_touch(self, row: Row, verb: str) -> bool:
        """Whether it was made here, or its number was typed: what others made is not touched by a slip of a key."""
        if row.is_ours:
            return True

        def check(text: str) -> None:
            if text.strip() != row.dseq:
                raise UsageError(f"That is not {row.dseq}.")

        title = f"Type the dseq to {verb} a deployment that was not made on this machine"
        return await self._app.push_screen_wait(Prompt(title, hint=summary(row), check=check)) is not None

    async def _end(self, row: Row) -> None:
        """Close it, wait for the proof, and leave its cluster."""
        self._app.notify(f"Closing {row.dseq}; confirming it takes up to three minutes.", markup=False)
        try:
            async with await aside(account.open_console) as console:
                ended = await end(console, row.dseq, context=row.context)
        except CockpitError as error:
            if error.exit_code == EXIT_UNKNOWN:
                self._pane.action_refresh()  # it stays in the list, marked
            raise
        self._app.notify(end_words(ended), markup=False)
        await self._work.money.refresh()
        await leave_if_closed(self._work, ended)

    async def _copy_out(self, row: Row) -> None:
        """Copy the requested paths; a failed copy is reported, and the deployment stays."""
        if (wanted := await self._app.push_screen_wait(CopyDialog(row.dseq))) is None:
            return
        self._app.notify(f"Copying {wanted.place.path} to {wanted.local}…", markup=False)
        try:
            async with await aside(account.open_console) as console:
                copied = await copy(console, wanted, on_progress=lambda _, __: None)
        except CockpitError as error:
            reason = " ".join(part for part in (error.title, error.hint) if part)
            self._app.notify(reason, severity="error", markup=False)
            return
        self._app.notify(f"Copied {size(copied.archive_bytes)} to {copied.path}; the checksum is right.", markup=False)

    async def extend(self, row: Row) -> None:
        if not await self._may_touch(row, "extend"):
            return
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
                await self._work.money.refresh()

    async def update(self, row: Row) -> tuple[str, ...]:
        """Change it to what its file says now; returns what needs a new deployment, if that is so."""
        path = file_of(await aside(lambda: attempt_of(row.dseq)))
        document = await aside(lambda: read_document(path))
        async with await aside(account.open_console) as console:
            plan = await updating.plan_update(console, row.dseq, document, path)
            sentences = [*(one.sentence for one in plan.differences), *updating.warnings_of(plan)]
            if not plan.differences:
                told = [f"Nothing differs between {path.name} and what runs.", *sentences]
                self._app.notify(" ".join(told), markup=False)
            elif plan.is_possible and await self._agrees_to(console, plan, document, path):
                self._app.notify(f"Deployment {row.dseq} is updated.", markup=False)
                await follow(console, row.dseq, self._tell)
        return () if plan.is_possible else tuple(sentences)

    async def replace(self, row: Row, glyphs: Glyphs, *, reasons: tuple[str, ...] = (), elsewhere: bool = True) -> None:
        """Deploy its file again in its place, on the deploy page: one question, before it is closed."""
        attempt = await aside(lambda: attempt_of(row.dseq))
        replaced = Replaced(
            dseq=row.dseq,
            close=partial(self._end, row),
            scope=scope_of(attempt),
            hours=attempt.last.runtime_hours if attempt else None,
            reasons=reasons,
            avoided=avoided_of(attempt) if elsewhere else (),
        )
        await deploy_path(self._work, file_of(attempt), glyphs, replaces=replaced)

    async def _agrees_to(self, console: ConsoleClient, plan: UpdatePlan, document: SdlDocument, path: Path) -> bool:
        """Show what changes in place, and do it after a yes."""
        prepared = await updating.prepare_update(console, plan, document, path)
        inside = " ".join((*inside_lines(updating.readable_secrets(prepared)), *updating.warnings_of(plan, prepared)))
        sentences = [one.sentence for one in plan.differences]
        if not await self._app.push_screen_wait(Confirm(f"Update {plan.dseq} to {path.name}?", sentences, inside)):
            return False
        await updating.update(console, plan, prepared)
        return True

    def _tell(self, news: News) -> None:
        if news.text:
            self._app.notify(news.text, markup=False)

    async def open_shell(self, row: Row) -> None:
        """Leave the terminal to a shell in a container, until it ends; the cockpit is suspended meanwhile."""
        if not await self._may_touch(row, "enter"):
            return
        async with await aside(account.open_console) as console:
            names = await services_of(console, row.dseq)
        service: str | None = names[0]
        if len(names) > 1:
            choice = Choose(f"Open a shell in {row.dseq}", [(name, name) for name in names])
            service = await self._app.push_screen_wait(choice)
        if service is None:
            return
        try:
            with self._app.suspend():
                code = run_shell(row.dseq, service)
        except SuspendNotSupported:
            raise UsageError(
                "This terminal cannot be lent to a shell.", hint=f"Run: {command_of(row.dseq, service)}"
            ) from None
        if code:
            self._app.notify(f"The shell of {service} ended with exit code {code}.", markup=False)


# What keys do; after a change the pane looks again.


async def close_row(work: Workspace, pane: DeploymentsPane) -> None:
    """Close the deployment under the cursor."""
    if (row := pane.row) is not None:
        await DeploymentActions(work, pane).close(row)
        pane.action_refresh()


async def update_row(work: Workspace, pane: DeploymentsPane) -> None:
    """Bring the deployment under the cursor to what its file says now."""
    if (row := pane.row) is not None:
        actions = DeploymentActions(work, pane)
        reasons = await actions.update(row)
        pane.action_refresh()
        if reasons:
            await actions.replace(row, pane.glyphs, reasons=reasons, elsewhere=False)
            pane.action_refresh()


async def redeploy_row(work: Workspace, pane: DeploymentsPane) -> None:
    """Close the deployment under the cursor, and rent its SDL at another provider."""
    if (row := pane.row) is not None:
        await DeploymentActions(work, pane).replace(row, pane.glyphs)
        pane.action_refresh()


async def extend_row(work: Workspace, pane: DeploymentsPane) -> None:
    """Let the deployment under the cursor run longer."""
    if (row := pane.row) is not None:
        await DeploymentActions(work, pane).extend(row)
        pane.action_refresh()


async def open_shell(work: Workspace, pane: DeploymentsPane) -> None:
    """Open a shell in the deployment under the cursor."""
    if (row := pane.row) is not None:
        await DeploymentActions(work, pane).open_shell(row)


async def show_detail(work: Workspace, pane: DeploymentsPane) -> None:
    """Show what is known of the deployment under the cursor."""
    if (row := pane.row) is not None:
        await work.app.push_screen_wait(TextDialog(f"Deployment {row.dseq}", detail_lines(row)))
