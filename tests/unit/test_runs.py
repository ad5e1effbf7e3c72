"""Which jobs are runs of the same thing."""

import pytest

from cockpit.model.jobs import Job
from cockpit.operations.jobs.runs import earlier_runs, run_name


@pytest.mark.parametrize(
    ("job", "name"),
    [
        (Job(submission_id="mistral-sft-r41"), "mistral-sft"),
        (Job(submission_id="eval-2026112809"), "eval"),
        (Job(submission_id="sweep-050"), "sweep"),
        (Job(submission_id="ci-8f3a2c1"), "ci"),
        (Job(submission_id="train-7b"), "train-7b"),
        (Job(submission_id="raysubmit_j5rzA2", entrypoint="python train.py"), "python train.py"),
        (Job(submission_id="x-1", metadata={"job_name": "nightly"}), "nightly"),
        (Job(submission_id="x-1", metadata={"job_name": "x-1"}), "x"),
    ],
)
def test_the_name_of_a_run(job: Job, name: str) -> None:
    assert run_name(job) == name


def test_earlier_runs_are_the_newest_before_it() -> None:
    jobs = [Job(submission_id=f"sft-r{number}", start_time=number) for number in range(6)]
    others = [Job(submission_id="other-1", start_time=1), Job(type="DRIVER", job_id="sft-2", start_time=1)]
    assert [run.id for run in earlier_runs(jobs[4], [*others, *jobs], most=2)] == ["sft-r3", "sft-r2"]
