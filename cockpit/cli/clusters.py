"""`clusters`: the clusters that have a name, and `doctor`: what is wrong with them and with this machine."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cockpit.cli import left_out, options, output
from cockpit.errors import EXIT_FAILED, EXIT_OK, CockpitError, UsageError
from cockpit.render.text import last_word, shell_word

if TYPE_CHECKING:
    from cockpit.operations.clusters.connect import Selection
    from cockpit.operations.clusters.contexts import Known
    from cockpit.operations.clusters.diagnosis import Check, Diagnosis

ADD_HELP = """\
ADDRESS is what you have: https://HOST:PORT, http://HOST:PORT, the HOST:PORT of a forwarded port on Akash (which of the
two it speaks is found out), or the name of an ingress on Akash, which is https.
"""
MARKS = {"ok": "ok", "warn": "look", "fail": "FAIL", "skip": "-"}


def add(commands: Any) -> None:
    """Declare the commands."""
    parser = commands.add_parser("clusters", help="list, add, choose, remove and check saved clusters")
    nested = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    saved = nested.add_parser("list", help="list saved clusters (no network access)")
    options.add_listing(saved)
    saved.set_defaults(run=list_clusters)
    _add_add(nested)
    use = nested.add_parser("use", help="make a cluster the current one")
    left_out.add(use, "name", "cluster", metavar="NAME")
    use.set_defaults(run=use_cluster)
    remove = nested.add_parser("remove", help="remove a saved cluster; it keeps running, its secrets stay")
    left_out.add(remove, "name", "cluster", metavar="NAME")
    remove.set_defaults(run=remove_cluster)
    check = nested.add_parser("check", help="check clusters: name, port, TLS, Ray, access, clock")
    check.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
    check.add_argument(
        "--burn-in",
        action="store_true",
        help="then test the machines of one cluster by a job: disk, memory, every GPU under load, the network",
    )
    options.add_cluster(check)
    check.set_defaults(run=check_clusters)
    doctor = commands.add_parser(
        "doctor",
        help="check this machine and every cluster",
        epilog="Exit codes: 0 nothing has failed, 1 something has, or is open to all; 2 usage.",
    )
    doctor.add_argument("names", nargs="*", metavar="NAME", help="examine only these clusters (default: all)")
    options.add_cluster(doctor)
    doctor.set_defaults(run=run_doctor)
    for one in (use, remove, check, doctor):
        options.add_json(one)


def _add_add(nested: Any) -> None:
    parser = nested.add_parser("add", help="save a cluster under a name", description=ADD_HELP)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("where", metavar="ADDRESS")
    parser.add_argument("--sdl", type=Path, metavar="FILE", help="take the token and the certificate of this SDL")
    parser.add_argument("--token", metavar="REFERENCE", help="ac-secret://NAME, never the token itself")
    parser.add_argument("--token-file", metavar="FILE", help="a file that holds the token")
    parser.add_argument("--pin", metavar="FINGERPRINT", help="the one certificate to accept (sha256:…)")
    parser.add_argument("--ca", metavar="FILE", help="the authorities to trust instead of the usual ones")
    parser.add_argument("--ssh", dest="bastion", metavar="DEST", help="the bastion in front of it, as after `ssh`")
    parser.add_argument("--cost", type=_cost, metavar="USD", help="what it costs in USD per hour")
    parser.add_argument("--read-only", dest="keep_read_only", action="store_true", help="refuse to change it, always")
    parser.add_argument("--use", action="store_true", help="make it the one in use")
    options.add_json(parser)
    parser.set_defaults(run=add_cluster)


def _cost(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount of USD per hour")
    return value


# --- clusters --------------------------------------------------------------------------------------------------------


def list_clusters(args: argparse.Namespace) -> int:
    """List the clusters that have a name."""
    from cockpit.cli import listing
    from cockpit.operations.clusters.contexts import known_clusters
    from cockpit.render.clusters import CLUSTERS

    found = known_clusters()
    for problem in found.problems:
        output.warning(problem)
    rows = [row.as_row() for row in found.rows]
    listing.print_listing(args, CLUSTERS, rows, listing.context_now())
    return EXIT_OK


def _record(row: "Known") -> dict[str, Any]:
    from cockpit.render.clusters import cluster_record

    return cluster_record(row.as_row())


async def add_cluster(args: argparse.Namespace) -> int:
    """Give a cluster a name."""
    from cockpit.model.certificates import parse_fingerprint
    from cockpit.model.secret import REFERENCE_PREFIX, reference_name
    from cockpit.operations.clusters import contexts
    from cockpit.operations.clusters.sdl_access import access_from_file

    if args.token is not None and reference_name(args.token) is None:
        raise UsageError(  # without repeating it: it may be the token
            "--token takes a reference, not a token: other users of this machine can see command lines.",
            hint=f"Keep it with `rayakash-tui secrets set NAME`, and give --token {REFERENCE_PREFIX}NAME.",
        )
    given = {
        "token": args.token,
        "token_file": args.token_file,
        "pin": parse_fingerprint(args.pin) if args.pin else None,
        "ca": args.ca,
        "cost": args.cost,
        "read_only": True if args.keep_read_only else None,
        "ssh": args.bastion or args.ssh,
    }
    added = await contexts.add_cluster(args.name, args.where, sdl=args.sdl, use=args.use, **given)
    for note in access_from_file(args.sdl).notes if args.sdl else ():
        output.warning(note)
    row = contexts.known_clusters().row(added.name)
    if args.json:
        output.record({"cluster": _record(row) if row else None})
        return EXIT_OK
    output.message(f"Added {added.name}: {added.context.address}.")
    knows = [word for word, value in (("token", added.context.token), ("certificate", added.context.pin)) if value]
    if args.sdl and knows:
        output.message(f"Its {' and '.join(knows)} are those of {args.sdl.name}.")
    ends = "It is the one in use." if added.is_current else f"`rayakash-tui -c {shell_word(added.name)}` opens it."
    output.message(f"{ends} `rayakash-tui clusters check {last_word(added.name)}` examines it.")
    return EXIT_OK


def use_cluster(args: argparse.Namespace) -> int:
    """Make a cluster the one in use."""
    from cockpit.operations.clusters.contexts import known_clusters, use_context

    row = use_context(args.name)
    if args.json:
        output.record({"cluster": _record(known_clusters().row(row.name) or row)})
    else:
        output.message(f"{row.name} is in use now: {row.address}.")
    return EXIT_OK


def remove_cluster(args: argparse.Namespace) -> int:
    """Forget a cluster."""
    from cockpit.operations.clusters.contexts import remove_context

    remove_context(args.name)
    if args.json:
        output.record({"removed": args.name})
    else:
        output.message(f"{args.name} was removed from the list. The cluster itself and its secrets are unchanged.")
    return EXIT_OK


# --- examinations ----------------------------------------------------------------------------------------------------


async def check_clusters(args: argparse.Namespace) -> int:
    """Examine clusters; the exit code is that of the first that is not well."""
    from cockpit.operations.clusters.contexts import known_clusters, unknown
    from cockpit.operations.clusters.doctor import examine_clusters, known_selections

    known = known_clusters()
    for problem in known.problems:
        output.warning(problem)
    for name in args.names:
        if known.row(name) is None:
            raise unknown(name)
    if args.burn_in and len(args.names) > 1:
        raise UsageError("--burn-in tests one cluster at a time.")
    found = await examine_clusters(_selections(args) or known_selections())
    code = next((one.exit_code for one in found if one.exit_code), EXIT_OK)
    burn_in: dict[str, Any] = {}
    if args.burn_in and not code:
        from cockpit.cli.gallery import check_machines

        code, burn_in["burn_in"] = await check_machines(args, args.names[0] if args.names else None)
    if args.json:
        output.listing("clusters", [_examined(one) for one in found], now=time.time(), **burn_in)
    elif not found:
        output.message("No clusters yet. Add one with: rayakash-tui clusters add NAME ADDRESS")
    for one in () if args.json else found:
        _print_cluster(one)
    return code


def _selections(args: argparse.Namespace) -> "dict[str, Selection]":
    """The clusters that are named, as words or by the options that all commands share; none for all."""
    from cockpit.cli.session import selection_of
    from cockpit.operations.clusters.connect import Selection

    given = selection_of(args)
    found = {name: msgspec.structs.replace(given, context=name) for name in args.names}
    if not found and given != Selection():
        found[given.context or given.address or f"ssh {given.ssh}"] = given
    return found


async def run_doctor(args: argparse.Namespace) -> int:
    """Examine the machine and the clusters."""
    from cockpit import __version__
    from cockpit.operations.clusters.doctor import examine
    from cockpit.operations.deployments.doctor import account_checks
    from cockpit.render.times import iso

    found = await examine(_selections(args))
    found = msgspec.structs.replace(found, checks=(*found.checks, *_keys(), *await account_checks()))
    if args.json:
        record = {
            "rayakash_tui": __version__,
            "ok": found.is_well,
            "faults": found.faults,
            "checks": [_checked(check) for check in found.checks],
            "clusters": [_examined(one) for one in found.clusters],
        }
        output.record({**record, "as_of": iso(time.time())})
    else:
        output.line("this machine")
        _print_checks(found.checks)
        for one in found.clusters:
            _print_cluster(one)
    return EXIT_OK if found.is_well else EXIT_FAILED


def _keys() -> "list[Check]":
    """The user's keys and own commands."""
    from cockpit.cli.cockpit import key_problems
    from cockpit.operations.clusters.diagnosis import Check

    try:
        sentences = key_problems()
    except CockpitError:  # a file that cannot be read is among the checks of the machine
        return []
    return [Check(name="keys", state="fail", words=sentence, fault="keys") for sentence in sentences]


def _print_cluster(one: "Diagnosis") -> None:
    output.line("  ".join(dict.fromkeys(part for part in (one.name, one.address) if part)))
    _print_checks(one.checks)


def _print_checks(checks: "tuple[Check, ...]") -> None:
    for check in checks:
        output.line(f"  {MARKS[check.state]:<5} {check.name:<12} {check.words}")
        if check.hint and check.state in ("fail", "warn"):
            output.line(f"        {'':<12} {check.hint}")


def _examined(one: "Diagnosis") -> dict[str, Any]:
    checks = [_checked(check) for check in one.checks]
    return {"name": one.name, "address": one.address or None, "ok": not one.exit_code, "checks": checks}


def _checked(check: "Check") -> dict[str, Any]:
    named = {"name": check.name, "state": check.state, "message": check.words}
    return named | {"hint": check.hint or None, "fault": check.fault or None}
