"""A job and the form that would submit it again; a form and the command that does the same."""

import itertools
import shlex

import pytest

from cockpit.errors import UsageError
from cockpit.model.jobs import Job
from cockpit.operations.jobs.clone import clone_of, command_line
from cockpit.operations.jobs.submit import SubmitForm, prepare

FORM = SubmitForm(
    entrypoint="python train.py --name 'a b'",
    environment={"WANDB_API_KEY": "ac-secret://WANDB_API_KEY", "MODE": "fast"},
    metadata={"owner": "mia"},
    num_gpus=0.5,
    memory=2**30,
    resources={"tpu": 2},
)


async def _submitted(form: SubmitForm) -> Job:
    """The job as Ray would return it: no resources, no values."""
    request = (await prepare(form)).request
    variables = (request.runtime_env or {}).get("env_vars", {})
    return Job(
        type="SUBMISSION",
        submission_id=request.submission_id,
        entrypoint=request.entrypoint,
        metadata=dict(request.metadata or {}),
        runtime_env={"env_vars": dict.fromkeys(variables, "***"), "pip": ["emoji"], "working_dir": "gcs://x.zip"},
    )


async def test_a_clone_has_what_ray_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYAKASH_SECRET_WANDB_API_KEY", "canary")
    clone = clone_of(await _submitted(FORM))
    assert clone.form.entrypoint == FORM.entrypoint
    assert (clone.form.num_gpus, clone.form.memory, clone.form.resources) == (0.5, 2**30, {"tpu": 2})
    assert clone.form.environment == {"WANDB_API_KEY": "ac-secret://WANDB_API_KEY", "MODE": ""}
    assert clone.withheld == ("MODE",)
    assert clone.form.metadata == {"owner": "mia"}
    assert clone.form.submission_id is None
    assert clone.form.working_dir == "gcs://x.zip"
    assert clone.form.runtime_env == {"pip": ["emoji"]}


async def test_a_clone_of_a_job_from_elsewhere() -> None:
    job = Job(
        submission_id="x", entrypoint="echo", metadata={"rayakash.resources": "not json", "job_submission_id": "x"}
    )
    clone = clone_of(job)
    assert clone.form == SubmitForm(entrypoint="echo")
    assert clone.withheld == ()


def test_a_driver_cannot_be_cloned() -> None:
    with pytest.raises(UsageError, match="01000000 was not submitted"):
        clone_of(Job(type="DRIVER", job_id="01000000", entrypoint="python x.py", status="RUNNING"))


def test_the_command_says_the_same_and_holds_no_value() -> None:
    command = command_line(FORM)
    assert "fast" not in command
    words = shlex.split(command)
    assert words[:2] == ["rayakash-tui", "submit"]
    assert words[-2:] == ["--", FORM.entrypoint]
    pairs = list(itertools.pairwise(words))
    assert ("--env", "WANDB_API_KEY=ac-secret://WANDB_API_KEY") in pairs
    assert ("--env", "MODE=$MODE") in pairs
    assert ("--num-gpus", "0.5") in pairs
    assert ("--memory", "1Gi") in pairs
    assert ("--resource", "tpu=2") in pairs
    assert ("--metadata", "owner=mia") in pairs
