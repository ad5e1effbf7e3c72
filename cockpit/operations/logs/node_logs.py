"""The log files of a node, and which node is meant."""

import re
from typing import NamedTuple

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError, UsageError
from cockpit.model.nodes import Node

CATEGORIES = {
    "worker_out": "worker",
    "worker_err": "worker",
    "core_worker": "worker",
    "driver": "driver",
    "raylet": "raylet",
    "gcs_server": "GCS",
    "autoscaler": "autoscaler",
    "agent": "agent",
    "dashboard": "dashboard",
    "internal": "other",
}
_JOB = "job-driver-"


class NodeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file among the logs of a node; `kind` is what wrote it."""

    node_id: str
    kind: str
    name: str


async def find_node(client: RayClient, text: str) -> Node:
    """The node meant by a node id, its beginning, an address, a host name, or `head`.

    Raises NotFoundError where there is none, UsageError where there are several.
    """
    nodes = (await client.nodes.list()).rows
    alive = [node for node in nodes if node.is_alive]
    for group in (alive, nodes):
        exact = [node for node in group if text in (node.node_id, node.ip, node.hostname)]
        exact += [node for node in group if text == "head" and node.is_head_node and node not in exact]
        close = [node for node in group if len(text) >= 4 and (node.node_id or "").startswith(text)]
        if found := exact or close:
            break
    else:
        raise NotFoundError(f"Node {text or '(no name)'} not found.", hint="`rayakash-tui nodes` lists the nodes.")
    if len(found) > 1:
        names = ", ".join(node.node_id or "" for node in found[:8])
        raise UsageError(f"{text} may be any of {len(found)} nodes: {names}.", hint="Give more of the node id.")
    return found[0]


async def list_files(client: RayClient, node_id: str, *, glob: str = "**/*") -> list[NodeFile]:
    """The log files of a living node, those in directories too: of jobs and workers first.

    Raises NotFoundError where the node is gone.
    """
    found = await client.logs.files(node_id, glob=glob)
    files = [
        NodeFile(node_id=node_id, kind=_kind(category, name), name=name)
        for category, names in found.items()
        for name in names
        if not name.endswith("/")
    ]
    order = ("job", *dict.fromkeys(CATEGORIES.values()))
    return sorted(files, key=lambda file: (order.index(file.kind), file.name))


def _kind(category: str, name: str) -> str:
    return "job" if name.startswith(_JOB) else CATEGORIES.get(category, "other")


class Workers(msgspec.Struct, frozen=True):
    """Workers of a job on one node, by their ids and by the ids of their processes."""

    ids: frozenset[str] = frozenset()
    pids: frozenset[int] = frozenset()


def belongs_to(name: str, job_id: str, workers: Workers) -> bool:
    """Whether a file was written for a job: its name holds the id of the job, or of one of its workers.

    Names are `worker-<worker id>-<job id>-<pid>.out` and `python-core-driver-<job id>ffff…_<pid>.log`; a worker that
    was started before it had a job has ffffffff for the job's id.
    """
    if re.search(rf"(?<![0-9a-f]){re.escape(job_id)}(?:f{{48}})?(?![0-9a-f])", name):
        return True
    found = writer_of(name)
    return found is not None and (found.id in workers.ids or found.pid in workers.pids)


class Writer(NamedTuple):
    """The worker that writes a file, and its process."""

    id: str
    pid: int


def writer_of(name: str) -> Writer | None:
    """Which worker writes a file, by the file's name; None for files that no worker writes."""
    found = re.fullmatch(r".*worker-([0-9a-f]+)[-_].*?(\d+)\.(?:out|err|log)", name)
    return Writer(found[1], int(found[2])) if found else None
