"""Actions on clusters, and the questions when one refuses what it accepted before."""

import asyncio

from cockpit.errors import AuthenticationError, CockpitError, UntrustedError
from cockpit.model.certificates import halves
from cockpit.model.cluster_rows import ClusterRow
from cockpit.operations.background import aside
from cockpit.operations.clusters.connect import Selection
from cockpit.operations.clusters.contexts import Added, add_cluster, remove_context
from cockpit.operations.clusters.diagnosis import Diagnosis
from cockpit.operations.clusters.doctor import examine_clusters
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.opening import known_contexts, opener_for
from cockpit.operations.clusters.renewal import (
    accept_certificate,
    keep_token,
    kept_under,
    token_again,
    use_token,
)
from cockpit.panes.base import Pane
from cockpit.panes.clusters import ClustersPane
from cockpit.panes.jobs import JobsPane
from cockpit.render.text import visible
from cockpit.screens.cluster_dialogs import AddClusterDialog, NewCluster, TokenDialog
from cockpit.screens.confirm import Confirm
from cockpit.screens.start import ADD, CONTEXT, HERE, REPLAY, SDL, StartDialog
from cockpit.screens.text import TextDialog
from cockpit.screens.workspace import Workspace

_STATES = {"ok": "ok", "warn": "look", "fail": "FAILED", "skip": "–"}


class ClusterActions:
    """Acts on clusters that have a name; every method is to be run as a worker and may raise CockpitError."""

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self._app = work.app

    async def choose(self) -> None:
        """Ask which cluster to go to, or for the first one."""
        here = self._work.cluster.name if self._work.cluster is not None else ""
        choice = await self._app.push_screen_wait(StartDialog(await aside(known_contexts), here=here))
        if choice is None or choice[0] == HERE:
            return
        if choice[0] == SDL:
            self._work.show("sdl")
            self._app.call_after_refresh(self._app.run_action, "perform('sdl_new')")
        elif choice[0] == ADD:
            await self._add_and_go()
        else:
            if choice[0] == REPLAY:
                self._work.show("overview")
            self._work.open_cluster(opener_for(*choice))

    async def _add_and_go(self) -> None:
        if (added := await self.add()) is not None:
            self._work.open_cluster(opener_for(CONTEXT, added.name))

    async def add(self, typed: NewCluster | None = None) -> Added | None:
        """Ask for a cluster until it could be added, or the user gives up."""
        problem = ""
        while True:
            typed = await self._app.push_screen_wait(AddClusterDialog(typed, problem))
            if typed is None:
                return None
            try:
                added = await add_cluster(typed.name, typed.where, sdl=typed.sdl, ssh=typed.ssh)
            except CockpitError as error:
                problem = " ".join(part for part in (error.title, error.hint) if part)
            else:
                self._app.notify(f"Added {added.name}: {added.context.address}.", markup=False)
                return added

    async def remove(self, row: ClusterRow) -> bool:
        """Forget a cluster, after a question."""
        question = Confirm(
            f"Forget the cluster {row.name}?",
            [row.address],
            "It runs on, and its secrets are kept; only the name goes.",
        )
        if not await self._app.push_screen_wait(question):
            return False
        await asyncio.to_thread(remove_context, row.name)
        return True

    async def check(self, name: str) -> None:
        """Examine a cluster, and show what was found."""
        self._app.notify(f"Examining {name}…", markup=False, timeout=3)
        found = (await examine_clusters({name: Selection(context=name)}))[0]
        await self._app.push_screen_wait(TextDialog(f"Cluster {name}", check_lines(found)))

    # --- the cluster on the screen ---

    async def refused(self, cluster: LiveCluster, error: AuthenticationError | UntrustedError) -> None:
        """The cluster no longer accepts the login or is no longer trusted: ask, then reconnect."""
        if isinstance(error, AuthenticationError):
            await self._ask_for_token(cluster, error)
        elif error.found is not None:
            await self._ask_about_certificate(cluster, error)
        else:  # an authority vouched for it before, so nothing less is offered
            await self._app.push_screen_wait(
                TextDialog(error.title, [("what it says", error.detail), ("", error.hint)])
            )

    async def _ask_for_token(self, cluster: LiveCluster, error: AuthenticationError) -> None:
        problem = ""
        while True:
            dialog = TokenDialog(visible(error.title), error.hint, name=kept_under(cluster), problem=problem)
            answer = await self._app.push_screen_wait(dialog)
            if answer is None:
                return
            try:
                token = answer.token or await token_again(cluster)
                await use_token(cluster, token, self._work.ask)
                if answer.keep:
                    self._app.notify(await keep_token(cluster, token), markup=False)
            except CockpitError as failure:
                problem = " ".join(part for part in (failure.title, failure.hint) if part)
            else:
                return

    async def _ask_about_certificate(self, cluster: LiveCluster, error: UntrustedError) -> None:
        found, pinned = error.found or "", cluster.endpoint.tls.pin or ""
        names = ["pinned", *halves(pinned), "found", *halves(found)]
        question = Confirm(
            f"THE CERTIFICATE OF {cluster.address} HAS CHANGED. Trust the new one from now on?",
            names,
            "Accept it only if you know that it was replaced; otherwise the connection may be intercepted. "
            "Nothing was sent.",
        )
        if await self._app.push_screen_wait(question):
            await accept_certificate(cluster, found)


# What keys do


async def choose(work: Workspace, _: Pane) -> None:
    """Go to another cluster, or to the first one."""
    await ClusterActions(work).choose()


def open_row(work: Workspace, pane: ClustersPane) -> None:
    """Go to the cluster under the cursor."""
    row = pane.row
    work.show(JobsPane.NAME)
    if row is not None and not row.is_open:
        work.open_cluster(opener_for(CONTEXT, row.name))


async def add_row(work: Workspace, pane: ClustersPane) -> None:
    """Add a cluster."""
    await ClusterActions(work).add()
    pane.reload()


async def remove_row(work: Workspace, pane: ClustersPane) -> None:
    """Forget the cluster under the cursor."""
    if (row := pane.row) is not None:
        await ClusterActions(work).remove(row)
        pane.reload()


async def check_row(work: Workspace, pane: ClustersPane) -> None:
    """Examine the cluster under the cursor."""
    if (row := pane.row) is not None:
        await ClusterActions(work).check(row.name)
        pane.reload()


def check_lines(found: Diagnosis) -> list[tuple[str, str]]:
    """An examination as labels and texts."""
    lines = [("address", visible(found.address))] if found.address else []
    for check in found.checks:
        text = f"{_STATES[check.state]}: {check.words}"
        if check.hint and check.state in ("warn", "fail"):
            text += f"\n{check.hint}"
        lines.append((check.name, visible(text.replace("\n", " — "))))
    return lines
