"""The ramp of load, from cool over green and amber to red: one place for meters, curves and heat cells.

`widgets.tones` and the themes give each step its color, with 16 colors three of them. Without color a load is a digit.
"""

from cockpit.render.glyphs import UNICODE, Glyphs

STEPS = (10.0, 35.0, 60.0, 80.0, 92.0)
"""Where each step above the first begins, in percent."""

LOAD_TONES = tuple(f"load-{step}" for step in range(len(STEPS) + 1))


def load_tone(percent: float | None) -> str:
    """The tone of a load in percent; quiet where it is unknown."""
    return "quiet" if percent is None else LOAD_TONES[sum(percent >= step for step in STEPS)]


def heat_sign(percent: float, *, has_color: bool = True, glyphs: Glyphs = UNICODE) -> str:
    """One cell for a load in percent: a bar as high as the load, or a digit without color and in ASCII."""
    share = min(max(percent, 0.0), 100.0) / 100
    if glyphs.is_ascii or not has_color:
        return str(min(9, int(share * 10)))
    return glyphs.levels[min(len(glyphs.levels) - 1, int(share * len(glyphs.levels)))]
