"""One pane with the header above it and the keys below."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from cockpit.actions import Action, in_scope, keys_of
from cockpit.operations.clusters.live import LiveCluster
from cockpit.panes.base import Pane
from cockpit.panes.header import HeaderBar
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.screens.dialog import Dialog
from cockpit.widgets.key_hints import Hint, KeyHints


class PaneScreen(Screen[None]):
    """Composed when it is first shown; asks for nothing while another one is in front."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.go_back", "Back", show=False)]

    def __init__(
        self,
        pane: Pane,
        titles: Sequence[tuple[str, str]],
        *,
        keys: Mapping[str, str] | None = None,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        super().__init__()
        self.pane = pane
        self.header = HeaderBar(titles, pane.TITLE, glyphs=glyphs, usage_seconds=pane.HEADER_USAGE_SECONDS)
        self._cluster: LiveCluster | None = None
        self._keys = keys or {}
        self._sentence = ""

    def compose(self) -> ComposeResult:
        """Header, pane, keys."""
        yield self.header
        yield self.pane
        yield KeyHints(id="hints")

    def on_mount(self) -> None:
        """Attach what was waiting for the widgets to be there."""
        if self._cluster is not None:
            self._attach_now(self._cluster)
        elif self._sentence:
            self._report_now()
        self.show_hints()

    def attach(self, cluster: LiveCluster) -> None:
        """Show this cluster from now on."""
        self._cluster = cluster
        if self.is_mounted:
            self._attach_now(cluster)

    def _attach_now(self, cluster: LiveCluster) -> None:
        self.header.attach(cluster)
        self.pane.attach(cluster)
        if self.is_current:
            self.wake()

    def detach(self) -> None:
        """Show no cluster."""
        self._cluster = None
        self.header.detach()
        self.pane.detach()

    def on_screen_resume(self) -> None:
        """The screen is in front again."""
        self.wake()

    def on_screen_suspend(self) -> None:
        """Another screen came in front; behind a dialog the pane goes on, behind a page nobody sees it."""
        self.call_later(self._sleep_if_hidden)

    def _sleep_if_hidden(self) -> None:
        stack = self.app.screen_stack
        if self not in stack or any(isinstance(screen, Dialog) and screen.COVERS for screen in stack):
            self.header.sleep()
            self.pane.sleep()

    def wake(self) -> None:
        """The screen is seen."""
        if not self.is_mounted:
            return
        if self._cluster is not None:
            self.header.wake()
        if self._cluster is not None or not self.pane.NEEDS_CLUSTER:
            self.pane.wake()
            self.show_hints()

    def report(self, sentence: str) -> None:
        """Say what is being done to reach the cluster."""
        self._sentence = sentence
        if self.is_mounted and self._cluster is None:
            self._report_now()

    def _report_now(self) -> None:
        self.header.report(self._sentence)
        self.pane.report(self._sentence)

    def tick(self) -> None:
        """A second has passed."""
        if self._cluster is not None and self.is_mounted:
            self.header.tick()
            self.pane.tick()

    @on(Pane.StateChanged)
    def show_hints(self) -> None:
        """The keys that do something here and now."""
        self.query_one("#hints", KeyHints).show(self._hints())

    def _hints(self) -> list[Hint]:
        read_only = self._cluster is not None and self._cluster.is_read_only
        actions = [action for action in in_scope(("app", self.pane.NAME, *self.pane.SCOPES)) if action.rank]
        usable = [action for action in actions if not (action.changes and read_only) and self.pane.is_hinted(action)]
        return [_hint(action, self._keys) for action in usable if self.pane.why_disabled(action) is None]


def _hint(action: Action, remapped: Mapping[str, str]) -> Hint:
    return Hint(keys_of(action, remapped)[0], action.label, action.name, keep=action.name in ("help", "quit"))
