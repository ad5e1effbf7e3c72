"""What the actions work on: the cluster on the screen, the screens of its panes, and the app that shows them."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from textual.app import App

from cockpit.actions import Action
from cockpit.errors import AuthenticationError, CockpitError, UntrustedError
from cockpit.model.akash.lease_money import LeaseMoney
from cockpit.model.certificates import halves
from cockpit.operations.background import aside
from cockpit.operations.clusters.idle import DEFAULT_MIN_SECONDS
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.opening import Opener, Opening
from cockpit.operations.deployments.journal import left_behind
from cockpit.operations.deployments.money import MoneyBook
from cockpit.operations.question import Question
from cockpit.panes.base import Pane
from cockpit.render.lease_money import notice
from cockpit.screens.idle_notices import IdleNotices
from cockpit.screens.job_notices import JobNotices
from cockpit.screens.pane_screen import PaneScreen
from cockpit.screens.refusals import Refusals
from cockpit.settings import OwnCommand

NOTICE_S = 30.0

Handler = Callable[["Workspace", Pane], Coroutine[Any, Any, object] | None]
Refusal = AuthenticationError | UntrustedError
RefusalHandler = Callable[["Workspace", LiveCluster, Refusal], Coroutine[Any, Any, None]]


def handler_of(action: Action, pane: Pane) -> Handler:
    """What does an action in a pane: a method of the pane, the pane's own choice, or the action's."""
    own = getattr(pane, f"action_{action.name}", None)
    if own is not None:
        return lambda _, __: own()
    return find_handler(pane.HANDLERS.get(action.name, action.run))


def find_handler(path: str) -> Handler:
    """The function that `module:name` means below `cockpit.screens`; imported when its key is first pressed."""
    module, _, name = path.partition(":")
    found: Handler = getattr(import_module(f"cockpit.screens.{module}"), name)
    return found


class Workspace:
    """One cluster at a time, and a screen for each pane that was shown."""

    def __init__(
        self,
        app: App[int],
        notices: JobNotices,
        idle_notices: IdleNotices,
        *,
        keys: Mapping[str, str],
        crashed: Callable[[BaseException], None],
        answer_refusal: RefusalHandler,
        idle_seconds: float = DEFAULT_MIN_SECONDS,
    ) -> None:
        self.app = app
        self.keys = keys  # the user's own
        self.idle_seconds = idle_seconds
        self.cluster: LiveCluster | None = None
        self.screens: dict[str, PaneScreen] = {}
        self.notices = notices
        self.idle_notices = idle_notices
        self.last_report = ""
        # What was typed into dialogs that were left, for as long as the cockpit runs: it may hold secrets.
        self.drafts: dict[str, object] = {}
        self.commands: Sequence[OwnCommand] = ()
        self._came_from: dict[str, str] = {}
        self._closing: asyncio.Task[None] | None = None  # of the cluster that was left last
        self._refusals = Refusals()
        self.money = MoneyBook(on_alarm=self._tell_money)
        self._crashed = crashed
        self._answer_refusal = answer_refusal

    # --- panes ---

    @property
    def screen(self) -> PaneScreen | None:
        """The screen of the pane in front."""
        return self.screens.get(self.app.current_mode)

    def add(self, name: str, screen: PaneScreen) -> None:
        """Show the cluster, or what is done to reach it, on a new screen too."""
        self.screens[name] = screen
        screen.pane.money = self.money
        if self.cluster is not None:
            screen.attach(self.cluster)
        else:
            screen.report(self.last_report)

    def show(self, name: str) -> Pane:
        """Go to a pane."""
        self.app.switch_mode(name)
        return self.screens[name].pane

    def go_into(self, name: str) -> Pane:
        """Go to a pane from which Esc leads back."""
        if (here := self.app.current_mode) != name:
            self._came_from[name] = here
        return self.show(name)

    def forget_way(self, name: str) -> None:
        """Nothing leads back from a pane that was gone to by its number."""
        self._came_from.pop(name, None)

    def go_back(self) -> None:
        """Leave a pane that was gone into; one that was narrowed shows the whole cluster the next time."""
        name = self.app.current_mode
        if (before := self._came_from.pop(name, None)) is not None:
            self.show(before)
            self.screens[name].pane.look_at(None)

    # --- actions ---

    def perform(self, action: Action, screen: PaneScreen) -> None:
        """Do what an action says, or tell why not."""
        if refusal := self._refusal(action, screen):
            self.app.notify(refusal, severity="warning", markup=False)
            return
        work = handler_of(action, screen.pane)(self, screen.pane)
        if inspect.iscoroutine(work):
            self.run(work)

    def _refusal(self, action: Action, screen: PaneScreen) -> str | None:
        if action.changes and self.cluster is None:
            return "No cluster is open. Press ctrl+k to choose one."
        if action.changes and self.cluster is not None and self.cluster.is_replay:
            return f"{self.cluster.name} is a recording (REPLAY) and cannot be changed: {action.label} is refused."
        if action.changes and self.cluster is not None and self.cluster.is_read_only:
            return f"{self.cluster.name} is read-only here: {action.label} is refused."
        return screen.pane.why_disabled(action)

    def run(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something in the background, which may ask the user; the app tells what goes wrong."""
        self.app.run_worker(work, group="actions", exit_on_error=False)

    async def ask(self, question: Question) -> bool:
        """Ask the user something whose answer is remembered for an address."""
        from cockpit.screens.confirm import Confirm

        names = [*(half for line in question.lines for half in halves(line)), "It is remembered for this address."]
        answer = await self.app.push_screen_wait(Confirm(question.text, names))
        return bool(answer)

    # --- the cluster ---

    def open_cluster(self, opener: Opener) -> None:
        """Leave the cluster on the screen, and show another."""
        self.app.run_worker(self._open(opener), group="clusters", exclusive=True, exit_on_error=False)

    async def _open(self, opener: Opener) -> None:
        await self.leave_cluster()
        self.cluster = cluster = await opener(Opening(report=self.report, ask=self.ask, on_crash=self._crashed))
        cluster.lease_money = partial(self.money.of, cluster.name)
        cluster.idle_seconds = self.idle_seconds
        self.notices.attach(self.cluster)
        self.idle_notices.attach(self.cluster)
        for screen in self.screens.values():
            screen.attach(self.cluster)

    async def leave_cluster(self) -> None:
        """Show no cluster; its jobs go on."""
        cluster, self.cluster = self.cluster, None
        self.notices.attach(None)
        self.idle_notices.attach(None)
        for screen in self.screens.values():
            screen.detach()
        if cluster is not None:
            self._closing = asyncio.create_task(self._close(cluster, self._closing))
        if self._closing is not None:
            # Who chooses yet another cluster meanwhile ends this wait, and not the closing: it holds tunnel and files.
            await asyncio.shield(self._closing)

    async def _close(self, cluster: LiveCluster, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait({before})
        await cluster.close()

    async def tell_left_behind(self) -> None:
        """Say at the start what an interrupted deployment has left, and how to go on."""
        try:
            left = await aside(left_behind)
        except CockpitError:  # the Deployments pane says what is wrong with the journals
            return
        for attempt in left:
            from cockpit.operations.deployments.telling import what_costs

            notice = f"{attempt.title} was interrupted. {what_costs(attempt)} 7, then R resumes it, x closes it."
            self.app.notify(notice, severity="warning", markup=False, timeout=NOTICE_S)

    def _tell_money(self, money: LeaseMoney) -> None:
        """A lease is about to end, or has."""
        is_early = money.alarm == "escrow-24h"
        self.app.notify(notice(money), severity="warning" if is_early else "error", markup=False, timeout=NOTICE_S)

    def report(self, sentence: str) -> None:
        """Say what is being done to reach a cluster."""
        self.last_report = sentence
        for screen in self.screens.values():
            screen.report(sentence)

    def refresh(self) -> None:
        """Ask the cluster now."""
        if self.cluster is not None:
            self._refusals.forget()
            self.cluster.let_in()

    def tick(self) -> None:
        """A second has passed."""
        if (screen := self.screen) is not None:
            screen.tick()
        refusal = self._refusals.look(self.cluster)
        if refusal is not None and self.cluster is not None:
            work = self._answer_refusal(self, self.cluster, refusal)
            self.app.run_worker(work, group="refusals", exclusive=True, exit_on_error=False)
