"""`secrets generate tls`: the key and certificate of a cluster's gateway."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cockpit.cli import output
from cockpit.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from cockpit.secrets.certificates import MadeCertificate
    from cockpit.secrets.names import Place
    from cockpit.secrets.store import SecretStore

TLS = "tls"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The option that only a certificate takes."""
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="of tls: another name that the certificate is for; gateway and localhost are in it",
    )


async def generate(args: argparse.Namespace, places: "Sequence[Place]") -> int:
    """Make a key and a certificate, and keep both in the first of `places` that works."""
    from cockpit.secrets.references import process_store
    from cockpit.secrets.tls import generate_tls

    if args.length is not None or args.reveal:
        raise UsageError("--length and --reveal do not apply to a certificate.")
    store = process_store()
    replace = args.replace or await _agreed(store, args.scope)
    made = generate_tls(store, scope=args.scope, hosts=args.host, replace=replace, places=places)
    for note in dict.fromkeys(note for stored in made.stored.values() for note in stored.notes):
        output.message(note)
    for name, stored in made.stored.items():
        output.message(f"Stored {name} in the {stored.place}, scope {stored.scope}.")
    _tell(made.certificate)
    return EXIT_OK


def _tell(certificate: "MadeCertificate") -> None:
    output.message(f"For {', '.join(certificate.names)}; valid until {certificate.expires:%Y-%m-%d}.")
    output.message("Its fingerprint, which is trusted without a question where the scope is the context's:")
    output.line(certificate.fingerprint)


async def _agreed(store: "SecretStore", scope: str) -> bool:
    """Whether an existing certificate may go: asked for on a terminal; elsewhere --replace must be given."""
    from cockpit.cli.session import yes
    from cockpit.secrets.tls import certificate_of, existing

    if not (sys.stdin is not None and sys.stdin.isatty() and existing(store, scope)):
        return False
    known = certificate_of(scope)
    output.message(f"The scope {scope} has a certificate already" + (f": {known.fingerprint}" if known else "."))
    output.message("A cluster that runs with it keeps it until you redeploy; accept the new certificate then.")
    return await yes("Make another?")
