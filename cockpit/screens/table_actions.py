"""What keys do in every table and need a dialog for."""

from cockpit.panes.nodes import GpusPane, NodesPane
from cockpit.panes.table_pane import TablePane
from cockpit.screens.columns import ColumnsDialog
from cockpit.screens.copying import copy_cell as ask_for_cell
from cockpit.screens.text import TextDialog
from cockpit.screens.workspace import Workspace


def show_detail(work: Workspace, pane: TablePane[object]) -> None:
    """Show all columns of the row under the cursor."""
    title = f"{pane.ROW} {pane.table.cell_text('node')}"
    work.app.push_screen(TextDialog(title, pane.row_detail()))


async def copy_cell(work: Workspace, pane: TablePane[object]) -> None:
    """Copy one cell of the row under the cursor, or all of it."""
    await ask_for_cell(work.app, pane.row_detail())


def columns(work: Workspace, pane: TablePane[object]) -> None:
    """Choose the columns of the table."""
    work.app.push_screen(ColumnsDialog(pane.table))


def shorter(_: Workspace, pane: NodesPane | GpusPane) -> None:
    """Show a shorter time in the preview."""
    pane.past.zoom(-1)


def longer(_: Workspace, pane: NodesPane | GpusPane) -> None:
    """Show a longer time in the preview."""
    pane.past.zoom(1)
