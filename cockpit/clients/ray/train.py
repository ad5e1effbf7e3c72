"""Runs of Ray Train (ray-depth section 6): listed only where the job tracks its state."""

import msgspec

from cockpit.clients import decoding
from cockpit.clients.ray.http import NULL, DashboardHttp
from cockpit.errors import RejectedError, ServerError
from cockpit.model.cluster import Rows
from cockpit.model.train import TrainRun

TRACKING = "RAY_TRAIN_ENABLE_STATE_TRACKING"


class TrainApi:
    """Calls below `/api/train/`."""

    def __init__(self, http: DashboardHttp) -> None:
        self._http = http

    async def list(self) -> Rows[TrainRun]:
        """Runs of Train v2, the newest first.

        Raises RejectedError, with the fault `not-installed` or `not-tracked`, where the head cannot list them.
        """
        async with self._http.supported("list of Train runs"):
            try:
                body = await self._http.get_list("/api/train/v2/runs/v1")
            except ServerError as error:
                raise _unavailable(error) from error
        given = self._http.listed(self._http.parts(body, _Runs).train_runs)
        found = decoding.read_rows(given, self._read, address=self._http.address)
        rows = tuple(run for run in found if run is not None)
        return Rows(rows=rows, unreadable=len(given) - len(rows))

    def _read(self, row: msgspec.Raw) -> TrainRun | None:
        return self._http.read_row(TrainRun, row)


def _unavailable(error: ServerError) -> Exception:
    if "not installed" in error.detail or "No module named" in error.detail:
        return RejectedError(
            "Ray Train is not installed on the head.",
            detail=error.detail,
            hint='Install it in the image of the head: pip install "ray[train]"',
            fault="not-installed",
        )
    if "not available" in error.detail:
        return RejectedError(
            "No Train run has reported to the head.",
            detail=error.detail,
            hint=f"Runs are listed when their job sets {TRACKING}=1: rayakash-tui submit --env {TRACKING}=1 …",
            fault="not-tracked",
        )
    return error


class _Runs(msgspec.Struct):
    train_runs: msgspec.Raw = NULL
