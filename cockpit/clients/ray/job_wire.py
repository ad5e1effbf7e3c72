"""The list of jobs as Ray sends it, whole each time: only what is another one than before is decoded."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b

import msgspec

from cockpit.clients import decoding
from cockpit.model.jobs import Job, masked

LATEST_MOMENT = 2**53

_JOB = msgspec.json.Decoder(Job, strict=False)


class JobReader:
    """Reads one list after the other; a job whose bytes are those of before stays the same object.

    Bytes are remembered as digests: an older Ray sends values of the environment with them.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Job] = {}

    def rows(self, body: bytes, *, address: str) -> Sequence[msgspec.Raw]:
        """The rows of a list, not decoded yet. Raises NotRayError for what is not a list."""
        return decoding.listed(body, address=address)

    def reading(self, rows: Sequence[msgspec.Raw], *, address: str) -> Iterator[Job | None]:
        """The jobs, with None for each row that cannot be read. Raises NotRayError where they take too much memory."""
        known, self._known = self._known, {}

        def read(row: msgspec.Raw) -> Job | None:
            digest = blake2b(row, digest_size=16).digest()
            job = known.get(digest) or _read(row, address)
            if job is not None:
                self._known[digest] = job
            return job

        return decoding.read_rows(rows, read, address=address)


def _read(row: msgspec.Raw, address: str) -> Job | None:
    decoding.check(bytes(row), address=address)
    with suppress(*decoding.MALFORMED):
        return tidy(_JOB.decode(row))
    return _salvaged(decoding.parse(bytes(row), address=address))


def _salvaged(value: object) -> Job | None:
    found = decoding.readable_rows([value], Job).rows
    return tidy(found[0]) if found else None


def tidy(job: Job) -> Job:
    """Masks env values; the end time 0 of a running driver means that there is none, and so does one out of reach."""
    start, end = _moment(job.start_time), _moment(job.end_time)
    if (start, end) != (job.start_time, job.end_time):
        job = msgspec.structs.replace(job, start_time=start, end_time=end)
    return masked(job)


def _moment(milliseconds: int | None) -> int | None:
    return milliseconds if milliseconds and 0 < milliseconds < LATEST_MOMENT else None
