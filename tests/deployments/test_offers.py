"""What the market offers, and which line of an SDL excludes most providers."""

from decimal import Decimal

from cockpit.operations.deployments.groups import groups_of
from cockpit.operations.deployments.offers import Wanted, explain, find_offers, screen
from cockpit.sdl.document import SdlDocument
from tests.akash_sim.console import SimConsole
from tests.akash_sim.samples import PLAIN
from tests.akash_sim.wire import client_of


async def test_offers_are_filtered_by_what_one_node_has() -> None:
    """Free GPUs of a provider say nothing about one node."""
    console = SimConsole()
    client = client_of(console, key=None)
    every = await find_offers(client, Wanted())
    assert {one.gpu.model for one in every} >= {"rtx4090", "h100"}
    assert {one.gpu.model for one in await find_offers(client, Wanted(model="h1"))} == {"h100"}
    for provider in console.world.providers:
        provider.nodes = [2, 2, 2, 2]
    assert await find_offers(client_of(console, key=None), Wanted(count=4)) == []
    assert all((one.gpu.ram or "") == "80Gi" for one in await find_offers(client, Wanted(ram_bytes=48 << 30)))


async def test_a_region_counts_the_providers_there() -> None:
    """Those that are elsewhere do not count."""
    found = await find_offers(client_of(SimConsole(), key=None), Wanted(region="eu"))
    assert [(one.gpu.model, one.providers, one.regions) for one in found] == [("h100", 2, ("eu-central",))]


async def test_the_line_that_excludes_most_is_named() -> None:
    """By the file's own line."""
    console = SimConsole()
    document = SdlDocument(PLAIN.replace("model: rtx4090", "model: rtx5090"))
    client = client_of(console, key=None)
    (found,) = await screen(client, groups_of(document))
    explained = await explain(client, found, document)
    worst = explained.worst
    assert found.providers == ()
    assert worst is not None
    assert worst.requirement == "ray-worker: GPU rtx5090"
    assert worst.line is not None
    assert "rtx5090" in document.text.splitlines()[worst.line - 1]
    assert worst.without > 0


async def test_a_price_that_is_too_low_is_blamed() -> None:
    """Providers then stay silent: the commonest reason for no bid."""
    console = SimConsole()
    document = SdlDocument(PLAIN.replace("amount: 3000", "amount: 3").replace("amount: 1000", "amount: 1"))
    client = client_of(console, key=None)
    console.world.providers[0].gpu_price = Decimal(40)
    (found,) = await screen(client, groups_of(document))
    worst = (await explain(client, found, document)).worst
    assert worst is not None
    assert worst.requirement == "the price ceiling"
    assert worst.line == next(n for n, line in enumerate(document.text.splitlines(), 1) if "amount: 3}" in line)


async def test_what_excludes_nobody_is_not_blamed() -> None:
    """Where all fit there is no worst line."""
    console = SimConsole()
    for provider in console.world.providers:
        provider.model = "rtx4090"
        provider.ram, provider.interface, provider.nodes = "24Gi", "pcie", [8]
        provider.gpu_price = Decimal(500)
    document = SdlDocument(PLAIN)
    client = client_of(console, key=None)
    (found,) = await screen(client, groups_of(document))
    assert found.providers
    assert (await explain(client, found, document)).worst is None
