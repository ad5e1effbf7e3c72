"""The folders of this machine and the YAML files in them, to choose one."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import ClassVar

from rich.text import Text, TextType
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DirectoryTree

from cockpit.operations.sdl_editor.paths import ENDINGS
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.text import visible

MOST = 1000
"""Of one folder; a path can be typed for the others."""


class FileTree(DirectoryTree):
    """Folders and YAML files. ← closes a folder, and at the top leaves; backspace goes a folder up."""

    ICON_FILE = "  "
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "open_folder", "Open the folder", show=False),
        Binding("left", "close_folder", "Close the folder", show=False),
        Binding("backspace", "go_up", "Folder above", show=False),
    ]

    class Left(Message):
        """The keys are wanted elsewhere."""

    def __init__(self, path: Path, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(path, id=id)
        self.ICON_NODE, self.ICON_NODE_EXPANDED = ("+ ", "- ") if glyphs.is_ascii else ("▸ ", "▾ ")
        self.show_guides = not glyphs.is_ascii

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        """Not what is hidden, and no other files."""
        fitting = (one for one in paths if not one.name.startswith(".") and _is_offered(one))
        return islice(fitting, MOST)

    def process_label(self, label: TextType) -> Text:
        """A name as shown: it may contain any character."""
        return Text(visible(str(label)), no_wrap=True)

    def action_open_folder(self) -> None:
        """Open the folder under the cursor."""
        node = self.cursor_node
        if node is not None and node.allow_expand:
            node.expand()

    def action_close_folder(self) -> None:
        """Close the folder, or go to the one that holds this; from the top one, leave the tree."""
        node = self.cursor_node
        if node is None or node is self.root:
            self.post_message(self.Left())
        elif node.is_expanded:
            node.collapse()
        elif node.parent is not None:
            self.move_cursor(node.parent)

    def action_go_up(self) -> None:
        """Begin the tree a folder higher."""
        self.path = Path(self.path).resolve().parent


def _is_offered(path: Path) -> bool:
    try:
        return path.is_dir() or path.name.endswith(ENDINGS)
    except OSError:
        return False
