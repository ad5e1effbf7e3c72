"""`deployments cp`: results out of a deployment's containers, and data into them."""

import argparse
from typing import Any

from cockpit.cli import options, output
from cockpit.errors import EXIT_OK, UsageError

EPILOG = """\
One side is DSEQ:SERVICE:PATH, the other a path of this machine. Files travel as a tar archive through a shell of the
container; a broken connection goes on where it broke, and a checksum proves the copy.

  rayakash-tui deployments cp 1790294703677:ray-head:/tmp/results ./results
  rayakash-tui deployments cp ./data 1790294703677:ray-head:/root/data
"""
TELL_EVERY = 128 * 1024 * 1024


def add(nested: Any) -> argparse.ArgumentParser:
    """Declare the command."""
    parser: argparse.ArgumentParser = nested.add_parser(
        "cp",
        help="copy files out of a container or into it",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SOURCE", help="DSEQ:SERVICE:PATH, or a path of this machine")
    parser.add_argument("destination", metavar="DESTINATION", help="the other of the two; an existing folder is filled")
    parser.add_argument("--pod", type=replica, default=0, metavar="N", help="which replica, counted from 0")
    parser.add_argument("--console", metavar="URL", default=argparse.SUPPRESS, help="another Akash Console")
    options.add_json(parser, default=argparse.SUPPRESS)
    parser.set_defaults(run=run)
    return parser


def replica(text: str) -> int:
    """A replica's number, counted from 0."""
    if not text.isdecimal() or len(text) > 4:
        raise argparse.ArgumentTypeError(f"{text!r} is not a replica's number, counted from 0")
    return int(text)


async def run(args: argparse.Namespace) -> int:
    """Copy, and say what arrived."""
    from cockpit.operations.deployments.account import open_console
    from cockpit.operations.deployments.copying import copy, parse_copy
    from cockpit.render.units import size

    wanted = parse_copy(args.source, args.destination)
    if wanted.is_upload and args.read_only:
        raise UsageError("This would change a deployment, and --read-only was given.")
    reported = [0]

    def tell(done: int, total: int | None) -> None:
        if done - reported[0] >= TELL_EVERY:
            reported[0] = done
            output.message(f"{size(done)} copied" + (f" of {size(total)}" if total is not None else ""))

    async with open_console(args.console) as console:
        copied = await copy(console, wanted, pod=args.pod, on_progress=tell)
    if args.json:
        output.record(
            {"path": copied.path, "bytes": copied.archive_bytes, "sha256": copied.sha256, "resumed": copied.resumed}
        )
    else:
        resumed = f", resumed {copied.resumed} times" if copied.resumed else ""
        output.line(f"Copied {size(copied.archive_bytes)} to {copied.path}{resumed}; the checksum is right.")
    return EXIT_OK
