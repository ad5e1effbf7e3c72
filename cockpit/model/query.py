"""What is wanted of a list of Ray's state API."""

import msgspec


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows: of a job, in these states, of this name, on this node; None and () do not narrow.

    `job_id` is "" for a job that has none, because it has not connected to Ray: nothing is its own then.
    Without `states` those that live or wait are meant, with `everything` the ended ones too.
    """

    job_id: str | None = None
    states: tuple[str, ...] = ()
    name: str | None = None
    node_id: str | None = None
    everything: bool = False

    @property
    def key(self) -> str:
        """Two queries that ask for the same have the same key."""
        return msgspec.json.encode(self).decode()
