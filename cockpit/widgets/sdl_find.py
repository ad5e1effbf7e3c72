"""Looking for words in the YAML: what is typed is shown at once, Enter goes on to the next place."""

import re
from typing import Any

from textual import on

from cockpit.widgets.filter_bar import FilterBar
from cockpit.widgets.sdl_text import SdlText

MOST_HITS = 10_000


class SdlFind(FilterBar):
    """The line below the text; capitals count where some are typed."""

    DEFAULT_CSS = "SdlFind { display: none; & > .filter-bar--result { width: 34; max-width: 60%; } }"

    def __init__(self, area: SdlText, **options: Any) -> None:
        super().__init__("find", placeholder="words of the text", **options)
        self._area = area
        self._from = (0, 0)

    def begin(self) -> None:
        """Take the keys; what is marked in the text is looked for."""
        marked = self._area.selected_text
        self._from = min(self._area.selection.start, self._area.selection.end)
        self.display = True
        self.open(marked if marked and "\n" not in marked else self.text)
        self._look()

    def step(self, by: int) -> bool:
        """Go to the next hit, or the one before; behind the last comes the first. False where there is none."""
        hits = self._hits()
        at = min(self._area.selection.start, self._area.selection.end)
        ahead = [hit for hit in hits if (hit > at if by > 0 else hit < at)]
        if hits:
            self._show(hits, (ahead or hits)[0 if by > 0 else -1])
        return bool(hits)

    def _hits(self) -> list[tuple[int, int]]:
        if not self.text:
            return []
        flags = re.NOFLAG if any(map(str.isupper, self.text)) else re.IGNORECASE
        pattern = re.compile(re.escape(self.text), flags)
        lines = enumerate(self._area.document.lines)
        return [(row, hit.start()) for row, line in lines for hit in pattern.finditer(line)][:MOST_HITS]

    def _look(self) -> None:
        """Show the first hit from where the search began."""
        hits = self._hits()
        if hits:
            self._show(hits, next((hit for hit in hits if hit >= self._from), hits[0]))
        else:
            self.result("nothing found" if self.text else "⏎ next, ↑ before, esc", "warn" if self.text else "quiet")

    def _show(self, hits: list[tuple[int, int]], hit: tuple[int, int]) -> None:
        self.result(f"{hits.index(hit) + 1} of {len(hits)}   ⏎ next, ↑ before, esc")
        self._area.mark(hit, len(self.text))

    @on(FilterBar.Changed)
    def _typed(self, event: FilterBar.Changed) -> None:
        event.stop()
        self._look()

    @on(FilterBar.Submitted)
    def _entered(self, event: FilterBar.Submitted) -> None:
        event.stop()
        self.step(1)

    @on(FilterBar.Cancelled)
    def _cancelled(self, event: FilterBar.Cancelled) -> None:
        event.stop()

    def action_cancel(self) -> None:
        """Close; the cursor stays at what was found."""
        self.display = False
        self._area.focus()

    def action_recall(self, back: int) -> None:
        """Up and down go from hit to hit."""
        self.step(-back)
