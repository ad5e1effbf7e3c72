"""`logs`: what a job prints."""

import argparse
from typing import Any

from cockpit.cli import options, output, session
from cockpit.errors import EXIT_OK


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("logs", help="print or follow the log of a job")
    parser.add_argument("id", metavar="ID", help="submission id or job id")
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on until the job has ended; exit with its result"
    )
    parser.add_argument("--tail", type=options.count, metavar="N", help="start at the last N lines")
    options.add_retry(parser)
    options.add_cluster(parser)
    parser.set_defaults(run=print_log)


async def print_log(args: argparse.Namespace) -> int:
    """Print the log; with `-f` to the end of the job."""
    from cockpit.cli.following import conclude, follow

    async with session.cluster(args) as client:
        followed = await follow(client, args.id, args, tail=args.tail, until_end=args.follow)
    if args.follow:
        return conclude(followed)
    _explain_empty(followed)
    return EXIT_OK


def _explain_empty(followed: Any) -> None:
    job = followed.job
    if followed.missing:
        output.warning(followed.missing)
    elif job.driver_node_id is None and not job.is_terminal:
        output.message(f"Job {job.id} is {job.status} and has no log yet.")
    elif job.driver_node_id is None:
        output.message(f"Job {job.id} never ran, so there is no log. Ray says:")
        for text in (job.message or "").splitlines():
            output.message(f"  | {text}")
