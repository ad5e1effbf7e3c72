"""`gallery`: samples that run, and a check of rented machines."""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import left_out, options, output, session
from cockpit.errors import EXIT_FAILED, EXIT_OK, CockpitError, UsageError

if TYPE_CHECKING:
    from cockpit.clients.ray import RayClient
    from cockpit.model.jobs import Job
    from cockpit.operations.gallery import Sample

DESCRIPTION = """\
Samples that show what Ray is for, each one file to read, and a check of rented machines.
"""
EXAMPLES = """\
examples:
  rayakash-tui gallery list
  rayakash-tui gallery run hello
  rayakash-tui gallery run train-cnn --workers 4 --gpus-per-worker 1 -- --epochs 10
  rayakash-tui gallery run check-cluster --json
  rayakash-tui gallery copy train-cnn my-training
"""


KEPT_BYTES = 1 << 20
"""Of the end of a log: its last line is the result."""


def add(commands: Any) -> None:
    """Declare the commands."""
    parser = commands.add_parser(
        "gallery",
        help="list, copy and run samples, and check a cluster",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list samples")
    options.add_json(listing)
    listing.set_defaults(run=list_samples)
    show = actions.add_parser("show", help="print what a sample shows and needs, and its program")
    show.set_defaults(run=show_sample)
    copy = actions.add_parser("copy", help="copy a sample into a directory to edit")
    copy.set_defaults(run=copy_sample)
    run = actions.add_parser("run", help="run a sample on the cluster and follow it")
    for one in (show, copy, run):
        left_out.add(one, "name", "sample", metavar="NAME", text="a name of gallery list")
    copy.add_argument("directory", nargs="?", type=Path, metavar="DIRECTORY", help="default: the sample's name")
    copy.add_argument("--force", action="store_true", help="write into a directory that exists")
    _add_run(run)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.usage = "rayakash-tui gallery run [options] NAME [-- OPTIONS OF main.py]"
    parser.add_argument("--workers", type=options.count, metavar="N", help="default: what the cluster has")
    parser.add_argument(
        "--gpus-per-worker", type=float, metavar="N", help="default: 1 where there are GPUs; 0: CPUs only"
    )
    parser.add_argument("--wait", action="store_true", help="wait until the cluster has the GPUs, up to 30 min")
    parser.add_argument("--installed", action="store_true", help="install nothing: the image has the packages")
    parser.add_argument("--no-wait", action="store_true", help="print the ID alone, and do not follow")
    options.add_json(parser)
    options.add_retry(parser)
    options.add_cluster(parser)
    parser.set_defaults(run=run_sample)


def list_samples(args: argparse.Namespace) -> int:
    """Print every sample."""
    from cockpit.operations.gallery import samples
    from cockpit.render.table import text_column

    found = samples()
    if args.json:
        fields = ("name", "title", "needs", "packages_mb", "seconds")
        output.record({"samples": [{field: getattr(one, field) for field in fields} for one in found]})
        return EXIT_OK
    columns = [
        text_column("NAME"),
        text_column("TITLE"),
        text_column("PACKAGES", right=True),
        text_column("TIME", right=True),
        text_column("NEEDS"),
    ]
    output.rows(columns, [_row(one) for one in found])
    return EXIT_OK


def _row(one: "Sample") -> list[str]:
    size = f"{one.packages_mb:,} MB" if one.packages_mb else "–"
    return [one.name, one.title, size, f"{one.seconds} s", one.needs]


def show_sample(args: argparse.Namespace) -> int:
    """Print the page and the program."""
    from cockpit.operations.gallery import installation, read_page, sample

    chosen = sample(args.name)
    output.document(read_page(chosen.name))
    if sentence := installation(chosen):
        output.message(sentence)
    output.document("\n" + (chosen.folder / "main.py").read_text(encoding="utf-8"))
    return EXIT_OK


def copy_sample(args: argparse.Namespace) -> int:
    """Copy a sample, and say how to submit it."""
    from cockpit.operations.gallery import copy

    target = args.directory or Path(args.name)
    for path in copy(args.name, target, force=args.force):
        output.line(str(path))
    output.message(f"Submit it with: rayakash-tui submit -f {target / 'job.yaml'}")
    return EXIT_OK


async def run_sample(args: argparse.Namespace) -> int:
    """Submit a sample, follow it, and exit with its result."""
    code, result = await run_and_follow(args)
    if args.json and not args.no_wait:
        output.record(result)
    return code


async def check_machines(args: argparse.Namespace, name: str | None) -> tuple[int, dict[str, Any]]:
    """Run the sample that tests rented machines on a cluster by its name; the exit code and what it found."""
    given: dict[str, Any] = {
        "workers": None,
        "gpus_per_worker": None,
        "wait": False,
        "installed": True,
        "no_wait": False,
    }
    more = {**given, "name": "check-cluster", "retry_for": None, "rest": [], "context": name or args.context}
    return await run_and_follow(argparse.Namespace(**{**vars(args), **more}))


async def run_and_follow(args: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """Submit a sample and follow it; the exit code and its result."""
    from cockpit.operations.gallery import copy, form_of, installation, sample
    from cockpit.operations.jobs.submit import prepare, submit

    chosen = sample(args.name)
    async with session.cluster(args, changes=True) as client:
        await _check_release(client, chosen, args)
        await _check_gpus(client, args)
        cuda = None if args.installed else args.gpus_per_worker != 0 and await _has_gpus(client)
        if not args.installed and (sentence := installation(chosen, cuda=cuda)):
            output.message(sentence)
        with tempfile.TemporaryDirectory(prefix="rayakash-") as scratch:
            directory = Path(scratch) / chosen.name
            copy(chosen.name, directory)
            form = form_of(
                chosen,
                directory,
                workers=args.workers,
                gpus_per_worker=args.gpus_per_worker,
                install=not args.installed,
                cuda=cuda,
                options=args.rest,
            )
            submission_id = await submit(client, await prepare(form), patience=session.patience_of(args))
        if args.no_wait:
            output.line(submission_id)
            return EXIT_OK, {}
        output.message(f"Submitted {submission_id}.")
        return await _follow(client, submission_id, args)


async def _check_release(client: "RayClient", chosen: "Sample", args: argparse.Namespace) -> None:
    """A library of one Ray release in a cluster of another fails with misleading errors."""
    from cockpit.operations.gallery import RAY_RELEASE

    found = (await client.version()).ray_version
    if found == RAY_RELEASE:
        return
    if not args.installed and any(package.startswith("ray[") for package in chosen.packages):
        raise UsageError(
            f"The sample pins Ray {RAY_RELEASE}, and the cluster runs {found}.",
            hint="Use an image that has the packages and add --installed, or copy the sample and change job.yaml.",
        )
    output.warning(f"the sample is verified with Ray {RAY_RELEASE}; the cluster runs {found}.")


async def _has_gpus(client: "RayClient") -> bool:
    """Whether a living node has a GPU."""
    from cockpit.operations.jobs.capacity import found_in

    return found_in((await client.nodes.list()).rows, {}).gpus > 0


async def _check_gpus(client: "RayClient", args: argparse.Namespace) -> None:
    """Say what is missing before anything is sent; wait for it where that was asked for."""
    from cockpit.operations.gallery import gpus_needed
    from cockpit.operations.jobs.capacity import Capacity, found_in, missing, wait_for_capacity

    needed = gpus_needed(args.workers, args.gpus_per_worker)
    if not needed:
        return
    wanted = Capacity(gpus=needed)
    if not args.wait:
        lacking = missing(wanted, found_in((await client.nodes.list()).rows, {}))
        if lacking:
            raise CockpitError(
                f"The cluster has {lacking}. Nothing was submitted.",
                hint="Add --wait to wait for them, or --gpus-per-worker 0 to run on CPUs.",
            )
        return
    await wait_for_capacity(
        client,
        wanted,
        patience=session.patience_of(args),
        on_missing=lambda text: output.message(f"Waiting: the cluster has {text}."),
    )


async def _follow(client: "RayClient", submission_id: str, args: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    """Print the log, on stderr where stdout is for the result, and conclude."""
    from cockpit.cli.following import Printer, conclude, detached_on_interrupt, follow
    from cockpit.feeds.log_source import JobLog
    from cockpit.operations.gallery import result_in
    from cockpit.render.jobs import outcome

    printer = Printer(sys.stderr if args.json else None, keep=KEPT_BYTES)
    with detached_on_interrupt(submission_id):
        followed = await follow(JobLog(client, submission_id), args, has_answered=True, printer=printer)
    log = printer.kept.decode("utf-8", "replace")
    result = result_in(log)
    if result is None:
        result = {"ok": False, "error": "The sample did not print a result."}
    if failure := _failure(followed.job, log):
        output.message(outcome(followed.job, time.time()))
        output.error(failure)
        return EXIT_FAILED, {"ok": False, "error": str(failure)}
    return conclude(followed) or (EXIT_OK if result.get("ok") else EXIT_FAILED), result


def _failure(job: "Job", log: str) -> CockpitError | None:
    """One sentence in place of pip's whole output, or of the stores'; None for what Ray's own words explain."""
    from cockpit.operations.gallery_failures import installation_failure, store_failure

    if job.status != "FAILED":
        return None
    if reason := installation_failure(job.message or ""):
        return CockpitError(
            f"Ray could not install the packages: {reason}",
            hint="The nodes may not reach a package index. Use an image that has the packages and --installed.",
        )
    if reason := store_failure(log):
        return CockpitError(
            f"The nodes could not use the object store: {reason}",
            hint="Check --storage, the address of the store, and its keys in the environment of head and workers.",
        )
    return None
