"""A name outlives its address: after a failure the cluster is looked up again."""

import asyncio
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from cockpit.errors import AuthenticationError, CockpitError, NotFoundError, UnreachableError
from cockpit.feeds.topics import VERSION
from cockpit.local.containers.state import Kept, remember
from cockpit.operations.clusters.connect import Selection, choose, connect
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.overview import Overview
from cockpit.operations.clusters.sdl_access import SdlAccess
from cockpit.operations.deployments.flow import Step
from cockpit.operations.deployments.journal import Entry
from cockpit.operations.deployments.reaching import write_context
from cockpit.settings import Context
from tests.wire.commands import here, home, write_contexts
from tests.wire.fake_ray import FakeRay, serve
from tests.wire.server import until

__all__ = ["home"]

TOKEN, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


def lab(address: str, **more: str) -> str:
    """A config.toml with this context."""
    return "[contexts.lab]\n" + "".join(f'{key} = "{value}"\n' for key, value in {"address": address, **more}.items())


async def test_a_corrected_address_is_used_by_the_next_request(home: Path) -> None:
    ray = FakeRay()
    ray.add("here")
    async with serve(FakeRay()) as gone:
        write_contexts(home, lab(gone.url))
        client = await connect(choose(Selection(context="lab")))
        await client.version()
    async with client, serve(ray) as server:
        with pytest.raises(UnreachableError):
            await client.version()
        write_contexts(home, lab(server.url))
        assert (await client.jobs.get("here")).id == "here"
        assert client.address == server.url


async def test_a_replaced_token_is_used_by_the_next_request(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay()
    ray.token = TOKEN
    monkeypatch.setenv("RAYAKASH_SECRET_LAB", TOKEN)
    async with serve(ray) as server:
        write_contexts(home, lab(server.url, token="ac-secret://LAB"))
        async with await connect(choose(Selection(context="lab"))) as client:
            await client.jobs.list()
            ray.token = OTHER
            with pytest.raises(AuthenticationError):
                await client.jobs.list()
            monkeypatch.setenv("RAYAKASH_SECRET_LAB", OTHER)
            await client.jobs.list()


async def test_an_address_that_needs_consent_is_not_sent_the_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYAKASH_SECRET_LAB", TOKEN)
    async with serve(FakeRay()) as server:
        write_contexts(home, lab(server.url, token="ac-secret://LAB"))
        client = await connect(choose(Selection(context="lab")))
    async with client:
        write_contexts(home, lab("http://192.0.2.1:8265", token="ac-secret://LAB"))
        for _ in range(2):
            with pytest.raises(UnreachableError):
                await client.version()
        assert client.address == server.url


@pytest.mark.lengthy
async def test_a_wait_goes_on_at_the_corrected_address(home: Path) -> None:
    before, after = FakeRay(), FakeRay()
    before.add("x")
    after.add("x", "SUCCEEDED")
    async with serve(after) as server:
        async with serve(before) as gone:
            write_contexts(home, lab(gone.url))
            waiting = asyncio.create_task(here("-c", "lab", "wait", "x", "--retry-for", "60s"))
            await until(lambda: gone.seen("GET", "/api/jobs/x"))
        write_contexts(home, lab(server.url))
        done = await waiting
    assert (done.code, done.text) == (0, "x SUCCEEDED\n")


STRANGERS = {
    "a file server": lambda exchange: exchange.reply("Nothing matches the given URI.", status=404),
    "a page": lambda exchange: exchange.reply("<html></html>", content_type="text/html"),
}


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_stranger_at_the_old_address_causes_a_new_look(stranger: str, home: Path) -> None:
    ray = FakeRay()
    ray.add("here")
    async with serve(FakeRay()) as gone, serve(ray) as server:
        write_contexts(home, lab(gone.url))
        async with await connect(choose(Selection(context="lab"))) as client:
            await client.version()
            gone.handler = STRANGERS[stranger]
            write_contexts(home, lab(server.url))
            with pytest.raises(CockpitError):
                await client.jobs.get("here")
            assert (await client.jobs.get("here")).id == "here"


async def test_a_job_that_is_not_there_causes_no_new_look(home: Path) -> None:
    async with serve(FakeRay()) as before, serve(FakeRay()) as after:
        write_contexts(home, lab(before.url))
        async with await connect(choose(Selection(context="lab"))) as client:
            write_contexts(home, lab(after.url))
            for _ in range(2):
                with pytest.raises(NotFoundError):
                    await client.jobs.get("nobody-knows-me")
            assert client.address == before.url


async def test_the_pane_of_clusters_says_of_an_address_that_nobody_asked_that_it_is_not_asked(home: Path) -> None:
    ray = FakeRay()
    crashes: list[BaseException] = []
    overview = Overview(lambda: None, on_crash=crashes.append)
    async with serve(FakeRay()) as gone, serve(ray) as server:
        write_contexts(home, lab(gone.url))
        client = await connect(choose(Selection(context="lab")))
        await gone.refuse()
        cluster = LiveCluster(client, name="lab", on_crash=crashes.append)
        overview.wake()
        await overview.reload()
        overview.show(cluster)
        (watch := cluster.hub.watch(VERSION, lambda _: None)).resume()
        await until(lambda: overview.rows()[0].health == "away")
        address = client.address
        client.transport.resolve_again = None  # the next request goes where the last one went
        write_contexts(home, lab(server.url))
        await overview.reload()
        (row,) = overview.rows()
        assert (row.address, row.health) == (server.url, "asking")
        assert row.why == f"not asked yet: the cockpit still asks {address}"
        watch.close()
        await overview.close()
        await cluster.close()
    assert not crashes


@pytest.mark.usefixtures("home")
async def test_a_cluster_in_containers_that_came_up_on_another_port_is_found() -> None:
    """`sdl up` again, while a cockpit is open on the cluster of before."""
    ray = FakeRay()
    ray.add("here")
    async with serve(FakeRay()) as gone:
        remember("lab", Kept(Context(address=gone.url), "lab"))
        client = await connect(choose(Selection(context="lab")))
        await client.version()
    async with client, serve(ray) as server:
        with pytest.raises(UnreachableError):
            await client.version()
        remember("lab", Kept(Context(address=server.url), "lab"))
        assert (await client.jobs.get("here")).id == "here"
        assert client.address == server.url


async def test_a_deployment_that_got_another_port_is_found(home: Path) -> None:
    """An update or a redeploy writes the new address into the context that the cockpit is open on."""
    ray, said = FakeRay(), list[str]()
    ray.add("here")
    attempt = SimpleNamespace(last=SimpleNamespace(context="lab"))
    written = list[Entry]()
    journal = SimpleNamespace(attempt=attempt)
    step = cast(Step, SimpleNamespace(journal=journal, say=said.append, write=written.append, now=lambda: 1.0))
    async with serve(FakeRay()) as gone:
        write_contexts(home, lab(gone.url))
        client = await connect(choose(Selection(context="lab")))
        await client.version()
    async with client, serve(ray) as server:
        with pytest.raises(UnreachableError):
            await client.version()
        assert write_context(step, server.url, SdlAccess(scope="lab"), Decimal(1)) == "lab"
        assert said == [f"The cluster lab is at {server.url} now."]
        assert [(entry.step, entry.context) for entry in written] == [("context", "lab")]
        assert (await client.jobs.get("here")).id == "here"
