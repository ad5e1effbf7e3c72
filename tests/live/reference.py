"""What Ray itself says, to hold ours against: its command line and its bare replies."""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from tests.live.cluster import RayCluster
from tests.live.node import RayHead, summary
from tests.live.processes import eventually

SETTLED = ("SUCCEEDED", "FAILED", "STOPPED")
# Seconds that a small job may take, with the worker process that it needs. Ray notices a worker that fails at its start
# after 60 s, and only then starts another: two of them must fit.
JOB = 300.0
LOG_TAIL = 2000  # bytes

Row = dict[str, Any]

_ENUM = re.compile(r"<Job(?:Type|Status)\.\w+: ('\w+')>")


def job_list(cluster: RayCluster) -> dict[str, Row]:
    """What `ray job list` prints, by submission id or job id."""
    done = cluster.run_ray("job", "list")
    assert done.returncode == 0, done.stderr
    text = done.stdout + done.stderr
    listed = ast.parse(_ENUM.sub(r"\1", text[text.index("[JobDetails(") :].strip()), mode="eval").body
    assert isinstance(listed, ast.List)
    rows: list[Row] = [_value(item) for item in listed.elts]
    return {row["submission_id"] or row["job_id"]: row for row in rows}


def _value(node: ast.expr) -> Any:
    """A literal, or the keywords of a constructor call."""
    if isinstance(node, ast.Call):
        return {keyword.arg: _value(keyword.value) for keyword in node.keywords}
    return ast.literal_eval(node)


def job(head: RayHead, job_id: str) -> Row:
    """Ray's bare record of a job; empty where it knows none."""
    with head.http() as client:
        answer = client.get(f"/api/jobs/{job_id.replace('/', '%2F')}")
    found: Row = answer.json() if answer.is_success else {}
    return found


def job_in(head: RayHead, job_id: str, *statuses: str) -> Row:
    """Ray's record of a job, as soon as it has one of `statuses`. Raises TimeoutError."""

    def probe() -> Row:
        found = job(head, job_id)
        return found if found.get("status") in statuses else {}

    with explained(head, job_id):
        return eventually(probe, within=JOB, what=f"{job_id} in {statuses}")


@contextmanager
def explained(head: RayHead, job_id: str) -> Iterator[None]:
    """What is late within has Ray's side of it as notes: the job's record, its log, the complaints of the node."""
    try:
        yield
    except TimeoutError as error:
        with suppress(httpx.TransportError):
            error.add_note(f"Ray's record: {job(head, job_id)}")
        for pattern in (f"job-driver-{job_id}.log", "raylet.err"):
            for path in head.site.directory.glob(f"session_2*/logs/{pattern}"):
                error.add_note(f"{path.name}: {path.read_bytes()[-LOG_TAIL:]!r}")
        raise


def ended(head: RayHead, job_id: str) -> Row:
    """Ray's record of a job, as soon as it has ended. Raises TimeoutError."""
    return job_in(head, job_id, *SETTLED)


def submit(head: RayHead, entrypoint: str, **fields: object) -> str:
    """Submit a job by a bare request; returns its id."""
    with head.http() as client:
        answer = client.post("/api/jobs/", json={"entrypoint": entrypoint, **fields})
    assert answer.is_success, answer.text
    return str(answer.json()["submission_id"])


def node_rows(head: RayHead) -> dict[str, Row]:
    """The rows of `/nodes?view=summary` by node id."""
    with head.http() as client:
        return {row["raylet"]["nodeId"]: row for row in summary(client)}


def log_on_disk(head: RayHead, job_id: str) -> bytes:
    """The log of a job as it lies in the session's directory; all nodes of a test share it."""
    found = head.site.directory.glob(f"session_*/logs/job-driver-{job_id}.log")
    newest = max(found, key=lambda path: path.stat().st_mtime_ns)
    return newest.read_bytes()
