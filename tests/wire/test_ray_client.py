"""The traps of Ray's jobs API, one test each, with replies as Ray 2.60 was recorded to send them."""

from collections.abc import Callable
from typing import Any

import pytest

from cockpit.errors import NotFoundError, NotRayError, RejectedError, ServerError
from cockpit.feeds import job_watch
from cockpit.feeds.patience import Patience
from cockpit.model.jobs import MASK, Job, JobRequest
from cockpit.operations.jobs import control as operations
from tests.wire.clients import answered_with, replayed, talking_to
from tests.wire.fake_ray import FakeRay
from tests.wire.samples import sample


@pytest.fixture
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_watch, "POLL_SECONDS", 0.005)
    monkeypatch.setattr(job_watch, "COST_FACTOR", 0)


# Lists of jobs


async def test_list_as_recorded() -> None:
    async with replayed("jobs_list") as (client, server):
        found = await client.jobs.list()
    assert server.requests[0].target == "/api/jobs/"  # without the slash Ray answers 404
    assert [job.submission_id for job in found.rows] == ["gpu-demo-1", "raysubmit_1rPyVS5fANWQt25c"]
    running = found.rows[0]
    assert running.driver_info is not None
    assert running.driver_info.pid == 25366  # sent as a string
    assert running.metadata == {"job_submission_id": "gpu-demo-1", "owner": "ann", "job_name": "demo"}
    assert found.unreadable == 0


async def test_empty_list_as_recorded() -> None:
    async with replayed("jobs_list_empty") as (client, _):
        assert (await client.jobs.list()).rows == ()


async def test_row_that_is_no_object_is_counted_and_hides_no_other() -> None:
    async with replayed("jobs_list_mixed") as (client, _):  # its list ends with a note in words
        found = await client.jobs.list()
    assert [job.submission_id for job in found.rows] == ["t3", "t1", "r-gpu1", "r-nocmd"]
    assert found.unreadable == 1


async def test_hash_order_becomes_newest_first() -> None:
    times = {"b": 3, "d": None, "a": 1, "c": 2}
    jobs = [{"submission_id": name, "start_time": time} for name, time in times.items()]
    async with answered_with(jobs) as (client, _):
        assert [job.submission_id for job in (await client.jobs.list()).rows] == ["b", "c", "a", "d"]


async def test_nulls_everywhere() -> None:
    row = dict.fromkeys(Job.__struct_fields__)
    async with answered_with([row, {}]) as (client, _):
        assert (await client.jobs.list()).rows == (Job(), Job())


@pytest.mark.parametrize("field", Job.__struct_fields__)
async def test_wrong_type_in_one_field_loses_that_field_only(field: str) -> None:
    good = {"type": "SUBMISSION", "submission_id": "good", "status": "RUNNING", "start_time": 5, "entrypoint": "true"}
    bad = {**good, "submission_id": "bad", field: [[1], {"x": object.__name__}]}
    async with answered_with([bad, good, 7, None, "text", [good]]) as (client, _):
        found = await client.jobs.list()
    assert found.unreadable == 4
    by_id = {job.submission_id: job for job in found.rows}
    assert by_id["good"].entrypoint == "true"
    mended = by_id["bad" if field != "submission_id" else None]
    assert getattr(mended, field) is None
    kept = set(good) - {field, "submission_id"}
    assert all(getattr(mended, name) == good[name] for name in kept)


async def test_nan_infinity_and_numbers_without_end_are_unknown() -> None:
    body = (
        b'[{"submission_id": "a", "start_time": NaN, "end_time": Infinity, "driver_exit_code": 1e999,'
        b' "metadata": {"limit": 1e999}},'
        b'{"submission_id": "b", "start_time": ' + b"9" * 400 + b', "status": "RUNNING"}]'
    )
    async with answered_with(body) as (client, _):
        rows = (await client.jobs.list()).rows
    assert [(job.submission_id, job.start_time, job.end_time, job.driver_exit_code) for job in rows] == [
        ("a", None, None, None),
        ("b", None, None, None),
    ]
    assert rows[0].metadata == {"limit": None}


async def test_int64_strings_are_numbers_and_words_are_not() -> None:
    rows = [{"submission_id": "a", "start_time": "1795210829782"}, {"submission_id": "null", "start_time": "soon"}]
    async with answered_with(rows) as (client, _):
        jobs = (await client.jobs.list()).rows
    assert [(job.submission_id, job.start_time) for job in jobs] == [("a", 1795210829782), ("null", None)]


async def test_bytes_that_are_no_utf8_and_lone_surrogates_hide_nothing() -> None:
    body = b'[{"submission_id": "a", "entrypoint": "\xff"}, {"submission_id": "b", "entrypoint": "\\udcff"}]'
    async with answered_with(body) as (client, _):
        assert [job.submission_id for job in (await client.jobs.list()).rows] == ["a", "b"]


async def test_unknown_status_is_shown_and_is_not_the_end() -> None:
    async with answered_with({"submission_id": "x", "status": "HIBERNATING"}) as (client, _):
        job = await client.jobs.get("x")
    assert (job.status, job.is_terminal) == ("HIBERNATING", False)


async def test_running_driver_has_no_end_time() -> None:
    async with replayed("job_get_driver") as (client, _):
        job = await client.jobs.get("03000000")
    assert sample("job_get_driver").body["end_time"] == 0
    assert (job.is_driver, job.id, job.end_time) == (True, "03000000", None)
    assert job.start_time == 1795211701214


async def test_crashed_driver_that_shows_succeeded_has_no_known_outcome() -> None:
    rows = [{"type": "DRIVER", "job_id": "1", "status": "SUCCEEDED"}, {"submission_id": "s", "status": "SUCCEEDED"}]
    async with answered_with(rows) as (client, _):
        assert [job.outcome_is_known for job in (await client.jobs.list()).rows] == [False, True]


async def test_env_values_are_masked_even_where_ray_sends_them() -> None:
    async with replayed("jobs_list") as (client, server):
        job = (await client.jobs.list()).rows[0]
    assert sample("jobs_list").body[0]["runtime_env"] == {"env_vars": {"SECRET_KEY": "hunter2"}}
    assert job.runtime_env == {"env_vars": {"SECRET_KEY": MASK}}
    assert server.requests[0].headers["sec-fetch-mode"] == "cors"  # so that Ray withholds them by itself


@pytest.mark.parametrize("variables", ["hunter2", ["hunter2"], {"A": "hunter2", "B": {"C": "hunter2"}}])
async def test_env_values_of_any_shape_are_masked(variables: Any) -> None:
    async with answered_with({"submission_id": "x", "runtime_env": {"env_vars": variables}}) as (client, _):
        assert "hunter2" not in repr(await client.jobs.get("x"))


@pytest.mark.parametrize(
    ("entrypoint", "shown"),
    [
        ("python x.py --token=s3cr3t-s3cr3t --epochs 3", "python x.py --token=<withheld> --epochs 3"),
        ("DB=postgres://me:hunter2pw@db/x python x.py", "DB=postgres://me:<withheld>@db/x python x.py"),
        (f"A=hf_{'a' * 34} B=AKIA{'B' * 16} go", "A=<withheld> B=<withheld> go"),
        ("python train.py --epochs 3", "python train.py --epochs 3"),
        ("echo --token=$TOKEN '***'", "echo --token=$TOKEN '***'"),
    ],
)
async def test_a_command_is_shown_without_secrets_of_known_shapes(entrypoint: str, shown: str) -> None:
    async with answered_with({"submission_id": "x", "entrypoint": entrypoint}) as (client, _):
        assert (await client.jobs.get("x")).entrypoint == shown


# One job


async def test_job_is_found_by_either_id() -> None:
    ray = FakeRay()
    ray.add("train", job_id="02000000")
    async with talking_to(ray) as (client, _):
        assert await client.jobs.get("train") == await client.jobs.get("02000000")


async def test_unknown_id_as_recorded() -> None:
    async with replayed("job_get_unknown") as (client, _):
        with pytest.raises(NotFoundError, match=r"Job nope not found\.") as caught:
            await client.jobs.get("nope")
    assert caught.value.detail == ""  # Ray only repeats our sentence
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("job_id", "path"),
    [
        ("a/b", "/api/jobs/a%2Fb"),
        ("..", "/api/jobs/%2E%2E"),
        (".", "/api/jobs/%2E"),
        ("../../evil", "/api/jobs/..%2F..%2Fevil"),
        ("a b?c#d%2F", "/api/jobs/a%20b%3Fc%23d%252F"),
        ("ü", "/api/jobs/%C3%BC"),
        ("\udcff", "/api/jobs/%FF"),
    ],
)
async def test_any_id_stays_one_part_of_the_path(job_id: str, path: str) -> None:
    async with answered_with("Job it does not exist", 404) as (client, server):
        for call in (client.jobs.get, client.jobs.stop, client.jobs.delete):
            with pytest.raises(NotFoundError):
                await call(job_id)
    assert [request.path for request in server.requests] == [path, path + "/stop", path]


async def test_empty_id_is_not_the_list_of_all_jobs() -> None:
    async with answered_with([]) as (client, server):
        for call in (client.jobs.get, client.jobs.stop, client.jobs.delete):
            with pytest.raises(NotFoundError):
                await call("")
    assert server.requests == []


@pytest.mark.parametrize("body", [{"deleted": True}, {"type": None}, []])
async def test_answer_that_is_no_job(body: Any) -> None:
    async with answered_with(body) as (client, _):
        with pytest.raises(NotRayError):
            await client.jobs.get("x")


# Submitting


async def test_submit_sends_no_nulls_and_returns_the_submission_id() -> None:
    recorded = sample("job_submit_dup1")
    async with answered_with(recorded.data, recorded.status) as (client, server):
        assert await client.jobs.submit(JobRequest(entrypoint="sleep 30", submission_id="dup1")) == "dup1"
    assert server.requests[0].body == b'{"entrypoint":"sleep 30","submission_id":"dup1"}'
    assert server.requests[0].headers["content-type"] == "application/json"


async def test_duplicate_id_is_500_with_a_400_inside() -> None:
    async with replayed("job_submit_dup2") as (client, _):
        with pytest.raises(RejectedError, match=r"job with the id dup1 already exists") as caught:
            await client.jobs.submit(JobRequest(entrypoint="sleep 30", submission_id="dup1"))
    assert "Please use a different submission_id" in caught.value.detail


async def test_nested_400_tells_the_last_meaningful_line() -> None:
    async with replayed("job_submit_badlabel") as (client, _):
        with pytest.raises(RejectedError, match="refused the job: Invalid label selector value `in"):
            await client.jobs.submit(JobRequest(entrypoint="true", entrypoint_label_selector={"a": "in("}))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("job_submit_missing", "missing 1 required positional argument: 'entrypoint'"),
        ("job_submit_unknownfield", "unexpected keyword argument 'bogus'"),
        ("job_submit_badtype", "entrypoint must be a string"),
        ("job_submit_badmeta", "metadata values must be strings"),
        ("job_submit_rtenv_nondict", "runtime_env must be a dict, got <class 'str'>"),
    ],
)
async def test_traceback_tells_its_last_line(name: str, reason: str) -> None:
    async with replayed(name) as (client, _):
        with pytest.raises(RejectedError) as caught:
            await client.jobs.submit(JobRequest(entrypoint="true"))
    assert reason in caught.value.title
    assert "Traceback" not in caught.value.title
    assert "Traceback" in caught.value.detail


@pytest.mark.parametrize("name", ["job_submit_badjson", "job_submit_list"])
async def test_500_without_a_reason(name: str) -> None:
    async with replayed(name) as (client, _):
        with pytest.raises(ServerError, match="Server got itself in trouble"):
            await client.jobs.submit(JobRequest(entrypoint="true"))


async def test_malformed_content_is_accepted_with_200() -> None:
    async with replayed("job_submit_rtenv_badenvvars") as (client, _):
        assert await client.jobs.submit(JobRequest(entrypoint="true"))


@pytest.mark.parametrize("body", [{}, {"submission_id": ""}, [], {"submission_id": 7}])
async def test_acceptance_without_an_id(body: Any) -> None:
    async with answered_with(body) as (client, _):
        with pytest.raises(NotRayError):
            await client.jobs.submit(JobRequest(entrypoint="true"))


# Stopping and deleting


@pytest.mark.parametrize(
    ("name", "stopped"), [("job_stop", True), ("job_stop_pending", True), ("job_stop_terminal", False)]
)
async def test_stop_as_recorded(name: str, stopped: bool) -> None:
    async with replayed(name) as (client, _):
        assert await client.jobs.stop("x") is stopped


@pytest.mark.usefixtures("_fast")
async def test_stopped_true_on_a_job_that_stays_pending_is_no_success() -> None:
    ray = FakeRay()
    ray.add("waits", "PENDING")
    async with talking_to(ray) as (client, _):
        await operations.request_stop(client, "waits")
        with pytest.raises(RejectedError, match="still PENDING"):
            await operations.until_stopped(client, "waits", Patience(5), lambda _: None)
    assert ray.stops == ["waits"]


@pytest.mark.usefixtures("_fast")
async def test_stop_waits_until_the_job_has_ended() -> None:
    ray = FakeRay()
    ray.add("runs")
    heard: list[Job] = []
    async with talking_to(ray) as (client, server):
        job = await client.jobs.get("runs")

        def tell(job: Job) -> None:
            heard.append(job)
            ray.end("runs", "STOPPED", None)  # Ray still shows RUNNING for two seconds

        job = await operations.until_stopped(client, "runs", Patience(5), tell)
    assert (job.status, [job.status for job in heard]) == ("STOPPED", ["RUNNING"])
    assert len(server.seen("GET", "/api/jobs/runs")) >= 3


async def test_ended_job_is_not_stopped_again() -> None:
    ray = FakeRay()
    ray.add("done", "SUCCEEDED")
    async with talking_to(ray) as (client, _):
        assert (await operations.request_stop(client, "done")).status == "SUCCEEDED"
    assert ray.stops == []


@pytest.mark.parametrize("verb", ["stop", "delete"])
async def test_driver_can_be_neither_stopped_nor_deleted(verb: str) -> None:
    async with replayed(f"job_{verb}_driver") as (client, _):
        with pytest.raises(RejectedError, match=f"Can only {verb} submission type jobs"):
            await getattr(client.jobs, verb)("03000000")
    async with replayed("job_get_driver") as (client, server):
        act: Callable[..., Any] = operations.request_stop if verb == "stop" else operations.delete
        with pytest.raises(RejectedError, match="driver that was started by hand") as caught:
            await act(client, "03000000")
    assert "kill 11154" in caught.value.hint
    assert [request.method for request in server.requests] == ["GET"]


@pytest.mark.parametrize("name", ["job_delete_pending", "job_delete_running"])
async def test_delete_of_a_live_job_is_500(name: str) -> None:
    async with replayed(name) as (client, _):
        with pytest.raises(RejectedError, match="has not ended yet") as caught:
            await client.jobs.delete("x")
    assert "non-terminal state" in caught.value.detail


async def test_delete_as_recorded() -> None:
    async with replayed("job_delete") as (client, server):
        await client.jobs.delete("gpu-demo-1")
    assert server.requests[0].method == "DELETE"
    async with replayed("job_delete_unknown") as (client, _):
        with pytest.raises(NotFoundError):
            await client.jobs.delete("nope")
