"""A name that a command needs and that was left out: chosen from a list on a terminal; exit code 2 in scripts.

Each kind of name is declared once here; `add` gives a command its argument, and `main` and `session` fill it in.
"""

import argparse
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from cockpit.cli import choosing, completers, output
from cockpit.errors import UsageError

if TYPE_CHECKING:
    from cockpit.clients.ray import RayClient

Rows = list[tuple[str, ...]]  # the name itself comes first


class Kind(NamedTuple):
    """What may be left out: names that this machine knows, or rows of a cluster."""

    noun: str
    listed_by: str
    local: Callable[[argparse.Namespace], Iterable[str]] | None = None
    titles: tuple[str, ...] = ("NAME",)
    rows: Callable[["RayClient"], Awaitable[Rows]] | None = None


async def _job_rows(client: "RayClient") -> Rows:
    jobs = (await client.jobs.list()).rows
    return [(job.id, "job", job.status or "", job.entrypoint or "") for job in jobs if job.id]


async def _actor_rows(client: "RayClient") -> Rows:
    from cockpit.model.query import Query

    actors = (await client.workloads.actors(Query())).rows
    return [
        (one.actor_id, "actor", one.state or "", one.name or one.class_name or "") for one in actors if one.actor_id
    ]


async def _subject_rows(client: "RayClient") -> Rows:
    """What lives or waits before what has ended."""
    from cockpit.model.jobs import TERMINAL_STATUSES

    rows = [*await _job_rows(client), *await _actor_rows(client)]
    return sorted(rows, key=lambda row: row[2] in TERMINAL_STATUSES)


async def _replica_rows(client: "RayClient") -> Rows:
    from cockpit.model.serve import rows_of

    rows = rows_of((await client.serve.list()).rows)
    return [(row.key, row.status or "") for row in rows if row.kind == "replica"]


async def _application_rows(client: "RayClient") -> Rows:
    return [(one.name, one.status or "") for one in (await client.serve.list()).rows if one.name]


_SUBJECT_TITLES = ("ID", "KIND", "STATE", "NAME")
KINDS = {
    "job": Kind("job", "jobs", titles=_SUBJECT_TITLES, rows=_job_rows),
    "actor": Kind("actor", "actors", titles=_SUBJECT_TITLES, rows=_actor_rows),
    "subject": Kind("job, actor or task", "jobs", titles=_SUBJECT_TITLES, rows=_subject_rows),
    "replica": Kind("replica", "serve", titles=("REPLICA", "STATE"), rows=_replica_rows),
    "application": Kind("application", "serve", titles=("APPLICATION", "STATUS"), rows=_application_rows),
    "cluster": Kind("cluster", "clusters list", local=completers.contexts),
    "secret": Kind("secret", "secrets list", local=completers.stored_secrets),
    "sample": Kind("sample", "gallery list", local=completers.samples),
    "deployment": Kind("deployment", "deployments list", local=completers.deployments, titles=("DSEQ",)),
}


def add(parser: argparse.ArgumentParser, dest: str, kind: str, *, metavar: str, text: str | None = None) -> None:
    """The argument of a command that takes one name of this kind."""
    parser.add_argument(dest, nargs="?", metavar=metavar, help=text)
    parser.set_defaults(left_out=(dest, kind))


def missing(args: argparse.Namespace) -> tuple[str, Kind] | None:
    """The argument that was left out, and its kind."""
    dest, kind = getattr(args, "left_out", None) or ("", "")
    return (dest, KINDS[kind]) if dest and getattr(args, dest) is None else None


def require(args: argparse.Namespace) -> None:
    """Fill in a name that this machine knows. Raises UsageError where nothing can be chosen."""
    if (found := missing(args)) is None:
        return
    dest, kind = found
    if not choosing.can_choose():
        raise UsageError(f"Give a {kind.noun}.", hint=_hint(kind))
    if kind.local is not None:
        setattr(args, dest, _chosen(kind, [(name,) for name in kind.local(args)]))


async def choose(args: argparse.Namespace, client: "RayClient") -> None:
    """Fill in a name that the cluster knows. Raises UsageError where none is chosen."""
    if (found := missing(args)) is not None and found[1].rows is not None:
        dest, kind = found
        setattr(args, dest, _chosen(kind, await found[1].rows(client)))


def _chosen(kind: Kind, rows: Rows) -> str:
    if not rows:
        raise UsageError(f"There is no {kind.noun} to choose.", hint=_hint(kind))
    shown = rows[: choosing.MOST_SHOWN]
    if len(rows) > len(shown):
        output.message(f"The first {len(shown)} of {len(rows)}. {_hint(kind)}")
    return shown[choosing.chosen_row(kind.titles, shown, noun=kind.noun, hint=_hint(kind))][0]


def _hint(kind: Kind) -> str:
    return f"List them: rayakash-tui {kind.listed_by}"
