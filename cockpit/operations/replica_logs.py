"""The logs of a Serve replica: its file of requests and Serve's own words, and what its code prints."""

from collections.abc import Sequence

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.errors import NotFoundError, UsageError
from cockpit.model.log_paths import below_logs
from cockpit.model.nearest import nearest_hint
from cockpit.model.serve import ServeRow, rows_of

MOST_NAMED = 8


async def find_replica(client: RayClient, text: str) -> ServeRow:
    """The replica that `APP`, `APP/DEPLOYMENT` or `APP/DEPLOYMENT#REPLICA` means, a dead one where it is named whole.

    Raises NotFoundError, and UsageError where several are meant.
    """
    rows = [row for row in rows_of((await client.serve.list()).rows) if row.kind == "replica"]
    exact = [row for row in rows if row.key == text]
    living = [row for row in rows if row.status != "DEAD" and row.key.startswith((f"{text}/", f"{text}#"))]
    return _one(exact or living or [row for row in rows if row.key.startswith(text)], text, [row.key for row in rows])


def _one(found: Sequence[ServeRow], text: str, known: Sequence[str]) -> ServeRow:
    if not found:
        raise NotFoundError(
            f"Replica {text or '(no name)'} not found.",
            hint=nearest_hint(text, known, "`rayakash-tui serve -o name` lists replicas, the dead ones too."),
        )
    if len(found) > 1:
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        names = ", ".join(row.key for row in found[:MOST_NAMED])
        raise UsageError(f"{text} has {len(found)} replicas: {names}{more}.", hint="Name one of them.")
    return found[0]


def access_log(replica: ServeRow) -> LogFile:
    """Its requests, and what Serve says of it; it stays where it is when the replica dies.

    Raises NotFoundError where it has not been placed.
    """
    if not replica.log_file_path or not replica.node_id:
        raise NotFoundError(
            f"Replica {replica.key} has no log yet: it has not been placed on a node.",
            hint=f"Ask why: rayakash-tui why {replica.key}",
        )
    return LogFile(node_id=replica.node_id, filename=below_logs(replica.log_file_path))


def output_log(replica: ServeRow, *, suffix: str = "out") -> LogFile:
    """What its code prints. Raises NotFoundError before it has a process."""
    if not replica.actor_id:
        raise NotFoundError(f"Replica {replica.key} has no process yet.")
    return LogFile(actor_id=replica.actor_id, suffix=suffix)
