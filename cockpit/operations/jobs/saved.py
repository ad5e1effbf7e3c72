"""What can be submitted again: job files that were saved or used here, and earlier submissions."""

from pathlib import Path

import msgspec

from cockpit import file_saving, settings
from cockpit.errors import UsageError
from cockpit.model.env_names import is_secret_looking
from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.model.secret_values import holds_secret
from cockpit.operations.jobs import job_file
from cockpit.operations.jobs.capacity import Capacity
from cockpit.operations.jobs.submit import SubmitForm
from cockpit.operations.sdl_editor import recent

LOCAL = "job.yaml"


def job_files(here: Path | None = None) -> list[Path]:
    """Job files that were used lately, the last one first, and the one of this directory. Raises UsageError."""
    known = recent.recent(kind=recent.JOB_FILES)
    local = (here or Path.cwd()) / LOCAL
    return [*known, *([local] if local.is_file() and local not in known else [])]


def save(form: SubmitForm, wait_for: Capacity, path: Path) -> Path:
    """Write a job file; a directory means `job.yaml` in it, and the working directory is written relative to it.

    Raises UsageError where a value looks like a secret, which belongs into the secret store, and for what is there
    already and is not a job file.
    """
    target = path.expanduser().absolute()
    target = target / LOCAL if target.is_dir() else target
    _refuse_secrets(form)
    if target.exists():
        job_file.load(target)  # nothing but a job file is replaced
    relative = msgspec.structs.replace(form, working_dir=_relative(form.working_dir, target.parent), submission_id=None)
    text = job_file.dump(relative, None if wait_for.is_empty else wait_for)
    try:
        file_saving.save_bytes(target, text.encode())
    except OSError as error:
        raise settings.unwritable(target, error) from error
    recent.remember(target, kind=recent.JOB_FILES)
    return target


def _refuse_secrets(form: SubmitForm) -> None:
    for name, value in form.environment.items():
        is_reference = not value or value.startswith(REFERENCE_PREFIX)
        if not is_reference and (is_secret_looking(name) or holds_secret(value)):
            raise UsageError(
                f"The value of {name} looks like a secret, and a job file is not the place for one.",
                hint=f"Store it with `rayakash-tui secrets set {name}` and write {name}={REFERENCE_PREFIX}{name}.",
            )


def _relative(source: str | None, folder: Path) -> str | None:
    if not source or "://" in source:
        return source
    path = Path(source).expanduser().absolute()
    return (str(path.relative_to(folder)) or ".") if path.is_relative_to(folder) else str(path)
