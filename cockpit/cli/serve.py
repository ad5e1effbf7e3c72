"""`serve`: list Serve's applications, deploy a config, delete an application."""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import left_out, listing, options, output, session
from cockpit.errors import EXIT_FAILED, EXIT_OK, UsageError

if TYPE_CHECKING:
    from cockpit.clients.ray import RayClient
    from cockpit.operations.serve import ServePlan

EXAMPLES = """\
examples:
  rayakash-tui serve
  rayakash-tui serve logs chat/LLM --follow
  rayakash-tui serve deploy config.yaml
  rayakash-tui serve delete chat
"""
LOOK_SECONDS = 1.0
WAIT_SECONDS = 600.0


def add(commands: Any) -> None:
    """Declare the command and its verbs."""
    parser = commands.add_parser(
        "serve",
        help="list, deploy and delete Serve applications",
        description="List Serve applications with their deployments and replicas, deploy a config, delete one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_listing(parser)
    options.add_cluster(parser)
    parser.set_defaults(run=list_applications)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")
    logs = verbs.add_parser("logs", help="print or follow the requests of a replica, or what it prints")
    replicas = "APP[/DEPLOYMENT[#REPLICA]]"
    left_out.add(logs, "replica", "replica", metavar=replicas, text="a replica, or what has only one")
    logs.add_argument("--output", action="store_true", help="what its code prints, in place of its requests")
    logs.add_argument("--err", action="store_true", help="what its code writes to stderr")
    logs.add_argument("-f", "--follow", action="store_true", help="follow until the replica ends")
    logs.add_argument("--tail", type=options.count, metavar="N", help="start at the last N lines")
    options.add_retry(logs)
    options.add_cluster(logs)
    logs.set_defaults(run=print_log)
    deploy = verbs.add_parser("deploy", help="make a config file the whole config; shows what changes and asks")
    deploy.add_argument("file", type=Path, metavar="FILE", help="a Serve config, as `serve build` writes it")
    deploy.add_argument("--no-wait", action="store_true", help="do not wait until the applications run")
    deploy.set_defaults(run=deploy_config)
    delete = verbs.add_parser("delete", help="delete an application that a config deployed; asks first")
    left_out.add(delete, "app", "application", metavar="APP", text="the name of the application")
    delete.set_defaults(run=delete_application)
    for verb in (deploy, delete):
        verb.add_argument("-y", "--yes", action="store_true", help="do not ask")
        options.add_cluster(verb)


async def list_applications(args: argparse.Namespace) -> int:
    """Print applications, deployments and replicas as one table."""
    from cockpit.model.serve import rows_of
    from cockpit.render.serve import SERVE

    async with session.cluster(args) as client:
        found = await client.serve.list()
        context = listing.context_now(await listing.names_of(client, SERVE, found))
    listing.print_listing(args, SERVE, rows_of(found.rows), context, unreadable=found.unreadable)
    output.unreadable(found.unreadable, of=len(found.rows) + found.unreadable)
    return EXIT_OK


async def print_log(args: argparse.Namespace) -> int:
    """Print or follow a log of one replica."""
    from cockpit.cli.following import follow
    from cockpit.feeds.log_source import source_of
    from cockpit.operations.replica_logs import access_log, find_replica, output_log

    async with session.cluster(args) as client:
        replica = await find_replica(client, args.replica)
        is_output = args.output or args.err
        file = output_log(replica, suffix="err" if args.err else "out") if is_output else access_log(replica)
        followed = await follow(source_of(client, file), args, tail=args.tail, until_end=args.follow)
    if followed.missing:
        output.warning(followed.missing)
        return EXIT_FAILED
    return EXIT_OK


async def deploy_config(args: argparse.Namespace) -> int:
    """Show what changes, ask, deploy, and wait until every application runs or one has failed."""
    from cockpit.operations.serve import plan_deploy, read_config

    config = read_config(args.file)
    async with session.cluster(args, changes=True) as client:
        plan = await plan_deploy(client, config)
        if not await _agreed(args, plan, "Deploy?"):
            return EXIT_FAILED
        await client.serve.apply(plan.config)
        names = [one.get("name", "default") for one in config["applications"]]
        return EXIT_OK if args.no_wait else await _until_running(client, names)


async def delete_application(args: argparse.Namespace) -> int:
    """Show what changes, ask, and delete."""
    from cockpit.operations.serve import plan_delete

    async with session.cluster(args, changes=True) as client:
        plan = await plan_delete(client, args.app)
        if not await _agreed(args, plan, f"Delete {args.app}?"):
            return EXIT_FAILED
        await client.serve.apply(plan.config)
    output.line(f"{args.app} deleted")
    return EXIT_OK


async def _agreed(args: argparse.Namespace, plan: "ServePlan", question: str) -> bool:
    for text in plan.changes or ("nothing changes",):
        output.message(text)
    if args.yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(
            "This changes what the cluster serves, and stdin is not a terminal, so rayakash-tui cannot ask.",
            hint="Add --yes.",
        )
    return await session.yes(question)


async def _until_running(client: "RayClient", names: list[str]) -> int:
    """Print each application once it runs or has failed: Ray accepts a config before it looks at its code."""
    from cockpit.model.serve import FAILED_STATUSES
    from cockpit.render.serve import summary

    waiting, failed, end = dict.fromkeys(names), False, time.monotonic() + WAIT_SECONDS
    while waiting and time.monotonic() < end:
        for application in (await client.serve.list()).rows:
            name, status = application.name or "", application.status or ""
            if name in waiting and (status == "RUNNING" or status in FAILED_STATUSES):
                del waiting[name]
                output.line(f"{name} {status}")
                if status in FAILED_STATUSES:
                    failed = True
                    reasons = [one.message for one in application.deployments.values() if one.message]
                    output.message(f"  | {summary(next(iter(reasons), application.message))}")
        if waiting:
            await asyncio.sleep(LOOK_SECONDS)
    for name in waiting:
        output.warning(f"{name} is still deploying after {WAIT_SECONDS:g} s; look with `rayakash-tui serve`.")
    return EXIT_FAILED if failed or waiting else EXIT_OK
