"""What was asked for a job's entrypoint."""

import msgspec


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Resources and labels, and who says so: Ray's supervisor actor, or the metadata that `submit` wrote."""

    resources: dict[str, float]
    labels: dict[str, str] = {}
    is_from_metadata: bool = False
