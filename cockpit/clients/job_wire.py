"""The list of jobs as Ray sends it, whole each time: only what is another one than before is decoded."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b

import msgspec

from cockpit.clients import decoding
from cockpit.model.jobs import Job, masked

LATEST_MOMENT = 2**53

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_JOB = msgspec.json.Decoder(Job, strict=False)


class JobReader:
    """Reads one list after the other; a job whose bytes are those of before stays the same object.

    Bytes are remembered as digests: an older Ray sends values of the environment with them.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Job] = {}

    def rows(self, body: bytes, *, address: str) -> Sequence[object]:
        """The rows of a list, not decoded yet where that can wait. Raises NotRayError for what is no list."""
        with suppress(*decoding.MALFORMED):  # then value by value
            return _LIST.decode(body)
        values = decoding.parse(body, address=address)
        if not isinstance(values, list):
            raise decoding.not_ray(body, address)
        return values

    def reading(self, rows: Sequence[object], *, address: str) -> Iterator[Job | None]:
        """The jobs, with None for what is no object."""
        known, self._known = self._known, {}
        for row in rows:
            if not isinstance(row, msgspec.Raw):
                yield _salvaged(row)
                continue
            digest = blake2b(row, digest_size=16).digest()
            job = known.get(digest) or _read(row, address)
            if job is not None:
                self._known[digest] = job
            yield job


def _read(row: msgspec.Raw, address: str) -> Job | None:
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
