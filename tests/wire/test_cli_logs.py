"""`logs` of nodes, actors and tasks, and all that a job wrote in one file."""

import asyncio
import io
import os
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.wire.commands import Done, here, home
from tests.wire.fake_ray import NODE, FakeRay, LogFile, serve
from tests.wire.server import Exchange

__all__ = ["home"]

pytestmark = pytest.mark.usefixtures("home")

OTHER, DEAD = "ab" * 28, "de" * 28
ACTOR, TASK, WORKER = "a1" * 16, "b2" * 24, "c3" * 28
OURS = f"worker-{WORKER}-ffffffff-77.out"
CORE = "python-core-driver-02000000" + "f" * 48 + "_31.log"


def a_node(node_id: str, **fields: Any) -> dict[str, Any]:
    raylet = {"nodeId": node_id, "state": "ALIVE", "isHeadNode": node_id == NODE, **fields}
    return {"ip": f"192.0.2.{int(node_id[:2], 16)}", "hostname": f"host-{node_id[:2]}", "raylet": raylet}


def state(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"result": True, "msg": "", "data": {"result": {"total": len(rows), "result": rows}}}


def a_cluster() -> FakeRay:
    """A job with an actor and a task on the head, another node, and one that is dead."""
    ray = FakeRay()
    ray.add("train", "SUCCEEDED", log=b"the driver\n", job_id="02000000")
    ray.nodes = {
        "summary": [a_node(NODE), a_node(OTHER), a_node(DEAD, state="DEAD")],
        "nodeLogicalResources": {},
    }
    files = {OURS: b"the worker\n", CORE: b"", "raylet.out": b"one\ntwo\nthree\n"}
    ray.logs |= {name: LogFile(data) for name, data in files.items()}

    async def listed(exchange: Exchange) -> None:
        if f"node_id={NODE}" not in exchange.request.target:
            await exchange.reply(
                {"result": False, "msg": "Agent for node id: x doesn't exist.", "data": {}}, status=500
            )
            return
        found = {"worker_out": [OURS, f"worker-{'d4' * 28}-03000000-78.out"], "raylet": ["raylet.out"]}
        found["driver"] = [CORE]
        found["internal"] = ["job-driver-train.log", "old/", "old/\x1b[31mraylet.out.1"]
        await exchange.reply({"result": True, "msg": "", "data": {"result": found}})

    async def actors(exchange: Exchange) -> None:
        row = {"actor_id": ACTOR, "state": "DEAD", "node_id": NODE, "pid": 99, "class_name": "Talker"}
        await exchange.reply(state([row] if ACTOR in exchange.request.target else []))

    async def tasks(exchange: Exchange) -> None:
        row = {"task_id": TASK, "state": "FINISHED", "node_id": NODE, "worker_id": WORKER, "attempt_number": 0}
        is_known = TASK in exchange.request.target or "02000000" in exchange.request.target
        await exchange.reply(state([row] if is_known else []))

    ray.overrides |= {
        ("GET", "/api/v0/logs"): listed,
        ("GET", "/api/v0/actors"): actors,
        ("GET", "/api/v0/tasks"): tasks,
    }
    return ray


async def asked(ray: FakeRay, *argv: str) -> Done:
    async with serve(ray) as server:
        return await here("logs", *argv, "--address", server.url)


async def test_files_of_a_node_are_listed() -> None:
    done = await asked(a_cluster(), "--node", "head", "--json")
    assert done.code == 0, done.err
    assert [(file["kind"], file["name"]) for file in done.data["files"]] == [
        ("job", "job-driver-train.log"),
        ("worker", OURS),
        ("worker", f"worker-{'d4' * 28}-03000000-78.out"),
        ("driver", CORE),
        ("raylet", "raylet.out"),
        ("other", "old/\x1b[31mraylet.out.1"),
    ]
    text = (await asked(a_cluster(), "--node", NODE[:8])).text
    assert "raylet.out" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("name", ["head", NODE, NODE[:6], "host-cc", "192.0.2.204"])
async def test_file_of_a_node_is_printed(name: str) -> None:
    done = await asked(a_cluster(), "--node", name, "--file", "raylet.out", "--tail", "2")
    assert (done.code, done.out) == (0, b"two\nthree\n")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--node", "nowhere"], 1, "Node nowhere not found."),
        (["--node", DEAD], 1, f"The node {DEAD[:12]} is gone, and its logs with it."),
        (["--node", "head", "--file", "nope.log"], 1, "There is no log nope.log on node"),
        (["--node", "head", "--file", "../../etc/passwd"], 1, "outside of the logs"),
        (["--actor", "ff"], 1, "Actor ff not found."),
        (["--task", "ff"], 1, "Task ff not found."),
        ([], 2, "Name one thing"),
        (["train", "--node", "head"], 2, "Name one thing"),
        (["train", "--file", "x"], 2, "give --node too"),
        (["train", "--err"], 2, "--err is for --actor and --task"),
        (["--node", "head", "-f"], 2, "Which file of the node?"),
        (["train", "--all"], 2, "--all saves what a job wrote"),
        (["train", "-o", "x.tar"], 2, "--all saves what a job wrote"),
        (["train", "--json"], 2, "--json is for --plot and for lists"),
    ],
)
async def test_what_cannot_be_had_is_said(words: list[str], code: int, sentence: str) -> None:
    done = await asked(a_cluster(), *words)
    assert (done.code, done.out) == (code, b""), done.err
    assert sentence in done.err


@pytest.mark.parametrize("follow", [[], ["-f"]])
@pytest.mark.parametrize(("kind", "name"), [("actor", ACTOR), ("task", TASK)])
async def test_actors_and_tasks_are_asked_for_by_id(kind: str, name: str, follow: list[str]) -> None:
    ray = a_cluster()

    async def log(exchange: Exchange) -> None:
        assert f"{kind}_id={name}" in exchange.request.target
        suffix = "err" if "suffix=err" in exchange.request.target else "out"
        await exchange.reply(f"{kind} {suffix}\n")

    ray.overrides["GET", "/api/v0/logs/file"] = log
    done = await asked(ray, f"--{kind}", name, *follow)
    assert (done.code, done.text) == (0, f"{kind} out\n"), done.err
    assert (await asked(ray, f"--{kind}", name, "--err")).text == f"{kind} err\n"
    if follow:
        assert f"{name} is {'DEAD' if kind == 'actor' else 'FINISHED'}." in done.err


async def test_all_that_a_job_wrote_is_saved_with_what_is_missing(tmp_path: Path) -> None:
    target = tmp_path / "train.tar"
    done = await asked(a_cluster(), "--all", "train", "-o", str(target), "--json")
    assert done.code == 0, done.err
    assert stat.S_IMODE(os.stat(target).st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["home", "train.tar"]
    place = f"train/{NODE[:12]}"
    sizes = {f"{place}/job-driver-train.log": 11, f"{place}/{OURS}": 11, f"{place}/{CORE}": 0}
    saved = {file["name"]: file["size"] for file in done.data["files"]}
    assert sizes.items() <= saved.items()
    assert set(saved) - set(sizes) == {"train/MISSING.txt"}
    with tarfile.open(target) as archive:
        assert archive.extractfile(f"{place}/{OURS}").read() == b"the worker\n"  # type: ignore[union-attr]
        missing = archive.extractfile("train/MISSING.txt").read().decode()  # type: ignore[union-attr]
    assert f"The logs of node {OTHER[:12]} cannot be listed" in missing
    assert f"Node {DEAD[:12]} (192.0.2.222) is gone, and its logs with it." in missing
    assert missing.splitlines() == done.data["missing"]
    assert all(line in done.err for line in missing.splitlines())


async def test_archive_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    done = await asked(a_cluster(), "--all", "train", "-o", str(tmp_path / "nowhere" / "train.tar"))
    assert done.code == 2
    assert "cannot be written: No such file or directory" in done.err
    done = await asked(a_cluster(), "--all", "nope", "-o", str(tmp_path / "train.tar"))
    assert done.code == 1
    assert os.listdir(tmp_path) == ["home"]


async def test_names_of_the_cluster_lead_nowhere_else(tmp_path: Path) -> None:
    ray = a_cluster()
    ray.add("../../evil", "SUCCEEDED", log=b"x\n", job_id="02000000")
    done = await asked(ray, "--all", "../../evil", "-o", str(tmp_path / "evil.tgz"))
    assert done.code == 0, done.err
    data = await asyncio.to_thread((tmp_path / "evil.tgz").read_bytes)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        parts = [part for name in archive.getnames() for part in name.split("/")]
    assert parts
    assert not {"", ".", ".."} & set(parts)
