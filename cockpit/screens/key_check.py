"""What is wrong with the keys that the user has given to actions and widgets."""

from collections.abc import Mapping

from cockpit.actions import key_clashes, unknown_names
from cockpit.panes.registry import pane_keys
from cockpit.widgets.bound_names import bound_names


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
