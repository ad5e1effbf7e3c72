"""The palette finds objects too: jobs and nodes by whatever is typed of them."""

from functools import partial
from typing import Protocol, cast

from textual.command import Hit, Hits, Provider

from cockpit.feeds.topics import JOBS, NODES
from cockpit.operations.live import LiveCluster
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
            ("jobs", job.id or "", visible(f"{job.id} {job.entrypoint or ''}")[:LONGEST], f"job, {status(job)}")
            for job in (jobs.rows if jobs else ())[:MOST]
        ]
        found += [
            ("nodes", node.node_id or "", visible(f"{node.hostname} {node.ip} {node.node_id}")[:LONGEST], "node")
            for node in (nodes.rows if nodes else ())[:MOST]
        ]
        return found
