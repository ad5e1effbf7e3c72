"""`logs`: what jobs, actors, tasks and nodes print."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import options, output, session
from cockpit.cli.choosing import can_choose, chosen_job
from cockpit.cli.log_plot import check as check_plot
from cockpit.errors import EXIT_FAILED, EXIT_OK, NotFoundError, UsageError

if TYPE_CHECKING:
    from cockpit.clients.ray import RayClient
    from cockpit.feeds.log_source import LogSource

DESCRIPTION = """\
Print or follow a log: of a job by its id, or of an actor, a task or a node. --node alone lists the node's files.
--all saves everything that a job wrote, the files of its workers too, to a tar file.
--plot draws numbers that the log repeats (loss=0.12, "acc": 0.9, 3.4it/s), --runs 3 with two earlier runs of the name.
"""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("logs", help="print or follow the log of a job", description=DESCRIPTION)
    parser.usage = "rayakash-tui logs [options] (ID | --last | --node NODE [--file NAME] | --actor ID | --task ID)"
    parser.add_argument("id", metavar="ID", nargs="?", help="submission ID or job ID; the start of one is enough")
    options.add_last(parser)
    parser.add_argument("--node", metavar="NODE", help="a node: its id or the beginning of it, its address, or `head`")
    parser.add_argument("--file", metavar="NAME", help="the file of the node")
    parser.add_argument("--actor", metavar="ID", help="what an actor prints; if it lives, the start of its ID will do")
    parser.add_argument("--task", metavar="ID", help="what a task printed; if it runs, the start of its ID will do")
    parser.add_argument("--err", action="store_true", help="of an actor or task: what went to its stderr")
    parser.add_argument(
        "-f", "--follow", action="store_true", help="follow until the writer ends; for a job, exit with its result"
    )
    parser.add_argument("--tail", type=options.count, metavar="N", help="start at the last N lines")
    parser.add_argument("--all", action="store_true", help="save all that the job ID wrote, to the file of -o")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.tar", help="the file for --all")
    parser.add_argument("--plot", metavar="NAME[,NAME]", help="plot numbers of a job's log, e.g. loss,acc")
    parser.add_argument(
        "--runs", type=options.count, metavar="N", help="with --plot: earlier runs of the same name too, N in all"
    )
    options.add_json(parser)
    options.add_retry(parser)
    options.add_cluster(parser)
    parser.set_defaults(run=print_log)


async def print_log(args: argparse.Namespace) -> int:
    """Print the log, list files, or save them, as the options say."""
    _check(args)
    async with session.cluster(args) as client:
        if args.last:
            args.id = await _last(client)
        elif args.chooses:
            args.id = await chosen_job(client)
        if args.plot is not None:
            from cockpit.cli.log_plot import print_plot

            return await print_plot(client, args)
        if args.all:
            return await _save(client, args)
        if args.node is not None and args.file is None:
            return await _list(client, args)
        return await _print(client, args)


def _check(args: argparse.Namespace) -> None:
    given = [name for name in ("id", "node", "actor", "task") if getattr(args, name) is not None]
    given += ["last"] if args.last else []
    args.chooses = not given and can_choose()
    given += ["id"] if args.chooses else []
    if len(given) != 1:
        raise UsageError("Name one thing: a job's ID, --last, --node, --actor or --task.")
    if args.file is not None and args.node is None:
        raise UsageError("--file names a file of a node: give --node too.")
    if args.err and given[0] not in ("actor", "task"):
        raise UsageError("--err is for --actor and --task; the log of a job holds both.")
    if args.all != (args.output is not None) or (args.all and given[0] not in ("id", "last")):
        raise UsageError("--all saves what a job wrote: `logs --all ID -o FILE.tar`.")
    if args.all and (args.follow or args.tail):
        raise UsageError("--all saves whole logs as they are now: without -f and --tail.")
    check_plot(args)
    if args.json and not (args.all or args.plot or (args.node is not None and args.file is None)):
        raise UsageError("--json is for --plot and for lists: the files of a node, or what --all has saved.")
    if args.node is not None and args.file is None and (args.follow or args.tail):
        raise UsageError("Which file of the node? --node alone lists them; --file names one.")


async def _print(client: "RayClient", args: argparse.Namespace) -> int:
    from cockpit.cli.following import conclude, follow
    from cockpit.cli.notices import tell_end
    from cockpit.operations.jobs.ids import complete_id

    source = await _source(client, args)
    try:
        followed = await follow(source, args, tail=args.tail, until_end=args.follow)
    except NotFoundError:
        if args.id is None or source.has_answered:
            raise
        args.id = await complete_id(client, args.id, changes=False)
        followed = await follow(await _source(client, args), args, tail=args.tail, until_end=args.follow)
    if args.id is not None and args.follow:
        await tell_end(followed.job)
        return conclude(followed)
    if args.id is not None:
        _explain_empty(followed)
        return EXIT_OK
    if followed.missing:
        output.warning(followed.missing)
        return EXIT_FAILED
    if followed.state.file is None or (args.follow and followed.state.is_over):
        output.message(f"{followed.state.words}.")
    return EXIT_OK


async def _last(client: "RayClient") -> str:
    from cockpit.operations.jobs.ids import last_submission

    job_id = await last_submission(client)
    output.message(f"Last job: {job_id}.")
    return job_id


async def _source(client: "RayClient", args: argparse.Namespace) -> "LogSource":
    from cockpit.feeds.log_source import ActorLog, JobLog, NodeLog, TaskLog

    suffix = "err" if args.err else "out"
    if args.actor is not None:
        return ActorLog(client, await _whole_id(client, args.actor, "actor"), suffix=suffix)
    if args.task is not None:
        return TaskLog(client, await _whole_id(client, args.task, "task"), suffix=suffix)
    if args.id is not None:
        return JobLog(client, args.id)
    from cockpit.operations.logs.node_logs import find_node

    return NodeLog(client, (await find_node(client, args.node)).node_id or "", args.file)


async def _whole_id(client: "RayClient", given: str, kind: str) -> str:
    """The ID of the one living actor or task that it is the start of. Raises NotFoundError."""
    from cockpit.operations.why.subjects import SHORTEST_PREFIX, find_subject

    if len(given) < SHORTEST_PREFIX:
        return given
    found = await find_subject(client, given)
    if found.kind != kind:
        is_what, is_not = (f"{'an' if one == 'actor' else 'a'} {one}" for one in (found.kind, kind))
        raise NotFoundError(f"{given} is {is_what}, not {is_not}.")
    return found.id


async def _list(client: "RayClient", args: argparse.Namespace) -> int:
    from cockpit.operations.logs.node_logs import find_node, list_files
    from cockpit.render.table import text_column

    node = await find_node(client, args.node)
    files = await list_files(client, node.node_id or "")
    if args.json:
        records = [{"node_id": file.node_id, "kind": file.kind, "name": file.name} for file in files]
        output.listing("files", records, now=time.time())
    else:
        output.rows((text_column("KIND"), text_column("NAME")), [(file.kind, file.name) for file in files])
    return EXIT_OK


async def _save(client: "RayClient", args: argparse.Namespace) -> int:
    from cockpit.operations.logs.archive import save_logs
    from cockpit.render.units import size

    def on_file(name: str, count: int) -> None:
        output.message(f"  {size(count):>9}  {name}")

    saved = await save_logs(client, args.id, args.output, on_file=on_file)
    for sentence in saved.missing:
        output.warning(sentence)
    if args.json:
        records = [{"name": name, "size": count} for name, count in saved.files]
        output.listing("files", records, now=time.time(), missing=list(saved.missing))
    else:
        total = sum(count for _, count in saved.files)
        output.message(f"Saved {len(saved.files)} files, {size(total)}, to {args.output}.")
    return EXIT_OK if saved.files else EXIT_FAILED


def _explain_empty(followed: Any) -> None:
    job = followed.job
    if followed.missing:
        output.warning(followed.missing)
    elif job.driver_node_id is None and not job.is_terminal:
        output.message(f"Job {job.id} is {job.status} and has no log yet.")
    elif job.driver_node_id is None:
        output.message(f"Job {job.id} never ran, so it has no log. Ray's message:")
        for text in (job.message or "").expandtabs(4).splitlines():
            output.message(f"  | {text}")
