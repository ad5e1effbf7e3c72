"""`stack`, `flame` and `timeline`: what processes of a cluster do now, where their time goes, and what ran when."""

import argparse
from pathlib import Path
from typing import Any

from cockpit.cli import left_out, options, output, session
from cockpit.errors import EXIT_OK, NotFoundError, UsageError

FLAME_WIDTH = 120  # without a terminal
OFF = "Ray allows this where its head was started with RAY_DASHBOARD_ENABLE_PROFILING=1 in its environment.\n"


def add(commands: Any) -> None:
    """Declare the commands."""
    stack = commands.add_parser(
        "stack",
        help="print the stack of a process (py-spy)",
        description=f"Print the stacks of the process behind an actor, a task or a job's driver.\n{OFF}"
        "example: rayakash-tui stack 8dd6909aa88252efaccb248b01000000\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    flame = commands.add_parser(
        "flame",
        help="draw a CPU flame graph of a process, or save a memory profile",
        description=f"Sample the process behind an actor, a task or a job's driver, and draw its CPU profile.\n{OFF}"
        "example: rayakash-tui flame 8dd6909aa88252efaccb248b01000000 --seconds 10 -o profile.svg\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    flame.add_argument(
        "--seconds", type=options.count, default=10, metavar="N", help="sample so long (1 to 60; default 10)"
    )
    flame.add_argument(
        "--memory", action="store_true", help="save what it allocates as HTML to the file of -o (memray) instead"
    )
    flame.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the profile to an SVG file as well")
    timeline = commands.add_parser(
        "timeline",
        help="save a job's task timeline as a Chrome trace",
        description="Save the timeline of a job's tasks as a file for chrome://tracing or https://ui.perfetto.dev.\n"
        "example: rayakash-tui timeline raysubmit_j5rzA2xgzjrZvxQp -o timeline.json\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    timeline.add_argument("-o", "--output", type=Path, metavar="FILE", required=True, help="the file to write")
    for parser in (flame, timeline):
        parser.add_argument("--force", action="store_true", help="replace a file that exists")
    what = "ID of an actor, a task or a job, or its start"
    for parser, run, metavar in (
        (stack, print_stack, "ID"),
        (flame, draw_flame, "ID"),
        (timeline, save_timeline, "JOB"),
    ):
        if metavar == "ID":
            left_out.add(parser, "id", "subject", metavar=metavar, text=what)
        else:
            left_out.add(parser, "id", "job", metavar=metavar, text="submission ID or job ID, or its start")
        options.add_cluster(parser)
        parser.set_defaults(run=run)


async def print_stack(args: argparse.Namespace) -> int:
    """Print what py-spy says."""
    from cockpit.operations.profiling.targets import find_target, stack

    async with session.cluster(args) as client:
        text = await stack(client, await find_target(client, args.id))
    output.document(text if text.endswith("\n") else f"{text}\n")
    return EXIT_OK


async def draw_flame(args: argparse.Namespace) -> int:
    """Sample, draw, and save where a file is named."""
    from cockpit.clients.ray.profiling import LONGEST_PROFILE
    from cockpit.model.flame import parse
    from cockpit.operations.profiling.targets import find_target
    from cockpit.render.flame import flame_lines, svg

    if args.seconds > LONGEST_PROFILE:
        raise UsageError(f"Invalid time: {args.seconds} s. Ray samples {LONGEST_PROFILE} s at most.")
    if args.memory and args.output is None:
        raise UsageError("A memory profile is a page of HTML for a browser.", hint="Name a file: -o memory.html")
    async with session.cluster(args) as client:
        target = await find_target(client, args.id)
        output.message(f"Sampling {target.label} (pid {target.pid}) for {args.seconds} s…")
        if args.memory:
            await _save(await client.profiling.memory(target.node_id, target.pid, seconds=args.seconds), args)
            return EXIT_OK
        root = parse(await client.profiling.folded(target.node_id, target.pid, seconds=args.seconds))
    for text in flame_lines(root, output.terminal_width() or FLAME_WIDTH):
        output.line(text)
    if not root.samples:
        output.message(
            f"{target.label} used no CPU in {args.seconds} s: it waits. See where with: rayakash-tui stack {args.id}"
        )
    elif args.output is not None:
        title = f"{target.label}, pid {target.pid}: {root.samples} samples in {args.seconds} s"
        await _save(svg(root, title).encode(), args)
    return EXIT_OK


async def save_timeline(args: argparse.Namespace) -> int:
    """Write the trace to a file."""
    from cockpit.operations.why.subjects import find_subject

    async with session.cluster(args) as client:
        subject = await find_subject(client, args.id)
        job = subject.job or (await client.jobs.get(subject.id) if subject.kind == "job" else None)
        if job is None:
            raise NotFoundError(f"Job {args.id} not found.", hint="`rayakash-tui jobs` lists the jobs.")
        if job.job_id is None:
            raise NotFoundError(f"Job {job.id} has no tasks: its program has not called ray.init.")
        trace = await client.profiling.timeline(job.job_id)
    await _save(trace, args)
    return EXIT_OK


async def _save(content: bytes, args: argparse.Namespace) -> None:
    from cockpit.operations.profiling.saving import save_bytes

    await save_bytes(content, args.output, replace=args.force)
    output.message(f"Saved {args.output}.")
