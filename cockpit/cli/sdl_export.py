"""`sdl export`: the same cluster for Kubernetes or for Docker Compose."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import options, output
from cockpit.cli.sdl_input import in_file, read_document
from cockpit.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from cockpit.sdl.export import Export

FORMATS = ("kuberay", "compose")


def add(nested: Any) -> None:
    """Declare the command."""
    parser = nested.add_parser(
        "export",
        help="write it for Kubernetes (KubeRay) or Docker Compose",
        description="What the other format lacks is named, one warning each. Secrets stay references.",
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--format", choices=FORMATS, required=True, help="a RayCluster of KubeRay, or a compose file")
    parser.add_argument("-o", "--output", metavar="F", help="where to (default: stdout)")
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    parser.add_argument("--name", metavar="N", help="of the cluster (default: the file's name without its ending)")
    options.add_json(parser)
    parser.set_defaults(run=export)


def export(args: argparse.Namespace) -> int:
    """Write the SDL in another format."""
    from cockpit.sdl.export_compose import to_compose
    from cockpit.sdl.export_kuberay import to_kuberay

    document = read_document(args.file)
    name = args.name or ("ray" if args.file == "-" else Path(args.file).stem)
    with in_file(args.file):
        done = to_kuberay(document, name) if args.format == "kuberay" else to_compose(document, name)
    if args.output:
        _write(Path(args.output), done.text, force=args.force)
    if args.json:
        output.record(_record(args, name, done))
    elif not args.output:
        output.document(done.text)
    _tell(args, done)
    return EXIT_OK


def _write(path: Path, text: str, *, force: bool) -> None:
    from cockpit.sdl.document import SdlDocument
    from cockpit.sdl.files import save_document

    if not force and (path.exists() or path.is_symlink()):
        raise UsageError(f"The file {path} already exists.", hint="Give another name with -o, or --force.")
    save_document(path, SdlDocument(text))


def _record(args: argparse.Namespace, name: str, done: "Export") -> dict[str, Any]:
    return {
        "file": args.file,
        "format": args.format,
        "name": name,
        "output": args.output,
        "text": done.text,
        "secrets": list(done.secrets),
        "losses": [{"path": one.path, "line": one.line, "message": one.sentence} for one in done.losses],
    }


def _tell(args: argparse.Namespace, done: "Export") -> None:
    for one in done.losses:
        output.warning(f"{args.file}:{one.line}: {one.path}: {one.sentence}")
    if args.output:
        secrets = f" It refers to the secrets {output.joined(done.secrets)}." if done.secrets else ""
        output.message(f"Wrote {args.output}.{secrets} Its first lines say how to start it.")
