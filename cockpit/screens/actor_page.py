"""The page of an actor: its state and why it is dead, how it came there, its log, what its process does now."""

from collections.abc import Collection
from typing import Any, ClassVar

from textual.binding import BindingType

from cockpit.errors import CockpitError
from cockpit.feeds.topics import BACKGROUND_NODES_SECONDS, NODES
from cockpit.feeds.watch import Watch
from cockpit.model.actor_facts import ActorFacts
from cockpit.model.actors import Actor
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.pages import actor_log_topic, actor_topic
from cockpit.operations.profiling.targets import Target, find_target, stack
from cockpit.render import pages as render
from cockpit.render.job_page import log_lines
from cockpit.render.table import RowContext
from cockpit.screens.profiles import PROFILING_BINDINGS, PROFILING_HINTS, profile_page
from cockpit.screens.tabbed_page import Lines, TabbedPage
from cockpit.widgets.key_hints import Hint


class ActorPage(TabbedPage):
    """Everything about an actor, renewed while one looks; its process is looked into when the tab is opened."""

    TABS = ("Summary", "History", "Log", "Stack")
    HINTS: ClassVar[tuple[Hint, ...]] = (*TabbedPage.HINTS, *PROFILING_HINTS)
    BINDINGS: ClassVar[list[BindingType]] = [*PROFILING_BINDINGS]

    def __init__(self, cluster: LiveCluster, actor: Actor) -> None:
        self._actor = actor
        self._stack: Lines = []
        title = f"Actor {actor.name or actor.class_name or actor.actor_id}"
        super().__init__(cluster, title, render.actor_lines(None, actor, RowContext(now=0.0)))

    def watched(self) -> dict[str, Watch[Any]]:
        """The actor, its log, and now and then the nodes, which rows name."""
        hub, actor_id = self.cluster.hub, self._actor.actor_id or ""
        return {
            "actor": hub.watch(actor_topic(actor_id), self.refresh_lines, paused=True),
            "log": hub.watch(actor_log_topic(actor_id), self.refresh_lines, paused=True),
            "nodes": hub.watch(NODES, self.refresh_lines, interval=BACKGROUND_NODES_SECONDS, paused=True),
        }

    def wanted(self, tab: str) -> Collection[str]:
        """The log for its tab alone."""
        return ("actor", "nodes", "log") if tab == "Log" else ("actor", "nodes")

    def action_open(self, tab: int) -> None:
        """Its process is looked into again each time the tab is opened."""
        super().action_open(tab)
        if self.tab == "Stack":
            self._stack = []
            self.run_worker(self._look(), exclusive=True)

    async def action_profile(self, kind: str) -> None:
        """Look into its process."""
        label = self._actor.name or self._actor.class_name or self._actor.actor_id or ""
        await self.app.push_screen(profile_page(kind, self.cluster, self._find, label))

    async def _find(self) -> Target:
        return await find_target(self.cluster.client, self._actor.actor_id or "")

    async def _look(self) -> None:
        try:
            text = await stack(self.cluster.client, await self._find())
            self._stack = [("", line or " ") for line in text.splitlines()]
        except CockpitError as error:
            self._stack = [("", said) for said in (error.title, error.hint) if said]
        self.refresh_lines()

    def tab_lines(self, tab: str) -> Lines:
        """The lines of a tab as they are now."""
        facts: ActorFacts | None = self.of("actor").value
        match tab:
            case "Summary":
                return render.actor_lines(facts, self._actor, self.row_context)
            case "History" if facts is not None:
                return render.history_lines(facts, self.now)
            case "History":
                return self.unknown("actor", "history of this actor")
            case "Log" if self.of("log").taken is None:
                return self.unknown("log", "log of this actor")
            case "Log":
                return log_lines(self.of("log").value or ())
            case _:
                return self._stack or [("", "Looking into its process…")]
