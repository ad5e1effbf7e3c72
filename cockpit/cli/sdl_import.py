"""`sdl import`: a cluster of KubeRay or Docker Compose as an SDL."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import options, output, sdl_secrets, terminal
from cockpit.cli.sdl_input import in_file, read_bytes
from cockpit.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from cockpit.sdl.foreign.losses import Losses

DESCRIPTION = """\
Reads a RayCluster, RayJob or RayService of KubeRay, or a Docker Compose file, and writes an SDL with a gateway and a
token. Settings without a counterpart on Akash are named, one warning each. Secrets become references.

  rayakash-tui sdl import raycluster.yaml
  rayakash-tui sdl import compose.yaml --name lab -o lab.yaml --json
"""


def add(nested: Any) -> None:
    """Declare the command."""
    parser = nested.add_parser(
        "import",
        help="read a cluster of KubeRay or Docker Compose",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="the file, or - for stdin")
    parser.add_argument(
        "--from", dest="kind", choices=("kuberay", "compose"), help="kind of the file (default: read from its content)"
    )
    parser.add_argument("--name", metavar="N", help="which Ray object of several; or the cluster's name")
    parser.add_argument("-o", "--output", metavar="OUT", help="where to (default: NAME.yaml here; - for stdout)")
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    options.add_json(parser)
    parser.set_defaults(run=import_file)


def import_file(args: argparse.Namespace) -> int:
    """Write the SDL; 1 where head or workers cannot run on Akash."""
    from cockpit.sdl.document import SdlDocument
    from cockpit.sdl.files import decoded, save_document
    from cockpit.sdl.foreign.reading import read_foreign
    from cockpit.sdl.rules import lint

    data = read_bytes(args.file)
    with in_file(args.file):
        stem = "ray" if args.file == "-" else Path(args.file).stem
        done, losses = read_foreign(decoded(data), name=args.name or "", kind=args.kind or "", stem=stem)
    path = Path(args.output or f"{done.name}.yaml")
    document = SdlDocument(done.text)
    if args.output == "-":
        if args.json:
            raise UsageError("--json needs a file for the SDL.", hint="Give one with -o FILE.")
        output.document(done.text)
    else:
        if not args.force and (path.exists() or path.is_symlink()):
            raise UsageError(f"The file {path} already exists.", hint="Give another name with -o, or --force.")
        save_document(path, document)
        sdl_secrets.note_use(path)
    _keep(losses, path.stem if args.output != "-" else done.name)
    if args.json:
        rows = [{"path": one.path, "reason": one.reason} for one in losses.all()]
        output.record({"file": str(path), "losses": rows})
        return EXIT_OK
    for one in losses.all():
        output.warning(f"{args.file}: {one.path}: {one.reason}")
    for problem in lint(document).problems:
        output.message(f"{path}:{problem.line}: {problem.severity}: {problem.message}")
    if args.output != "-":
        output.message(f"Wrote {path}: {done.title} Its first lines say which secrets to store.")
    return EXIT_OK


def _keep(losses: "Losses", scope: str) -> None:
    """Keep the values of secrets after asking; without a terminal, or without a yes, each of them is lost."""
    if not losses.values:
        return
    from cockpit.secrets.names import checked_scope
    from cockpit.secrets.references import process_store
    from cockpit.secrets.store import LASTING

    names = output.joined(losses.values)
    if _agrees(f"Keep the values of {names} in the secret store, scope {scope}? [y/N] "):
        store, own = process_store(), checked_scope(scope)
        for name, value in losses.values.items():
            stored = store.put(name, value, scope=own, places=LASTING)
            output.message(f"{name}: stored in the {stored.place}, scope {own}.")
        return
    for name in losses.values:
        losses.add(name, "The value was not kept: store it with `rayakash-tui secrets set`.")


def _agrees(question: str) -> bool:
    answer = terminal.ask_shown(question) if terminal.has_terminal() else None
    return answer is not None and answer.reveal().strip().lower() in ("y", "yes")
