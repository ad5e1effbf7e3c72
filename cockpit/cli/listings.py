"""`jobs`, `nodes` and `gpus`: what there is."""

import argparse
import time
from typing import Any

from cockpit.cli import options, output, session
from cockpit.errors import EXIT_OK


def add(commands: Any) -> None:
    """Declare the commands."""
    jobs = commands.add_parser("jobs", help="list jobs")
    jobs.add_argument("--status", action="append", metavar="S", help="only jobs of this status; may be repeated")
    jobs.add_argument("--watch", action="store_true", help="go on, and print a line per change")
    options.add_retry(jobs)
    nodes = commands.add_parser("nodes", help="list nodes")
    gpus = commands.add_parser("gpus", help="list GPUs and who holds them")
    for parser, run in ((jobs, list_jobs), (nodes, list_nodes), (gpus, list_gpus)):
        options.add_json(parser)
        options.add_cluster(parser)
        parser.set_defaults(run=run)


async def list_jobs(args: argparse.Namespace) -> int:
    """Print the jobs, newest first."""
    from cockpit.model.jobs import STATUSES
    from cockpit.render import jobs as render
    from cockpit.render.records import job_record

    statuses = _statuses(args.status, STATUSES)
    async with session.cluster(args) as client:
        if args.watch:
            from cockpit.cli.watch import watch_jobs

            return await watch_jobs(client, args, statuses)
        found = await client.jobs.list()
    jobs = [job for job in found.rows if not statuses or job.status in statuses]
    now = time.time()
    if args.json:
        output.listing("jobs", [job_record(job) for job in jobs], now=now, unreadable=found.unreadable)
    elif jobs:
        output.rows(render.COLUMNS, [render.row(job, now) for job in jobs])
    else:
        output.message("No jobs with this status." if statuses and found.rows else "No jobs.")
    output.unreadable(found.unreadable, of=len(found.rows) + found.unreadable)
    return EXIT_OK


def _statuses(given: list[str] | None, known: tuple[str, ...]) -> set[str]:
    from cockpit.errors import UsageError

    statuses = {word.strip().upper() for text in given or [] for word in text.split(",") if word.strip()}
    if unknown := statuses - set(known):
        raise UsageError(
            f"There is no job status {output.joined(sorted(unknown))}.", hint=f"Ray knows {output.joined(known)}."
        )
    return statuses


async def list_nodes(args: argparse.Namespace) -> int:
    """Print the nodes: the living first, the head at the top."""
    from cockpit.render import nodes as render
    from cockpit.render.records import node_record

    async with session.cluster(args) as client:
        found = await client.nodes.list()
    nodes = sorted(found.rows, key=lambda node: (not node.is_alive, not node.is_head_node, node.node_id or ""))
    if args.json:
        output.listing("nodes", [node_record(node) for node in nodes], now=time.time(), unreadable=found.unreadable)
    else:
        output.rows(render.NODE_COLUMNS, [render.node_row(node) for node in nodes])
    output.unreadable(found.unreadable, of=len(found.rows) + found.unreadable)
    return EXIT_OK


async def list_gpus(args: argparse.Namespace) -> int:
    """Print the GPUs of living nodes, a row each."""
    from cockpit.operations.clusters.gpus import list_gpus as find
    from cockpit.render.records import gpu_record

    async with session.cluster(args) as client:
        found = await find(client)
    if args.json:
        output.listing(
            "gpus", [gpu_record(node, gpu) for node, gpu in found.rows], now=time.time(), unreadable=found.unreadable
        )
    else:
        print_gpus(found.rows)
    output.unreadable(found.unreadable, of=len(found.rows) + found.unreadable)
    return EXIT_OK


def print_gpus(pairs: Any) -> None:
    """A table of (node, GPU) pairs, or a sentence where there are none."""
    from cockpit.render import nodes as render

    if pairs:
        output.rows(render.GPU_COLUMNS, [render.gpu_row(node, gpu) for node, gpu in pairs])
    else:
        output.message("No node of this cluster reports a GPU.")
