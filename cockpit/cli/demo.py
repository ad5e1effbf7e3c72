"""`demo`: a Ray of its own, four sample jobs, and a tour of what there is to see."""

import argparse
import asyncio
import time
from typing import Any

from cockpit.cli import output
from cockpit.errors import EXIT_OK

_LEAST_VALUES = 100


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("demo", help="try the cockpit on a temporary local Ray, or on a recorded cluster")
    parser.add_argument(
        "--replay",
        dest="is_replay",
        action="store_true",
        help="show a recorded cluster of 12 nodes and 96 GPUs; nothing is started",
    )
    parser.set_defaults(run=demo)


def demo(args: argparse.Namespace) -> int:
    """On a terminal the cockpit on a Ray of its own or a recording, elsewhere a tour in plain text."""
    from cockpit.cli.cockpit import has_screen, run_app

    if not has_screen():
        return asyncio.run(_plain_replay() if args.is_replay else _plain())
    from cockpit.operations.clusters.opening import open_demo, open_demo_replay

    if args.is_replay:
        return run_app(open_demo_replay, first_pane="overview")
    return run_app(open_demo)


async def _plain_replay() -> int:
    """The recorded cluster as its tables, and a number of a log."""
    from cockpit.feeds.recording import replay
    from cockpit.operations.clusters.replay import DEMO_FILE, DEMO_NAME, MARK

    replayed = await asyncio.to_thread(replay, DEMO_FILE)
    output.message(f"{MARK}: {DEMO_NAME}, a recorded cluster. Nothing runs, and no network is used.")
    async with replayed.client as client:
        await _list_all(client, now=replayed.clock.now().wall, most=12)
        await _plot(client)
    output.message("On a terminal the same command opens the cockpit on it.")
    return EXIT_OK


async def _plot(client: Any) -> None:
    """The loss of the longest training whose log was recorded whole."""
    from cockpit.cli.log_plot import print_plots
    from cockpit.operations.logs.numbers import read_numbers

    for job in (await client.jobs.list()).rows:
        if job.status == "RUNNING" and "finetune" in (job.entrypoint or ""):
            found = await read_numbers(client, job, ["loss"])
            if found.series["loss"].count > _LEAST_VALUES:
                _heading(f"logs {job.id} --plot loss")
                print_plots(["loss"], [found])
                return


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
    output.message("`rayakash-tui demo --replay` shows a recorded cluster of 12 nodes and 96 GPUs.")
    return EXIT_OK


async def _tour(client: Any) -> None:
    from cockpit.operations.jobs import samples

    for submission_id in await samples.submit_samples(client):
        output.message(f"Submitted {submission_id}.")
    for job_id in (samples.SUCCEEDS, samples.FAILS):
        await _show_log(client, job_id)
    await _list_all(client, now=time.time())
    await _stop(client, samples.RUNS)


async def _show_log(client: Any, job_id: str) -> None:
    from cockpit.cli.following import conclude, follow
    from cockpit.feeds.log_source import JobLog

    _heading(f"log of {job_id}")
    conclude(await follow(JobLog(client, job_id), argparse.Namespace(retry_for=None)))


async def _list_all(client: Any, *, now: float, most: int | None = None) -> None:
    from cockpit.cli.listings import waiting_reasons
    from cockpit.operations.clusters.gpus import gpus_of
    from cockpit.render.gpus import GPUS
    from cockpit.render.jobs import JOBS
    from cockpit.render.nodes import NODES, node_names
    from cockpit.render.table import RowContext

    jobs, nodes = await client.jobs.list(), await client.nodes.list()
    gpus = await gpus_of(client, nodes)
    waiting = await waiting_reasons(client, jobs.rows)
    context = RowContext(now=now, node_names=node_names(nodes.rows), waiting=waiting)
    for spec, found in ((JOBS, jobs), (NODES, nodes), (GPUS, gpus)):
        rows = found.rows[:most]
        _heading(spec.name if len(rows) == len(found.rows) else f"{spec.name}, the first {most} of {len(found.rows)}")
        output.table(spec, rows, context)


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
