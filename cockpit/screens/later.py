"""What is imported once the first screen is there: no first frame waits for it, and no key either."""

from importlib import import_module
from typing import Any

from textual.app import App

from cockpit.widgets.later import after

AFTER_SECONDS = 3.0
PAUSE_SECONDS = 0.1  # between two, in which keys have their turn
MODULES = (
    "cockpit.panes.jobs",
    "cockpit.panes.nodes",
    "cockpit.panes.log",
    "cockpit.screens.text",
    "cockpit.screens.confirm",
    "cockpit.screens.job_page",
    "cockpit.screens.submit",
    "cockpit.screens.job_actions",
    "cockpit.screens.palette",
    "cockpit.screens.help",
    "cockpit.panes.clusters",
    "cockpit.screens.cluster_actions",
)


def import_later(app: App[Any]) -> None:
    """Begin a while from now, one module at a time."""
    names = iter(MODULES)

    def import_next() -> None:
        name = next(names, None)
        if name is not None:
            import_module(name)
            after(PAUSE_SECONDS, app, import_next)

    after(AFTER_SECONDS, app, import_next)
