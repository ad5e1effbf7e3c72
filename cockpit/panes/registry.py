"""The panes by name, number and aliases; what a pane needs is imported when it is first shown."""

from importlib import import_module
from typing import Any

import msgspec

from cockpit.actions import TABS
from cockpit.panes.base import Pane


class Entry(msgspec.Struct, frozen=True):
    """A pane, and where its class is: the pane's own module imports what may be heavy."""

    name: str
    title: str
    module: str
    class_name: str
    aliases: tuple[str, ...] = ()
    topic: str = ""

    @property
    def key(self) -> str:
        """Its number; empty for a pane that opens by name only."""
        return TABS.get(self.name, "")

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


def table(name: str, title: str, spec: str, topic: str, aliases: tuple[str, ...] = ()) -> Entry:
    """A pane that needs no class: it draws the declaration `spec` with the rows of `topic`, both as `module:NAME`."""
    module, _, constant = spec.partition(":")
    return Entry(name, title, module, constant, aliases, topic)


# In the order of their numbers; those without one open by `:name` or an alias.
PANES = (
    Entry("jobs", "Jobs", "cockpit.panes.jobs", "JobsPane", ("job", "j")),
    Entry("gpus", "GPUs", "cockpit.panes.nodes", "GpusPane", ("gpu", "g")),
    Entry("nodes", "Nodes", "cockpit.panes.nodes", "NodesPane", ("node", "no")),
    Entry("log", "Log", "cockpit.panes.log", "LogPane", ("logs",)),
    Entry("sdl", "SDL", "cockpit.panes.sdl", "SdlPane", ("editor",)),
    Entry("deployments", "Deployments", "cockpit.panes.deployments", "DeploymentsPane", ("deployment", "dep")),
    Entry("secrets", "Secrets", "cockpit.panes.secrets", "SecretsPane", ("secret", "sec")),
    Entry("clusters", "Clusters", "cockpit.panes.clusters", "ClustersPane", ("cluster", "contexts", "ctx")),
    Entry("actors", "Actors", "cockpit.panes.resources", "ActorsPane", ("actor", "ac")),
    Entry("tasks", "Tasks", "cockpit.panes.resources", "TasksPane", ("task", "ta")),
    Entry("placement_groups", "Placement groups", "cockpit.panes.resources", "PlacementGroupsPane", ("pg",)),
    Entry("workers", "Workers", "cockpit.panes.resources", "WorkersPane", ("worker", "wo")),
    Entry("events", "Events", "cockpit.panes.resources", "EventsPane", ("event", "ev")),
    Entry("serve", "Serve", "cockpit.panes.resources", "ServePane", ("sv",)),
    Entry("train", "Train", "cockpit.panes.resources", "TrainPane", ("tr",)),
    Entry("data", "Data", "cockpit.panes.resources", "DataPane", ("datasets",)),
)


def entries() -> list[Entry]:
    """The panes, those with a number first."""
    return list(PANES)


def entry_of(name: str) -> Entry:
    """The pane of that name. Raises KeyError."""
    found = next((entry for entry in PANES if entry.name == name), None)
    if found is None:
        raise KeyError(name)
    return found
