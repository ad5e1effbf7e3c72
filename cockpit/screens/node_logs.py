"""Choosing one of a node's log files."""

from typing import Any

from textual import on
from textual.app import App
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from cockpit.clients.log_files import LogFile
from cockpit.model.nodes import Node
from cockpit.operations.live import LiveCluster
from cockpit.operations.node_logs import NodeFile, list_files
from cockpit.render.text import visible
from cockpit.screens.dialog import Dialog
from cockpit.widgets.key_hints import Hint

MOST_SHOWN = 500
KIND_WIDTH = 11


async def choose_log(app: App[Any], cluster: LiveCluster, node: Node) -> LogFile | None:
    """Ask which file of the node; None where the user would rather not. Raises NotFoundError where it is gone."""
    files = await list_files(cluster.client, node.node_id or "")
    name = node.hostname or node.ip or (node.node_id or "")[:12]
    chosen = await app.push_screen_wait(NodeLogs(f"Logs of {visible(name)}", files))
    return LogFile(node_id=node.node_id or "", filename=chosen) if chosen else None


class NodeLogs(Dialog[str]):
    """Gives the name of a file; words that are typed narrow the list."""

    HINTS = (Hint("↑↓", "move"), Hint("⏎", "follow"), Hint("esc", "cancel", "cancel", keep=True))
    BINDINGS = [("down", "move(1)", "Down"), ("up", "move(-1)", "Up")]  # noqa: RUF012 - Textual's own way

    def __init__(self, title: str, files: list[NodeFile]) -> None:
        super().__init__(title)
        self._files = files

    def contents(self) -> list[Widget]:
        """What is typed, and the files."""
        count = Label(id="node-logs-count", classes="quiet", markup=False)
        return [Input(placeholder="words of the name"), OptionList(markup=False), count]

    def on_mount(self) -> None:
        """All of them, to begin with."""
        self._fill("")

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def _fill(self, text: str) -> None:
        words = text.lower().split()
        found = [file for file in self._files if all(word in f"{file.kind} {file.name}".lower() for word in words)]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(visible(f"{file.kind:{KIND_WIDTH}}{file.name}"), id=file.name) for file in found[:MOST_SHOWN]
        )
        options.highlighted = 0 if found else None
        shown = min(len(found), MOST_SHOWN)
        self.query_one("#node-logs-count", Label).update(f"{shown:,} of {len(self._files):,} files")

    def action_move(self, rows: int) -> None:
        """Move in the list while words are typed."""
        options = self.query_one(OptionList)
        if rows > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    @on(Input.Submitted)
    def _enter(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)
