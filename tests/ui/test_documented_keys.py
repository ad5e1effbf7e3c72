"""Each key that the pages of help name is bound where they say it, and no key of them ends the cockpit."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import cockpit
from cockpit.actions import ACTIONS, bound_keys
from cockpit.panes.registry import PANES, entries
from tests.ui.driver import Driver, simulated
from tests.ui.driver import cockpit as opened_cockpit

HELP = Path(cockpit.__file__).parent / "help"
# Which pane the keys of a page are for.
PAGES = {"cockpit.md": "jobs", "logs.md": "log", "sdl.md": "sdl", "clusters.md": "clusters", "inside.md": "actors"}
NAMES = {
    "⏎": "enter", "esc": "escape", "/": "slash", ":": "colon", "?": "question_mark", "*": "asterisk", "+": "plus",
    "-": "minus",
}  # fmt: skip
KEY = re.compile(r"`([a-zA-Z0-9/:?*+⏎-]|(?:ctrl\+|shift\+)[a-z]|f[0-9]{1,2}|esc|tab|space|home|end)`")
# Keys of tables, dialogs and other panes, which a page names beside those of its pane.
ELSEWHERE = {
    "cockpit.md": {"v", "asterisk", "plus", "minus", "O", "ctrl+r", "i"},
    "logs.md": {"ctrl+r", "ctrl+t"},
    "sdl.md": {"minus"},
    "clusters.md": {"ctrl+s"},
}
LEAVING = {"q", "ctrl+z", "b", "ctrl+q"}


def documented() -> Iterator[tuple[str, str]]:
    """Pages and keys, by Textual's names."""
    for page in PAGES:
        for key in dict.fromkeys(KEY.findall((HELP / page).read_text(encoding="utf-8"))):
            yield page, NAMES.get(key, key)


def sequences() -> Iterator[str]:
    """What is typed behind a colon."""
    text = "".join((HELP / page).read_text(encoding="utf-8") for page in PAGES)
    yield from dict.fromkeys(re.findall(r"`:([a-z]+)`", text))


def keys_of_widgets() -> set[str]:
    """The keys of all widgets and dialogs of ours."""
    kinds, found = [DOMNode], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind.__module__.startswith("cockpit"):
            found |= {
                key
                for binding in vars(kind).get("BINDINGS", ())
                for key in (binding.key if isinstance(binding, Binding) else binding[0]).split(",")
            }
    return found


def test_every_documented_key_is_bound_where_the_page_says() -> None:
    panes = {entry.name: entry.load() for entry in entries()}
    numbers = {entry.key for entry in PANES if entry.key}
    widgets = keys_of_widgets()
    listed = list(documented())
    assert len(listed) > 60
    for page, key in listed:
        pane = panes[PAGES[page]]
        scopes = ("app", pane.NAME, *pane.SCOPES)
        bound = {one for action in ACTIONS if action.scope in scopes for one in bound_keys(action, {})}
        elsewhere = widgets & ELSEWHERE.get(page, set())
        assert key in bound | elsewhere | numbers | {"enter", "escape", "tab", "space"}, f"{key} of {page}"


def test_every_documented_name_opens_a_pane() -> None:
    known = {alias for entry in PANES for alias in (entry.name, *entry.aliases)}
    names = list(sequences())
    assert len(names) > 7
    assert set(names) <= known


async def goes_to(driver: Driver, typed: str, pane: str) -> None:
    await driver.press("colon")
    await driver.type(typed)
    await driver.press("enter")
    await driver.wait_until(lambda: driver.app.current_mode == pane, f":{typed}")


@pytest.mark.slow
async def test_every_documented_key_sequence_is_walked() -> None:
    async with simulated() as server, opened_cockpit(server) as driver:
        for page, key in documented():
            if key in LEAVING:
                continue
            pane = PAGES[page]
            await goes_to(driver, pane, pane)
            await driver.press(key)
            await driver.pause()
            assert not driver.app.crashes, f"{key} of {page}"
            for _ in range(3):
                await driver.press("escape")
            await driver.pause()
            while driver.has_dialog:
                await driver.press("escape")
                await driver.pause()
        for name in sequences():
            await goes_to(driver, name, next(one.name for one in PANES if name in (one.name, *one.aliases)))
