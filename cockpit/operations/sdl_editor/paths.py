"""Paths of files while they are typed."""

import os
from pathlib import Path

MOST = 50
ENDINGS = (".yaml", ".yml")


def paths_beginning(typed: str, endings: tuple[str, ...] = ENDINGS) -> list[str]:
    """Folders (with a slash) and files with this prefix, YAML by default; the folder keeps its spelling.

    Hidden ones only where a dot was typed. Empty where the folder cannot be read.
    """
    folder, slash, start = typed.rpartition("/")
    place = Path(os.path.expanduser(folder + slash) if slash else ".")
    try:
        with os.scandir(place) as entries:
            found = sorted(_fitting(entries, start, endings))
    except (OSError, ValueError):  # a NUL in the name is a ValueError
        return []
    return [folder + slash + name for name in found[:MOST]]


def _fitting(entries: "os._ScandirIterator[str]", start: str, endings: tuple[str, ...]) -> list[str]:
    names = []
    for entry in entries:
        if not entry.name.startswith(start) or (entry.name.startswith(".") and not start):
            continue
        if entry.is_dir():
            names.append(entry.name + "/")
        elif entry.name.endswith(endings):
            names.append(entry.name)
    return names


def completed(typed: str, found: list[str]) -> str:
    """The input extended by the common prefix of its completions."""
    return os.path.commonprefix(found) or typed  # noqa: RUF071 - by characters, as a shell does it
