"""A new cluster by wish, as a form: what follows from the fields, and its price, stand below them at once."""

from typing import ClassVar

import msgspec
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from cockpit.errors import UsageError
from cockpit.render.text import visible
from cockpit.screens.dialog import Dialog
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.meaning import meaning_of
from cockpit.sdl.wish import Written, written
from cockpit.sdl.wish_options import typed_in_form, wish_from
from cockpit.widgets.fields import Field
from cockpit.widgets.key_hints import Hint

FIELDS = (
    ("workers", "workers", "2"),
    ("gpu", "GPU of each: MODEL[:RAM[:INTERFACE]]", "h100:80Gi:sxm, or nothing"),
    ("gpus_per_worker", "GPUs of each", "1"),
    ("cpu", "CPUs of each", "by the GPU"),
    ("memory", "memory of each", "by the GPU"),
    ("disk", "disk of each", "by the GPU"),
    ("persistent", "lasting volume: CLASS:SIZE:PATH", "beta3:500Gi:/data, or nothing"),
    ("region", "region", "us-west, or anywhere"),
    ("max_price", "price ceiling in USD", "0.60/gpu-h, or 4.50/h"),
    ("store", "object store", "s3, r2, b2, minio, or none"),
    ("serve", "serve models at /serve/", "yes, or no"),
)


class Described(msgspec.Struct, frozen=True):
    """The cluster that was described."""

    name: str
    text: str


class WishDialog(Dialog[Described]):
    """Asks for a name and sizes; `preset` is what empty fields mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Up", show=False),
        Binding("down", "app.focus_next", "Down", show=False),
    ]
    HINTS = (Hint("⏎", "write it", "submit"), Hint("↑↓", "fields"), Hint("esc", "cancel", "cancel", keep=True))

    def __init__(self, preset: str | None, name: str) -> None:
        super().__init__(f"New cluster, from {preset}" if preset else "New cluster")
        self._preset, self._own_name = preset, name

    def contents(self) -> list[Widget]:
        """A field for each wish, and what follows."""
        rows: list[Widget] = [_row("name", Field(self._own_name, id="wish-name"))]
        rows += [_row(label, Field(placeholder=example, id=f"wish-{name}")) for name, label, example in FIELDS]
        return [Vertical(*rows, id="wish-fields"), Static("", id="wish-result", markup=False)]

    def on_mount(self) -> None:
        """One can type at once."""
        self.query_one("#wish-name").focus()
        self._show()

    @on(Input.Changed)
    def _show(self) -> None:
        try:
            done = self._described()
        except UsageError as error:
            self.query_one("#wish-result", Static).update(visible(f"{error.title} {error.hint}"))
            return
        usd = meaning_of(SdlDocument(done.text)).usd_per_hour
        price = f" At most ${usd:.2f}/h." if usd is not None else ""
        self.query_one("#wish-result", Static).update(visible(" ".join((done.title + price, *done.notices))))

    def _described(self) -> Written:
        fields = {name: self.query_one(f"#wish-{name}", Field).value for name, _, _ in FIELDS}
        return written(wish_from(self._name_typed(), self._preset, typed_in_form(fields)))

    def _name_typed(self) -> str:
        return self.query_one("#wish-name", Field).value.strip()

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Take it, where it can be had."""
        try:
            done = self._described()
        except UsageError:
            return  # the sentence stands below
        self.dismiss(Described(self._name_typed(), done.text))


def _row(label: str, field: Field) -> Horizontal:
    return Horizontal(Label(label, classes="wish-label"), field, classes="wish-row")
