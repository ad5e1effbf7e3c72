"""The curves of a whole cluster over the last day, in memory: every sample of the last hour, then one a minute."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

import msgspec

from cockpit.model.past import Curve

FINE_SECONDS = 3600.0
COARSE_SECONDS = 86_400.0
COARSE_STEP = 60
GAP_SECONDS = 150.0
"""A cluster in the background is asked once a minute: a longer silence is a gap."""

GAP_STEPS = 2.5

Samples = list[tuple[float, float | None]]


class _Sample(msgspec.Struct, frozen=True, gc=False):
    at: float
    values: Mapping[str, float]


class ClusterCurves:
    """Values by name at times in seconds since the epoch, oldest first; a silence is kept as an unknown value."""

    def __init__(self) -> None:
        self._fine: list[_Sample] = []
        self._coarse: list[_Sample] = []
        self._minute: list[_Sample] = []

    @property
    def last(self) -> float | None:
        """When the last sample was taken."""
        return self._fine[-1].at if self._fine else None

    def append(self, at: float, values: Mapping[str, float]) -> None:
        """Add a sample; after a clock that was set back, what seems to be later is dropped."""
        if self.last is not None and at < self.last:
            self._drop_from(at)
        if self.last is not None and at - self.last > GAP_SECONDS:
            self._add(self.last + 1, {})
        self._add(at, values)
        self._forget(at)

    def seed(self, curves: Sequence[Curve]) -> None:
        """Put an earlier past before what is known; its points are of the same times in all curves."""
        rows: dict[float, dict[str, float]] = {}
        for curve in curves:
            for point in curve.points:
                row = rows.setdefault(float(point.at), {})
                if point.value is not None:
                    row[curve.name] = point.value
        begin = self._fine[0].at if self._fine else float("inf")
        seeds = [_Sample(at, values) for at, values in sorted(rows.items()) if at < begin]
        steps = [later.at - earlier.at for earlier, later in pairwise(seeds)]
        patience = max(GAP_SECONDS, GAP_STEPS * median(steps)) if steps else GAP_SECONDS
        known: list[_Sample] = []
        for sample in [*seeds, *self._fine[:1]]:
            if known and sample.at - known[-1].at > patience:
                known.append(_Sample(known[-1].at + 1, {}))
            known.append(sample)
        if known and self._fine:
            known.pop()
        self._coarse = [*known, *(sample for sample in self._coarse if sample.at >= begin)]

    def samples(self, name: str, *, since: float) -> Samples:
        """One curve, from the last sample before `since` on."""
        begin = self._fine[0].at if self._fine else float("inf")
        rows = [*self._coarse[: bisect_left(self._coarse, begin, key=_at)], *self._fine]
        first = max(0, bisect_left(rows, since, key=_at) - 1)
        return [(row.at, row.values.get(name)) for row in rows[first:]]

    def _add(self, at: float, values: Mapping[str, float]) -> None:
        sample = _Sample(at, values)
        self._fine.append(sample)
        if self._minute and (at // COARSE_STEP != self._minute[0].at // COARSE_STEP or not values):
            self._coarse.append(_mean(self._minute))
            self._minute = []
        if values:
            self._minute.append(sample)
        else:
            self._coarse.append(sample)

    def _forget(self, now: float) -> None:
        del self._fine[: bisect_left(self._fine, now - FINE_SECONDS, key=_at)]
        del self._coarse[: bisect_left(self._coarse, now - COARSE_SECONDS, key=_at)]

    def _drop_from(self, at: float) -> None:
        for rows in (self._fine, self._coarse, self._minute):
            del rows[bisect_left(rows, at, key=_at) :]


def _at(sample: _Sample) -> float:
    return sample.at


def _mean(rows: Sequence[_Sample]) -> _Sample:
    """The mean of the known values of each name, at the time of the first row."""
    names = {name for row in rows for name in row.values}
    known = {name: [row.values[name] for row in rows if name in row.values] for name in names}
    return _Sample(rows[0].at, {name: sum(values) / len(values) for name, values in known.items()})
