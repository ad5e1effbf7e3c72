"""A simulated Console with faults, and a client of it."""

from cockpit.clients.akash import settling
from cockpit.clients.akash.console import ConsoleClient, Created, CreateRequest
from cockpit.clients.akash.outcomes import Done, Outcome
from cockpit.clients.akash.settling import Leased
from cockpit.model.akash.market import Bid
from tests.akash_sim.console import Dialect, SimConsole
from tests.akash_sim.faults import (
    Fault,
)
from tests.akash_sim.samples import PLAIN
from tests.akash_sim.wire import client_of
from tests.akash_sim.world import SimWorld

CREATE, LIST, LEASE = "POST /v1/deployments", "GET /v1/deployments", "POST /v1/leases"
REQUEST = CreateRequest(sdl=PLAIN, name="lab-4f1c9a")


class Scene:
    """A simulated Console with faults, a client of it, and a deployment where one is wanted."""

    def __init__(self, *faults: Fault, dialect: Dialect = "autumn", world: SimWorld | None = None) -> None:
        self.sim = SimConsole(world, dialect=dialect)
        self.console: ConsoleClient = client_of(self.sim)
        self.sim.faults.add(*faults)

    @property
    def now(self) -> float:
        return self.sim.world.clock.time()

    async def created(self, sdl: str = PLAIN) -> Created:
        outcome = await self.console.create(CreateRequest(sdl=sdl, name="lab-4f1c9a"))
        assert isinstance(outcome, Done)
        return outcome.value

    async def bids(self, created: Created) -> list[Bid]:
        await self.console.clock.sleep(45)
        return sorted(await self.console.bids(created.dseq), key=lambda bid: bid.price.amount)

    async def taken(self, *faults: Fault) -> Outcome[Leased]:
        """Make a deployment, then take its cheapest bid with these faults."""
        created = await self.created()
        best = (await self.bids(created))[0]
        self.sim.faults.add(*faults)
        return await settling.take_leases(self.console, [best.id], created.manifest)

    async def lost_create(self, request: CreateRequest = REQUEST) -> tuple[Outcome[Created], Outcome[Created], float]:
        """A create, what reading makes of it, and how long that took."""
        before = frozenset(row.dseq for row in (await self.console.deployments()).deployments)
        sent_at = self.now
        first = await self.console.create(request)
        lost_at = self.now
        found = await settling.find_created(self.console, request, before=before, sent_at=sent_at)
        return first, found, self.now - lost_at
