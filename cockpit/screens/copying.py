"""One cell of a row, or the whole row, for the clipboard."""

from collections.abc import Sequence
from typing import Any

from textual.app import App

from cockpit.render.cell_text import clip
from cockpit.render.units import UNKNOWN
from cockpit.screens.choose import Choose

LONGEST = 48
ROW = "row"


async def copy_cell(app: App[Any], cells: Sequence[tuple[str, str]]) -> None:
    """Ask which cell, and copy its whole text; `cells` are titles and texts, without line breaks."""
    width = max(len(title) for title, _ in cells)
    options = [
        (str(index), f"{title:<{width}}  {clip(text, LONGEST)[0]}")
        for index, (title, text) in enumerate(cells)
        if text != UNKNOWN
    ]
    chosen = await app.push_screen_wait(Choose("Copy", [*options, (ROW, "the whole row")]))
    if chosen is None:
        return
    title, text = ("the row", "\t".join(text for _, text in cells)) if chosen == ROW else cells[int(chosen)]
    app.copy_to_clipboard(text)
    app.notify(f"Copied {title}.", markup=False, timeout=2)
