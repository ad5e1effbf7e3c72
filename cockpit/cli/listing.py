"""What the listing commands have in common: one declaration printed as a table, as names or as JSON."""

import argparse
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cockpit.cli import options, output
from cockpit.errors import UsageError
from cockpit.render import plain
from cockpit.render.nodes import node_names
from cockpit.render.order import ordered, sort_key
from cockpit.render.table import Record, Row, RowContext, TableSpec, cell_at, text_of

if TYPE_CHECKING:
    from cockpit.clients.ray import RayClient

T = TypeVar("T")


class Resource(msgspec.Struct, frozen=True):
    """A command that lists a resource: its name, help, declaration (`module:NAME`), and how it is asked for.

    `fetch` returns what has `rows` and `unreadable`. `add` declares more options, `select` applies them.
    """

    command: str
    help: str
    spec: str
    fetch: "Callable[[RayClient], Awaitable[Any]]"
    add: Callable[[argparse.ArgumentParser], None] | None = None
    select: Callable[[argparse.Namespace, Iterable[Any]], list[Any]] | None = None

    def load(self) -> TableSpec[Any]:
        """The declaration."""
        module, _, name = self.spec.partition(":")
        found: TableSpec[Any] = getattr(import_module(module), name)
        return found


def print_listing(
    args: argparse.Namespace,
    spec: TableSpec[T],
    items: Iterable[T],
    context: RowContext,
    *,
    unreadable: int = 0,
    empty: str = "",
    **more: Any,
) -> None:
    """Print the items as the options ask for; `empty` is said in place of the declaration's sentence."""
    pairs = chosen(args, spec, items, context)
    shown = pairs[: args.limit]
    if args.json:
        records = [picked(args, spec.record(item)) for item, _ in shown]
        output.listing(spec.name, records, now=context.now, total=len(pairs), unreadable=unreadable, **more)
    elif not pairs:
        output.message(empty or spec.empty)
    else:
        for line in text_lines(args, spec, [row for _, row in shown]):
            output.line(line)


def text_lines(
    args: argparse.Namespace, spec: TableSpec[Any], rows: Sequence[Row], *, headers: bool = True
) -> list[str]:
    """The lines of a table, or the IDs alone."""
    if args.output == "name":
        return [text_of(cell_at(row, spec.id_index)) for row in rows]
    headers = headers and not args.no_headers
    wide = args.output == "wide"
    return plain.lines(spec.columns, rows, width=output.terminal_width(), wide=wide, headers=headers)


def chosen(
    args: argparse.Namespace, spec: TableSpec[T], items: Iterable[T], context: RowContext
) -> list[tuple[T, Row]]:
    """Each item with its row, in the order that was asked for. Raises UsageError for a column that there is not."""
    pairs = [(item, spec.row(item, context)) for item in spec.order(items, context)]
    if args.sort is not None:
        pairs = _sorted(pairs, _column_index(spec, args.sort), descending=args.reverse)
    elif args.reverse:
        pairs.reverse()
    return pairs


def _sorted(pairs: Sequence[tuple[T, Row]], index: int, *, descending: bool) -> list[tuple[T, Row]]:
    # Keys of rows need not differ: what is sorted here is named by its place.
    places = [Row(str(place), row.cells) for place, (_, row) in enumerate(pairs)]
    keys = {row.key: sort_key(cell_at(row, index)) for row in places}
    return [pairs[int(row.key)] for row in ordered(places, keys, descending=descending)]


def _column_index(spec: TableSpec[Any], name: str) -> int:
    names: dict[str, int] = {}
    for index, column in enumerate(spec.columns):
        if column.sortable:
            names.setdefault(column.title.casefold(), index)
            names.setdefault(column.key, index)
    found = names.get(name.casefold())
    if found is None:
        raise UsageError(f"No column {name!r} to sort by.", hint=_meant(name.casefold(), list(names)))
    return found


def picked(args: argparse.Namespace, record: Record) -> Record:
    """The fields of a record that `--json=FIELD,…` names; all without. Raises UsageError for an unknown field."""
    fields = options.json_fields(args)
    for field in fields:
        if field not in record:
            raise UsageError(f"No field {field!r} in the JSON.", hint=_meant(field, list(record)))
    return {field: record[field] for field in fields} if fields else record


def _meant(given: str, known: Sequence[str]) -> str:
    near = get_close_matches(given, known, 1)
    return f"Did you mean {near[0]}?" if near else f"Choose from {output.joined(dict.fromkeys(known))}."


def context_now(node_names: dict[str, str] | None = None) -> RowContext:
    """What rows depend on, at this moment."""
    return RowContext(now=time.time(), node_names=node_names or {})


def selected(args: argparse.Namespace, items: Iterable[Any]) -> list[Any]:
    """The items that the options of the resource let pass. Raises UsageError for an option that makes no sense."""
    select = args.resource.select
    return list(items) if select is None else select(args, items)


async def names_of(client: "RayClient", spec: TableSpec[Any], found: Any) -> dict[str, str]:
    """Names of nodes by ID, where rows show them; asks for the nodes unless they are part of the reply."""
    nodes = getattr(found, "nodes", None)
    if nodes is None and spec.names_nodes:
        nodes = (await client.nodes.list()).rows
    return node_names(nodes or ())
