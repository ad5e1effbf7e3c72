"""Ways to a live cluster: one that the user named, or one of our own with sample jobs.

What only some of them need is imported by those: every start of the cockpit waits for this module.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit import settings
from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint
from cockpit.errors import UnreachableError, UsageError
from cockpit.feeds.hub import Hub
from cockpit.feeds.patience import Outage, Patience
from cockpit.local.containers.state import container_contexts
from cockpit.local.state import local_status
from cockpit.model.secret import Secret
from cockpit.operations.clusters.connect import LOCAL_CONTEXT, Ask, Selection, Target, choose, connect
from cockpit.operations.clusters.live import Close, Crash, LiveCluster

if TYPE_CHECKING:
    from cockpit.feeds.recording import Replay

Report = Callable[[str], None]


MEANWHILE = "(ctrl+k, then r: a recorded cluster of 96 GPUs)"


class Opening:
    """What a face passes to whatever opens a cluster: how to tell, how to ask, where bugs go."""

    def __init__(self, *, report: Report, ask: Ask, on_crash: Crash) -> None:
        self.report = report
        self.ask = ask
        self.on_crash = on_crash


Opener = Callable[[Opening], Awaitable[LiveCluster]]


def target_opener(
    target: Target, *, read_only: bool = False, record_to: Path | None = None, accept: str | None = None
) -> Opener:
    """Opens the cluster that the user named, and records what it answers to a new file where one is named.

    `accept` is the fingerprint of a certificate to trust there. The opener raises UsageError where the file is there
    already or cannot be made, and what `connect` raises.
    """

    async def open_target(opening: Opening) -> LiveCluster:
        def away(outage: Outage) -> None:
            opening.report(f"{outage.error.title} Next try in {math.ceil(outage.next_try)} s.")

        # Who waits at a screen need not ask again for a cluster that is only starting.
        patience = Patience(math.inf, from_start=True, report=away)
        found = target

        async def attempt() -> RayClient:
            nonlocal found
            try:
                return await connect(found, ask=opening.ask, accept=accept)
            except UnreachableError:
                if found.context is not None or found.name == LOCAL_CONTEXT:
                    with suppress(UsageError):  # gone from the settings, or a local Ray that is down: keep trying
                        found = await asyncio.to_thread(choose, Selection(context=found.name))
                raise

        client = await patience.through(attempt)
        closing: Close | None = None
        if record_to is not None:
            from cockpit.feeds.recording import record

            client, recorder = record(client, record_to, failed=lambda error: opening.report(error.title))

            async def end_recording() -> None:
                recorder.close()

            closing = end_recording
        return LiveCluster(
            client,
            name=target.name,
            on_crash=opening.on_crash,
            is_read_only=read_only or target.is_read_only,
            scopes=target.scopes,
            closing=closing,
            target=found,
        )

    return open_target


def selection_opener(
    selection: Selection, *, read_only: bool = False, record_to: Path | None = None, accept: str | None = None
) -> Opener:
    """As `target_opener`, of what is chosen only when it is opened; the opener raises what `choose` raises as well."""

    async def open_chosen(opening: Opening) -> LiveCluster:
        # In a thread: its token may be in a locked vault, whose passphrase is asked for on the screen meanwhile.
        target = await asyncio.to_thread(choose, selection)
        return await target_opener(target, read_only=read_only, record_to=record_to, accept=accept)(opening)

    return open_chosen


def replay_opener(path: Path) -> Opener:
    """Opens a recording, which runs from its beginning by its own clock.

    The opener raises UsageError for a file that is not a recording.
    """

    async def open_replay(opening: Opening) -> LiveCluster:
        from cockpit.feeds.recording import replay

        return await replayed_cluster(opening, await asyncio.to_thread(replay, path), name=f"replay of {path.name}")

    return open_replay


async def open_demo_replay(opening: Opening) -> LiveCluster:
    """Opens the recorded cluster that ships with the program: 12 nodes with 96 GPUs, without Ray and network."""
    from cockpit.feeds.recording import replay
    from cockpit.operations.clusters.replay import DEMO_FILE, DEMO_NAME, DEMO_USD_PER_HOUR

    replayed = await asyncio.to_thread(replay, DEMO_FILE)
    return await replayed_cluster(opening, replayed, name=DEMO_NAME, cost=DEMO_USD_PER_HOUR)


async def replayed_cluster(
    opening: Opening, replayed: "Replay", *, name: str, cost: float | None = None
) -> LiveCluster:
    """A recording on the screen. Its history is in memory, so that it never mixes with that of a real cluster."""
    from cockpit.operations.clusters.recording import Recording
    from cockpit.operations.clusters.replay import samples_of

    client, recording = replayed.client, Recording(None)
    if replayed.recording.has_past:
        nodes, jobs = (await client.nodes.list()).rows, (await client.jobs.list()).rows
        recording.fill(samples_of(replayed.recording, nodes), jobs)
    context = settings.Context(address=client.address, cost=cost, read_only=True)
    return LiveCluster(
        client,
        name=name,
        on_crash=opening.on_crash,
        is_read_only=True,
        hub=Hub(client, on_crash=opening.on_crash, clock=replayed.clock),
        target=Target(name=name, address=parse_address(client.address), context=context) if cost is not None else None,
        recording=recording,
        replay_seconds=replayed.recording.seconds,
    )


async def open_demo(opening: Opening) -> LiveCluster:
    """Starts a Ray that lives as long as the cluster is looked at, and submits sample jobs to it.

    Raises LocalRayError where Ray is not installed or does not start.
    """
    from cockpit.local.cluster import owned_ray
    from cockpit.operations.jobs.samples import submit_samples

    def report(sentence: str) -> None:
        opening.report(f"{sentence} {MEANWHILE}")

    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(owned_ray(report=report))
        endpoint = Endpoint(address=parse_address(cluster.address), token=Secret(cluster.token))
        client = RayClient.at(endpoint)
        await submit_samples(client)
        closing = stack.pop_all()
    return LiveCluster(client, name="demo", on_crash=opening.on_crash, closing=closing.aclose)


def known_contexts() -> list[str]:
    """Names to choose from: the contexts of `config.toml`, clusters in containers here, and the local Ray if it is up.

    Raises UsageError where a file cannot be read.
    """
    names = list(dict.fromkeys([*settings.load_settings().contexts, *container_contexts()]))
    return [*names, LOCAL_CONTEXT] if local_status() is not None and LOCAL_CONTEXT not in names else names


def opener_for(kind: str, name: str) -> Opener:
    """Opens what was chosen: `demo`, `replay` (the recorded cluster), a `context` by name, or an `address`."""
    if kind == "demo":
        return open_demo
    if kind == "replay":
        return open_demo_replay

    return selection_opener(Selection(context=name) if kind == "context" else Selection(address=name))
