"""Jobs: list, submit, stop and delete (ray-api section 1)."""

from urllib.parse import quote

import msgspec

from cockpit.clients import decoding
from cockpit.clients.ray.http import DashboardHttp
from cockpit.clients.ray.job_wire import JobReader, tidy
from cockpit.clients.turns import in_turn
from cockpit.errors import NotFoundError, NotRayError, RejectedError, ServerError
from cockpit.model.cluster import Rows
from cockpit.model.jobs import Job, JobRequest
from cockpit.model.slices import in_slices


class JobsApi:
    """Calls below `/api/jobs/`; a job is named by its submission ID or by the job ID of its driver."""

    def __init__(self, http: DashboardHttp) -> None:
        self._http = http
        self._reader = JobReader()

    @in_turn
    async def list(self) -> Rows[Job]:
        """Every job that the head remembers, newest first.

        Ray sends the whole list in hash order each time; without paging (1,000 jobs: about 0.6 MB).
        """
        address = self._http.address
        given = self._reader.rows(await self._http.get_list("/api/jobs/"), address=address)
        found = await in_slices(self._reader.reading(given, address=address), rest=self._http.rest)
        rows = sorted((job for job in found if job is not None), key=lambda job: job.start_time or 0, reverse=True)
        return Rows(rows=tuple(rows), unreadable=len(given) - len(rows))

    async def get(self, job_id: str) -> Job:
        """One job; cheap on any cluster. Raises NotFoundError."""
        try:
            body = await self._http.get(_path(job_id))
        except NotFoundError as error:
            raise _unknown_job(job_id) from error
        job = self._http.decode(body, Job)
        if job.status is None and job.id is None:
            raise decoding.not_ray(body, self._http.address)
        return tidy(job)

    async def submit(self, request: JobRequest) -> str:
        """Submit a job; returns its submission ID. Raises RejectedError with Ray's reason.

        Ray accepts malformed content of `runtime_env` and fails the job later. Raises NotRayError where the reply
        names another job than the one that was sent: the name goes on into scripts, and is not the server's to choose.
        """
        try:
            reply = await self._http.transport.request("POST", "/api/jobs/", json=request)
        except ServerError as error:
            raise _submit_error(request, error) from error
        accepted = self._http.decode(reply.body, _Accepted)
        submission_id = accepted.submission_id or accepted.job_id
        if not submission_id:
            raise decoding.not_ray(reply.body, self._http.address)
        if request.submission_id and submission_id != request.submission_id:
            raise NotRayError(
                f"{self._http.address} accepted {request.submission_id} under another submission ID.",
                detail=f"It answered {submission_id[:200]!r}.",
                hint="Check that this is the address of a Ray dashboard; look for the job with `rayakash-tui jobs`.",
            )
        return submission_id

    async def stop(self, job_id: str) -> bool:
        """Ask Ray to stop a job; returns whether there was something to stop.

        Stopping is asynchronous (SIGTERM, 3 s, SIGKILL), and True is answered for a PENDING job too, which then stays
        PENDING: ask for the job again. Raises NotFoundError, and RejectedError for a driver.
        """
        try:
            reply = await self._http.transport.request("POST", _path(job_id, "/stop"))
        except NotFoundError as error:
            raise _unknown_job(job_id) from error
        except ServerError as error:
            raise _slash_error(job_id, error) from error
        return bool(self._http.decode(reply.body, _Stopped).stopped)

    async def delete(self, job_id: str) -> None:
        """Make the head forget an ended job; its log file stays. Raises NotFoundError, RejectedError."""
        try:
            await self._http.transport.request("DELETE", _path(job_id))
        except NotFoundError as error:
            raise _unknown_job(job_id) from error
        except ServerError as error:
            if "non-terminal state" not in error.detail:
                raise _slash_error(job_id, error) from error
            raise RejectedError(
                f"Job {job_id} has not ended yet, and Ray deletes only jobs that have.",
                detail=error.detail,
                hint="Stop it first.",
            ) from error

    async def whole_log(self, job_id: str) -> bytes:
        """The whole log of a job as Ray reads it: in text mode, into the memory of three of its processes."""
        body = await self._http.get_list(_path(job_id, "/logs"))
        return (self._http.decode(body, _JobText).logs or "").encode("utf-8", "surrogatepass")


def _path(job_id: str, tail: str = "") -> str:
    """The path of a job. Raises NotFoundError for an empty id, which would lead to the list of all jobs."""
    if not job_id:
        raise NotFoundError("The job ID is empty.")
    name = quote(_encoded(job_id), safe="")
    if name in (".", ".."):
        name = name.replace(".", "%2E")  # or it would be resolved before it is sent
    return f"/api/jobs/{name}{tail}"


def _encoded(job_id: str) -> bytes:
    """Bytes of argv that are not UTF-8 as they were; other halves of surrogate pairs, which JSON can hold, somehow."""
    try:
        return job_id.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return job_id.encode("utf-8", "surrogatepass")


def _unknown_job(job_id: str) -> NotFoundError:
    return NotFoundError(
        f"Job {job_id or '(no id)'} not found.",
        hint="`rayakash-tui jobs` lists the jobs; a restarted head forgets its jobs.",
    )


def _slash_error(job_id: str, error: ServerError) -> Exception:
    if "/" not in job_id or "404: Not Found" not in error.detail:
        return error
    return RejectedError(
        f"Job {job_id} is out of reach: Ray can neither stop nor delete a job with a slash in its id.",
        detail=error.title,
        hint="It is forgotten when the head is restarted.",
    )


def _submit_error(request: JobRequest, error: ServerError) -> Exception:
    if "already exists" in error.detail:
        return RejectedError(
            f"A job with the id {request.submission_id} already exists.",
            detail=error.detail,
            hint="Choose another id, or leave it out to get a fresh one.",
        )
    if "status code 400" in error.detail:
        return RejectedError(error.title.replace("failed to answer", "refused the job"), detail=error.detail)
    return error


class _Accepted(msgspec.Struct):
    submission_id: str | None = None
    job_id: str | None = None


class _Stopped(msgspec.Struct):
    stopped: bool | None = None


class _JobText(msgspec.Struct):
    logs: str | None = None
