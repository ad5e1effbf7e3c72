"""The running jobs by what they use: GPU-hours, the recent use of their GPUs, and what that costs."""

from collections.abc import Sequence

from cockpit.feeds.history_recorder import Recorder, Share
from cockpit.feeds.history_store import TIERS
from cockpit.model.jobs import Job
from cockpit.model.overview import RunningJob
from cockpit.model.past import Holding, Point
from cockpit.operations.clusters.past import Past, gpu_price
from cockpit.render.plot import binned

PAST_CELLS = 12
PAST_SECONDS = 3600.0
WHOLE_SLACK_SECONDS = 120.0
READ_SECONDS = 60.0
"""The history is written once a minute, so it is read no more often."""

_Key = tuple[str, str, float]


class RunningJobs:
    """Makes the list; it keeps what it has read of the history for a minute."""

    def __init__(self) -> None:
        self._written: dict[_Key, Holding] = {}
        self._read: tuple[float, frozenset[str]] = (-READ_SECONDS, frozenset())

    def at(
        self, jobs: Sequence[Job], recorder: Recorder, past: Past, *, usd_per_hour: float | None, gpus: int, now: float
    ) -> list[RunningJob]:
        """The running jobs, most GPU-hours first, then the newest; without a price the cost is unknown."""
        running = [job for job in jobs if job.status == "RUNNING" and job.id]
        held = _held(recorder.shares)
        hours = self._hours(frozenset(job.id or "" for job in running), recorder, past, now)
        counts = [Point(int(at), value) for at, value in recorder.curves.samples("gpus", since=now - PAST_SECONDS)]
        each = usd_per_hour / gpus if usd_per_hour is not None and gpus else None
        found = []
        for job in running:
            name, started = job.id or "", None if job.start_time is None else job.start_time / 1000
            count, use = held.get(name, (0.0, None))
            done, since = hours.get(name, (0.0, None))
            price = gpu_price(counts, since or now, now, usd_per_hour)
            samples = [(one.at, one.value) for one in recorder.job_use.samples(name, 1 << 16)]
            found.append(
                RunningJob(
                    id=name, entrypoint=job.entrypoint or "", owner=job.owner, gpus=count, use=use,
                    past=tuple(binned(samples, now - PAST_SECONDS, now, PAST_CELLS)), started=started, hours=done,
                    is_whole=since is None or started is None or since - started <= WHOLE_SLACK_SECONDS,
                    usd_per_hour=each * count if each is not None and count else None,
                    usd=price * done if price is not None and done else None,
                )
            )  # fmt: skip
        return sorted(found, key=lambda one: (-one.hours, -one.gpus, -(one.started or 0.0), one.id))

    def _hours(
        self, names: frozenset[str], recorder: Recorder, past: Past, now: float
    ) -> dict[str, tuple[float, float]]:
        """GPU-hours and since when, by job: what was recorded, plus what runs now."""
        if names != self._read[1] or not 0 <= now - self._read[0] < READ_SECONDS:
            written = past.holdings(since=now - TIERS[-1].span, jobs=sorted(names))
            self._written = {_key(one): one for one in written}
            self._read = (now, names)
        sums: dict[str, tuple[float, float]] = {}
        for one in {**self._written, **{_key(one): one for one in recorder.holdings}}.values():
            hours, since = sums.get(one.job, (0.0, one.begin))
            sums[one.job] = (hours + (one.end - one.begin) / 3600 * one.share, min(since, one.begin))
        return sums


def _key(one: Holding) -> _Key:
    return one.gpu, one.job, one.begin


def _held(shares: Sequence[Share]) -> dict[str, tuple[float, float | None]]:
    """How many GPUs each job holds, and their mean use by share."""
    sums: dict[str, tuple[float, float, float]] = {}
    for share in shares:
        count, total, weight = sums.get(share.job, (0.0, 0.0, 0.0))
        known = share.share if share.use is not None else 0.0
        sums[share.job] = (count + share.share, total + (share.use or 0) * known, weight + known)
    return {job: (count, total / weight if weight else None) for job, (count, total, weight) in sums.items()}
