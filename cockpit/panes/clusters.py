"""The Clusters pane: all that have a name, side by side; Enter goes to one. It works without any cluster."""

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import work
from textual.widget import Widget
from textual.widgets import Label

from cockpit.actions import Action
from cockpit.errors import CockpitError
from cockpit.feeds.clock import Clock
from cockpit.feeds.topics import NODES, Topic
from cockpit.feeds.watch import Watch
from cockpit.model.cluster_rows import ClusterRow
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.overview import Overview, total_of
from cockpit.panes.table_pane import TablePane
from cockpit.render.clusters import CLUSTERS, cluster_row
from cockpit.render.table import TableSpec
from cockpit.render.text import visible
from cockpit.widgets.table.state import Phase

NEED_ROW = frozenset(("cluster_open", "cluster_remove", "cluster_check", "copy", "show_detail"))
NEED_SAVED = frozenset(("cluster_remove", "cluster_check", "show_detail"))
NEED_CLUSTER = frozenset(("submit", "open_dashboard"))


class ClustersPane(TablePane[list[ClusterRow]]):
    """Asks each cluster every half a minute, only while the pane is seen."""

    SPEC: ClassVar[TableSpec[Any]] = CLUSTERS
    NEEDS_CLUSTER = False
    ON_ENTER = "cluster_open"
    HANDLERS = {"show_detail": "cluster_actions:check_row"}  # noqa: RUF012 - read only
    TOPIC: ClassVar[Topic[Any]] = NODES  # never watched: each cluster has a hub of its own
    ROW = "Cluster"
    EMPTY = "No clusters yet. Press a to add one by its address, or n to deploy one."

    def __init__(self, *, clock: Clock | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.overview = Overview(self._schedule, on_crash=self._crashed, clock=clock)
        self._is_scheduled = False

    def compose_below(self) -> Iterable[Widget]:
        """What all of them have and cost, and what is wrong with the file."""
        return [Label("", id="clusters-status", markup=False)]

    def on_mount(self) -> None:
        """Time passes for those that are away."""
        self.set_interval(1.0, self.overview.beat)

    async def on_unmount(self) -> None:
        """Close all of them."""
        await self.overview.close()

    def _crashed(self, error: BaseException) -> None:
        raise error

    # --- the cluster on the screen ---

    def watched(self, cluster: LiveCluster) -> list[Watch[Any]]:
        """Nothing by itself."""
        return []

    def attach(self, cluster: LiveCluster) -> None:
        """This one is on the screen now."""
        self.cluster = cluster
        self.overview.show(cluster)

    def detach(self) -> None:
        """None is."""
        self.cluster = None
        self.overview.show(None)

    def report(self, sentence: str) -> None:
        """Connection attempts are shown elsewhere."""

    def tick(self) -> None:
        """The overview has a clock of its own."""

    def wake(self) -> None:
        """The pane is visible: the file may have been edited meanwhile."""
        super().wake()
        if self.money is not None:
            self.overview.money = self.money.of
        self.overview.wake()
        self.reload()

    def sleep(self) -> None:
        """The pane is hidden."""
        super().sleep()
        self.overview.sleep()

    # --- what is there ---

    def action_refresh(self) -> None:
        """Read the file and ask all of them now."""
        self.overview.kick()
        self.reload()

    @work(group="clusters-pane", exclusive=True, exit_on_error=False)
    async def reload(self) -> None:
        """Read which clusters there are."""
        try:
            await self.overview.reload()
        except CockpitError as error:
            self.table.set_state(Phase.FAILED, " ".join(part for part in (error.title, error.hint) if part))
            return
        self._draw()

    def _schedule(self) -> None:
        """Many answers may come at once; the table is filled once for all of them."""
        if not self._is_scheduled and self.is_mounted:
            self._is_scheduled = True
            self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        self._is_scheduled = False
        if not self.is_attached:
            return
        rows = self.overview.rows()
        self.table.set_rows([cluster_row(row) for row in rows])
        self.table.set_state(Phase.READY)
        self.show_preview()
        status = self.query_one("#clusters-status", Label)
        text = visible(_status(rows, self.overview.problems))
        if str(status.content) != text:
            status.update(text)
            self.post_message(self.StateChanged())

    @property
    def row(self) -> ClusterRow | None:
        """The cluster under the cursor."""
        return next((row for row in self.overview.rows() if row.name == self.table.row_key), None)

    # --- what is done ---

    def is_hinted(self, action: Action) -> bool:
        """Enter goes to the cluster; what is done in one is not hinted here."""
        return action.name not in ("show_detail", "submit", "mark")

    def why_disabled(self, action: Action) -> str | None:
        """What needs a row needs one."""
        if action.name == "mark":
            return "Clusters are acted on one at a time."
        if action.name in NEED_CLUSTER and self.cluster is None:
            return "No cluster is open. Press ctrl+k to choose one."
        if action.name in NEED_ROW and self.table.row_key is None:
            return "No cluster is selected."
        row = self.row if action.name in NEED_SAVED else None
        if row is not None and row.source == "session":
            return f"{row.name} is open but not saved. Press a to add it by its address."
        return None


def _status(rows: list[ClusterRow], problems: tuple[str, ...]) -> str:
    if not rows:
        return " ".join(problems[:2])
    gpus, cost = total_of(rows)
    up = sum(row.health == "up" for row in rows)
    parts = [f"{up} of {len(rows)} up", f"{gpus.used:g}/{gpus.total:g} GPUs used"]
    parts += [f"{cost:.2f} USD per hour"] if cost is not None else []
    return " · ".join([*parts, *problems[:2]])
