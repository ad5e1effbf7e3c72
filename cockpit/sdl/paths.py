"""Paths into an SDL: `services.web.expose.0.port`, list items by index, env entries by their name."""

import re
from typing import TypeAlias

from cockpit.sdl.failures import MissingNodeError

Step: TypeAlias = str | int
Path: TypeAlias = tuple[Step, ...]

_STEP = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."]+)')


def to_path(path: str | Path) -> Path:
    """The steps of a dotted path; a key with a dot is written in double quotes.

    Raises MissingNodeError where a step is empty or a quote is not closed.
    """
    if not isinstance(path, str):
        return path
    steps: list[Step] = []
    at = 0
    while at < len(path) or (steps and path.endswith(".")):
        found = _STEP.match(path, at)
        if found is None or (found.end() < len(path) and path[found.end()] != "."):
            raise MissingNodeError(f"The path {path!r} has an empty or badly quoted step.")
        quoted, plain = found.groups()
        steps.append(plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        at = found.end() + 1
        if at == len(path):
            raise MissingNodeError(f"The path {path!r} ends with a dot.")
    return tuple(steps)


def spelled(path: Path) -> str:
    """The dotted form of a path."""
    return ".".join(_quoted(step) for step in path) or "the document"


def _quoted(step: Step) -> str:
    text = str(step)
    if text and not set(text) & set('."'):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
