"""`demo`: a Ray of its own, four sample jobs, and a tour of what there is to see."""

import argparse
import asyncio
import time
from typing import Any

from cockpit.cli import output
from cockpit.errors import EXIT_OK


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("demo", help="try the cockpit on a temporary local Ray")
    parser.set_defaults(run=demo)


def demo(_: argparse.Namespace) -> int:
    """On a terminal the cockpit on a Ray of its own, elsewhere a tour in plain text; nothing is left afterwards."""
    from cockpit.cli.cockpit import has_screen, run_app

    if not has_screen():
        return asyncio.run(_plain())
    from cockpit.operations.clusters.opening import open_demo

    return run_app(open_demo)


async def _plain() -> int:
    """Start, submit, follow, list, stop, shut down."""
    from cockpit.clients.address import parse_address
    from cockpit.clients.ray import RayClient
    from cockpit.clients.transport import Endpoint
    from cockpit.local.cluster import owned_ray
    from cockpit.model.secret import Secret

    async with owned_ray(report=output.message) as cluster:
        endpoint = Endpoint(address=parse_address(cluster.address), token=Secret(cluster.token))
        async with RayClient.at(endpoint) as client:
            await _tour(client)
        output.message("Shutting down.")
    output.message("Nothing of it is left. `rayakash-tui local up` starts one that stays.")
    return EXIT_OK


async def _tour(client: Any) -> None:
    from cockpit.operations.jobs import samples

    for submission_id in await samples.submit_samples(client):
        output.message(f"Submitted {submission_id}.")
    for job_id in (samples.SUCCEEDS, samples.FAILS):
        await _show_log(client, job_id)
    await _list_all(client)
    await _stop(client, samples.RUNS)


async def _show_log(client: Any, job_id: str) -> None:
    from cockpit.cli.following import conclude, follow
    from cockpit.feeds.log_source import JobLog

    _heading(f"log of {job_id}")
    conclude(await follow(JobLog(client, job_id), argparse.Namespace(retry_for=None)))


async def _list_all(client: Any) -> None:
    from cockpit.operations.clusters.gpus import gpus_of
    from cockpit.render.gpus import GPUS
    from cockpit.render.jobs import JOBS
    from cockpit.render.nodes import NODES, node_names
    from cockpit.render.table import RowContext

    jobs, nodes = await client.jobs.list(), await client.nodes.list()
    gpus = await gpus_of(client, nodes)
    context = RowContext(now=time.time(), node_names=node_names(nodes.rows))
    for spec, found in ((JOBS, jobs), (NODES, nodes), (GPUS, gpus)):
        _heading(spec.name)
        output.table(spec, found.rows, context)


async def _stop(client: Any, job_id: str) -> None:
    from cockpit.feeds.patience import Patience
    from cockpit.operations.jobs.control import request_stop, until_stopped
    from cockpit.render.jobs import outcome

    _heading(f"stop {job_id}")
    await request_stop(client, job_id)
    job = await until_stopped(client, job_id, Patience(60), lambda job: output.line(f"{job.id} is stopping"))
    output.line(outcome(job, time.time()))


def _heading(text: str) -> None:
    output.line(f"── {text} " + "─" * max(0, 60 - len(text)))
