"""What every pane is: something that shows topics of a cluster while it is seen, and sleeps while it is not."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Vertical
from textual.message import Message

from cockpit.actions import Action
from cockpit.feeds.watch import Watch
from cockpit.model.snapshot import Moment, Snapshot, State
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.deployments.money import MoneyBook
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.units import duration
from cockpit.widgets.table.state import Phase

if TYPE_CHECKING:
    from cockpit.operations.resources import Scope

PHASES = {
    State.LOADING: Phase.LOADING,
    State.FRESH: Phase.READY,
    State.STALE: Phase.STALE,
    State.FAILED: Phase.FAILED,
}


class Pane(Vertical):
    """A pane: `attach` gives it a cluster, `sleep` and `wake` follow its visibility."""

    NAME: ClassVar[str]
    TITLE: ClassVar[str]
    NEEDS_CLUSTER: ClassVar[bool] = True
    # How often the header above it asks for what is reserved, at most; in seconds.
    HEADER_USAGE_SECONDS: ClassVar[float] = 5.0
    # Where its actions are declared, beside those of the pane itself and of the whole app.
    SCOPES: ClassVar[tuple[str, ...]] = ()
    # Functions that do an action another way in this pane, by its name; as in `Action.run`.
    HANDLERS: ClassVar[Mapping[str, str]] = MappingProxyType({})

    class StateChanged(Message):
        """What can be done here is not what it was: hints are to be drawn again."""

    class Progressed(Message):
        """How far what the pane shows has come, for the terminal's title; empty for nothing to tell."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(id=f"{self.NAME}-pane")
        self.glyphs = glyphs
        self.cluster: LiveCluster | None = None
        self.money: MoneyBook | None = None
        """What leases cost; None until the pane is part of a workspace."""
        self._watches: list[Watch[Any]] = []
        self._is_awake = False

    def watched(self, cluster: LiveCluster) -> list[Watch[Any]]:
        """The watches that this pane needs, made paused."""
        raise NotImplementedError

    def attach(self, cluster: LiveCluster) -> None:
        """Show this cluster from now on."""
        self.detach()
        self.cluster = cluster
        self._watches = self.watched(cluster)
        if self._is_awake:
            self.wake()

    def detach(self) -> None:
        """Show no cluster."""
        for watch in self._watches:
            watch.close()
        self._watches = []
        self.cluster = None

    def wake(self) -> None:
        """The pane is seen."""
        self._is_awake = True
        for watch in self._watches:
            watch.resume()

    def sleep(self) -> None:
        """The pane is hidden: nothing is asked for its sake."""
        self._is_awake = False
        for watch in self._watches:
            watch.pause()

    @property
    def here(self) -> Scope | None:
        """The job or node under the cursor, as what other tables can be narrowed to; None where there is none."""
        return None

    def look_at(self, scope: Scope | None) -> None:
        """Narrow what is shown to a job or a node, or widen it to the cluster, where the pane can."""

    def report(self, sentence: str) -> None:
        """A connection attempt started, or failed."""

    def tick(self) -> None:
        """A second has passed: ages may have to be redrawn."""

    async def perform(self, name: str) -> None:
        """Do an action, as its key does."""
        await self.run_action(f"app.perform('{name}')")

    def is_hinted(self, action: Action) -> bool:
        """Whether the key of an action is that action's where the keys go now."""
        return True

    def why_disabled(self, action: Action) -> str | None:
        """Why an action makes no sense here and now; None where it does."""
        return None

    def now(self) -> Moment:
        """The time by the cluster's clock."""
        if self.cluster is None:
            raise RuntimeError("the pane has no cluster")
        return self.cluster.hub.clock.now()


def sentence_of(snapshot: Snapshot[Any], now: Moment, *, what: str, address: str) -> str:
    """What to say about a snapshot that is not fresh; empty where there is nothing to say."""
    state = snapshot.state(now)
    if state is State.LOADING:
        return f"asking {address} for {what}…"
    if state is State.FRESH:
        return ""
    parts = [f"{what} as of {duration(snapshot.age(now))} ago"] if snapshot.taken else []
    if snapshot.error is not None:
        why = [snapshot.error.title.rstrip("."), _next(snapshot, now)]
        # On a narrow screen the reason may be cut: with old data, the time of the next attempt matters more.
        parts += reversed(why) if parts else why
        if snapshot.error.hint and not snapshot.taken:
            parts.append(snapshot.error.hint)
    return " · ".join(part for part in parts if part)


def _next(snapshot: Snapshot[Any], now: Moment) -> str:
    seconds = snapshot.next_try_in(now)
    return "press r to try again" if seconds is None else f"next try in {seconds:.0f} s, r now"
