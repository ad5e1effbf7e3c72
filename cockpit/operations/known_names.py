"""Names of jobs and nodes that completion offers: noted by commands and the cockpit, so that a Tab asks no cluster."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.model.jobs import Job
from cockpit.model.nodes import Node
from cockpit.render.text import visible
from cockpit.secrets.files import exclusive, read, replace

MOST_NAMES = 500
MOST_CLUSTERS = 50
LARGEST_BYTES = 4 << 20

Kind = Literal["jobs", "nodes"]


class _Cluster(msgspec.Struct):
    jobs: list[str] = []
    nodes: list[str] = []


def note(cluster: str, kind: Kind, names: Iterable[str], *, directory: Path | None = None) -> None:
    """Keep the names of one kind, the first MOST_NAMES of them. Raises UsageError where they cannot be written.

    A name that a shell or a terminal would not take as one plain word is left out.
    """
    kept = [name for name in dict.fromkeys(names) if _is_plain(name)][:MOST_NAMES]
    path = _path(directory)
    if getattr(_read(path).get(cluster), kind, None) == kept:
        return
    with exclusive(path):
        known = _read(path)
        of_cluster = known.pop(cluster, _Cluster())
        setattr(of_cluster, kind, kept)
        newest = dict(list(known.items())[-(MOST_CLUSTERS - 1) :])
        replace(path, msgspec.json.encode(newest | {cluster: of_cluster}))


def note_all(cluster: str, jobs: Iterable[Job], nodes: Iterable[Node]) -> None:
    """Keep the IDs of jobs, the newest first, and the hosts of nodes, where there are any. Raises as `note` does."""
    newest = sorted(jobs, key=lambda job: job.start_time or 0, reverse=True)
    if ids := [job.id for job in newest if job.id]:
        note(cluster, "jobs", ids)
    if hosts := [node.hostname for node in nodes if node.hostname]:
        note(cluster, "nodes", hosts)


def known(kind: Kind, cluster: str | None = None, *, directory: Path | None = None) -> list[str]:
    """The names of a cluster, else of all clusters. Raises UsageError where the file cannot be read."""
    found = _read(_path(directory))
    chosen = [found[cluster]] if cluster in found else list(found.values())
    return list(dict.fromkeys(name for one in chosen for name in getattr(one, kind)))


def _is_plain(name: str) -> bool:
    return bool(name) and len(name) <= 200 and visible(name) == name and not any(letter.isspace() for letter in name)


def _read(path: Path) -> dict[str, _Cluster]:
    data = read(path, LARGEST_BYTES)
    if data is None:
        return {}
    try:
        return msgspec.json.decode(data, type=dict[str, _Cluster])
    except msgspec.DecodeError as error:
        raise UsageError(
            f"{path} cannot be read.", detail=str(error), hint="Delete it; it will be written again."
        ) from None


def _path(directory: Path | None) -> Path:
    return (directory or settings.state_directory()) / "known-names.json"
