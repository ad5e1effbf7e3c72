"""Composition rather than inheritance: at most two storeys of our own classes, and files of one thing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cockpit

ROOT = Path(cockpit.__file__).parent
MOST_LINES = 600
# What a chain may have at most: a class of ours and one of ours that it is based on.
MOST_STOREYS = 2


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), ast.parse(path.read_text())


def bases_by_class() -> dict[str, list[str]]:
    """Each class of ours and the full names of its bases, as far as these are ours too."""
    found: dict[str, list[str]] = {}
    for module, tree in modules():
        names: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.ClassDef):
                names[node.name] = f"{module}.{node.name}"
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
                spelled = [ast.unparse(base).split(".") for base in bases]
                found[f"{module}.{node.name}"] = [
                    ".".join([names.get(first, first), *rest]) for first, *rest in spelled
                ]
    return {name: [base for base in bases if base in found] for name, bases in found.items()}


def chain(name: str, bases: dict[str, list[str]]) -> list[str]:
    """The longest chain of classes of ours that ends in this one."""
    longest = max((chain(base, bases) for base in bases[name]), key=len, default=[])
    return [*longest, name]


# Higher than that today, by the class at the foot of the chain; what is mended leaves the list, and nothing joins it.
HIGH = {
    "cockpit.panes.base.Pane",
    "cockpit.screens.dialog.Dialog",
    "cockpit.widgets.fields.Field",
    "cockpit.widgets.line_view.LineView",
    "cockpit.widgets.sdl_view.SdlView",
}


@pytest.mark.lengthy
def test_at_most_two_storeys_of_our_own_classes() -> None:
    """Errors and messages are families by which one catches and hears: they are not counted."""
    bases = bases_by_class()
    assert bases["cockpit.panes.jobs.JobsPane"], "the bases of a class across files are found"
    chains = [found for name in bases if len(found := chain(name, bases)) > MOST_STOREYS]
    counted = [found for found in chains if not found[0].endswith(("Error", "Message"))]
    assert {found[0] for found in counted} == HIGH
    assert max(map(len, counted)) <= 4


def test_no_file_is_longer_than_one_thing_needs() -> None:
    long = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in ROOT.rglob("*.py")}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES} == {}
