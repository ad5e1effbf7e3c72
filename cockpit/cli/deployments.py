"""`deployments`: what runs on Akash and costs; connect to it, look into it, change it, close it."""

import argparse
import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import deployment_copy, deployment_shell, options, output
from cockpit.cli.deploy import add_terms, asking, carry_out, runtime_hours, tell, terms_of
from cockpit.cli.offers import add_console
from cockpit.errors import EXIT_FAILED, EXIT_OK, CockpitError, NotFoundError, UsageError

if TYPE_CHECKING:
    from cockpit.clients.akash.console import ConsoleClient
    from cockpit.model.akash.deployments import Lease
    from cockpit.operations.deployments.ending import Ended
    from cockpit.operations.deployments.reaching import Ready
    from cockpit.operations.deployments.register import Register

EPILOG = """\
Alone it lists. Orphans hold money for nothing: close them. Deployments that were not made here are shown, and changed
only when you name their dseq.

  rayakash-tui deployments                     what runs, what it costs, how long the escrow lasts
  rayakash-tui deployments close 1790294703677 close it, prove it, and tell the refund
"""


def add(commands: Any) -> None:
    """Declare the commands."""
    parser = commands.add_parser(
        "deployments",
        help="list, inspect, change and close deployments on Akash",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_console(parser)
    options.add_json(parser)
    parser.set_defaults(run=show_list)
    nested = parser.add_subparsers(title="commands", metavar="COMMAND")
    _command(nested, "list", "list deployments: state, price, spent, time left, cluster", show_list)
    _command(nested, "show", "show one deployment with its services and ports", show_one, dseq=True)
    resume = _command(nested, "resume", "go on with a deployment that was interrupted", resume_one, dseq="?")
    add_terms(resume)
    connect = _command(nested, "connect", "add a deployment that runs as a cluster", connect_one, dseq=True)
    connect.add_argument("--sdl", type=Path, metavar="FILE", help="its SDL, for one that was made elsewhere")
    _command(nested, "bids", "list the bids for a deployment", show_bids, dseq=True)
    logs = _command(nested, "logs", "print the log of a service", show_logs, dseq=True)
    logs.add_argument("service", nargs="?", metavar="SERVICE", help="which service (default: the only one)")
    logs.add_argument("-f", "--follow", action="store_true", help="keep following; gaps are marked")
    logs.add_argument("--tail", type=options.count, default=200, metavar="N", help="lines to begin with (200)")
    events = _command(nested, "events", "print what Kubernetes reports about the services", show_events, dseq=True)
    events.add_argument("-f", "--follow", action="store_true", help="keep following")
    deployment_shell.add(nested)
    deployment_copy.add(nested)
    update = _command(
        nested, "update", "change what can change in place: image, env, command, args", update_one, dseq=True
    )
    update.add_argument("file", metavar="FILE", help="the SDL as it should be")
    update.add_argument("--from", dest="before", type=Path, metavar="FILE", help="the SDL that runs now")
    _yes(update)
    extend = _command(nested, "extend", "set the whole runtime, counted from the lease", extend_one, dseq=True)
    extend.add_argument("--for", dest="runtime", type=runtime_hours, required=True, metavar="TIME", help="72h, or none")
    close = _command(nested, "close", "close a deployment: its data is lost, its cost ends", close_some)
    close.add_argument("dseqs", nargs="*", metavar="DSEQ", help="which (default: the only one made here)")
    _yes(close)
    redeploy = _command(
        nested, "redeploy", "close a deployment and rent its SDL again, elsewhere", redeploy_one, dseq=True
    )
    redeploy.add_argument(
        "--sdl", dest="file", type=Path, metavar="FILE", help="its SDL (default: the file it came from)"
    )
    redeploy.add_argument("--scope", help=argparse.SUPPRESS)
    redeploy.add_argument("--no-wait", action="store_true", help="stop once the lease is active")
    add_terms(redeploy)
    _yes(redeploy)


def _command(nested: Any, name: str, text: str, run: Any, *, dseq: bool | str = False) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = nested.add_parser(name, help=text)
    if dseq:
        parser.add_argument("dseq", nargs="?" if dseq == "?" else None, metavar="DSEQ", help="the deployment's number")
    parser.add_argument("--console", metavar="URL", default=argparse.SUPPRESS, help="another Akash Console")
    options.add_json(parser, default=argparse.SUPPRESS)
    parser.set_defaults(run=run)
    return parser


def _yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="agree to everything that would be asked")


def _open(args: argparse.Namespace) -> "ConsoleClient":
    from cockpit.operations.deployments.account import open_console

    return open_console(args.console)


def _changes(args: argparse.Namespace) -> None:
    if args.read_only:
        raise UsageError("This would change a deployment, and --read-only was given.")


# --- looking ---------------------------------------------------------------------------------------------------------


async def show_list(args: argparse.Namespace) -> int:
    """List the account's deployments and ours."""
    from cockpit.operations.deployments import telling
    from cockpit.operations.deployments.register import read
    from cockpit.render.table import RowContext

    async with _open(args) as console:
        found = await read(console)
    if args.json:
        output.listing("deployments", [telling.record(row) for row in found.rows], now=time.time())
    else:
        output.table(telling.DEPLOYMENTS, found.rows, RowContext(now=time.time()))
    _warn(found)
    return EXIT_OK


def _warn(found: "Register") -> None:
    if not found.has_all:
        output.warning("The list is not complete: the Console left deployments out, or some could not be read.")
    for attempt in found.unresolved:
        output.warning(f"Whether {attempt.title} was created is unknown; `rayakash-tui deployments resume` finds out.")


async def show_one(args: argparse.Namespace) -> int:
    """One deployment: money, services, ports."""
    from cockpit.operations.clusters.contexts import known_clusters
    from cockpit.operations.deployments import telling
    from cockpit.operations.deployments.journal import attempt_of, attempts
    from cockpit.operations.deployments.register import height_now, row_of
    from cockpit.render.table import RowContext

    async with _open(args) as console:
        found = await console.deployment(args.dseq)
        now = console.clock.now().wall
        height = await height_now(console, [found], attempts())
    row = row_of(found, attempt_of(args.dseq), now, height, {one.name for one in known_clusters().rows})
    services = [_service_record(lease) for lease in found.leases]
    if args.json:
        output.record({"deployment": telling.record(row) | {"leases": services}})
        return EXIT_OK
    output.table(telling.DEPLOYMENTS, [row], RowContext(now=now))
    for lease in found.leases:
        _print_lease(lease)
    return EXIT_OK


def _service_record(lease: "Lease") -> dict[str, Any]:
    status = lease.status
    return {
        "provider": lease.id.provider,
        "group": lease.id.gseq,
        "state": lease.state,
        "reason": lease.reason,
        "services": [
            {"name": one.name, "available": one.available, "total": one.total, "uris": list(one.uris)}
            for one in (status.services.values() if status else ())
        ],
        "ports": [
            {"service": name, "port": port.port, "host": port.host, "external_port": port.external_port}
            for name, ports in (status.forwarded_ports.items() if status else ())
            for port in ports
        ],
    }


def _print_lease(lease: "Lease") -> None:
    reason = f" ({lease.reason})" if lease.reason and not lease.costs else ""
    output.line(f"lease at {lease.id.provider}: {lease.state}{reason}")
    if lease.status is None:
        output.line("  the provider did not answer")
        return
    for one in lease.status.services.values():
        ports = lease.status.forwarded_ports.get(one.name, ())
        where = [f"{port.port} → {port.host}:{port.external_port}" for port in ports] + list(one.uris)
        output.line(f"  {one.name}  {one.available} of {one.total} ready  {', '.join(where)}".rstrip())


async def show_bids(args: argparse.Namespace) -> int:
    """The bids for a deployment, the cheapest first."""
    from cockpit.operations.deployments import telling
    from cockpit.operations.deployments.bids import rows_of
    from cockpit.operations.deployments.journal import provider_records

    async with _open(args) as console:
        bids = await console.bids(args.dseq)
        providers = {one.address: one for one in await console.providers()} if bids else {}
    rows = rows_of(bids, providers, provider_records(), {})
    if args.json:
        output.listing("bids", [telling.bid_record(row) for row in rows], now=time.time())
    elif rows:
        output.rows(telling.BID_COLUMNS, [telling.bid_cells(row) for row in rows])
    else:
        output.message("No open bids.")
    return EXIT_OK if rows else EXIT_FAILED


# --- from its provider -----------------------------------------------------------------------------------------------


async def show_logs(args: argparse.Namespace) -> int:
    """The log of one service, from its provider."""
    from cockpit.clients.akash.gateway import LogGap
    from cockpit.operations.deployments.inside import inside

    async with _open(args) as console, inside(console, args.dseq, args.service, ("logs",)) as one:
        lines = one.gateway.follow_logs if args.follow else one.gateway.logs
        async for line in lines(one.lease, one.service, tail=args.tail):
            if isinstance(line, LogGap):
                output.warning(f"lines may be missing: {line.reason}")
            elif args.json:
                output.record({"pod": line.pod, "line": line.text, "received_at": line.at})
            else:
                output.line(f"{line.pod}: {line.text}")
    return EXIT_OK


async def show_events(args: argparse.Namespace) -> int:
    """What Kubernetes reports, from the provider."""
    from cockpit.operations.deployments.inside import inside
    from cockpit.render.times import iso

    async with _open(args) as console, inside(console, args.dseq, None, ("events",)) as one:
        async for event in one.gateway.events(one.lease, follow=args.follow):
            if args.json:
                record = {"type": event.type, "reason": event.reason, "note": event.note, "object": event.name}
                output.record(record | {"received_at": iso(event.at)})
            else:
                output.line(f"{event.name}  {event.reason}: {event.note}")
    return EXIT_OK


# --- going on --------------------------------------------------------------------------------------------------------


async def resume_one(args: argparse.Namespace) -> int:
    """Go on with an interrupted deployment: the one named, or the only one."""
    from cockpit.operations.deployments import existing
    from cockpit.operations.deployments.journal import attempts
    from cockpit.operations.deployments.telling import what_exists

    _changes(args)
    left = [one for one in attempts() if one.may_cost and one.step != "context"]
    if args.dseq is not None:
        left = [one for one in left if one.dseq == args.dseq]
    if not left:
        raise NotFoundError("No interrupted deployment" + (f" {args.dseq}." if args.dseq else "."))
    if len(left) > 1:
        raise UsageError(
            "Several deployments were interrupted.",
            hint=f"Name one of them: {output.joined(one.dseq or one.title for one in left)}",
        )
    async with _open(args) as console:
        try:
            ready = await existing.resume(console, left[0], terms_of(args), tell)
        except (asyncio.CancelledError, CockpitError):
            output.message(what_exists(next((one for one in attempts() if one.path == left[0].path), None)))
            raise
    return _show(args, ready)


async def connect_one(args: argparse.Namespace) -> int:
    """Add a deployment that runs as a cluster."""
    from cockpit.operations.deployments.existing import connect

    async with _open(args) as console:
        ready = await connect(console, args.dseq, args.sdl, tell)
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


# --- changing --------------------------------------------------------------------------------------------------------


async def update_one(args: argparse.Namespace) -> int:
    """Update in place what can be; else say what needs a new deployment."""
    from cockpit.cli.sdl_input import in_file, read_document
    from cockpit.operations.deployments import existing
    from cockpit.operations.deployments.preparing import Wish, prepare
    from cockpit.operations.deployments.telling import inside_lines
    from cockpit.operations.question import Question

    _changes(args)
    document = read_document(args.file)
    async with _open(args) as console:
        with in_file(args.file):
            plan = await existing.plan_update(console, args.dseq, document, args.before)
        sentences = tuple(one.sentence for one in plan.differences)
        if not sentences:
            output.message("Nothing differs from what runs.")
            return EXIT_OK
        if not plan.is_possible:
            for sentence in sentences:
                output.message(f"  {sentence}")
            raise CockpitError(
                "This change cannot be made in place.",
                hint=f"Deploy it again: rayakash-tui deployments redeploy {args.dseq} --sdl {args.file}",
                fault="needs-new-deployment",
            )
        prepared = await prepare(console, document, Path(args.file), Wish(hours=None))
        lines = (*sentences, *inside_lines(prepared))
        if not await asking(args)(Question(f"Update deployment {args.dseq}?", "update", lines=lines)):
            return EXIT_FAILED
        await existing.update(console, plan, prepared)
    if args.json:
        output.record({"dseq": args.dseq, "updated": list(sentences)})
    else:
        output.line(f"Deployment {args.dseq} is updated.")
    return EXIT_OK


async def extend_one(args: argparse.Namespace) -> int:
    """Set the whole runtime."""
    from cockpit.operations.deployments.existing import extend

    _changes(args)
    async with _open(args) as console:
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
    """Close deployments, and prove it; without a dseq only one that was made here."""
    _changes(args)
    async with _open(args) as console:
        dseqs = args.dseqs or [await _only_one(console)]
        await _agree_to_close(args, console, dseqs)
        ended = [await _close(console, dseq) for dseq in dict.fromkeys(dseqs)]
    if args.json:
        output.record({"closed": [_ended_record(one) for one in ended]})
    return EXIT_OK


async def _only_one(console: "ConsoleClient") -> str:
    from cockpit.operations.deployments.register import read

    ours = [row.dseq for row in (await read(console)).rows if row.is_ours]
    if len(ours) != 1:
        raise UsageError(
            "No deployment was made here." if not ours else "Several deployments were made here.",
            hint="Name it: rayakash-tui deployments close DSEQ",
        )
    return ours[0]


async def _agree_to_close(args: argparse.Namespace, console: "ConsoleClient", dseqs: list[str]) -> None:
    from cockpit.operations.deployments import telling
    from cockpit.operations.deployments.register import read
    from cockpit.operations.question import Question

    rows = {row.dseq: row for row in (await read(console)).rows}
    lines = [telling.summary(rows[dseq]) if dseq in rows else f"{dseq} (not listed)" for dseq in dseqs]
    text = f"Close {output.joined(dseqs)}? The data in the containers is lost."
    lines.append(f"Copy results out first: rayakash-tui deployments cp {dseqs[0]}:SERVICE:PATH LOCAL")
    if not await asking(args)(Question(text, "close", lines=tuple(lines))):
        raise UsageError("Nothing was closed.")


async def _close(console: "ConsoleClient", dseq: str) -> "Ended":
    from cockpit.operations.deployments.ending import close
    from cockpit.operations.deployments.journal import Journal, attempt_of

    attempt = attempt_of(dseq)
    journal = Journal.resume(attempt.path) if attempt is not None and attempt.may_cost else None
    output.message(f"Closing {dseq}; this takes up to three minutes until it is proven.")
    try:
        ended = await close(console, journal, dseq, context=attempt.last.context if attempt else None)
    finally:
        if journal is not None:
            journal.close()
    _tell_end(ended)
    return ended


def _tell_end(ended: "Ended") -> None:
    from cockpit.render.deployments import dollars

    parts = [f"Deployment {ended.dseq} is closed"]
    parts += [f"it cost {dollars(ended.spent_usd)}"] if ended.spent_usd is not None else []
    parts += [f"{dollars(ended.refund_usd)} came back"] if ended.refund_usd is not None else []
    output.message(", ".join(parts) + ".")
    if ended.port_is_dead is False:
        output.warning("Its port still answers; the provider may take a moment, and is not paid any more.")
    if ended.context is not None:
        output.message(f"Removed the cluster {ended.context}.")


def _ended_record(ended: "Ended") -> dict[str, Any]:
    from cockpit.render.deployments import money

    return {
        "dseq": ended.dseq, "state": "closed", "spent": money(ended.spent_usd), "refund": money(ended.refund_usd),
        "port_dead": ended.port_is_dead, "context_removed": ended.context,
    }  # fmt: skip


async def redeploy_one(args: argparse.Namespace) -> int:
    """Close a deployment, then rent its SDL again without the providers that failed."""
    from cockpit.cli.deploy import wish_of
    from cockpit.cli.sdl_input import in_file, read_document
    from cockpit.operations.deployments.existing import file_of
    from cockpit.operations.deployments.journal import attempt_of
    from cockpit.operations.deployments.preparing import prepare

    _changes(args)
    attempt = attempt_of(args.dseq)
    path = file_of(attempt, args.file)
    args.scope = args.scope or (attempt.last.scope if attempt else None)
    document = read_document(str(path))
    async with _open(args) as console:
        with in_file(str(path)):
            prepared = await prepare(console, document, path, wish_of(args))
        await _agree_to_close(args, console, [args.dseq])
        await _close(console, args.dseq)
        avoided = (*(attempt.last.providers or ()), *attempt.excluded) if attempt else ()
        return await carry_out(args, console, prepared, terms_of(args), avoided=tuple(dict.fromkeys(avoided)))
