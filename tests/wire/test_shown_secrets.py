"""Secrets known by their shape are withheld wherever a cluster names a command or a failure, in `--json` too."""

import msgspec
import pytest

from cockpit.clients.address import parse_address
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.masking import Masker
from cockpit.clients.replies import error_for_status
from cockpit.model.actors import DeathCause
from cockpit.model.events import ClusterEvent, DeadNode
from cockpit.model.jobs import Job
from cockpit.model.secret_values import WITHHELD, holds_secret, without_secrets
from cockpit.model.serve import Application
from cockpit.model.tasks import Task
from cockpit.model.train import TrainRun
from cockpit.model.workers import Worker
from tests.wire.commands import here, home
from tests.wire.fake_ray import FakeRay, serve

__all__ = ["home"]

PASSWORD = "hunter2x9"
SAID = f"OperationalError: postgres://lab:{PASSWORD}@db/runs refused; retried with --token={PASSWORD}"


@pytest.mark.usefixtures("home")
async def test_no_command_shows_the_secrets_in_a_failure() -> None:
    ray = FakeRay()
    ray.add("bad", "FAILED", message=SAID, entrypoint=f"python x.py --token={PASSWORD}", driver_exit_code=1)
    async with serve(ray) as server:
        for command in (
            ["jobs"],
            ["jobs", "--json"],
            ["jobs", "-o", "wide"],
            ["jobs", "show", "bad"],
            ["jobs", "show", "bad", "--json"],
            ["wait", "bad"],
            ["wait", "bad", "--json"],
            ["logs", "-f", "bad"],
            ["why", "bad"],
            ["delete", "bad"],
        ):
            done = await here(*command, "--address", server.url)
            assert "bad" in done.text + done.err, command
            assert PASSWORD not in done.text + done.err, command


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Job, {"message": SAID, "entrypoint": SAID}),
        (DeathCause, {"actor_died_error_context": {"error_message": SAID}}),
        (DeathCause, {"creation_task_failure_context": {"formatted_exception_string": SAID}}),
        (Task, {"error_message": SAID}),
        (ClusterEvent, {"message": SAID}),
        (DeadNode, {"state_message": SAID}),
        (Application, {"message": SAID, "deployments": {"app": {"message": SAID}}}),
        (TrainRun, {"status_detail": SAID, "attempts": [{"status_detail": SAID}]}),
        (Worker, {"exit_detail": SAID}),
    ],
)
def test_no_fact_of_a_cluster_holds_them(kind: type, body: object) -> None:
    fact: object = msgspec.json.decode(msgspec.json.encode(body), type=kind)
    shown = msgspec.json.encode(fact).decode()
    assert PASSWORD not in shown
    assert WITHHELD in shown


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 413, 422, 429, 500, 503])
def test_no_error_repeats_them(status: int) -> None:
    endpoint = Endpoint(address=parse_address("http://127.0.0.1:8265"))
    error = error_for_status(endpoint=endpoint, path="/api/jobs/", status=status, text=SAID, location="")
    assert PASSWORD not in f"{error.title}{error.detail}{error.hint}"
    assert PASSWORD not in Masker().text(SAID)  # what the Console and providers say


def test_a_long_hostile_text_is_looked_through_once() -> None:
    """Taken by the square of its length, this one does not end within the patience of a test."""
    text = f"token ://u: {'a.' * 250_000}"
    assert not holds_secret(text)
    assert without_secrets(text) == text
