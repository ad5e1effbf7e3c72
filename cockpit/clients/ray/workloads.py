"""What runs in a cluster: actors, tasks, placement groups and workers, narrowed on the head as far as Ray can."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from cockpit.clients.ray.state import Filter, StateApi, is_supervisor
from cockpit.model.actors import LIVING_STATES, Actor
from cockpit.model.placement_groups import PlacementGroup
from cockpit.model.query import Query
from cockpit.model.state import First, StateRows
from cockpit.model.tasks import TASK_ENDS, Task
from cockpit.model.workers import Worker

R = TypeVar("R")
S = TypeVar("S", bound=msgspec.Struct)

LATEST_MOMENT = 2**53


class WorkloadsApi:
    """Lists by `Query`: states, job and a task's name go to Ray; node, and an actor's name, are compared here.

    Of many rows the first go to `first` before the others are read. Rows that are narrowed here come from a list that
    Ray has narrowed by job or state.
    """

    def __init__(self, state: StateApi) -> None:
        self._state = state

    async def actors(self, query: Query, first: First | None = None) -> StateRows[Actor]:
        """Actors, without Ray's own job supervisors unless everything is asked for.

        The head compares a state with `=` alone: each state is a request of its own (3 to 5 ms).
        """
        if query.job_id == "":
            return StateRows(rows=())
        job: list[Filter] = [("job_id", "=", query.job_id)] if query.job_id else []
        states = query.states or (() if query.everything else LIVING_STATES)
        wanted: list[list[Filter]] = [[*job, ("state", "=", state)] for state in states] or [job]

        def found(replies: Sequence[StateRows[Actor]]) -> StateRows[Actor]:
            return narrowed(
                joined(replies, key=lambda actor: actor.actor_id),
                lambda actor: (
                    (query.everything or not is_supervisor(actor))
                    and query.name in (None, actor.name, actor.class_name)
                    and query.node_id in (None, actor.node_id)
                    and (query.pids is None or actor.pid in query.pids)
                ),
            )

        return await self._each("actors", Actor, wanted, found, detail=True, first=first)

    async def of_class(self, class_name: str) -> StateRows[Actor]:
        """Actors of a class that live or wait, of every job; the head compares the class after its cut to 10,000."""
        replies = [
            await self._state.list(
                "actors", Actor, [("state", "=", state), ("class_name", "=", class_name)], detail=True
            )
            for state in LIVING_STATES
        ]
        return joined(replies, key=lambda actor: actor.actor_id)

    async def tasks(self, query: Query, first: First | None = None) -> StateRows[Task]:
        """Attempts of tasks; without the drivers themselves.

        Details cost five times the bytes: they come unless ended tasks are asked for in bulk.
        """
        if query.job_id == "":
            return StateRows(rows=())
        base: list[Filter] = [("job_id", "=", query.job_id)] if query.job_id else []
        base += [("name", "=", query.name)] if query.name else []
        if query.states:
            wanted = [[*base, ("state", "=", state)] for state in query.states]
        elif query.everything:
            wanted = [base]
        else:
            wanted = [[*base, *(("state", "!=", state) for state in TASK_ENDS)]]
        detail = not query.everything and "FINISHED" not in query.states

        def found(replies: Sequence[StateRows[Task]]) -> StateRows[Task]:
            attempts = joined(replies, key=lambda task: task.task_id and (task.task_id, task.attempt_number))
            return narrowed(
                attempts,
                lambda task: (
                    query.node_id in (None, task.node_id) and (query.pids is None or task.worker_pid in query.pids)
                ),
            )

        return await self._each("tasks", Task, wanted, found, detail=detail, first=first)

    async def _each(
        self,
        kind: str,
        type_: type[S],
        wanted: Iterable[Iterable[Filter]],
        found: Callable[[Sequence[StateRows[S]]], StateRows[S]],
        *,
        detail: bool,
        first: First | None,
    ) -> StateRows[S]:
        """What is `found` in the replies to one request for each of the filters."""
        replies: list[StateRows[S]] = []
        early = _early(first, lambda part: found([*replies, part]))
        for filters in wanted:
            replies += [await self._state.list(kind, type_, filters, detail=detail, first=early)]
        return found(replies)

    async def placement_groups(self, query: Query, first: First | None = None) -> StateRows[PlacementGroup]:
        """Placement groups; Ray filters none of them on the head, whatever is asked (1.4 s at 10,000)."""
        if query.job_id == "":
            return StateRows(rows=())
        filters: list[Filter] = [("creator_job_id", "=", query.job_id)] if query.job_id else []
        filters += [("name", "=", query.name)] if query.name else []
        if len(query.states) == 1:
            filters.append(("state", "=", query.states[0]))
        elif not query.states and not query.everything:
            filters.append(("state", "!=", "REMOVED"))

        def wanted(found: StateRows[PlacementGroup]) -> StateRows[PlacementGroup]:
            return narrowed(
                found,
                lambda group: (
                    (not query.states or group.state in query.states)
                    and (query.node_id is None or any(part.node_id == query.node_id for part in group.bundles or ()))
                ),
            )

        early = _early(first, wanted)
        return wanted(await self._state.list("placement_groups", PlacementGroup, filters, detail=True, first=early))

    async def workers(self, query: Query, first: First | None = None) -> StateRows[Worker]:
        """Worker processes, of a job those that run its actors or ran its tasks."""
        if query.job_id == "":
            return StateRows(rows=())
        everything = query.everything or "DEAD" in query.states
        filters: list[Filter] = [] if everything else [("is_alive", "=", "True")]
        owned = await self._workers_of(query.job_id) if query.job_id else None

        def wanted(found: StateRows[Worker]) -> StateRows[Worker]:
            rows = narrowed(
                found,
                lambda worker: (
                    (not query.states or worker.state in query.states)
                    and query.node_id in (None, worker.node_id)
                    and (owned is None or worker.worker_id in owned or (worker.node_id, worker.pid) in owned)
                ),
            )
            return with_rows(rows, map(_tidy, rows.rows))

        return wanted(await self._state.list("workers", Worker, filters, detail=True, first=_early(first, wanted)))

    async def _workers_of(self, job_id: str) -> set[object]:
        """IDs, and pairs of node and pid, of a job's workers; its driver's ID begins with the job ID."""
        tasks = (await self._state.list("tasks", Task, [("job_id", "=", job_id)])).rows
        actors = (await self._state.list("actors", Actor, [("job_id", "=", job_id)])).rows
        driver = job_id + "f" * (56 - len(job_id))
        by_pid = {(actor.node_id, actor.pid) for actor in actors if actor.pid}
        return {driver} | {task.worker_id for task in tasks if task.worker_id} | by_pid


def _early(first: First | None, wanted: Callable[[StateRows[R]], StateRows[R]]) -> First | None:
    """Passes on what is wanted of the first rows, where any is."""
    if first is None:
        return None

    def tell(found: StateRows[R]) -> None:
        if (some := wanted(found)).rows:
            first(some)

    return tell


def joined(replies: Sequence[StateRows[R]], *, key: Callable[[R], object] = lambda _: None) -> StateRows[R]:
    """The rows of several requests as one list; what each of them did not look at adds up.

    Of rows with the same key the last counts: between two requests a row may have gone on to another state.
    """
    if len(replies) == 1:
        return replies[0]
    total = max((reply.total for reply in replies if reply.total is not None), default=None)
    missing = sum((reply.total or 0) - (reply.num_after_truncation or 0) for reply in replies if reply.is_truncated)
    counts = [reply.num_filtered for reply in replies if reply.num_filtered is not None]
    return StateRows(
        rows=_once([row for reply in replies for row in reply.rows], key),
        unreadable=sum(reply.unreadable for reply in replies),
        total=total,
        num_after_truncation=None if total is None else max(0, total - missing),
        num_filtered=sum(counts) if counts else None,
        warnings=tuple(dict.fromkeys(text for reply in replies for text in reply.warnings)),
        is_partial=any(reply.is_partial for reply in replies),
    )


def _once(rows: Sequence[R], key: Callable[[R], object]) -> tuple[R, ...]:
    last = {key(row): place for place, row in enumerate(rows)}
    return tuple(row for place, row in enumerate(rows) if (name := key(row)) is None or last[name] == place)


def narrowed(found: StateRows[R], is_wanted: Callable[[R], bool]) -> StateRows[R]:
    """The rows that are wanted; Ray's totals stay what they are."""
    return with_rows(found, (row for row in found.rows if is_wanted(row)))


def with_rows(found: StateRows[Any], rows: Iterable[R]) -> StateRows[R]:
    """The same totals with other rows."""
    return StateRows(
        rows=tuple(rows),
        unreadable=found.unreadable,
        total=found.total,
        num_after_truncation=found.num_after_truncation,
        num_filtered=found.num_filtered,
        warnings=found.warnings,
        is_partial=found.is_partial,
    )


def _tidy(worker: Worker) -> Worker:
    """Ray writes 0 and 2⁶⁴-1 for times that it does not know."""
    names = ("worker_launch_time_ms", "start_time_ms", "end_time_ms")
    return replace(worker, **{name: _moment(getattr(worker, name)) for name in names})


def _moment(milliseconds: int | None) -> int | None:
    return milliseconds if milliseconds and 0 < milliseconds < LATEST_MOMENT else None
