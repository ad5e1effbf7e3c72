"""What one does with a log on the screen: find, leave out, wrap, mark, copy, save."""

import msgspec
from textual import on

from cockpit.actions import Action
from cockpit.feeds.line_index import Source
from cockpit.panes.base import Pane
from cockpit.panes.log_find import LogFind
from cockpit.widgets.log_reader import LogReader

_OF_TABLES = ("filter", "sort", "columns", "copy_cell", "mark", "show_detail")
_OF_SEARCH = ("next_hit", "previous_hit")
_OF_FILTER = ("more_context", "less_context")


class Part(msgspec.Struct, frozen=True):
    """The bytes of a source to be saved, what they are, and what to call their file."""

    source: Source
    start: int
    end: int
    what: str
    name: str


class LogReading(Pane):
    """A pane with a LogReader and a LogFind in it."""

    @property
    def view(self) -> LogReader:
        """The lines."""
        return self.query_one(LogReader)

    @property
    def find(self) -> LogFind:
        """Search and filter."""
        return self.query_one(LogFind)

    def want_whole(self) -> None:
        """Something is done that is meant for the whole log."""

    def part_to_save(self) -> Part:
        """What is saved: the marked lines, or all."""
        raise NotImplementedError

    def action_search(self) -> None:
        """Find, with every line on the screen as it was."""
        self.want_whole()
        self.find.open_search()

    def action_log_filter(self) -> None:
        """Leave lines out."""
        self.want_whole()
        self.find.open_filter()

    def action_next_hit(self) -> None:
        """Go to the next line that was found."""
        self.view.next_hit(1)

    def action_previous_hit(self) -> None:
        """Go to the line that was found before."""
        self.view.next_hit(-1)

    def action_next_error(self) -> None:
        """Go to the next error or traceback."""
        self._go_to_error(1)

    def action_previous_error(self) -> None:
        """Go to the error or traceback before."""
        self._go_to_error(-1)

    def _go_to_error(self, step: int) -> None:
        self.want_whole()
        self.view.next_error(step)

    def action_more_context(self) -> None:
        """Show another line before and after each that passes the filter."""
        self.find.widen(1)

    def action_less_context(self) -> None:
        """Show a line less around each."""
        self.find.widen(-1)

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them at the edge."""
        self.view.set_layout(wrapped=not self.view.is_wrapped)

    def action_json(self) -> None:
        """Lay JSON out, or leave it as it is."""
        self.view.set_layout(pretty=not self.view.is_pretty)

    def action_mark_lines(self) -> None:
        """Begin to mark lines, or take the marks away."""
        self.view.action_mark_lines()
        self.post_message(self.StateChanged())

    def action_copy(self) -> None:
        """Copy the marked lines, the line that was gone to, or the screen."""
        chosen = self.view.chosen_text()
        if chosen is None:
            self.notify("That is more than a terminal copies; S saves it.", severity="warning", markup=False)
            return
        text, count = chosen
        self.app.copy_to_clipboard(text)
        if self.view.is_marking:
            self.view.action_mark_lines()
        self.notify(f"Copied {count:,} {'line' if count == 1 else 'lines'}.", markup=False)

    @on(LogReader.FindChanged)
    def _found(self, event: LogReader.FindChanged) -> None:
        self.find.show(event.status)
        self.post_message(self.StateChanged())

    def why_disabled(self, action: Action) -> str | None:
        """What tables have is not at hand, nor are keys for what there is not."""
        status = self.view.find_status
        if action.name in _OF_TABLES:
            return f"{action.label} is not available in the log."
        if action.name in _OF_SEARCH and status.query is None:
            return "Nothing is searched for; / begins."
        if action.name in _OF_FILTER and status.sieve is None:
            return "No filter is set. Press f to set one."
        return None
