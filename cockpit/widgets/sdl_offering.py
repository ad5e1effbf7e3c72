"""The rows of an SDL with a list of what can be written over them."""

from collections.abc import Hashable

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.color import Color
from textual.strip import Strip

from cockpit.widgets.sdl_offers import Offers
from cockpit.widgets.sdl_view import SdlView, color_of

# Keys that go through a list, and those that are neither letters nor leave the word.
STEPS = {"up": -1, "down": 1, "pageup": -7, "pagedown": 7}
KEEPING = frozenset(("backspace", "delete", "ctrl+@", "minus", "underscore", "full_stop", "slash", "colon", "space"))


class SdlOffering(SdlView):
    """Shows a list, gives it the keys and clicks that are its own, and writes what is chosen."""

    _offers: Offers | None = None
    # The version of the text after typing: only then are completions offered unasked.
    typed_version = -1

    # --- the list ---

    @property
    def offers(self) -> Offers | None:
        """The list that is shown."""
        return self._offers

    def offer(self, offers: Offers | None) -> None:
        """Show a list over the text, or none."""
        before, self._offers = self._offers, offers
        if before is not None or offers is not None:
            self.refresh()

    def step_offers(self, by: int) -> None:
        """Choose another one; from now on the list has the arrows and Enter."""
        if self._offers is not None:
            self._offers.is_active = True
            self._offers.step(by)
            self.refresh()

    def take_offer(self) -> bool:
        """Write the chosen one in place of what was begun; False where it is none for that any more."""
        offers = self._offers
        if offers is None:
            return False
        self.offer(None)
        end = self.cursor_location
        written = self.document.get_line(end[0])[offers.start[1] : end[1]]
        if end[0] != offers.start[0] or end[1] < offers.start[1] or not offers.fits(written):
            return False
        self.write(offers.text, offers.start, end)
        return True

    def write(self, text: str, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Put a word in the place of another one, and the cursor behind it."""
        result = self.replace(text, start, end)
        self.move_cursor(result.end_location)
        self.typed_version = self.session.version

    # --- keys and mouse ---

    def is_for_offers(self, key: str) -> bool:
        """Handle a key of the list; of an unasked list only Tab and Escape."""
        if self._offers is None:
            return False
        if key == "tab" or (key == "enter" and self._offers.is_active):
            return self.take_offer()
        if key in STEPS and self._offers.is_active:
            self.step_offers(STEPS[key])
            return True
        if key == "escape" or (len(key) > 1 and key not in KEEPING):
            self.offer(None)
        return key == "escape"

    def on_blur(self) -> None:
        """The list belongs to the focused text."""
        self.offer(None)

    async def _on_mouse_down(self, event: events.MouseDown) -> None:
        """A click on an item inserts it; a click elsewhere closes the list."""
        offers = self._offers
        if offers is None:
            return
        line, column = event.y - self._offers_top(offers), event.x - self._offers_left(offers)
        if not (0 <= line < offers.height and 0 <= column < offers.width(self.size.width)):
            self.offer(None)
            return
        event.stop()
        event.prevent_default()
        if offers.choose(line):
            self.take_offer()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        """Go through the list where the mouse is over it; over the rest of the text it scrolls as ever."""
        offers = self._offers
        if offers is not None and 0 <= event.y - self._offers_top(offers) < offers.height:
            event.stop()
            event.prevent_default()
            self.step_offers(by)

    # --- drawing ---

    def _offers_top(self, offers: Offers) -> int:
        return offers.top(offers.start[0] - round(self.scroll_y), self.size.height)

    def _offers_left(self, offers: Offers) -> int:
        row, column = offers.start
        before = cell_len(self.document.get_line(row)[:column]) if row < self.document.line_count else 0
        return offers.left(self.gutter_width + before - round(self.scroll_x) - 1, self.size.width)

    def _is_under_offers(self, y: int) -> bool:
        offers = self._offers
        return offers is not None and 0 <= y - self._offers_top(offers) < offers.height

    def _looks(self, y: int) -> Hashable:
        below = super()._looks(y)
        return (below, self._offers.looks) if self._offers is not None and self._is_under_offers(y) else below

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen, and of the list where it lies over it."""
        strip, offers = super().render_line(y), self._offers
        if offers is None or not self._is_under_offers(y):
            return strip
        return offers.draw(strip, y - self._offers_top(offers), self._offers_left(offers), self._offer_style)

    def _offer_style(self, name: str) -> Style:
        colors = self.app.theme_variables
        ground = Color.parse(colors["primary" if name == "chosen" else "panel"])
        ink = ground.get_contrast_text() if name == "chosen" else color_of(colors, "foreground")
        if name == "quiet":
            ink = ground.blend(ink, 0.6)
        return Style(color=ground.blend(ink, 1.0 if ink.a == 1 else ink.a).rich_color, bgcolor=ground.rich_color)
