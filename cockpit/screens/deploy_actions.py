"""What keys do that deploy on Akash: from the SDL editor, from a file, and again after an interruption."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import msgspec

from cockpit.clients.akash.console import ConsoleClient
from cockpit.errors import CockpitError, UsageError
from cockpit.model.secret import Secret
from cockpit.operations.background import aside
from cockpit.operations.clusters.opening import opener_for
from cockpit.operations.deployments import existing
from cockpit.operations.deployments.bids import cap_of
from cockpit.operations.deployments.deploying import Deploying
from cockpit.operations.deployments.ending import Ended, end
from cockpit.operations.deployments.flow import Terms
from cockpit.operations.deployments.journal import Attempt, attempt_at, attempts
from cockpit.operations.deployments.plan import Plan, runtime_hours, runtime_of
from cockpit.operations.deployments.preparing import Prepared, Wish, prepare_asking, require_possible
from cockpit.operations.deployments.reaching import Ready
from cockpit.operations.deployments.register import settle, settle_one
from cockpit.operations.deployments.replacing import (
    replace_question,
    row_to_replace,
    with_balance_now,
    with_refund,
)
from cockpit.operations.deployments.run_to_end import run_plan_of
from cockpit.operations.deployments.telling import plan_question
from cockpit.operations.question import Question
from cockpit.operations.sdl_editor.recent import recent
from cockpit.panes.base import Pane
from cockpit.panes.deployments import DeploymentsPane
from cockpit.panes.registry import entries
from cockpit.render.deployments import per_hour
from cockpit.render.glyphs import Glyphs
from cockpit.screens.deploy_page import DeployPage, Job
from cockpit.screens.deploy_run import asked_for_run, run_job
from cockpit.screens.prompt import Prompt
from cockpit.screens.sdl_dialogs import OpenDialog
from cockpit.screens.start import CONTEXT
from cockpit.screens.workspace import Workspace
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.files import read_document

FIRST_PANES = ("overview", "jobs")


async def deploy(work: Workspace, pane: Pane) -> None:
    """Deploy the SDL of the editor; it is saved first, since its name is the cluster's."""
    from cockpit.panes.sdl import SdlPane
    from cockpit.screens.sdl_files import SdlFiles

    assert isinstance(pane, SdlPane)
    desk = pane.desk
    if (desk.is_dirty or desk.file.path is None) and not await SdlFiles(work.app, pane).save():
        return
    if desk.file.path is not None:
        await deploy_path(work, desk.file.path, pane.glyphs)


async def deploy_file(work: Workspace, pane: Pane) -> None:
    """Ask for an SDL, and deploy it."""
    known = await asyncio.to_thread(recent)
    path = await work.app.push_screen_wait(OpenDialog(known, "Deploy an SDL", glyphs=pane.glyphs))
    if path is not None:
        await deploy_path(work, path, pane.glyphs)


async def resume(work: Workspace, pane: DeploymentsPane) -> None:
    """Go on with the deployment under the cursor, or with the one whose creation is unanswered."""
    row = pane.row
    known = await aside(attempts)
    found = next((one for one in known if row is not None and one.dseq == row.dseq and one.is_unfinished), None)
    found = found or next((one for one in known if one.is_unfinished and one.dseq is None), None)
    if found is None:
        raise UsageError("Nothing was interrupted here." if row is None else f"{row.dseq} was not interrupted here.")
    await _show(work, found.title, _resuming(found), pane.glyphs)
    pane.action_refresh()


class Replaced(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment that is closed once the new one was agreed to: why, how, and which providers are avoided then."""

    dseq: str
    close: Callable[[], Awaitable[None]]
    scope: str | None = None
    hours: int | None = 24
    reasons: tuple[str, ...] = ()
    avoided: tuple[str, ...] = ()


async def connect(work: Workspace, pane: DeploymentsPane) -> None:
    """Make a cluster of the deployment under the cursor, wherever it was made, and open it."""
    if (row := pane.row) is None:
        return

    async def run(page: DeployPage, console: ConsoleClient) -> Ready | None:
        return await existing.connect(console, row.dseq, None, page.hear)

    await _show(work, row.name or row.dseq, Job(run, lambda: None, _close), pane.glyphs, verb="Connect")
    pane.action_refresh()


async def deploy_path(work: Workspace, path: Path, glyphs: Glyphs, *, replaces: Replaced | None = None) -> None:
    """Deploy a file on a page of its own, and open the cluster that comes of it."""
    path, document = await asyncio.to_thread(_read, path)
    wish = Wish() if replaces is None else Wish(hours=replaces.hours, scope=replaces.scope)
    made: list[Deploying] = []

    async def ask_value(name: str) -> Secret | None:
        hint = "It is kept in the secret store; the file holds its name alone."
        typed = await work.app.push_screen_wait(Prompt(f"Value of the secret {name}", hint=hint, hidden=True))
        return Secret(typed) if typed else None

    async def run(page: DeployPage, console: ConsoleClient) -> Ready | None:
        await _refuse_unfinished(console, path, but=replaces.dseq if replaces else None)
        prepared = await prepare_asking(console, document, path, wish, ask_value)
        row = await row_to_replace(console, replaces.dseq) if replaces else None
        if row is None:
            require_possible(prepared.plan)
        else:
            prepared = with_refund(prepared, row)

        def question() -> Question:
            reasons = replaces.reasons if replaces else ()
            return plan_question(prepared) if row is None else replace_question(prepared, row, reasons)

        while (answer := await page.agree(question())) in ("change", "run"):
            prepared = await (_changed(work, prepared) if answer == "change" else asked_for_run(page, prepared))
            page.progress.has_run = prepared.run is not None
        if answer == "no":
            return None
        if replaces is not None:
            async with page.closing():
                await replaces.close()
            prepared = await with_balance_now(console, prepared)
        avoided = replaces.avoided if replaces else ()
        terms = page.use(Terms(), groups=_group_names(prepared.plan), cap_words=_cap_words(prepared))
        made.append(Deploying(console, prepared, terms, page.hear, avoided=avoided))
        ready, journal = await made[0].run(page.ask), made[0].journal
        if prepared.run is None or journal is None:
            return ready
        return await run_job(page, console, journal.attempt, prepared.run, ready)

    def attempt() -> Attempt | None:
        return attempt_at(made[0].journal.path) if made and made[0].journal is not None else None

    await _show(work, path.name, Job(run, attempt, _close), glyphs)


def _read(path: Path) -> tuple[Path, SdlDocument]:
    """The file under its whole name: the journal knows it by that."""
    path = path.expanduser().absolute()
    return path, read_document(path)


def _resuming(found: Attempt) -> Job:
    async def run(page: DeployPage, console: ConsoleClient) -> Ready | None:
        terms, plan = page.use(Terms(), groups={}, cap_words=""), run_plan_of(found)
        page.progress.has_run = plan is not None
        ready = await existing.resume(console, found, terms, page.hear)
        return ready if plan is None else await run_job(page, console, found, plan, ready)

    def attempt() -> Attempt | None:
        return attempt_at(found.path)

    return Job(run, attempt, _close)


async def _changed(work: Workspace, prepared: Prepared) -> Prepared:
    """The plan with another end, or another limit of the price; nothing is asked again for it."""
    plan, gpus = prepared.plan, prepared.plan.gpus
    hours = await work.app.push_screen_wait(
        Prompt("End by itself after", _hours_text(plan.runtime.hours), hint="8h, 2d or none", check=runtime_hours)
    )
    if hours is None:
        return prepared
    hint = "4.50/h for all of it" + (", or 0.60/gpu-h for each GPU" if gpus else "") + "; empty for what the SDL allows"
    given = "" if plan.max_usd_per_hour is None else f"{plan.max_usd_per_hour}/h"
    price = await work.app.push_screen_wait(
        Prompt("Pay at most", given, hint=hint, check=lambda text: _cap(text, gpus))
    )
    if price is None:
        return prepared
    runtime = runtime_of(runtime_hours(hours), has_limits=plan.has_limits)
    changed = msgspec.structs.replace(plan, runtime=runtime, max_usd_per_hour=_cap(price, gpus))
    return msgspec.structs.replace(prepared, plan=changed)


def _hours_text(hours: int | None) -> str:
    return "none" if hours is None else f"{hours}h"


def _cap(text: str, gpus: int) -> Decimal | None:
    return cap_of(text).total(gpus) if text.strip() else None


async def _close(console: ConsoleClient, attempt: Attempt) -> Ended | None:
    """End what an attempt has made; None where it made nothing."""
    if attempt.dseq is None:
        settled = await settle_one(console, attempt)
        attempt = settled.attempt if settled is not None else attempt
    if attempt.dseq is None or not attempt.may_cost:
        return None
    return await end(console, attempt.dseq)


def _group_names(plan: Plan) -> dict[int, str]:
    return {number: group.name for number, group in enumerate(plan.groups, 1)} if len(plan.groups) > 1 else {}


def _cap_words(prepared: Prepared) -> str:
    return f"You agreed to at most {per_hour(prepared.plan.ceiling_usd_per_hour)}."


async def _refuse_unfinished(console: ConsoleClient, path: Path, *, but: str | None = None) -> None:
    """Raise CockpitError where an earlier deployment of the file was not finished: two at once cost twice."""
    for found in await settle(console):
        if found.deployment is not None and found.attempt.last.file == str(path) and found.attempt.dseq != but:
            raise CockpitError(
                f"{found.attempt.dseq}, an earlier deployment of {path.name}, was not finished.",
                hint="R in Deployments (7) resumes it, x closes it. Two at once cost twice.",
                fault="unfinished",
            )


async def leave_if_closed(work: Workspace, ended: Ended) -> None:
    """Leave the cluster of a deployment that was closed, if it is the one that is open."""
    cluster = work.cluster
    if cluster is not None and cluster.name == ended.context:
        await work.leave_cluster()
        work.report(f"{ended.context} was closed; press ctrl+k to choose another cluster")


async def _show(work: Workspace, name: str, job: Job, glyphs: Glyphs, *, verb: str = "Deploy") -> None:
    """Show the page until its end; a cluster that came of it is opened."""
    page = DeployPage(name, job, glyphs=glyphs, verb=verb)
    ready = await work.app.push_screen_wait(page)
    await work.money.refresh()
    if page.ended is not None:
        await leave_if_closed(work, page.ended)
    if ready is None or ready.context is None:
        return
    known = {entry.name for entry in entries()}
    work.open_cluster(opener_for(CONTEXT, ready.context))
    work.show(next(name for name in FIRST_PANES if name in known))
    nodes = "" if ready.nodes is None else f" {ready.nodes} of {ready.nodes_expected} nodes."
    work.app.notify(f"{ready.context} runs at {per_hour(ready.usd_per_hour)}.{nodes}", markup=False)
