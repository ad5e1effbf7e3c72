"""The client of Akash Console against the simulated one, in both dialects."""

from decimal import Decimal

import pytest

from cockpit.clients.akash import settling
from cockpit.clients.akash.console import CreateRequest, Dialect, Grant
from cockpit.clients.akash.outcomes import Done
from tests.akash_sim.console import Dialect as SimDialect
from tests.akash_sim.console import SimConsole
from tests.akash_sim.samples import PLAIN
from tests.akash_sim.wire import client_of

pytestmark = pytest.mark.parametrize("dialect", ["august", "autumn"])


async def test_from_nothing_to_a_lease_and_back(dialect: SimDialect) -> None:
    sim = SimConsole(dialect=dialect)
    async with client_of(sim) as console:
        can = await console.dialect()
        assert isinstance(can, Dialect)
        assert can.has_names is (dialect == "autumn")
        created = await console.create(CreateRequest(sdl=PLAIN, name="lab-4f1c", runtime_limit_hours=24))
        assert isinstance(created, Done)
        dseq = created.value.dseq
        while not (bids := await console.bids(dseq)):
            await console.clock.sleep(5)
        best = min(bids, key=lambda bid: bid.price.amount)
        assert best.gpus == 2
        assert best.offers[-1].gpus[0].model == "rtx4090"
        taken = await settling.take_leases(console, [best.id], created.value.manifest)
        assert isinstance(taken, Done)
        assert taken.value.is_sent
        await console.clock.sleep(60)
        found = await console.deployment(dseq)
        (lease,) = found.leases
        assert lease.status is not None
        assert lease.status.is_ready
        port = lease.status.forwarded("gateway", 8443)
        assert port is not None
        assert port.host.endswith("sim.example")
        assert found.usd_per_hour == pytest.approx(Decimal(best.price.amount) * Decimal("0.00059"), rel=Decimal("0.01"))
        assert found.name == ("lab-4f1c" if can.has_names else None)
        token = await console.provider_token([Grant(lease=lease.id, services=("gateway",), scope=("status",))])
        assert repr(token) == "***"
        closed = await settling.close(console, dseq)
        assert isinstance(closed, Done)
        assert closed.value.deployment is not None
        assert closed.value.deployment.is_closed
        assert not (await console.deployments()).deployments
    sim.world.check()
    assert sim.world.available == sim.world.deposited - sim.world.deployments[dseq].spent
