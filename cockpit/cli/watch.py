"""`--watch`: a line per change."""

import argparse
import asyncio
import math
from collections.abc import Hashable, Iterable
from typing import Any

from cockpit.cli import listing, output
from cockpit.cli.options import RETRY_SECONDS
from cockpit.clients.ray import RayClient
from cockpit.errors import NotRayError, UnreachableError
from cockpit.feeds.job_watch import COST_FACTOR, LONGEST_POLL_SECONDS
from cockpit.feeds.patience import Outage, Patience
from cockpit.render.table import Record, RowContext, TableSpec, text_of
from cockpit.render.times import iso

POLL_SECONDS = 3.0

Items = dict[Hashable, Any]


def away(outage: Outage) -> None:
    """Say that the cluster does not answer."""
    output.message(f"{outage.error.title} Trying again in {math.ceil(outage.next_try)} s.")


async def watch(client: RayClient, args: argparse.Namespace, spec: TableSpec[Any]) -> int:
    """Print every item, and from then on every one that changed, until interrupted."""
    clock = asyncio.get_running_loop().time
    retry_for = RETRY_SECONDS if args.retry_for is None else args.retry_for
    patience = Patience(retry_for, from_start=args.retry_for is not None, report=away)
    changes = _Changes(args, spec)
    unreadable = 0
    while True:
        begun = clock()
        try:
            found = await args.resource.fetch(client)
            context = listing.context_now(await listing.names_of(client, spec, found))
        except UnreachableError as error:
            if changes.known is None and isinstance(error, NotRayError):
                raise
            await patience.failed(error)
            continue
        patience.succeeded()
        changes.show(listing.selected(args, found.rows), context)
        if found.unreadable != unreadable:
            output.unreadable(found.unreadable, of=len(found.rows) + found.unreadable)
            unreadable = found.unreadable
        await asyncio.sleep(min(LONGEST_POLL_SECONDS, max(POLL_SECONDS, COST_FACTOR * (clock() - begun))))


class _Changes:
    """Prints items that look different from what was printed of them before."""

    def __init__(self, args: argparse.Namespace, spec: TableSpec[Any]) -> None:
        self.known: Items | None = None
        self._args = args
        self._spec = spec

    def show(self, items: Iterable[Any], context: RowContext) -> None:
        """Print what changed; of the first items all, the last of the table first."""
        # What happens next is printed below: so is what is newest in a table that has it at the top.
        pairs = listing.chosen(self._args, self._spec, items, context)
        ordered = pairs if self._args.sort or self._args.reverse else pairs[::-1]
        after: Items = {row.key: item for item, row in ordered}
        known = self.known or {}
        changed = [key for key, item in after.items() if key not in known or self._differ(known[key], item, context)]
        removed = [known[key] for key in known if key not in after]
        if self._args.json:
            self._print_records([(after[key], "changed" if key in known else "added") for key in changed], context)
            self._print_records([(item, "removed") for item in removed], context)
        else:
            rows = [row for _, row in ordered if row.key in set(changed)]
            for text in listing.text_lines(self._args, self._spec, rows, headers=self.known is None):
                output.line(text)
            for item in removed:
                key = self._spec.row(item, context).cells[self._spec.id_index]
                output.message(f"{text_of(key)} is no longer listed.")
        self.known = after

    def _differ(self, before: Any, after: Any, context: RowContext) -> bool:
        """By what is printed; the time of a sample is not a change."""
        if self._args.json:
            return _timeless(self._spec.record(before)) != _timeless(self._spec.record(after))
        return self._spec.row(before, context) != self._spec.row(after, context)

    def _print_records(self, changes: list[tuple[Any, str]], context: RowContext) -> None:
        name = self._spec.name.removesuffix("s")
        for item, change in changes:
            record = listing.picked(self._args, self._spec.record(item))
            output.record({name: record, "change": change, "as_of": iso(context.now)})


def _timeless(record: Record) -> Record:
    return {key: value for key, value in record.items() if key != "now"}
