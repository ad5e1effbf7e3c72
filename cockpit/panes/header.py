"""The top of every screen: which cluster, how it is protected, how much of it is in use, and which pane this is."""

from collections.abc import Mapping, Sequence
from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from cockpit.feeds.topics import HEADER_JOBS_SECONDS, JOBS, NODES, USAGE, VERSION
from cockpit.feeds.watch import Watch
from cockpit.model.cluster import ClusterUsage, Version
from cockpit.model.job_list import JobList
from cockpit.model.nodes import Usage
from cockpit.model.snapshot import Moment, Snapshot, State
from cockpit.operations.clusters.live import EXPOSURE, LiveCluster
from cockpit.panes.base import sentence_of
from cockpit.render import lease_money
from cockpit.render.deployments import dollars, per_hour
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.load import load_tone
from cockpit.render.meters import bar, percentage
from cockpit.render.text import visible
from cockpit.render.times import clock_time
from cockpit.widgets.state_line import Piece, StateLine, fitting

BAR = 6
# Counts of jobs that are asked for less often, or are older, have their time beside them.
UNMARKED_S = 15.0


class TabLine(StateLine):
    """The panes by key and title; a click on one is as good as its key."""

    SPACE = 2
    DEFAULT_CSS = "TabLine { padding: 0 0 0 1; }"  # nine tabs and an open resource have room in 110 columns

    class Chosen(Message):
        """A pane was clicked; `key` is its key."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, titles: Sequence[tuple[str, str]], current: str, *, ellipsis: str) -> None:
        self._titles, self._current = titles, current
        self._counts: Mapping[str, int] = {}
        self._tabs = self._labels({})
        super().__init__(self._pieces(), id="header-tabs", ellipsis=ellipsis)

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """How many rows a pane has, by its title; shown if all of them fit."""
        if counts != self._counts:
            self._counts = counts
            self.on_resize()

    def on_resize(self) -> None:
        """No pane loses its place in the line for a count."""
        with_counts = self._labels(self._counts)
        room = sum(len(text) + self.SPACE for _, text, _ in with_counts) - self.SPACE
        self._tabs = with_counts if room <= self.content_size.width else self._labels({})
        self.show(self._pieces())

    def _labels(self, counts: Mapping[str, int]) -> list[tuple[str, str, bool]]:
        return [
            (key, f"{key} {title}" + (f" {counts[title]:,}" if title in counts else ""), title == self._current)
            for key, title in self._titles
        ]

    def _pieces(self) -> list[Piece]:
        return [Piece(text, "accent" if is_here else "quiet", 0 if is_here else 1) for _, text, is_here in self._tabs]

    def on_click(self, event: events.Click) -> None:
        """Go to the pane under the pointer."""
        kept = fitting(
            [len(text) for _, text, _ in self._tabs],
            [0 if here else 1 for *_, here in self._tabs],
            self.size.width,
            self.SPACE,
        )
        end = 0
        for key, text, _ in (self._tabs[index] for index in kept):
            if end <= event.x < end + len(text):
                self.post_message(self.Chosen(key))
            end += len(text) + self.SPACE


class HeaderBar(Vertical):
    """Two lines about the cluster and one with the panes; `titles` are those of the panes, `current` is this one.

    What is reserved is asked for every `usage_seconds`.
    """

    def __init__(
        self,
        titles: Sequence[tuple[str, str]],
        current: str,
        *,
        glyphs: Glyphs = UNICODE,
        usage_seconds: float = USAGE.interval,
    ) -> None:
        super().__init__(id="header")
        self._usage_seconds = usage_seconds
        self._titles = titles
        self._current = current
        self._glyphs = glyphs
        self._cluster: LiveCluster | None = None
        self._banner = ""
        self._watches: list[Watch[Any]] = []
        self._version: Snapshot[Version] | None = None
        self._usage: Snapshot[ClusterUsage] | None = None
        self._jobs: Snapshot[JobList] | None = None

    def compose(self) -> ComposeResult:
        """Three lines."""
        yield StateLine(id="header-cluster", ellipsis=self._glyphs.ellipsis)
        yield StateLine(id="header-usage", ellipsis=self._glyphs.ellipsis)
        banner = Static("", id="header-banner", markup=False)
        banner.display = False
        yield banner
        yield TabLine(self._titles, self._current, ellipsis=self._glyphs.ellipsis)

    def attach(self, cluster: LiveCluster) -> None:
        """Tell of this cluster."""
        self.detach()
        self._cluster = cluster
        hub = cluster.hub
        self._watches = [
            hub.watch(VERSION, self._heard, paused=True),
            hub.watch(USAGE, self._heard, interval=self._usage_seconds, paused=True),
            hub.watch(JOBS, self._heard, interval=HEADER_JOBS_SECONDS, paused=True),
            hub.watch(EXPOSURE, self._heard, paused=True),
        ]

    def detach(self) -> None:
        """Tell of no cluster."""
        for watch in self._watches:
            watch.close()
        self._watches = []
        self._cluster = self._version = self._usage = self._jobs = None
        if self.is_mounted:
            self.query_one(TabLine).show_counts({})
            self._show_banner("")

    def wake(self) -> None:
        """The screen is seen."""
        for watch in self._watches:
            watch.resume()
        self.tick()

    def sleep(self) -> None:
        """The screen is hidden."""
        for watch in self._watches:
            watch.pause()

    def _heard(self, _: Snapshot[Any]) -> None:
        self.tick()

    def report(self, sentence: str) -> None:
        """Show the connection attempt until a cluster is open."""
        if self._cluster is None:
            self.query_one("#header-cluster", StateLine).show([Piece("rayakash", "accent", 0)])
            self.query_one("#header-usage", StateLine).show([Piece(visible(sentence), "", 0)])

    def tick(self) -> None:
        """Draw what has changed."""
        cluster = self._cluster
        if cluster is None or not self.is_mounted:
            return
        # Equal answers are not delivered, so the last delivered one has aged.
        self._version, self._usage, self._jobs = (watch.snapshot for watch in self._watches[:3])
        now = cluster.hub.clock.now()
        self.query_one("#header-cluster", StateLine).show(*self._cluster_pieces(cluster, now))
        self.query_one("#header-usage", StateLine).show(*self._usage_pieces(cluster, now))
        self.query_one(TabLine).show_counts(self._tab_counts(cluster))
        self._show_banner(cluster.protection.sentence)

    def _tab_counts(self, cluster: LiveCluster) -> dict[str, int]:
        """What is known by now, without asking: jobs that have not ended, GPUs and nodes that are alive."""
        counts: dict[str, int] = {}
        if self._jobs is not None and self._jobs.value is not None:
            counts["Jobs"] = sum(not job.is_terminal for job in self._jobs.value.rows)
        nodes = cluster.hub.snapshot(NODES).value
        if nodes is not None:
            alive = [node for node in nodes.rows if node.is_alive]
            counts |= {"Nodes": len(alive), "GPUs": sum(len(node.gpus) for node in alive)}
        return counts

    def _show_banner(self, sentence: str) -> None:
        """What is wrong with the way to the cluster stays on the screen for as long as it is wrong."""
        banner = self.query_one("#header-banner", Static)
        if sentence != self._banner:
            self._banner = sentence
            banner.update(visible(sentence))
            banner.display = bool(sentence)

    def _cluster_pieces(self, cluster: LiveCluster, now: Moment) -> tuple[list[Piece], list[Piece]]:
        version = self._version.value.ray_version if self._version and self._version.value else None
        left = [
            self._name_piece(cluster, now),
            Piece(visible(cluster.address) if cluster.address != cluster.name else "", "quiet", 2),
            Piece(f"Ray {version}" if version else "", "quiet", 3),
        ]
        protection = cluster.protection
        right = [
            *_money_pieces(cluster),
            _way_piece(cluster),
            _mode_piece(cluster),
            Piece(protection.words, protection.tone or "quiet", 0 if protection.tone == "error" else 2),
        ]
        return left, right

    def _name_piece(self, cluster: LiveCluster, now: Moment) -> Piece:
        """The cluster by name, with a sign that tells from afar whether it is well."""
        trouble = self._trouble(now)
        sign, tone = {
            State.FRESH: (self._glyphs.well, "accent"),
            State.LOADING: (self._glyphs.waiting, "accent"),
            State.STALE: (self._glyphs.stale, "warn"),
            State.FAILED: (self._glyphs.failed, "error"),
        }[trouble.state(now) if trouble is not None else State.FRESH]
        return Piece(f"{sign} {cluster.name}", tone, 0)

    def _usage_pieces(self, cluster: LiveCluster, now: Moment) -> tuple[list[Piece], list[Piece]]:
        if (trouble := self._trouble(now)) is not None:
            tone = "quiet" if trouble.state(now) is State.LOADING else "warn"
            sentence = sentence_of(trouble, now, what="cluster", address=cluster.address)
            return [Piece(visible(sentence), tone, 0)], []
        reserved = self._usage.value.total if self._usage and self._usage.value else {}
        used = cluster.recording.totals
        has_gpus = "GPU" in reserved or not reserved
        left = [
            self._meter("CPU", used.get("cpu"), 1),
            _reserved(reserved.get("CPU"), 6),
            self._meter("GPU", used.get("gpu"), 0) if has_gpus else Piece("no GPU", "quiet", 3),
            _reserved(reserved.get("GPU"), 5),
            self._meter("MEM", used.get("memory"), 4),
        ]
        return left, _job_counts(self._jobs, now)

    def _trouble(self, now: Moment) -> Snapshot[Any] | None:
        """What is old, or has never come: the version is asked for seldom, so that the use of it may tell sooner."""
        version, usage = self._version, self._usage
        if version is not None and version.state(now) is not State.FRESH:
            return version
        return usage if usage is not None and usage.state(now) in (State.STALE, State.FAILED) else None

    def _meter(self, label: str, percent: float | None, priority: int) -> Piece:
        """What is really used, of all machines together."""
        if percent is None:
            return Piece(f"{label} {self._glyphs.unknown}", "quiet", priority)
        shown = percentage(percent, glyphs=self._glyphs).strip()
        return Piece(f"{label} {bar(percent, BAR, glyphs=self._glyphs)} {shown}", load_tone(percent), priority)


def _reserved(use: Usage | None, priority: int) -> Piece:
    """What Ray has given away, which is not what is used."""
    return Piece(f"reserved {use.used:g}/{use.total:g}" if use is not None else "", "quiet", priority)


def _money_pieces(cluster: LiveCluster) -> list[Piece]:
    """What its lease costs and how long it lasts; what is about to end stays on the screen whatever its width."""
    if (money := cluster.lease_money()) is None:
        return []
    tone = lease_money.tone(money)
    spent = f"{dollars(money.spent_usd)} so far" if money.spent_usd is not None else ""
    return [
        Piece("" if money.ended else per_hour(money.usd_per_hour), "", 1),
        Piece(spent, "quiet", 2),
        Piece(visible(lease_money.left(money)), tone or "quiet", 0 if tone else 1),
    ]


def _mode_piece(cluster: LiveCluster) -> Piece:
    """That nothing can be changed, and that it is a recording, where it is one."""
    if cluster.is_replay:
        return Piece("REPLAY, at its end" if cluster.replay_has_ended else "REPLAY", "warn", 0)
    return Piece("READ-ONLY" if cluster.is_read_only else "", "warn", 1)


def _way_piece(cluster: LiveCluster) -> Piece:
    """The bastion on the way, and whether it lets us through."""
    passage = cluster.endpoint.passage
    if passage is None:
        return Piece("", "", 3)
    if trouble := passage.trouble():
        return Piece(f"ssh {visible(passage.through)}: {trouble}", "warn", 0)
    return Piece(f"ssh {visible(passage.through)}", "quiet", 2)


def _job_counts(snapshot: Snapshot[JobList] | None, now: Moment) -> list[Piece]:
    """What jobs there are; those that need a look are not quiet. Beside other panes they are asked for seldom."""
    if snapshot is None or snapshot.value is None:
        return []
    counts = snapshot.value.counts()
    # On a narrow screen, what needs no attention goes first.
    words = (("RUNNING", "running", "", 3), ("PENDING", "pending", "warn", 2), ("FAILED", "failed", "error", 1))
    pieces = [Piece(f"{counts[status]} {word}", tone, rank) for status, word, tone, rank in words if counts.get(status)]
    # A time of day, which does not tick: an idle screen writes nothing between two answers.
    is_old = snapshot.interval > UNMARKED_S or (snapshot.age(now) or 0.0) >= UNMARKED_S
    taken = snapshot.taken_at
    shown = f"at {clock_time(round(taken * 1000), now.wall)}" if is_old and taken is not None else ""
    return [*(pieces or [Piece("no jobs running", "quiet", 3)]), Piece(shown, "quiet", 4)]
