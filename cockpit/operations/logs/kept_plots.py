"""Which numbers the user plots for which job name, kept from one start to the next."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from cockpit import settings

MOST_NAMES = 500


class KeptPlots:
    """Names of numbers by job name; the file is read when first asked. One that cannot be read begins again."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, list[str]] | None = None

    def of(self, run: str) -> list[str]:
        """What is plotted for a job name."""
        return list(self._read().get(run, ()))

    def keep(self, run: str, names: Sequence[str]) -> None:
        """Remember it, of the MOST_NAMES jobs plotted last. Raises UsageError where it cannot be written."""
        known = self._read()
        known.pop(run, None)
        if names:
            known[run] = list(names)
        while len(known) > MOST_NAMES:
            del known[next(iter(known))]
        settings.write_private(self._file, msgspec.json.format(msgspec.json.encode(known)))

    @property
    def _file(self) -> Path:
        return self._path or settings.state_directory() / "plots.json"

    def _read(self) -> dict[str, list[str]]:
        if self._known is None:
            try:
                self._known = msgspec.json.decode(settings.read_file(self._file), type=dict[str, list[str]])
            except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._known = {}
        return self._known
