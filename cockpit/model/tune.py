"""Sweeps of Ray Tune: what the program prints of its trials, and the actors that run them.

Ray does not list trials. The program prints a block every few seconds (ray/tune/experimental/output.py, 2.60):
`Trial status: 2 RUNNING | 3 PENDING`, what it uses, the best trial, and a table with a row per trial.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from cockpit.model.actors import Actor
from cockpit.model.jobs import Job

# What Tune calls the actor of a function that is a trial; classes that are trials have their own names.
TRIAL_CLASS = "ImplicitFunc"
TRIAL_STATES = ("RUNNING", "PENDING", "PAUSED", "TERMINATED", "ERROR")
LONGEST = 2_000  # of a line that is looked into
MOST_TRIALS = 1_000

_PREFIX = re.compile(r"^(?:\x1b\[[0-9;]*m)*\([^()]{1,80} pid=\d+[^()]{0,80}\)(?:\x1b\[[0-9;]*m)* ")
_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_COUNT = re.compile(r"(\d+) ([A-Z]+)")
_MORE = re.compile(r"^(?:\d+ more [A-Z]+(?:, )?)+$")
_EDGES = "│|"
_NARROWEST_GAP = 2  # blanks between two columns; names of columns have single ones inside


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the printed table: figures and parameters by the title of their column."""

    name: str
    status: str
    values: dict[str, str]


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """What a program printed last of its trials; `hidden` counts those that the table leaves out."""

    counts: dict[str, int]
    running_time: str = ""
    usage: str = ""
    best: str = ""
    trials: tuple[Trial, ...] = ()
    hidden: str = ""


def last_printed(lines: Iterable[str]) -> Printed | None:
    """The last block among lines of a log; None where there is none."""
    texts = [_PREFIX.sub("", _COLORS.sub("", line[:LONGEST])) for line in lines]
    begin = next((at for at in range(len(texts) - 1, -1, -1) if texts[at].startswith("Trial status: ")), None)
    if begin is None:
        return None
    block = texts[begin + 1 :]
    head = [line for line in block[:4] if line and line[0] not in "╭│+|"]
    return Printed(
        counts={state: int(count) for count, state in _COUNT.findall(texts[begin])},
        running_time=_after(head, "Total running time: "),
        usage=_after(head, "Logical resource usage: "),
        best=_after(head, "Current best trial: "),
        trials=tuple(_trials(_table(block))),
        hidden=next((line for line in block if _MORE.match(line)), ""),
    )


def _after(lines: Sequence[str], words: str) -> str:
    return next((line.partition(words)[2].strip() for line in lines if words in line), "")


def _table(block: Sequence[str]) -> list[str]:
    """The lines of the first table in the block, its header first, without the frame."""
    begin = next((at for at, line in enumerate(block[:6]) if line[:1] in ("╭", "+")), None)
    if begin is None:
        return []
    rows: list[str] = []
    for line in block[begin + 1 :]:
        if line[:1] in _EDGES and line:
            rows.append(line.strip()[1:-1])
        elif line[:1] not in ("├", "+") or (line[:1] == "+" and len(rows) > 1):
            break
    return rows[: MOST_TRIALS + 1]


def _trials(table: Sequence[str]) -> list[Trial]:
    """Rows by the columns in which no line has anything: cells may be empty, and are set left or by their points."""
    if not table:
        return []
    spans = _columns(table)
    titles = [table[0][begin:end].strip() for begin, end in spans]
    rows = [[line[begin:end].strip() for begin, end in spans] for line in table[1:]]
    if len(titles) < 2:
        return []
    return [
        Trial(name=row[0], status=row[1], values=dict(zip(titles[2:], row[2:], strict=True)))
        for row in rows
        if row[1] in TRIAL_STATES
    ]


def _columns(table: Sequence[str]) -> list[tuple[int, int]]:
    width = max(map(len, table))
    filled = [any(at < len(line) and line[at] != " " for line in table) for at in range(width)]
    spans: list[tuple[int, int]] = []
    for is_filled, run in groupby(range(width), key=lambda at: filled[at]):
        places = list(run)
        if is_filled and spans and places[0] - spans[-1][1] < _NARROWEST_GAP:
            spans[-1] = (spans[-1][0], places[-1] + 1)
        elif is_filled:
            spans.append((places[0], places[-1] + 1))
    return spans


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """A job that runs trials: what it printed, its trial actors, and what each of these asks for by its actor's ID."""

    job: Job
    printed: Printed | None = None
    actors: tuple[Actor, ...] = ()
    needs: dict[str, dict[str, float]] = {}


class TuneRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep, below it a trial of its table, or an actor that runs a trial: Ray does not tell which.

    It holds nothing of the other rows: rows are compared with those of before, 10,000 of them at times.
    """

    kind: str
    job: Job
    printed: Printed | None = None
    trial: Trial | None = None
    actor: Actor | None = None
    asked: dict[str, float] | None = None

    @property
    def key(self) -> str:
        """The job's ID, with the trial's name or the actor's ID."""
        below = (self.trial.name if self.trial else "") or (self.actor.actor_id if self.actor else "")
        return f"{self.job.id}/{below}" if below else self.job.id or ""


def tune_rows(sweeps: Iterable[Sweep]) -> list[TuneRow]:
    """Each sweep, its trials as printed, then the actors that run them."""
    return [row for sweep in sweeps for row in _rows(sweep)]


def _rows(sweep: Sweep) -> Iterator[TuneRow]:
    yield TuneRow(kind="sweep", job=sweep.job, printed=sweep.printed)
    for trial in sweep.printed.trials if sweep.printed else ():
        yield TuneRow(kind="trial", job=sweep.job, trial=trial)
    for actor in sweep.actors:
        yield TuneRow(kind="actor", job=sweep.job, actor=actor, asked=sweep.needs.get(actor.actor_id or ""))
