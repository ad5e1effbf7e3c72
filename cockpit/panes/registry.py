"""The panes, in the order of their keys."""

from collections.abc import Callable

import msgspec

from cockpit.panes.base import Pane
from cockpit.panes.jobs import JobsPane
from cockpit.panes.log import LogPane
from cockpit.panes.nodes import GpusPane, NodesPane
from cockpit.panes.sdl import SdlPane
from cockpit.panes.secrets import SecretsPane

PANES: tuple[type[Pane], ...] = (JobsPane, NodesPane, GpusPane, LogPane, SdlPane, SecretsPane)


class Entry(msgspec.Struct, frozen=True):
    """A pane with the key that shows it."""

    key: str
    name: str
    title: str
    make: Callable[..., Pane]


def entries() -> list[Entry]:
    """The panes with their keys, 1 to 9."""
    return [Entry(str(number), pane.NAME, pane.TITLE, pane) for number, pane in enumerate(PANES, 1)]
