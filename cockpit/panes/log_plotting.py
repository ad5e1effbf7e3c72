"""Which numbers of a log are plotted, and reading them, a little at a time and as they come."""

import asyncio
from collections.abc import Mapping, Sequence

from textual.widget import Widget

from cockpit.feeds.spool import Spool
from cockpit.model.series import Series
from cockpit.operations.logs.kept_plots import KeptPlots
from cockpit.operations.logs.numbers import MOST_NUMBERS
from cockpit.render.log_numbers import NumberReader
from cockpit.render.number_plots import Run
from cockpit.widgets.later import after
from cockpit.widgets.log_plots import LogPlots

SLICE = 96 * 1024  # bytes that are read between two keys: a few milliseconds
REST_SECONDS = 0.004
DRAW_SECONDS = 0.25


class _Reading:
    """One number, and how far the log has been read for it."""

    def __init__(self, name: str) -> None:
        self.reader = NumberReader([name])
        self.at = 0

    @property
    def series(self) -> Series:
        return next(iter(self.reader.series.values()))


class LogPlotting:
    """The plots of one log at a time; `take` and `look` tell it what there is to read."""

    def __init__(self, plots: LogPlots, owner: Widget, kept: KeptPlots | None = None) -> None:
        self._plots, self._owner = plots, owner
        self._kept = kept or KeptPlots()
        self._spool: Spool | None = None
        self._readings: dict[str, _Reading] = {}
        self._others: list[tuple[str, Mapping[str, Series]]] = []
        self._run = ""
        self.label = ""
        self._reading: asyncio.TimerHandle | None = None
        self._drawing: asyncio.TimerHandle | None = None

    @property
    def names(self) -> list[str]:
        """What is plotted."""
        return list(self._readings)

    @property
    def has_others(self) -> bool:
        """Whether earlier runs are laid over it."""
        return bool(self._others)

    @property
    def is_settled(self) -> bool:
        """Whether all that the log holds is on the plots."""
        return self._reading is None and self._drawing is None and self._next() is None

    def begin(self, label: str, run: str) -> None:
        """Another log follows: that of `label`, a run of the name `run`; what was plotted for the name is again."""
        if (label, run) == (self.label, self._run):
            return
        names = self._kept.of(run) if run else []
        if label == self.label:  # it is only now known whose run it is
            names = list(dict.fromkeys([*self.names, *names]))[:MOST_NUMBERS]
        self.label, self._run, self._others = label, run, []
        self._readings = {name: _Reading(name) for name in names}
        self._draw()
        self._go_on()

    def take(self, spool: Spool | None) -> None:
        """The log is in this spool from now on, from its first byte; None for none."""
        self._spool = spool
        self._readings = {name: _Reading(name) for name in self._readings}
        self._go_on()

    def look(self) -> None:
        """The log may have grown."""
        self._go_on()

    def toggle(self, name: str) -> None:
        """Plot a number, or no more. Raises UsageError where the choice cannot be kept."""
        if name in self._readings:
            del self._readings[name]
        else:
            self._readings[name] = _Reading(name)
        if not self._readings:
            self._others = []
        self._draw()
        self._go_on()
        if self._run:
            self._kept.keep(self._run, self.names)

    def lay_over(self, others: Sequence[tuple[str, Mapping[str, Series]]]) -> None:
        """Draw the series of other runs with it; of none, only its own."""
        self._others = list(others)
        self._draw()

    # Reading

    def _go_on(self) -> None:
        if self._reading is None and self._next() is not None and self._owner.is_attached:
            self._reading = after(0.0, self._owner, self._read)

    def _next(self) -> _Reading | None:
        size = self._spool.size if self._spool is not None else 0
        return next((one for one in self._readings.values() if one.at < size), None)

    def _read(self) -> None:
        self._reading = None
        one = self._next()
        if one is None or self._spool is None:
            return
        block = self._spool.read(one.at, SLICE)
        one.reader.feed(block)
        one.at += len(block)
        if self._drawing is None:
            self._drawing = after(DRAW_SECONDS, self._owner, self._drawn)
        if block and self._next() is not None:
            self._reading = after(REST_SECONDS, self._owner, self._read)

    def _drawn(self) -> None:
        self._drawing = None
        self._draw()

    def _draw(self) -> None:
        self._plots.show(
            {
                name: [
                    Run(self.label, one.series),
                    *(Run(label, series[name]) for label, series in self._others if name in series),
                ]
                for name, one in self._readings.items()
            }
        )
