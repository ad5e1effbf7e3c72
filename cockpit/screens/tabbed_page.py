"""A page of one thing with tabs; only what the tab in front shows is asked for."""

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from cockpit.feeds.topics import NODES
from cockpit.feeds.watch import Watch
from cockpit.model.nodes import Node
from cockpit.model.snapshot import Snapshot
from cockpit.operations.clusters.live import LiveCluster
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.nodes import node_names
from cockpit.render.table import RowContext
from cockpit.screens.text import TextDialog
from cockpit.widgets.key_hints import Hint

NARROWEST = 40
MOST_TABS = 9
Lines = list[tuple[str, str]]


class TabbedPage(TextDialog):
    """Lines of the tab in front, renewed as answers come; Esc leads back.

    A page names its `TABS`, watches topics by name in `watched`, says which of them a tab needs in `wanted`, and makes
    the lines in `tab_lines`. A tab of `LOGS` stays at its end until it is scrolled.
    """

    COVERS = True
    TABS: ClassVar[tuple[str, ...]]
    LOGS: ClassVar[tuple[str, ...]] = ("Log",)
    HINTS: ClassVar[tuple[Hint, ...]] = (Hint("tab", "next tab", "turn(1)"), *TextDialog.HINTS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,right", "turn(1)", "Next tab", priority=True, show=False),
        Binding("shift+tab,left", "turn(-1)", "Previous tab", priority=True, show=False),
        *(Binding(str(number), f"open({number - 1})", "Tab", show=False) for number in range(1, MOST_TABS + 1)),
        Binding("r", "refresh", "Refresh now", show=False),
    ]

    def __init__(self, cluster: LiveCluster, title: str, lines: Lines) -> None:
        self.cluster = cluster
        self.watches: dict[str, Watch[Any]] = {}
        self._tab = 0
        self._follows = True
        super().__init__(title, lines)

    def watched(self) -> dict[str, Watch[Any]]:
        """The topics of the page by name, made paused."""
        raise NotImplementedError

    def wanted(self, tab: str) -> Collection[str]:
        """Names of the topics that a tab needs."""
        raise NotImplementedError

    def tab_lines(self, tab: str) -> Lines:
        """The lines of a tab as they are now."""
        raise NotImplementedError

    @property
    def now(self) -> float:
        """The time by the cluster's clock, in seconds since the epoch."""
        return self.cluster.hub.clock.now().wall

    @property
    def tab(self) -> str:
        """The name of the tab in front."""
        return self.TABS[self._tab]

    @property
    def row_context(self) -> RowContext:
        """What rows of tables depend on."""
        glyphs: Glyphs = getattr(self.app, "glyphs", UNICODE)
        return RowContext(now=self.now, node_names=node_names(self.known_nodes), glyphs=glyphs)

    @property
    def known_nodes(self) -> Sequence[Node]:
        """The nodes, as some pane or page asked for them last."""
        found = self.cluster.hub.snapshot(NODES).value
        return found.rows if found else ()

    @property
    def width(self) -> int:
        """How wide a line may be that is not to be wrapped."""
        return max(NARROWEST, self.query_one("#text-scroll").scrollable_content_region.width - 2)

    def contents(self) -> list[Widget]:
        """The tabs above the lines."""
        return [Static(id="page-tabs"), *super().contents()]

    def on_mount(self) -> None:
        """Ask for the first tab."""
        self.watches = self.watched()
        self.ask()

    def on_unmount(self) -> None:
        """Nothing is asked for the page's sake any more."""
        for watch in self.watches.values():
            watch.close()

    def on_resize(self) -> None:
        """Tables are as wide as the page."""
        self.call_after_refresh(self.refresh_lines)

    def action_turn(self, step: int) -> None:
        """Show the next tab, or the one before."""
        self.action_open((self._tab + step) % len(self.TABS))

    def action_open(self, tab: int) -> None:
        """Show a tab, from its beginning."""
        if tab >= len(self.TABS):
            return
        self._tab = tab
        self.ask()
        self.query_one("#text-scroll").scroll_home(animate=False)
        self._follows = True
        self.refresh_lines()

    def action_refresh(self) -> None:
        """Ask now."""
        self.cluster.hub.kick()

    def ask(self) -> None:
        """Ask for what this tab shows, and for nothing else."""
        wanted = self.wanted(self.tab)
        for name, watch in self.watches.items():
            if name in wanted:
                watch.resume()
            else:
                watch.pause()

    def refresh_lines(self, _: object = None) -> None:
        """Draw the tab in front."""
        if not self.is_mounted or not self.watches:
            return
        tabs = [Content.styled(f" {tab} ", "reverse" if at == self._tab else "") for at, tab in enumerate(self.TABS)]
        self.query_one("#page-tabs", Static).update(Content(" ").join(tabs))
        scroll = self.query_one("#text-scroll")
        is_log = self.tab in self.LOGS
        # After scrolling up, a log stays where it is.
        follows = is_log and (self._follows or scroll.is_vertical_scroll_end)
        lines = self.tab_lines(self.tab)
        self._follows = is_log and not lines
        self.show(lines)
        if follows:
            self.call_after_refresh(self.call_after_refresh, scroll.scroll_end, animate=False)

    def of(self, name: str) -> Snapshot[Any]:
        """What is known of a topic of the page."""
        return self.watches[name].snapshot

    def unknown(self, name: str, what: str) -> Lines:
        """What to say until a topic is answered."""
        error = self.of(name).error
        if error is None:
            return [("", f"Asking for the {what}…")]
        return [("", text) for text in (error.title, error.hint) if text]
