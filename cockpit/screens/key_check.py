"""What is wrong with the keys that the user has given to actions and widgets."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from cockpit.actions import ACTIONS, Action, bound_keys, key_name
from cockpit.panes.registry import PANES
from cockpit.widgets.bound_names import bound_names


class PaneKeys(msgspec.Struct, frozen=True):
    """What key clashes depend on in a pane: its name, its title, its key if it has one, and its scopes."""

    name: str
    title: str
    key: str
    scopes: Collection[str] = ()

    @property
    def all_scopes(self) -> set[str]:
        """Where the actions are declared that its keys may mean."""
        return {"app", self.name, *self.scopes}


def pane_keys() -> list[PaneKeys]:
    """The keys and scopes of all panes, which are imported for it."""
    return [PaneKeys(entry.name, entry.title, entry.key, entry.load().SCOPES) for entry in PANES]


def key_problems(keys: Mapping[str, str]) -> list[str]:
    """Sentences to warn with; `keys` by the names of actions and of what widgets do.

    Every pane is imported for it: what its widgets do has a name once they are known.
    """
    panes = pane_keys()
    widgets = bound_names()
    wrong = unknown_names(keys, widgets)
    problems = [f"No action is called {', '.join(wrong)} ([ui.keys])."] if wrong else []
    clashes = key_clashes(keys, panes, widgets)
    return [*problems, *(f"{sentence} ([ui.keys])" for sentence in clashes)]


def unknown_names(remapped: Mapping[str, str], others: Collection[str] = ()) -> list[str]:
    """Names in a key map that no action has; `others` are the names of what widgets do, such as `table.up`."""
    known = {action.name for action in ACTIONS}
    return sorted(name for name in remapped if name not in known and name not in others)


def key_clashes(
    remapped: Mapping[str, str], panes: Sequence[PaneKeys], widgets: Mapping[str, str] | None = None
) -> list[str]:
    """Sentences about keys of the user's map that mean something else as well.

    `widgets` are the usual keys of what widgets do, by names such as `table.up`.
    """
    found = _widget_clashes(remapped, panes, widgets or {})
    titles = {pane.key: pane.title for pane in panes if pane.key}
    for action in ACTIONS:
        for key in remapped[action.name].split(",") if action.name in remapped else ():
            others = [
                f"{other.label!r}"
                for other in ACTIONS
                if _are_together(action, other, panes) and key in bound_keys(other, remapped)
            ]
            others += [f"the pane {titles[key]}"] if key in titles else []
            named = ", ".join(dict.fromkeys(others))
            found += [f"{key_name(key)} is the key of {action.label!r} and of {named}."] if others else []
    return found


def _widget_clashes(remapped: Mapping[str, str], panes: Sequence[PaneKeys], widgets: Mapping[str, str]) -> list[str]:
    """A widget takes its keys before anything else can: what they mean elsewhere is lost while it is in front."""
    found = []
    titles = {pane.key: pane.title for pane in panes if pane.key}
    for name in (name for name in remapped if name in widgets):
        place = name.partition(".")[0]
        scopes = _scopes_beside(place, panes)
        for key in (key for key in remapped[name].split(",") if scopes and key not in widgets[name].split(",")):
            others = [
                repr(action.label)
                for action in ACTIONS
                if action.scope in scopes and key in bound_keys(action, remapped)
            ]
            others += [
                other
                for other, usual in widgets.items()
                if other != name and other.startswith(f"{place}.") and key in remapped.get(other, usual).split(",")
            ]
            others += [f"the pane {titles[key]}"] if key in titles else []
            named = ", ".join(dict.fromkeys(others))
            found += [f"{key_name(key)} is the key of {name} and of {named}."] if others else []
    return found


def _scopes_beside(widget: str, panes: Sequence[PaneKeys]) -> set[str]:
    """The scopes whose keys a widget takes away: a table is in every pane with rows, the log in its own."""
    scope = {"table": "rows", "log": "log"}.get(widget)
    return set().union(*(pane.all_scopes for pane in panes if scope in pane.all_scopes))


def _are_together(one: "Action", other: "Action", panes: Sequence[PaneKeys]) -> bool:
    """Whether one key could mean both: they share a scope, or some pane has the scopes of both."""
    scopes = {one.scope, other.scope}
    return one is not other and (len(scopes) == 1 or any(scopes <= pane.all_scopes for pane in panes))
