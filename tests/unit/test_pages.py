"""What the pages of jobs, actors and nodes say, and where it comes from."""

import json
from pathlib import Path

import pytest

from cockpit.feeds.history_recorder import Recorder
from cockpit.feeds.history_store import HistoryStore, WriteLock, history_path
from cockpit.model.actor_facts import ActorFacts
from cockpit.model.actors import Actor, DeathCause, _Died
from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, GpuHolder, Node
from cockpit.model.past import PERCENT, Curve, JobPast, Point, Use
from cockpit.model.tasks import Task, TaskEvent
from cockpit.operations.clusters.past import open_past
from cockpit.operations.job_past import job_past
from cockpit.operations.jobs.clone import recorded_resources
from cockpit.render import job_page, pages
from cockpit.render.asked import asked_text
from cockpit.render.glyphs import ASCII
from cockpit.render.table import RowContext

NOW = 1_795_500_000.0
CONTEXT = RowContext(now=NOW)


def text_of(lines: list[tuple[str, str]]) -> str:
    return "\n".join(f"{label} {text}" for label, text in lines)


def test_the_past_of_a_job_is_a_curve_its_gpu_hours_and_their_cost() -> None:
    points = tuple(Point(int(NOW) - 600 + 10 * step, 80.0 if step % 9 else None) for step in range(60))
    use = Use(name="train", gpu_hours=2.5, idle_gpu_hours=0.5, cost=5.25, idle_cost=1.05)
    past = JobPast(curve=Curve("use", PERCENT, points), use=use)
    shown = text_of(job_page.past_lines(past, 80, CONTEXT))
    assert "2.50, 0.50 of them idle ($1.05) · $5.25 so far" in shown
    assert "use 100 %" in shown
    assert "80 % in 9m" in shown
    plain = text_of(job_page.past_lines(past, 80, RowContext(now=NOW, glyphs=ASCII)))
    assert plain.replace("·", "").isascii()
    assert "price is not known" in text_of(job_page.past_lines(JobPast(use=Use(name="x")), 80, CONTEXT))
    assert job_page.past_lines(JobPast(), 80, CONTEXT) == job_page.past_lines(None, 80, CONTEXT) == []


def test_the_money_of_a_job_is_read_from_the_history_kept_here(tmp_path: Path) -> None:
    path = history_path("lab", directory=tmp_path)
    recorder = Recorder(HistoryStore.open(path, now=NOW - 3700), WriteLock(path), now=NOW - 3700)
    job = Job(submission_id="train", job_id="07000000", status="RUNNING", start_time=int((NOW - 3700) * 1000))
    for step in range(361):
        at = NOW - 3600 + 10 * step
        gpu = Gpu(index=0, utilization_gpu=50, holders=(GpuHolder(job_id="07000000", allocation=1.0),))
        node = Node(node_id="n", state="ALIVE", hostname="worker-1", now=at, gpus=(gpu, Gpu(index=1)))
        recorder.observe([node], [job], now=at)
    recorder.close(now=NOW)
    with open_past("lab", directory=tmp_path) as history:
        past = job_past(history, job, now=NOW, cost_per_hour=4.0)
        assert job_past(history, Job(submission_id="other"), now=NOW, cost_per_hour=4.0) == JobPast()
    assert past.use is not None
    assert past.use.gpu_hours == pytest.approx(1.0, abs=0.01)
    assert past.use.cost == pytest.approx(2.0, abs=0.05), "one of two GPUs, for an hour"
    assert past.curve is not None
    assert {point.value for point in past.curve.points} == {50.0}


def test_what_was_asked_for_a_job_is_in_its_metadata_where_it_was_submitted_from_here() -> None:
    asked = {"num_gpus": 8, "memory": 2**34, "resources": {"TPU": 1}, "label_selector": {"tier": "gold"}}
    found = recorded_resources(Job(metadata={"rayakash.resources": json.dumps(asked)}))
    assert found is not None
    assert asked_text(found) == "8 GPU, 16.0 GiB memory, 1 TPU on a node with tier=gold (as submitted from here)"
    assert recorded_resources(Job(metadata={"owner": "mia"})) is None
    odd = recorded_resources(Job(metadata={"rayakash.resources": "written by something else"}))
    assert odd is not None
    assert odd.resources == {}


def test_an_actor_tells_how_it_came_to_its_state_and_why_it_is_dead() -> None:
    events = (TaskEvent("PENDING_NODE_ASSIGNMENT", (NOW - 60) * 1000), TaskEvent("RUNNING", (NOW - 50) * 1000))
    cause = DeathCause(actor_died_error_context=_Died(error_message="out of\nmemory", reason="WORKER_DIED"))
    actor = Actor(actor_id="a", class_name="Trainer", state="DEAD", num_restarts=2, death_cause=cause, is_detached=True)
    facts = ActorFacts(actor=actor, creation=Task(events=(*events, TaskEvent(None, None))))
    history = text_of(pages.history_lines(facts, NOW))
    assert "PENDING_NODE_ASSIGNMENT" in history
    assert ", for 10s" in history
    assert history.endswith("restarts 2\nnow DEAD")
    summary = text_of(pages.actor_lines(facts, actor, CONTEXT))
    assert summary.index("WORKER_DIED") < summary.index("class Trainer")
    assert "memory" in summary
    assert "no record" in text_of(pages.history_lines(ActorFacts(actor=Actor()), NOW))


def test_a_node_that_tells_little_has_a_page_too() -> None:
    assert pages.node_lines(Node(), NOW) == [("role", "worker")]
    assert "none of this node yet" in text_of(pages.curve_lines((), 80, CONTEXT))
    assert text_of(pages.process_lines((), 80)).strip().startswith("Ray reports no processes")
    many = [("worker", f"f{number}.out") for number in range(pages.MOST_FILES + 5)]
    assert "and 5 more" in text_of(pages.file_lines(many, 80))


def test_the_progress_of_a_function_shows_its_failures_in_the_bar() -> None:
    states = ["FINISHED"] * 10 + ["FAILED"] * 5 + ["RUNNING"] * 5
    tasks = [Task(name="f", state=state, node_id="n1") for state in states]
    assert job_page.progress_lines(tasks)[1] == ("  f", "█" * 10 + "▚" * 5 + "░" * 5 + " 15/20  ✖ 5 failed")
    few = [Task(name="f", state="FINISHED")] * 999 + [Task(name="f", state="FAILED")]
    plain = job_page.progress_lines(few, glyphs=ASCII)[1][1]
    assert plain.startswith("#" * 19 + "x 1000/1000")
    assert plain.isascii()
    named = RowContext(now=NOW, node_names={"n1": "worker-1", "n2": "head"})
    actors = [Actor(state="ALIVE", node_id="n2"), Actor(state="DEAD", node_id="n3")]
    assert job_page.place_lines(tasks, actors, named) == [("runs on", "head, worker-1")]
