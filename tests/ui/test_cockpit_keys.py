"""Keys: each declared action is done, hints and the palette do what their key does, and users may have other keys."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from textual import events

from cockpit.actions import ACTIONS, TABS, Action, in_scope
from cockpit.panes.registry import entries
from cockpit.screens.key_check import key_clashes, pane_keys
from cockpit.screens.workspace import find_handler
from cockpit.settings import Ui, config_file, load_settings
from cockpit.widgets.key_hints import KeyHints
from tests.ui.driver import cockpit, simulated

PANES = [entry.load() for entry in entries()]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: f"{action.scope}-{action.name}")
def test_every_action_has_a_handler_that_takes_a_workspace_and_a_pane(action: Action) -> None:
    doers = [pane for pane in PANES if action.scope in ("app", pane.NAME, *pane.SCOPES)]
    assert doers
    for pane in doers:
        if own := getattr(pane, f"action_{action.name}", None):
            inspect.signature(own).bind(pane)
        else:
            inspect.signature(find_handler(pane.HANDLERS.get(action.name, action.run))).bind(object(), pane)


def test_what_panes_do_their_own_way_is_an_action_of_theirs() -> None:
    for pane in PANES:
        names = {action.name for action in in_scope(("app", pane.NAME, *pane.SCOPES))}
        assert set(pane.HANDLERS) <= names
        for path in pane.HANDLERS.values():
            inspect.signature(find_handler(path)).bind(object(), pane)


def test_panes_have_the_names_and_titles_that_the_registry_says_without_importing_them() -> None:
    assert [(pane.NAME, pane.TITLE) for pane in PANES] == [(entry.name, entry.title) for entry in entries()]


def test_the_editor_is_imported_when_it_is_first_shown() -> None:
    """The parsers, the rules and tree-sitter cost a tenth of a second that nobody who watches jobs shall wait for."""
    code = "import sys, cockpit.app; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "cockpit.app" in loaded
    assert not {"cockpit.panes.sdl", "cockpit.screens.sdl_actions", "cockpit.sdl.rules", "tree_sitter_yaml"} & set(
        loaded
    )


def test_the_first_frame_waits_for_no_request_no_dialog_and_no_other_pane() -> None:
    code = (
        "import sys, cockpit.app, cockpit.cli.cockpit, cockpit.operations.clusters.opening; print(*sorted(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"cockpit.panes.table_pane", "cockpit.operations.clusters.connect"} <= set(loaded)
    others = {"cockpit.panes.log", "cockpit.panes.nodes", "cockpit.screens.submit", "cockpit.screens.text"}
    packing = {"cockpit.operations.jobs.submit", "cockpit.clients.packages", "tarfile", "zipfile"}
    assert not {"httpx", "anyio", "certifi", "cockpit.local.cluster", *others, *packing} & set(loaded)


def test_the_names_of_all_widgets_keys_are_known_before_any_pane_is_shown() -> None:
    code = (
        "import cockpit.app\nfrom cockpit.screens.key_check import key_problems\n"
        "print(*key_problems({'log.up': 'u', 'table.up': 'u', 'nobody.up': 'u'}), sep='\\n')"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[0] == "No action is called nobody.up ([ui.keys])."


def test_our_own_keys_are_each_for_one_thing() -> None:
    own = {action.name: ",".join(action.keys) for action in ACTIONS if action.keys}
    # Enter opens whatever is under the cursor: of clusters not what is known of it, but the cluster itself.
    assert [said for said in key_clashes(own, pane_keys()) if not said.startswith("⏎")] == []


def test_each_number_is_one_pane() -> None:
    assert list(TABS.values()) == [str(number) for number in range(1, 10)]
    assert not set(TABS.values()) & {key for action in ACTIONS for key in action.keys}
    shown = [entry.key for entry in entries() if entry.key]
    assert shown == sorted(shown)
    names = [name for entry in entries() for name in (entry.name, *entry.aliases)]
    assert len(names) == len(set(names))


async def test_a_click_on_a_hint_does_what_its_key_does() -> None:
    async with simulated() as server, cockpit(server, size=(150, 30)) as driver:
        assert server.cluster.jobs
        hints = driver.app.screen.query_one(KeyHints)

        async def click(action: str) -> None:
            x = 1
            for hint in hints.shown:
                if hint.action == action:
                    break
                x += len(hint.key) + len(hint.label) + 3
            await driver.pilot.click(KeyHints, offset=(x, 0))
            await driver.settle()

        await click("mark")
        assert driver.jobs.marked == [driver.jobs.cursor]
        await click("sort")
        assert driver.jobs.pane.table.sort is not None
        await click("help")
        driver.dialog().has_title("Keys")


async def test_clicks_on_tabs_titles_and_rows() -> None:
    async with simulated() as server, cockpit(server, size=(150, 30)) as driver:
        assert server.cluster.jobs
        table = driver.jobs.pane.table
        await driver.pilot.click(table, offset=(16, 0))
        await driver.settle()
        assert "SUBMISSION ID▲" in driver.jobs.header
        await driver.pilot.click(table, offset=(16, 0))
        await driver.settle()
        assert "SUBMISSION ID▼" in driver.jobs.header
        await driver.pilot.click(table, offset=(16, 3))
        await driver.settle()
        assert driver.jobs.cursor == driver.jobs.keys[2]
        await driver.pilot.click(table, offset=(16, 3))
        await driver.opened(f"Job {driver.jobs.cursor}")
        await driver.press("escape")
        x = driver.lines[2].index("4 Nodes")
        await driver.pilot.click(offset=(x + 1, 2))
        await driver.wait_until(lambda: driver.app.current_mode == "nodes", "the nodes")


async def test_keys_of_the_user_s_own_do_it_and_are_shown() -> None:
    async with (
        simulated() as server,
        cockpit(server, ui=Ui(keys={"submit": "B", "sort": "f5"}), size=(110, 60)) as driver,
    ):
        assert server.cluster.jobs
        assert "B submit" in driver.lines[-1]
        await driver.press("s")
        assert not driver.has_dialog
        await driver.press("B")
        await driver.opened("Submit a job")
        await driver.press("escape", "f5")
        assert driver.jobs.pane.table.sort is not None
        await driver.press("question_mark")
        driver.dialog().says("B  ", "Submit a job")
        assert driver.told == []


async def test_what_is_wrong_in_a_key_map_is_told() -> None:
    keys = {"launch": "L", "submit": "l,3", "filter": "f5"}
    async with simulated() as server, cockpit(server, ui=Ui(keys=keys)) as driver:
        assert server.cluster.jobs
        assert any("No action is called launch" in text for text in driver.told)
        assert any("l is the key of 'submit' and of 'log', 'logs'." in text for text in driver.told)
        assert any("3 is the key of 'submit' and of the pane GPUs." in text for text in driver.told)
        assert len(driver.told) == 3
        assert [action.name for action in in_scope(("jobs",))]


async def test_keys_of_widgets_can_be_others_too() -> None:
    async with simulated() as server, cockpit(server, ui=Ui(keys={"table.down": "down,m"})) as driver:
        assert server.cluster.jobs
        await driver.press("m")
        assert driver.jobs.cursor == driver.jobs.keys[1]
        await driver.press("j")
        assert driver.jobs.cursor == driver.jobs.keys[1]
        assert driver.told == []


async def test_what_is_wrong_with_keys_of_widgets_is_told() -> None:
    keys = {"table.upp": "m", "table.down": "x,g,2", "table.mark": "space", "log.down": "x"}
    async with simulated() as server, cockpit(server, ui=Ui(keys=keys)) as driver:
        assert server.cluster.jobs
        assert driver.told == [
            "No action is called table.upp ([ui.keys]).",
            "x is the key of table.down and of 'stop', 'close'. ([ui.keys])",
            "g is the key of table.down and of table.first. ([ui.keys])",
            "2 is the key of table.down and of the pane Jobs. ([ui.keys])",
        ]


def a_screen(environment: pytest.MonkeyPatch, *, display: str | None, over_ssh: bool = False) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION"):
        environment.delenv(name, raising=False)
    if display is not None:
        environment.setenv("DISPLAY", display)
    if over_ssh:
        environment.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")


def a_browser(environment: pytest.MonkeyPatch, directory: Path, *, ends_with: int = 0) -> Path:
    """What desktops have to open a page; returns the file that it writes the page's address to."""
    asked, program = directory / "asked", directory / ("open" if sys.platform == "darwin" else "xdg-open")
    program.write_text(f'#!/bin/sh\necho said to nobody; printf %s "$1" > {asked}; exit {ends_with}\n')
    program.chmod(0o755)
    environment.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return asked


async def test_the_dashboard_opens_in_a_browser_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a_screen(monkeypatch, display=":0")
    asked = a_browser(monkeypatch, tmp_path)
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("b")
        await driver.wait_until(lambda: bool(driver.told), "the end of it")
        assert asked.read_text() == server.url
        assert driver.told == [f"{server.url} opened in the browser."]
        assert driver.app.clipboard == ""


async def test_a_browser_that_does_not_open_leaves_the_address_to_paste(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a_screen(monkeypatch, display=":0")
    a_browser(monkeypatch, tmp_path, ends_with=3)
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("b")
        await driver.wait_until(lambda: bool(driver.told), "the end of it")
        assert driver.app.clipboard == server.url
        assert "No browser could be opened." in driver.told[0]
        assert "exit code 3" in driver.told[0]


@pytest.mark.parametrize(("display", "over_ssh"), [(None, False), (":10.0", True)])
async def test_the_dashboard_s_address_is_copied_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, display: str | None, over_ssh: bool
) -> None:
    a_screen(monkeypatch, display=display, over_ssh=over_ssh)
    asked = a_browser(monkeypatch, tmp_path)
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("b")
        await driver.wait_until(lambda: bool(driver.told), "the end of it")
        # A terminal on a Mac is always on its desktop.
        if sys.platform != "darwin" or over_ssh:
            assert driver.app.clipboard == server.url
            assert driver.told == [f"Copied {server.url}"]
            assert not asked.exists()


@pytest.mark.parametrize(
    ("typed", "mode"),
    [("jobs", "jobs"), ("pg", "placement_groups"), ("placement-g", "placement_groups"), ("ctx", "clusters")],
)
async def test_a_resource_opens_by_its_name_alias_or_beginning(typed: str, mode: str) -> None:
    async with simulated() as server, cockpit(server) as driver:
        assert server.cluster.jobs
        await driver.press("4", "colon")
        await driver.type(typed)
        await driver.press("enter")
        await driver.wait_until(lambda: driver.app.current_mode == mode and not driver.has_dialog, mode)
        if mode == "placement_groups":
            driver.sees("9 Clusters", ": Placement groups")


async def test_a_name_is_completed_and_an_unknown_one_opens_nothing() -> None:
    async with simulated() as server, cockpit(server) as driver:
        assert server.cluster.jobs
        await driver.press("colon")
        await driver.type("nonsense")
        await driver.press("enter")
        driver.dialog().says("Resource not found: nonsense.")
        await driver.press("escape")
        assert not driver.has_dialog
        assert driver.app.current_mode == "jobs"
        await driver.press("colon")
        await driver.type("sec")
        await driver.press("tab")
        driver.dialog().says("secrets")
        await driver.press("enter")
        await driver.wait_until(lambda: driver.app.current_mode == "secrets", "the secrets")


async def test_a_chosen_theme_is_shown_at_once_kept_and_taken_back_by_escape(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = config_file()
    file.parent.mkdir(parents=True)
    file.write_text("# mine\n[ui]\nascii = true\n")
    async with simulated() as server, cockpit(server) as driver:
        assert server.cluster.jobs
        await driver.press("T", "down")
        assert driver.app.theme == "light"
        await driver.press("escape")
        assert driver.app.theme == "dark"
        await driver.press("T", "down", "enter")
        await driver.wait_until(lambda: load_settings().ui.theme == "light", "the file")
        assert driver.app.theme == "light"
        assert file.read_text() == '# mine\n[ui]\ntheme = "light"\nascii = true\n'


async def test_a_paste_that_is_too_long_for_the_filter_is_refused_in_words() -> None:
    async with simulated() as server, cockpit(server) as driver:
        assert server.cluster.jobs
        await driver.press("slash")
        assert driver.app.focused is not None
        driver.app.focused.post_message(events.Paste("x" * 501))
        await driver.wait_until(lambda: bool(driver.told), "a word about it")
        assert driver.told == ["501 characters do not fit here. Nothing was pasted."]


async def test_the_palette_shows_keys() -> None:
    async with simulated() as server, cockpit(server) as driver:
        assert server.cluster.jobs
        await driver.press("ctrl+p")
        await driver.type("submit")
        await driver.wait_until(lambda: "submit  s" in driver.text, "the key of submit")
