"""A new cluster by wish, as a form: beside each field what Akash offers, below them what follows and its price."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

import msgspec
from rich.cells import cell_len
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from cockpit.errors import UsageError
from cockpit.operations.deployments.market import ask_market
from cockpit.render.cell_text import clip
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.text import visible
from cockpit.screens.dialog import BETWEEN_FIELDS, Dialog
from cockpit.sdl.completion import Item
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.market import (
    SHIPPED,
    Market,
    cost_words,
    doubts,
    proposed_ceiling,
    wish_choices,
)
from cockpit.sdl.meaning import meaning_of
from cockpit.sdl.wish import Ceiling, Gpu, Wish, Written, read_gpu, written
from cockpit.sdl.wish_options import typed_in_form, wish_from
from cockpit.widgets.fields import Field
from cockpit.widgets.key_hints import Hint

FIELDS = (
    ("workers", "workers", "2"),
    ("gpu", "GPU of each", "h100:80Gi:sxm, or nothing"),
    ("gpus_per_worker", "GPUs of each", "1"),
    ("cpu", "CPUs of each", "by the GPU"),
    ("memory", "memory of each", "by the GPU"),
    ("disk", "disk of each", "by the GPU"),
    ("persistent", "lasting volume", "beta3:500Gi:/data, or nothing"),
    ("region", "region", "us-west, or anywhere"),
    ("max_price", "price ceiling", "0.60/gpu-h, or 4.50/h"),
    ("image", "image", "Ray's own, or one of yours"),
    ("store", "object store", "s3, r2, b2, minio, or none"),
    ("serve", "serve models", "yes, or no"),
)
TALL = 32
"""Terminals with fewer lines show fewer choices, and the fields scroll."""


class Described(msgspec.Struct, frozen=True):
    """The cluster that was described."""

    name: str
    text: str


class WishDialog(Dialog[Described]):
    """Asks for a name and sizes; `preset` is what empty fields mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *BETWEEN_FIELDS,
        Binding("tab", "choose(1)", "Next choice", show=False, priority=True),
        Binding("shift+tab", "choose(-1)", "Choice before", show=False, priority=True),
    ]
    HINTS = (
        Hint("⏎", "write it", "submit"),
        Hint("↑↓", "fields"),
        Hint("tab", "next choice"),
        Hint("esc", "cancel", "cancel", keep=True),
    )

    def __init__(
        self,
        preset: str | None,
        name: str,
        ask: Callable[[], Awaitable[Market]] = ask_market,
        *,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        super().__init__(f"New cluster, from {preset}" if preset else "New cluster")
        self._preset, self._own_name, self._ask = preset, name, ask
        self._chosen_mark, self._ellipsis = ">" if glyphs.is_ascii else "›", glyphs.ellipsis
        self._market = msgspec.structs.replace(SHIPPED, source=f"Asking Akash for offers{glyphs.ellipsis}")
        self._stem = self._chosen = ""

    def contents(self) -> list[Widget]:
        """A field for each wish, what can be chosen, and what follows."""
        rows: list[Widget] = [_row("name", Field(self._own_name, id="wish-name"))]
        rows += [_row(label, Field(placeholder=example, id=f"wish-{name}")) for name, label, example in FIELDS]
        return [
            VerticalScroll(*rows, id="wish-fields", can_focus=False),
            Static("", id="wish-choices", markup=False),
            Static("", id="wish-result", markup=False),
        ]

    def on_mount(self) -> None:
        """One can type at once; offers come when they come."""
        self.set_class(self.app.size.height < TALL, "-short")
        self.query_one("#wish-name").focus()
        self._show()
        self._look_at_market()

    @work(group="market", exclusive=True, exit_on_error=False)
    async def _look_at_market(self) -> None:
        self._market = await self._ask()
        self._show()

    # --- choices ---

    @property
    def _field(self) -> str:
        """The name of the field that has the keys."""
        focused = self.focused
        return (focused.id or "").removeprefix("wish-") if isinstance(focused, Field) else ""

    def _choices(self) -> list[Item]:
        """What can be written into the field; what begins as was typed comes first."""
        found = wish_choices(self._market, self._field, self._gpu(), self._each())
        word = self._stem.lower()
        return sorted(found, key=lambda one: not one.text.lower().startswith(word))

    def action_choose(self, by: int) -> None:
        """Write the next choice into the field; where there is none, go to the next field."""
        choices, field = [one.text for one in self._choices()], self.focused
        if not choices or not isinstance(field, Field):
            (self.focus_next if by > 0 else self.focus_previous)()
            return
        at = choices.index(field.value) if field.value in choices else -1 if by > 0 else 0
        self._chosen = field.value = choices[(at + by) % len(choices)]
        field.cursor_position = len(field.value)

    def _show_choices(self) -> None:
        choices, field = self._choices(), self.focused
        value = field.value if isinstance(field, Field) else ""
        texts = [one.text for one in choices]
        box = self.query_one("#wish-choices", Static)
        most = 4 if self.app.size.height >= TALL else 2
        first = max(0, min(texts.index(value) if value in texts else 0, len(choices) - most))
        shown = choices[first : first + most]
        wide = max((cell_len(one.text) for one in shown), default=0)
        lines = [f"{self._chosen_mark if one.text == value else ' '} {one.text:<{wide}}  {one.detail}" for one in shown]
        more = f"{len(choices)} choices. " if len(choices) > most else ""
        lines += [""] * (most - len(lines)) + [more + self._market.source]
        width = box.size.width or self.app.size.width
        box.update("\n".join(clip(visible(line), width, self._ellipsis)[0] for line in lines))

    # --- what follows ---

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.value != self._chosen:
            self._stem = event.value
        self._show()

    def on_descendant_focus(self) -> None:
        """Other choices belong to another field."""
        self._stem = self._chosen = ""
        if self.is_mounted:
            self._show_choices()

    def _show(self) -> None:
        self._show_choices()
        result = self.query_one("#wish-result", Static)
        try:
            wish = self._wish()
            done = written(wish)
        except UsageError as error:
            result.update(visible(f"{error.title} {error.hint}"))
            return
        self._say_defaults(wish)
        usd = meaning_of(SdlDocument(done.text)).usd_per_hour
        price = f"At most ${usd:.2f}/h." if usd is not None else ""
        gpu = wish.gpu
        cost = cost_words(self._market, gpu, wish.workers or 2, wish.gpus_per_worker or 1) if gpu else ""
        words = (done.title, price, cost, *done.notices, *doubts(self._market, wish))
        result.update(visible(" ".join(filter(None, words))))

    def _say_defaults(self, wish: Wish) -> None:
        """What empty fields mean."""
        self.query_one("#wish-workers", Field).placeholder = str(2 if wish.workers is None else wish.workers)
        ceiling = wish.ceiling or (wish.gpu and Ceiling(proposed_ceiling(self._market, wish.gpu), per_gpu=True))
        why = "proposed from the offers" if self._market.is_live else "the shipped ceiling"
        price = f"{ceiling.usd}/gpu-h, {why}" if ceiling and ceiling.per_gpu else "0.60/gpu-h, or 4.50/h"
        self.query_one("#wish-max_price", Field).placeholder = price

    def _described(self) -> Written:
        return written(self._wish())

    def _wish(self) -> Wish:
        """What the fields say; without a price ceiling the one that the offers propose. Raises UsageError."""
        wish = self._typed_wish()
        if wish.gpu is None or wish.ceiling is not None or not self._market.is_live:
            return wish
        ceiling = Ceiling(proposed_ceiling(self._market, wish.gpu), per_gpu=True)
        return msgspec.structs.replace(wish, ceiling=ceiling)

    def _typed_wish(self) -> Wish:
        fields = {name: self.query_one(f"#wish-{name}", Field).value for name, _, _ in FIELDS}
        return wish_from(self._name_typed(), self._preset, typed_in_form(fields))

    def _gpu(self) -> Gpu | None:
        typed = self.query_one("#wish-gpu", Field).value.strip()
        try:
            return read_gpu(typed) if typed else self._typed_wish().gpu
        except UsageError:
            return None  # the sentence is below

    def _each(self) -> int:
        typed = self.query_one("#wish-gpus_per_worker", Field).value.strip()
        return int(typed) if typed.isdecimal() and typed.isascii() and len(typed) < 4 else 1

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
    return Horizontal(Label(label, classes="wish-label", markup=False), field, classes="wish-row")
