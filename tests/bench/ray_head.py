"""A real Ray to compare on: a head of its own with a token, and some short jobs that have ended."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.bench.processes import private_home
from tests.live.node import RayHead, Site
from tests.live.processes import eventually

JOBS = 5
LINES = 40


class BenchHead(NamedTuple):
    """The head, the environment of whoever speaks to it, and the job whose log is read."""

    head: RayHead
    environment: dict[str, str]
    job_id: str


@contextmanager
def ray_head(home: Path) -> Iterator[BenchHead]:
    """Start it, have it run the jobs, and end it. Raises RuntimeError, TimeoutError."""
    site = Site.create()
    head = RayHead(site, num_cpus=2)
    try:
        head.start()
        with head.http() as client:
            for number in range(JOBS):
                _run_job(client, f"bench-{number}")
        yield BenchHead(head, _environment(head, home), f"bench-{JOBS - 1}")
    finally:
        head.kill()
        site.remove()


def _environment(head: RayHead, home: Path) -> dict[str, str]:
    own = private_home(home) | {"PATH": os.environ["PATH"]}
    token = {name: value for name, value in head.site.environment().items() if name.startswith("RAY")}
    return (
        own
        | token
        | {
            "RAY_ADDRESS": head.gcs_address,
            "RAY_API_SERVER_ADDRESS": head.address,
            "RAYAKASH_ADDRESS": head.address,
        }
    )


def _run_job(client: httpx.Client, job_id: str) -> None:
    body = {"entrypoint": f"seq {LINES}", "submission_id": job_id}
    client.post("/api/jobs/", json=body).raise_for_status()

    def has_ended() -> bool:
        return str(client.get(f"/api/jobs/{job_id}").json()["status"]) == "SUCCEEDED"

    eventually(has_ended, within=120.0, what=f"the end of {job_id}")
