"""`secrets`: keep values outside files, and see what is kept where; no value is printed unless asked for."""

import argparse
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from cockpit.cli import left_out, options, output, sdl_secrets, secrets_tls
from cockpit.cli.parser import Parser
from cockpit.errors import EXIT_OK, UsageError
from cockpit.model.secret import Secret

if TYPE_CHECKING:
    from cockpit.secrets.names import Place
    from cockpit.secrets.overview import Status
    from cockpit.secrets.store import Stored

DESCRIPTION = """\
A value is looked for in the environment (RAYAKASH_SECRET_NAME), with secret_command of config.toml, in the system's
keyring, and in an encrypted vault. Refer to it as ac-secret://NAME, in SDLs and in --env.
"""
NO_ARGUMENT = (
    "A value is never given as an argument: other users see it in the process list, and the shell remembers it."
)
BETTER = "Pipe the value in, or leave it out and be asked for it."
PIPE_BYTES = 1 << 20

Run = Callable[[argparse.Namespace], Awaitable[int]]


class _Parser(Parser):
    """Refuses surplus arguments without repeating them, since one may be the secret."""

    def refuse_surplus(self, surplus: list[str]) -> NoReturn:
        """Raises UsageError."""
        raise UsageError(NO_ARGUMENT, hint=BETTER)


def add(commands: Any) -> None:
    """Declare the commands."""
    group = commands.add_parser(
        "secrets",
        help="store secrets outside files",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # With `entrypoint` the words after -- come to us, and are not repeated either.
    group.set_defaults(run=_alone(_help_of(group)), entrypoint=None)
    nested = group.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    _add_writing(nested)
    stored = nested.add_parser("list", help="list stored and missing secrets with who refers to them, without values")
    options.add_listing(stored)
    stored.set_defaults(run=_alone(list_secrets))
    status = nested.add_parser("status", help="show which secret stores are used, and why")
    options.add_json(status)
    status.set_defaults(run=_alone(show_status))
    phrase = nested.add_parser("passphrase", help="change the passphrase of the vault; a new one may be piped in")
    phrase.set_defaults(run=_alone(change_passphrase))
    sdl_secrets.add_import(nested).set_defaults(run=_alone(sdl_secrets.import_file))


def _add_writing(nested: Any) -> None:
    keep = nested.add_parser("set", help="store a value, read from a pipe or asked for")
    make = nested.add_parser("generate", help="generate and store a random token, or `tls`: a key and certificate")
    drop = nested.add_parser("delete", help="delete a value from the store")
    for parser, run in ((keep, set_secret), (make, generate), (drop, delete)):
        if parser is drop:
            left_out.add(drop, "name", "secret", metavar="NAME")
        else:
            parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--scope", default="default", metavar="S", help="an SDL's or context's name (default: %(default)s)"
        )
        parser.set_defaults(run=_alone(run))
    for parser in (keep, make):
        parser.add_argument("--store", choices=("keyring", "vault"), help="where to keep it; the first that works")
    secrets_tls.add_options(make)
    make.add_argument("--length", type=int, metavar="N", help="number of characters (default 43, 256 bits)")
    make.add_argument("--replace", action="store_true", help="replace an existing value")
    make.add_argument("--reveal", action="store_true", help="print the token")


def _alone(run: Run) -> Run:
    """The command, refusing words after `--`."""

    async def alone(args: argparse.Namespace) -> int:
        if args.rest:
            raise UsageError(NO_ARGUMENT, hint=BETTER)
        return await run(args)

    return alone


def _help_of(group: argparse.ArgumentParser) -> Run:
    async def show_help(_: argparse.Namespace) -> int:
        group.print_help()
        return EXIT_OK

    return show_help


async def set_secret(args: argparse.Namespace) -> int:
    """Keep a value."""
    from cockpit.secrets.names import checked_name, checked_scope
    from cockpit.secrets.references import process_store
    from cockpit.secrets.values import advice_on

    checked_name(args.name), checked_scope(args.scope)
    value = _value(f"Value of {args.name}: ")
    stored = process_store().put(args.name, value, scope=args.scope, places=_places_of(args.store))
    _say_where(args.name, stored)
    if advice := advice_on(args.name, value):
        output.warning(advice)
    return EXIT_OK


async def generate(args: argparse.Namespace) -> int:
    """Make a token, or a certificate, and keep it."""
    if args.name == secrets_tls.TLS:
        return await secrets_tls.generate(args, _places_of(args.store))
    if args.host:
        raise UsageError("Only a certificate has hosts.", hint="Make one with: rayakash-tui secrets generate tls")
    from cockpit.secrets.references import process_store
    from cockpit.secrets.values import USUAL_TOKEN

    value, stored = process_store().generate(
        args.name,
        scope=args.scope,
        length=USUAL_TOKEN if args.length is None else args.length,
        replace=args.replace,
        places=_places_of(args.store),
    )
    _say_where(args.name, stored)
    if args.reveal:
        output.line(value.reveal())
    return EXIT_OK


async def delete(args: argparse.Namespace) -> int:
    """Remove a value."""
    from cockpit.secrets.environment import ENVIRONMENT_PREFIX
    from cockpit.secrets.references import process_store

    store = process_store()
    removed = store.delete(args.name, scope=args.scope)
    output.message(f"Deleted {args.name} from the {output.joined(removed)}, scope {args.scope}.")
    if store.environment.get(ENVIRONMENT_PREFIX + args.name):
        output.message(f"The environment still has it, as {ENVIRONMENT_PREFIX}{args.name}.")
    return EXIT_OK


async def list_secrets(args: argparse.Namespace) -> int:
    """Print every secret that is stored or referred to."""
    from cockpit.cli import listing
    from cockpit.operations.secrets.uses import secret_list
    from cockpit.render.secrets import SECRETS
    from cockpit.secrets.references import process_store

    found = secret_list(process_store())
    for problem in found.problems:
        output.warning(problem)
    listing.print_listing(args, SECRETS, found.rows, listing.context_now())
    return EXIT_OK


async def show_status(args: argparse.Namespace) -> int:
    """Print what is used to keep secrets."""
    from cockpit.secrets.overview import status
    from cockpit.secrets.references import process_store

    found = status(process_store())
    if args.json:
        output.record(_status_record(found))
    else:
        for text in _status_lines(found):
            output.line(text)
    return EXIT_OK


async def change_passphrase(_: argparse.Namespace) -> int:
    """Encrypt the vault again."""
    from cockpit.cli import terminal
    from cockpit.secrets.environment import PASSPHRASE_VARIABLE
    from cockpit.secrets.references import process_store

    store = process_store()
    if not store.vault.exists:
        raise UsageError(f"No vault at {store.vault.path}.")
    store.vault.open()
    new = terminal.ask_twice("New passphrase: ") if _is_typed() else _piped()
    if new is None:
        raise UsageError("The passphrase is empty.", hint="Nothing was changed.")
    store.vault.change_passphrase(new)
    output.message("Changed the passphrase of the vault.")
    if store.environment.get(PASSPHRASE_VARIABLE):
        output.message(f"{PASSPHRASE_VARIABLE} still holds the old one.")
    return EXIT_OK


def _value(question: str) -> Secret:
    """What is piped in, else what is typed; asked for once, since values are pasted."""
    from cockpit.cli import terminal

    value = terminal.ask_hidden(question) if _is_typed() else _piped()
    if value is None:
        raise UsageError("The value is empty.", hint="Nothing was stored.")
    return value


def _is_typed() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _piped() -> Secret | None:
    """All of stdin without the newline that `echo` adds; None where that is nothing."""
    data = b"" if sys.stdin is None else sys.stdin.buffer.read(PIPE_BYTES)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise UsageError("The input is not valid UTF-8.", hint="Encode it, for example with base64.") from None
    text = text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
    return Secret(text) if text else None


def _places_of(store: str | None) -> "Sequence[Place]":
    """Where to keep a value: in the named place, or in the first that works."""
    from cockpit.secrets.names import Place
    from cockpit.secrets.store import LASTING

    return [Place(store)] if store else LASTING


def _say_where(name: str, stored: "Stored") -> None:
    for note in stored.notes:
        output.message(note)
    output.message(f"Stored {name} in the {stored.place}, scope {stored.scope}.")


def _status_record(found: "Status") -> dict[str, Any]:
    keyring, vault = found.keyring, found.vault
    return {
        "store": found.place,
        "keyring": {"usable": keyring.is_usable, "backend": keyring.backend, "reason": keyring.reason or None},
        "vault": {
            "usable": vault.is_usable,
            "path": vault.path,
            "exists": vault.exists,
            "unlocked": vault.is_unlocked,
            "reason": vault.reason or None,
        },
        "index": {"path": found.index, "total": found.total},
        "secret_command": found.secret_command,
        "environment": list(found.environment),
    }


def _status_lines(found: "Status") -> list[str]:
    vault = found.vault
    state = "made with the first secret" if not vault.exists else "unlocked" if vault.is_unlocked else "locked"
    return [
        f"new secrets go to  {found.place}" + (", which ends with this process" if found.place == "session" else ""),
        f"keyring            {found.keyring.backend or 'none: ' + found.keyring.reason}",
        f"vault              {vault.path} ({vault.reason or state})",
        f"index              {found.index} ({found.total} names)",
        f"secret_command     {found.secret_command or '–'}",
        f"environment        {output.joined(found.environment) or '–'}",
    ]
