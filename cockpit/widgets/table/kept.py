"""How the user has set tables up, kept from one start to the next in a file of ours.

Columns are as the user likes them anywhere; the sort is that of one cluster, for what matters first differs there.
"""

from pathlib import Path

import msgspec

from cockpit import settings
from cockpit.render.table import Arrangement

_AT = "@"
MOST_SORTS = 500


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

    def of(self, table: str, cluster: str = "") -> Arrangement:
        """That of a table, sorted as in this cluster; the usual one where nothing is known."""
        known = self._known.get(table, Arrangement())
        return msgspec.structs.replace(known, sort=self._known.get(_sorted_in(table, cluster), known).sort)

    def keep(self, table: str, arrangement: Arrangement, cluster: str = "") -> None:
        """Remember it. Raises UsageError where it cannot be written."""
        if arrangement == self.of(table, cluster):
            return
        self._known[_sorted_in(table, cluster)] = Arrangement(sort=arrangement.sort)
        self._known[table] = msgspec.structs.replace(arrangement, sort=None)
        self._forget_clusters()
        if self._path is not None:
            settings.write_private(self._path, msgspec.json.format(msgspec.json.encode(self._known)))

    def _forget_clusters(self) -> None:
        """Keep the sorts of the clusters that were changed last: addresses come and go."""
        sorts = [name for name in self._known if _AT in name]
        for name in sorts[: max(0, len(sorts) - MOST_SORTS)]:
            del self._known[name]


def _sorted_in(table: str, cluster: str) -> str:
    return f"{table}{_AT}{cluster}"
