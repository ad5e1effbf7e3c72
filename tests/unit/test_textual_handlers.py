"""Textual calls the handlers of every class of a widget by itself."""

import re
from pathlib import Path

import cockpit

_SUPER = re.compile(r"super\(\)\.(_on_\w+|on_(?!event\b)\w+)\(")


def test_no_handler_calls_that_of_its_base_which_would_run_twice() -> None:
    """A timer that was begun twice is lost the first time: "Task was destroyed but it is pending"."""
    assert _SUPER.search("super()._on_mount(event)")
    assert not _SUPER.search("super().on_event(event)")
    root = Path(cockpit.__file__).parent
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for path in root.rglob("*.py")
        for match in _SUPER.finditer(path.read_text())
    ]
    assert found == []
