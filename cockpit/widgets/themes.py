"""The colours: one accent, red for what is wrong, amber for what needs a look; dark, light and high contrast."""

from textual.theme import Theme

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
    variables={"text-muted": "#e0e0e0"},
)

THEMES = (DARK, LIGHT, HIGH_CONTRAST)
