"""What every dialog is: a box in front of the panes, left by Esc."""

from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Label

from cockpit.render.cell_text import tamed
from cockpit.render.text import visible
from cockpit.widgets.key_hints import Hint, KeyHints

Result = TypeVar("Result")
BETWEEN_FIELDS: list[BindingType] = [
    Binding("down", "app.focus_next", "Next", show=False),
    Binding("up", "app.focus_previous", "Previous", show=False),
]


class Dialog(ModalScreen["Result | None"], Generic[Result]):
    """A titled box; `contents` is what it holds, `HINTS` the keys that matter in it. Esc gives None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Close", show=False)]
    HINTS: ClassVar[tuple[Hint, ...]] = (Hint("esc", "close"),)
    # Whether it fills the screen, so that nothing behind it needs to be renewed.
    COVERS: ClassVar[bool] = False

    def __init__(self, title: str) -> None:
        super().__init__()
        self._dialog_title = title
        self._is_left = False

    def compose(self) -> ComposeResult:
        """Title, contents, keys."""
        with Vertical(id="dialog"):
            yield Label(tamed(visible(self._dialog_title)), id="dialog-title", markup=False)
            yield from self.contents()
            yield KeyHints(self.HINTS, id="dialog-hints")

    def contents(self) -> list[Widget]:
        """The widgets between title and keys."""
        raise NotImplementedError

    def dismiss(self, result: "Result | None" = None) -> AwaitComplete:
        """Leave, once: a second Enter that came together with the first means no dialog any more."""
        if self._is_left:
            return AwaitComplete()
        self._is_left = True
        return super().dismiss(result)

    @on(KeyHints.Pressed)
    async def _hint_pressed(self, event: KeyHints.Pressed) -> None:
        """A click on a key is as good as the key."""
        event.stop()
        action = event.hint.action or ("cancel" if event.hint.key == "esc" else "")
        if action:
            await self.run_action(action)

    def action_cancel(self) -> None:
        """Leave without a result."""
        self.dismiss(None)
