"""`submit`, `logs`, `wait`, `stop` and `delete`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cockpit.feeds import job_watch
from cockpit.operations.jobs import control as job_operations
from tests.wire.commands import Done, here, home, write_contexts
from tests.wire.fake_ray import FakeRay, nested, serve
from tests.wire.following import brisk
from tests.wire.server import Exchange, WireServer, until

__all__ = ["brisk", "home"]

pytestmark = pytest.mark.usefixtures("home", "brisk")

LOG = b"one\n\x1b[31mtwo\x1b]0;owned\x07\r\xff\x00three"


async def asked(ray: FakeRay, *argv: str) -> Done:
    """Run a command against a scripted dashboard."""
    async with serve(ray) as server:
        words = list(argv)
        at = words.index("--") if "--" in words else len(words)
        return await here(*words[:at], "--address", server.url, *words[at:])


class Cluster:
    """A scripted dashboard where a submitted job does what the test says."""

    def __init__(self, *, ends: str | None = "SUCCEEDED", exit_code: int | None = 0) -> None:
        self.ray = FakeRay()
        self.ends = ends
        self.exit_code = exit_code
        self.bodies: list[dict[str, Any]] = []

    async def run(self, *argv: str) -> Done:
        """Submit with these words."""
        async with serve(self.ray) as server:
            work = asyncio.create_task(self._live(server))
            try:
                words = list(argv)
                at = words.index("--") if "--" in words else len(words)
                return await here("submit", *words[:at], "--address", server.url, *words[at:])
            finally:
                self.bodies = [json.loads(request.body) for request in server.seen("POST", "/api/jobs/")]
                work.cancel()

    async def _live(self, server: WireServer) -> None:
        await until(lambda: self.ray.jobs)
        name = next(iter(self.ray.jobs))
        self.ray.log(name).write(LOG)
        if self.ends is not None:
            await until(lambda: self.ray.streams)
            self.ray.end(name, self.ends, self.exit_code)


# submit


@pytest.mark.parametrize(
    ("status", "exit_code", "code", "words"),
    [
        ("SUCCEEDED", 0, 0, "succeeded after"),
        ("FAILED", 3, 1, "failed with exit code 3 after"),
        ("STOPPED", None, 1, "stopped after"),
    ],
)
async def test_submit_follows_and_exits_with_the_result(status: str, exit_code: int, code: int, words: str) -> None:
    done = await Cluster(ends=status, exit_code=exit_code).run("--id", "train", "--", "python", "train.py")
    assert done.code == code
    assert done.out == LOG  # data, byte for byte, and nothing else
    assert "Submitted train." in done.err
    assert f"Job train {words}" in done.err


async def test_no_wait_prints_the_id_alone() -> None:
    cluster = Cluster()
    done = await cluster.run("--no-wait", "--", "true")
    assert (done.code, done.err) == (0, "")
    assert done.text == cluster.bodies[0]["submission_id"] + "\n"
    assert cluster.ray.streams == 0


SPELLINGS = {
    "ours": [
        *["--id", "x", "--num-cpus", "1.5", "--num-gpus", "2", "--memory", "16Gi", "--resource", "chips=3"],
        *["--metadata", "owner=ann", "--env", "MODE=fast"],
    ],
    "rays": [
        *["--submission-id", "x", "--entrypoint-num-cpus", "1.5", "--entrypoint-num-gpus", "2"],
        *["--entrypoint-memory", "17179869184", "--entrypoint-resources", '{"chips": 3}'],
        *["--metadata-json", '{"owner": "ann"}', "--runtime-env-json", '{"env_vars": {"MODE": "fast"}}'],
    ],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_every_spelling_asks_for_the_same(spelling: str) -> None:
    cluster = Cluster()
    assert (await cluster.run("--no-wait", *SPELLINGS[spelling], "--", "python", "a b.py")).code == 0
    (body,) = cluster.bodies
    metadata = body.pop("metadata")
    assert body == {
        "entrypoint": "python 'a b.py'",
        "submission_id": "x",
        "runtime_env": {"env_vars": {"MODE": "fast"}},
        "entrypoint_num_cpus": 1.5,
        "entrypoint_num_gpus": 2,
        "entrypoint_memory": 17179869184,
        "entrypoint_resources": {"chips": 3},
    }
    assert metadata["owner"] == "ann"
    assert json.loads(metadata["rayakash.env"]) == {"MODE": None}


@pytest.mark.parametrize(
    ("words", "entrypoint"),
    [
        (["--", "python train.py && echo done"], "python train.py && echo done"),
        (["--", "python", "train.py", "--lr", "1", "--", "x"], "python train.py --lr 1 -- x"),
        (["--", "--help"], "--help"),
        (["python", "train.py"], "python train.py"),
        (["python", "--", "train.py"], "python train.py"),
    ],
)
async def test_entrypoints(words: list[str], entrypoint: str) -> None:
    cluster = Cluster()
    assert (await cluster.run("--no-wait", *words)).code == 0
    assert cluster.bodies[0]["entrypoint"] == entrypoint


async def test_duplicate_id_is_refused_with_rays_words() -> None:
    ray = FakeRay()
    ray.add("dup")
    done = await asked(ray, "submit", "--id", "dup", "--", "true")
    assert (done.code, done.out) == (1, b"")
    assert "error: A job with the id dup already exists." in done.err
    assert "  | ValueError: Job with submission_id dup already exists." in done.err


async def test_entrypoint_of_bytes_that_are_no_utf8() -> None:
    done = await asked(FakeRay(), "submit", "--", "echo \udcff")
    assert done.code == 2
    assert "JSON" in done.err


async def test_secret_reaches_the_job_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYAKASH_SECRET_WANDB", "hunter2")
    cluster = Cluster()
    done = await cluster.run("--env", "KEY=ac-secret://WANDB", "--", "true")
    assert cluster.bodies[0]["runtime_env"] == {"env_vars": {"KEY": "hunter2"}}
    assert "hunter2" not in str(done) + str(cluster.bodies[0]["metadata"])
    assert "warning: the cluster will hold the value of KEY" in done.err


async def test_working_directory_is_sent_once_and_its_report_is_on_stderr(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("print(1)")
    (tmp_path / "code" / ".env").write_text("KEY=1")
    (tmp_path / "env.yaml").write_text(f"working_dir: {tmp_path / 'code'}\nexcludes: ['*.bin']\nenv_vars: {{A: b}}\n")
    cluster = Cluster()
    first = await cluster.run("--no-wait", "--working-dir", str(tmp_path / "code"), "--", "true")
    sent = dict(cluster.ray.packages)
    (name,) = sent
    assert cluster.bodies[0]["runtime_env"] == {"working_dir": f"gcs://{name}"}
    assert first.text == cluster.bodies[0]["submission_id"] + "\n"
    assert "2 files" in first.err
    assert "warning: 1 environment file goes with it: .env" in first.err
    cluster = Cluster()
    cluster.ray.packages = sent
    second = await cluster.run("--no-wait", "--runtime-env", str(tmp_path / "env.yaml"), "--", "true")
    assert cluster.bodies[0]["runtime_env"] == {"working_dir": f"gcs://{name}", "env_vars": {"A": "b"}}
    assert "already on the cluster" in second.err


@pytest.mark.parametrize("command", [["submit", "--", "true"], ["stop", "x"], ["delete", "x"]])
async def test_read_only_context_is_left_alone(command: list[str], home: Path) -> None:
    async with serve(FakeRay()) as server:
        write_contexts(home, f'[contexts.lab]\naddress = "{server.url}"\nread_only = true\n')
        done = await here("-c", "lab", *command)
        assert done.code == 2
        assert "read-only" in done.err
        assert server.requests == []
        assert (await here("-c", "lab", "jobs", "--json")).code == 0


@pytest.mark.parametrize("command", [["submit", "--", "true"], ["stop", "x"], ["delete", "x"]])
async def test_read_only_is_kept_by_commands_too(command: list[str]) -> None:
    async with serve(FakeRay()) as server:
        done = await here("--read-only", "--address", server.url, *command)
        assert done.code == 2
        assert "--read-only" in done.err
        assert server.requests == []
        assert (await here("--read-only", "--address", server.url, "jobs")).code == 0


@pytest.mark.parametrize("accepted", [True, False])
async def test_head_that_goes_away_during_a_submission_is_waited_for(accepted: bool) -> None:
    ray = FakeRay()
    attempts: list[str] = []

    async def away(exchange: Exchange) -> None:
        attempts.append("")
        if accepted or len(attempts) == 3:
            ray.add("x", "SUCCEEDED")
        await exchange.reply(
            {"submission_id": "x"} if len(attempts) == 3 else b"", status=200 if len(attempts) == 3 else 502
        )

    ray.overrides[("POST", "/api/jobs/")] = away
    done = await asked(ray, "submit", "--no-wait", "--retry-for", "5m", "--id", "x", "--", "true")
    assert (done.code, done.text) == (0, "x\n")
    assert len(attempts) == (1 if accepted else 3)  # it never runs twice
    assert ("Trying again in" in done.err) is not accepted


async def test_slow_submission_is_not_taken_for_another_ones() -> None:
    ray = FakeRay()
    answers = iter([502, 500])

    async def slow(exchange: Exchange) -> None:
        status = next(answers)
        if status == 500:
            ray.add("x", "SUCCEEDED")
        text = nested(400, "ValueError: Job with submission_id x already exists. Please use a different submission_id.")
        await exchange.reply(text.encode(), status=status)

    ray.overrides[("POST", "/api/jobs/")] = slow
    done = await asked(ray, "submit", "--no-wait", "--retry-for", "5m", "--id", "x", "--", "true")
    assert (done.code, done.text) == (0, "x\n")


@pytest.mark.parametrize("retry_for", [[], ["--retry-for", "0"]])
async def test_nothing_is_in_doubt_where_nothing_was_sent(retry_for: list[str]) -> None:
    done = await here("submit", "--address", "http://127.0.0.1:1", *retry_for, "--", "true")
    assert done.code == 3
    assert "No cluster answers" in done.err
    assert "accepted" not in done.err


async def test_head_that_goes_away_after_a_submission_is_waited_for() -> None:
    ray = FakeRay()
    answers = iter([408, 425, 502])

    async def busy(exchange: Exchange) -> None:
        status = next(answers, None)
        if status is None:
            ray.end("x")
        await (exchange.reply(ray.jobs["x"]) if status is None else exchange.reply(b"", status=status))

    ray.overrides[("GET", "/api/jobs/x")] = busy
    done = await asked(ray, "submit", "--id", "x", "--", "true")
    assert done.code == 0
    assert "502 Bad Gateway" in done.err
    assert "Trying again in" in done.err


# logs


async def test_logs_are_the_bytes_of_the_log() -> None:
    ray = FakeRay()
    ray.add("x", log=LOG)
    done = await asked(ray, "logs", "x")
    assert (done.code, done.out, done.err) == (0, LOG, "")


async def test_logs_from_the_last_lines() -> None:
    ray = FakeRay()
    ray.add("x", log=b"1\n2\n3\n4\n")
    assert (await asked(ray, "logs", "x", "--tail", "2")).out == b"3\n4\n"


@pytest.mark.parametrize(("status", "code"), [("SUCCEEDED", 0), ("FAILED", 1), ("STOPPED", 1)])
async def test_logs_f_exits_with_the_result_and_logs_with_0(status: str, code: int) -> None:
    ray = FakeRay()
    ray.add("x", log=LOG)
    ray.end("x", status, 1)
    done = await asked(ray, "logs", "-f", "x")
    assert (done.code, done.out) == (code, LOG)
    assert f"Job x {status.lower()}" in done.err
    assert (await asked(ray, "logs", "x")).code == 0


async def test_logs_of_a_job_that_never_ran_tell_why() -> None:
    ray = FakeRay()
    ray.add("x", "PENDING", log=None)
    done = await asked(ray, "logs", "x")
    assert (done.code, done.out) == (0, b"")
    assert "Job x is PENDING and has no log yet." in done.err
    ray.end("x", "FAILED", None, "runtime_env setup failed:\n\x1b[31mno such package\n\tfrom pip")
    for options in ([], ["-f"]):
        done = await asked(ray, "logs", *options, "x")
        assert (done.code, done.out) == (1 if options else 0, b"")
        assert r"  | \x1b[31mno such package" in done.err
        assert "  |     from pip" in done.err


async def test_logs_of_a_driver_are_where_it_was_started() -> None:
    ray = FakeRay()
    ray.add("x", type="DRIVER", submission_id=None, job_id="03000000", driver_node_id=None)
    done = await asked(ray, "logs", "03000000")
    assert done.code == 1
    assert "Ray keeps no log of it" in done.err


async def test_head_that_stays_away_is_3_and_what_came_is_kept() -> None:
    ray = FakeRay()
    ray.add("x", log=LOG)
    async with serve(ray) as server:
        running = asyncio.create_task(here("logs", "-f", "x", "--retry-for", "300ms", "--address", server.url))
        await until(lambda: ray.streams)
        await asyncio.sleep(0)
        await until(lambda: server.sent > len(LOG) + 1000)
        await server.refuse()
        done = await running
    assert done.code == 3
    assert "Trying again in" in done.err
    assert "error: No cluster answers" in done.err


async def test_restarted_head_is_1_and_said() -> None:
    ray = FakeRay()
    ray.add("x", log=LOG)
    async with serve(ray) as server:
        running = asyncio.create_task(here("logs", "-f", "x", "--address", server.url))
        await until(lambda: ray.streams and len(server.seen("GET", "/api/version")))
        await until(lambda: len(server.seen("GET", "/api/jobs/x")) > 2)
        ray.restart()
        done = await running
    assert done.code == 1
    assert "error: The cluster was restarted and has forgotten job x." in done.err


# wait


async def test_wait_tells_and_exits_with_the_worst_result() -> None:
    ray = FakeRay()
    for name, status in (("good", "SUCCEEDED"), ("bad", "FAILED")):
        ray.add(name, status)
    ray.add("slow", job_id="05000000")
    async with serve(ray) as server:
        options = ("--json", "--address", server.url)
        assert (await here("wait", "good", "good", *options)).code == 0
        running = asyncio.create_task(here("wait", "good", "bad", "05000000", *options))
        await until(lambda: len(server.seen("GET", "/api/jobs/05000000")) > 2)
        ray.end("slow")
        done = await running
    assert done.code == 1
    assert [(job["submission_id"], job["status"]) for job in done.data["jobs"]] == [
        ("good", "SUCCEEDED"),
        ("bad", "FAILED"),
        ("slow", "SUCCEEDED"),
    ]
    assert "Job bad failed" in done.err


async def test_wait_prints_ids_and_states() -> None:
    ray = FakeRay()
    ray.add("x", "STOPPED")
    done = await asked(ray, "wait", "x")
    assert (done.code, done.text) == (1, "x STOPPED\n")


async def test_wait_that_is_over_before_the_jobs_are() -> None:
    ray = FakeRay()
    ray.add("done", "SUCCEEDED", job_id="01000000")
    ray.add("a")
    ray.add("b")
    done = await asked(ray, "wait", "01000000", "a", "b", "a", "--timeout", "300ms")
    assert (done.code, done.out) == (3, b"")
    assert "error: Not ended within 0.3 s: a, b." in done.err


async def test_wait_of_no_time_looks_once() -> None:
    ray = FakeRay()
    ray.add("good", "SUCCEEDED")
    ray.add("bad", "FAILED")
    ray.add("a")
    done = await asked(ray, "wait", "good", "bad", "--timeout", "0")
    assert (done.code, done.text) == (1, "good SUCCEEDED\nbad FAILED\n")
    done = await asked(ray, "wait", "good", "a", "--timeout", "0")
    assert done.code == 3
    assert "error: Not ended within 0 s: a." in done.err


async def test_wait_goes_on_past_an_unknown_id() -> None:
    ray = FakeRay()
    ray.add("x", "SUCCEEDED")
    done = await asked(ray, "wait", "nope", "x")
    assert (done.code, done.text) == (1, "x SUCCEEDED\n")


async def test_wait_does_not_call_a_driver_a_success() -> None:
    ray = FakeRay()
    ray.add("x", "SUCCEEDED", type="DRIVER", submission_id=None, job_id="04000000")
    done = await asked(ray, "wait", "04000000")
    assert (done.code, done.text) == (1, "04000000 ENDED\n")
    assert "Ray does not say how a driver ended" in done.err


# stop and delete


async def test_stop_waits_and_says_what_came_of_it() -> None:
    ray = FakeRay()
    ray.add("a")
    ray.add("b", "SUCCEEDED")
    done = await asked(ray, "stop", "a", "nope", "b", "a")
    assert done.code == 1
    assert done.text == "a STOPPED\nb SUCCEEDED\n"
    assert "Job nope not found." in done.err
    assert "Job b had ended before: SUCCEEDED." in done.err
    assert ray.stops == ["a"]


async def test_stop_of_a_job_that_stays_pending_is_no_success() -> None:
    ray = FakeRay()
    ray.add("x", "PENDING")
    done = await asked(ray, "stop", "x")
    assert (done.code, done.out) == (1, b"")
    assert "still PENDING" in done.err


async def test_stop_without_waiting() -> None:
    ray = FakeRay()
    ray.add("x", "PENDING")
    done = await asked(ray, "stop", "--no-wait", "x")
    assert (done.code, done.out) == (0, b"")
    assert "Stop requested for job x." in done.err


async def test_stop_survives_a_head_that_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_watch, "COST_FACTOR", 0)
    ray = FakeRay()
    ray.add("x", "PENDING")
    answers = iter([503, 503])

    async def busy(exchange: Exchange) -> None:
        status = next(answers, None) if ray.stops else None
        await (exchange.reply(ray.jobs["x"]) if status is None else exchange.reply(b"", status=status))
        if ray.stops and status is None:
            ray.end("x", "STOPPED", None)

    ray.overrides[("GET", "/api/jobs/x")] = busy
    done = await asked(ray, "stop", "x")
    assert (done.code, done.text) == (0, "x STOPPED\n")


async def test_stop_waits_for_a_head_that_is_away() -> None:
    ray = FakeRay()
    ray.add("x", "SUCCEEDED")
    answers = iter([502, 503])

    async def away(exchange: Exchange) -> None:
        status = next(answers, None)
        await (exchange.reply(ray.jobs["x"]) if status is None else exchange.reply(b"", status=status))

    ray.overrides[("GET", "/api/jobs/x")] = away
    assert (await asked(ray, "stop", "x")).code == 3  # a first request fails at once
    done = await asked(ray, "stop", "--retry-for", "5m", "x")
    assert (done.code, done.text) == (0, "x SUCCEEDED\n")
    assert "Trying again in" in done.err


async def test_delete() -> None:
    ray = FakeRay()
    ray.add("live")
    ray.add("old", "FAILED")
    ray.add("older", "STOPPED")
    done = await asked(ray, "delete", "live", "old")
    assert (done.code, done.text) == (1, "old deleted\n")
    assert "error: Job live has not ended yet" in done.err
    assert "hint: Stop it first." in done.err
    assert (await asked(ray, "delete", "older", "--json")).data == {"deleted": ["older"], "total": 1}
    assert set(ray.jobs) == {"live"}


@pytest.mark.lengthy
@pytest.mark.parametrize("state", ["ALIVE", "PENDING_CREATION"])
async def test_delete_waits_for_the_supervisor_of_a_job_that_has_just_been_stopped(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_operations, "MONITOR_SECONDS", 0.1)
    ray = FakeRay()
    ray.supervisor_state = state
    ray.add("stopped", "STOPPED")
    ray.supervisors["stopped"] = 2
    assert (await asked(ray, "delete", "stopped")).text == "stopped deleted\n"
    assert ray.jobs == {}


@pytest.mark.lengthy
async def test_delete_by_rays_own_job_id_waits_for_the_supervisor_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_operations, "MONITOR_SECONDS", 0.1)
    ray = FakeRay()
    ray.add("stopped", "STOPPED", job_id="02000000")
    ray.supervisors["stopped"] = 2
    assert (await asked(ray, "delete", "02000000")).text == "02000000 deleted\n"
    assert ray.jobs == {}


@pytest.mark.lengthy
async def test_a_job_whose_supervisor_stays_is_not_said_to_be_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_operations, "SUPERVISOR_SECONDS", 1.0)
    ray = FakeRay()
    ray.add("kept", "STOPPED")
    ray.supervisors["kept"] = 1_000_000
    done = await asked(ray, "delete", "kept")
    assert (done.code, done.text) == (1, "")
    assert "Ray keeps job kept: its supervisor is still alive after 1 s." in done.err
    assert "Nothing was deleted." in done.err
    assert ray.jobs["kept"]["status"] == "STOPPED"


async def test_delete_of_a_job_that_ray_lists_again_is_a_failure() -> None:
    ray = FakeRay()
    ray.add("kept", "STOPPED")
    ray.reborn.add("kept")
    done = await asked(ray, "delete", "kept")
    assert (done.code, done.text) == (1, "")
    assert "Ray deleted job kept and lists it again." in done.err
    assert "rayakash-tui delete kept" in done.err
