"""All saved clusters, side by side: asked seldom, each at its own pace, and only while the pane is visible."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.ssh.questions import ssh_unasked
from cockpit.errors import AuthenticationError, CockpitError, UntrustedError
from cockpit.feeds.clock import Clock, SystemClock
from cockpit.feeds.hub import Hub
from cockpit.feeds.topics import JOBS, USAGE, VERSION
from cockpit.feeds.watch import Watch
from cockpit.model.akash.lease_money import LeaseMoney
from cockpit.model.cluster_rows import ClusterRow, Health, Source
from cockpit.model.nodes import Usage
from cockpit.model.snapshot import Snapshot, State
from cockpit.operations.background import aside
from cockpit.operations.clusters.connect import Selection, Target, choose, connect
from cockpit.operations.clusters.contexts import Known, known_clusters
from cockpit.operations.clusters.live import EXPOSURE, Crash, LiveCluster
from cockpit.operations.clusters.protection import protection_of
from cockpit.secrets.passphrase import unasked

HEALTH_SECONDS, JOBS_SECONDS = 30.0, 60.0
RETRY_SECONDS = 60.0
LINGER_SECONDS = 60.0  # an unused tunnel is closed after this time

_WANT_A_PERSON = ("ssh-not-let-in", "ssh-host-unknown")


class Overview:
    """Watches every cluster while it is awake; `changed` is called whenever a row may be another."""

    def __init__(self, changed: Callable[[], None], *, on_crash: Crash, clock: Clock | None = None) -> None:
        self.problems: tuple[str, ...] = ()
        self.money: Callable[[str], LeaseMoney | None] = lambda _: None
        """What the lease behind a cluster costs, by the cluster's name."""
        self.is_awake = False
        self._clock = clock or SystemClock()
        self._changed = changed
        self._on_crash = on_crash
        self._seats: dict[str, _Seat] = {}
        self._turn = asyncio.Lock()
        self._cluster: LiveCluster | None = None
        self._unsaved: _Seat | None = None

    def rows(self) -> list[ClusterRow]:
        """The open cluster if it is not saved (a demo, an address), then those of the file in its order."""
        unsaved = [self._unsaved.row()] if self._unsaved is not None else []
        return [*unsaved, *(self._priced(seat.row()) for seat in self._seats.values())]

    def _priced(self, row: ClusterRow) -> ClusterRow:
        """The row with what its lease costs; that is nearer to the truth than what was written down once."""
        if (money := self.money(row.name)) is None:
            return row
        cost = 0.0 if money.ended else float(money.usd_per_hour)
        return msgspec.structs.replace(row, money=money, cost=cost)

    async def reload(self) -> None:
        """Read again which clusters there are. Raises UsageError where that cannot be read."""
        found = await aside(known_clusters)
        self.problems = found.problems
        known = {row.name: row for row in found.rows}
        for name in [name for name, seat in self._seats.items() if seat.differs(known.get(name))]:
            await self._seats.pop(name).close()
            if self._cluster is not None and self._cluster.name == name:
                self._cluster.client.transport.look_again()
                self._cluster.hub.kick()
        seats = {name: self._seats.get(name) or self._seat(row) for name, row in known.items()}
        for name, seat in seats.items():
            seat.known = known[name]
        self._seats = seats
        if self.is_awake:
            self.wake()
        self.show(self._cluster)

    def _seat(self, known: Known) -> "_Seat":
        return _Seat(known, self._changed, turn=self._turn, clock=self._clock, on_crash=self._on_crash)

    def show(self, cluster: LiveCluster | None) -> None:
        """This cluster is on the screen: what is known of it already is not asked for twice."""
        self._cluster = cluster
        for name, seat in self._seats.items():
            seat.borrow(cluster.hub if cluster is not None and cluster.name == name else None, cluster)
        self._show_unsaved(cluster if cluster is not None and cluster.name not in self._seats else None)
        self._begin()
        self._changed()

    def _show_unsaved(self, cluster: LiveCluster | None) -> None:
        if self._unsaved is not None:
            self._unsaved.borrow(None, None)
        if cluster is None:
            self._unsaved = None
            return
        source: Source = "replay" if cluster.is_replay else "session"
        known = Known(name=cluster.name, address=cluster.address, source=source, is_read_only=cluster.is_read_only)
        self._unsaved = self._seat(known)
        self._unsaved.borrow(cluster.hub, cluster)
        if self.is_awake:
            self._unsaved.wake()

    def _all_seats(self) -> list["_Seat"]:
        return [*([self._unsaved] if self._unsaved is not None else []), *self._seats.values()]

    def wake(self) -> None:
        """The pane is visible."""
        self.is_awake = True
        for seat in self._all_seats():
            seat.wake()
        self._begin()

    def sleep(self) -> None:
        """Nobody looks: nothing is asked."""
        self.is_awake = False
        for seat in self._all_seats():
            seat.sleep()

    def beat(self) -> None:
        """A second has passed: those that could not be reached get another try when it is time."""
        if self.is_awake:
            self._begin()
            self._changed()
            return
        for seat in self._seats.values():
            seat.rest()

    def kick(self) -> None:
        """Ask all of them now."""
        for seat in self._all_seats():
            seat.kick()
        self._begin()

    def _begin(self) -> None:
        if self.is_awake:
            for seat in self._seats.values():
                seat.begin()

    async def close(self) -> None:
        """Let go of every connection."""
        self.sleep()
        self._show_unsaved(None)
        seats, self._seats = self._seats, {}
        for seat in seats.values():
            await seat.close()


class _Seat:
    """One cluster of the overview: a hub of its own, or that of the cluster on the screen."""

    def __init__(
        self, known: Known, changed: Callable[[], None], *, turn: asyncio.Lock, clock: Clock, on_crash: Crash
    ) -> None:
        self.known = known
        self._changed = changed
        self._turn = turn
        self._clock = clock
        self._on_crash = on_crash
        self._client: RayClient | None = None
        self._hub: Hub | None = None
        self._is_borrowed = False
        self._watches: list[Watch[Any]] = []
        self._is_awake = False
        self._opening: asyncio.Task[None] | None = None
        self._error: CockpitError | None = None
        self._again: float | None = None
        self._asleep_since: float | None = None

    def differs(self, known: Known | None) -> bool:
        """Whether it is not the cluster that stands under this name any more."""
        return known is None or (known.address, known.ssh) != (self.known.address, self.known.ssh)

    # --- its hub ---

    def borrow(self, hub: Hub | None, cluster: LiveCluster | None) -> None:
        """Look at what the cluster on the screen knows; None for a hub of its own."""
        if hub is self._hub or (hub is None and not self._is_borrowed):
            return
        self._leave()
        self._hub, self._is_borrowed = hub, hub is not None
        self._client = cluster.client if hub is not None and cluster is not None else None
        self._error = None
        if hub is not None:
            self._watch(hub)

    def begin(self) -> None:
        """Open it, unless that is done or not due; where ssh would have to ask, it does not get in this way."""
        if self._hub is not None or self._opening is not None:
            return
        if self._again is not None and self._clock.now().steady < self._again:
            return
        self._opening = asyncio.create_task(self._open())
        self._opening.add_done_callback(self._opened)

    async def _open(self) -> None:
        name = self.known.name

        def quietly() -> Target:
            with unasked():
                return choose(Selection(context=name))

        try:
            async with self._turn:
                target = await aside(quietly)
            with ssh_unasked():
                client = await connect(target)
        except CockpitError as error:
            self._error, self._again = error, self._clock.now().steady + RETRY_SECONDS
            self._changed()
            return
        if self._hub is not None:  # it came to the screen meanwhile
            await client.close()
            return
        self._error, self._client = None, client
        self._hub = hub = Hub(client, on_crash=self._on_crash, clock=self._clock)
        if (passage := client.transport.endpoint.passage) is not None:
            passage.on_change(hub.kick)
        self._watch(hub)
        self._changed()

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_crash(error)

    def _watch(self, hub: Hub) -> None:
        paused = not self._is_awake
        self._watches = [
            hub.watch(VERSION, self._heard, interval=HEALTH_SECONDS, paused=paused),
            hub.watch(USAGE, self._heard, interval=HEALTH_SECONDS, paused=paused),
            hub.watch(JOBS, self._heard, interval=JOBS_SECONDS, paused=paused),
            hub.watch(EXPOSURE, self._heard, paused=paused),
        ]

    def _heard(self, _: Snapshot[Any]) -> None:
        self._changed()

    def _leave(self) -> tuple[Hub | None, RayClient | None]:
        """Hear nothing of its hub any more; returns what is to be closed."""
        for watch in self._watches:
            watch.close()
        own = (None, None) if self._is_borrowed else (self._hub, self._client)
        self._watches, self._hub, self._client, self._is_borrowed = [], None, None, False
        if own[0] is not None and own[1] is not None:
            task = asyncio.ensure_future(_closed(own[0], own[1]))
            _closing.add(task)
            task.add_done_callback(_closing.discard)
        return own

    def wake(self) -> None:
        """The pane is visible."""
        self._is_awake, self._asleep_since = True, None
        for watch in self._watches:
            watch.resume()

    def sleep(self) -> None:
        """Nobody looks."""
        if self._is_awake:
            self._asleep_since = self._clock.now().steady
        self._is_awake = False
        for watch in self._watches:
            watch.pause()

    def rest(self) -> None:
        """Nobody has looked for a while: a tunnel of its own is closed."""
        if self.known.ssh is None or self._asleep_since is None or self._is_borrowed:
            return
        if self._clock.now().steady - self._asleep_since >= LINGER_SECONDS:
            self._leave()

    def kick(self) -> None:
        """Ask now, and try at once what has failed."""
        self._again = None
        if self._hub is not None:
            self._hub.kick(VERSION, USAGE, JOBS, EXPOSURE)

    async def close(self) -> None:
        """Let go of it."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        self._leave()
        if _closing:
            await asyncio.wait(set(_closing))

    # --- what it says ---

    def row(self) -> ClusterRow:
        """The cluster as it was last seen."""
        known, hub = self.known, self._hub
        base = msgspec.structs.replace(known.as_row(), is_open=self._is_borrowed)
        if hub is None or self._client is None:
            return msgspec.structs.replace(base, **self._without_hub())
        version, usage, jobs = hub.snapshot(VERSION), hub.snapshot(USAGE), hub.snapshot(JOBS)
        now = hub.clock.now()
        health: dict[State, Health] = {State.FRESH: "up", State.STALE: "stale", State.FAILED: "away"}
        counts = jobs.value.counts() if jobs.value is not None else None
        error = version.error or usage.error or jobs.error
        if self._is_borrowed and (before := _other_address(self._client, known)):
            return msgspec.structs.replace(base, health="asking", why=f"not asked yet: the cockpit still asks {before}")
        protection = protection_of(self._client.transport.endpoint, hub.snapshot(EXPOSURE).value)
        return msgspec.structs.replace(
            base,
            health=_refused(version.error) or health.get(version.state(now), "asking"),
            why=error.title if error is not None else protection.words if protection.tone else "",
            ray_version=version.value.ray_version if version.value else None,
            gpus=usage.value.total.get("GPU", Usage(used=0.0, total=0.0)) if usage.value else None,
            running=counts.get("RUNNING", 0) if counts is not None else None,
            failed=counts.get("FAILED", 0) if counts is not None else None,
            age=version.shown_age(now),
            alarm=protection.tone,
        )

    def _without_hub(self) -> dict[str, Any]:
        if self._error is not None:
            why = self._error.title + (" Enter goes there and asks." if self._error.fault in _WANT_A_PERSON else "")
            return {"health": _refused(self._error) or "away", "why": why}
        return {}


def _refused(error: CockpitError | None) -> Health | None:
    """Whether it answers but rejects the login, or is not trusted."""
    return "refused" if isinstance(error, AuthenticationError | UntrustedError) else None


def _other_address(client: RayClient, known: Known) -> str:
    """The address that is asked where that is not the one under the name any more, so that it tells nothing of it."""
    with suppress(CockpitError):
        return "" if str(parse_address(known.address)) == client.address else client.address
    return ""


_closing: set[asyncio.Future[None]] = set()


async def _closed(hub: Hub, client: RayClient) -> None:
    await hub.close()
    await client.close()


def total_of(rows: list[ClusterRow]) -> tuple[Usage, float | None]:
    """The GPUs of all clusters that are up, and their total known cost in USD per hour."""
    seen = [row.gpus for row in rows if row.gpus is not None]
    costs = [row.cost for row in rows if row.cost is not None]
    gpus = Usage(used=sum(one.used for one in seen), total=sum(one.total for one in seen))
    return gpus, sum(costs) if costs else None
