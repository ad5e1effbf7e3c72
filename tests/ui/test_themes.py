"""Themes: whatever is written can be read, and no status is told by its color alone."""

import pytest
from rich.color import ColorType
from rich.segment import Segment
from textual.color import Color

from cockpit.render.glyphs import ASCII, UNICODE
from cockpit.render.jobs import RANKS
from cockpit.settings import Ui
from cockpit.widgets.themes import THEMES
from tests.sim import Plan
from tests.ui.driver import cockpit, simulated
from tests.ui.screen import strips

# WCAG 2: 4.5 for text, 7 where more contrast is asked for; lines, meters and what is behind a dialog are not text.
LEAST = {"dark": 4.5, "light": 4.5, "high-contrast": 7.0}


def luminance(color: Color) -> float:
    """As WCAG 2 defines it, 0 to 1."""
    parts = [part / 255 for part in color.rgb]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(segment: Segment) -> float:
    """Of its text to its ground, 1 to 21."""
    style = segment.style
    assert style is not None
    assert style.color is not None
    assert style.bgcolor is not None
    assert style.color.type is style.bgcolor.type is ColorType.TRUECOLOR
    pair = [luminance(Color.from_rich_color(color)) for color in (style.color, style.bgcolor)]
    return (max(pair) + 0.05) / (min(pair) + 0.05)


def test_the_measure_is_that_of_wcag() -> None:
    assert round((luminance(Color(255, 255, 255)) + 0.05) / (luminance(Color(0, 0, 0)) + 0.05)) == 21


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_all_text_can_be_read(theme: str) -> None:
    async with (
        simulated(Plan(nodes=4, gpus=4, jobs=40)) as server,
        cockpit(server, size=(140, 40), ui=Ui(theme=theme)) as driver,
    ):
        assert server.cluster.jobs
        poor: dict[str, float] = {}
        for pane in ("2", "4", "3", "5", "2"):
            await driver.press(pane)
            if pane == "3":
                await driver.elapse(70.0)
            await driver.press("space")
            for strip in strips(driver.app):
                for segment in strip:
                    if any(character.isalnum() for character in segment.text) and contrast(segment) < LEAST[theme]:
                        poor[segment.text.strip()] = round(contrast(segment), 1)
        assert poor == {}


def test_every_status_has_a_word_and_a_sign_of_its_own() -> None:
    for glyphs in (UNICODE, ASCII):
        signs = {word: glyphs.state(word) for word in RANKS}
        assert "·" not in signs.values()
        same = {("ENDED", "FORGOTTEN")}
        for one in signs:
            for other in signs:
                if one < other and signs[one] == signs[other]:
                    assert (one, other) in same
    assert all(glyph.isascii() for glyph in (ASCII.state(word) for word in RANKS))


async def test_an_unknown_theme_is_told_and_the_usual_one_taken() -> None:
    async with simulated() as server, cockpit(server, ui=Ui(theme="pink")) as driver:
        assert server.cluster.jobs
        assert "Unknown theme 'pink'. Themes: dark, light, high-contrast." in driver.told
        assert driver.app.theme == "dark"
