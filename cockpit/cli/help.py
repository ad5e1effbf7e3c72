"""`help`: the pages of the documentation, as they are in `cockpit/help/`."""

import argparse
from pathlib import Path
from typing import Any

from cockpit.cli import output
from cockpit.errors import EXIT_OK, UsageError

PAGES = Path(__file__).parents[1] / "help"


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("help", help="explain a topic, e.g. `help sdl`")
    parser.add_argument("topic", metavar="TOPIC", nargs="?", help="without one, list the topics")
    parser.set_defaults(run=show_page)


def show_page(args: argparse.Namespace) -> int:
    """Print a page, or the topics."""
    pages = {path.stem: path for path in sorted(PAGES.glob("*.md"))}
    if args.topic is None:
        for name, path in pages.items():
            output.line(f"{name:<12} {_title(path)}")
        output.message(
            "`rayakash-tui help TOPIC` explains one; `rayakash-tui COMMAND -h` lists the options of a command."
        )
        return EXIT_OK
    if args.topic not in pages:
        raise UsageError(f"Unknown topic: {args.topic!r}.", hint=f"Use {', '.join(pages)}.")
    output.document(pages[args.topic].read_text(encoding="utf-8"))
    return EXIT_OK


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").partition(": ")[2]
