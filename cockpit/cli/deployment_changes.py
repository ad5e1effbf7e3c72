"""`deployments resume|connect|update|extend|close|redeploy`: what goes on with a deployment, changes it, or ends it."""

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import deploy_run, output
from cockpit.cli.deploy import add_terms, rent, runtime_hours, terms_of
from cockpit.cli.deploy_progress import Teller, agreed, asking, raise_for_output
from cockpit.cli.deployment_options import add_yes, command, opened, require_changes
from cockpit.cli.sdl_secrets import SCOPE_HELP
from cockpit.errors import EXIT_FAILED, EXIT_OK, CockpitError, NotFoundError, UsageError

if TYPE_CHECKING:
    from cockpit.clients.akash.console import ConsoleClient
    from cockpit.operations.deployments.ending import Ended
    from cockpit.operations.deployments.flow import Terms
    from cockpit.operations.deployments.journal import Attempt
    from cockpit.operations.deployments.preparing import Wish
    from cockpit.operations.deployments.reaching import Ready
    from cockpit.operations.deployments.register import Row
    from cockpit.operations.deployments.run_plan import RunPlan


def add(nested: Any) -> None:
    """Declare the commands."""
    resume = command(nested, "resume", "resume an interrupted deployment", resume_one, dseq="?")
    add_terms(resume)
    connect = command(nested, "connect", "add a deployment that runs as a cluster", connect_one, dseq=True)
    connect.add_argument("--sdl", type=Path, metavar="FILE", help="its SDL, where the Console does not keep it")
    connect.add_argument("--scope", metavar="S", help=SCOPE_HELP)
    update = command(
        nested, "update", "change what can change in place: image, env, command, args", update_one, dseq=True
    )
    update.add_argument("file", metavar="FILE", help="the SDL as it should be")
    update.add_argument("--from", dest="before", type=Path, metavar="FILE", help="the SDL that runs now")
    update.add_argument("--scope", metavar="S", help=SCOPE_HELP)
    add_yes(update)
    extend = command(nested, "extend", "set the whole runtime, counted from the lease", extend_one, dseq=True)
    extend.add_argument("--for", dest="runtime", type=runtime_hours, required=True, metavar="TIME", help="72h, or none")
    close = command(nested, "close", "close a deployment: its data is lost, its cost ends", close_some)
    close.add_argument("dseqs", nargs="*", metavar="DSEQ", help="which (default: the only one made here)")
    add_yes(close)
    redeploy = command(
        nested, "redeploy", "close a deployment and rent its SDL again, elsewhere", redeploy_one, dseq=True
    )
    redeploy.add_argument(
        "--sdl", dest="file", type=Path, metavar="FILE", help="its SDL (default: the file it came from)"
    )
    redeploy.add_argument("--scope", help=argparse.SUPPRESS)
    redeploy.add_argument("--no-wait", action="store_true", help="stop once the lease is active")
    add_terms(redeploy)
    add_yes(redeploy)


async def resume_one(args: argparse.Namespace) -> int:
    """Go on with an interrupted deployment: the one named, or the only one."""
    from cockpit.operations.deployments import existing
    from cockpit.operations.deployments.journal import attempts
    from cockpit.operations.deployments.run_to_end import run_plan_of
    from cockpit.operations.deployments.telling import what_exists

    require_changes(args)
    left = [one for one in attempts() if one.is_unfinished]
    if args.dseq is not None:
        left = [one for one in left if one.dseq == args.dseq]
    if not left:
        raise NotFoundError("No interrupted deployment" + (f" {args.dseq}." if args.dseq else "."))
    if len(left) > 1:
        raise UsageError(
            "Several deployments were interrupted.",
            hint=f"Name one of them: {output.joined(one.dseq or one.title for one in left)}",
        )
    async with opened(args) as console:
        try:
            ready = await existing.resume(console, left[0], terms_of(args), Teller())
            if (plan := run_plan_of(left[0])) is not None:
                return await _run_on(args, console, left[0], plan, ready)
            return _show(args, ready)
        except (asyncio.CancelledError, CockpitError):
            output.message(what_exists(_as_now(left[0])))
            raise
        except OSError as error:
            raise_for_output(error, _as_now(left[0]))
            raise


def _as_now(attempt: "Attempt") -> "Attempt | None":
    """The attempt as its journal says by now."""
    from cockpit.operations.deployments.journal import attempts

    return next((one for one in attempts() if one.path == attempt.path), None)


async def _run_on(
    args: argparse.Namespace, console: "ConsoleClient", attempt: "Attempt", plan: "RunPlan", ready: "Ready"
) -> int:
    """Go on with what the deployment was rented for."""
    ran = await deploy_run.run_to_end(args, console, attempt, plan, ready.context)
    if args.json:
        output.record({"dseq": ready.dseq, "context": ready.context, **deploy_run.run_record(ran)})
    return deploy_run.conclude_run(ran)


async def connect_one(args: argparse.Namespace) -> int:
    """Add a deployment that runs as a cluster."""
    from cockpit.operations.deployments.existing import connect

    async with opened(args) as console:
        ready = await connect(console, args.dseq, args.sdl, Teller(), scope=args.scope)
    return _show(args, ready)


def _show(args: argparse.Namespace, ready: "Ready") -> int:
    from cockpit.render.deployments import money, per_hour

    if args.json:
        output.record(
            {
                "dseq": ready.dseq, "context": ready.context, "address": ready.address,
                "price_per_hour": money(ready.usd_per_hour), "nodes": ready.nodes,
            }
        )  # fmt: skip
        return EXIT_OK
    where = f" as {ready.context} at {ready.address}" if ready.context else ""
    output.line(f"Deployment {ready.dseq} runs{where}, {per_hour(ready.usd_per_hour)}.")
    return EXIT_OK


async def update_one(args: argparse.Namespace) -> int:
    """Update in place what can be; else say what needs a new deployment."""
    from cockpit.cli.sdl_input import in_file, read_document
    from cockpit.operations.deployments import existing, updating
    from cockpit.operations.deployments.telling import inside_lines
    from cockpit.operations.question import Question

    require_changes(args)
    document, file = read_document(args.file), Path(args.file)
    async with opened(args) as console:
        with in_file(args.file):
            plan = await updating.plan_update(console, args.dseq, document, file, args.before, scope=args.scope)
        sentences = tuple(one.sentence for one in plan.differences)
        if not sentences or not plan.is_possible:
            _warn(updating.warnings_of(plan))
        if not sentences:
            output.message("Nothing differs from what runs.")
            return EXIT_OK
        if not plan.is_possible:
            return await _offer_new(args, console, sentences)
        with in_file(args.file):
            prepared = await updating.prepare_update(console, plan, document, file)
        _warn(updating.warnings_of(plan, prepared))
        lines = (*sentences, *inside_lines(updating.readable_secrets(prepared)))
        question = Question(f"Update deployment {args.dseq}?", "update", lines=lines)
        if not await agreed(asking(args), question, "Nothing was updated."):
            return EXIT_FAILED
        await updating.update(console, plan, prepared)
        ready = await existing.follow(console, args.dseq, Teller())
    if args.json:
        output.record({"dseq": args.dseq, "updated": list(sentences), "address": ready.address if ready else None})
    else:
        output.line(f"Deployment {args.dseq} is updated.")
    return EXIT_OK


def _warn(warnings: list[str]) -> None:
    for text in warnings:
        output.warning(text)


async def _offer_new(args: argparse.Namespace, console: "ConsoleClient", sentences: tuple[str, ...]) -> int:
    """Offer to close, and to rent the file as it is now. Raises CockpitError without a terminal to ask on.

    --yes agreed to an update, not to the loss of the data.
    """
    from cockpit.cli.session import asker
    from cockpit.operations.deployments.flow import Terms
    from cockpit.operations.deployments.journal import attempt_of
    from cockpit.operations.deployments.preparing import Wish
    from cockpit.operations.deployments.running import scope_of

    if args.yes or asker() is None:
        for sentence in sentences:
            output.message(f"  {sentence}")
        raise CockpitError(
            "This change cannot be made in place.",
            hint=f"Deploy it again: rayakash-tui deployments redeploy {args.dseq} --sdl {args.file}",
            fault="needs-new-deployment",
        )
    attempt = attempt_of(args.dseq)
    wish = Wish(hours=attempt.last.runtime_hours if attempt else Wish().hours, scope=scope_of(attempt, args.scope))
    reasons = ("This change cannot be made in place; it needs a new deployment:", *sentences)
    args.no_wait = False
    return await _replace(args, console, attempt, Path(args.file), (wish, Terms()), reasons)


async def extend_one(args: argparse.Namespace) -> int:
    """Set the whole runtime."""
    from cockpit.operations.deployments.existing import extend

    require_changes(args)
    async with opened(args) as console:
        found = await extend(console, args.dseq, args.runtime)
    if args.json:
        output.record({"dseq": args.dseq, "runtime_hours": found.runtime_limit_hours, "ends_at": found.ends_at})
    elif found.runtime_limit_hours is None:
        output.line(f"Deployment {args.dseq} does not end by itself.")
    else:
        end = f", at {found.ends_at}" if found.ends_at else ""
        output.line(f"Deployment {args.dseq} ends by itself after {found.runtime_limit_hours} h{end}.")
    return EXIT_OK


async def close_some(args: argparse.Namespace) -> int:
    """Close deployments, and prove it; without a dseq only one that was made here.

    The exit code is that of the first that could not be closed.
    """
    from cockpit.operations.deployments.register import read

    require_changes(args)
    async with opened(args) as console:
        rows = (await read(console)).rows
        dseqs = list(dict.fromkeys(args.dseqs)) or [_only_one(rows)]
        await _agree_to_close(args, rows, dseqs)
        ended, failures = await close_all(console, dseqs)
    if args.json:
        output.record({"closed": [_ended_record(one) for one in ended]})
    return failures[0].exit_code if failures else EXIT_OK


async def close_all(console: "ConsoleClient", dseqs: list[str]) -> tuple[list["Ended"], list[CockpitError]]:
    """Close each, also after one that could not be closed: the others cost as well."""
    ended: list[Ended] = []
    failures: list[CockpitError] = []
    for number, dseq in enumerate(dseqs):
        try:
            ended.append(await _close(console, dseq))
        except CockpitError as error:
            output.error(error)
            failures.append(error)
        except asyncio.CancelledError:
            _tell_open(dseqs[number:])
            raise
    return ended, failures


def _tell_open(dseqs: list[str]) -> None:
    """After Ctrl-C: what was not proven closed."""
    ways = "Look: rayakash-tui deployments. Close: rayakash-tui deployments close " + " ".join(dseqs)
    output.message(f"Not proven closed, and may still cost money: {output.joined(dseqs)}. {ways}")


def _only_one(rows: Sequence["Row"]) -> str:
    ours = [row.dseq for row in rows if row.is_ours]
    if len(ours) != 1:
        raise UsageError(
            "No deployment was made here." if not ours else "Several deployments were made here.",
            hint="Name it: rayakash-tui deployments close DSEQ",
        )
    return ours[0]


async def _agree_to_close(args: argparse.Namespace, rows: Sequence["Row"], dseqs: list[str]) -> None:
    from cockpit.operations.deployments import telling
    from cockpit.operations.question import Question

    known = {row.dseq: row for row in rows}
    lines = [telling.summary(known[dseq]) if dseq in known else f"{dseq} (not listed)" for dseq in dseqs]
    text = f"Close {output.joined(dseqs)}? The data in the containers is lost."
    lines.append(f"Copy results out first: rayakash-tui deployments cp {dseqs[0]}:SERVICE:PATH LOCAL")
    if not await agreed(asking(args), Question(text, "close", lines=tuple(lines)), "Nothing was closed."):
        raise UsageError("Nothing was closed.")


async def _close(console: "ConsoleClient", dseq: str) -> "Ended":
    from cockpit.operations.deployments.ending import end
    from cockpit.operations.deployments.progress_words import end_words

    output.message(f"Closing {dseq}; confirming it takes up to three minutes.")
    ended = await end(console, dseq)
    output.message(end_words(ended))
    return ended


def _ended_record(ended: "Ended") -> dict[str, Any]:
    from cockpit.render.deployments import money

    return {
        "dseq": ended.dseq, "state": "closed", "spent": money(ended.spent_usd), "refund": money(ended.refund_usd),
        "port_dead": ended.port_is_dead, "context_removed": ended.context,
    }  # fmt: skip


async def redeploy_one(args: argparse.Namespace) -> int:
    """Close a deployment, then rent its SDL again without the providers that failed: one question, before the close."""
    from cockpit.cli.deploy import wish_of
    from cockpit.operations.deployments.existing import file_of
    from cockpit.operations.deployments.journal import attempt_of
    from cockpit.operations.deployments.running import scope_of

    require_changes(args)
    attempt = attempt_of(args.dseq)
    path = file_of(attempt, args.file)
    args.scope = scope_of(attempt, args.scope)
    wish, terms = wish_of(args), terms_of(args)
    async with opened(args) as console:
        return await _replace(args, console, attempt, path, (wish, terms))


async def _replace(
    args: argparse.Namespace,
    console: "ConsoleClient",
    attempt: "Attempt | None",
    path: Path,
    wanted: tuple["Wish", "Terms"],
    reasons: tuple[str, ...] = (),
) -> int:
    """Check the new one, ask once with the reasons, close the old one, and rent."""
    from cockpit.cli.sdl_input import in_file, read_document
    from cockpit.operations.deployments import replacing
    from cockpit.operations.deployments.preparing import prepare

    wish, terms = wanted
    ask = asking(args)
    with in_file(str(path)):
        prepared = await prepare(console, read_document(str(path)), path, wish)
    row = await replacing.row_to_replace(console, args.dseq)
    prepared = replacing.with_refund(prepared, row)
    if not await agreed(ask, replacing.replace_question(prepared, row, reasons), "Nothing was closed."):
        raise UsageError("Nothing was closed.")
    try:
        await _close(console, args.dseq)
    except asyncio.CancelledError:
        _tell_open([args.dseq])
        raise
    prepared = await replacing.with_balance_now(console, prepared)
    return await rent(args, console, prepared, terms, ask, avoided=replacing.avoided_of(attempt))
