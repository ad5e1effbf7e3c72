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
    topic: str = ""

    def load(self) -> type[Pane]:
        """The pane's class; made here where the module holds a declaration of a table and not a pane."""
        found: Any = getattr(import_module(self.module), self.class_name)
        if not self.topic:
            pane: type[Pane] = found
            return pane
        from cockpit.panes.table_pane import TablePane

        module, _, name = self.topic.partition(":")
        topic = getattr(import_module(module), name)
        return type(f"{self.class_name.title()}Pane", (TablePane,), {"SPEC": found, "TOPIC": topic})

    def make(self, **options: Any) -> Pane:
        """A pane."""
        return self.load()(**options)


def table(name: str, title: str, spec: str, topic: str, *, key: str = "") -> Entry:
    """A pane that needs no class: it draws the declaration `spec` with the rows of `topic`, both as `module:NAME`."""
    module, _, constant = spec.partition(":")
    return Entry(key, name, title, module, constant, topic)


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
