"""`why`: the reason for which a job, an actor, a task, a placement group or a replica waits."""

import argparse
import time
from typing import Any

from cockpit.cli import left_out, options, output, session
from cockpit.errors import EXIT_FAILED, EXIT_OK

DESCRIPTION = """\
Say why something has not started, with a table of the nodes: what it needs, what is free, who holds the rest.
exit codes: 0 it runs, has ended, or can start by itself; 1 it cannot start on this cluster, or was not found
example: rayakash-tui why raysubmit_j5rzA2xgzjrZvxQp
"""


def add(commands: Any) -> None:
    """Declare the command."""
    why = commands.add_parser(
        "why",
        help="explain why a job, actor, task or replica is pending",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    left_out.add(
        why,
        "id",
        "subject",
        metavar="ID",
        text="a submission, job, actor, task or placement group ID, or its start; APP/DEPLOYMENT#REPLICA",
    )
    options.add_json(why)
    options.add_cluster(why)
    why.set_defaults(run=run)


async def run(args: argparse.Namespace) -> int:
    """Print the explanation; 1 where the thing can never start."""
    from cockpit.operations.why.explain import explain
    from cockpit.render import why as render

    async with session.cluster(args) as client:
        found = await explain(client, args.id)
    now = time.time()
    if args.json:
        output.record(render.record(found))
    else:
        output.line(render.headline(found))
        output.line(found.cause.reason)
        if said := render.countdown(found, now):
            output.line(said)
        if found.cause.nodes:
            output.line("")
            output.rows(render.COLUMNS, [render.row(one, now) for one in found.cause.nodes])
    return EXIT_OK if found.can_start else EXIT_FAILED
