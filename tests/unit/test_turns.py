"""Large replies are decoded one after the other, and an error that is kept holds no reply."""

import asyncio

import pytest

from cockpit.clients.turns import LARGE_BYTES, in_turn, take_turn
from cockpit.errors import CockpitError, UnreachableError, without_frames


@pytest.mark.parametrize(("size", "most"), [(LARGE_BYTES, 3), (LARGE_BYTES + 1, 1)])
async def test_only_one_large_reply_is_worked_at(size: int, most: int) -> None:
    working: list[int] = []

    @in_turn
    async def listing() -> int:
        await take_turn(size)
        await take_turn(2 * size if size > LARGE_BYTES else size)  # as more of it comes
        working.append(1)
        found = len(working)
        await asyncio.sleep(0)
        working.pop()
        return found

    assert max(await asyncio.gather(*(listing() for _ in range(3)))) == most


async def test_a_failed_listing_gives_its_turn_back() -> None:
    @in_turn
    async def failing() -> None:
        await take_turn(LARGE_BYTES + 1)
        raise UnreachableError("It broke.")

    for _ in range(2):
        with pytest.raises(UnreachableError):
            await asyncio.wait_for(failing(), 5)


async def test_a_request_outside_of_a_listing_waits_for_nobody() -> None:
    @in_turn
    async def listing() -> None:
        await take_turn(LARGE_BYTES + 1)
        await asyncio.wait_for(asyncio.create_task(outside()), 5)

    async def outside() -> None:
        await take_turn(0)

    await listing()


def test_an_error_to_keep_holds_no_frame() -> None:
    def failing() -> None:
        try:
            raise ValueError("no JSON")
        except ValueError as error:
            raise CockpitError("It is no Ray dashboard.", hint="Is it?") from error

    with pytest.raises(CockpitError) as caught:
        failing()
    kept = without_frames(caught.value)
    assert (kept.__traceback__, kept.__cause__, kept.__context__) == (None, None, None)
    assert (kept.title, kept.hint) == ("It is no Ray dashboard.", "Is it?")
