"""Lists of Ray's state API: `GET /api/v0/{kind}` with filters (ray-api section 4, ray-depth section 1).

What costs the head is the number of rows that it has to look at; `limit` saves nothing. Only these filters narrow it,
the others are applied to the first 10,000 rows (measured on 2.60):

    actors   actor_id=, state=, job_id=
    tasks    task_id, actor_id, job_id, name, state, with = and !=
    nodes    node_id, state, node_name
    workers  is_alive=True
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from cockpit.clients import decoding
from cockpit.clients.ray.http import NULL, DashboardHttp, is_null
from cockpit.clients.turns import in_turn
from cockpit.errors import NotFoundError
from cockpit.model.actors import Actor
from cockpit.model.slices import in_slices
from cockpit.model.state import First, StateRows
from cockpit.model.tasks import Task

R = TypeVar("R", bound=msgspec.Struct)

Filter = tuple[str, str, str]
"""A column, `=` or `!=`, and a value, which Ray compares without regard to case."""

MOST_ROWS = 10_000  # of one reply; a higher limit is refused
FIRST_ROWS = 200  # more than a screen has lines
ANSWER_SECONDS = "10"  # the head waits for its nodes so long, and then answers without those that are silent
# Ray runs every submitted job below an actor of its own (dashboard/modules/job/common.py).
SUPERVISOR_CLASS = "JobSupervisor"
CREATION = "ACTOR_CREATION_TASK"
SUPERVISOR_NAME = "_ray_internal_job_actor_"


class Supervisors(msgspec.Struct, frozen=True):
    """Submission IDs by the ID of the supervisor actor, and how many rows could not be read."""

    jobs: dict[str, str]
    unreadable: int = 0


class StateApi:
    """Calls below `/api/v0/`; nothing unfiltered belongs on a timer."""

    def __init__(self, http: DashboardHttp) -> None:
        self._http = http

    @in_turn
    async def list(
        self,
        kind: str,
        type_: type[R],
        filters: Iterable[Filter] = (),
        *,
        limit: int = MOST_ROWS,
        detail: bool = False,
        first: First | None = None,
    ) -> StateRows[R]:
        """The rows of one kind, such as `actors`, that pass every filter; each is decoded by itself.

        `first` is called with the first rows where there are many.
        Raises RejectedError for a column that the kind does not have, and with the fault `unsupported` where this
        release of Ray does not offer this list.
        """
        params = [("limit", str(limit)), ("timeout", ANSWER_SECONDS), *([("detail", "true")] if detail else [])]
        for key, predicate, value in filters:
            params += [("filter_keys", key), ("filter_predicates", predicate), ("filter_values", value)]
        async with self._http.supported(f"list of {kind.replace('_', ' ')}"):
            body = await self._http.get_list(f"/api/v0/{kind}", params)
        return await self._rows(self._reply(body), type_, first)

    def _reply(self, body: bytes) -> "_Reply":
        result = self._http.envelope(body, _Data).result
        return _Reply() if is_null(result) else self._http.parts(result, _Reply)

    async def _rows(self, reply: "_Reply", type_: type[R], first: First | None) -> StateRows[R]:
        given = self._http.listed(reply.result)
        reading = decoding.read_rows(given, partial(self._http.read_row, type_), address=self._http.address)
        found: list[R | None] = []
        if first is not None and len(given) > FIRST_ROWS:
            found += islice(reading, FIRST_ROWS)
            first(replace(_state_rows(reply, found), is_partial=True))
            await asyncio.sleep(self._http.rest)
        found += await in_slices(reading, rest=self._http.rest)
        return _state_rows(reply, found)

    async def actor_count(self) -> int | None:
        """How many actors are alive, Ray's own job supervisors left out; None where Ray did not count."""
        filters = [("state", "=", "ALIVE"), ("class_name", "!=", SUPERVISOR_CLASS)]
        return (await self.list("actors", Actor, filters, limit=1)).num_filtered

    async def actor(self, actor_id: str) -> Actor:
        """One actor. Raises NotFoundError."""
        return (await self._by_id("actors", Actor, "actor_id", actor_id))[0]

    async def creation_of(self, actor_id: str) -> Task | None:
        """The last attempt of an actor's constructor; None where Ray has forgotten it."""
        found = await self.list("tasks", Task, [("actor_id", "=", actor_id), ("type", "=", CREATION)], detail=True)
        return max(found.rows, key=lambda row: row.attempt_number or 0, default=None)

    async def actors_of(self, job_id: str) -> StateRows[Actor]:
        """The actors of a job, by the ID that Ray gave its driver."""
        return await self.list("actors", Actor, [("job_id", "=", job_id)])

    async def task(self, task_id: str) -> Task:
        """The latest attempt of one task. Raises NotFoundError."""
        rows = await self._by_id("tasks", Task, "task_id", task_id)
        return max(rows, key=lambda row: row.attempt_number or 0)

    async def tasks_of(self, job_id: str) -> StateRows[Task]:
        """The tasks of a job that Ray remembers, 10,000 at most; an empty list is not an error."""
        return await self.list("tasks", Task, [("job_id", "=", job_id)], detail=True)

    async def _by_id(self, kind: str, type_: type[R], key: str, value: str) -> Sequence[R]:
        rows = (await self.list(kind, type_, [(key, "=", value)], detail=True)).rows
        if not rows:
            raise NotFoundError(f"{key.removesuffix('_id').capitalize()} {value or '(no ID)'} not found.")
        return rows

    async def supervisors(self, job_id: str, *, state: str = "ALIVE") -> Supervisors:
        """The supervisor actors in a state, which hold what was asked for the entrypoint.

        All supervisors of one job manager share its `job_id`, by which the head filters.
        """
        found = await self.list("actors", Actor, [("job_id", "=", job_id), ("state", "=", state)])
        jobs = dict(pair for actor in found.rows if (pair := _supervised(actor)))
        return Supervisors(jobs=jobs, unreadable=found.unreadable)

    async def supervisor_of(self, submission_id: str) -> str | None:
        """The ID of the supervisor actor of a job, alive or still to be started; None where it has none.

        The head does not filter by name: beyond 10,000 actors in a state, the job managers found among those that came
        are asked about once more.
        """
        for state in ("ALIVE", "PENDING_CREATION"):  # the head filters by one state at a time
            found = await self.list("actors", Actor, [("state", "=", state), ("class_name", "=", SUPERVISOR_CLASS)])
            supervisors = dict(pair for actor in found.rows if (pair := _supervised(actor)))
            if found.is_truncated:
                for job_id in {actor.job_id for actor in found.rows if _supervised(actor) and actor.job_id}:
                    supervisors |= (await self.supervisors(job_id, state=state)).jobs
            if (actor_id := next((one for one, job in supervisors.items() if job == submission_id), None)) is not None:
                return actor_id
        return None


def _state_rows(reply: "_Reply", found: Sequence[R | None]) -> StateRows[R]:
    rows = tuple(row for row in found if row is not None)
    return StateRows(
        rows=rows,
        unreadable=len(found) - len(rows),
        total=reply.total,
        num_after_truncation=reply.num_after_truncation,
        num_filtered=reply.num_filtered,
        warnings=tuple(text for text in (reply.partial_failure_warning, *(reply.warnings or ())) if text),
    )


def is_supervisor(actor: Actor) -> bool:
    """Whether the actor is Ray's own, which runs the entrypoint of a submitted job."""
    return actor.name is not None and actor.name.startswith(SUPERVISOR_NAME)


def _supervised(actor: Actor) -> tuple[str, str] | None:
    """The actor's ID and the submission ID of the job that it supervises."""
    if not actor.actor_id or actor.name is None or not is_supervisor(actor):
        return None
    return actor.actor_id, actor.name.removeprefix(SUPERVISOR_NAME)


class _Reply(msgspec.Struct):
    total: int | None = None
    num_after_truncation: int | None = None
    num_filtered: int | None = None
    partial_failure_warning: str | None = None
    warnings: list[str | None] | None = None
    result: msgspec.Raw = NULL


class _Data(msgspec.Struct):
    result: msgspec.Raw = NULL
