"""Drives the SDL editor: the form by its labels, the text by its keys, the file by its bytes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cockpit.operations.sdl_editor.form_rows import FormRow
from cockpit.panes.sdl import SdlPane
from cockpit.widgets.sdl_form import ValueField
from tests.ui.driver import Driver, cockpit_on

WIDE = (160, 45)
SMALL = (80, 24)


class SdlEditor:
    """The editor on the screen, without any cluster."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    @property
    def pane(self) -> SdlPane:
        """The pane."""
        pane = self.driver.pane("sdl")
        assert isinstance(pane, SdlPane)
        return pane

    @property
    def text(self) -> str:
        """The text as it would be saved."""
        return self.pane.desk.session.text

    @property
    def messages(self) -> list[str]:
        """What the problems say."""
        return [problem.message for problem in self.pane.problems.problems]

    def is_grey(self) -> bool:
        """Whether the form waits for the text."""
        return self.pane.form.view.is_grey

    async def ready(self) -> None:
        """Wait until the text was looked at."""

        def is_checked() -> bool:
            found, session = self.pane.checked, self.pane.desk.session
            return found is not None and found.version == session.version and not self.pane._is_checking

        await self.driver.wait_until(is_checked, "the check of the text")

    def row(self, label: str, section: str = "") -> FormRow:
        """The row of that label, in the section that begins with a name. Fails where there is none."""
        inside = not section
        for row in self.pane.form.view.rows:
            if row.kind == "section" and section:
                inside = section in row.label
            if inside and row.label == label:
                return row
        raise AssertionError(f"there is no row {label!r} in {section!r}:\n{self.driver.text}")

    async def fill(self, label: str, value: str, section: str = "") -> None:
        """Go to a row, and type a value into it."""
        await self.choose(label, section)
        field = self.pane.form.query_one(ValueField)
        await self.driver.wait_until(lambda: field.has_focus, "the field over the row")
        field.value = ""
        await self.driver.type(value)
        await self.driver.press("enter")
        await self.ready()

    async def choose(self, label: str, section: str = "") -> None:
        """Go to a row, and press Enter."""
        self.pane.form.view.focus()
        assert self.pane.form.view.move_to(self.row(label, section).key)
        await self.driver.press("enter")

    async def type(self, row: int, column: int, text: str) -> None:
        """Type a text at a place of the YAML."""
        self.pane.show_side("text")
        await self.driver.wait_until(lambda: self.pane.text.has_focus, "the text")
        self.pane.text.move_cursor((row, column))
        await self.driver.type(text)
        await self.ready()

    async def save(self) -> None:
        """Save, into a file that is known."""
        await self.driver.press("ctrl+s")
        await self.driver.wait_until(lambda: not self.pane.desk.is_dirty, "the saved file")


def is_open(editor: SdlEditor, path: Path | None) -> bool:
    """Whether a file lies on the desk, where there is one."""
    return path is None or not path.exists() or editor.pane.desk.file.path == path


@asynccontextmanager
async def sdl_editor(path: Path | None = None, *, size: tuple[int, int] = WIDE) -> AsyncIterator[SdlEditor]:
    """The editor on a file, or on nothing; what is not saved is given up at the end."""
    async with cockpit_on(None, size=size, first_pane="sdl", sdl=path) as driver:
        editor = SdlEditor(driver)
        await driver.wait_until(lambda: driver.has_dialog or is_open(editor, path), "the opened file")
        if not driver.has_dialog:
            await editor.ready()
        try:
            yield editor
        finally:
            editor.pane.desk.session.saved()
