"""Choosing one of the log files of a node, or of a job."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.app import App
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from cockpit.clients.ray.log_files import LogFile
from cockpit.model.jobs import Job
from cockpit.model.nodes import Node
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.logs.job_files import JobFiles
from cockpit.operations.logs.node_logs import NodeFile, list_files
from cockpit.panes.base import Pane
from cockpit.panes.nodes import GpusPane, NodesPane
from cockpit.render.text import visible
from cockpit.screens.dialog import Dialog
from cockpit.screens.workspace import Workspace
from cockpit.widgets.fields import Field
from cockpit.widgets.key_hints import Hint

if TYPE_CHECKING:
    from cockpit.panes.log import LogPane

MOST_SHOWN = 500
MOST_MISSING = 3
_LONG_ID = re.compile(r"([0-9a-f]{8})[0-9a-f]{40,}")  # of a worker: unreadable, and a line long
KIND_WIDTH, LONGEST_KIND = 11, 24


async def follow(work: Workspace, pane: Pane) -> None:
    """Choose one of the log files of a node, or of the process that holds its GPU, and follow it."""
    await follow_chosen(work, pane)


async def follow_chosen(work: Workspace, of: Pane | Job) -> None:
    """Choose a log and follow it in the Log pane."""
    cluster = work.cluster
    file = await choose_log(work.app, cluster, of) if cluster is not None else None
    if file is not None and cluster is work.cluster:
        _log_pane(work).follow_file(file)


def show_job_log(work: Workspace, job_id: str) -> None:
    """Follow the log of a job in the Log pane, and tell when the job ends."""
    _log_pane(work).follow(job_id)
    work.notices.follow(job_id)


def follow_file(work: Workspace, file: LogFile) -> None:
    """Follow a log in the Log pane."""
    _log_pane(work).follow_file(file)


def _log_pane(work: Workspace) -> "LogPane":
    return cast("LogPane", work.go_into("log"))


async def choose_log(app: App[Any], cluster: LiveCluster, of: Pane | Job) -> LogFile | None:
    """Ask which log of a job, or of what is under the cursor of a pane; None where the user would rather not.

    Raises NotFoundError where the node is gone.
    """
    if isinstance(of, Job):
        return await _choose_of_job(app, cluster, of)
    if isinstance(of, NodesPane | GpusPane) and of.node is not None:
        return await _choose_of_node(app, cluster, of.node, of.words)
    return None


async def _choose_of_node(app: App[Any], cluster: LiveCluster, node: Node, words: str) -> LogFile | None:
    files = await list_files(cluster.client, node.node_id or "")
    name = node.hostname or node.ip or (node.node_id or "")[:12]
    return await app.push_screen_wait(NodeLogs(f"Logs of {visible(name)}", files, words=words))


async def _choose_of_job(app: App[Any], cluster: LiveCluster, job: Job) -> LogFile | None:
    found = JobFiles(cluster.client, job)
    files = [file async for file in found.found()]
    title = f"Logs of {visible(job.id or '')}"
    return await app.push_screen_wait(NodeLogs(title, files, missing=found.missing, by_node=True))


class NodeLogs(Dialog[LogFile]):
    """Returns a file; typing filters the list, `words` is the initial filter.

    With `by_node` each file is shown with its node; `missing` are sentences about what is not in the list.
    """

    DEFAULT_CSS = """
    NodeLogs .missing { width: 1fr; height: auto; }
    """
    HINTS = (Hint("↑↓", "move"), Hint("⏎", "follow"), Hint("esc", "cancel", "cancel", keep=True))
    BINDINGS = [("down", "move(1)", "Down"), ("up", "move(-1)", "Up")]  # noqa: RUF012 - Textual's own way

    def __init__(
        self, title: str, files: list[NodeFile], *, words: str = "", missing: Sequence[str] = (), by_node: bool = False
    ) -> None:
        super().__init__(title)
        self._files = files
        self._words = words
        self._missing = missing
        width = max((len(file.kind) for file in files), default=0) + 1
        self._kind_width = min(max(KIND_WIDTH, width), LONGEST_KIND)
        self._by_node = by_node

    def contents(self) -> list[Widget]:
        """What is typed, the files, and what is not among them."""
        count = Label(id="node-logs-count", classes="quiet", markup=False)
        missing = [
            Label(visible(sentence), classes="quiet missing", markup=False) for sentence in self._missing[:MOST_MISSING]
        ]
        return [Field(self._words, placeholder="words of the name"), OptionList(markup=False), count, *missing]

    def on_mount(self) -> None:
        """All of them, or those with the words."""
        self._fill(self._words)

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        self._fill(event.value)

    def _fill(self, text: str) -> None:
        words = text.lower().split()
        found = [(at, line) for at, line in enumerate(map(self._line, self._files)) if _has(line, words)]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(line, id=str(at)) for at, line in found[:MOST_SHOWN])
        options.highlighted = 0 if found else None
        shown = min(len(found), MOST_SHOWN)
        self.query_one("#node-logs-count", Label).update(f"{shown:,} of {len(self._files):,} files")

    def _line(self, file: NodeFile) -> str:
        kind = f"{file.kind[: self._kind_width - 1]:{self._kind_width}}"
        name = _LONG_ID.sub(r"\1..", file.name)
        return visible(f"{kind}{file.node_id[:6]}  {name}" if self._by_node else f"{kind}{name}")

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
        file = self._files[int(event.option.id or 0)]
        self.dismiss(LogFile(node_id=file.node_id, filename=file.name))


def _has(line: str, words: list[str]) -> bool:
    text = line.lower()
    return all(word in text for word in words)
