"""The numbers in the log of a job."""

from collections.abc import Sequence

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError, UsageError
from cockpit.feeds.follower import LogFollower
from cockpit.feeds.log_source import JobLog, LogState
from cockpit.feeds.patience import Outage
from cockpit.feeds.spool import Spool
from cockpit.model.jobs import Job
from cockpit.model.series import Series
from cockpit.render.log_numbers import NumberReader, names_in

MOST_NUMBERS = 4
SAMPLE_BYTES = 256 * 1024  # of the end of a log, in which names are looked for


class NoNumberError(NotFoundError):
    """The log holds no such number."""


class RunNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """The series of one job by name, and the names that the end of its log repeats."""

    job: Job
    series: dict[str, Series]
    names: Sequence[str]


def parse_names(text: str) -> list[str]:
    """`loss,acc` as names. Raises UsageError for none, and for more than MOST_NUMBERS."""
    names = list(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))
    if not 0 < len(names) <= MOST_NUMBERS:
        raise UsageError(f"Name 1 to {MOST_NUMBERS} numbers, e.g. --plot loss,acc.")
    return names


async def read_numbers(client: RayClient, job: Job, names: Sequence[str]) -> RunNumbers:
    """Read the whole log of a job as it is now. Raises what following a log raises."""
    reader, listener = NumberReader(names), _Quiet()
    with Spool() as spool:
        listener.reader = reader
        await LogFollower(JobLog(client, job.id or ""), spool, listener, follow=False).run()
        sample = spool.read(max(0, spool.size - SAMPLE_BYTES), SAMPLE_BYTES)
    reader.end()
    return RunNumbers(job=job, series=reader.series, names=names_in(sample))


def check_found(numbers: RunNumbers) -> None:
    """Raises NoNumberError for a name that the log does not hold, with those that it does."""
    missing = [name for name, series in numbers.series.items() if not series.count and not series.not_finite]
    if missing:
        known = ", ".join(numbers.names[:12])
        raise NoNumberError(
            f"No number named {' or '.join(missing)} in the log of {numbers.job.id}.",
            hint=f"Numbers that it repeats: {known}." if known else "Its last lines repeat no number.",
        )


class _Quiet:
    """Hears of a log for its numbers only."""

    reader: NumberReader

    def wrote(self, chunk: bytes) -> None:
        self.reader.feed(chunk)

    def waiting(self, state: LogState) -> None:
        pass

    def away(self, outage: Outage) -> None:
        pass

    def reconnected(self, *, proven: bool) -> None:
        pass

    def replaced(self) -> None:
        pass

    def noted(self, sentence: str) -> None:
        pass
