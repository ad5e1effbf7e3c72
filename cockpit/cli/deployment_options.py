"""What the commands of `deployments` have in common."""

import argparse
from typing import TYPE_CHECKING, Any

from cockpit.cli import left_out, options
from cockpit.errors import UsageError

if TYPE_CHECKING:
    from cockpit.clients.akash.console import ConsoleClient


def command(nested: Any, name: str, text: str, run: Any, *, dseq: bool | str = False) -> argparse.ArgumentParser:
    """A command of `deployments`; `dseq` says whether it takes one, `?` that it may."""
    parser: argparse.ArgumentParser = nested.add_parser(name, help=text)
    if dseq == "?":
        parser.add_argument("dseq", nargs="?", metavar="DSEQ", help="the deployment's number")
    elif dseq:
        left_out.add(parser, "dseq", "deployment", metavar="DSEQ", text="the deployment's number")
    parser.add_argument("--console", metavar="URL", default=argparse.SUPPRESS, help="another Akash Console")
    options.add_json(parser, default=argparse.SUPPRESS)
    parser.set_defaults(run=run)
    return parser


def add_yes(parser: argparse.ArgumentParser) -> None:
    """`--yes`."""
    parser.add_argument("--yes", action="store_true", help="answer yes to every question")


def opened(args: argparse.Namespace) -> "ConsoleClient":
    """The Console that the options name."""
    from cockpit.operations.deployments.account import open_console

    return open_console(args.console)


def require_changes(args: argparse.Namespace) -> None:
    """Raise UsageError under --read-only."""
    if args.read_only:
        raise UsageError("This would change a deployment, and --read-only was given.")
