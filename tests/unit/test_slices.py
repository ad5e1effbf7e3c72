"""Long work in slices: what comes of it, and who has a turn meanwhile."""

import asyncio
from collections.abc import Callable, Iterator
from unittest.mock import MagicMock, patch

import msgspec
import pytest

from cockpit.clients import decoding
from cockpit.clients.ray.http import DashboardHttp
from cockpit.clients.ray.nodes import NodesApi
from cockpit.model import slices
from cockpit.model.slices import in_slices, some_of


async def test_all_of_it_comes_in_order_and_others_have_their_turns() -> None:
    turns: list[int] = []

    async def other() -> None:
        while True:
            turns.append(len(turns))
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    with patch.object(slices, "SLICE_SECONDS", 0.0):
        assert await in_slices(range(50), rest=0.0) == list(range(50))
    beside.cancel()
    assert len(turns) >= 20


async def test_what_is_short_is_done_at_once() -> None:
    assert await in_slices([], rest=60.0) == []
    assert await in_slices(iter("a"), rest=60.0) == ["a"]


async def test_an_error_in_the_work_is_that_of_whoever_wants_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("in the middle")

    with patch.object(slices, "SLICE_SECONDS", 0.0), pytest.raises(ValueError, match="in the middle"):
        await in_slices(broken(), rest=0.0)


@pytest.mark.parametrize(
    ("count", "least", "first", "is_done"),
    [(0, 3, 0, True), (2, 3, 2, True), (3, 3, 3, True), (9, 3, 4, False), (9, 1, 2, False)],
)
def test_a_slice_has_the_least_that_was_asked_for(count: int, least: int, first: int, is_done: bool) -> None:
    with patch.object(slices, "SLICE_SECONDS", 0.0):
        work = iter(range(count))
        assert some_of(work, least) == (list(range(first)), is_done)
    assert list(work) == list(range(first, count))


async def test_others_have_a_turn_between_the_passes_over_a_long_reply() -> None:
    seen: list[str] = []

    async def other() -> None:
        while True:
            seen.append("other")
            await asyncio.sleep(0)

    def noted(name: str) -> Callable[..., object]:
        original = getattr(decoding, name)

        def call(*args: object, **kwargs: object) -> object:
            seen.append(name)
            return original(*args, **kwargs)

        return call

    http = DashboardHttp(MagicMock())
    body = msgspec.json.encode({"result": True, "msg": "", "data": {"summary": [{"hostname": "a"}] * 3}})
    beside = asyncio.create_task(other())
    with patch.multiple(decoding, is_short_list=noted("is_short_list"), raw_rows=noted("raw_rows")):
        found = await NodesApi(http)._raw_nodes(body)
    beside.cancel()
    assert [bytes(row) for row in found[0]] == [b'{"hostname":"a"}'] * 3
    turns = [name for name, before in zip(seen, ["", *seen], strict=False) if name != before]
    assert turns == ["other", "is_short_list", "other", "raw_rows"]
    assert seen.count("other") >= 3  # after each of the first three passes
