"""`local up|down|status`: a Ray on this machine that stays until it is taken down."""

import argparse
from typing import Any

from cockpit.cli import options, output
from cockpit.errors import EXIT_FAILED, EXIT_OK


def add(commands: Any) -> None:
    """Declare the commands."""
    group = commands.add_parser("local", help="start, stop and inspect a Ray on this machine")
    group.set_defaults(run=status)
    parts = group.add_subparsers(title="commands", metavar="COMMAND")
    start = parts.add_parser("up", help="start it and make it the current context `local`")
    start.add_argument("--num-cpus", type=int, metavar="N", help="logical CPUs (default: what the machine has)")
    start.add_argument("--num-gpus", type=int, metavar="N", help="logical GPUs (default: what the machine has)")
    stop = parts.add_parser("down", help="stop it and remove its files")
    show = parts.add_parser("status", help="show whether it runs; exit 1 if not")
    for parser, run in ((start, up), (stop, down), (show, status)):
        options.add_json(parser)
        parser.set_defaults(run=run)
    group.set_defaults(json=False)


async def up(args: argparse.Namespace) -> int:
    """Start the local Ray and make it the context in use."""
    from cockpit.local.cluster import bring_up
    from cockpit.local.launch import LocalOptions
    from cockpit.settings import use_context

    cluster = await bring_up(LocalOptions(num_cpus=args.num_cpus, num_gpus=args.num_gpus), report=output.message)
    use_context("local")
    _print(args, cluster)
    return EXIT_OK


async def down(args: argparse.Namespace) -> int:
    """End the local Ray."""
    from cockpit.local.cluster import bring_down
    from cockpit.settings import current_context, use_context

    ended = await bring_down(report=output.message)
    if current_context() == "local":
        use_context(None)
    if args.json:
        output.record({"ended": ended})
    else:
        output.message("The local Ray is down." if ended else "No local Ray was up.")
    return EXIT_OK


async def status(args: argparse.Namespace) -> int:
    """Say whether the local Ray runs."""
    from cockpit.local.state import local_status, stale_state

    cluster = local_status()
    if cluster is None and stale_state() is not None:
        output.message("The local Ray ended unexpectedly; `local down` or `local up` cleans up.")
    _print(args, cluster)
    return EXIT_OK if cluster else EXIT_FAILED


def _print(args: argparse.Namespace, cluster: Any) -> None:
    if args.json:
        fields = ("address", "gcs_address", "temp_dir", "supervisor_pid", "ray_version")
        output.record({"running": cluster is not None} | {name: getattr(cluster, name, None) for name in fields})
    elif cluster is None:
        output.line("The local Ray is not running.")
    else:
        output.line(f"Ray {cluster.ray_version} at {cluster.address}, context local")
