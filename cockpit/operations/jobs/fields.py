"""From what is typed into fields to a form, and back."""

import shlex
from pathlib import Path

import msgspec

from cockpit.errors import UsageError
from cockpit.model.quantities import bytes_text, parse_bytes
from cockpit.operations.jobs import runtime_env
from cockpit.operations.jobs.submit import SubmitForm, entrypoint_of


class SubmitFields(msgspec.Struct, frozen=True, kw_only=True):
    """The text of each field of the submit dialog.

    `environment` has a `KEY=VALUE` per line; `metadata`, `resources` and `label_selector` have them separated by
    blanks, quoted as in a shell; `runtime_env` is the path of a YAML file, or JSON.
    """

    entrypoint: str = ""
    working_dir: str = ""
    num_cpus: str = ""
    num_gpus: str = ""
    memory: str = ""
    resources: str = ""
    label_selector: str = ""
    environment: str = ""
    metadata: str = ""
    runtime_env: str = ""
    submission_id: str = ""


def form_of(fields: SubmitFields) -> SubmitForm:
    """The form that the fields mean. Raises UsageError that names the field and what is wrong in it."""
    return SubmitForm(
        entrypoint=entrypoint_of([fields.entrypoint.strip()]),
        working_dir=fields.working_dir.strip() or None,
        num_cpus=_number(fields.num_cpus, "CPUs"),
        num_gpus=_number(fields.num_gpus, "GPUs"),
        memory=parse_bytes(fields.memory) if fields.memory.strip() else None,
        resources={key: _amount(key, value) for key, value in _pairs(fields.resources, "Resources").items()},
        label_selector=_pairs(fields.label_selector, "Labels"),
        environment=_lines(fields.environment),
        metadata=_pairs(fields.metadata, "Metadata"),
        runtime_env=_runtime_env(fields.runtime_env.strip()),
        submission_id=fields.submission_id.strip() or None,
    )


def fields_of(form: SubmitForm) -> SubmitFields:
    """The fields that mean the form."""
    return SubmitFields(
        entrypoint=form.entrypoint,
        working_dir=form.working_dir or "",
        num_cpus="" if form.num_cpus is None else f"{form.num_cpus:g}",
        num_gpus="" if form.num_gpus is None else f"{form.num_gpus:g}",
        memory="" if form.memory is None else bytes_text(form.memory),
        resources=shlex.join(f"{key}={value:g}" for key, value in form.resources.items()),
        label_selector=shlex.join(f"{key}={value}" for key, value in form.label_selector.items()),
        environment="\n".join(f"{key}={value}" for key, value in form.environment.items()),
        metadata=shlex.join(f"{key}={value}" for key, value in form.metadata.items()),
        runtime_env=msgspec.json.encode(form.runtime_env).decode() if form.runtime_env else "",
        submission_id=form.submission_id or "",
    )


def _number(text: str, field: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"{field}: {text!r} is not a number.") from error


def _amount(key: str, text: str) -> float:
    number = _number(text, f"Resource {key}")
    if number is None:
        raise UsageError(f"Resource {key} has no amount.")
    return number


def _pairs(text: str, field: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{field}: {error}.") from error
    return dict(_pair(word, field) for word in words)


def _lines(text: str) -> dict[str, str]:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return dict(_pair(line, "Environment") for line in lines)


def _pair(text: str, field: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"{field}: {key[:40]!r} is not of the form KEY=VALUE.")
    return key.strip(), value


def _runtime_env(text: str) -> runtime_env.RuntimeEnv:
    if not text:
        return {}
    return runtime_env.load_json(text) if text.startswith("{") else runtime_env.load_file(Path(text).expanduser())
