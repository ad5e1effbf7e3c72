"""The colors: one accent, red for what is wrong, amber for what needs a look; dark, light and high contrast."""

from textual.theme import Theme

from cockpit.render.load import LOAD_TONES


def _ramp(*colors: str) -> dict[str, str]:
    """The steps of the ramp of load as variables of a theme."""
    return dict(zip(LOAD_TONES, colors, strict=True))


DARK_RAMP = _ramp("#6fb0d0", "#4db6ac", "#7fbf7f", "#b9c25a", "#e0a53c", "#f58a66")
LIGHT_RAMP = _ramp("#1a5a74", "#005f53", "#226026", "#575700", "#774300", "#9c2d0a")


DARK = Theme(
    name="dark",
    primary="#4db6ac",
    secondary="#4db6ac",
    accent="#4db6ac",
    warning="#e0a53c",
    error="#ef5f5f",
    success="#7fbf7f",
    foreground="#d8dce0",
    background="#12161a",
    surface="#1b2127",
    panel="#222a31",
    dark=True,
    variables=DARK_RAMP,
)

LIGHT = Theme(
    name="light",
    primary="#00695c",
    secondary="#00695c",
    accent="#00695c",
    warning="#8a5a00",
    error="#b3261e",
    success="#2e6b2e",
    foreground="#1d2226",
    background="#fafafa",
    surface="#f0f1f2",
    panel="#e6e8ea",
    dark=False,
    variables=LIGHT_RAMP,
)

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#ffff00",
    secondary="#ffff00",
    accent="#ffff00",
    warning="#ffb000",
    error="#ff9090",
    success="#60ff60",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#202020",
    dark=True,
    variables={"text-muted": "#e0e0e0", **_ramp("#80d8ff", "#40ffe0", "#60ff60", "#e0ff40", "#ffb000", "#ff7050")},
)

THEMES = (DARK, LIGHT, HIGH_CONTRAST)
