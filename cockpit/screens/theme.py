"""Choosing a theme: it is shown as the cursor moves, and kept once it is chosen."""

from collections.abc import Sequence

from textual import on
from textual.widgets import OptionList

from cockpit.errors import CockpitError
from cockpit.operations.appearance import keep_theme
from cockpit.operations.background import aside
from cockpit.panes.base import Pane
from cockpit.screens.choose import Choose
from cockpit.screens.workspace import Workspace
from cockpit.widgets.themes import THEMES


class ThemeDialog(Choose):
    """The themes; the one in use first has the cursor."""

    def __init__(self, names: Sequence[str], current: str) -> None:
        super().__init__("Choose a theme", [(name, name) for name in names])
        self._at = names.index(current) if current in names else 0

    def on_mount(self) -> None:
        """Begin at the theme in use."""
        self.query_one(OptionList).highlighted = self._at

    @on(OptionList.OptionHighlighted)
    def _show(self, event: OptionList.OptionHighlighted) -> None:
        self.app.theme = event.option.id or self.app.theme


async def choose(work: Workspace, _: Pane) -> None:
    """Choose a theme, which the next start has too."""
    before = work.app.theme
    chosen = await work.app.push_screen_wait(ThemeDialog([theme.name for theme in THEMES], before))
    work.app.theme = chosen or before
    if chosen is None or chosen == before:
        return
    try:
        await aside(lambda: keep_theme(chosen))
    except CockpitError as error:
        text = " ".join(part for part in (f"The theme is not kept: {error.title}", error.hint) if part)
        work.app.notify(text, severity="warning", markup=False)
