"""The page of a node: its last hour, its processes by memory, its log files, what happened on it."""

from collections.abc import Collection
from typing import Any

from cockpit.feeds.topics import NODES
from cockpit.feeds.watch import Watch
from cockpit.model.cluster import Rows
from cockpit.model.nodes import Node
from cockpit.model.snapshot import Snapshot
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.pages import curves_topic, files_topic, node_events_topic, processes_topic
from cockpit.render import pages as render
from cockpit.render.job_page import event_lines
from cockpit.screens.tabbed_page import Lines, TabbedPage

WANTED = {"Workers": ("processes",), "Logs": ("files",), "Events": ("events",)}


class NodePage(TabbedPage):
    """Everything about a node, renewed while one looks."""

    TABS = ("Summary", "Workers", "Logs", "Events")
    LOGS = ()

    def __init__(self, cluster: LiveCluster, node: Node) -> None:
        self._node = node
        title = f"Node {node.hostname or node.ip or node.node_id}"
        super().__init__(cluster, title, render.node_lines(node, cluster.hub.clock.now().wall))

    def watched(self) -> dict[str, Watch[Any]]:
        """The nodes are asked for anyway, by the pane behind."""
        hub, node_id = self.cluster.hub, self._node.node_id or ""
        return {
            "nodes": hub.watch(NODES, self._heard),
            "past": hub.watch(curves_topic(self.cluster, self._node), self.refresh_lines, paused=True),
            "processes": hub.watch(processes_topic(node_id), self.refresh_lines, paused=True),
            "files": hub.watch(files_topic(node_id), self.refresh_lines, paused=True),
            "events": hub.watch(node_events_topic(node_id), self.refresh_lines, paused=True),
        }

    def wanted(self, tab: str) -> Collection[str]:
        """The node itself always."""
        return ("nodes", *WANTED.get(tab, ("past",)))

    def _heard(self, snapshot: Snapshot[Rows[Node]]) -> None:
        rows = snapshot.value.rows if snapshot.value else ()
        self._node = next((node for node in rows if node.node_id == self._node.node_id), self._node)
        self.refresh_lines()

    def tab_lines(self, tab: str) -> Lines:
        """The lines of a tab as they are now."""
        topic = WANTED.get(tab, ("past",))[0]
        if tab == "Summary":
            curves = self.of("past").value or ()
            lines = render.node_lines(self._node, self.now)
            return [*lines, *render.curve_lines(curves, self.width, self.row_context)]
        if self.of(topic).taken is None:
            return self.unknown(topic, f"{tab.lower()} of this node")
        found = self.of(topic).value or ()
        if tab == "Workers":
            return render.process_lines(found, self.width)
        if tab == "Logs":
            return render.file_lines([(file.kind, file.name) for file in found], self.width)
        return event_lines(found, self.row_context, self.width)
