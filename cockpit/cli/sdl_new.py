"""`sdl new` and `sdl templates`: a cluster from a description, written to a file."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import options, output, sdl_secrets
from cockpit.errors import EXIT_OK

if TYPE_CHECKING:
    from cockpit.sdl.wish import Wish

DESCRIPTION = """\
Describe the cluster that you want; what you leave out follows from the GPU. NAME may be a preset (`sdl templates`).

  rayakash-tui sdl new ray-cpu
  rayakash-tui sdl new train --workers 6 --gpu h100:80Gi:sxm --max-price 2.50/gpu-h
  rayakash-tui sdl new chat --gpu rtx4090 --workers 1 --serve --persistent beta3:200Gi:/models
"""
STORES = ("s3", "r2", "b2", "minio")


def add(nested: Any) -> None:
    """Declare the commands."""
    new = nested.add_parser(
        "new",
        help="write a cluster to a file, by its size",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    new.add_argument("name", metavar="NAME", help="the cluster's name, or a preset")
    new.add_argument("--preset", metavar="P", help="begin with a preset: see `sdl templates`")
    _add_nodes(new.add_argument_group("nodes"))
    _add_placement(new.add_argument_group("placement and software"))
    new.add_argument("-o", "--output", metavar="FILE", help="where to (default: NAME.yaml here)")
    new.add_argument("--force", action="store_true", help="replace an existing file")
    new.set_defaults(run=new_file)
    names = nested.add_parser("templates", help="list the presets for a new SDL")
    options.add_listing(names)
    names.set_defaults(run=templates)


def _add_nodes(group: Any) -> None:
    group.add_argument("--workers", type=int, metavar="N", help="how many workers (default: 2)")
    group.add_argument("--gpu", metavar="MODEL[:RAM[:INTERFACE]]", help="GPU of each worker: rtx4090, h100:80Gi:sxm")
    group.add_argument("--gpus-per-worker", type=int, metavar="N", help="GPUs of each worker (default: 1)")
    group.add_argument("--head-gpu", action="store_true", default=None, help="give the head the size of a worker")
    group.add_argument("--cpu", metavar="N", help="CPUs of each worker")
    group.add_argument("--memory", metavar="SIZE", help="memory of each worker: 96Gi")
    group.add_argument("--shm", metavar="SIZE", help="shared memory of each worker, on top of its memory")
    group.add_argument("--disk", metavar="SIZE", help="disk of each worker: 100Gi")
    group.add_argument(
        "--persistent", metavar="CLASS:SIZE:PATH", help="a lasting volume for each node: beta3:500Gi:/data"
    )


def _add_placement(group: Any) -> None:
    group.add_argument("--region", metavar="R", help="attribute `region` of the provider: us-west")
    group.add_argument("--audited", action="store_true", default=None, help="only providers signed by Akash's auditor")
    group.add_argument(
        "--max-price", metavar="USD", help="the most to pay: 0.60/gpu-h for each GPU, 4.50/h for the whole"
    )
    group.add_argument("--ray", metavar="VERSION", help="release of Ray: 2.60.0")
    group.add_argument("--python", metavar="VERSION", help="Python of the stock image: 3.11")
    group.add_argument(
        "--image", nargs="?", const="torch", metavar="IMAGE",
        help="an image of your own for head and workers; `torch`, or no value: Ray's image that has torch",
    )  # fmt: skip
    group.add_argument("--offers", action="store_true", help="ask Akash for its current offers; no account needed")
    group.add_argument("--store", choices=STORES, help="keys of an object store for jobs")
    group.add_argument("--serve", action="store_true", default=None, help="let the gateway pass /serve/ to Ray Serve")


async def new_file(args: argparse.Namespace) -> int:
    """Write a cluster to a file."""
    from cockpit.operations.sdl_editor.commands import write_new
    from cockpit.operations.secrets.references import references_in
    from cockpit.sdl.document import SdlDocument
    from cockpit.sdl.meaning import meaning_of
    from cockpit.sdl.ray_images import torch_image, torch_image_doubt
    from cockpit.sdl.templates import Template
    from cockpit.sdl.wish import written

    wish = await _with_offers(_wish(args)) if args.offers else _wish(args)
    done = written(wish)
    path = Path(args.output or f"{wish.name}.yaml")
    write_new(path, Template(wish.name, done.title, done.text), force=args.force)
    sdl_secrets.note_use(path)
    for notice in done.notices:
        output.warning(notice)
    document = SdlDocument(done.text)
    output.message(f"Wrote {path}: {done.title}")
    usd = meaning_of(document).usd_per_hour
    if usd is not None:
        output.message(f"Its price ceiling is ${usd:.2f}/h; bids come below it.")
    if wish.gpu is not None and not wish.image:
        output.message(f"The image does not include torch: jobs install it. Use --image torch for {torch_image()}.")
    if doubt := torch_image_doubt(wish.image or (torch_image() if wish.gpu is not None else "")):
        output.message(doubt)
    names = dict.fromkeys(one.name for one in references_in(document))
    output.message(f"It refers to the secrets {output.joined(names)}; its first lines say how to store them.")
    return EXIT_OK


async def _with_offers(wish: "Wish") -> "Wish":
    """The wish with a price ceiling from what Akash offers now; what no provider can meet is said."""
    import msgspec

    from cockpit.operations.deployments.market import ask_market
    from cockpit.sdl.market import cost_words, doubts, proposed_ceiling
    from cockpit.sdl.wish import Ceiling

    market = await ask_market()
    output.message(market.source)
    for doubt in doubts(market, wish):
        output.warning(doubt)
    if wish.gpu is None or not market.is_live:
        return wish
    if words := cost_words(market, wish.gpu, wish.workers or 2, wish.gpus_per_worker or 1):
        output.message(words)
    if wish.ceiling is not None:
        return wish
    return msgspec.structs.replace(wish, ceiling=Ceiling(proposed_ceiling(market, wish.gpu), per_gpu=True))


def _wish(args: argparse.Namespace) -> "Wish":
    """What the options ask for, over the preset. Raises UsageError."""
    from cockpit.sdl.wish_options import wish_from

    names = ("workers", "gpu", "gpus_per_worker", "head_gpu", "cpu", "memory", "shm", "disk", "persistent", "region")
    more = ("audited", "max_price", "ray", "python", "image", "store", "serve")
    return wish_from(args.name, args.preset, {name: getattr(args, name) for name in (*names, *more)})


def templates(args: argparse.Namespace) -> int:
    """Print the templates."""
    from cockpit.cli import listing
    from cockpit.operations.sdl_editor.commands import template_record
    from cockpit.render.sdl import TEMPLATES
    from cockpit.sdl.document import SdlDocument
    from cockpit.sdl.meaning import meaning_of
    from cockpit.sdl.templates import all_templates

    rows = [template_record(one, meaning_of(SdlDocument(one.text))) for one in all_templates()]
    listing.print_listing(args, TEMPLATES, rows, listing.context_now())
    return EXIT_OK
