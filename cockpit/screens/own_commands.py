"""The user's own commands in the cockpit: on their keys, in the help and in the palette."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from textual.app import App, SuspendNotSupported

from cockpit.actions import ACTIONS, bound_keys, key_name
from cockpit.errors import UsageError
from cockpit.operations import own_commands
from cockpit.operations.own_commands import EVERYWHERE, Line
from cockpit.panes.base import Pane
from cockpit.panes.registry import PANES
from cockpit.panes.table_pane import TablePane
from cockpit.screens.confirm import Confirm
from cockpit.screens.key_check import PaneKeys, pane_keys
from cockpit.screens.workspace import Workspace
from cockpit.settings import OwnCommand
from cockpit.widgets.bound_names import bound_names


def own_problems(commands: Sequence[OwnCommand], keys: Mapping[str, str]) -> list[str]:
    """Sentences about commands that cannot be used as they are; every pane is imported for it."""
    panes = pane_keys()
    return [
        f"[[commands]] {visible_name(command)}: {what}."
        for command, problems in _judged(commands, keys, panes)
        for what in problems
    ]


def usable(commands: Sequence[OwnCommand], keys: Mapping[str, str]) -> list[OwnCommand]:
    """Those that nothing is wrong with."""
    return [command for command, problems in _judged(commands, keys, pane_keys()) if not problems]


def visible_name(command: OwnCommand) -> str:
    """What a command is called in a sentence."""
    return repr(command.label or command.command[:40])


def _judged(
    commands: Sequence[OwnCommand], keys: Mapping[str, str], panes: Sequence[PaneKeys]
) -> Iterator[tuple[OwnCommand, list[str]]]:
    fields = {entry.name: row_fields(entry.load()) for entry in PANES}
    for at, command in enumerate(commands):
        found = [*own_commands.problems(command, fields), *_clashes(command, keys, panes)]
        twin = [one for one in commands[:at] if one.key == command.key and _overlap(one, command)]
        yield command, [*found, *(f"its key is also that of {visible_name(one)}" for one in twin[:1])]


def _overlap(one: OwnCommand, other: OwnCommand) -> bool:
    return one.scope == other.scope or EVERYWHERE in (one.scope, other.scope)


def _clashes(command: OwnCommand, keys: Mapping[str, str], panes: Sequence[PaneKeys]) -> Iterator[str]:
    """What its key means already where it would be used."""
    there = [pane for pane in panes if command.scope in (EVERYWHERE, pane.name)]
    scopes = set().union(*(pane.all_scopes for pane in there)) if there else {"app"}
    taken = [action.label for action in ACTIONS if action.scope in scopes and command.key in bound_keys(action, keys)]
    taken += [pane.title for pane in panes if pane.key == command.key]
    if "rows" in scopes:
        usual = {name: key for name, key in bound_names().items() if name.startswith("table.")}
        taken += [name for name, key in usual.items() if command.key in keys.get(name, key).split(",")]
    if taken:
        yield f"{key_name(command.key)} is the key of {taken[0]!r} already"


def row_fields(pane: type[Pane]) -> tuple[str, ...]:
    """The fields of a pane's rows: the keys of its columns."""
    return tuple(column.key for column in pane.SPEC.columns) if issubclass(pane, TablePane) else ()


def values_of(work: Workspace, pane: Pane) -> dict[str, str]:
    """The fields of the row under the cursor, without the sign in front of a state, and those of the cluster."""
    cluster = work.cluster
    found = {"cluster": cluster.name, "address": cluster.address} if cluster is not None else {}
    if isinstance(pane, TablePane) and pane.table.row_key is not None:
        for key in row_fields(type(pane)):
            text = pane.table.cell_text(key)
            found[key] = text[2:] if text[1:2] == " " and not text[0].isalnum() else text
    return {key: value for key, value in found.items() if value not in ("–", "-")}


async def run(work: Workspace, pane: Pane, command: OwnCommand) -> None:
    """Run a command on the row under the cursor. Raises UsageError."""
    line = own_commands.line_of(command, values_of(work, pane))
    if command.confirm and not await _agreed(work, command, line):
        return
    if not command.background:
        _on_terminal(work.app, line)
        return
    code, said = await own_commands.run_in_background(line)
    if code:
        raise UsageError(f"{command.label} ended with exit code {code}.", hint=said)
    work.app.notify(f"{command.label}: done.", markup=False, timeout=3)


async def _agreed(work: Workspace, command: OwnCommand, line: Line) -> bool:
    fields = [f"{name.removeprefix('ROW_').lower()}: {text}" for name, text in line.variables.items()]
    answer = await work.app.push_screen_wait(Confirm(f"Run {command.label!r}?", [command.command, *fields]))
    return bool(answer)


def _on_terminal(app: App[Any], line: Line) -> None:
    """Give it the terminal until it ends; a failure stays to be read until Enter is pressed."""
    # Ctrl-C is for the program. Not ignored, which the program would inherit, but heard and passed over.
    handler = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with app.suspend():
            code = subprocess.call(own_commands.words_of(line), env=own_commands.environment_of(line))
            if code:
                print(f"Exit code {code}. Press Enter to go back.")
                sys.stdin.readline()
    except SuspendNotSupported as error:
        raise UsageError("This terminal cannot be given to a program.", hint="Set background = true.") from error
    finally:
        signal.signal(signal.SIGINT, handler)
