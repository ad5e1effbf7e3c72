"""The simulated network: account, deployments, bids, leases, escrow and what changes them with time.

Nothing runs by itself: whatever should have happened since is done, at its own time, when a deployment is looked at.
The clocks and rules are those of the Console, the providers and the chain as far as their sources tell.
"""

import datetime
import itertools
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from tests.akash_sim.clock import VirtualClock
from tests.akash_sim.market import SimProvider, providers
from tests.akash_sim.sdl import SimGroup, groups_of, manifest_of, version_of

BLOCK_S = 6.1
BASE_HEIGHT = 27_000_000
VISIBLE_S = 18.0
BIDDING_S = 20.0
BID_S = 300.0
MANIFEST_S = 300.0
LEASELESS_S = 600.0
SWEEPS_UTC = ((10, 30), (22, 30))
DEPOSIT = Decimal(500_000)
HEADROOM = Decimal(5_000_000)
RUNWAY_H, LOW_H = 48, 24
BLOCKS_PER_HOUR = Decimal(3600) / Decimal("6.1")
OWNER = "akash1owner0000000000000000000000000000000"
NEVER = float("inf")


class SimKey(msgspec.Struct, kw_only=True):
    """An API key of the account."""

    value: str
    is_revoked: bool = False
    expires_at: float = NEVER


class SimBid(msgspec.Struct, kw_only=True):
    """A bid; whether it is still open depends on the time."""

    provider: SimProvider
    gseq: int
    bseq: int
    price: Decimal
    opens_at: float
    state: str = "open"

    def state_at(self, now: float) -> str:
        """The bid's state: the provider withdraws an open one after five minutes."""
        return "closed" if self.state == "open" and now >= self.opens_at + BID_S else self.state


class SimLease(msgspec.Struct, kw_only=True):
    """A lease; times are seconds since the epoch."""

    provider: SimProvider
    gseq: int
    bseq: int
    price: Decimal
    created_at: float
    state: str = "active"
    reason: int = 0
    manifest_at: float | None = None
    closed_at: float | None = None
    reclaim_at: float | None = None
    ports_seed: int = 0

    @property
    def costs(self) -> bool:
        """Whether it takes money."""
        return self.state in ("active", "reclaiming")


class SimDeployment(msgspec.Struct, kw_only=True):
    """A deployment. `funds` is the escrow at `settled_height`; the chain's own record of it may be older."""

    dseq: str
    name: str | None
    sdl: str
    manifest: str
    hash: str
    groups: tuple[SimGroup, ...]
    created_at: float
    visible_at: float
    funds: Decimal
    settled_height: int
    record: tuple[Decimal, int] = (Decimal(0), 0)
    spent: Decimal = Decimal(0)
    state: str = "active"
    escrow: str = "open"
    bids: list[SimBid] = []
    leases: list[SimLease] = []
    runtime_limit_h: int | None = None
    lease_started_at: float | None = None
    closed_at: float | None = None
    sealed: str | None = None

    @property
    def costing(self) -> list[SimLease]:
        """The leases that take money."""
        return [lease for lease in self.leases if lease.costs]

    @property
    def rate(self) -> Decimal:
        """What they take a block."""
        return sum((lease.price for lease in self.costing), Decimal(0))


class RefusedError(Exception):
    """The chain or the Console does not do it."""

    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.data = status, code, message, data


class SimWorld:
    """All of it, seeded; `available` and amounts are uact."""

    def __init__(
        self,
        *,
        seed: int = 7,
        clock: VirtualClock | None = None,
        available: Decimal = Decimal(1_000_000_000),
        market: list[SimProvider] | None = None,
        is_trial: bool = False,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.random = random.Random(seed)
        self.genesis = self.clock.time()
        self.available = available
        self.deposited = available
        self.is_trial = is_trial
        self.auto_funds = True
        self.keys = [SimKey(value=f"ac.sk.sim.{self.random.getrandbits(256):064x}")]
        self.providers = market if market is not None else providers()
        self.deployments: dict[str, SimDeployment] = {}
        self.token_secret = self.random.randbytes(32)
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], object]]] = []

    # Time

    def height(self, at: float | None = None) -> int:
        """The chain's height."""
        return BASE_HEIGHT + int(((self.clock.time() if at is None else at) - self.genesis) / BLOCK_S)

    def _time_of(self, height: int) -> float:
        return self.genesis + (height - BASE_HEIGHT) * BLOCK_S + 0.001

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        """Have something done once the clock has come so far."""
        self._due.append((self.clock.time() + seconds, next(self._order), do))

    def catch_up(self) -> None:
        """Do what was due, and settle every deployment."""
        while due := [entry for entry in self._due if entry[0] <= self.clock.time()]:
            self._due.remove(min(due))  # before it is done: that may let time pass
            min(due)[2]()
        for deployment in self.deployments.values():
            self.settle(deployment)

    # What the tenant does

    def provider(self, address: str) -> SimProvider | None:
        """A provider by its address."""
        return next((provider for provider in self.providers if provider.address == address), None)

    def deployment(self, dseq: str) -> SimDeployment | None:
        """A deployment that shows on the chain by now, settled."""
        found = self.deployments.get(dseq)
        if found is None or found.visible_at > self.clock.time():
            return None
        self.settle(found)
        return found

    def create(
        self, sdl: str, *, name: str | None, runtime_limit_h: int | None = None, asked_at: float | None = None
    ) -> SimDeployment:
        """Make a deployment. Raises RefusedError, or InvalidSdlError."""
        groups = groups_of(sdl)
        if self.available < DEPOSIT:
            needs = {"requiredAmountUsd": 0.5, "availableAmountUsd": float(self.available) / 1e6}
            raise RefusedError(402, "insufficient_balance", "Insufficient balance", **needs)
        now = self.clock.time()
        asked = now if asked_at is None else asked_at
        stamp = int(asked * 1000)
        while str(stamp) in self.deployments:
            stamp += 1
        manifest = manifest_of(sdl)
        self.available -= DEPOSIT
        found = SimDeployment(
            dseq=str(stamp), name=name, sdl=sdl, manifest=manifest, hash=version_of(manifest), groups=groups,
            created_at=now, visible_at=max(now, asked + VISIBLE_S), funds=DEPOSIT, settled_height=self.height(),
            record=(DEPOSIT, self.height()), runtime_limit_h=runtime_limit_h,
        )  # fmt: skip
        found.bids = self._bids(found)
        self.deployments[found.dseq] = found
        return found

    def _bids(self, deployment: SimDeployment) -> list[SimBid]:
        found = []
        for gseq, group in enumerate(deployment.groups, 1):
            for bseq, provider in enumerate((each for each in self.providers if each.can_serve(group)), 1):
                opens_at = deployment.created_at + BIDDING_S + provider.bid_delay_s
                price = provider.price(group)
                found.append(SimBid(provider=provider, gseq=gseq, bseq=bseq, price=price, opens_at=opens_at))
        return found

    def bids(self, deployment: SimDeployment) -> list[SimBid]:
        """The bids that have come and that Console shows: those of audited providers."""
        now = self.clock.time()
        return [bid for bid in deployment.bids if bid.opens_at <= now and bid.provider.is_audited]

    def lease(self, deployment: SimDeployment, choices: list[tuple[int, str]]) -> bool:
        """Accept bids, given as group and provider; False where a lease that is not closed makes this a repetition."""
        if any(lease.state != "closed" for lease in deployment.leases):
            return False
        now = self.clock.time()
        chosen = [self._open_bid(deployment, gseq, address, now) for gseq, address in choices]
        for bid in chosen:
            bid.state = "active"
            deployment.leases.append(
                SimLease(
                    provider=bid.provider, gseq=bid.gseq, bseq=bid.bseq, price=bid.price, created_at=now,
                    ports_seed=self.random.randrange(1000),
                )
            )  # fmt: skip
        for bid in deployment.bids:
            if bid.gseq in {each.gseq for each in chosen} and bid.state_at(now) == "open":
                bid.state = "lost"
        deployment.settled_height = self.height(now)
        deployment.lease_started_at = deployment.lease_started_at or now
        self.settle(deployment)
        return True

    def _open_bid(self, deployment: SimDeployment, gseq: int, address: str, now: float) -> SimBid:
        if deployment.state != "active" or any(lease.gseq == gseq for lease in deployment.leases):
            raise RefusedError(400, "bad_request", "order not open")
        bid = next((bid for bid in self.bids(deployment) if (bid.gseq, bid.provider.address) == (gseq, address)), None)
        if bid is None or bid.state_at(now) != "open":
            raise RefusedError(400, "bad_request", "bid not open")
        return bid

    def close(self, deployment: SimDeployment, *, at: float | None = None, reason: int = 1) -> None:
        """Close a deployment and all of its leases; what is left of the escrow comes back."""
        self._charge(deployment, self.clock.time() if at is None else at)
        self._close(deployment, self.clock.time() if at is None else at, "closed", reason)

    def close_lease(self, lease: SimLease, reason: int, *, at: float | None = None) -> None:
        """A provider closes its lease: the deployment stays active with the rest of its escrow."""
        lease.state, lease.reason = "closed", reason
        lease.closed_at = self.clock.time() if at is None else at

    # What happens by itself

    def settle(self, deployment: SimDeployment) -> None:
        """Do all that happened up to now, each at its time."""
        now = self.clock.time()
        while deployment.state == "active":
            events = [event for event in self._events(deployment) if event[0] <= now]
            if not events:
                break
            at, do = min(events, key=lambda event: event[0])
            self._charge(deployment, at)
            do(at)
        self._charge(deployment, now)

    def _charge(self, deployment: SimDeployment, at: float) -> None:
        height = self.height(at)
        blocks = height - deployment.settled_height
        if deployment.state != "active" or blocks <= 0:
            return
        cost = deployment.rate * blocks
        deployment.funds -= cost
        deployment.spent += cost
        deployment.settled_height = height

    def _events(self, deployment: SimDeployment) -> list[tuple[float, Callable[[float], None]]]:
        found: list[tuple[float, Callable[[float], None]]] = []
        for lease in deployment.costing:
            found += self._lease_events(deployment, lease)
        if deployment.rate:
            left = int(deployment.funds // deployment.rate) + 1
            found.append((self._time_of(deployment.settled_height + left), lambda at: self._run_dry(deployment, at)))
            found += self._funding(deployment)
            if deployment.runtime_limit_h is not None and deployment.lease_started_at is not None:
                ends_at = deployment.lease_started_at + deployment.runtime_limit_h * 3600
                found.append((ends_at, lambda at: self._close(deployment, at, "closed", 1)))
        elif not deployment.leases:
            swept_at = _sweep_after(deployment.created_at + LEASELESS_S)
            found.append((swept_at, lambda at: self._close(deployment, at, "closed", 1)))
        return found

    def _lease_events(self, deployment: SimDeployment, lease: SimLease) -> list[tuple[float, Callable[[float], None]]]:
        if lease.reclaim_at is not None and lease.reclaim_at < NEVER:
            return [(lease.reclaim_at, lambda at: self.close_lease(lease, 10001, at=at))]
        if lease.manifest_at is None:
            return [(lease.created_at + MANIFEST_S, lambda at: self.close_lease(lease, 10003, at=at))]
        services = deployment.groups[lease.gseq - 1].services
        unstable_at = min(_unstable_after(lease.provider, service.name) for service in services)
        return [(lease.manifest_at + unstable_at, lambda at: self.close_lease(lease, 10000, at=at))]

    def _funding(self, deployment: SimDeployment) -> list[tuple[float, Callable[[float], None]]]:
        if self.is_trial or not self.auto_funds:
            return []
        per_hour = deployment.rate * BLOCKS_PER_HOUR
        wanted = per_hour * RUNWAY_H
        if deployment.runtime_limit_h is not None and deployment.lease_started_at is not None:
            spent_h = (self._time_of(deployment.settled_height) - deployment.lease_started_at) / 3600
            wanted = min(wanted, per_hour * max(Decimal(0), deployment.runtime_limit_h - Decimal(spent_h)))
        amount = Decimal(int(min(wanted - deployment.funds, self.available - HEADROOM)))
        low = deployment.funds - min(wanted, per_hour * LOW_H)
        if amount <= per_hour / 3600:
            return []
        blocks = max(0, int(low // deployment.rate))
        at = max(self._time_of(deployment.settled_height + blocks), deployment.lease_started_at or 0.0)
        return [(at, lambda at: self._fund(deployment, amount, at))]

    def _fund(self, deployment: SimDeployment, amount: Decimal, at: float) -> None:
        amount = max(Decimal(0), min(amount, self.available - HEADROOM))
        self.available -= amount
        deployment.funds += amount
        deployment.record = (deployment.funds, self.height(at))

    def _run_dry(self, deployment: SimDeployment, at: float) -> None:
        for lease in deployment.costing:
            lease.state, lease.reason, lease.closed_at = "insufficient_funds", 20000, at
        deployment.escrow = "overdrawn"
        self._end(deployment, at)

    def _close(self, deployment: SimDeployment, at: float, state: str, reason: int) -> None:
        if deployment.state != "active":
            return
        for lease in deployment.costing:
            lease.state, lease.reason, lease.closed_at = state, reason, at
        for bid in deployment.bids:
            bid.state = "closed" if bid.state == "open" else bid.state
        self.available += max(Decimal(0), deployment.funds)
        deployment.funds = min(Decimal(0), deployment.funds)
        deployment.escrow = "closed"
        self._end(deployment, at)

    def _end(self, deployment: SimDeployment, at: float) -> None:
        deployment.state, deployment.closed_at = "closed", at
        deployment.record = (deployment.funds, self.height(at))

    # What must hold at every moment

    def money(self) -> Decimal:
        """Available, escrow and spent together: what was deposited, whatever happens."""
        escrow = sum((each.funds for each in self.deployments.values()), Decimal(0))
        spent = sum((each.spent for each in self.deployments.values()), Decimal(0))
        return self.available + escrow + spent

    def check(self) -> None:
        """Raise AssertionError where the network itself breaks its rules."""
        self.catch_up()
        assert self.money() == self.deposited, "money was made or lost"
        for deployment in self.deployments.values():
            assert deployment.state == "active" or not deployment.costing, "a closed deployment costs"
            for lease in deployment.leases:
                won = [bid for bid in deployment.bids if bid.state == "active" and bid.gseq == lease.gseq]
                assert [bid.provider for bid in won] == [lease.provider], "a lease without a bid that won"


def _unstable_after(provider: SimProvider, service: str) -> float:
    """Seconds from the manifest until the provider gives up on a service; NEVER where it does not."""
    plan, at = provider.plan(service), 0.0
    while at < NEVER:
        ready = plan.unready_until(at)
        if ready - at > provider.unready_s:
            return at + provider.unready_s
        at = plan.next_unready(ready)
    return NEVER


def _sweep_after(at: float) -> float:
    """When Console's clean-up runs next: twice a day."""
    day = datetime.datetime.fromtimestamp(at, datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    times = [
        (day + datetime.timedelta(days=days, hours=hour, minutes=minute)).timestamp()
        for days in (0, 1)
        for hour, minute in SWEEPS_UTC
    ]
    return min(each for each in times if each >= at)
