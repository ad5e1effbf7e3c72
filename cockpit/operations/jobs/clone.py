"""From a job back to the form that would submit it again, and from a form to the command that does the same."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cockpit.errors import UsageError
from cockpit.model.asked import Asked
from cockpit.model.jobs import METADATA_PREFIX, Job
from cockpit.model.quantities import bytes_text
from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.operations.jobs.runtime_env import RuntimeEnv
from cockpit.operations.jobs.submissions import Submission
from cockpit.operations.jobs.submit import ENVIRONMENT_KEY, RESOURCES_KEY, SubmitForm


class Clone(msgspec.Struct, frozen=True, kw_only=True):
    """A form made from a job, and the names of variables whose values are not known here.

    `package` is what the job ran with, where the form sends today's code of its directory instead.
    """

    form: SubmitForm
    withheld: tuple[str, ...] = ()
    package: str | None = None


class _Resources(msgspec.Struct, frozen=True):
    num_cpus: float | None = None
    num_gpus: float | None = None
    memory: int | None = None
    resources: dict[str, float] | None = None
    label_selector: dict[str, str] | None = None


def clone_of(job: Job) -> Clone:
    """The form that would submit `job` again under a fresh id.

    Ray returns neither the resources of the entrypoint nor values of variables: what `submit` wrote into the metadata
    is used, and a variable without a reference is empty and named as withheld. Raises UsageError for a driver.
    """
    if job.is_driver or not job.entrypoint:
        raise UsageError(f"Job {job.id} was not submitted as a job, so it cannot be submitted again.")
    metadata = {key: str(value) for key, value in (job.metadata or {}).items()}
    asked = _resources(metadata)
    references = _recorded(metadata.get(ENVIRONMENT_KEY), dict[str, str | None]) or {}
    environment = {name: references.get(name) or "" for name in _variable_names(job.runtime_env)}
    form = SubmitForm(
        entrypoint=job.entrypoint,
        runtime_env=_without(job.runtime_env or {}, "env_vars", "working_dir"),
        working_dir=(job.runtime_env or {}).get("working_dir"),
        environment=environment,
        metadata={key: value for key, value in metadata.items() if _is_the_users(key, job)},
        num_cpus=asked.num_cpus,
        num_gpus=asked.num_gpus,
        memory=asked.memory,
        resources=asked.resources or {},
        label_selector=asked.label_selector or {},
    )
    return Clone(form=form, withheld=tuple(name for name, value in environment.items() if not value))


def recorded_resources(job: Job) -> Asked | None:
    """What `submit` wrote down that was asked for the entrypoint; None where it was submitted by something else."""
    metadata = {key: str(value) for key, value in (job.metadata or {}).items()}
    if RESOURCES_KEY not in metadata:
        return None
    asked = _resources(metadata)
    named = {"CPU": asked.num_cpus, "GPU": asked.num_gpus, "memory": asked.memory, **(asked.resources or {})}
    resources = {name: float(amount) for name, amount in named.items() if amount}
    return Asked(resources=resources, labels=asked.label_selector or {}, is_from_metadata=True)


def _resources(metadata: Mapping[str, str]) -> _Resources:
    return _recorded(metadata.get(RESOURCES_KEY), _Resources) or _Resources()


def with_todays_code(clone: Clone, submission: Submission | None) -> Clone:
    """The clone of a job that was submitted from this machine, with the directory and the values given then.

    Where the directory is gone the clone keeps the package that the cluster has.
    """
    if submission is None:
        return clone
    source = submission.form.working_dir
    is_there = bool(source) and "://" not in (source or "") and Path(source or "").exists()
    form = submission.form if is_there else msgspec.structs.replace(submission.form, working_dir=clone.form.working_dir)
    return Clone(
        form=msgspec.structs.replace(form, submission_id=None),
        withheld=submission.withheld,
        package=clone.form.working_dir if is_there else None,
    )


def _recorded(text: str | None, type_: Any) -> Any:
    """What `submit` wrote; None if another program wrote under the name."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=type_)
    except msgspec.DecodeError:
        return None


def _variable_names(environment: RuntimeEnv | None) -> list[str]:
    variables = (environment or {}).get("env_vars")
    return list(variables) if isinstance(variables, dict) else []


def _without(environment: RuntimeEnv, *keys: str) -> RuntimeEnv:
    return {key: value for key, value in environment.items() if key not in keys}


def _is_the_users(key: str, job: Job) -> bool:
    """Ray adds the submission id to the metadata by itself once the driver has connected."""
    return not key.startswith(METADATA_PREFIX) and not (
        key == "job_submission_id" and (job.metadata or {}).get(key) == job.submission_id
    )


def command_line(form: SubmitForm) -> str:
    """The `rayakash-tui submit` command that does what the form does, ready for a shell.

    Values of variables are left to the shell's own (`NAME="$NAME"`) unless they are references: a command line is kept
    in histories and seen by others.
    """
    words = ["rayakash-tui", "submit", *_plain_options(form)]
    variables = [_variable(name, value) for name, value in form.environment.items()]
    return " ".join([shlex.join(words), *variables, "--", shlex.quote(form.entrypoint)])


def _variable(name: str, value: str) -> str:
    if value.startswith(REFERENCE_PREFIX):
        return f"--env {shlex.quote(f'{name}={value}')}"
    return f'--env {name}="${name}"'


def _plain_options(form: SubmitForm) -> list[str]:
    given: list[tuple[str, str | None]] = [
        ("--id", form.submission_id),
        ("--working-dir", form.working_dir),
        ("--runtime-env-json", msgspec.json.encode(form.runtime_env).decode() if form.runtime_env else None),
        ("--num-cpus", _number(form.num_cpus)),
        ("--num-gpus", _number(form.num_gpus)),
        ("--memory", None if form.memory is None else bytes_text(form.memory)),
    ]
    given += [("--resource", f"{name}={number:g}") for name, number in form.resources.items()]
    given += [("--label-selector", f"{key}={value}") for key, value in form.label_selector.items()]
    given += [("--metadata", f"{key}={value}") for key, value in form.metadata.items()]
    return [word for option, value in given if value is not None for word in (option, value)]


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"
