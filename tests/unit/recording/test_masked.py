"""What must not be written into a recording: values of secrets, the token, what is sent."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.clients.masking import Masker
from cockpit.errors import (
    ServerError,
)
from cockpit.model.jobs import JobRequest
from tests.unit.recording.session import JOBS_PATH, TOKEN, Session

SECRETS = {"WANDB_API_KEY": "wandb-secret-value", "SHORT": "x9", "QUOTED": 'pass"word\\with/ü'}


async def test_env_values_and_the_token_never_reach_the_file(session: Session) -> None:
    failing = f"env_vars must be strings, got {SECRETS['WANDB_API_KEY']}"
    await session.jobs(0.0, "a", runtime_env={"env_vars": SECRETS, "working_dir": "gcs://x.zip"}, message=failing)
    session.transport.answers["/api/jobs/b"] = {"submission_id": "b", "message": f"{SECRETS['QUOTED']} and {TOKEN}"}
    await session.client.jobs.get("b")
    session.transport.answers["/api/jobs/c"] = ServerError("no", detail=f"Authorization: Bearer {TOKEN}")
    with pytest.raises(ServerError):
        await session.client.jobs.get("c")
    await session.read_log([(1.0, b"export WANDB_API_KEY=wandb-secret-value\n")])
    text = json.dumps(session.written())
    for value in (SECRETS["WANDB_API_KEY"], json.dumps(SECRETS["QUOTED"])[1:-1], TOKEN, "Authorization: Bearer token"):
        assert value not in text
    job = json.loads(session.written()[1]["text"])[0]
    assert job["runtime_env"] == {"env_vars": dict.fromkeys(SECRETS, "***"), "working_dir": "gcs://x.zip"}
    assert job["message"] == "env_vars must be strings, got ***"


async def test_what_is_sent_is_not_written(session: Session) -> None:
    session.transport.answers[f"POST {JOBS_PATH}"] = {"submission_id": "j1"}
    await session.client.jobs.submit(JobRequest(entrypoint="run it", runtime_env={"env_vars": SECRETS}))
    _, reply = session.written()
    assert (reply["method"], reply["path"]) == ("POST", JOBS_PATH)
    assert "run it" not in json.dumps(reply)
    assert "env_vars" not in json.dumps(reply)


@pytest.mark.parametrize(
    "environment",
    [
        {"runtime_env": {"env_vars": {"KEY": "very-secret-value"}}},
        {"runtimeEnv": {"envVars": {"KEY": "very-secret-value"}}},
        {"serialized_runtime_env": '{"env_vars": {"KEY": "very-secret-value"}}'},
        {"serializedRuntimeEnv": '{"env_vars": {"KEY": "very-secret-value"}}'},
        {"serialized_runtime_env": "env_vars KEY=very-secret-value, which is no JSON"},
        {"runtime_env": {"env_vars": "KEY=very-secret-value"}},
        {"runtime_env": {"env_vars": ["very-secret-value"]}},
        {
            "data": {
                "deep": [
                    {"deployments": {"ray_actor_options": {"runtime_env": {"env_vars": {"K": "very-secret-value"}}}}}
                ]
            }
        },
        [{"message": "got very-secret-value"}, {"runtime_env": {"env_vars": {"KEY": "very-secret-value"}}}],
    ],
)
def test_values_are_masked_wherever_ray_puts_them(environment: Any) -> None:
    masked = Masker().body(json.dumps(environment).encode())
    assert b"very-secret-value" not in masked
    assert b"***" in masked
    assert type(json.loads(masked)) is type(environment)


def test_a_body_that_should_hold_values_and_cannot_be_read_is_withheld() -> None:
    assert Masker().body(b'[{"runtime_env": {"env_vars": {"KEY": "very-secret') == b""


@pytest.mark.parametrize("nesting", [b"[" * 600 + b"]" * 600, b'{"a":' * 600 + b"1" + b"}" * 600])
def test_a_body_that_is_nested_beyond_measure_is_withheld_too(nesting: bytes) -> None:
    assert Masker().body(b'[{"env_vars": {"KEY": "very-secret-value"}}, %b]' % nesting) == b""


def test_half_a_character_is_masked_like_any_other() -> None:
    masker = Masker()
    masked = masker.body(b'{"env_vars": {"KEY": "very-secret-\\ud83d"}, "message": "got very-secret-\\ud83d"}')
    assert json.loads(masked) == {"env_vars": {"KEY": "***"}, "message": "got ***"}
    assert masker.body(b'{"message": "very-secret-\\ud83d"}') == b'{"message":"***"}'
    assert masker.chunk(b"nothing of it") == b"nothing of it"


def test_a_body_without_any_is_not_touched() -> None:
    body = b'{"a":  1, "b": NaN, "c": "\\u00fc"}'
    assert Masker().body(body) == body


def test_short_values_are_masked_as_env_values_only() -> None:
    body = Masker().body(b'[{"env_vars": {"DEBUG": "1"}, "driver_exit_code": 1, "entrypoint": "run 1"}]')
    assert json.loads(body) == [{"env_vars": {"DEBUG": "***"}, "driver_exit_code": 1, "entrypoint": "run 1"}]


def test_numbers_that_look_like_a_value_stay_numbers() -> None:
    masker = Masker()
    masker.body(b'{"env_vars": {"SEED": "17950000"}}')
    assert json.loads(masker.body(b'{"start_time": 1795000012345}')) == {"start_time": 1795000012345}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@given(
    _JSON,
    st.dictionaries(st.text(min_size=1, max_size=8), st.text('abcdefXYZ"\\é', min_size=8, max_size=20), max_size=3),
)
def test_whatever_else_a_body_holds_no_env_value_survives(rest: Any, values: dict[str, str]) -> None:
    body = {"rest": rest, "again": list(values.values()), "runtime_env": {"env_vars": values}}
    masked = json.loads(Masker().body(json.dumps(body).encode()))
    assert masked["runtime_env"]["env_vars"] == dict.fromkeys(values, "***")
    assert all(value not in text for value in values.values() for text in masked["again"])
