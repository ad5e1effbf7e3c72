"""`offers`: which GPUs Akash has, what they cost, and who could bid for an SDL."""

import argparse
import time
from typing import TYPE_CHECKING, Any

from cockpit.cli import options, output
from cockpit.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from cockpit.clients.akash.console import ConsoleClient
    from cockpit.operations.deployments.offers import Screening

EPILOG = """\
Prices are USD per hour of deployments with one GPU, their CPU and memory included. No API key is needed.

  rayakash-tui offers --gpu h100 --count 8       what has 8 free on one node
  rayakash-tui offers --sdl lab.yaml             who could bid, and which line excludes most providers
"""

PROVIDER_TITLES = ("PROVIDER", "HOST", "REGION", "AUDITED")


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "offers",
        help="list GPUs on Akash with prices (no account needed)",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--gpu", metavar="MODEL", help="only models that contain this, such as h100 or rtx")
    parser.add_argument("--count", type=_number, default=1, metavar="N", help="only those with N on one node")
    parser.add_argument("--ram", type=options.memory, metavar="SIZE", help="only GPUs with at least this memory: 48Gi")
    parser.add_argument("--region", metavar="NAME", help="only providers whose region or country contains this")
    parser.add_argument("--sdl", metavar="FILE", help="show who could bid for this SDL, and which line excludes most")
    add_console(parser)
    options.add_json(parser)
    parser.set_defaults(run=show_offers)


def _number(text: str) -> int:
    """A whole number from 1."""
    if not (text.isdecimal() and 0 < int(text[:6]) < 10_000):
        raise argparse.ArgumentTypeError(f"invalid number of GPUs: {text!r}; give 1 or more")
    return int(text)


def add_console(parser: argparse.ArgumentParser) -> None:
    """`--console`."""
    parser.add_argument(
        "--console", metavar="URL", help="another Akash Console (default: AKASH_CONSOLE_URL, config.toml, Akash's own)"
    )


async def show_offers(args: argparse.Namespace) -> int:
    """Print the offers, or who could bid for an SDL."""
    from cockpit.operations.deployments.account import open_console

    async with open_console(args.console, with_key=False) as console:
        if args.sdl is not None:
            return await _screened(args, console)
        return await _listed(args, console)


async def _listed(args: argparse.Namespace, console: "ConsoleClient") -> int:
    from cockpit.operations.deployments.offers import Wanted, find_offers
    from cockpit.render import deployments as render

    wanted = Wanted(model=args.gpu, count=args.count, ram_bytes=args.ram, region=args.region)
    found = await find_offers(console, wanted)
    if args.json:
        output.listing("offers", [render.offer_record(one) for one in found], now=time.time())
    elif found:
        output.rows(render.OFFER_COLUMNS, [render.offer_row(one) for one in found])
    else:
        output.message("No GPU on Akash matches now.")
    return EXIT_OK if found else EXIT_FAILED


async def _screened(args: argparse.Namespace, console: "ConsoleClient") -> int:
    from cockpit.cli.sdl_input import in_file, read_document
    from cockpit.operations.deployments.groups import groups_of
    from cockpit.operations.deployments.offers import explain, screen

    document = read_document(args.sdl)
    with in_file(args.sdl):
        groups = groups_of(document)
    found = [await explain(console, one, document) for one in await screen(console, groups)]
    if args.json:
        output.listing("groups", [_record(one) for one in found], now=time.time())
    for one in () if args.json else found:
        _print(one, args.sdl)
    return EXIT_OK if all(one.providers for one in found) else EXIT_FAILED


def _print(screening: "Screening", file: str) -> None:
    from cockpit.render.table import text_column

    count = len(screening.providers)
    output.message(f"{screening.group.name}: {count} provider{'' if count == 1 else 's'} could bid.")
    if count:
        columns = [
            text_column("PROVIDER", shrink=True),
            text_column("HOST", shrink=True),
            text_column("REGION"),
            text_column("AUDITED"),
        ]
        cells = [
            [one.address, one.host_uri.removeprefix("https://"), one.region or "–", "yes" if one.is_audited else "no"]
            for one in screening.providers
        ]
        output.rows(columns, cells)
    if (worst := screening.worst) is not None:
        where = f"{file}:{worst.line}: " if worst.line else ""
        output.message(
            f"{where}{worst.requirement} excludes {worst.without - count} of {worst.without} providers; "
            "it excludes more than any other line."
        )
    elif not count:
        output.message("No single line excludes them all: several requirements do together.")


def _record(screening: "Screening") -> dict[str, Any]:
    return {
        "group": screening.group.name,
        "providers": [
            {"address": one.address, "host_uri": one.host_uri, "region": one.region, "audited": one.is_audited}
            for one in screening.providers
        ],
        "exclusions": [
            {"line": one.line, "requirement": one.requirement, "providers_without": one.without}
            for one in screening.exclusions
        ],
    }
