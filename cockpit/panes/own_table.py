"""What panes have in common whose rows are this machine's or this user's, and no cluster's."""

from typing import Any, ClassVar, TypeVar

from cockpit.feeds.topics import NODES, Topic
from cockpit.feeds.watch import Watch
from cockpit.operations.clusters.live import LiveCluster
from cockpit.panes.table_pane import TablePane

T = TypeVar("T")


class OwnTablePane(TablePane[T]):
    """A table that does not depend on the cluster: it is read when the pane is seen, and by `action_refresh`."""

    NEEDS_CLUSTER = False
    TOPIC: ClassVar[Topic[Any]] = NODES  # never watched

    def watched(self, cluster: LiveCluster) -> list[Watch[Any]]:
        """Nothing."""
        return []

    def attach(self, cluster: LiveCluster) -> None:
        """A cluster changes nothing here."""
        self.cluster = cluster

    def detach(self) -> None:
        """Nor does its going."""
        self.cluster = None

    def report(self, sentence: str) -> None:
        """Nor what is done to reach one."""

    def tick(self) -> None:
        """Nor its clock."""

    def wake(self) -> None:
        """The pane is seen: what others changed meanwhile is read again."""
        super().wake()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Read the rows again."""
        raise NotImplementedError
