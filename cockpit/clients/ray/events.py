"""What happened in a cluster (ray-depth section 1): Ray's events, and the deaths that its lists remember."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from cockpit.clients.ray.http import DashboardHttp
from cockpit.clients.ray.state import Filter, StateApi
from cockpit.clients.ray.workloads import WorkloadsApi, joined, with_rows
from cockpit.errors import NotRayError, RejectedError, ServerError
from cockpit.model.actors import Actor, DeathCause
from cockpit.model.events import ClusterEvent, DeadNode, folded
from cockpit.model.query import Query
from cockpit.model.state import StateRows
from cockpit.model.workers import UNWANTED_EXITS, Worker

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


class EventsApi:
    """Events of the whole cluster, or of a job."""

    def __init__(self, http: DashboardHttp, state: StateApi, workloads: WorkloadsApi) -> None:
        self._http = http
        self._state = state
        self._workloads = workloads

    async def list(self, query: Query, *, submission_id: str | None = None) -> StateRows[ClusterEvent]:
        """Events and unwanted deaths, the latest first, equal ones folded; with `everything` wanted deaths too.

        A job is named by the `job_id` of the query and its submission ID, since Ray's events hold only the latter. An
        older Ray releases do not list events, only deaths.
        """
        is_of_job = query.job_id is not None or submission_id is not None
        found: list[StateRows[ClusterEvent]] = [await self._told(submission_id, is_of_job=is_of_job)]
        if not is_of_job:
            dead = await self._state.list("nodes", DeadNode, [("state", "=", "DEAD")], detail=True)
            found.append(with_rows(dead, map(_node, dead.rows)))
        if query.job_id != "":
            found += await self._deaths(query)
        events = joined(found)
        wanted = (event for event in events.rows if query.node_id in (None, event.node_id))
        return with_rows(events, folded(wanted))

    async def _told(self, submission_id: str | None, *, is_of_job: bool) -> StateRows[ClusterEvent]:
        try:
            found = await self._state.list("cluster_events", _Event, detail=True)
        except RejectedError as error:
            if error.fault != "unsupported":
                raise
            return StateRows(rows=(), warnings=(error.title,))
        except ServerError as error:  # the deaths are known without it
            return StateRows(rows=(), warnings=(f"Events are missing: {error.title}",))
        zone = await self._zone()
        events = (_event(event, zone) for event in found.rows)
        rows = tuple(event for event in events if not is_of_job or event.submission_id == submission_id)
        return with_rows(found, rows)

    async def _zone(self) -> timezone:
        """That of the head, by whose clock events tell their time; UTC where it does not say."""
        try:
            offset = self._http.decode(await self._http.get("/timezone"), _Zone).offset or ""
        except NotRayError:
            return UTC
        found = _OFFSET.fullmatch(offset)
        if found is None:
            return UTC
        minutes = int(found[2]) * 60 + int(found[3])
        return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))

    async def _deaths(self, query: Query) -> Sequence[StateRows[ClusterEvent]]:
        """Of actors and workers; an actor that died with its worker is listed once, with the worker's time."""
        workers = await self._workloads.workers(Query(job_id=query.job_id, states=("DEAD",)))
        filters: list[Filter] = [("state", "=", "DEAD")]
        filters += [("job_id", "=", query.job_id)] if query.job_id else []
        actors = await self._state.list("actors", Actor, filters, detail=True)
        ended: dict[tuple[str | None, int | None], Worker] = {
            (worker.node_id, worker.pid): worker for worker in workers.rows if worker.pid
        }
        shown = [
            actor for actor in actors.rows if query.everything or not (actor.death_cause or DeathCause()).is_wanted
        ]
        by_actor = {(actor.node_id, actor.pid) for actor in shown}
        others = (
            worker
            for place, worker in ended.items()
            if place not in by_actor and (query.everything or worker.exit_type in UNWANTED_EXITS)
        )
        return (
            with_rows(actors, (_actor(actor, ended.get((actor.node_id, actor.pid))) for actor in shown)),
            with_rows(workers, map(_worker, others)),
        )


class _Event(msgspec.Struct):
    severity: str | None = None
    time: str | None = None
    source_type: str | None = None
    message: str | None = None
    event_id: str | None = None
    custom_fields: dict[str, str] | None = None


class _Zone(msgspec.Struct):
    offset: str | None = None


def _event(event: _Event, zone: timezone) -> ClusterEvent:
    fields = event.custom_fields or {}
    return ClusterEvent(
        severity=event.severity,
        time=_moment(event.time, zone),
        source_type=event.source_type,
        message=event.message,
        event_id=event.event_id,
        custom_fields=event.custom_fields,
        submission_id=fields.get("submission_id"),
    )


def _moment(text: str | None, zone: timezone) -> float | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()


def _node(node: DeadNode) -> ClusterEvent:
    return ClusterEvent(
        severity="ERROR",
        source_type="NODE",
        time=_seconds(node.end_time_ms),
        message=f"Node {node.node_ip or node.node_id} died: {node.state_message or 'no reason given'}",
        node_id=node.node_id,
    )


def _actor(actor: Actor, worker: Worker | None) -> ClusterEvent:
    cause = actor.death_cause or DeathCause()
    name = actor.name or actor.class_name or actor.actor_id
    return ClusterEvent(
        severity="INFO" if cause.is_wanted else "ERROR",
        source_type="ACTOR",
        time=_seconds(worker.end_time_ms) if worker else None,
        message=f"Actor {name} died ({cause.reason or 'no reason'}): {cause.message or 'no details'}",
        job_id=actor.job_id,
        node_id=actor.node_id,
        actor_id=actor.actor_id,
        worker_id=worker.worker_id if worker else None,
        pid=actor.pid,
    )


def _worker(worker: Worker) -> ClusterEvent:
    kind, words = "Driver" if worker.worker_type == "DRIVER" else "Worker", worker.exit_detail or "no details"
    return ClusterEvent(
        severity="ERROR" if worker.exit_type in UNWANTED_EXITS else "INFO",
        source_type="WORKER",
        time=_seconds(worker.end_time_ms),
        message=f"{kind} with PID {worker.pid} died ({worker.exit_type or 'no reason'}): {words}",
        node_id=worker.node_id,
        worker_id=worker.worker_id,
        pid=worker.pid,
    )


def _seconds(milliseconds: int | None) -> float | None:
    return milliseconds / 1000 if milliseconds and 0 < milliseconds < 2**53 else None
