"""Logs in a recording are as long as they were, and grow as they did."""

import asyncio

import pytest

from cockpit.errors import (
    NotFoundError,
    ServerError,
)
from cockpit.feeds.recording import still
from tests.scripted import turns
from tests.unit.recording.session import LOG, Session, log_of


async def test_a_log_is_as_long_as_it_was(session: Session) -> None:
    await session.read_log([(1.0, b"one\n"), (5.0, b"two\n"), (9.0, b"three\xff\n")])
    session.recorder.close()
    played, clock = still(session.path, at=5.0)
    assert await log_of(played.client) == b"one\ntwo\n"
    assert await log_of(played.client, lines=1) == b"two\n"
    clock.advance(10.0)
    assert await log_of(played.client) == b"one\ntwo\nthree\xff\n"


async def test_a_followed_log_grows_as_it_did_and_then_is_silent(session: Session) -> None:
    await session.read_log([(1.0, b"one\n"), (5.0, b"two\n")])
    session.recorder.close()
    played, clock = still(session.path, at=1.0)
    async with played.client.logs.open(LOG, endless=True) as chunks:
        assert await anext(chunks) == b"one\n"
        waiting = asyncio.ensure_future(anext(chunks))
        clock.advance(3.9)
        await turns()
        assert not waiting.done()
        clock.advance(0.2)
        assert await waiting == b"two\n"
        silent = asyncio.ensure_future(anext(chunks))
        clock.advance(1000.0)
        await turns()
        assert not silent.done()
        silent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await silent


async def test_a_log_is_put_together_from_all_that_was_read_of_it(session: Session) -> None:
    third = b"three, a longer line\n"
    await session.read_log([(1.0, b"one\n"), (2.0, b"tw")])
    await session.read_log([(6.0, b"one\ntwo\nthr")])
    await session.read_log([(7.0, third + b"four\n")], lines=2, endless=False)
    await session.read_log([(8.0, b"one\ntwo\n" + third + b"four\n")], endless=False)
    session.recorder.close()
    played, clock = still(session.path, at=2.0)
    assert await log_of(played.client) == b"one\ntw"
    clock.advance(5.0)
    assert await log_of(played.client) == b"one\ntwo\nthr"
    clock.advance(1.0)
    assert await log_of(played.client) == b"one\ntwo\n" + third + b"four\n"


async def test_of_two_readings_of_its_end_the_first_counts(session: Session) -> None:
    await session.read_log([(1.0, b"two\nthree\n")], lines=2)
    await session.read_log([(5.0, b"three\nfour, which is longer\n")], lines=2)
    session.recorder.close()
    played, _ = still(session.path)
    assert await log_of(played.client) == b"two\nthree\n"


async def test_of_a_log_whose_end_alone_was_read_there_is_that(session: Session) -> None:
    await session.read_log([(1.0, b"nine\nten\n"), (2.0, b"eleven\n")], lines=2)
    session.recorder.close()
    played, _ = still(session.path)
    assert await log_of(played.client) == b"nine\nten\neleven\n"


async def test_a_log_that_was_not_there_is_not_there(session: Session) -> None:
    session.transport.answers["/api/v0/logs/file"] = ServerError("x", detail="A file is not found at: /tmp")
    with pytest.raises(NotFoundError):
        await log_of(session.client)
    session.recorder.close()
    played, _ = still(session.path)
    with pytest.raises(NotFoundError):
        await log_of(played.client)
