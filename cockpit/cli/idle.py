"""`gpus --idle`: GPUs that are held and not used, for people and for cron."""

import argparse
import time

from cockpit.cli import listing, options, output, session
from cockpit.errors import EXIT_FAILED, EXIT_OK


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--idle` and `--min`."""
    parser.add_argument(
        "--idle", action="store_true", help="only GPUs that are held and idle, the greatest waste first; exit 1 if any"
    )
    parser.add_argument(
        "--min",
        type=options.seconds,
        metavar="TIME",
        help="with --idle: for at least this long (default: [ui] idle_minutes, 5m); 0s judges by one sample",
    )


async def list_idle(args: argparse.Namespace) -> int:
    """Print the idle GPUs; 1 where one is known to have been idle long enough."""
    from cockpit.feeds.history_store import RESUME_SECONDS
    from cockpit.operations.clusters.gpus import gpus_of
    from cockpit.operations.clusters.idle import idle_gpus, waste_per_hour
    from cockpit.operations.clusters.past import add_sample, open_past
    from cockpit.operations.clusters.recording import with_names
    from cockpit.render.idle import IDLE_GPUS
    from cockpit.settings import load_settings

    name, cost = session.history_of(args)
    least = 60 * load_settings().ui.idle_minutes if args.min is None else args.min
    async with session.cluster(args) as client:
        reply = await client.nodes.list()
        jobs = (await client.jobs.list()).rows
        nodes = with_names(reply.rows, (await gpus_of(client, reply, jobs)).rows)
    if problem := add_sample(name, nodes, jobs):
        output.warning(problem)
    now = time.time()
    with open_past(name) as past:
        since = now - least - RESUME_SECONDS
        found = idle_gpus(
            nodes,
            jobs,
            past.holdings(since=since),
            covered_since=past.covered_since(since=since, now=now),
            now=now,
            min_seconds=least,
            cost_per_hour=cost,
        )
    wasted = waste_per_hour(found)
    shown = None if wasted is None else round(wasted, 2)
    context = listing.context_now()
    listing.print_listing(args, IDLE_GPUS, found, context, unreadable=reply.unreadable, wasted_usd_per_hour=shown)
    counting = [row for row in found if row.counts]
    if counting and not args.json:
        price = "" if wasted is None else f", ${wasted:,.2f}/h wasted"
        output.message(f"{len(counting)} idle GPU{'s' if len(counting) > 1 else ''}{price}.")
    output.unreadable(reply.unreadable, of=len(reply.rows) + reply.unreadable)
    return EXIT_FAILED if counting else EXIT_OK
