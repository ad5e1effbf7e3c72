"""The palette finds objects too: jobs and nodes by whatever is typed of them."""

from functools import partial
from typing import Protocol, cast

from textual.command import CommandPalette, Hit, Hits, Provider
from textual.widgets import Input

from cockpit.feeds.topics import JOBS, NODES
from cockpit.operations.clusters.live import LiveCluster
from cockpit.render.cell_text import tamed
from cockpit.render.jobs import status
from cockpit.render.text import visible

MOST = 5000
LONGEST = 120


class Cockpit(Protocol):
    """What the palette needs of the app."""

    cluster: LiveCluster | None

    async def go_to(self, pane: str, key: str) -> None:
        """Show a pane with the cursor on a row."""


class ObjectsProvider(Provider):
    """Jobs by id, entrypoint and metadata, nodes by name, address and id, as they were last seen."""

    @property
    def _cockpit(self) -> Cockpit:
        return cast(Cockpit, self.app)

    async def search(self, query: str) -> Hits:
        """Whatever matches."""
        matcher = self.matcher(query)
        for kind, key, text, help_text in self._objects():
            score = matcher.match(text)
            if score > 0:
                yield Hit(score, matcher.highlight(text), partial(self._cockpit.go_to, kind, key), help=help_text)

    def _objects(self) -> list[tuple[str, str, str, str]]:
        cluster = self._cockpit.cluster
        if cluster is None:
            return []
        jobs, nodes = cluster.hub.snapshot(JOBS).value, cluster.hub.snapshot(NODES).value
        found = [
            (
                "jobs",
                job.id or "",
                _short(f"{job.id} {(job.entrypoint or '')[:LONGEST]}"),
                f"job, {_short(status(job))}",
            )
            for job in (jobs.rows if jobs else ())[:MOST]
        ]
        found += [
            ("nodes", node.node_id or "", _short(f"{node.hostname} {node.ip} {node.node_id}"), "node")
            for node in (nodes.rows if nodes else ())[:MOST]
        ]
        return found


class Palette(CommandPalette):
    """Textual's own, which writes nothing without a key."""

    def on_mount(self) -> None:
        """A cursor that blinks costs bytes all the time."""
        self.query_one(Input).cursor_blink = False


def _short(text: str) -> str:
    """As much of it as is looked at, before anything costly is done with thousands of them."""
    return tamed(visible(text[:LONGEST]))[:LONGEST]
