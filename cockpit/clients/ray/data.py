"""Datasets of Ray Data (ray-depth section 6), asked for job by job."""

from collections.abc import Iterable
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from cockpit.clients import decoding
from cockpit.clients.ray.http import NULL, DashboardHttp
from cockpit.errors import CockpitError, RejectedError, UnreachableError
from cockpit.model.cluster import Rows
from cockpit.model.datasets import Dataset


class DataApi:
    """Calls below `/api/data/`; the first starts an actor of Ray Data on the cluster."""

    def __init__(self, http: DashboardHttp) -> None:
        self._http = http

    async def list(self, job_ids: Iterable[str]) -> Rows[Dataset]:
        """The datasets of these jobs, by the IDs that Ray gave their drivers; an unknown job has none.

        Raises RejectedError, with the fault `not-installed`, where the head has no Ray Data.
        """
        rows: list[Dataset] = []
        unreadable = 0
        for job_id in job_ids:
            found = await self._of(job_id)
            rows += found.rows
            unreadable += found.unreadable
        return Rows(rows=tuple(rows), unreadable=unreadable)

    async def _of(self, job_id: str) -> Rows[Dataset]:
        async with self._http.supported("list of datasets"):
            try:
                body = await self._http.get_list(f"/api/data/datasets/{quote(job_id, safe='')}")
            except UnreachableError as error:
                raise _unavailable(error) from error
        given = self._http.listed(self._http.parts(body, _Datasets).datasets)
        found = decoding.read_rows(given, self._read, address=self._http.address)
        rows = tuple(replace(one, job_id=one.job_id or job_id) for one in found if one is not None)
        return Rows(rows=rows, unreadable=len(given) - len(rows))

    def _read(self, row: msgspec.Raw) -> Dataset | None:
        return self._http.read_row(Dataset, row)


def _unavailable(error: UnreachableError) -> CockpitError:
    """Ray answers 503 with the name of a Python module that it lacks; 500 elsewhere."""
    if "No module named" not in error.detail and "not installed" not in error.detail:
        return error
    return RejectedError(
        "Ray Data is not installed on the head.",
        detail=error.detail,
        hint='Install it in the image of the head: pip install "ray[data]"',
        fault="not-installed",
    )


class _Datasets(msgspec.Struct):
    datasets: msgspec.Raw = NULL
