"""The first screen without a cluster, and the switch to another one."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from cockpit.clients.address import parse_address
from cockpit.errors import UsageError
from cockpit.render.text import visible
from cockpit.screens.dialog import Dialog
from cockpit.widgets.fields import Field
from cockpit.widgets.key_hints import Hint

DEMO = "demo"
REPLAY = "replay"
ADDRESS = "address"
CONTEXT = "context"
ADD = "add"
SDL = "sdl"
HERE = "here"

Choice = tuple[str, str]

# What the program is for, for a user without a cluster.
LINES = (
    "Watch a Ray cluster: its jobs, logs, nodes and GPUs.",
    "Run jobs on it: submit them, follow them, see why one waits.",
    "Rent one on Akash: describe it, see its price, deploy it.",
    "",
)
WAYS = {
    REPLAY: ("r", "replay a recorded cluster: 12 nodes, 96 GPUs, no Ray needed"),
    DEMO: ("d", "start Ray here with sample jobs; it ends with the cockpit"),
    ADD: ("a", "add your cluster by its address"),
    SDL: ("n", "describe a new cluster for Akash (SDL)"),
}


class StartDialog(Dialog[Choice]):
    """Gives what was chosen and its name: `replay`, `demo`, `context`, `here`, `address`, `add` or `sdl`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"take('{kind}')", text, show=False) for kind, (key, text) in WAYS.items()
    ]

    HINTS = (Hint("↑↓", "move"), Hint("⏎", "choose"), Hint("esc", "close", "cancel", keep=True))

    def __init__(self, contexts: Sequence[str], *, here: str = "", title: str = "Which cluster?") -> None:
        super().__init__(title)
        self._contexts = contexts
        self._here = here  # the open cluster, which may not be saved

    def contents(self) -> list[Widget]:
        """Known clusters, ways to get one, and a field for an address."""
        known = [Option(visible(name), id=f"{CONTEXT}:{name}") for name in self._contexts]
        if self._here and self._here not in self._contexts:
            known.insert(0, Option(f"{visible(self._here)} (open now, not saved)", id=f"{HERE}:{self._here}"))
        ways = [Option(f"{key}  {text}", id=f"{kind}:") for kind, (key, text) in WAYS.items()]
        lines = [] if known else [Label(line, classes="start-line", markup=False) for line in LINES]
        return [
            *lines,
            OptionList(*known, *ways, markup=False),
            Label("or the address of a dashboard", classes="field-hint", markup=False),
            Field(placeholder="https://provider.example:31871", id="start-address"),
            Label("", id="start-error", markup=False),
        ]

    def on_mount(self) -> None:
        """The list has the keys."""
        self.query_one(OptionList).focus()

    def action_take(self, kind: str) -> None:
        """Go one of the ways that have a key."""
        self.dismiss((kind, ""))

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        kind, _, name = (event.option.id or "").partition(":")
        self.dismiss((kind, name))

    @on(Input.Submitted)
    def _take_address(self, event: Input.Submitted) -> None:
        try:
            address = parse_address(event.value)
        except UsageError as error:
            self.query_one("#start-error", Label).update(f"{error.title} {error.hint}")
        else:
            self.dismiss((ADDRESS, str(address)))
