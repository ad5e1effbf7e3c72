"""A line to type a search into, with switches for regex and case."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from cockpit.render.log_query import Case, Query
from cockpit.widgets.filter_bar import FilterBar

_CASES = {Case.SMART: "smart case", Case.IGNORED: "any case", Case.EXACT: "same case"}


class FindBar(FilterBar):
    """Tells what is typed and how it is meant; each switch tells it again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "switch_regex", "Regex or text", show=False, id="find.regex"),
        Binding("ctrl+t", "switch_case", "Case", show=False, id="find.case"),
    ]
    """
    | Key(s) | Description |
    | :- | :- |
    | ctrl+r | Take the text as a regex, or as it stands. |
    | ctrl+t | Capitals matter if there is one in the text, never, or always. |
    """

    DEFAULT_CSS = "FindBar { & > .filter-bar--result { width: 48; max-width: 60%; } }"

    is_regex = True
    case = Case.SMART

    def query_of(self, text: str) -> Query | None:
        """What to look for; None for no text."""
        return Query(text, self.is_regex, self.case) if text else None

    @property
    def switches(self) -> str:
        """How the text is meant, and the keys that change that."""
        return f"{'regex' if self.is_regex else 'text'} ^r, {_CASES[self.case]} ^t"

    def action_switch_regex(self) -> None:
        """Take the text as a regex, or as it stands."""
        self.is_regex = not self.is_regex
        self.post_message(self.Changed(self, self.text))

    def action_switch_case(self) -> None:
        """Go to the next way of looking at capitals."""
        self.case = Case((self.case + 1) % len(Case))
        self.post_message(self.Changed(self, self.text))
