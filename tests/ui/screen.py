"""What is on the screen of an app: its lines, and whether they may be sent to a terminal."""

import re
from typing import Any

from textual.app import App
from textual.strip import Strip

# C0, DEL and C1 drive a terminal; bidi controls reorder what is read.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def strips(app: App[Any]) -> list[Strip]:
    """The lines as Textual would send them, the screens behind a dialog included."""
    return app.screen._compositor.render_strips(app.size)


def screen_lines(app: App[Any]) -> list[str]:
    """The text of each line."""
    return [strip.text.rstrip() for strip in strips(app)]


def assert_sound(app: App[Any]) -> None:
    """No line holds what drives a terminal, and each is as wide as the screen."""
    for y, strip in enumerate(strips(app)):
        found = CONTROLS.search(strip.text)
        assert found is None, f"{found[0]!r} in line {y}: {strip.text!r}"
        assert strip.cell_length == app.size.width, f"line {y} is {strip.cell_length} wide: {strip.text!r}"
