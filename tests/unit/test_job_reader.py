"""The list of jobs, of which only what has changed is decoded."""

import json
from typing import Any

import pytest

from cockpit.clients.ray.job_wire import JobReader
from cockpit.errors import NotRayError
from cockpit.model.jobs import Job

ADDRESS = "http://127.0.0.1:8265"


def job(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "SUBMISSION", "submission_id": name, "status": "RUNNING", "start_time": 1_795_000_000_000, **fields}


def read(reader: JobReader, body: bytes) -> list[Job | None]:
    return list(reader.reading(reader.rows(body, address=ADDRESS), address=ADDRESS))


def test_a_job_that_has_not_changed_stays_the_same_object_wherever_it_stands() -> None:
    reader = JobReader()
    first = read(reader, json.dumps([job("a"), job("b"), job("c")]).encode())
    again = read(reader, json.dumps([job("c"), job("a", status="FAILED"), job("b")]).encode())
    assert again[0] is first[2]
    assert again[2] is first[1]
    assert again[1] is not None
    assert again[1].status == "FAILED"


def test_a_job_that_was_gone_for_a_while_is_read_anew() -> None:
    reader = JobReader()
    (before,) = read(reader, json.dumps([job("a")]).encode())
    assert read(reader, b"[]") == []
    (after,) = read(reader, json.dumps([job("a")]).encode())
    assert after == before
    assert after is not before


def test_values_of_the_environment_are_not_kept() -> None:
    reader = JobReader()
    found = read(reader, json.dumps([job("a", runtime_env={"env_vars": {"KEY": "hidden-value"}})]).encode())
    assert "hidden-value" not in repr(found) + repr(vars(reader))


def test_one_bad_row_hides_no_other() -> None:
    body = b'[{"submission_id": "a", "start_time": NaN}, 5, null, {"submission_id": "b", "end_time": 0}]'
    jobs = read(JobReader(), body)
    assert [found and found.submission_id for found in jobs] == ["a", None, None, "b"]
    odd = read(JobReader(), b'[{"submission_id": "a", "metadata": 5}, 7, {"submission_id": "b"}]')
    assert [found and found.submission_id for found in odd] == ["a", None, "b"]


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"<html>"])
def test_what_is_no_list_is_no_ray(body: bytes) -> None:
    with pytest.raises(NotRayError):
        read(JobReader(), body)


def test_one_odd_row_hides_no_other() -> None:
    deep = b'{"submission_id": "deep", "runtime_env": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001
    long = b'{"submission_id": "long", "start_time": ' + b"7" * 6000 + b"}"
    odd = [deep, b"0", b"NaN", b"[[1]]", b'"]"', b"{1}"]
    good = b'{"submission_id": "good", "message": "] } , {"}'
    jobs = read(JobReader(), b"[" + b" , ".join([*odd, good, long, good]) + b"]")
    assert [job.submission_id for job in jobs if job and job.submission_id == "good"] == ["good"] * 2
    assert jobs[: len(odd)] == [None] * len(odd)
