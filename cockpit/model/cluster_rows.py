"""A saved cluster as it was last seen."""

from typing import Literal

import msgspec

from cockpit.model.akash.lease_money import LeaseMoney
from cockpit.model.nodes import Usage

Health = Literal["asking", "up", "stale", "refused", "away"]
Source = Literal["config", "containers", "local", "session", "replay"]  # `session`: open now, not saved


class ClusterRow(msgspec.Struct, frozen=True, kw_only=True):
    """One cluster as it was last seen; what is unknown is None. `age` in seconds, `cost` in USD per hour,
    `money` that of the lease behind it.

    `why` says what is wrong, `is_open` marks the cluster on the screen, `alarm` is a fault of its protection, `ssh` the
    bastion in front of it, `source` where it is written down.
    """

    name: str
    address: str
    health: Health
    why: str = ""
    ray_version: str | None = None
    gpus: Usage | None = None
    running: int | None = None
    failed: int | None = None
    cost: float | None = None
    money: LeaseMoney | None = None
    age: float | None = None
    is_current: bool = False
    is_open: bool = False
    alarm: str = ""
    ssh: str | None = None
    source: Source = "config"
    is_read_only: bool = False
