"""What was submitted from this machine, so that it can be submitted again with today's code."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cockpit import settings
from cockpit.errors import NotFoundError, UsageError
from cockpit.model.env_names import is_secret_looking
from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.model.secret_values import holds_secret
from cockpit.operations.jobs.submit import SubmitForm
from cockpit.secrets.files import exclusive, read_own, replace

MAX_SUBMISSIONS = 200
LARGEST_BYTES = 8 << 20


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """One submission. `submitted_at` is in seconds since the epoch; a local `form.working_dir` is absolute.

    Values of variables that look like secrets are not kept: their names are in `withheld`, their values empty.
    """

    submitted_at: float
    submission_id: str
    address: str
    context: str | None = None
    form: SubmitForm
    withheld: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True):
    submissions: list[Submission]


def remember(
    form: SubmitForm, submission_id: str, *, address: str, context: str | None = None, directory: Path | None = None
) -> bool:
    """Put a submission in front of the earlier ones; False, and nothing kept, where the form itself holds a secret.

    Raises UsageError where the record cannot be written.
    """
    kept, withheld = _without_secrets(form)
    if holds_secret(msgspec.json.encode(kept).decode()):
        return False
    new = Submission(
        submitted_at=time.time(),
        submission_id=submission_id,
        address=address,
        context=context,
        form=kept,
        withheld=withheld,
    )
    path = _path(directory)
    with exclusive(path):
        try:
            before = _submissions(path)
        except UsageError:
            before = []  # an unreadable record is begun again: nothing but convenience is lost
        replace(path, msgspec.json.encode(_File([new, *before][:MAX_SUBMISSIONS])))
    return True


def history(*, directory: Path | None = None) -> list[Submission]:
    """What was submitted, the last one first. Raises UsageError."""
    return _submissions(_path(directory))


def find(prefix: str | None, *, directory: Path | None = None) -> Submission:
    """The last submission whose ID begins so, or the last of all. Raises NotFoundError; UsageError for several IDs."""
    found = [one for one in history(directory=directory) if one.submission_id.startswith(prefix or "")]
    if not found:
        raise NotFoundError(
            f"No submission {prefix!r} was made from this machine." if prefix else "Nothing was submitted yet.",
            hint="In the cockpit, c on a job submits it again.",
        )
    exact = [one for one in found if one.submission_id == prefix]
    others = {one.submission_id for one in found}
    if prefix and not exact and len(others) > 1:
        raise UsageError(
            f"{prefix!r} begins {len(others)} submission IDs.", hint=f"Such as {' '.join(sorted(others)[:3])}"
        )
    return (exact or found)[0]


def of_job(submission_id: str | None, entrypoint: str | None, *, directory: Path | None = None) -> Submission | None:
    """The submission that made a job; None where it was made elsewhere. Raises UsageError for an unreadable record.

    Another cluster may have a job of the same ID: the entrypoint has to be the same, too.
    """
    made = (one for one in history(directory=directory) if one.submission_id == submission_id)
    return next((one for one in made if one.form.entrypoint == entrypoint), None)


def _without_secrets(form: SubmitForm) -> tuple[SubmitForm, tuple[str, ...]]:
    """The form with a fresh ID to come, an absolute directory, and no value of a variable that looks like a secret."""
    inherited: Mapping[str, Any] = form.runtime_env.get("env_vars") or {}
    variables = {**{name: str(value) for name, value in inherited.items()}, **form.environment}
    withheld = tuple(name for name, value in variables.items() if _is_secret(name, value))
    environment = {name: "" if name in withheld else value for name, value in variables.items()}
    rest = {key: value for key, value in form.runtime_env.items() if key != "env_vars"}
    source = form.working_dir or rest.pop("working_dir", None)
    return (
        msgspec.structs.replace(
            form, submission_id=None, environment=environment, runtime_env=rest, working_dir=_absolute(source)
        ),
        withheld,
    )


def _is_secret(name: str, value: str) -> bool:
    return bool(value) and not value.startswith(REFERENCE_PREFIX) and (is_secret_looking(name) or holds_secret(value))


def _absolute(source: str | None) -> str | None:
    return source if not source or "://" in source else str(Path(source).expanduser().absolute())


def _path(directory: Path | None) -> Path:
    return (directory or settings.state_directory()) / "submissions.json"


def _submissions(path: Path) -> list[Submission]:
    data = read_own(path, LARGEST_BYTES)
    try:
        return [] if data is None else msgspec.json.decode(data, type=_File).submissions
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"Cannot read {path}.", detail=str(error), hint="Remove it to start over.") from None
