"""What the panes without a cluster ask of those who can show dialogs; apart, so that asking imports no SDL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from cockpit.operations.sdl_form_rows import FormRow
    from cockpit.operations.secret_uses import SecretRow


class SdlAsked(Message):
    """An action is wanted that asks the user something; `row` is where the form's cursor is."""

    def __init__(self, name: str, row: FormRow | None) -> None:
        super().__init__()
        self.name = name
        self.row = row


class SecretTyped(Message):
    """A value was typed that looks like a secret, and it stands nowhere yet."""

    def __init__(self, row: FormRow, text: str) -> None:
        super().__init__()
        self.row = row
        self.text = text


class SdlLooked(Message):
    """Time has passed: a draft may be due, and the file may be another one."""


class SdlShown(Message):
    """The editor is seen for the first time: what was left behind can be offered."""


class SecretsAsked(Message):
    """An action of the Secrets pane is wanted, for the row under the cursor if there is one."""

    def __init__(self, name: str, row: SecretRow | None) -> None:
        super().__init__()
        self.name = name
        self.row = row
