"""Hold what commands print with `--json` against the shapes that `tests.json_shapes` declares."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cockpit.cli.command_tree import commands_of
from cockpit.cli.main import build_parser
from tests.json_shapes import SHAPES, Maybe, OneOf, Shape

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
KINDS: dict[str, type | tuple[type, ...]] = {"text": str, "number": (int, float), "yes/no": bool, "time": str}


def faults(shape: Shape, value: Any, where: str = "$") -> Iterator[str]:
    """Where a value differs from its shape, as sentences."""
    if isinstance(shape, Maybe):
        yield from () if value is None else faults(shape.shape, value, where)
    elif isinstance(shape, OneOf):
        yield from min((list(faults(one, value, where)) for one in shape.shapes), key=len)
    elif isinstance(shape, Mapping):
        yield from _object_faults(shape, value, where)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{where} is not a list: {value!r}"
            return
        for index, one in enumerate(value):
            yield from faults(shape[0], one, f"{where}[{index}]")
    elif not _fits(shape, value):
        yield f"{where} is not {shape}: {value!r}"


def _object_faults(shape: Mapping[str, Shape], value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where} is not an object: {value!r}"
        return
    other = shape.get("*")
    yield from (f"{where}.{name} is missing" for name in shape if name not in value and name != "*")
    for name, one in value.items():
        found = shape.get(name, other)
        if found is None:
            yield f"{where}.{name} is not declared"
        else:
            yield from faults(found, one, f"{where}.{name}")


def _fits(shape: str, value: Any) -> bool:
    if shape == "any" or (value is None and shape.endswith("?")):
        return True
    name = shape.rstrip("?")
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if not isinstance(value, KINDS[name]) or (name == "number" and isinstance(value, bool)):
        return False
    return name != "time" or TIME.fullmatch(str(value)) is not None


_WORDS = {command.path for command in commands_of(build_parser())}


def command_in(argv: tuple[str, ...]) -> str:
    """The command that a command line names."""
    path: tuple[str, ...] = ()
    for word in argv:
        path = (*path, word) if (*path, word) in _WORDS else path
    return " ".join(path)


def hold(argv: tuple[str, ...], out: bytes) -> None:
    """Raise AssertionError where what a command printed with `--json` differs from each shape that it has."""
    if "--json" not in argv or not out.startswith(b"{"):
        return
    command = command_in(argv)
    for line in out.splitlines():
        value = json.loads(line)
        found = [list(faults(shape, value)) for shape in SHAPES[command]]
        assert [] in found, f"{command} --json: {min(found, key=len)[:8]}; tests/json_shapes.py declares it"
