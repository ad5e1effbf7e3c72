"""The panes, in the order of their keys; what a pane needs is imported when it is first shown."""

from importlib import import_module
from typing import Any

import msgspec

from cockpit.panes.base import Pane


class Entry(msgspec.Struct, frozen=True):
    """A pane with the key that shows it, and where its class is: the pane's own module imports what may be heavy."""

    key: str
    name: str
    title: str
    module: str
    class_name: str

    def load(self) -> type[Pane]:
        """The pane's class."""
        found: type[Pane] = getattr(import_module(self.module), self.class_name)
        return found

    def make(self, **options: Any) -> Pane:
        """A pane."""
        return self.load()(**options)


PANES = (
    Entry("1", "jobs", "Jobs", "cockpit.panes.jobs", "JobsPane"),
    Entry("2", "nodes", "Nodes", "cockpit.panes.nodes", "NodesPane"),
    Entry("3", "gpus", "GPUs", "cockpit.panes.nodes", "GpusPane"),
    Entry("4", "log", "Log", "cockpit.panes.log", "LogPane"),
    Entry("5", "sdl", "SDL", "cockpit.panes.sdl", "SdlPane"),
    Entry("6", "secrets", "Secrets", "cockpit.panes.secrets", "SecretsPane"),
    Entry("7", "clusters", "Clusters", "cockpit.panes.clusters", "ClustersPane"),
)


def entries() -> list[Entry]:
    """The panes with their keys, 1 to 9."""
    return list(PANES)
