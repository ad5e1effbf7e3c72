"""A name outlives its address: after a failure the cluster is looked up again."""

import asyncio
from pathlib import Path

import pytest

from cockpit.errors import AuthenticationError, UnreachableError
from cockpit.operations.clusters.connect import Selection, choose, connect
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
