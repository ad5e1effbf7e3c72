"""`web`: the cockpit in a browser."""

import argparse
import sys
from typing import Any

from cockpit.cli import options, output
from cockpit.errors import EXIT_OK

DEFAULT_PORT = 8266


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("web", help="serve the cockpit to a browser")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on; traffic is not encrypted, so keep it local",
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, metavar="PORT", help=f"default {DEFAULT_PORT}; 0: any"
    )
    options.add_cluster(parser)
    parser.set_defaults(run=serve)


async def serve(args: argparse.Namespace) -> int:
    """Print the address with its one-time token, and serve until interrupted."""
    from cockpit.local.browser import LOOPBACK, served, until_cancelled

    if args.host not in LOOPBACK:
        output.warning(f"{args.host} is reachable by others, and the connection is not encrypted.")
    async with served(_command(args), host=args.host, port=args.port) as url:
        output.line(url)
        output.message("The address is good for one browser. End with Ctrl-C.")
        await until_cancelled()
    return EXIT_OK


def _command(args: argparse.Namespace) -> list[str]:
    """The cockpit with the options that name the cluster."""
    command = [sys.executable, "-m", "cockpit"]
    named = {
        "--context": args.context,
        "--address": args.address,
        "--ssh": args.ssh,
        "--ssh-port": args.ssh_port,
        "--accept-certificate": args.accept_certificate,
        "--replay": args.replay,
    }
    for name, value in named.items():
        if value is not None:
            command.append(f"{name}={value}")
    return [*command, "--read-only"] if args.read_only else command
