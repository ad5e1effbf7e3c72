"""The palette finds objects too: jobs and nodes by whatever is typed of them."""

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from cockpit.feeds.topics import JOBS, NODES
from cockpit.render.jobs import status
from cockpit.render.text import visible

if TYPE_CHECKING:
    from cockpit.app import CockpitApp

MOST = 5000
LONGEST = 120


class ObjectsProvider(Provider):
    """Jobs by id, entrypoint and metadata, nodes by name, address and id, as they were last seen."""

    @property
    def _cockpit(self) -> "CockpitApp":
        return cast("CockpitApp", self.app)

    async def discover(self) -> Hits:
        """Nothing before something is typed: there may be thousands."""
        for hit in ():
            yield cast(DiscoveryHit, hit)

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
