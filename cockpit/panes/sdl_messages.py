"""What happens in the SDL pane and needs a dialog or the disk; apart, so that the app need not import the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from cockpit.operations.sdl_editor.form_rows import FormRow


class SecretTyped(Message):
    """A value that looks like a secret was typed; it is not stored anywhere yet."""

    def __init__(self, row: FormRow, text: str) -> None:
        super().__init__()
        self.row = row
        self.text = text


class SdlPasted(Message):
    """A file of another tool was pasted."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class SdlLooked(Message):
    """Time has passed: a draft may be due, and the file may have changed on disk."""


class SdlShown(Message):
    """The editor is shown for the first time: drafts can be offered."""
