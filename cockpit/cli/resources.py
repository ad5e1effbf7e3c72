"""What is inside the cluster: actors, tasks, placement groups, workers, events, Serve, Train and Data."""

import argparse
from importlib import import_module
from typing import Any

import msgspec

from cockpit.cli import listing, options, output, session
from cockpit.errors import EXIT_OK

ALL_COST = "10,000 of them cost the head up to 4 s of one core"


class Listed(msgspec.Struct, frozen=True):
    """A command that lists a resource: its declaration and its states as `module:NAME`.

    `narrows` are the options that it takes, `everything` is the help of `--all`.
    """

    command: str
    help: str
    spec: str
    example: str
    narrows: tuple[str, ...] = ()
    states: str = ""
    everything: str = ""


LISTED = (
    Listed(
        "actors",
        "list actors that are alive or pending",
        "cockpit.render.actors:ACTORS",
        "rayakash-tui actors --job raysubmit_1rPy --state DEAD",
        ("job", "state", "name", "node", "all"),
        "cockpit.model.actors:ACTOR_STATES",
        f"dead ones and Ray's own job supervisors too; {ALL_COST}",
    ),
    Listed(
        "tasks",
        "list running and pending tasks, a row per attempt",
        "cockpit.render.tasks:TASKS",
        "rayakash-tui tasks --job raysubmit_1rPy --state FAILED",
        ("job", "state", "name", "node", "all"),
        "cockpit.model.tasks:TASK_STATES",
        f"ended ones too; {ALL_COST}",
    ),
    Listed(
        "placement-groups",
        "list placement groups and whether they fit",
        "cockpit.render.placement_groups:PLACEMENT_GROUPS",
        "rayakash-tui placement-groups --state PENDING",
        ("job", "state", "name", "node", "all"),
        "cockpit.model.placement_groups:GROUP_STATES",
        "removed ones too",
    ),
    Listed(
        "workers",
        "list worker processes and why dead ones ended",
        "cockpit.render.workers:WORKERS",
        "rayakash-tui workers --node worker-1 --state DEAD",
        ("job", "state", "node", "all"),
        "cockpit.model.workers:WORKER_STATES",
        "dead ones too",
    ),
    Listed(
        "events",
        "list cluster events and deaths, repeats folded",
        "cockpit.render.events:EVENTS",
        "rayakash-tui events --job raysubmit_1rPy --json",
        ("job", "node", "all"),
        "",
        f"requested deaths as well; {ALL_COST}",
    ),
    Listed(
        "train",
        "list Ray Train runs and their workers",
        "cockpit.render.train:TRAIN",
        "rayakash-tui train --job raysubmit_1rPy",
        ("job",),
    ),
    Listed(
        "tune",
        "list sweeps of Ray Tune that run, their trials as printed in the log, and the actors that run them",
        "cockpit.render.tune:TUNE",
        "rayakash-tui tune --job raysubmit_1rPy",
        ("job",),
    ),
    Listed(
        "data",
        "list Ray Data datasets and operators of running jobs",
        "cockpit.render.data:DATA",
        "rayakash-tui data --job raysubmit_1rPy",
        ("job",),
    ),
)


def add(commands: Any) -> None:
    """Declare the commands."""
    for listed in LISTED:
        parser = commands.add_parser(
            listed.command,
            help=listed.help,
            description=f"{listed.help[:1].upper()}{listed.help[1:]}.",
            epilog=f"example: {listed.example}",
        )
        _add_narrowing(parser, listed)
        options.add_listing(parser)
        options.add_cluster(parser)
        parser.set_defaults(run=list_them, listed=listed)


def _add_narrowing(parser: argparse.ArgumentParser, listed: Listed) -> None:
    names = listed.narrows
    if "job" in names:
        parser.add_argument(
            "--job", metavar="ID", help="only of this job: submission ID, job ID, or the start of either"
        )
    if "state" in names:
        parser.add_argument(
            "--state",
            action="append",
            metavar="STATE",
            default=[],
            help=f"only in this state: {', '.join(_known(listed.states))}; several with commas or repeated",
        )
    if "name" in names:
        what = "of this name or class" if listed.command == "actors" else "of this name"
        parser.add_argument("--name", metavar="NAME", help=f"only {what}")
    if "node" in names:
        parser.add_argument(
            "--node", metavar="NODE", help="only on this node: its ID, the start of it, host or address"
        )
    if "all" in names:
        parser.add_argument("--all", action="store_true", help=listed.everything)


def _known(states: str) -> tuple[str, ...]:
    found: tuple[str, ...] = _load(states) if states else ()
    return found


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


async def list_them(args: argparse.Namespace) -> int:
    """Print the rows that Ray has, and say what is missing."""
    from cockpit.operations.resources import FETCHES, scope_of, states_of, truncation

    listed: Listed = args.listed
    spec = _load(listed.spec)
    states = states_of(getattr(args, "state", ()), _known(listed.states))
    async with session.cluster(args) as client:
        scope = await scope_of(
            client,
            job=args.job,
            node=getattr(args, "node", None),
            states=states,
            name=getattr(args, "name", None),
            everything=getattr(args, "all", False),
        )
        found = await FETCHES[spec.name](client, scope)
        context = listing.context_now(await listing.names_of(client, spec, found))
    empty = f"Job {scope.job.id} has not connected to Ray." if scope.job and scope.is_unconnected else ""
    counts = {
        "truncated": found.is_truncated,
        "ray_total": found.total,
        "ray_num_after_truncation": found.num_after_truncation,
        "warnings": list(found.warnings),
    }
    more = counts if args.json else {}
    listing.print_listing(args, spec, found.rows, context, unreadable=found.unreadable, empty=empty, **more)
    for sentence in filter(None, (truncation(found, spec.noun or spec.name), *found.warnings)):
        output.warning(sentence)
    output.unreadable(found.unreadable, of=len(found.rows) + found.unreadable)
    return EXIT_OK
