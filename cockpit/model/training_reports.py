"""What workers of Ray Train report, read from their logs: Ray's API tells no metrics of a run.

A line is `Reporting training result 6: TrainingReport(checkpoint=None, metrics={…}, validation=False) from rank 0`
(ray/train/v2 2.60), in a worker's file as the message of a JSON line.
"""

import ast
import json
import re
from collections.abc import Iterable

import msgspec

_REPORT = re.compile(r"Reporting training result (\d+): TrainingReport\(.*?metrics=(\{.*\})(?:, validation=.*)?\)")
_PAIR = re.compile(r"'([^']+)': (?:[A-Za-z_][\w.]*\()?(-?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)")
MOST_METRICS = 32
LONGEST = 16_384  # of a line that is looked into


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The last report of a worker: how many there were, and its figures by name; read from the log."""

    number: int
    metrics: dict[str, float]


def last_report(lines: Iterable[str]) -> Report | None:
    """The last report among lines of a log, as JSON or as text; None where there is none."""
    for line in reversed(list(lines)):
        if "TrainingReport(" in line and (found := _REPORT.search(_message(line)[:LONGEST])):
            return Report(number=int(found[1]), metrics=figures(found[2]))
    return None


def _message(line: str) -> str:
    if not line.startswith("{"):
        return line
    try:
        message = json.loads(line).get("message")
    except ValueError:
        return line
    return message if isinstance(message, str) else line


def figures(text: str) -> dict[str, float]:
    """The numbers in a dict as Python prints it; those inside other values, such as `tensor(0.5)`, as well."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        pairs = [(name, float(number.replace("_", ""))) for name, number in _PAIR.findall(text)]
    else:
        pairs = [(str(name), value) for name, value in found.items() if _is_figure(value)]
    return dict(pairs[:MOST_METRICS])


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
