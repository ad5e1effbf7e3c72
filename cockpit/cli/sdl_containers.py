"""`sdl up|down|ps`: try an SDL in containers on this machine before anyone is paid."""

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import options, output
from cockpit.cli.sdl_input import in_file, read_document
from cockpit.cli.sdl_secrets import SCOPE_HELP
from cockpit.errors import EXIT_FAILED, EXIT_OK, CockpitError, NotFoundError, UsageError
from cockpit.render.text import last_word

if TYPE_CHECKING:
    from cockpit.local.containers.cluster import Running
    from cockpit.operations.clusters.containers import Started

COLUMNS = ("CLUSTER", "SERVICE", "CONTAINER", "STATE", "ADDRESS", "PORTS")
SHRINKING = ("CLUSTER", "CONTAINER")


def add(nested: Any) -> None:
    """Declare the commands."""
    up = nested.add_parser(
        "up",
        help="run it here, in containers of podman or docker; GPUs are left out",
        description="Starts every service with its own args, env, count, limits and shared memory. The cluster becomes "
        "a context, and the one in use.",
    )
    up.add_argument("file", metavar="FILE")
    up.add_argument("--scope", metavar="S", help=SCOPE_HELP)
    up.add_argument("--name", metavar="NAME", help="what to call the cluster and its context (default: the scope)")
    up.add_argument("--replicas", type=_replicas, metavar="N", help="run at most N of each service")
    up.add_argument("--bind", default="127.0.0.1", metavar="IP", help="the address for public ports (127.0.0.1)")
    up.add_argument("--no-wait", action="store_true", help="do not wait for all nodes")
    up.set_defaults(run=bring_up)
    down = nested.add_parser("down", help="stop what `sdl up` started and remove it")
    down.add_argument("name", nargs="?", metavar="NAME", help="the cluster or its file (default: the only one)")
    down.set_defaults(run=bring_down)
    ps = nested.add_parser("ps", help="list what `sdl up` started; exit 1 if nothing runs")
    ps.set_defaults(run=list_running)
    for parser in (up, down, ps):
        options.add_json(parser)


def _replicas(text: str) -> int:
    """A whole number from 1."""
    if not (text.isdecimal() and 0 < int(text[:9]) < 1000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of replicas; give 1 or more")
    return int(text[:9])


def bring_up(args: argparse.Namespace) -> int:
    """Start a cluster and wait until it is whole; one that fails is taken down again."""
    from cockpit.local.containers.engine import find_engine
    from cockpit.operations.clusters import containers
    from cockpit.settings import use_context

    if args.file == "-":
        raise UsageError("Only a file can be started: its name is the cluster's.")
    document, engine = read_document(args.file), find_engine()
    with in_file(args.file):
        wish = containers.Wish(name=args.name, scope=args.scope, most=args.replicas, bind=args.bind)
        started = containers.bring_up(engine, document, Path(args.file), wish, report=output.message)
    for notice in started.notices:
        output.warning(notice)
    if not args.no_wait:
        try:
            asyncio.run(containers.wait_until_whole(engine, started, report=output.message))
        except CockpitError:
            output.message(f"Taking {started.name} down.")
            containers.bring_down(engine, started.name)
            raise
        except KeyboardInterrupt:
            output.message(
                f"{started.name} goes on starting; `rayakash-tui sdl down {last_word(started.name)}` ends it."
            )
            raise
    if started.context is not None:
        use_context(started.name)
    _tell(args, started)
    return EXIT_OK


def _tell(args: argparse.Namespace, started: "Started") -> None:
    if args.json:
        address = started.context.address if started.context else None
        pin = started.context.pin if started.context else None
        rows = [_record(one) for one in started.containers]
        output.record({"name": started.name, "address": address, "certificate": pin, "containers": rows})
        return
    if started.context is None:
        output.line(f"{started.name} runs.")
    else:
        output.line(f"{started.name} is up at {started.context.address}, {started.nodes} nodes, context {started.name}")
    output.message(f"`rayakash-tui` opens it; `rayakash-tui sdl down {last_word(started.name)}` ends it.")


def bring_down(args: argparse.Namespace) -> int:
    """End a cluster."""
    from cockpit.local.containers.cluster import running
    from cockpit.local.containers.engine import find_engine
    from cockpit.operations.clusters import containers

    engine = find_engine()
    name = _named(args.name, sorted({one.cluster for one in running(engine)}))
    count = containers.bring_down(engine, name)
    if args.json:
        output.record({"name": name, "ended": count})
    else:
        output.message(f"{name} is down." if count else f"{name} was not up.")
    return EXIT_OK


def _named(name: str | None, known: list[str]) -> str:
    if name is not None:
        stem = Path(name).stem if name.endswith((".yaml", ".yml")) else name
        return name if name in known else stem
    if not known:
        raise NotFoundError("Nothing is up that `sdl up` started.")
    if len(known) > 1:
        raise UsageError("Several clusters are up.", hint=f"Name one of them: {output.joined(known)}.")
    return known[0]


def list_running(args: argparse.Namespace) -> int:
    """List the containers of every cluster."""
    import time

    from cockpit.local.containers.cluster import running
    from cockpit.local.containers.engine import find_engine
    from cockpit.render.table import text_column

    found = running(find_engine())
    if args.json:
        output.listing("containers", [_record(one) for one in found], now=time.time())
    elif found:
        output.rows([text_column(name, shrink=name in SHRINKING) for name in COLUMNS], [_cells(one) for one in found])
    else:
        output.message("Nothing is up that `sdl up` started.")
    return EXIT_OK if found else EXIT_FAILED


def _cells(one: "Running") -> list[str]:
    state = one.state if one.exit_code is None else f"{one.state} ({one.exit_code})"
    if one.restarts:
        state += f", restarted {one.restarts}×"
    ports = output.joined(f"{host}:{port} → {inside}" for inside, (host, port) in one.ports.items())
    return [one.cluster, one.service, one.container, state, one.ip, ports]


def _record(one: "Running") -> dict[str, Any]:
    ports = [{"port": inside, "host": host, "host_port": port} for inside, (host, port) in one.ports.items()]
    names = ("cluster", "service", "container", "file", "state", "exit_code", "restarts", "started", "ip")
    return {name: getattr(one, name) for name in names} | {"ports": ports}
