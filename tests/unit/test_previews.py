"""What the preview says of a job, a node and a GPU."""

from typing import Any

import msgspec

from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, GpuHolder, GpuProcess, Node, Usage
from cockpit.model.workers import Worker
from cockpit.render.job_preview import job_preview
from cockpit.render.node_preview import gpu_preview, node_preview
from cockpit.render.preview import Preview, fact_lines
from cockpit.render.table import RowContext
from tests.sim import NOON

WIDTH, HEIGHT = 120, 10


def lines(preview: Preview) -> list[str]:
    return ["".join(part.text for part in line).rstrip() for line in preview.lines]


def tones(preview: Preview) -> set[str]:
    return {part.tone for line in preview.lines for part in line}


def job(**given: Any) -> Job:
    begin = int((NOON - 65) * 1000)
    made = {
        "submission_id": "mia-1",
        "type": "SUBMISSION",
        "entrypoint": "python train.py",
        "start_time": begin,
        **given,
    }
    return msgspec.convert(made, Job)


def test_a_failed_job_shows_its_cause_then_the_end_of_its_log() -> None:
    failed = job(
        status="FAILED",
        end_time=int(NOON * 1000),
        driver_exit_code=1,
        message="Job entrypoint command failed with exit code 1, last available logs (truncated to 20,000 chars):\n"
        "Traceback (most recent call last):\nValueError: no data",
    )
    shown = job_preview(failed, NOON, WIDTH, HEIGHT, log=[f"line {number}" for number in range(40)])
    assert lines(shown)[:2] == ["Job mia-1 failed with exit code 1 after 1m.", "exit 1: ValueError: no data"]
    assert lines(shown)[-1] == "line 39"
    assert len(shown.lines) == HEIGHT
    assert "error" in tones(shown)
    before_the_answer = lines(job_preview(failed, NOON, WIDTH, HEIGHT))
    assert before_the_answer[-1] == "ValueError: no data"


def test_a_running_job_shows_its_last_lines_without_colors_and_earlier_states_of_a_bar() -> None:
    log = ["\x1b[32mgreen\x1b[0m", " 10%|#\r 20%|##\r", "", "last"]
    shown = lines(job_preview(job(status="RUNNING"), NOON, WIDTH, HEIGHT, log=log))
    assert shown[0] == "python train.py"
    assert shown[-3:] == ["green", " 20%|##", "last"]
    assert lines(job_preview(job(status="RUNNING"), NOON, WIDTH, HEIGHT, log=[]))[-1] == "No output yet."


def test_a_running_job_tells_how_far_it_is_and_an_ended_one_does_not() -> None:
    log = ["Epoch 2/4", "step 50/100 loss=0.3"]
    assert any(
        "epoch 2/4 · 37 %" in line for line in lines(job_preview(job(status="RUNNING"), NOON, WIDTH, HEIGHT, log=log))
    )
    ended = lines(job_preview(job(status="SUCCEEDED"), NOON, WIDTH, HEIGHT, log=log))
    assert not any("37 %" in line for line in ended)


def test_a_pending_job_says_what_is_known_of_why() -> None:
    shown = job_preview(job(status="PENDING"), NOON, WIDTH, HEIGHT, waiting="needs 8 GPUs on one node")
    assert (shown.title, lines(shown)[0]) == ("mia-1 · why it waits", "needs 8 GPUs on one node")


def node(**given: Any) -> Node:
    made: dict[str, Any] = {"node_id": "ab" * 28, "state": "ALIVE", "hostname": "worker-1", "ip": "10.0.0.1", **given}
    return Node(**made)


def test_a_node_shows_its_past_its_reservations_and_its_living_workers() -> None:
    workers = [
        Worker(worker_id="w1", is_alive=True, worker_type="WORKER", pid=7, start_time_ms=int((NOON - 60) * 1000)),
        Worker(worker_id="w2", is_alive=False, worker_type="WORKER", pid=8),
    ]
    curves = {"CPU": [(NOON - 60.0, 20.0), (NOON, 40.0)], "memory": []}
    found = node(cpu=40.0, is_head_node=False, logical={"GPU": Usage(used=1, total=2)})
    shown = node_preview(found, RowContext(now=NOON), WIDTH, 12, curves=curves, workers=workers)
    text = "\n".join(lines(shown))
    assert shown.title.endswith("· worker · 10.0.0.1")
    assert "CPU  mean 30 %  max 40 %" in text
    assert "memory: no history yet" in text
    assert "reserved  GPU 1/2" in text
    assert "1 worker" in text
    assert "w1" in text
    assert "w2" not in text


def test_a_dead_node_shows_why() -> None:
    shown = node_preview(
        node(state="DEAD", state_message="missed heartbeats"), RowContext(now=NOON), WIDTH, 12, curves={}, workers=None
    )
    assert (shown.state, lines(shown)[0]) == ("dead", "missed heartbeats")


def test_a_gpu_names_processes_that_are_not_of_ray_and_how_long_it_idles() -> None:
    gpu = Gpu(
        index=3,
        name="NVIDIA H100",
        utilization_gpu=0,
        holders=(GpuHolder(pid=11, submission_id="mia-1"),),
        processes_pids=(GpuProcess(pid=11, gpu_memory_usage=2**30), GpuProcess(pid=99, gpu_memory_usage=2**31)),
    )
    shown = gpu_preview(node(), gpu, RowContext(now=NOON), WIDTH, 10, samples=[(NOON, 0.0)], idle_seconds=600.0)
    text = "\n".join(lines(shown))
    assert shown.title.endswith("GPU 3 · H100")
    assert "Held and idle for 10m." in text
    assert "mia-1" in text
    assert " 99  2.0 GiB  not of Ray" in text
    free = gpu_preview(node(), Gpu(index=0), RowContext(now=NOON), WIDTH, 10, samples=[])
    assert "Free: no process is on it." in "\n".join(lines(free))


def test_facts_stand_side_by_side_and_unknown_ones_are_left_out() -> None:
    shown = lines(Preview("", lines=fact_lines([("a", "1"), ("b", "–"), ("c", ""), ("long", "2")], 80)))
    assert len(shown) == 1
    assert shown[0].split() == ["a", "1", "long", "2"]
