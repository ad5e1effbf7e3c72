"""Which columns a table shows, and in which order."""

from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from cockpit.render.layout import chosen
from cockpit.screens.dialog import Dialog
from cockpit.widgets.key_hints import Hint
from cockpit.widgets.live_table import LiveTable


class ColumnsDialog(Dialog[None]):
    """Space shows or hides a column, < and > move it; the table behind changes at once."""

    HINTS = (
        Hint("␣", "show or hide", "show_or_hide"),
        Hint("< >", "move"),
        Hint("esc", "close", "cancel", keep=True),
    )
    BINDINGS = [  # noqa: RUF012 - Textual's own way
        Binding("space", "show_or_hide", "Show or hide", show=False, priority=True),
        Binding("less_than_sign", "move(-1)", "Left", show=False),
        Binding("greater_than_sign", "move(1)", "Right", show=False),
    ]

    def __init__(self, table: LiveTable) -> None:
        super().__init__("Columns")
        self._table = table

    def contents(self) -> list[Widget]:
        """A line per column, shown ones first."""
        return [OptionList(*self._options(), markup=False)]

    def _options(self) -> list[Option]:
        columns = self._table.columns
        shown = chosen(columns, self._table.arrangement)
        order = [*shown, *(index for index in range(len(columns)) if index not in shown)]
        return [
            Option(f"{'■' if index in shown else '□'} {columns[index].title}", id=columns[index].key) for index in order
        ]

    @property
    def _key(self) -> str | None:
        options = self.query_one(OptionList)
        index = options.highlighted
        return None if index is None else options.get_option_at_index(index).id

    def action_show_or_hide(self) -> None:
        """Show a hidden column, hide a shown one."""
        if (key := self._key) is not None:
            shown = {self._table.columns[index].key for index in chosen(self._table.columns, self._table.arrangement)}
            self._table.show_column(key, key not in shown)
            self._draw(key)

    def action_move(self, by: int) -> None:
        """Move the column in the table."""
        if (key := self._key) is not None:
            self._table.move_column(key, by)
            self._draw(key)

    def _draw(self, key: str) -> None:
        options = self.query_one(OptionList)
        fresh = self._options()
        options.clear_options()
        options.add_options(fresh)
        options.highlighted = next(index for index, option in enumerate(fresh) if option.id == key)
