"""`version`: of the product, and of what it runs on, as a bug report needs it."""

import argparse
import platform
import sys
from importlib import metadata
from typing import Any

from cockpit import __version__
from cockpit.cli import options, output
from cockpit.errors import EXIT_OK

LIBRARIES = ("textual", "httpx", "ray", "keyring")


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("version", help="print the versions of the program and its libraries")
    options.add_json(parser)
    parser.set_defaults(run=show_version)


def show_version(args: argparse.Namespace) -> int:
    """Print the versions; a library that is not installed is left out."""
    found = {"python": platform.python_version()} | {name: one for name in LIBRARIES if (one := _version(name))}
    if args.json:
        output.record({"version": __version__, "platform": sys.platform, **found})
        return EXIT_OK
    output.line(f"rayakash-tui {__version__} ({', '.join(f'{name} {one}' for name, one in found.items())})")
    return EXIT_OK


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
