"""From what is typed into fields to a form, and back."""

import shlex
from collections.abc import Callable
from pathlib import Path

import msgspec

from cockpit.errors import UsageError
from cockpit.model.quantities import bytes_text, parse_bytes, parse_number, parse_pair, parse_seconds
from cockpit.operations.jobs import runtime_env
from cockpit.operations.jobs.capacity import Capacity
from cockpit.operations.jobs.capacity import check as check_capacity
from cockpit.operations.jobs.submit import SubmitForm, check_id, check_resources, check_variables, entrypoint_of

_WAITS = ("gpus", "nodes", "free", "timeout")
_LABEL = "label."


class SubmitFields(msgspec.Struct, frozen=True, kw_only=True):
    """The text of each field of the submit dialog.

    `environment` has a `KEY=VALUE` per line; `metadata`, `resources` and `label_selector` have them separated by
    blanks, quoted as in a shell, and so has `wait_for` the keys of a job file's, labels as `label.NAME`;
    `runtime_env` is the path of a YAML file, or JSON.
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
    wait_for: str = ""


def problem_of(fields: SubmitFields, name: str) -> UsageError | None:
    """What is wrong with the text of one field by itself; None where nothing is, and for an empty one."""
    check = _CHECKS.get(name)
    text = getattr(fields, name).strip()
    if check is None or not text:
        return None
    try:
        check(text)
    except UsageError as error:
        return error
    return None


def first_problem(fields: SubmitFields) -> tuple[str, UsageError] | None:
    """The first field that cannot be sent as it is, in the order of the dialog; None where all can."""
    if not fields.entrypoint.strip():
        return "entrypoint", UsageError("The command is empty.", hint="For example: python train.py")
    found = ((name, problem_of(fields, name)) for name in _CHECKS)
    return next(((name, error) for name, error in found if error is not None), None)


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


def capacity_of(fields: SubmitFields) -> Capacity:
    """What the cluster must have before the job is sent; nothing for an empty field. Raises UsageError."""
    return _capacity(fields.wait_for)


def with_capacity(fields: SubmitFields, wanted: Capacity | None) -> SubmitFields:
    """The fields with what to wait for."""
    if wanted is None or wanted.is_empty:
        return fields
    words = [f"gpus={wanted.gpus:g}"] if wanted.gpus else []
    words += [f"nodes={wanted.nodes}"] if wanted.nodes else []
    words += ["free=yes"] if wanted.free else []
    words += [f"timeout={wanted.timeout_s:g}s"] if wanted.timeout_s is not None else []
    words += [f"label.{name}={value}" for name, value in wanted.labels.items()]
    return msgspec.structs.replace(fields, wait_for=shlex.join(words))


def _capacity(text: str) -> Capacity:
    pairs = _pairs(text, "Wait for")
    labels = {key.removeprefix(_LABEL): value for key, value in pairs.items() if key.startswith(_LABEL)}
    plain = {key: value for key, value in pairs.items() if not key.startswith(_LABEL)}
    if unknown := [key for key in plain if key not in _WAITS]:
        raise UsageError(f"Wait for: unknown key {unknown[0]!r}.", hint=f"Known: {', '.join(_WAITS)}, label.NAME.")
    nodes = _number(plain.get("nodes", ""), "nodes") or 0
    if nodes != int(nodes):
        raise UsageError(f"Wait for: {nodes:g} is not a whole number of nodes.")
    wanted = Capacity(
        gpus=_number(plain.get("gpus", ""), "gpus") or 0,
        nodes=int(nodes),
        labels=labels,
        free=plain.get("free", "no").lower() in ("yes", "true", "1"),
        timeout_s=parse_seconds(plain["timeout"]) if "timeout" in plain else None,
    )
    check_capacity(wanted)
    return wanted


def _check_amounts(**amounts: float | None) -> None:
    check_resources(SubmitForm(entrypoint="true", num_cpus=amounts.get("num_cpus"), num_gpus=amounts.get("num_gpus")))


# What each field is checked with when it is left, in the order of the dialog.
_CHECKS: dict[str, Callable[[str], object]] = {
    "num_cpus": lambda text: _check_amounts(num_cpus=_number(text, "CPUs")),
    "num_gpus": lambda text: _check_amounts(num_gpus=_number(text, "GPUs")),
    "memory": lambda text: parse_bytes(text),
    "wait_for": lambda text: _capacity(text),
    "environment": lambda text: check_variables(_lines(text)),
    "resources": lambda text: [_amount(key, value) for key, value in _pairs(text, "Resources").items()],
    "label_selector": lambda text: _pairs(text, "Labels"),
    "metadata": lambda text: _pairs(text, "Metadata"),
    "runtime_env": lambda text: _runtime_env(text),
    "submission_id": check_id,
}


def _number(text: str, field: str) -> float | None:
    return parse_number(text, f"{field}:") if text.strip() else None


def _amount(key: str, text: str) -> float:
    number = _number(text, f"Resource {key}")
    if number is None:
        raise UsageError(f"Resource {key} needs an amount.")
    return number


def _pairs(text: str, field: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{field}: {error}.") from error
    return dict(parse_pair(word, f"{field}:") for word in words)


def _lines(text: str) -> dict[str, str]:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return dict(parse_pair(line, "Environment:") for line in lines)


def _runtime_env(text: str) -> runtime_env.RuntimeEnv:
    if not text:
        return {}
    return runtime_env.load_json(text) if text.startswith("{") else runtime_env.load_file(Path(text).expanduser())
