"""Every key that does something where the user is."""

from collections.abc import Mapping

from textual.widget import Widget

from cockpit.actions import Action, in_scope, keys_of
from cockpit.panes.base import Pane
from cockpit.panes.registry import entries
from cockpit.widgets.bound_names import bound_lines


def help_lines(pane: Pane, focused: Widget | None, remapped: Mapping[str, str]) -> list[tuple[str, str]]:
    """Keys and what they do: those of the pane first, since one asks from there; `remapped` are the user's own."""
    lines = [(pane.TITLE, ""), *_key_lines(in_scope((pane.NAME, *pane.SCOPES)), remapped)]
    lines += [("everywhere", ""), *_key_lines(in_scope(("app",)), remapped)]
    lines += [(entry.key or f":{entry.name}", f"Go to {entry.title}") for entry in entries()]
    cursor = bound_lines(focused, remapped) if focused is not None else []
    return [*lines, ("the cursor", ""), *cursor] if cursor else lines


def _key_lines(actions: list[Action], remapped: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(" ".join(keys_of(action, remapped)), action.description) for action in actions if action.keys]
