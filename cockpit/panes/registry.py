"""The panes by name, number and aliases; what a pane needs is imported when it is first shown."""

from importlib import import_module
from typing import Any

import msgspec

from cockpit.actions import TABS
from cockpit.panes.base import Pane


class Entry(msgspec.Struct, frozen=True):
    """A pane, and where its class is: the pane's own module imports what may be heavy.

    With a `base` the module holds a declaration of a table instead, and the class is made of both, of the `topic`, and
    of the pane's `scopes` and `handlers` of actions.
    """

    name: str
    title: str
    module: str
    class_name: str
    aliases: tuple[str, ...] = ()
    base: str = ""
    topic: str = ""
    scopes: tuple[str, ...] = ("rows",)
    handlers: dict[str, str] = {}

    @property
    def key(self) -> str:
        """Its number; empty for a pane that opens by name only."""
        return TABS.get(self.name, "")

    def load(self) -> type[Pane]:
        """The pane's class; created here if the module declares a table and not a pane."""
        found: Any = getattr(import_module(self.module), self.class_name)
        if not self.base:
            pane: type[Pane] = found
            return pane
        given: dict[str, Any] = {"SPEC": found, "SCOPES": self.scopes, "HANDLERS": self.handlers}
        given |= {"TOPIC": _named(self.topic)} if self.topic else {}
        return type(f"{self.class_name.title()}Pane", (_named(self.base),), given)

    def make(self, **options: Any) -> Pane:
        """A pane."""
        return self.load()(**options)


def _named(path: str) -> Any:
    """What `module:NAME` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def table(name: str, title: str, spec: str, topic: str, aliases: tuple[str, ...] = ()) -> Entry:
    """A pane that needs no class: it draws the declaration `spec` with the rows of `topic`, both as `module:NAME`."""
    module, _, constant = spec.partition(":")
    return Entry(name, title, module, constant, aliases, base="cockpit.panes.table_pane:TablePane", topic=topic)


def resource(name: str, title: str, *aliases: str, scopes: tuple[str, ...] = (), page: str = "") -> Entry:
    """A pane of what is inside the cluster, of a job or of a node; its declaration is `cockpit.render.NAME:NAME`.

    `scopes` are those of actions on its rows: `processes` to look into one, `logs` to follow its log. `page` is what
    Enter opens, as `module:function` in `cockpit.screens`.
    """
    return Entry(
        name,
        title,
        f"cockpit.render.{name}",
        name.upper(),
        aliases,
        base="cockpit.panes.resources:ResourcePane",
        scopes=("rows", *scopes),
        handlers={"show_detail": page} if page else {},
    )


# In the order of their numbers; those without one open by `:name` or an alias.
PANES = (
    Entry("overview", "Overview", "cockpit.panes.overview", "OverviewPane", ("ov",)),
    Entry("jobs", "Jobs", "cockpit.panes.jobs", "JobsPane", ("job", "j")),
    Entry("gpus", "GPUs", "cockpit.panes.nodes", "GpusPane", ("gpu", "g")),
    Entry("nodes", "Nodes", "cockpit.panes.nodes", "NodesPane", ("node", "no")),
    Entry("log", "Log", "cockpit.panes.log", "LogPane", ("logs",)),
    Entry("sdl", "SDL", "cockpit.panes.sdl", "SdlPane", ("editor",)),
    Entry("deployments", "Deployments", "cockpit.panes.deployments", "DeploymentsPane", ("deployment", "dep")),
    Entry("secrets", "Secrets", "cockpit.panes.secrets", "SecretsPane", ("secret", "sec")),
    Entry("clusters", "Clusters", "cockpit.panes.clusters", "ClustersPane", ("cluster", "contexts", "ctx")),
    Entry("idle", "Idle GPUs", "cockpit.panes.idle", "IdlePane", ("radar",)),
    resource("actors", "Actors", "actor", "ac", scopes=("processes", "logs"), page="process_actions:actor_page"),
    resource("tasks", "Tasks", "task", "ta", scopes=("processes", "logs")),
    resource("placement_groups", "Placement groups", "pg"),
    resource("workers", "Workers", "worker", "wo", scopes=("processes", "logs")),
    resource("events", "Events", "event", "ev"),
    resource("serve", "Serve", "sv", scopes=("processes", "logs")),
    resource("train", "Train", "tr", scopes=("processes", "logs")),
    resource("tune", "Tune", "trials", "sweeps", scopes=("processes", "logs")),
    resource("data", "Data", "datasets"),
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
