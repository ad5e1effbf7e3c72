"""Recording a session and running from it: what is written, what is masked, and what comes out again."""

import asyncio
import gzip
import json
import os
import random
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.clients.masking import Masker
from cockpit.clients.ray import RayClient
from cockpit.clients.recording_file import Recorder, Reply, read_recording
from cockpit.errors import (
    AuthenticationError,
    CockpitError,
    JobLostError,
    NotFoundError,
    NotRayError,
    RejectedError,
    ServerError,
    UnreachableError,
    UsageError,
)
from cockpit.feeds.clock import ManualClock
from cockpit.feeds.hub import Hub
from cockpit.feeds.recording import ReplayClock, record, replay, still
from cockpit.feeds.topics import JOBS, job_topic
from cockpit.model.job_list import JobList
from cockpit.model.jobs import JobRequest
from cockpit.model.secret import Secret
from cockpit.model.snapshot import Moment, Snapshot, State
from tests.scripted import ScriptedTransport, turns

WALL = 1_795_000_000.0
JOBS_PATH = "/api/jobs/"
LOG = ("node-1", "job-driver-j1.log")
TOKEN = "token-0123456789abcdef0123456789abcdef"


class Session:
    """A session that is recorded: a scripted cluster, the client that records, and the time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.transport = ScriptedTransport()
        endpoint = msgspec.structs.replace(self.transport.endpoint, token=Secret(TOKEN))
        self.transport.endpoint = endpoint
        self.clock = ManualClock(WALL, steady=500.0)
        self.problems: list[UsageError] = []
        self.client, self.recorder = record(self.transport.client, path, failed=self.problems.append, clock=self.clock)

    async def jobs(self, at: float, *ids: str, **fields: object) -> None:
        """Ask for the list at a time of the recording."""
        self.transport.answers[JOBS_PATH] = [{"submission_id": name, **fields} for name in ids]
        self.at(at)
        await self.client.jobs()

    def at(self, offset: float) -> None:
        """Move to a time of the recording."""
        self.clock.advance(500.0 + offset - self.clock.now().steady)

    async def read_log(self, chunks: list[tuple[float, bytes]], *, lines: int = -1, endless: bool = True) -> None:
        """Read a log whose pieces come at these times."""
        kind = "stream" if endless else "file"
        self.transport.answers[f"/api/v0/logs/{kind}"] = [chunk for _, chunk in chunks]
        opener = self.client.stream_log if endless else self.client.read_log
        async with opener(*LOG, lines=lines) as received:
            for at, _ in chunks:
                self.at(at)
                await anext(received)

    def written(self) -> list[dict[str, Any]]:
        """The lines of the file as it is now."""
        self.recorder.close()
        return [json.loads(line) for line in gzip.decompress(self.path.read_bytes()).splitlines()]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path / "session.rec")


async def listed(client: RayClient) -> list[str | None]:
    return [job.id for job in (await client.jobs()).rows]


# What is written


async def test_the_file_is_private_and_its_lines_are_json(session: Session) -> None:
    await session.jobs(1.5, "a")
    assert stat.S_IMODE(session.path.stat().st_mode) == 0o600
    header, reply = session.written()
    assert header["format"] == "rayakash-recording"
    assert (header["version"], header["recorded_at"]) == (1, WALL)
    assert header["address"] == "http://127.0.0.1:8265"
    assert (reply["kind"], reply["at"], reply["method"], reply["path"]) == ("reply", 1.5, "GET", JOBS_PATH)
    assert json.loads(reply["text"]) == [{"submission_id": "a"}]


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        Session(path)
    assert path.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        Session(tmp_path / "missing" / "session.rec")


async def test_every_line_is_there_at_once_so_that_a_kill_loses_nothing_before(session: Session) -> None:
    for number in range(3):
        await session.jobs(float(number), f"job-{number}")
        found = read_recording(session.path)
        assert len(found.entries) == number + 1
        assert not found.is_whole
    session.recorder.close()
    assert read_recording(session.path).is_whole


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux: only there is a device that is always full")
async def test_a_full_disk_ends_the_recording_and_not_the_session(tmp_path: Path) -> None:
    session = Session(tmp_path / "session.rec")
    descriptor = os.open("/dev/full", os.O_WRONLY)
    os.dup2(descriptor, session.recorder._file.fileno())  # type: ignore[union-attr]
    os.close(descriptor)
    await session.jobs(1.0, "a")
    await session.jobs(2.0, "b")
    session.recorder.close()
    assert [problem.title for problem in session.problems] == [f"The recording {session.path} ends here."]


KILLED = """
import asyncio, sys
from pathlib import Path
from cockpit.clients.recording_file import Recorder, Reply
recorder = Recorder(Path(sys.argv[1]), address="http://h:1", recorded_at=0.0, failed=print)
for number in range(1000000):
    recorder.write(Reply(at=float(number), method="GET", path="/api/version", text=str(number) * 50))
    if number == 200:
        print("ready", flush=True)
"""


async def test_a_session_that_is_killed_leaves_a_recording_without_its_tail(tmp_path: Path) -> None:
    path = tmp_path / "killed.rec"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    found = read_recording(path)
    assert len(found.entries) > 200
    assert [entry.at for entry in found.entries] == [float(number) for number in range(len(found.entries))]
    assert not found.is_whole


# What must not be written


SECRETS = {"WANDB_API_KEY": "wandb-secret-value", "SHORT": "x9", "QUOTED": 'pass"word\\with/ü'}


async def test_env_values_and_the_token_never_reach_the_file(session: Session) -> None:
    failing = f"env_vars must be strings, got {SECRETS['WANDB_API_KEY']}"
    await session.jobs(0.0, "a", runtime_env={"env_vars": SECRETS, "working_dir": "gcs://x.zip"}, message=failing)
    session.transport.answers["/api/jobs/b"] = {"submission_id": "b", "message": f"{SECRETS['QUOTED']} and {TOKEN}"}
    await session.client.job("b")
    session.transport.answers["/api/jobs/c"] = ServerError("no", detail=f"Authorization: Bearer {TOKEN}")
    with pytest.raises(ServerError):
        await session.client.job("c")
    await session.read_log([(1.0, b"export WANDB_API_KEY=wandb-secret-value\n")])
    text = json.dumps(session.written())
    for value in (SECRETS["WANDB_API_KEY"], json.dumps(SECRETS["QUOTED"])[1:-1], TOKEN, "Authorization: Bearer token"):
        assert value not in text
    job = json.loads(session.written()[1]["text"])[0]
    assert job["runtime_env"] == {"env_vars": dict.fromkeys(SECRETS, "***"), "working_dir": "gcs://x.zip"}
    assert job["message"] == "env_vars must be strings, got ***"


async def test_what_is_sent_is_not_written(session: Session) -> None:
    session.transport.answers[f"POST {JOBS_PATH}"] = {"submission_id": "j1"}
    await session.client.submit(JobRequest(entrypoint="run it", runtime_env={"env_vars": SECRETS}))
    _, reply = session.written()
    assert (reply["method"], reply["path"]) == ("POST", JOBS_PATH)
    assert "run it" not in json.dumps(reply)
    assert "env_vars" not in json.dumps(reply)


@pytest.mark.parametrize(
    "environment",
    [
        {"runtime_env": {"env_vars": {"KEY": "very-secret-value"}}},
        {"runtimeEnv": {"envVars": {"KEY": "very-secret-value"}}},
        {"serialized_runtime_env": '{"env_vars": {"KEY": "very-secret-value"}}'},
        {"serializedRuntimeEnv": '{"env_vars": {"KEY": "very-secret-value"}}'},
        {"serialized_runtime_env": "env_vars KEY=very-secret-value, which is no JSON"},
        {"runtime_env": {"env_vars": "KEY=very-secret-value"}},
        {"runtime_env": {"env_vars": ["very-secret-value"]}},
        {
            "data": {
                "deep": [
                    {"deployments": {"ray_actor_options": {"runtime_env": {"env_vars": {"K": "very-secret-value"}}}}}
                ]
            }
        },
        [{"message": "got very-secret-value"}, {"runtime_env": {"env_vars": {"KEY": "very-secret-value"}}}],
    ],
)
def test_values_are_masked_wherever_ray_puts_them(environment: Any) -> None:
    masked = Masker().body(json.dumps(environment).encode())
    assert b"very-secret-value" not in masked
    assert b"***" in masked
    assert type(json.loads(masked)) is type(environment)


def test_a_body_that_should_hold_values_and_cannot_be_read_is_withheld() -> None:
    assert Masker().body(b'[{"runtime_env": {"env_vars": {"KEY": "very-secret') == b""


@pytest.mark.parametrize("nesting", [b"[" * 600 + b"]" * 600, b'{"a":' * 600 + b"1" + b"}" * 600])
def test_a_body_that_is_nested_beyond_measure_is_withheld_too(nesting: bytes) -> None:
    assert Masker().body(b'[{"env_vars": {"KEY": "very-secret-value"}}, %b]' % nesting) == b""


def test_half_a_character_is_masked_like_any_other() -> None:
    masker = Masker()
    masked = masker.body(b'{"env_vars": {"KEY": "very-secret-\\ud83d"}, "message": "got very-secret-\\ud83d"}')
    assert json.loads(masked) == {"env_vars": {"KEY": "***"}, "message": "got ***"}
    assert masker.body(b'{"message": "very-secret-\\ud83d"}') == b'{"message":"***"}'
    assert masker.chunk(b"nothing of it") == b"nothing of it"


def test_a_body_without_any_is_not_touched() -> None:
    body = b'{"a":  1, "b": NaN, "c": "\\u00fc"}'
    assert Masker().body(body) == body


def test_short_values_are_masked_as_env_values_only() -> None:
    body = Masker().body(b'[{"env_vars": {"DEBUG": "1"}, "driver_exit_code": 1, "entrypoint": "run 1"}]')
    assert json.loads(body) == [{"env_vars": {"DEBUG": "***"}, "driver_exit_code": 1, "entrypoint": "run 1"}]


def test_numbers_that_look_like_a_value_stay_numbers() -> None:
    masker = Masker()
    masker.body(b'{"env_vars": {"SEED": "17950000"}}')
    assert json.loads(masker.body(b'{"start_time": 1795000012345}')) == {"start_time": 1795000012345}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    _JSON,
    st.dictionaries(st.text(min_size=1, max_size=8), st.text('abcdefXYZ"\\é', min_size=8, max_size=20), max_size=3),
)
def test_whatever_else_a_body_holds_no_env_value_survives(rest: Any, values: dict[str, str]) -> None:
    body = {"rest": rest, "again": list(values.values()), "runtime_env": {"env_vars": values}}
    masked = json.loads(Masker().body(json.dumps(body).encode()))
    assert masked["runtime_env"]["env_vars"] == dict.fromkeys(values, "***")
    assert all(value not in text for value in values.values() for text in masked["again"])


# Running from it


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
        AuthenticationError("wants a token", status=403, detail="Forbidden"),
    ],
)
async def test_failures_come_back_as_they_were(session: Session, error: CockpitError) -> None:
    await session.jobs(0.0, "a")
    session.transport.answers[JOBS_PATH] = error
    session.at(5.0)
    with pytest.raises(CockpitError):
        await session.client.jobs()
    await session.jobs(9.0, "a")
    session.recorder.close()
    played, clock = still(session.path, at=5.0)
    with pytest.raises(type(error)) as caught:
        await played.client.jobs()
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
    assert (await played.client.job("a/b")).status == "RUNNING"
    with pytest.raises(NotFoundError):
        await played.client.job("nope")


async def test_what_was_never_asked_for_is_said(session: Session) -> None:
    session.recorder.close()
    played, _ = still(session.path)
    for question in (played.client.nodes(), played.client.jobs(), log_of(played.client)):
        with pytest.raises(NotFoundError, match="recording holds no answer"):
            await question


async def test_nothing_can_be_changed(session: Session) -> None:
    session.transport.answers["POST /api/jobs/a/stop"] = {"stopped": True}
    assert await session.client.stop("a")
    session.recorder.close()
    played, _ = still(session.path)
    for change in (
        played.client.stop("a"),
        played.client.delete("a"),
        played.client.submit(JobRequest(entrypoint="x")),
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


# Logs


async def log_of(client: RayClient, *, lines: int = -1) -> bytes:
    async with client.read_log(*LOG, lines=lines) as chunks:
        return b"".join([chunk async for chunk in chunks])


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
    async with played.client.stream_log(*LOG) as chunks:
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


# Files that are none, or not whole


@pytest.mark.parametrize("content", [b"", b"{}", b"not gzip at all" * 10, gzip.compress(b""), gzip.compress(b"{}\n"),
                                     gzip.compress(b'{"kind":"header","format":"other","version":1}\n')])  # fmt: skip
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not a recording"):
        replay(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        replay(tmp_path / "missing")


def test_a_recording_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "newer"
    header = {"kind": "header", "format": "rayakash-recording", "version": 2, "program": "rayakash-tui 9"}
    path.write_bytes(gzip.compress(json.dumps(header).encode() + b"\n"))
    with pytest.raises(UsageError, match=r"newer version \(rayakash-tui 9\)"):
        replay(path)


def test_a_line_that_is_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    header = b'{"kind":"header","format":"rayakash-recording","version":1,"address":"http://h:1"}\n'
    path.write_bytes(gzip.compress(header + b'{"kind":"reply","at":"soon"}\n'))
    with pytest.raises(UsageError, match="damaged at line 2"):
        replay(path)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9, 0.999])
async def test_a_file_that_was_cut_gives_what_is_left_or_a_clear_word(session: Session, share: float) -> None:
    for number in range(200):
        await session.jobs(float(number), *(f"job-{number}-{k}" for k in range(10)))
    session.recorder.close()
    whole = session.path.read_bytes()
    session.path.write_bytes(whole[: int(len(whole) * share)])
    found = read_recording(session.path)
    assert not found.is_whole
    assert len(found.entries) == pytest.approx(200 * share, abs=12)


async def test_flipped_bits_never_end_in_anything_but_a_usage_error(session: Session) -> None:
    for number in range(20):
        await session.jobs(float(number), f"job-{number}")
    session.recorder.close()
    whole, chance, refused = session.path.read_bytes(), random.Random(7), 0
    for _ in range(300):
        spoilt = bytearray(whole)
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        session.path.write_bytes(spoilt)
        try:
            read_recording(session.path)
        except UsageError:
            refused += 1
    assert refused > 200


# The clock, and the hub on top


def test_the_clock_of_a_recording_begins_when_it_was_recorded_and_runs_as_fast_as_told() -> None:
    ours = ManualClock(5.0, steady=70.0)
    clock = ReplayClock(WALL, speed=2.0, clock=ours)
    assert clock.now() == Moment(WALL, 0.0)
    called: list[float] = []
    clock.call_later(10.0, lambda: called.append(ours.now().steady))
    ours.advance(4.0)
    assert clock.now() == Moment(WALL + 8.0, 8.0)
    assert called == []
    ours.advance(1.0)
    assert called == [75.0]


async def test_one_can_sleep_by_that_clock() -> None:
    ours = ManualClock()
    sleeping = asyncio.ensure_future(ReplayClock(WALL, speed=4.0, clock=ours).sleep(8.0))
    await turns()
    ours.advance(1.9)
    await turns()
    assert not sleeping.done()
    ours.advance(0.1)
    await sleeping


async def replayed_hub(path: Path) -> AsyncIterator[tuple[Hub, ManualClock]]:
    played, clock = still(path, at=0.0)
    crashes: list[BaseException] = []
    hub = Hub(played.client, on_crash=crashes.append, clock=clock, chance=lambda: 0.0)
    yield hub, clock
    await hub.close()
    assert crashes == []


async def test_a_hub_shows_an_outage_and_its_end_as_they_were(session: Session) -> None:
    await session.client.version()
    await session.jobs(0.0, "a")
    session.transport.answers[JOBS_PATH] = UnreachableError("No cluster answers.")
    session.at(8.0)
    with pytest.raises(UnreachableError):
        await session.client.jobs()
    await session.jobs(40.0, "a", "b")
    session.recorder.close()
    states: list[tuple[float, State]] = []
    async for hub, clock in replayed_hub(session.path):

        def note(snapshot: Snapshot[JobList], clock: ManualClock = clock) -> None:
            states.append((clock.now().steady, snapshot.state(clock.now())))

        hub.watch(JOBS, note)
        await clock.run(80.0, hub.settled)
        last = hub.snapshot(JOBS)
    assert [state for _, state in states] == [State.LOADING, State.FRESH, State.STALE, State.FRESH]
    assert [at for at, _ in states][:3] == [0.0, 0.0, 8.0]
    assert last.value is not None
    assert [job.id for job in last.value.rows] == ["a", "b"]
    assert last.taken_at is not None
    assert WALL + 40.0 <= last.taken_at <= WALL + 80.0


async def test_a_hub_can_watch_a_job_that_was_only_listed(session: Session) -> None:
    await session.client.version()
    await session.jobs(0.0, "a", status="RUNNING")
    session.recorder.close()
    async for hub, clock in replayed_hub(session.path):
        hub.watch(job_topic("a"), lambda _: None)
        await clock.run(0.0, hub.settled)
        snapshot = hub.snapshot(job_topic("a"))
        assert snapshot.state(clock.now()) is State.FRESH
        assert hub.cost.requests == 1


def test_a_recorder_is_closed_by_its_block(tmp_path: Path) -> None:
    path = tmp_path / "block.rec"
    with Recorder(path, address="http://h:1", recorded_at=WALL, failed=lambda _: None) as recorder:
        recorder.write(Reply(at=1.0, method="GET", path="/x", text="y"))
    recorder.write(Reply(at=2.0, method="GET", path="/x", text="late"))
    found = read_recording(path)
    assert found.is_whole
    assert [entry.at for entry in found.entries] == [1.0]
