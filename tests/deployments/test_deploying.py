"""The whole of a deployment against the simulated network, from the file to a named cluster and back to nothing."""

import pytest

from cockpit.errors import CockpitError, RejectedError
from cockpit.operations.clusters.contexts import known_clusters
from cockpit.operations.deployments.deploying import Deploying, Tools
from cockpit.operations.deployments.ending import close
from cockpit.operations.deployments.flow import Terms
from cockpit.operations.deployments.journal import Journal, attempts, provider_records
from tests.akash_sim.console import SimConsole
from tests.akash_sim.pods import PodPlan
from tests.deployments.sources import ConsoleSource
from tests.deployments.stage import CPU, Run

pytestmark = pytest.mark.usefixtures("session_secrets")


@pytest.mark.parametrize("dialect", ["august", "autumn"])
async def test_from_a_file_to_a_cluster_with_a_name_and_back(dialect: str) -> None:
    """The context has the forwarded port, the cost and references; after the close all is gone."""
    console = SimConsole(dialect=dialect)  # type: ignore[arg-type]
    run = Run(console)
    ready = await run()
    assert ready.context == "lab"
    row = known_clusters().row("lab")
    assert row is not None
    assert (row.address, row.is_current) == (ready.address, True)
    assert row.cost == pytest.approx(float(ready.usd_per_hour), abs=1e-4)
    assert run.tried[0].port >= 30000
    assert console.count("POST", "/v1/deployments") == 1
    attempt = attempts()[0]
    ended = await close(run.client, Journal.resume(attempt.path), ready.dseq, try_it=run.probe)
    assert (ended.context, ended.port_is_dead) == ("lab", True)
    assert known_clusters().row("lab") is None
    assert run.costing() == []


async def test_without_waiting_it_ends_at_the_lease() -> None:
    """It costs, and is said to."""
    run = Run(SimConsole())
    ready = await run(waits=False)
    assert ready.context is None
    assert run.costing() == [ready.dseq]
    assert attempts()[0].step == "leased"


async def test_before_the_question_nothing_is_asked_twice_and_nothing_made() -> None:
    """Eight requests at most."""
    console = SimConsole()
    await Run(console).prepared()
    asked = [(one.method, one.path, tuple(one.query.items())) for one in console.requests]
    assert len(asked) == len(set(asked)) <= 8
    assert run_free(console)


def run_free(console: SimConsole) -> bool:
    """Whether nothing was made."""
    return not console.world.deployments


async def test_from_the_question_to_bids_it_asks_once_more_than_it_must() -> None:
    """The create, a poll each five seconds, and the key that secrets are sealed with."""
    console = SimConsole()
    run = Run(console)
    prepared = await run.prepared()
    before = len(console.requests)
    tools = Tools(source=lambda client, _: ConsoleSource(client), probe=run.probe)
    await Deploying(run.client, prepared, Terms(), run.hear, waits=False, tools=tools).run(run.ask)
    paths = [one.path for one in console.requests[before:]]
    assert [path for path in paths if path != "/v1/bids"] == [
        "/v1/sdl-secrets-context", "/v1/deployments", "/v1/leases",
    ]  # fmt: skip


async def test_a_dead_port_is_closed_and_rented_elsewhere() -> None:
    """Each round has a confirmation of its own, and the provider is remembered."""
    console = SimConsole()
    run = Run(console)
    run.first_is_dead = True
    ready = await run()
    assert run.costing() == [ready.dseq]
    assert (len(run.asked), console.count("POST", "/v1/deployments")) == (1, 2)
    failed = next(one.address for one in console.world.providers if one.host == run.tried[0].host)
    (failure,) = provider_records()[failed].failures
    assert "does not answer from here" in failure.reason
    assert run.tried[-1].host != run.tried[0].host


async def test_a_crash_loop_closes_by_itself_is_told_and_tried_elsewhere_at_most_twice() -> None:
    """Bounded: three rounds, nothing left."""
    console = SimConsole()
    for provider in console.world.providers:
        provider.plans = {"*": PodPlan(trouble="crash-loop", stuck=1)}
    run = Run(console)
    with pytest.raises(RejectedError, match="not ready for about 8 minutes") as caught:
        await run()
    assert run.costing() == []
    assert console.count("POST", "/v1/deployments") == 3
    assert len(run.asked) == 2
    assert caught.value.hint == "The deployment is closed and costs nothing."
    assert any("closes the lease in about" in words for words in run.said)


async def test_a_no_ends_it_after_the_first() -> None:
    """Nothing is made that was not agreed to."""
    console = SimConsole()
    for provider in console.world.providers:
        provider.manifest = "refuses"
    run = Run(console, answers=False)
    with pytest.raises(RejectedError):
        await run()
    assert run.costing() == []
    assert console.count("POST", "/v1/deployments") == 1


async def test_secrets_are_in_no_journal() -> None:
    """Nor is the API key; sealed they are not even in the request."""
    console = SimConsole()
    run = Run(console)
    await run()
    text = "".join(one.path.read_text() for one in attempts())
    assert "canary" not in text
    assert console.world.keys[0].value not in text
    assert all(b"canary" not in request.body for request in console.requests)


async def test_a_console_that_cannot_seal_gets_the_values_inside() -> None:
    """The plan says so before."""
    console = SimConsole(dialect="august")
    run = Run(console)
    prepared = await run.prepared()
    assert prepared.travel == "inside"
    assert prepared.plan.runtime.hours is None
    assert not prepared.plan.has_limits


async def test_an_sdl_with_errors_is_refused_before_anything_is_asked() -> None:
    """Every error with its line."""
    console = SimConsole()
    run = Run(console, text=CPU.replace("memory:", "memroy:"))
    with pytest.raises(CockpitError, match="nothing was sent") as caught:
        await run.prepared()
    assert "lab.yaml:" in caught.value.detail
    assert console.requests == []
