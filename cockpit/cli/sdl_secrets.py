"""`sdl render` and `secrets import`: values into a copy of an SDL, and out of the SDL into the store."""

import argparse
import base64
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import output, terminal
from cockpit.cli.sdl_input import for_change, in_file, read_document
from cockpit.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from cockpit.operations.secrets.references import Rendered
    from cockpit.operations.secrets.sdl_import import Imported

SCOPE_HELP = "where the values are (default: the file's name without its ending, then `default`)"
# xterm takes no more in one sequence, and others follow it.
CLIPBOARD_BYTES = 74_994


def add_render(nested: Any) -> None:
    """Declare `sdl render`."""
    parser = nested.add_parser(
        "render",
        help="put the values of secrets into a copy of the file",
        description="Without an option only says where the value of each reference comes from.",
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--scope", metavar="S", help=SCOPE_HELP)
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("-o", "--output", metavar="F", help="write it to a file that only you can read")
    ways.add_argument("--reveal", action="store_true", help="print it")
    ways.add_argument("--copy", action="store_true", help="into the clipboard of the terminal, for the Console")
    parser.set_defaults(run=render_file)


def add_import(nested: Any) -> Any:
    """Declare `secrets import`; returns its parser."""
    parser = nested.add_parser("import", help="move the secrets in an SDL to the secret store")
    parser.add_argument("file", metavar="FILE", help="the SDL; references take the place of the values")
    parser.add_argument("--scope", metavar="S", help="where to keep them (default: the file's name without its ending)")
    parser.add_argument("--store", choices=("keyring", "vault"), help="where to keep them; the first that works")
    parser.add_argument("--replace", action="store_true", help="replace other values stored under these names")
    return parser


# --- render ----------------------------------------------------------------------------------------------------------


def render_file(args: argparse.Namespace) -> int:
    """Put values into a copy of a file."""
    from cockpit.operations.secrets.references import places_of, render
    from cockpit.secrets.names import scopes_for

    document = read_document(args.file)
    source = None if args.file == "-" else Path(args.file)
    if source is not None:
        note_use(source)
    scopes = scopes_for(sdl=source, scope=args.scope)
    with in_file(args.file):
        if args.output or args.reveal or args.copy:
            _deliver(args, render(document, scopes), source)
            return EXIT_OK
        for name, place, scope in places_of(document, scopes):
            output.line(f"{name}  {place}" + (f", scope {scope}" if scope else ""))
    output.message("Nothing was rendered; add -o FILE, --reveal or --copy.")
    return EXIT_OK


def note_use(path: Path) -> None:
    """Let the cockpit know the file by its path, so that it can tell which secrets the file needs."""
    from cockpit.operations.sdl_editor.recent import remember

    with suppress(UsageError):  # an unwritable state directory does not prevent it
        remember(path)


def _deliver(args: argparse.Namespace, rendered: "Rendered", source: Path | None) -> None:
    from cockpit.operations.secrets.references import write_rendered

    count = len(rendered.names)
    values = f"{count} value{'s' if count != 1 else ''}" + (f": {output.joined(rendered.names)}" if count else "")
    for line in rendered.partial:
        output.warning(f"{args.file}:{line}: a reference inside another text stays as it is; give it a variable.")
    if args.output:
        write_rendered(Path(args.output), rendered, source)
        output.message(f"Wrote {args.output}, for you alone to read, with {values}. Remove it when it is sent.")
    elif args.reveal:
        output.document(rendered.text.reveal())
    else:
        copy_to_clipboard(rendered.text.reveal())
        output.message(f"Sent to the clipboard of your terminal, if it supports OSC 52, with {values}.")


def copy_to_clipboard(text: str) -> None:
    """Hand a text to the terminal's clipboard by OSC 52, which works over ssh too.

    Raises UsageError without a terminal, or where the text is longer than terminals take. Source: xterm ctlseqs.
    """
    data = base64.b64encode(text.encode())
    if len(data) > CLIPBOARD_BYTES:
        raise UsageError("The text is too long for the clipboard of a terminal.", hint="Use -o FILE.")
    try:
        descriptor = os.open(terminal.TERMINAL, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError("stdout is not a terminal, so its clipboard cannot be used.", hint="Use -o FILE.") from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(b"\x1b]52;c;" + data + b"\x07")


# --- import ----------------------------------------------------------------------------------------------------------


async def import_file(args: argparse.Namespace) -> int:
    """Move secrets out of a file."""
    from cockpit.operations.secrets.sdl_import import import_secrets
    from cockpit.secrets.names import Place, checked_scope
    from cockpit.secrets.store import LASTING

    if args.file == "-":
        raise UsageError("Only a file can be imported, since it is changed.")
    path = Path(args.file)
    scope = checked_scope(args.scope or path.stem)
    note_use(path)
    places = [Place(args.store)] if args.store else LASTING
    with for_change(args.file), in_file(args.file):
        document = read_document(args.file)
        done = import_secrets(path, document, scope=scope, places=places, replace=args.replace)
    _tell(args.file, scope, done)
    return EXIT_OK


def _tell(file: str, scope: str, done: "Imported") -> None:
    for line in done.others:
        output.warning(f"{file}:{line}: this looks like a secret, but only env values and registry passwords can move.")
    if not done.services:
        what = "nothing else" if done.others else "no secret"
        output.message(f"{file}: {what} is there in plain text.")
        return
    for name, services in done.services.items():
        stored = done.stored.get(name)
        for note in stored.notes if stored else ():
            output.message(note)
        where = f"stored in the {stored.place}, scope {scope}" if stored else f"was in the scope {scope} already"
        output.message(f"{name}: {where}; {output.joined(services)} now refer{'s' * (len(services) == 1)} to it.")
    for line in done.lines:
        output.warning(f"{file}:{line}: one of the values is still here.")
    output.message("Copies, backups and version control still hold the old text: renew what others may have seen.")
