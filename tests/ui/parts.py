"""The parts of the screen that a driver speaks of: tables and dialogs."""

from typing import TYPE_CHECKING, Any

from textual.widgets import Input, TextArea

from cockpit.panes.table_pane import TablePane
from cockpit.screens.dialog import Dialog

if TYPE_CHECKING:
    from tests.ui.driver import Driver


class TableDriver:
    """One table pane."""

    def __init__(self, driver: "Driver", name: str) -> None:
        self._driver = driver
        self._name = name

    @property
    def pane(self) -> TablePane[Any]:
        """The pane itself."""
        pane = self._driver.pane(self._name)
        assert isinstance(pane, TablePane)
        return pane

    def is_focused(self) -> bool:
        """Whether keys go to its table."""
        return self._driver.app.focused is self.pane.table

    @property
    def keys(self) -> list[str]:
        """The keys of the rows that are shown, in their order."""
        return self.pane.table.shown_keys

    @property
    def cursor(self) -> str | None:
        """The key of the row under the cursor."""
        return self.pane.table.row_key

    @property
    def marked(self) -> list[str]:
        """The keys of marked rows."""
        return self.pane.table.marked_keys

    def screen(self) -> list[str]:
        """The table's lines as they are drawn, without trailing blanks."""
        table = self.pane.table
        return [table.render_line(y).text.rstrip() for y in range(table.view_size.height)]

    @property
    def header(self) -> str:
        """The line of titles."""
        return self.screen()[0]

    @property
    def rows(self) -> list[str]:
        """The lines between titles and foot."""
        lines = self.screen()
        return lines[1 : len(lines) - self.pane.table.foot_height]

    @property
    def foot(self) -> str:
        """The last line: state, filter, counts."""
        assert self.pane.table.foot_height
        return self.screen()[-1]

    def row(self, text: str) -> str:
        """The drawn row that holds a text. Fails where there is none, or more than one."""
        found = [line for line in self.rows if text in line]
        assert len(found) == 1, f"{len(found)} rows with {text!r} in:\n{self._driver.text}"
        return found[0]

    def lines(self, *expected: str) -> None:
        """The first drawn rows hold these texts, one each, in this order."""
        rows = self.rows
        for line, text in zip(rows, expected, strict=False):
            assert text in line, f"{text!r} is not in {line!r} of:\n{self._driver.text}"
        assert len(rows) >= len(expected)

    async def select(self, key: str) -> None:
        """Put the cursor on a row, wherever it is."""
        assert self.pane.table.move_to(key), f"there is no row {key}"
        await self._driver.settle()


class DialogDriver:
    """The dialog in front."""

    def __init__(self, driver: "Driver") -> None:
        assert isinstance(driver.app.screen, Dialog), f"no dialog is open:\n{driver.text}"
        self._driver = driver
        self.screen: Dialog[Any] = driver.app.screen

    def has_title(self, title: str) -> "DialogDriver":
        """Its title is this."""
        shown = str(self.screen.query_one("#dialog-title").render())
        assert shown == title, f"the title is {shown!r}"
        return self

    def says(self, *texts: str) -> "DialogDriver":
        """All of these texts can be read on the screen."""
        for text in texts:
            assert text in self._driver.text, f"{text!r} is not in:\n{self._driver.text}"
        return self

    def field(self, name: str) -> str:
        """What stands in a field of the submit dialog."""
        widget = self.screen.query_one(f"#submit-{name}")
        assert isinstance(widget, Input | TextArea)
        return widget.value if isinstance(widget, Input) else widget.text

    async def fill(self, name: str, text: str) -> "DialogDriver":
        """Type a text into a field in place of what is there."""
        widget = self.screen.query_one(f"#submit-{name}")
        assert isinstance(widget, Input | TextArea)
        widget.focus()
        if isinstance(widget, Input):
            widget.value = text
        else:
            widget.text = text
        await self._driver.pause()
        return self
