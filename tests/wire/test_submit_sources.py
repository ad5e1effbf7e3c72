"""`submit -f`, `--again`, `--dry-run`, and the wait for capacity."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cockpit import settings
from cockpit.operations.jobs import capacity, submissions
from cockpit.operations.jobs.capacity import Capacity, Found, missing
from cockpit.operations.jobs.submit import SubmitForm
from tests.wire.commands import Done, here, home
from tests.wire.fake_ray import FakeRay, serve
from tests.wire.following import brisk
from tests.wire.server import Exchange, WireServer, until

__all__ = ["brisk", "home"]

pytestmark = pytest.mark.usefixtures("home", "brisk")

ADDRESS_OF_NOTHING = "http://127.0.0.1:9"


def node(name: str, *, gpus: float = 0, used: float = 0, state: str = "ALIVE", **labels: str) -> dict[str, Any]:
    """A node of `/nodes`, with its share of the logical resources."""
    total = {"CPU": 4.0} | ({"GPU": gpus} if gpus else {})
    return {
        "raylet": {"nodeId": name, "state": state, "resourcesTotal": total, "labels": labels},
        "logical": f"{used}/{gpus} GPU" if gpus else "",
    }


def have(ray: FakeRay, *nodes: dict[str, Any]) -> None:
    """Let the cluster consist of these."""
    ray.nodes = {
        "summary": [{"raylet": one["raylet"]} for one in nodes],
        "nodeLogicalResources": {one["raylet"]["nodeId"]: one["logical"] for one in nodes},
    }


async def submitted(ray: FakeRay, *argv: str) -> tuple[Done, list[dict[str, Any]]]:
    """Run `submit --no-wait` and see what arrives."""
    async with serve(ray) as server:
        words = list(argv)
        at = words.index("--") if "--" in words else len(words)
        done = await here("submit", "--no-wait", *words[:at], "--address", server.url, *words[at:])
        return done, bodies(server)


def bodies(server: WireServer) -> list[dict[str, Any]]:
    """Requests that made a job."""
    return [json.loads(request.body) for request in server.seen("POST", "/api/jobs/")]


def contents(directory: Path) -> bytes:
    """Every byte in every file below."""
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


@pytest.fixture
def job_file(tmp_path: Path) -> Path:
    """A job file."""
    path = tmp_path / "job.yaml"
    path.write_text(
        "entrypoint: python train.py\nnum_gpus: 1\nenv: {MODE: slow, SEED: '1'}\nlabel_selector: {tier: gold}\n",
        encoding="utf-8",
    )
    return path


# -f


async def test_options_replace_values_of_the_file(job_file: Path) -> None:
    _, (plain,) = await submitted(FakeRay(), "-f", str(job_file))
    assert (plain["entrypoint"], plain["entrypoint_num_gpus"]) == ("python train.py", 1)
    assert plain["entrypoint_label_selector"] == {"tier": "gold"}
    _, (changed,) = await submitted(
        FakeRay(), "-f", str(job_file), "--num-gpus", "2", "--env", "MODE=fast", "--", "python", "other.py"
    )
    assert (changed["entrypoint"], changed["entrypoint_num_gpus"]) == ("python other.py", 2)
    assert changed["runtime_env"]["env_vars"] == {"MODE": "fast", "SEED": "1"}


async def test_a_file_without_an_entrypoint_needs_one(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("num_cpus: 1\n", encoding="utf-8")
    done, sent = await submitted(FakeRay(), "-f", str(path))
    assert (done.code, sent) == (2, [])
    done, sent = await submitted(FakeRay(), "-f", str(path), "--", "true")
    assert (done.code, sent[0]["entrypoint"]) == (0, "true")


async def test_an_unknown_key_sends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("entrypont: true\n", encoding="utf-8")
    done, sent = await submitted(FakeRay(), "-f", str(path))
    assert (done.code, sent) == (2, [])
    assert "Did you mean entrypoint?" in done.err


async def test_a_file_and_an_earlier_job_exclude_each_other(job_file: Path) -> None:
    done, sent = await submitted(FakeRay(), "-f", str(job_file), "--again")
    assert (done.code, sent) == (2, [])


# --dry-run


async def test_dry_run_prints_the_request_and_sends_nothing(job_file: Path, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("print(1)\n", encoding="utf-8")
    words = ["-f", str(job_file), "--id", "x", "--working-dir", str(tmp_path / "code")]
    done = await here("submit", "--dry-run", *words, "--address", ADDRESS_OF_NOTHING)
    assert done.code == 0
    _, (sent,) = await submitted(FakeRay(), *words)
    assert sent["runtime_env"].pop("env_vars") == {"MODE": "slow", "SEED": "1"}
    shown = done.data
    assert shown["runtime_env"].pop("env_vars") == {"MODE": "***", "SEED": "***"}
    assert shown == sent


async def test_dry_run_refuses_what_submit_would_refuse() -> None:
    done = await here("submit", "--dry-run", "--id", "a/b", "--", "true")
    assert (done.code, done.out) == (2, b"")
    done = await here("submit", "--dry-run", "--env", "TOKEN=ac-secret://ABSENT", "--", "true")
    assert (done.code, done.out) == (2, b"")


# --again


async def test_again_takes_the_last_submission_with_the_code_of_now(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "train.py").write_text("print(1)\n", encoding="utf-8")
    ray = FakeRay()
    _, (first,) = await submitted(ray, "--working-dir", str(code), "--num-gpus", "1", "--", "python train.py")
    (code / "train.py").write_text("print(2)\n", encoding="utf-8")
    done, (again,) = await submitted(ray, "--again")
    assert done.code == 0
    assert (again["entrypoint"], again["entrypoint_num_gpus"]) == ("python train.py", 1)
    assert again["submission_id"] != first["submission_id"]
    assert again["runtime_env"]["working_dir"] != first["runtime_env"]["working_dir"]


async def test_again_takes_the_start_of_an_id_and_options() -> None:
    ray = FakeRay()
    for name in ("alpha-1", "alpha-2", "beta"):
        await submitted(ray, "--id", name, "--env", f"NAME={name}", "--", f"echo {name}")
    _, (sent,) = await submitted(ray, "--again", "alpha-1", "--env", "MODE=fast")
    assert sent["entrypoint"] == "echo alpha-1"
    assert sent["runtime_env"]["env_vars"] == {"NAME": "alpha-1", "MODE": "fast"}
    done, sent_now = await submitted(ray, "--again", "alpha")
    assert (done.code, sent_now) == (2, [])
    done, sent_now = await submitted(ray, "--again", "gamma")
    assert (done.code, sent_now) == (1, [])


async def test_again_without_an_earlier_submission() -> None:
    done, sent = await submitted(FakeRay(), "--again")
    assert (done.code, sent) == (1, [])
    assert "Nothing was submitted yet." in done.err


async def test_secrets_are_not_kept_and_are_asked_for_again(home: Path) -> None:
    words = ["--env", "API_TOKEN=hunter2", "--env", "URL=https://a:opensesame@h/", "--env", "MODE=fast"]
    await submitted(FakeRay(), *words, "--", "true")
    (kept,) = submissions.history()
    assert kept.withheld == ("API_TOKEN", "URL")
    everything = contents(home)
    assert b"hunter2" not in everything
    assert b"opensesame" not in everything
    done, sent = await submitted(FakeRay(), "--again")
    assert (done.code, sent) == (2, [])
    assert "API_TOKEN, URL" in done.err
    done, (request,) = await submitted(FakeRay(), "--again", "--env", "API_TOKEN=x", "--env", "URL=y")
    assert request["runtime_env"]["env_vars"] == {"API_TOKEN": "x", "URL": "y", "MODE": "fast"}


def test_a_command_with_a_secret_is_not_kept(tmp_path: Path) -> None:
    form = SubmitForm(entrypoint="curl -u me:opensesame https://h")
    assert not submissions.remember(form, "x", address="a", context=None, directory=tmp_path)
    assert submissions.history(directory=tmp_path) == []


def test_the_record_is_private_bounded_and_begun_again_when_broken(tmp_path: Path) -> None:
    path = tmp_path / "submissions.json"
    path.write_text("{", encoding="utf-8")
    for number in range(submissions.MAX_SUBMISSIONS + 2):
        submissions.remember(SubmitForm(entrypoint="x"), f"j{number}", address="a", context=None, directory=tmp_path)
    kept = submissions.history(directory=tmp_path)
    assert (len(kept), kept[0].submission_id) == (submissions.MAX_SUBMISSIONS, f"j{submissions.MAX_SUBMISSIONS + 1}")
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_record_that_cannot_be_written_does_not_fail_the_job() -> None:
    (settings.state_directory() / "submissions.json").mkdir(parents=True)
    done, sent = await submitted(FakeRay(), "--", "true")
    assert (done.code, len(sent)) == (0, 1)
    assert "submit --again will not know this job" in done.err


# Capacity


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (Capacity(), ""),
        (Capacity(gpus=8), ""),
        (Capacity(gpus=9), "8 of 9 GPUs"),
        (Capacity(gpus=8, free=True), "2.5 of 8 free GPUs"),
        (Capacity(nodes=3), "2 of 3 nodes"),
        (Capacity(gpus=9, nodes=3), "8 of 9 GPUs and 2 of 3 nodes"),
        (Capacity(labels={"tier": "gold"}), ""),
    ],
)
def test_what_is_missing(wanted: Capacity, text: str) -> None:
    tail = " with tier=gold" if text and wanted.labels else ""
    assert missing(wanted, Found(nodes=2, gpus=8, free_gpus=2.5)) == text + tail


async def test_the_job_is_held_back_until_the_gpus_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "POLL_S", 0.02)
    ray = FakeRay()
    have(ray, node("a", gpus=4), node("dead", gpus=8, state="DEAD"))
    async with serve(ray) as server:
        command = asyncio.create_task(
            here("submit", "--no-wait", "--wait-for-gpus", "8", "--address", server.url, "--", "true")
        )
        await until(lambda: len(server.seen("GET", "/nodes")) > 3)
        assert bodies(server) == []
        have(ray, node("a", gpus=4, used=4), node("b", gpus=4, used=4))
        done = await command
        assert (done.code, len(bodies(server))) == (0, 1)
    assert done.err.count("Waiting: the cluster has 4 of 8 GPUs.") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--wait-for-gpus", "8"], "4 of 8 GPUs"),
        (["--wait-for-gpus", "4", "--free"], "1 of 4 free GPUs"),
        (["--wait-for-nodes", "3"], "2 of 3 nodes"),
        (["--wait-for-labels", "tier=silver"], "0 of 1 nodes with tier=silver"),
        (["--wait-for-gpus", "4", "--wait-for-labels", "tier=gold"], "0 of 4 GPUs with tier=gold"),
    ],
)
async def test_nothing_is_sent_over_the_timeout(words: list[str], said: str) -> None:
    ray = FakeRay()
    have(ray, node("a", gpus=4, used=3), node("b", tier="gold"))
    done, sent = await submitted(ray, *words, "--wait-timeout", "0", "--", "true")
    assert (done.code, sent) == (3, [])
    assert said in done.err
    assert "Nothing was submitted." in done.err


async def test_what_the_cluster_has_is_not_waited_for() -> None:
    ray = FakeRay()
    have(ray, node("a", gpus=4, used=3), node("b", tier="gold"))
    words = ["--wait-for-gpus", "4", "--wait-for-nodes", "2", "--wait-timeout", "0"]
    done, sent = await submitted(ray, *words, "--", "true")
    assert (done.code, done.err, len(sent)) == (0, "", 1)
    done, sent = await submitted(ray, "--wait-for-labels", "tier=gold", "--wait-timeout", "0", "--", "true")
    assert (done.code, len(sent)) == (0, 1)


@pytest.mark.parametrize("job", ["entrypoint: 'true'\nwait_for: {gpus: 8, timeout: 0}\n"])
async def test_the_file_says_what_to_wait_for_and_options_replace_it(job_file: Path, job: str) -> None:
    await asyncio.to_thread(job_file.write_text, job)
    ray = FakeRay()
    have(ray, node("a", gpus=4))
    done, sent = await submitted(ray, "-f", str(job_file))
    assert (done.code, sent) == (3, [])
    done, sent = await submitted(ray, "-f", str(job_file), "--wait-for-gpus", "4")
    assert (done.code, len(sent)) == (0, 1)


@pytest.mark.parametrize("words", [["--wait-for-gpus", "0"], ["--wait-for-nodes", "-1"], ["--free"]])
async def test_numbers_that_mean_nothing(words: list[str]) -> None:
    done, sent = await submitted(FakeRay(), *words, "--", "true")
    assert (done.code, sent) == (2, [])


async def test_a_command_that_names_a_file_which_stays_here_is_refused_in_a_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "train.py").write_text("print(1)\n")
    monkeypatch.chdir(tmp_path)
    done, sent = await submitted(FakeRay(), "--", "python", "train.py")
    assert (done.code, sent) == (2, [])
    assert "train.py is a file in this directory, but the job is sent without a directory." in done.err
    assert "--no-working-dir" in done.err
    done, sent = await submitted(FakeRay(), "--no-working-dir", "--", "python", "train.py")
    assert (done.code, len(sent)) == (0, 1)
    done, sent = await submitted(FakeRay(), "--working-dir", ".", "--", "python", "train.py")
    assert (done.code, len(sent)) == (0, 1)


@pytest.mark.lengthy
async def test_an_upload_that_is_cut_each_time_is_said_to_be_tried_again_and_ends(tmp_path: Path) -> None:
    ray = FakeRay()
    puts: list[int] = []
    (tmp_path / "train.py").write_text("print(1)")

    async def cut(exchange: Exchange) -> None:
        if exchange.request.method == "PUT":
            puts.append(len(exchange.request.body))
            exchange.cut()
        else:
            await exchange.reply("Package gcs://x does not exist", status=404)

    route = ray.handle

    async def handle(exchange: Exchange) -> None:
        await (cut if exchange.request.path.startswith("/api/packages/") else route)(exchange)

    async with WireServer(handle) as server:
        words = ("submit", "--working-dir", str(tmp_path), "--retry-for", "1s", "--address", server.url)
        done = await here(*words, "--", "python train.py")
    assert done.code == 3, done.err
    assert len(puts) > 1
    assert "Trying again in" in done.err
    assert not ray.jobs
