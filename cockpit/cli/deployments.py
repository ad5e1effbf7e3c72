"""`deployments`: what runs on Akash and costs; connect to it, look into it, change it, close it."""

import argparse
import time
from typing import TYPE_CHECKING, Any

from cockpit.cli import deployment_changes, deployment_copy, deployment_shell, options, output
from cockpit.cli.deployment_options import command, opened
from cockpit.cli.offers import add_console
from cockpit.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from cockpit.model.akash.deployments import Lease
    from cockpit.operations.deployments.register import Register

EPILOG = """\
Orphans hold money without a lease: close them. Deployments that were not made here are shown, and changed
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
    command(nested, "list", "list deployments: state, price, spent, time left, cluster", show_list)
    command(nested, "show", "show one deployment with its services and ports", show_one, dseq=True)
    command(nested, "bids", "list the bids for a deployment", show_bids, dseq=True)
    logs = command(nested, "logs", "print the log of a service", show_logs, dseq=True)
    logs.add_argument("service", nargs="?", metavar="SERVICE", help="which service (default: the only one)")
    logs.add_argument("-f", "--follow", action="store_true", help="keep following; gaps are marked")
    logs.add_argument("--tail", type=options.count, default=200, metavar="N", help="lines to begin with (200)")
    events = command(nested, "events", "print what Kubernetes reports about the services", show_events, dseq=True)
    events.add_argument("-f", "--follow", action="store_true", help="keep following")
    deployment_shell.add(nested)
    deployment_copy.add(nested)
    deployment_changes.add(nested)


async def show_list(args: argparse.Namespace) -> int:
    """List the account's deployments and ours."""
    from cockpit.operations.deployments import telling
    from cockpit.operations.deployments.register import read
    from cockpit.render.table import RowContext

    async with opened(args) as console:
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
    from cockpit.operations.deployments.looking import look
    from cockpit.operations.deployments.register import height_now, row_of
    from cockpit.render.table import RowContext

    async with opened(args) as console:
        seen = await look(console, args.dseq)
        found = seen.deployment
        now = console.clock.now().wall
        height = await height_now(console, [found], attempts())
    row = row_of(found, attempt_of(args.dseq), now, height, {one.name for one in known_clusters().rows})
    services = [_service_record(lease, seen.sources.get(lease.id)) for lease in found.leases]
    if args.json:
        output.record({"deployment": telling.record(row) | {"leases": services}})
        return EXIT_OK
    output.table(telling.DEPLOYMENTS, [row], RowContext(now=now))
    for lease in found.leases:
        _print_lease(lease)
    if seen.is_second_hand:
        output.warning(telling.SECOND_HAND)
    return EXIT_OK


def _service_record(lease: "Lease", source: str | None) -> dict[str, Any]:
    status = lease.status
    return {
        "provider": lease.id.provider,
        "group": lease.id.gseq,
        "state": lease.state,
        "reason": None if lease.costs else lease.reason,  # the chain writes `lease_closed_invalid` until the end
        "status_source": source,
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

    async with opened(args) as console:
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

    async with opened(args) as console, inside(console, args.dseq, args.service, ("logs",)) as one:
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

    async with opened(args) as console, inside(console, args.dseq, None, ("events",)) as one:
        async for event in one.gateway.events(one.lease, follow=args.follow):
            if args.json:
                record = {"type": event.type, "reason": event.reason, "note": event.note, "object": event.name}
                output.record(record | {"received_at": iso(event.at)})
            else:
                output.line(f"{event.name}  {event.reason}: {event.note}")
    return EXIT_OK
