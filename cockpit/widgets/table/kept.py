"""How the user has set tables up, kept from one start to the next in a file of ours."""

from pathlib import Path

import msgspec

from cockpit import settings
from cockpit.render.table import Arrangement


class KeptArrangements:
    """Arrangements by the id of their table; without a `path` they last as long as this object.

    A file that cannot be read is a `problem` to report, and is replaced at the next change.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, Arrangement] = {}
        self.problem = ""
        if path is not None:
            self._read(path)

    def _read(self, path: Path) -> None:
        try:
            self._known = msgspec.json.decode(settings.read_file(path), type=dict[str, Arrangement])
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self.problem = f"{path} cannot be read ({error}); columns are as they come."

    def of(self, table: str) -> Arrangement:
        """That of a table; the usual one where nothing is known."""
        return self._known.get(table, Arrangement())

    def keep(self, table: str, arrangement: Arrangement) -> None:
        """Remember it. Raises UsageError where it cannot be written."""
        if arrangement == self.of(table):
            return
        self._known[table] = arrangement
        if self._path is not None:
            settings.write_private(self._path, msgspec.json.format(msgspec.json.encode(self._known)))
