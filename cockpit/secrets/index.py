"""A list of what is stored where: names only, since a keyring cannot be listed and the vault is locked."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cockpit.errors import UsageError
from cockpit.secrets.files import exclusive, read_own, replace
from cockpit.secrets.names import Place

VERSION = 1
LARGEST_BYTES = 8 << 20


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that was stored: where, when first, when last."""

    name: str
    scope: str
    place: Place
    created: datetime
    changed: datetime

    def is_of(self, name: str, scope: str, place: Place | None = None) -> bool:
        """Whether it is the row of that secret, in that place if one is given."""
        return (self.name, self.scope) == (name, scope) and place in (None, self.place)


class _File(msgspec.Struct, frozen=True):
    secrets: list[Row]
    version: int = VERSION


class Index:
    """The rows in a JSON file. Its methods raise UsageError where the file cannot be read or written."""

    def __init__(self, path: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self._now = now

    @property
    def exists(self) -> bool:
        """Whether there is a file; without one, nothing is known of what is stored."""
        return self.path.exists()

    def rows(self) -> list[Row]:
        """All rows, by name and scope."""
        data = read_own(self.path, LARGEST_BYTES)
        return [] if data is None else self._parsed(data)

    def rows_of(self, name: str, scope: str) -> list[Row]:
        """The rows of one secret, the last written first; two while it moves, or where a move was cut short."""
        found = [row for row in self.rows() if row.is_of(name, scope)]
        return sorted(found, key=lambda row: row.changed, reverse=True)

    def note(self, name: str, scope: str, place: Place) -> bool:
        """Have a row for the secret in that place; whether there was none."""
        return self._change(lambda rows: self._noted(rows, name, scope, place))

    def touch(self, name: str, scope: str, place: Place) -> None:
        """The secret was written just now."""
        self._change(lambda rows: [self._touched(row) if row.is_of(name, scope, place) else row for row in rows])

    def forget(self, name: str, scope: str, place: Place) -> None:
        """Remove the row of the secret in that place."""
        self._change(lambda rows: [row for row in rows if not row.is_of(name, scope, place)])

    def _noted(self, rows: Sequence[Row], name: str, scope: str, place: Place) -> list[Row]:
        if any(row.is_of(name, scope, place) for row in rows):
            return list(rows)
        now = self._now()
        return [*rows, Row(name=name, scope=scope, place=place, created=now, changed=now)]

    def _touched(self, row: Row) -> Row:
        return msgspec.structs.replace(row, changed=self._now())

    def _change(self, change: Callable[[list[Row]], list[Row]]) -> bool:
        """Write what `change` makes of the rows; whether that is anything new."""
        with exclusive(self.path):
            before = self.rows()
            after = sorted(change(before), key=lambda row: (row.name, row.scope, row.place))
            if after == before:
                return False
            replace(self.path, msgspec.json.format(msgspec.json.encode(_File(after)), indent=1) + b"\n")
            return True

    def _parsed(self, data: bytes) -> list[Row]:
        try:
            file = msgspec.json.decode(data, type=_File)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"{self.path} cannot be read.",
                detail=str(error),
                hint="Move it away: the secrets stay where they are, and are found again by their names.",
            ) from None
        if file.version > VERSION:
            raise UsageError(f"{self.path} was written by a newer rayakash-tui.")
        return file.secrets
