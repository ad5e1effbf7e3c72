"""`jobs show`: one job with all of its fields."""

import argparse
import time
from typing import Any

from cockpit.cli import options, output, session
from cockpit.cli.choosing import can_choose, chosen_job
from cockpit.errors import EXIT_OK, NotFoundError, UsageError


def add_show(parser: argparse.ArgumentParser) -> None:
    """Declare the command below `jobs`."""
    nested = parser.add_subparsers(title="commands", metavar="COMMAND")
    show: Any = nested.add_parser(
        "show",
        help="show all fields of one job",
        epilog="example: rayakash-tui jobs show --last",
    )
    show.add_argument(
        "id", nargs="?", metavar="ID", help="submission ID or job ID; the start of a generated ID is enough"
    )
    options.add_last(show)
    options.add_json(show, fields=True, default=argparse.SUPPRESS)  # that of `jobs` counts too
    options.add_cluster(show)
    show.set_defaults(run=show_job)


async def show_job(args: argparse.Namespace) -> int:
    """Print the fields of a job, a line each; 1 where it does not exist."""
    from cockpit.cli.listing import picked
    from cockpit.operations.jobs.ids import complete_id, last_submission
    from cockpit.render.job_fields import detail_lines
    from cockpit.render.jobs import job_record

    chooses = args.id is None and not args.last and can_choose()
    if (args.id is None) is not args.last and not chooses:
        raise UsageError("Give a job ID, or --last.", hint="`rayakash-tui jobs` lists the jobs.")
    async with session.cluster(args) as client:
        given = await last_submission(client) if args.last else await chosen_job(client) if chooses else args.id
        try:
            job = await client.jobs.get(given)
        except NotFoundError:
            job = await client.jobs.get(await complete_id(client, given, changes=False))
    if args.json:
        output.record(picked(args, job_record(job)))
        return EXIT_OK
    for label, text in detail_lines(job, time.time()):
        output.line(f"{label:<20} {text}".rstrip())
    return EXIT_OK
