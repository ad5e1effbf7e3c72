"""Ways to a live cluster: one that the user named, or one of our own with sample jobs."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint
from cockpit.local.cluster import owned_ray
from cockpit.model.secret import Secret
from cockpit.operations.connect import Ask, Target, connect
from cockpit.operations.demo import submit_samples
from cockpit.operations.live import Crash, LiveCluster

Report = Callable[[str], None]


class Opening:
    """What a face passes to whatever opens a cluster: how to tell, how to ask, where bugs go."""

    def __init__(self, *, report: Report, ask: Ask, on_crash: Crash) -> None:
        self.report = report
        self.ask = ask
        self.on_crash = on_crash


Opener = Callable[[Opening], Awaitable[LiveCluster]]


def target_opener(target: Target, *, read_only: bool = False) -> Opener:
    """Opens the cluster that the user named."""

    async def open_target(opening: Opening) -> LiveCluster:
        client = await connect(target, ask=opening.ask)
        return LiveCluster(
            client,
            name=target.name,
            on_crash=opening.on_crash,
            is_read_only=read_only or target.is_read_only,
        )

    return open_target


async def open_demo(opening: Opening) -> LiveCluster:
    """Starts a Ray that lives as long as the cluster is looked at, and submits sample jobs to it.

    Raises LocalRayError where Ray is not installed or does not start.
    """
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(owned_ray(report=opening.report))
        endpoint = Endpoint(address=parse_address(cluster.address), token=Secret(cluster.token))
        client = RayClient.at(endpoint)
        await submit_samples(client)
        closing = stack.pop_all()
    return LiveCluster(client, name="demo", on_crash=opening.on_crash, closing=closing.aclose)
