"""`kill`: end one named actor by a job of one line, whose source is shown first."""

import argparse
from typing import Any

from cockpit.cli import left_out, options, output, session
from cockpit.errors import EXIT_OK, UsageError

DESCRIPTION = """\
Kill a named actor. Ray 2.60 has no HTTP call for this, so a one-line job runs ray.kill; its source is shown first.
example: rayakash-tui kill 8dd6909aa88252efaccb248b01000000
"""


def add(commands: Any) -> None:
    """Declare the command."""
    kill = commands.add_parser(
        "kill",
        help="kill a named actor",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    left_out.add(kill, "id", "actor", metavar="ACTOR", text="ID of an actor, or its start")
    kill.add_argument("-y", "--yes", action="store_true", help="do not ask")
    options.add_retry(kill)
    options.add_cluster(kill)
    kill.set_defaults(run=run)


async def run(args: argparse.Namespace) -> int:
    """Show the source, ask, submit it, and wait for its end."""
    from cockpit.cli.following import result_code
    from cockpit.feeds.job_watch import JobWatch
    from cockpit.operations.jobs.kill import find_actor, kill_actor, source_of

    async with session.cluster(args, changes=True) as client:
        actor = await find_actor(client, args.id)
        output.message(f"This job kills actor {actor.name} ({actor.class_name}):")
        output.message(f"  {source_of(actor)}")
        if not args.yes:
            if session.asker() is None:
                raise UsageError(
                    "The actor was not killed: stdin is not a terminal, so rayakash-tui cannot ask.",
                    hint="Add --yes.",
                )
            if not await session.yes("Submit it?"):
                return EXIT_OK
        submission_id = await kill_actor(client, actor)
        job = await JobWatch(client, submission_id).until_terminal(session.patience_of(args))
        if job.status == "SUCCEEDED":
            output.line(f"{actor.actor_id} killed")
        else:
            output.message(
                f"error: job {submission_id} {(job.status or '').lower()}. See: rayakash-tui logs {submission_id}"
            )
    return EXIT_OK if job.status == "SUCCEEDED" else result_code(job)
