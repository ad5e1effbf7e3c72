"""Running from a recording: the answers of the time, failures too."""

import random

import pytest

from cockpit.errors import (
    AuthenticationError,
    CockpitError,
    JobLostError,
    NotFoundError,
    NotRayError,
    RejectedError,
    ServerError,
    UnreachableError,
)
from cockpit.feeds.recording import still
from cockpit.model.jobs import JobRequest
from cockpit.model.snapshot import Moment
from tests.unit.recording.session import JOBS_PATH, WALL, Session, listed, log_of


async def test_answers_are_those_of_the_time(session: Session) -> None:
    await session.jobs(1.0, "a")
    await session.jobs(10.0, "a", "b")
    await session.jobs(20.0, "b")
    session.recorder.close()
    played, clock = still(session.path, at=0.0)
    seen = {}
    for at in (0.0, 1.0, 9.9, 10.0, 19.0, 20.0, 999.0):
        clock.advance(at - clock.now().steady)
        seen[at] = await listed(played.client)
    assert seen == {
        0.0: ["a"],
        1.0: ["a"],
        9.9: ["a"],
        10.0: ["a", "b"],
        19.0: ["a", "b"],
        20.0: ["b"],
        999.0: ["b"],
    }


async def test_a_recording_stands_still_at_its_end_unless_told_otherwise(session: Session) -> None:
    await session.jobs(1.0, "a")
    await session.jobs(61.0, "b")
    session.recorder.close()
    played, clock = still(session.path)
    assert clock.now() == Moment(WALL + 61.0, 61.0)
    assert await listed(played.client) == ["b"]
    assert played.client.address == "http://127.0.0.1:8265"


async def test_other_parameters_are_another_question(session: Session) -> None:
    transport = session.client.transport
    for view, answer in (("summary", 1), ("hostNameList", 2)):
        session.transport.answers["/nodes"] = answer
        await transport.request("GET", "/nodes", params={"view": view, "nocache": "1"})
    session.recorder.close()
    played, _ = still(session.path)
    reply = await played.client.transport.request("GET", "/nodes", params=[("nocache", "1"), ("view", "summary")])
    assert reply.body == b"1"


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("gone", hint="wait"),
        ServerError("busy", detail="Traceback"),
        NotRayError("a login page"),
        RejectedError("no"),
        NotFoundError("nothing there"),
        JobLostError("forgotten"),
        AuthenticationError("requires a token", status=403, detail="Forbidden"),
    ],
)
async def test_failures_come_back_as_they_were(session: Session, error: CockpitError) -> None:
    await session.jobs(0.0, "a")
    session.transport.answers[JOBS_PATH] = error
    session.at(5.0)
    with pytest.raises(CockpitError):
        await session.client.jobs.list()
    await session.jobs(9.0, "a")
    session.recorder.close()
    played, clock = still(session.path, at=5.0)
    with pytest.raises(type(error)) as caught:
        await played.client.jobs.list()
    found = caught.value
    assert type(found) is type(error)
    assert (found.title, found.detail, found.hint) == (error.title, error.detail, error.hint)
    assert getattr(found, "status", None) == getattr(error, "status", None)
    clock.advance(4.0)
    assert await listed(played.client) == ["a"]


async def test_a_job_that_was_only_listed_can_be_looked_at(session: Session) -> None:
    await session.jobs(0.0, "a/b", "c", status="RUNNING")
    session.recorder.close()
    played, _ = still(session.path)
    assert (await played.client.jobs.get("a/b")).status == "RUNNING"
    with pytest.raises(NotFoundError):
        await played.client.jobs.get("nope")


async def test_what_was_never_asked_for_is_said(session: Session) -> None:
    session.recorder.close()
    played, _ = still(session.path)
    for question in (played.client.nodes.list(), played.client.jobs.list(), log_of(played.client)):
        with pytest.raises(NotFoundError, match="recording does not contain an answer"):
            await question


async def test_nothing_can_be_changed(session: Session) -> None:
    session.transport.answers["POST /api/jobs/a/stop"] = {"stopped": True}
    assert await session.client.jobs.stop("a")
    session.recorder.close()
    played, _ = still(session.path)
    for change in (
        played.client.jobs.stop("a"),
        played.client.jobs.delete("a"),
        played.client.jobs.submit(JobRequest(entrypoint="x")),
    ):
        with pytest.raises(RejectedError, match="recording"):
            await change


async def test_bodies_that_are_no_text_come_back_byte_for_byte(session: Session) -> None:
    body = random.Random(1).randbytes(1000)
    session.transport.answers["/blob"] = body
    await session.client.transport.request("GET", "/blob")
    session.recorder.close()
    played, _ = still(session.path)
    assert (await played.client.transport.request("GET", "/blob")).body == body
