"""Finds the numbers that a log repeats: `loss=0.12`, `"acc": 0.9`, `loss 0.12`, tqdm's `3.4it/s`, Ray's reports."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from cockpit.model.series import Series

MOST_NAMES = 200
LONGEST_LINE = 64 * 1024  # bytes of a line that has not ended; a longer one is read in parts
LONGEST_NAME = 60
LONGEST_NUMBER = 48

_KEY = r"[A-Za-z_][\w./@%-]*"
_BEFORE = r"(?<![\w./@%-])"
_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|NaN|inf|Infinity)\b"
# Not the beginning of a date, a time, an address, a fraction or a hexadecimal ID.
_AFTER = r"(?![\d:/]| ?%\||[.,-]\d|[A-Za-z_]{0,20}\d)"
_EQUALS = r"[\"']?[ \t]{0,8}(?:[=:]|\bis\b|[ \t])[ \t]{0,40}[\"']?(?:tensor\()?"
_UNIT = r"[A-Za-z]{1,12}/(?:s|sec|second|it|step|iter|batch|min|h)"


def _named(name: str) -> str:
    return rf"{_BEFORE}(?P<name>{name}){_EQUALS}(?P<number>{_NUMBER}){_AFTER}"


def _rated(unit: str) -> str:
    return rf"(?<![\w.])(?P<number>{_NUMBER})[ ]?(?P<scale>[kKMG]?)[ ]?(?P<unit>{unit})(?![\w/])"


_BEFORE_UNIT = re.compile(rf"(?<![\w.])(?P<number>{_NUMBER})[ ]?(?P<scale>[kKMG]?)[ ]?$".encode())
_ANY_NAMED = re.compile(_named(_KEY))
_ANY_RATED = re.compile(_rated(_UNIT))

_STEP_NAMES = ("global_step", "global step", "step", "iteration", "iter", "training_iteration", "epoch")
_STEP = re.compile(
    rb"(?<![\w./@%-])(?:global[_ ]step|step|iteration|iter|training_iteration)"
    rb"[\"']?[ \t]{0,8}[=:# \t][ \t]{0,8}(\d{1,12})(?![\d.])",
    re.IGNORECASE,
)
_EPOCH = re.compile(rb"(?<![\w./@%-])epochs?[\"']?[ \t]{0,8}[=:# \t][ \t]{0,8}(\d{1,12}(?:\.\d{1,6})?)", re.IGNORECASE)
_SEQUENCES = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")

_NEVER_NAMES = """
pid ip port rank local_rank world_size node node_id line version id job actor worker year gpu cuda rev seed
at in on of to for from and after before is was took with by the
jan feb mar apr may jun jul aug sep oct nov dec
"""
_NEVER = frozenset(_NEVER_NAMES.split())
_SCALES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}


def numbers_in(line: str) -> dict[str, float]:
    """The named numbers of one line in their order; training steps and epochs come last."""
    found: dict[str, float] = {}
    taken: list[tuple[int, int]] = []
    text = _SEQUENCES.sub(b"", line.encode(errors="replace")).decode().rsplit("\r", 1)[-1]
    for match in _ANY_NAMED.finditer(text):
        name = match["name"]
        if _is_name(name):
            found.setdefault(name, _value(match["number"]))
            taken.append(match.span("number"))
    for match in _ANY_RATED.finditer(text):
        if match.span("number") not in taken:
            name, value = _rate(match["unit"], _value(match["number"]) * _SCALES[match["scale"]])
            found.setdefault(name, value)
    steps = {name: value for name, value in found.items() if name.lower() in _STEP_NAMES}
    return {name: value for name, value in found.items() if name not in steps} | steps


def _is_name(name: str) -> bool:
    return len(name) <= LONGEST_NAME and name.lower() not in _NEVER and not name.endswith((".py", ".cc", ".cpp"))


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def _rate(unit: str, value: float) -> tuple[str, float]:
    """tqdm turns `it/s` into `s/it` below one a second: here it is the same number."""
    head, _, tail = unit.partition("/")
    if head == "s" and tail not in ("s", "sec", "second", "min", "h"):
        return f"{tail}/s", 1 / value if value else float("inf")
    return f"{head}/{'s' if tail in ('sec', 'second') else tail}", value


class NumberReader:
    """Reads the series of some names out of the bytes of a log as they come.

    Names are compared without regard to case. Memory does not grow with the log.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.series = {name: Series(name) for name in names}
        self._finders = [(series, *_finder(name)) for name, series in self.series.items()]
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Read on; what follows the last newline waits for the rest of its line."""
        block = self._rest + data
        end = max(block.rfind(b"\n"), block.rfind(b"\r")) + 1
        if not end and len(block) > LONGEST_LINE:
            end = len(block)
        self._rest = block[end:]
        self._read(block[:end])

    def end(self) -> None:
        """The log is complete, even if its last line lacks a newline."""
        rest, self._rest = self._rest, b""
        self._read(rest)

    def _read(self, block: bytes) -> None:
        if b"\x1b" in block:
            block = _SEQUENCES.sub(b"", block)
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for series, pattern, value_of in self._finders:
            line = -1
            for match in pattern.finditer(block):
                value = value_of(match)
                begin = block.rfind(b"\n", 0, match.start()) + 1
                if value is None or begin == line:  # the first of a line counts, as in `numbers_in`
                    continue
                line = begin
                end = block.find(b"\n", match.end())
                series.add(value, step_of(block[begin : end if end >= 0 else len(block)]))


def step_of(line: bytes) -> float | None:
    """The training step that a line names, else its epoch."""
    match = _STEP.search(line) or _EPOCH.search(line)
    return float(match[1]) if match else None


@lru_cache(64)
def _finder(name: str) -> tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], float | None]]:
    if not re.fullmatch(_UNIT, name):
        return re.compile(_named(f"(?i:{re.escape(name)})").encode()), _named_value
    head, _, tail = name.partition("/")
    units = [name] if tail != "s" else [name, f"{name}ec", f"{name}econd", f"s/{head}"]
    # Find the unit first, then the number before it: otherwise each number of the log would start a match.
    return re.compile(rf"(?P<unit>{'|'.join(map(re.escape, units))})(?![\w/])".encode()), _rate_value


def _named_value(match: re.Match[bytes]) -> float:
    return _value(match["number"].decode())


def _rate_value(match: re.Match[bytes]) -> float | None:
    before = match.string[max(0, match.start("unit") - LONGEST_NUMBER) : match.start("unit")]
    number = _BEFORE_UNIT.search(before.rpartition(b"\n")[2])
    if number is None:
        return None
    return _rate(match["unit"].decode(), _value(number["number"].decode()) * _SCALES[number["scale"].decode()])[1]


def names_in(data: bytes) -> list[str]:
    """Names that at least two lines of these bytes hold, those whose value changes first, by how often they come."""
    seen: dict[str, list[float]] = {}
    for line in data.decode(errors="replace").replace("\r", "\n").splitlines():
        for name, value in numbers_in(line).items():
            if name in seen or len(seen) < MOST_NAMES:
                seen.setdefault(name, []).append(value)
    again = {name: values for name, values in seen.items() if len(values) > 1}
    return sorted(again, key=lambda name: (len(set(again[name])) == 1, name.lower() in _STEP_NAMES, -len(again[name])))


def read_series(data: Iterable[bytes], names: Sequence[str]) -> dict[str, Series]:
    """The series of a whole log, by name."""
    reader = NumberReader(names)
    for block in data:
        reader.feed(block)
    reader.end()
    return reader.series
