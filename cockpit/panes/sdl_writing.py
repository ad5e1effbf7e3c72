"""Writing YAML in the SDL pane: which side has the keys, what can stand at the cursor, and finding words."""

import asyncio
from typing import Any

from textual import on, work

from cockpit.operations.deployments.market import ask_market
from cockpit.operations.sdl_editor.desk import Desk
from cockpit.panes.base import Pane
from cockpit.sdl.completion import Completion, complete
from cockpit.sdl.market import SHIPPED, is_offered, with_offers
from cockpit.widgets.sdl_find import SdlFind
from cockpit.widgets.sdl_form import SdlForm
from cockpit.widgets.sdl_offers import Offers
from cockpit.widgets.sdl_text import SdlText

FRESH_SECONDS = 300.0
"""How long offers are taken as those of now; also until Akash is asked again after it could not be."""


class SdlWriting(Pane):
    """The desk, the form and the text of the pane."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.desk = Desk()
        self.form = SdlForm(glyphs=self.glyphs, id="sdl-form")
        self.text = SdlText(self.desk.session, glyphs=self.glyphs, id="sdl-text")
        self.find = SdlFind(self.text, id="sdl-find")
        self.secrets: dict[str, str] | None = None
        self.market = SHIPPED
        self._market_until = 0.0
        self._side = "form"

    # --- where the keys go ---

    @property
    def is_narrow(self) -> bool:
        """Whether only one of form and text has room."""
        return self.has_class("-narrow")

    def show_side(self, side: str) -> None:
        """Give form or text the keys, and on a narrow terminal the room."""
        self.put_in_sight(side)
        self.call_after_refresh((self.text if side == "text" else self.form.view).focus)

    def put_in_sight(self, side: str) -> None:
        """Give form or text the room, where only one of them has it."""
        self._side = side
        self.set_class(side == "text", "-text")

    # --- what can be written at the cursor ---

    def offer(self, found: Completion | None) -> None:
        """Show what would go on with the word, or with the key, at the cursor; a list that was asked for stays one."""
        is_active = self.text.offers is not None and self.text.offers.is_active
        self.text.offer(Offers(found.items, self._start(found), is_active=is_active) if found else None)

    @work(group="sdl-offers", exclusive=True, exit_on_error=False)
    async def action_complete(self) -> None:
        """Show what can stand at the cursor; the only thing is written at once, and of a list the next is chosen."""
        if (shown := self.text.offers) is not None and len(shown.items) > 1:
            self.text.step_offers(1 if shown.is_active else 0)
            return
        version = self.desk.session.version
        found = await self._completion() if self.text.has_focus else None
        if version != self.desk.session.version or not self.text.has_focus:
            return
        if found is None:
            self.notify("No completions here.", timeout=2)
        elif len(found.items) == 1:
            self.text.write(found.items[0].text, self._start(found), self.desk.session.location(found.end))
        else:
            self.text.offer(Offers(found.items, self._start(found), is_active=True))

    @work(group="market", exit_on_error=False)
    async def look_at_market(self) -> None:
        """Ask Akash for offers, unless the cached ones are fresh; shows them when they arrive."""
        now = asyncio.get_running_loop().time()
        if now < self._market_until:
            return
        self._market_until = now + FRESH_SECONDS
        self.market = await ask_market()
        self.market_changed()

    def market_changed(self) -> None:
        """Offers have come."""

    async def _completion(self) -> Completion | None:
        text, offset, names = self.desk.session.text, self._offset, sorted(self.secrets or ())
        found = await asyncio.to_thread(complete, text, offset, secrets=names)
        if found is not None and is_offered(found):
            self.look_at_market()
            return with_offers(found, self.market)
        return found

    @property
    def _offset(self) -> int:
        return self.desk.session.offset(self.text.cursor_location)

    def _start(self, found: Completion) -> tuple[int, int]:
        return self.desk.session.location(found.start)

    # --- finding ---

    @on(SdlText.FindWanted)
    def action_sdl_find(self) -> None:
        """Look for words in the text."""
        if self.is_narrow:
            self.put_in_sight("text")
        self.find.begin()

    def action_sdl_find_next(self) -> None:
        """Go to the next place of what was looked for."""
        if not self.find.text:
            self.action_sdl_find()
        elif not self.find.step(1):
            self.notify(f"There is no {self.find.text!r} here.", markup=False, timeout=2)
