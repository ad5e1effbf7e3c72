"""One deployment's life with every call that we make to a Console, to be held against its document."""

from decimal import Decimal

from cockpit.clients.akash import settling
from cockpit.clients.akash.console import ConsoleClient, CreateRequest, Grant
from cockpit.clients.akash.outcomes import Done
from cockpit.model.akash.market import ResourceRequest, ScreeningRequest, StorageRequest
from tests.akash_sim.samples import PLAIN

SCREENING = ScreeningRequest(
    resources=(
        ResourceRequest(
            id=1, count=2, cpu_millicores=8000, memory_bytes=2**35, gpu_units=1, max_uact_per_block=Decimal(3000),
            gpu_attributes={"vendor/nvidia/model/rtx4090": "true"},
            storage=(StorageRequest(name="default", size_bytes=2**30),),
        ),
    ),
    attributes={"region": "us-west"},
)  # fmt: skip


async def every_call(console: ConsoleClient) -> None:
    """Look at the market, deploy, look at that, change it, close it."""
    await console.gpu_offers()
    (first, *_) = await console.providers()
    await console.provider(first.address)
    assert await console.screen(SCREENING)
    await console.height()
    await console.account()
    created = await console.create(CreateRequest(sdl=PLAIN, name="lab", runtime_limit_hours=24))
    assert isinstance(created, Done)
    dseq = created.value.dseq
    await console.clock.sleep(45)
    best = (await console.bids(dseq))[0].id
    taken = await settling.take_leases(console, [best], created.value.manifest)
    assert isinstance(taken, Done)
    await console.clock.sleep(60)
    await console.balance((await console.deployments()).deployments)
    await console.deployment(dseq)
    await console.provider_token([Grant(lease=best, services=("gateway",), scope=("status",))])
    await console.put_sdl(dseq, PLAIN.replace("2.10.2", "2.11.0"))
    await console.settings(dseq)
    assert isinstance(await settling.close(console, dseq), Done)
