"""The shape of JSON: which fields there are, and of which types."""

import re
from typing import Any

# Maps whose keys are data, not fields: ids, names of resources, labels.
_MAPS = ("nodeLogicalResources", "usage", "usageByNode", "activeNodes", "nodeTypeMapping", "resourcesTotal", "labels",
         "disk", "nodeTypes", "usedResources", "required_resources", "unit_resources", "label_selector",
         "custom_fields")  # fmt: skip
_USERS = ("metadata", "runtime_env")  # what is in these is the users' choice
_TRIMMED = re.compile(r"\.\.\. trimmed")

Shape = dict[str, set[str]]


def shape_of(*values: Any) -> Shape:
    """The types found at every path, in all of these values together; lists count as one element."""
    shape: Shape = {}
    for value in values:
        _note(shape, "$", value, is_map=False)
    return shape


def _note(shape: Shape, path: str, value: Any, *, is_map: bool) -> None:
    if isinstance(value, str) and _TRIMMED.search(value):
        return
    shape.setdefault(path, set()).add("null" if value is None else type(value).__name__)
    if isinstance(value, dict):
        for key, part in value.items():
            part = {} if key in _USERS and part is not None else part
            _note(shape, f"{path}.{'*' if is_map else key}", part, is_map=is_map or key in _MAPS)
    elif isinstance(value, list):
        for part in value:
            _note(shape, f"{path}[]", part, is_map=is_map)


def differences(recorded: Shape, simulated: Shape) -> list[str]:
    """What is missing, invented or of another type; null goes with every type."""
    found = [f"missing: {path}" for path in recorded if path not in simulated and "*" not in path]
    found += [f"invented: {path}" for path in simulated if path not in recorded and "*" not in path]
    for path, types in recorded.items():
        others = simulated.get(path, set()) - types - {"null"}
        if others and types != {"null"}:
            found.append(f"{path}: {sorted(others)} instead of {sorted(types)}")
    return found
