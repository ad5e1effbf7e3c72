"""From a form to the request that goes to Ray."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.jobs import JobsApi
from cockpit.errors import CockpitError, NotFoundError, RejectedError, UnreachableError, UsageError
from cockpit.model.jobs import Job, JobRequest
from cockpit.operations.jobs.submit import (
    ENVIRONMENT_KEY,
    RESOURCES_KEY,
    SubmitForm,
    entrypoint_of,
    fresh_id,
    prepare,
    submit,
)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["python train.py && echo done"], "python train.py && echo done"),
        (["python", "train.py", "--lr", "1e-3"], "python train.py --lr 1e-3"),
        (["echo", "a b", "$HOME", "it's"], """echo 'a b' '$HOME' 'it'"'"'s'"""),
    ],
)
def test_entrypoint(words: list[str], expected: str) -> None:
    assert entrypoint_of(words) == expected


@pytest.mark.parametrize("words", [[], [""], ["   "], ["\t\n"]])
def test_nothing_to_run(words: list[str]) -> None:
    with pytest.raises(UsageError, match="entrypoint is missing"):
        entrypoint_of(words)


async def test_nothing_to_run_in_a_form() -> None:
    with pytest.raises(UsageError, match="entrypoint is missing"):
        await prepare(SubmitForm(entrypoint="  "))


async def test_a_command_that_was_shown_without_its_secret_is_not_sent() -> None:
    with pytest.raises(UsageError, match="lacks a secret"):
        await prepare(SubmitForm(entrypoint="python x.py --token=<withheld>"))


def test_fresh_ids_look_like_rays() -> None:
    ids = {fresh_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"raysubmit_[A-Za-z1-9]{16}", name) for name in ids)


@pytest.mark.parametrize("name", ["a/b", "../../evil", "..", ".", "-x", "a b", "ü", "x" * 64, "a\n", "_a"])
async def test_ids_that_ray_takes_and_must_not_get(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a submission id"):
        await prepare(SubmitForm(entrypoint="true", submission_id=name))


@pytest.mark.parametrize("name", ["a", "raysubmit_1rPyVS5fANWQt25c", "x" * 63, "1.2-3_4"])
async def test_ids_that_are_safe(name: str) -> None:
    assert (await prepare(SubmitForm(entrypoint="true", submission_id=name))).request.submission_id == name


async def test_smallest_request() -> None:
    request = (await prepare(SubmitForm(entrypoint="true"))).request
    assert request.submission_id is not None
    body = msgspec.json.decode(msgspec.json.encode(request))
    assert body == {"entrypoint": "true", "submission_id": request.submission_id}


async def test_resources_and_what_a_clone_needs_are_remembered() -> None:
    form = SubmitForm(
        entrypoint="true",
        num_cpus=2,
        num_gpus=0.5,
        memory=2**30,
        resources={"chips": 3.0},
        environment={"MODE": "fast"},
        metadata={"owner": "ann"},
    )
    request = (await prepare(form)).request
    assert (request.entrypoint_num_cpus, request.entrypoint_num_gpus) == (2, 0.5)
    assert (request.entrypoint_memory, request.entrypoint_resources) == (2**30, {"chips": 3.0})
    assert request.metadata is not None
    assert request.metadata["owner"] == "ann"
    assert msgspec.json.decode(request.metadata[RESOURCES_KEY]) == {
        "num_cpus": 2,
        "num_gpus": 0.5,
        "memory": 2**30,
        "resources": {"chips": 3},
    }
    assert msgspec.json.decode(request.metadata[ENVIRONMENT_KEY]) == {"MODE": None}
    assert "fast" not in str(request.metadata)


async def test_references_are_resolved_and_only_their_names_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYAKASH_SECRET_WANDB", "hunter2")
    form = SubmitForm(
        entrypoint="true",
        runtime_env={"env_vars": {"A": "file", "B": "file"}},
        environment={"B": "option", "KEY": "ac-secret://WANDB"},
    )
    prepared = await prepare(form)
    assert prepared.request.runtime_env == {"env_vars": {"A": "file", "B": "option", "KEY": "hunter2"}}
    assert prepared.secrets == ("KEY",)
    assert "hunter2" not in str(prepared.request.metadata)
    assert "ac-secret://WANDB" in str(prepared.request.metadata)


@pytest.mark.parametrize("value", ["ac-secret://", "ac-secret:X", "ac-secret://a-b", "ac-secret://NOWHERE_TO_BE_FOUND"])
async def test_reference_that_stands_for_nothing_reaches_no_container(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    with pytest.raises(UsageError):
        await prepare(SubmitForm(entrypoint="true", environment={"KEY": value}))


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B"])
async def test_names_that_no_variable_has(name: str) -> None:
    with pytest.raises(UsageError, match="environment variable"):
        await prepare(SubmitForm(entrypoint="true", environment={name: "x"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_cpus": -1.0},
        {"num_cpus": float("nan")},
        {"num_gpus": float("inf")},
        {"num_gpus": 1.5},
        {"resources": {"chips": -1.0}},
        {"memory": -1},
    ],
)
async def test_amounts_that_ray_would_fail_on_later(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        await prepare(SubmitForm(entrypoint="true", **wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"entrypoint": "echo \udcff"},
        {"metadata": {"a": "\udcff"}},
        {"environment": {"A": "\udcff"}},
        {"resources": {"\udcff": 1.0}},
        {"runtime_env": {"config": {None: 1}}},
        {"runtime_env": {"config": {1, object()}}},
    ],
)
async def test_what_no_json_can_hold_is_said_before_anything_is_sent(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="JSON"):
        await prepare(SubmitForm(**{"entrypoint": "true", **wrong}))


async def test_yaml_that_contains_itself_is_said() -> None:
    config: dict[str, Any] = {}
    config["self"] = config
    with pytest.raises(UsageError, match="JSON"):
        await prepare(SubmitForm(entrypoint="true", runtime_env={"config": config}))


class ScriptedJobs(JobsApi):
    """A submission that fails; the job is found afterwards, or not."""

    def __init__(self, lost: CockpitError, found: Job | CockpitError) -> None:
        self._lost = lost
        self._found = found
        self.submitted = 0

    async def submit(self, request: JobRequest) -> str:
        """Fails."""
        self.submitted += 1
        raise self._lost

    async def get(self, job_id: str) -> Job:
        """As scripted."""
        if isinstance(self._found, Job):
            return self._found
        raise self._found


class Scripted(RayClient):
    """A client of scripted jobs."""

    def __init__(self, lost: CockpitError, found: Job | CockpitError) -> None:
        self.jobs: ScriptedJobs = ScriptedJobs(lost, found)


LOST = "The connection broke."


async def test_lost_answer_is_looked_up_and_nothing_is_sent_twice() -> None:
    prepared = await prepare(SubmitForm(entrypoint="true", submission_id="x"))
    client = Scripted(UnreachableError(LOST), Job(submission_id="x"))
    assert await submit(client, prepared) == "x"
    assert client.jobs.submitted == 1


async def test_lost_submission_is_told_as_it_was() -> None:
    prepared = await prepare(SubmitForm(entrypoint="true", submission_id="x"))
    client = Scripted(UnreachableError(LOST), NotFoundError("no job"))
    with pytest.raises(UnreachableError, match=LOST):
        await submit(client, prepared)
    assert client.jobs.submitted == 1


async def test_submission_of_which_nobody_knows_names_the_id() -> None:
    prepared = await prepare(SubmitForm(entrypoint="true", submission_id="x"))
    with pytest.raises(UnreachableError) as caught:
        await submit(Scripted(UnreachableError(LOST), UnreachableError("gone")), prepared)
    assert "look for x" in caught.value.hint


async def test_refused_submission_is_not_looked_up() -> None:
    prepared = await prepare(SubmitForm(entrypoint="true", submission_id="x"))
    with pytest.raises(RejectedError):
        await submit(Scripted(RejectedError("no"), Job(submission_id="x")), prepared)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (SubmitForm(entrypoint="python x.py --token ac-secret://HF"), "entrypoint"),
        (SubmitForm(entrypoint="true", runtime_env={"pip": ["x @ https://u:ac-secret://HF@h/x"]}), "pip"),
        (SubmitForm(entrypoint="true", runtime_env={"config": {"a": [{"b": "ac-secret://HF"}]}}), "config"),
    ],
)
async def test_a_reference_where_nothing_replaces_it_is_refused(form: SubmitForm, name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} contains a secret reference"):
        await prepare(form)
