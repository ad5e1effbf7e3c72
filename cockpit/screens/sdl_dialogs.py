"""The dialogs of the SDL editor: a name to type, a file to choose, a template to look at, a diff to agree to."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from cockpit.operations.sdl_editor.paths import completed, paths_beginning
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.text import visible
from cockpit.screens.confirm import Confirm
from cockpit.screens.dialog import Dialog
from cockpit.sdl.templates import Template
from cockpit.widgets.fields import Field
from cockpit.widgets.file_tree import FileTree
from cockpit.widgets.key_hints import Hint

# On a narrower terminal the names stand above the preview.
STACKED = 110
DIFF_TONES = {"+": "$text-success", "-": "$text-error", "@": "$text-primary"}


class OpenDialog(Dialog[Path]):
    """A path to type, with those that begin so below it; with nothing typed, recent files. Beside them, folders."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False, priority=True),
        Binding("down", "to_list", "List", show=False),
        Binding("right", "to_tree", "Folders", show=False, priority=True),
    ]
    HINTS = (
        Hint("⏎", "open"),
        Hint("tab", "complete", "complete"),
        Hint("↓", "recent"),
        Hint("→", "folders"),
        Hint("esc", "cancel", "cancel", keep=True),
    )

    def __init__(self, recent: Sequence[Path], title: str = "Open an SDL", *, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(title)
        self._glyphs = glyphs
        self._recent = [str(path) for path in recent]
        self._shown = self._recent

    def contents(self) -> list[Widget]:
        """The field, and the list."""
        field = Field(placeholder="path of a YAML file", id="open-path")
        recent = OptionList(*self._options(), markup=False)
        return [field, Horizontal(recent, FileTree(Path.cwd(), glyphs=self._glyphs, id="open-tree"), id="open-body")]

    def _options(self) -> list[Option]:
        return [Option(visible(path), id=str(at)) for at, path in enumerate(self._shown)]

    def on_mount(self) -> None:
        """The field has the keys."""
        self.query_one("#open-path", Input).focus()

    @on(Input.Changed)
    async def _list(self, event: Input.Changed) -> None:
        typed = event.value
        found = await asyncio.to_thread(paths_beginning, typed) if typed else self._recent
        if typed == self.query_one("#open-path", Input).value:
            self._shown = found
            self.query_one(OptionList).set_options(self._options())

    async def action_complete(self) -> None:
        """Write what all paths that begin so have in common."""
        field = self.query_one("#open-path", Input)
        found = await asyncio.to_thread(paths_beginning, field.value)
        if found:
            field.value = completed(field.value, found)
            field.cursor_position = len(field.value)

    def action_to_tree(self) -> None:
        """Go to the folders, from the end of what was typed or from the list."""
        field, tree = self.query_one("#open-path", Input), self.query_one(FileTree)
        if tree.has_focus:
            tree.action_open_folder()
        elif field.has_focus and field.cursor_position < len(field.value):
            field.action_cursor_right()
        else:
            tree.focus()

    @on(FileTree.Left)
    def action_to_list(self) -> None:
        """Go to the list; where it is empty, from the field to the folders, and from them to the field."""
        options, field = self.query_one(OptionList), self.query_one("#open-path", Input)
        if not self._shown:
            (self.query_one(FileTree) if field.has_focus else field).focus()
            return
        options.focus()
        if options.highlighted is None:
            options.action_first()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(Path(event.value.strip()).expanduser())

    @on(FileTree.FileSelected)
    def _found(self, event: FileTree.FileSelected) -> None:
        self.dismiss(event.path)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        chosen = self._shown[int(event.option.id or 0)]
        if chosen.endswith("/"):
            field = self.query_one("#open-path", Input)
            field.value = chosen
            field.focus()
        else:
            self.dismiss(Path(chosen).expanduser())


class Begun(NamedTuple):
    """The template that was chosen, and whether its sizes are to be asked for."""

    template: Template
    by_wish: bool


class TemplateDialog(Dialog[Begun]):
    """The templates, with what each of them asks for; `previews` are lines by the template's name."""

    HINTS = (
        Hint("↑↓", "look"),
        Hint("⏎", "begin with it"),
        Hint("s", "its sizes", "size"),
        Hint("← →", "scroll"),
        Hint("esc", "cancel", "cancel", keep=True),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "scroll_preview(1)", "Scroll on", show=False),
        Binding("left", "scroll_preview(-1)", "Scroll back", show=False),
        Binding("s", "size", "Sizes", show=False),
    ]

    def __init__(self, templates: Sequence[Template], previews: Sequence[Sequence[str]]) -> None:
        super().__init__("New SDL from a template")
        self._templates, self._previews = templates, previews

    def contents(self) -> list[Widget]:
        """The names, and the preview of the one under the cursor."""
        options = [Option(visible(one.name), id=str(at)) for at, one in enumerate(self._templates)]
        preview = VerticalScroll(Static("", id="template-preview", markup=False), id="template-scroll")
        return [Horizontal(OptionList(*options, markup=False), preview, id="template-body")]

    def on_mount(self) -> None:
        """The list has the keys."""
        self.query_one(OptionList).focus()
        self.set_class(self.app.size.width < STACKED, "-stacked")

    def action_scroll_preview(self, pages: int) -> None:
        """Show more of the preview."""
        preview = self.query_one("#template-scroll", VerticalScroll)
        preview.scroll_relative(y=pages * max(1, preview.size.height - 2), animate=False)

    @on(OptionList.OptionHighlighted)
    def _look(self, event: OptionList.OptionHighlighted) -> None:
        lines = self._previews[int(event.option.id or 0)]
        self.query_one("#template-preview", Static).update("\n".join(lines))
        self.query_one("#template-scroll", VerticalScroll).scroll_home(animate=False)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(Begun(self._templates[int(event.option.id or 0)], by_wish=False))

    def action_size(self) -> None:
        """Ask for the sizes of a cluster like the one under the cursor."""
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self.dismiss(Begun(self._templates[at], by_wish=True))


def preview_width(screen: int) -> int:
    """How wide the preview of a template may be on a screen of that width."""
    return int(screen * 0.9) - 8 if screen < STACKED else min(110, int(screen * 0.9)) - 32


class DiffDialog(Confirm):
    """A diff, and the question whether it shall be so."""

    HINTS: ClassVar[tuple[Hint, ...]] = (
        Hint("y", "yes", "yes"),
        Hint("↑↓", "scroll"),
        Hint("n", "no", "cancel", keep=True),
    )

    def contents(self) -> list[Widget]:
        """The colored lines, and what follows."""
        lines = [Content.styled(visible(line), DIFF_TONES.get(line[:1], "")) for line in self._names]
        body = Static(Content("\n").join(lines), id="diff-body", markup=False)
        widgets: list[Widget] = [VerticalScroll(body, id="diff-scroll")]
        if self._consequence:
            widgets.append(Label(self._consequence, id="confirm-consequence", markup=False))
        return widgets

    def on_mount(self) -> None:
        """The keys scroll."""
        self.query_one("#diff-scroll").focus()


class DiffView(DiffDialog):
    """A diff to look at."""

    HINTS = (Hint("↑↓", "scroll"), Hint("esc", "close", "cancel", keep=True))

    def action_yes(self) -> None:
        """There is nothing to agree to."""
