"""The line that opens a resource by name or alias, as `:pods` does in k9s: `:jobs`, `:pg`, `:ctx`."""

from collections.abc import Sequence

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from cockpit.panes.base import Pane
from cockpit.panes.registry import Entry, entries
from cockpit.render.text import visible
from cockpit.screens.dialog import Dialog
from cockpit.screens.workspace import Workspace
from cockpit.widgets.fields import Field
from cockpit.widgets.key_hints import Hint

_NOT_MEANT = 3


def matching(text: str, known: Sequence[Entry]) -> list[Entry]:
    """Panes by what was typed: the one of that name or alias first, then those that begin with it, then the others."""
    wanted = text.strip().removeprefix(":").lower().replace("-", "_").replace(" ", "_")
    ranked = [(_rank(entry, wanted), place, entry) for place, entry in enumerate(known)]
    return [entry for rank, _, entry in sorted(ranked, key=lambda one: one[:2]) if rank < _NOT_MEANT]


def _rank(entry: Entry, wanted: str) -> int:
    names = (entry.name, *entry.aliases)
    if wanted in names:
        return 0
    if any(name.startswith(wanted) for name in names):
        return 1
    return 2 if wanted in entry.name else _NOT_MEANT


async def ask(work: Workspace, _: Pane) -> None:
    """Open the resource whose name is typed."""
    name = await work.app.push_screen_wait(GoTo())
    if name is not None:
        await work.app.run_action(f"show_pane('{name}')")


class GoTo(Dialog[str]):
    """Gives the name of a pane; Tab completes what is typed."""

    HINTS = (Hint("⏎", "open"), Hint("tab", "complete"), Hint("↑↓", "move"), Hint("esc", "cancel", "cancel", keep=True))
    BINDINGS = [  # noqa: RUF012 - Textual's own way
        ("down", "move(1)", "Down"),
        ("up", "move(-1)", "Up"),
        ("tab", "complete", "Complete"),
    ]

    def __init__(self) -> None:
        super().__init__("Go to")
        self._found: list[Entry] = []

    def contents(self) -> list[Widget]:
        """What is typed, and the panes that it may mean."""
        return [
            Field(placeholder="a name, such as jobs, actors or pg", id="go-to-name"),
            OptionList(id="go-to-list", markup=False),
            Label("", id="go-to-error", markup=False),
        ]

    def on_mount(self) -> None:
        """All of them."""
        self.query_one(OptionList).can_focus = False
        self.query_one(Field).focus()
        self._narrow("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    def _narrow(self, text: str) -> None:
        self._found = matching(text, entries())
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(_line(entry), id=entry.name) for entry in self._found)
        options.highlighted = 0 if self._found else None
        problem = f"Resource not found: {visible(text)}. ctrl+p searches jobs, nodes and commands."
        self.query_one("#go-to-error", Label).update("" if self._found else problem)

    def action_move(self, rows: int) -> None:
        """Move in the list while a name is typed."""
        options = self.query_one(OptionList)
        if rows > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_complete(self) -> None:
        """Write the name of the row under the cursor."""
        if (entry := self._highlighted) is not None:
            field = self.query_one(Field)
            field.value = entry.name
            field.cursor_position = len(field.value)

    @property
    def _highlighted(self) -> Entry | None:
        at = self.query_one(OptionList).highlighted
        return self._found[at] if at is not None else None

    @on(Input.Submitted)
    def _enter(self, event: Input.Submitted) -> None:
        # The input counts, not what the list shows: letters and Enter may have come together.
        found = matching(event.value, entries())
        highlighted = self._highlighted
        if found:
            chosen = highlighted if highlighted is not None and found == self._found else found[0]
            self.dismiss(chosen.name)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


def _line(entry: Entry) -> str:
    return f"{entry.key or ' '}  {entry.name.replace('_', '-'):18}{' '.join(entry.aliases)}"
