"""`logs ID --plot`: numbers of a log as curves in plain text."""

import argparse
import time
from typing import TYPE_CHECKING

from cockpit.cli import output
from cockpit.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cockpit.clients.ray import RayClient
    from cockpit.operations.logs.numbers import RunNumbers
    from cockpit.render.number_plots import Run

HEIGHT = 12
WIDTH = 100


def check(args: argparse.Namespace) -> None:
    """Raises UsageError for options that do not go together with --plot, or that need it."""
    if args.plot is None:
        if args.runs is not None:
            raise UsageError("--runs is for --plot: how many runs of the name to lay over one another.")
        return
    if args.id is None:
        raise UsageError("--plot is for the log of a job: `logs ID --plot loss`.")
    if args.follow or args.tail or args.all:
        raise UsageError("--plot reads the whole log as it is now: without -f, --tail and --all.")


async def print_plot(client: "RayClient", args: argparse.Namespace) -> int:
    """Print a plot per name, or the points as JSON. Raises NoNumberError for a name that the log does not hold."""
    from cockpit.operations.jobs.ids import find_job
    from cockpit.operations.jobs.runs import earlier_runs
    from cockpit.operations.logs.numbers import check_found, parse_names, read_numbers
    from cockpit.render.number_plots import MOST_RUNS, record

    names = parse_names(args.plot)
    if args.runs is not None and not 1 <= args.runs <= MOST_RUNS:
        raise UsageError(f"--runs takes 1 to {MOST_RUNS}.")
    job = await find_job(client, args.id)
    latest = await read_numbers(client, job, names)
    check_found(latest)
    found = [latest]
    if (args.runs or 1) > 1:
        jobs = (await client.jobs.list()).rows
        found += [await read_numbers(client, run, names) for run in earlier_runs(job, jobs, most=args.runs - 1)]
    if args.json:
        plots = _plots(names, found)
        output.listing("series", [record(name, run) for name, runs in plots.items() for run in runs], now=time.time())
    else:
        print_plots(names, found)
    return EXIT_OK


def _plots(names: "Sequence[str]", found: "Sequence[RunNumbers]") -> "dict[str, list[Run]]":
    from cockpit.render.number_plots import Run

    return {name: [Run(run.job.id or "", run.series[name]) for run in found if _has(run, name)] for name in names}


def _has(run: "RunNumbers", name: str) -> bool:
    return run.series[name].count > 0


def print_plots(names: "Sequence[str]", found: "Sequence[RunNumbers]") -> None:
    """Print the curves of each name, the runs over one another."""
    from cockpit.cli.cockpit import is_ascii
    from cockpit.render.glyphs import ASCII, UNICODE
    from cockpit.render.number_plots import curves, title

    glyphs = ASCII if is_ascii() else UNICODE
    width = min(WIDTH, output.terminal_width() or WIDTH)
    for number, (name, runs) in enumerate(_plots(names, found).items()):
        if number:
            output.line("")
        for line in [*title(name, runs, glyphs), *curves(runs, width=width, height=HEIGHT, glyphs=glyphs)]:
            output.line("".join(part.text for part in line).rstrip())
