"""Commands that list a resource of the cluster: `jobs`, `nodes`, `gpus` and what `RESOURCES` adds."""

import argparse
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from cockpit.cli import idle, listing, options, output, session
from cockpit.cli.jobs import add_show
from cockpit.errors import EXIT_OK, CockpitError, UsageError
from cockpit.model.jobs import OWNER_KEYS, STATUSES, Job
from cockpit.model.nodes import Node

if TYPE_CHECKING:
    from cockpit.clients.ray import RayClient


class Found(msgspec.Struct, frozen=True):
    """Items of a reply, how many of it could not be read, and the nodes where they were asked for anyway.

    `sample` is what is added to the cluster's history: the nodes, with the jobs that hold their GPUs by name.
    """

    rows: tuple[Any, ...]
    unreadable: int = 0
    nodes: tuple[Node, ...] | None = None
    sample: tuple[Node, ...] | None = None


async def waiting_reasons(client: "RayClient", jobs: Iterable[Job]) -> Mapping[str, str]:
    """Why pending jobs wait, by submission ID; nothing is asked where none is."""
    from cockpit.operations.why.reasons import pending_reasons

    if any(job.status == "PENDING" for job in jobs):
        with suppress(CockpitError):  # the list is good without it
            return await pending_reasons(client)
    return {}


async def _nodes(client: "RayClient") -> Found:
    found = await client.nodes.list()
    return Found(found.rows, found.unreadable, found.rows, _without_holders(found.rows))


def _without_holders(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Whose actors hold a GPU is asked for by `gpus` alone: a sample of curves needs no names."""
    return tuple(
        msgspec.structs.replace(node, gpus=tuple(msgspec.structs.replace(gpu, holders=()) for gpu in node.gpus))
        for node in nodes
    )


async def _gpus(client: "RayClient") -> Found:
    from cockpit.operations.clusters.gpus import gpus_of
    from cockpit.operations.clusters.recording import with_names

    nodes = await client.nodes.list()
    found = await gpus_of(client, nodes)
    return Found(found.rows, found.unreadable, nodes.rows, tuple(with_names(nodes.rows, found.rows)))


def _add_job_options(parser: argparse.ArgumentParser) -> None:
    add_show(parser)
    parser.add_argument(
        "-s",
        "--status",
        action="append",
        metavar="STATUS",
        help=f"only jobs of this status: {', '.join(STATUSES)}; several with commas or repeated",
    )
    parser.add_argument(
        "--owner",
        metavar="NAME",
        help=f"only jobs with this {', '.join(OWNER_KEYS[:-1])} or {OWNER_KEYS[-1]} in their metadata",
    )


def _select_jobs(args: argparse.Namespace, jobs: Iterable[Any]) -> list[Any]:
    statuses = _statuses(args.status)
    return [
        job
        for job in jobs
        if (not statuses or job.status in statuses) and (args.owner is None or job.owner == args.owner)
    ]


def _statuses(given: list[str] | None) -> set[str]:
    statuses = {word.strip().upper() for text in given or [] for word in text.split(",") if word.strip()}
    if unknown := statuses - set(STATUSES):
        raise UsageError(
            f"Unknown job status: {output.joined(sorted(unknown))}.", hint=f"Ray's are {output.joined(STATUSES)}."
        )
    return statuses


RESOURCES = (
    listing.Resource(
        "jobs",
        "list jobs, the running ones first",
        "cockpit.render.jobs:JOBS",
        lambda client: client.jobs.list(),
        _add_job_options,
        _select_jobs,
    ),
    listing.Resource("nodes", "list nodes", "cockpit.render.nodes:NODES", _nodes),
    listing.Resource(
        "gpus", "list GPUs and the jobs that hold them", "cockpit.render.gpus:GPUS", _gpus, idle.add_options
    ),
)


def add(commands: Any) -> None:
    """Declare the commands."""
    for resource in RESOURCES:
        parser = commands.add_parser(resource.command, help=resource.help)
        if resource.add is not None:
            resource.add(parser)
        parser.add_argument("-w", "--watch", action="store_true", help="keep watching; print one line per change")
        options.add_retry(parser)
        options.add_listing(parser)
        options.add_cluster(parser)
        parser.set_defaults(run=_list, resource=resource)


async def _list(args: argparse.Namespace) -> int:
    if getattr(args, "idle", False):
        return await idle.list_idle(args)
    if getattr(args, "min", None) is not None:
        raise UsageError("--min needs --idle.")
    return await list_resource(args)


async def list_resource(args: argparse.Namespace) -> int:
    """Print the rows, in the order of the cockpit's table unless another was asked for."""
    resource: listing.Resource = args.resource
    spec = resource.load()
    listing.selected(args, ())  # what the options say is checked before anything is asked
    async with session.cluster(args) as client:
        if args.watch:
            from cockpit.cli.watch import watch

            return await watch(client, args, spec)
        found = await resource.fetch(client)
        context = listing.context_now(await listing.names_of(client, spec, found))
        if resource.command == "jobs" and not args.json:
            context = msgspec.structs.replace(context, waiting=await waiting_reasons(client, found.rows))
    items = listing.selected(args, found.rows)
    empty = f"No matching {spec.noun or spec.name}." if found.rows and not items else ""
    listing.print_listing(args, spec, items, context, unreadable=found.unreadable, empty=empty)
    output.unreadable(found.unreadable, of=len(found.rows) + found.unreadable)
    _add_sample(args, getattr(found, "sample", None))  # after the output, so that it does not delay it
    _note_names(args, resource.command, found.rows)
    return EXIT_OK


def _note_names(args: argparse.Namespace, command: str, rows: Iterable[Any]) -> None:
    """Keep the names of jobs and nodes for the shell's completion."""
    from cockpit.operations.known_names import note_all

    name, _ = session.history_of(args)
    with suppress(UsageError):  # completion is a convenience: the listing itself has been printed
        if command == "jobs":
            note_all(name, rows, ())
        elif command == "nodes":
            note_all(name, (), rows)


def _add_sample(args: argparse.Namespace, nodes: tuple[Node, ...] | None) -> None:
    """Record the answer in the cluster's history, so that a cron job builds one."""
    if nodes is None:
        return
    from cockpit.operations.clusters.past import add_sample

    name, _ = session.history_of(args)
    if problem := add_sample(name, nodes, ()):
        output.warning(problem)
