"""The Overview: the cluster with its last hours, its GPUs, what wants a look, and what runs."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import msgspec
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from cockpit.actions import Action
from cockpit.errors import CockpitError
from cockpit.feeds.history_store import TIERS
from cockpit.feeds.topics import HEADER_JOBS_SECONDS, JOBS, NODES, Topic
from cockpit.feeds.watch import Watch
from cockpit.model.certificates import end_of
from cockpit.model.job_list import JobList
from cockpit.model.overview import ClusterOverview, Trouble
from cockpit.model.slices import REST_SECONDS, some_of
from cockpit.model.snapshot import Snapshot
from cockpit.model.why.verdicts import Cause
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.overview.making import OverviewMaker, Reported
from cockpit.operations.why.reasons import PENDING_CAUSES
from cockpit.panes.base import Pane, sentence_of
from cockpit.render.curves import money
from cockpit.render.frames import framed
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.lease_money import alarm_words
from cockpit.render.overview import DEFAULT_SPAN, SPANS, cell_state, curve_panels, heat_state
from cockpit.render.plot import PlotLine
from cockpit.render.running import GPU_COLUMNS, MONEY_COLUMNS, RUNNING, running_row
from cockpit.render.table import Arrangement, Part, RowContext
from cockpit.render.text import visible
from cockpit.widgets.heat_map import HeatMap
from cockpit.widgets.live_table import LiveTable
from cockpit.widgets.panel import Panel, PanelEdge
from cockpit.widgets.part_view import PartView
from cockpit.widgets.state_line import Piece
from cockpit.widgets.table.state import Phase
from cockpit.widgets.trouble_list import TroubleList

SAMPLE_SECONDS = float(TIERS[0].step)
"""As fine as the history is: half as often as other panes ask."""

HEAT_TITLE = "GPUs by node"
WITHOUT_MONEY = Arrangement(hidden=MONEY_COLUMNS)
CERTIFICATE_SECONDS = 14 * 86_400.0
NARROW = 100
JOBS_OF_A_NODE = 38
HEADER_LINES = 5  # header and keys, where the pane has not been measured yet


class Wanted(NamedTuple):
    """A row to go to: of a pane, or the page of a `job`."""

    pane: str
    key: str


def jobs_seconds(*, nodes: int, jobs: int) -> float:
    """How often jobs are asked for, in seconds.

    A node is about 16 kB and a job 0.5 kB (measured): with the nodes asked for half as often as the GPUs pane does, up
    to 38 jobs a node can be requested with them at the same cost to the head as for that pane.
    """
    return SAMPLE_SECONDS if jobs <= JOBS_OF_A_NODE * max(1, nodes) else HEADER_JOBS_SECONDS


class Room:
    """How many lines each part of the pane has; what does not fit folds away: the running jobs, the map, the curves.

    Attention stays last of all. Below 100 columns map and attention are above each other.
    """

    def __init__(self, width: int, height: int) -> None:
        self.is_narrow = width < NARROW
        self.is_bare = width < 30 or height < 8  # no room for frames
        self.curves = max(6, min(13, height * 3 // 10)) if height >= 16 else 0
        left = height - self.curves
        if self.is_narrow:
            self.running = max(0, left - 16) if left >= 22 else 0
            self.heat = (left - self.running) // 2 if left >= 10 else 0
            self.attention = left - self.running - self.heat
        else:
            self.running = left // 2 if left >= 14 else 0
            self.heat = self.attention = left - self.running


def _lease_troubles(cluster: LiveCluster) -> tuple[Trouble, ...]:
    """That the lease behind the cluster is about to end, or has."""
    lease = cluster.lease_money()
    if lease is None or not lease.alarm:
        return ()
    return (Trouble(kind="lease", name=visible(alarm_words(lease)), pane="deployments", key=lease.dseq),)


def _certificate_troubles(cluster: LiveCluster, now: float) -> tuple[Trouble, ...]:
    """That the certificate of the cluster is about to end, or has: a pinned one goes on to be trusted."""
    shown = cluster.client.transport.certificate
    end = end_of(shown) if shown else None
    if end is None or end - now > CERTIFICATE_SECONDS:
        return ()
    return (Trouble(kind="certificate", name=cluster.address, pane="clusters", key=cluster.name, seconds=end - now),)


class OverviewPane(Pane):
    """Drawn when a report of the nodes comes, and not by a clock."""

    NAME: ClassVar[str] = "overview"
    TITLE: ClassVar[str] = "Overview"
    SCOPES: ClassVar[tuple[str, ...]] = ("radar",)

    def __init__(self, *, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(glyphs=glyphs)
        self.overview: ClusterOverview | None = None
        self.span = DEFAULT_SPAN
        self._sentence = ""
        self._maker = OverviewMaker()
        self._is_making = False
        self._is_outdated = False

    def watched(self, cluster: LiveCluster) -> list[Watch[Any]]:
        """Nodes and jobs, and why jobs wait while some do."""
        hub = cluster.hub
        return [
            hub.watch(NODES, self._heard, interval=SAMPLE_SECONDS, paused=True),
            hub.watch(JOBS, self._heard_jobs, interval=SAMPLE_SECONDS, paused=True),
            hub.watch(PENDING_CAUSES, self._heard, interval=HEADER_JOBS_SECONDS, paused=True),
        ]

    def detach(self) -> None:
        """Show no cluster, and nothing of the last one."""
        super().detach()
        self.overview, self._maker = None, OverviewMaker()
        if self.is_mounted:
            self._draw()

    def wake(self) -> None:
        """The pane is seen: the keys go to what wants a look."""
        super().wake()
        self._ask_for_causes()
        if self.app.focused is None:
            self.query_one(TroubleList).focus()

    def report(self, sentence: str) -> None:
        """There is nothing to show yet, and this is why."""
        self._say(sentence)

    def tick(self) -> None:
        """Before the first report, say what is waited for; the header tells when reports fail to come."""
        if self.overview is None and self.cluster is not None and self._watches:
            snapshot = self._watches[0].snapshot
            self._say(sentence_of(snapshot, self.now(), what="nodes", address=self.cluster.address))

    def _say(self, sentence: str) -> None:
        if sentence != self._sentence and self.is_mounted:
            self._sentence = sentence
            self.query_one(PartView).paint()
            if self.overview is None:
                self.query_one(TroubleList).show(None, sentence)

    # What comes

    def _heard(self, _: Snapshot[Any]) -> None:
        if self._watches:
            self._watches[1].every(jobs_seconds(nodes=len(self._rows(NODES)), jobs=len(self._rows(JOBS))))
        self._look()

    def _heard_jobs(self, _: Snapshot[JobList]) -> None:
        self._ask_for_causes()
        self._look()

    def _ask_for_causes(self) -> None:
        """Why jobs wait is asked for only while some do."""
        for watch in self._watches[2:]:
            if self._is_awake and any(job.status == "PENDING" for job in self._rows(JOBS)):
                watch.resume()
            else:
                watch.pause()

    def _rows(self, topic: Topic[Any]) -> tuple[Any, ...]:
        """The rows of a topic as far as they are known."""
        value = self.cluster.hub.snapshot(topic).value if self.cluster is not None else None
        rows: tuple[Any, ...] = value.rows if value is not None else ()
        return rows

    def _look(self) -> None:
        """Make the facts again, once the last ones are made."""
        cluster = self.cluster
        if cluster is None or cluster.hub.snapshot(NODES).taken is None:
            return
        self._is_outdated = True
        if not self._is_making:
            self._is_making = True
            cluster.hub.spawn(self._make(cluster))

    async def _make(self, cluster: LiveCluster) -> None:
        try:
            while self._is_outdated and self.cluster is cluster:
                self._is_outdated = False
                await self._make_once(cluster)
        finally:
            self._is_making = False

    async def _make_once(self, cluster: LiveCluster) -> None:
        reported = self._reported(cluster)
        try:
            made = await cluster.recording.ask(self._maker.of(reported), now=reported.at)
        except CockpitError as error:  # the history cannot be read any more
            self._say(error.title)
            return
        if self.cluster is cluster and self.is_mounted:
            self.overview = made
            await self._draw_between_keys(made)

    def _reported(self, cluster: LiveCluster) -> Reported:
        nodes, jobs = cluster.hub.snapshot(NODES), cluster.hub.snapshot(JOBS).value
        causes: Mapping[str, Cause] = cluster.hub.snapshot(PENDING_CAUSES).value or {}
        return Reported(
            nodes=self._rows(NODES),
            jobs=None if jobs is None else jobs.rows,
            supervised=dict(cluster.supervised),
            causes=causes,
            at=nodes.taken.wall if nodes.taken is not None else 0.0,
            seconds=SPANS[self.span][1],
            usd_per_hour=cluster.usd_per_hour,
            more_troubles=(*_lease_troubles(cluster), *_certificate_troubles(cluster, self.now().wall)),
            min_idle_seconds=cluster.idle_seconds,
        )

    # Widgets

    def compose(self) -> ComposeResult:
        """Curves above, the map beside what wants a look, and the running jobs below."""
        yield PartView(self._curves, id="overview-curves")
        heat = HeatMap(glyphs=self.glyphs, has_color=not self.app.no_color, id="overview-heat")
        with Container(id="overview-middle"):
            yield Panel(heat, title=HEAT_TITLE, id="overview-heat-panel")
            yield Panel(TroubleList(glyphs=self.glyphs), title="Attention", id="overview-attention-panel")
        table = LiveTable(RUNNING.columns, glyphs=self.glyphs, arrangement=WITHOUT_MONEY, id="overview-running")
        table.empty_sentence, table.noun, table.is_framed = RUNNING.empty, "jobs", True
        yield Panel(table, title=RUNNING.title, id="overview-running-panel")

    def on_mount(self) -> None:
        """Parts have the room that they will have, so that nothing is laid out twice; the keys go to Attention."""
        self._fold(self.app.size.width, self.app.size.height - HEADER_LINES)
        self.query_one(TroubleList).focus()

    def on_resize(self, event: events.Resize) -> None:
        """Parts come and go with the room there is."""
        self._fold(*event.size)

    def _fold(self, width: int, height: int) -> None:
        room = Room(width, height)
        self.set_class(room.is_bare, "-bare")
        middle = self.query_one("#overview-middle")
        middle.styles.layout = "vertical" if room.is_narrow else "horizontal"
        middle.styles.height = room.heat + room.attention if room.is_narrow else room.attention
        for name, lines in (("curves", room.curves), ("heat-panel", room.heat), ("attention-panel", room.attention),
                            ("running-panel", room.running)):  # fmt: skip
            part = self.query_one(f"#overview-{name}")
            part.display, part.styles.height = lines > 0, max(1, lines)

    def on_descendant_focus(self) -> None:
        """The frame of the part that has the keys stands out."""
        for panel in self.query(Panel):
            panel.query_one(PanelEdge).set_class(panel.has_focus_within, "-active")

    # Drawing

    def _curves(self, width: int, height: int) -> list[PlotLine]:
        if self.overview is None:
            sentence: PlotLine = (Part(f" {visible(self._sentence)}", "quiet"),)
            return framed([sentence], width, height, title=self.TITLE, glyphs=self.glyphs)
        return curve_panels(self.overview, width, height, span=self.span, glyphs=self.glyphs)

    def _draw(self) -> None:
        for _ in self._drawing():
            pass

    async def _draw_between_keys(self, made: ClusterOverview) -> None:
        """Draw a few milliseconds at a time; whatever is drawn meanwhile takes the place of what is half drawn."""
        work = self._drawing()
        while not some_of(work)[1]:
            await asyncio.sleep(REST_SECONDS)
            if self.overview is not made or not self.is_mounted:
                return

    def _drawing(self) -> Iterator[None]:
        overview = self.overview
        self.query_one(PartView).paint()
        yield
        self.query_one(HeatMap).show(overview.heat if overview else ())
        yield
        self.query_one(TroubleList).show(overview.troubles if overview else None, self._sentence)
        yield
        yield from self._drawing_running(overview)
        self._tell_titles()
        self.post_message(self.StateChanged())

    def _drawing_running(self, overview: ClusterOverview | None) -> Iterator[None]:
        table = self.query_one(LiveTable)
        is_priced = overview is not None and overview.usd_per_hour is not None
        hidden = (*(() if is_priced else MONEY_COLUMNS), *(() if overview is None or overview.gpus else GPU_COLUMNS))
        if table.arrangement.hidden != hidden:
            table.arrangement = msgspec.structs.replace(table.arrangement, hidden=hidden)
        context = RowContext(now=overview.at if overview else 0.0, glyphs=self.glyphs)
        rows = []
        for row in table.preparing(running_row(job, context) for job in (overview.running if overview else ())):
            rows.append(row)
            yield
        table.set_rows(rows, prepared=True)
        table.set_state(Phase.READY if overview else Phase.LOADING)

    @on(HeatMap.Moved)
    def _tell_titles(self) -> None:
        overview = self.overview
        heat = self.query_one(HeatMap)
        state = "" if overview is None else cell_state(heat.chosen) if heat.has_focus else heat_state(overview)
        title = HEAT_TITLE if overview is None or overview.gpus else "CPU by node"
        self.query_one("#overview-heat-panel", Panel).show_title(
            [Piece(title, "strong", 0)], [Piece(state, "quiet", 1)]
        )
        wasted = f"{money(overview.wasted)}/h wasted" if overview and overview.wasted else ""
        count = str(len(overview.troubles)) if overview and overview.troubles else ""
        right = [Piece(wasted, "warn", 1), Piece(f"{self.glyphs.separator} {count}" if wasted else count, "quiet", 2)]
        self.query_one("#overview-attention-panel", Panel).show_title([Piece("Attention", "strong", 0)], right)
        running = f"{len(overview.running)} by GPU-hours" if overview and overview.running else ""
        self.query_one("#overview-running-panel", Panel).show_title(
            [Piece(RUNNING.title, "strong", 0)], [Piece(running, "quiet", 1)]
        )

    # Where one goes from here

    @property
    def wanted(self) -> Wanted | None:
        """The pane and the row that Enter goes to, of the part that has the keys; None where that is empty."""
        heat, troubles, running = self.query_one(HeatMap), self.query_one(TroubleList), self.query_one(LiveTable)
        if heat.has_focus and heat.chosen is not None:
            node, place = heat.chosen
            is_gpu = bool(node.indexes)
            return Wanted("gpus", f"{node.node_id}/{node.indexes[place]}") if is_gpu else Wanted("nodes", node.node_id)
        if troubles.has_focus and troubles.trouble is not None:
            return Wanted(troubles.trouble.pane, troubles.trouble.key)
        if running.has_focus and running.row_key is not None:
            return Wanted("job", running.row_key)
        return None

    @on(HeatMap.Chosen)
    @on(TroubleList.Chosen)
    @on(LiveTable.RowSelected)
    async def _chosen(self, event: Message) -> None:
        event.stop()
        await self.perform("overview_open")

    # Actions

    def action_copy(self) -> None:
        """Copy the name of what is under the cursor."""
        if (name := self._name_under_cursor) is not None:
            self.app.copy_to_clipboard(visible(name))
            self.notify(f"Copied {visible(name)}.", markup=False, timeout=2)

    @property
    def _name_under_cursor(self) -> str | None:
        heat, troubles, running = self.query_one(HeatMap), self.query_one(TroubleList), self.query_one(LiveTable)
        if heat.has_focus and heat.chosen is not None:
            node, place = heat.chosen
            return f"{node.name}:{node.indexes[place]}" if node.indexes else node.name
        if troubles.has_focus and troubles.trouble is not None:
            return troubles.trouble.name
        return running.row_key if running.has_focus else None

    def action_zoom_in(self) -> None:
        """Show a shorter time."""
        self._show_span(self.span - 1)

    def action_zoom_out(self) -> None:
        """Show a longer time."""
        self._show_span(self.span + 1)

    def _show_span(self, span: int) -> None:
        if 0 <= span < len(SPANS):
            self.span = span
            self._look()

    def why_disabled(self, action: Action) -> str | None:
        """The time span is bounded, and submitting needs a cluster."""
        if action.name in ("overview_open", "copy") and (not self.is_mounted or self.wanted is None):
            return f"There is nothing to {action.label} here."
        if action.name == "zoom_in" and self.span == 0:
            return f"{SPANS[0][0]} is the shortest time."
        if action.name == "zoom_out" and self.span == len(SPANS) - 1:
            return f"{SPANS[-1][0]} is the longest time."
        if self.cluster is None and action.name in ("submit", "zoom_in", "zoom_out", "idle_gpus"):
            return "No cluster is open. Press ctrl+k to choose one."
        return None
