"""`history` and `usage`: the past that cockpits and commands have recorded of a cluster."""

import argparse
import csv
import sys
import time
from typing import TYPE_CHECKING, Any

from cockpit.cli import options, output, session
from cockpit.errors import EXIT_OK
from cockpit.render.times import iso

if TYPE_CHECKING:
    from cockpit.model.past import Curve
    from cockpit.operations.clusters.past import Past

HISTORY = """\
Print what was recorded of the cluster: 10 s apart for an hour, 1 min for 24 hours, 10 min for 14 days. An open cockpit
records by itself; `nodes` and `gpus` add a sample each time they run. Nothing is asked of the cluster.
"""
HISTORY_EXAMPLES = """\
examples:
  rayakash-tui history --since 6h
  rayakash-tui history --gpu worker-1:0 --csv > gpu.csv
  rayakash-tui history --job raysubmit_j5rz --json
"""
USAGE = """\
GPU-hours by job or owner for the time that the history covers, with cost where the context has one. An owner is what a
job's metadata says under owner, user or job_owner.
"""
USAGE_EXAMPLES = """\
examples:
  rayakash-tui usage --since 7d
  rayakash-tui usage --by owner --json
"""


def add(commands: Any) -> None:
    """Declare the commands."""
    history = commands.add_parser(
        "history",
        help="print the history of a cluster, node, GPU or job",
        description=HISTORY,
        epilog=HISTORY_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subject = history.add_mutually_exclusive_group()
    subject.add_argument("--gpu", metavar="NODE:INDEX", help="one GPU: use, memory and power")
    subject.add_argument("--node", metavar="NODE", help="one node: CPU, memory and network")
    subject.add_argument("--job", metavar="ID", help="one job: mean use of the GPUs that it held")
    _add_since(history, "1h")
    form = history.add_mutually_exclusive_group()
    options.add_json(form)
    form.add_argument("--csv", action="store_true", help="print time, name, value and unit as CSV")
    usage = commands.add_parser(
        "usage",
        help="print GPU-hours and cost by job or owner",
        description=USAGE,
        epilog=USAGE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    usage.add_argument("--by", choices=("job", "owner"), default="job", help="what to sum up (default job)")
    _add_since(usage, "24h")
    options.add_json(usage)
    for parser, run in ((history, print_history), (usage, print_usage)):
        options.add_cluster(parser)
        parser.set_defaults(run=run)


def _add_since(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--since",
        type=options.seconds,
        metavar="TIME",
        default=options.seconds(default),
        help=f"how far back: 10m, 6h, 14d (default {default})",
    )


async def print_history(args: argparse.Namespace) -> int:
    """Print curves; without a history they are empty."""
    from cockpit.operations.clusters.past import open_past

    name, _ = session.history_of(args)
    now = time.time()
    with open_past(name) as past:
        _say(past)
        curves = _curves(past, args, since=now - args.since, until=now)
    if args.json:
        output.record(
            {
                "cluster": name,
                "since": iso(now - args.since),
                "as_of": iso(now),
                "series": [_curve_record(curve) for curve in curves],
            }
        )
    elif args.csv:
        _print_csv(curves)
    else:
        _print_curves(curves)
    return EXIT_OK


def _say(past: "Past") -> None:
    if past.notice:
        output.warning(past.notice)
    if past.begin is None:
        output.message("No history of this cluster yet. An open cockpit records it; so does each run of gpus or nodes.")


def _curves(past: "Past", args: argparse.Namespace, *, since: float, until: float) -> "list[Curve]":
    for wanted, read in ((args.gpu, past.gpu), (args.node, past.node), (args.job, past.job)):
        if wanted is not None:
            return read(wanted, since=since, until=until)
    return past.cluster(since=since, until=until)


def _curve_record(curve: "Curve") -> dict[str, Any]:
    points = [{"at": iso(point.at), "value": _short(point.value)} for point in curve.points]
    return {"name": curve.name, "unit": curve.unit, "points": points}


def _short(value: float | None) -> float | None:
    """What a 16-bit float holds of a value, without the digits that it does not."""
    return None if value is None else float(f"{value:.4g}")


def _print_csv(curves: "list[Curve]") -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("time", "name", "value", "unit"))
    for curve in curves:
        for point in curve.points:
            writer.writerow((iso(point.at), curve.name, "" if point.value is None else _short(point.value), curve.unit))


def _print_curves(curves: "list[Curve]") -> None:
    from cockpit.render.curves import curve_lines

    for line in curve_lines(curves, width=output.terminal_width() or output.PIPE_WIDTH):
        output.line(line)


async def print_usage(args: argparse.Namespace) -> int:
    """Print GPU-hours, the most first."""
    from cockpit.operations.clusters.past import open_past
    from cockpit.render.curves import USAGE_COLUMNS, usage_record, usage_row

    name, cost = session.history_of(args)
    now = time.time()
    with open_past(name) as past:
        _say(past)
        begin = past.begin
        since = max(now - args.since, begin or now)
        found = past.use(by=args.by, since=since, until=now, cost_per_hour=cost)
    if args.json:
        records = [usage_record(use, by=args.by) for use in found]
        output.listing("usage", records, now=now, by=args.by, since=iso(since))
    elif found:
        output.rows(USAGE_COLUMNS, [usage_row(use) for use in found])
    elif begin is not None:
        output.message("No job held a GPU in this time.")
    return EXIT_OK
