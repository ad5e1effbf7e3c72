"""The names of widgets' keys in the user's key map, such as `table.up`."""

from collections.abc import Iterator, Mapping

from textual.binding import Binding
from textual.widget import Widget

from cockpit.actions import key_name


def bound_names() -> dict[str, str]:
    """The usual keys by name, of every widget that there is; keys have commas between them."""
    return {binding.id: binding.key for widget in _kinds(Widget) for binding in _own(widget) if binding.id}


def bound_lines(widget: Widget, remapped: Mapping[str, str]) -> list[tuple[str, str]]:
    """Keys and what they do in a widget: the user's own if `remapped` has the name."""
    named = [binding for kind in reversed(type(widget).__mro__) for binding in _own(kind) if binding.id]
    return [
        (" ".join(map(key_name, remapped.get(binding.id or "", binding.key).split(","))), binding.description)
        for binding in named
    ]


def _kinds(kind: type[Widget]) -> Iterator[type[Widget]]:
    for more in kind.__subclasses__():
        yield more
        yield from _kinds(more)


def _own(kind: type) -> list[Binding]:
    return [binding for binding in vars(kind).get("BINDINGS", ()) if isinstance(binding, Binding)]
