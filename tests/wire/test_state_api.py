"""The generic list of Ray's state API: filters, totals, rows one by one, and what an older Ray lacks."""

import itertools
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cockpit.clients.ray.state import Filter
from cockpit.errors import CockpitError, NotRayError, RejectedError, ServerError, UnreachableError
from cockpit.model.actors import Actor
from tests.wire.clients import answered_with, handled_by, replying
from tests.wire.server import Exchange


def reply(rows: Any, **more: Any) -> dict[str, Any]:
    counts = {"total": 3, "num_after_truncation": 3, "num_filtered": 3}
    return {"result": True, "msg": "", "data": {"result": {"result": rows, **counts, **more}}}


def query(exchange_target: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(exchange_target).query)


async def test_filters_limit_and_detail_go_to_ray() -> None:
    filters: list[Filter] = [("state", "=", "ALIVE"), ("name", "!=", "a b&c")]
    async with answered_with(reply([])) as (client, server):
        await client.state.list("actors", Actor, filters, limit=5, detail=True)
    (request,) = server.requests
    assert request.path == "/api/v0/actors"
    asked = query(request.target)
    assert asked["filter_keys"] == ["state", "name"]
    assert asked["filter_predicates"] == ["=", "!="]
    assert asked["filter_values"] == ["ALIVE", "a b&c"]
    assert (asked["limit"], asked["detail"]) == (["5"], ["true"])


async def test_an_odd_row_hides_no_other() -> None:
    rows = [{"actor_id": "a", "pid": "12"}, 7, None, [], {"actor_id": {"x": 1}, "pid": "many"}, {"actor_id": "b"}]
    async with answered_with(reply(rows)) as (client, _):
        found = await client.state.list("actors", Actor)
    assert found.rows == (Actor(actor_id="a", pid=12), Actor(), Actor(actor_id="b"))
    assert found.unreadable == 3


@pytest.mark.parametrize("rows", [None, []])
async def test_nothing_there(rows: Any) -> None:
    async with answered_with(reply(rows, total=0, num_after_truncation=0, num_filtered=0)) as (client, _):
        found = await client.state.list("actors", Actor)
    assert (found.rows, found.unreadable, found.total, found.is_complete) == ((), 0, 0, True)


@pytest.mark.parametrize(
    ("counts", "truncated", "complete"),
    [
        ((3, 3, 3), False, True),
        ((22_575, 10_000, 3), True, False),
        ((40, 40, 40), False, False),
        ((None, None, None), False, True),
    ],
)
async def test_rays_own_totals_say_what_is_missing(counts: tuple[Any, ...], truncated: bool, complete: bool) -> None:
    total, kept, filtered = counts
    body = reply([{}, {}, {}], total=total, num_after_truncation=kept, num_filtered=filtered)
    async with answered_with(body) as (client, _):
        found = await client.state.list("actors", Actor)
    assert (found.total, found.num_after_truncation, found.num_filtered) == counts
    assert (found.is_truncated, found.is_complete) == (truncated, complete)


async def test_nodes_that_are_silent_are_said() -> None:
    body = reply([], partial_failure_warning="1 of 3 nodes did not answer.", warnings=["slow", None, ""])
    async with answered_with(body) as (client, _):
        found = await client.state.list("objects", Actor)
    assert found.warnings == ("1 of 3 nodes did not answer.", "slow")


async def test_a_list_that_an_older_ray_does_not_have_is_a_sentence() -> None:
    async def old(exchange: Exchange) -> None:
        if exchange.request.path == "/api/version":
            await exchange.reply({"ray_version": "2.40.0"})
        else:
            await exchange.reply("404: Not Found", status=404)

    async with handled_by(old) as (client, _):
        with pytest.raises(RejectedError) as caught:
            await client.state.list("cluster_events", Actor)
    assert caught.value.title == "Ray 2.40.0 has no list of cluster events."
    assert caught.value.fault == "unsupported"


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (replying("404: Not Found", 404), NotRayError),
        (replying(b"", 504), UnreachableError),
        (replying("No such column: x. Columns: state", 400), RejectedError),
        (replying({"result": False, "msg": "GCS is away", "data": None}), ServerError),
        (replying(b""), NotRayError),
        (replying({"result": True, "data": {"result": {"result": "rows"}}}), NotRayError),
    ],
)
async def test_refusals_and_nonsense(handler: Any, error: type[CockpitError]) -> None:
    async with handled_by(handler) as (client, _):
        with pytest.raises(error):
            await client.state.list("actors", Actor)


async def test_a_supervisor_beyond_the_first_ten_thousand_actors_is_found() -> None:
    def supervisor(name: str) -> dict[str, str]:
        return {"actor_id": name * 32, "job_id": "07000000", "name": f"_ray_internal_job_actor_job-{name}"}

    answers = itertools.chain(
        [reply([supervisor("a")], total=12_000, num_after_truncation=10_000, num_filtered=1)],
        itertools.repeat(reply([supervisor("a"), supervisor("b"), {"actor_id": "c" * 32}])),
    )

    async def many(exchange: Exchange) -> None:
        await exchange.reply(next(answers))

    async with handled_by(many) as (client, server):
        assert await client.state.supervisor_of("job-b") == "b" * 32
        assert await client.state.supervisor_of("job-x") is None
    assert query(server.requests[1].target)["filter_keys"] == ["job_id", "state"]
