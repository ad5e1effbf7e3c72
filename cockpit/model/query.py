"""What is wanted of a list of Ray's state API."""

import msgspec


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: of a job, in these states, of this name, on this node, of these processes; None does not narrow.

    `job_id` is "" for a job that has none, because it has not connected to Ray: nothing is its own then. `pids` are
    process IDs on the node; an empty tuple is nothing at all. Without `states` those that live or wait are meant, with
    `everything` the ended ones too.
    """

    job_id: str | None = None
    states: tuple[str, ...] = ()
    name: str | None = None
    node_id: str | None = None
    pids: tuple[int, ...] | None = None
    everything: bool = False

    @property
    def key(self) -> str:
        """Two queries that ask for the same have the same key."""
        return msgspec.json.encode(self).decode()
