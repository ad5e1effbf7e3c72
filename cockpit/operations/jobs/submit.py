"""Submitting a job: what the user filled in, checked, made into Ray's request, and sent once."""

import asyncio
import random
import re
import shlex
import string
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.errors import CockpitError, NotFoundError, RejectedError, UnreachableError, UsageError
from cockpit.feeds.patience import Patience
from cockpit.model.jobs import METADATA_PREFIX, JobRequest, is_submission_id
from cockpit.model.secret import REFERENCE_PREFIX, reference_name
from cockpit.model.secret_values import WITHHELD
from cockpit.model.uploads import UploadPlan, UploadProgress, UploadResult
from cockpit.operations.jobs.runtime_env import RuntimeEnv
from cockpit.operations.sending import NO_CONSENT, Consent, agree_to_secrets
from cockpit.secrets.names import DEFAULT_SCOPE
from cockpit.secrets.references import resolve_references

ID_ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("IloO0")))
RESOURCES_KEY = METADATA_PREFIX + "resources"
ENVIRONMENT_KEY = METADATA_PREFIX + "env"

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SubmitForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a user filled in. Memory in bytes; `environment` values may be `ac-secret://NAME` references."""

    entrypoint: str
    submission_id: str | None = None
    runtime_env: RuntimeEnv = {}
    working_dir: str | None = None
    environment: dict[str, str] = {}
    metadata: dict[str, str] = {}
    num_cpus: float | None = None
    num_gpus: float | None = None
    memory: int | None = None
    resources: dict[str, float] = {}
    label_selector: dict[str, str] = {}


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A checked form: the request without its package, and the upload that belongs to it.

    `secrets` are variables whose references were resolved, `references` the names of these secrets.
    """

    request: JobRequest
    plan: UploadPlan | None = None
    secrets: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


def entrypoint_of(words: Sequence[str]) -> str:
    """The shell command that the words after `--` stand for: one word is a command line as it is.

    Raises UsageError where there is nothing to run; Ray would call an empty command a success.
    """
    text = words[0] if len(words) == 1 else shlex.join(words)
    if not text.strip():
        raise UsageError("The entrypoint is missing.", hint="Give it after --, for example: -- python train.py")
    return text


def fresh_id() -> str:
    """A submission id in the manner of Ray's own: `raysubmit_` and 16 unambiguous characters."""
    return "raysubmit_" + "".join(random.SystemRandom().choices(ID_ALPHABET, k=16))


async def prepare(form: SubmitForm, *, scopes: Sequence[str] = (DEFAULT_SCOPE,), in_thread: bool = False) -> Prepared:
    """Check a form, look at what would be uploaded, and resolve its secret references in the scopes.

    A keyring may take its time: a face that must not stand still asks for it `in_thread`; one that asks for a
    passphrase on the terminal needs the main thread for that. Raises UsageError for whatever is wrong with the form;
    nothing has been sent then.
    """
    submission_id = form.submission_id or fresh_id()
    check_id(submission_id)
    entrypoint_of([form.entrypoint])
    _check_withheld(form.entrypoint)
    check_resources(form)
    given = {**form.runtime_env.get("env_vars", {}), **form.environment}
    resolve = partial(resolve_environment, given, scopes)
    variables = await asyncio.to_thread(resolve) if in_thread else resolve()
    plan = await _plan(form)
    return Prepared(
        request=_request(form, submission_id, given, variables),
        plan=plan,
        secrets=tuple(name for name, value in given.items() if value.startswith(REFERENCE_PREFIX)),
        references=tuple(name for value in given.values() if (name := reference_name(value)) is not None),
    )


def _check_withheld(entrypoint: str) -> None:
    """A command that was shown without its secret would run without it."""
    if WITHHELD in entrypoint:
        raise UsageError(
            f"The command lacks a secret where it says {WITHHELD}: Ray's copy of it is not shown.",
            hint="Write it again; better as a variable: --env TOKEN=ac-secret://NAME, and $TOKEN in the command.",
        )


def check_id(submission_id: str) -> None:
    """Raise UsageError for what cannot be an ID."""
    if not is_submission_id(submission_id):
        raise UsageError(
            f"{submission_id!r} cannot be a submission id.",
            hint="Use up to 63 letters, digits, dots, dashes and underscores, beginning with a letter or a digit.",
        )


def _request(form: SubmitForm, submission_id: str, given: Mapping[str, str], variables: dict[str, str]) -> JobRequest:
    """The request, if it can be encoded: not with invalid UTF-8 in argv, or YAML that contains itself."""
    try:
        request = JobRequest(
            entrypoint=form.entrypoint,
            submission_id=submission_id,
            runtime_env=_runtime_env(form, variables) or None,
            metadata={**_remembered(form, given), **form.metadata} or None,
            entrypoint_num_cpus=form.num_cpus,
            entrypoint_num_gpus=form.num_gpus,
            entrypoint_memory=form.memory,
            entrypoint_resources=form.resources or None,
            entrypoint_label_selector=form.label_selector or None,
        )
        _check_references(request)
        msgspec.json.encode(request)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError("The job cannot be encoded as JSON.", detail=str(error)) from error
    return request


def _check_references(request: JobRequest) -> None:
    """Only values of variables are replaced; elsewhere a reference would reach the cluster as it is."""
    rest = {key: value for key, value in (request.runtime_env or {}).items() if key != "env_vars"}
    for name, value in {"entrypoint": request.entrypoint, **rest}.items():
        if REFERENCE_PREFIX in msgspec.json.encode(value).decode():
            raise UsageError(
                f"{name} contains a secret reference; only values of environment variables are replaced.",
                hint=f"Pass it as a variable: --env NAME={REFERENCE_PREFIX}NAME, and read $NAME in the job.",
            )


def resolve_environment(given: Mapping[str, str], scopes: Sequence[str] = (DEFAULT_SCOPE,)) -> dict[str, str]:
    """The variables with references replaced by their values. Raises UsageError for a bad name or reference."""
    check_variables(given)
    values = resolve_references([value for value in given.values() if value.startswith("ac-secret:")], scopes=scopes)
    return {name: values[value].reveal() if value in values else value for name, value in given.items()}


def check_variables(given: Mapping[str, str]) -> None:
    """Raise UsageError for a name that no variable can have, and for a reference inside a longer value."""
    for name in given:
        if not _VARIABLE.fullmatch(name):
            raise UsageError(f"{name!r} is not a name of an environment variable.")
    for name, value in given.items():
        if not value.startswith("ac-secret:") and REFERENCE_PREFIX in value:
            raise UsageError(
                f"{name} contains a secret reference inside a longer value; only a whole value is replaced.",
                hint=f"Store the whole value: `rayakash-tui secrets set {name}`, then {name}={REFERENCE_PREFIX}{name}.",
            )


def check_resources(form: SubmitForm) -> None:
    """Raise UsageError for amounts that Ray cannot give."""
    numbers = {"CPUs": form.num_cpus, "GPUs": form.num_gpus, "memory": form.memory, **form.resources}
    for name, number in numbers.items():
        if number is not None and not 0 <= number < float("inf"):
            raise UsageError(f"Invalid number of {name}: {number:g}.")
    if form.num_gpus is not None and form.num_gpus > 1 and form.num_gpus != int(form.num_gpus):
        raise UsageError(f"{form.num_gpus:g} GPUs: Ray accepts fractional GPUs only below 1.")


async def _plan(form: SubmitForm) -> UploadPlan | None:
    source = form.working_dir or form.runtime_env.get("working_dir")
    if not source:
        return None
    from cockpit.operations.jobs.upload import plan_upload  # brings zip and tar, which most jobs do without

    return await plan_upload(source, form.runtime_env.get("excludes") or ())


def _runtime_env(form: SubmitForm, variables: dict[str, str]) -> RuntimeEnv:
    kept = {key: value for key, value in form.runtime_env.items() if key not in ("working_dir", "excludes", "env_vars")}
    return {**kept, "env_vars": variables} if variables else kept


def _remembered(form: SubmitForm, given: Mapping[str, str]) -> dict[str, str]:
    """What Ray will not give back and a clone needs: resources, names of variables and their references."""
    asked: dict[str, Any] = {
        "num_cpus": form.num_cpus,
        "num_gpus": form.num_gpus,
        "memory": form.memory,
        "resources": form.resources or None,
        "label_selector": form.label_selector or None,
    }
    asked = {key: value for key, value in asked.items() if value is not None}
    references = {name: value if value.startswith(REFERENCE_PREFIX) else None for name, value in given.items()}
    found = {RESOURCES_KEY: asked, ENVIRONMENT_KEY: references}
    return {key: msgspec.json.encode(value).decode() for key, value in found.items() if value}


async def submit(
    client: RayClient,
    prepared: Prepared,
    *,
    consent: Consent = NO_CONSENT,
    uploaded: Callable[[UploadResult], None] = lambda _: None,
    progress: Callable[[UploadProgress], None] | None = None,
    patience: Patience | None = None,
) -> str:
    """Upload what belongs to the job and submit it; returns the submission id.

    Nothing is sent where secrets need a `consent` that is refused: UsageError. Raises RejectedError with Ray's reason,
    and what the client raises; an outage is sat out as long as `patience` allows, which is not at all without it. Where
    the answer to the submission was lost it is looked up whether the job exists, so that a retry cannot run it twice.
    """
    if prepared.references:
        await agree_to_secrets(client.transport.endpoint, prepared.references, consent)
    patience = patience or Patience(0)
    request = prepared.request
    if prepared.plan is not None:
        from cockpit.operations.jobs.upload import upload

        result = await patience.through(partial(upload, client.packages, prepared.plan, progress=progress))
        uploaded(result)
        request = msgspec.structs.replace(
            request, runtime_env={**(request.runtime_env or {}), "working_dir": result.uri}
        )
    return await patience.through(_Submission(client, request).attempt)


class _Submission:
    """One job on its way to the cluster, however many attempts that takes."""

    def __init__(self, client: RayClient, request: JobRequest) -> None:
        self._client = client
        self._request = request
        self._may_be_there = False

    async def attempt(self) -> str:
        """Submit, unless an attempt whose answer was lost has done so; returns the submission id."""
        submission_id = self._request.submission_id or ""
        if self._may_be_there and await self._is_there(submission_id):
            return submission_id
        try:
            return await self._client.jobs.submit(self._request)
        except RejectedError:
            if self._may_be_there and await self._is_there(submission_id):  # the lost attempt was only slow
                return submission_id
            raise
        except UnreachableError as error:
            if not error.was_sent:
                raise
            self._may_be_there = True
            return await _found_again(self._client, submission_id, error)

    async def _is_there(self, submission_id: str) -> bool:
        try:
            await self._client.jobs.get(submission_id)
        except NotFoundError:
            return False
        return True


async def _found_again(client: RayClient, submission_id: str, lost: UnreachableError) -> str:
    try:
        await client.jobs.get(submission_id)
    except NotFoundError:
        raise lost from None
    except CockpitError:
        lost.hint = f"Whether the job was accepted is not known: look for {submission_id} before submitting again."
        raise lost from None
    return submission_id
