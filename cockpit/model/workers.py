"""Worker processes, as Ray's state API lists them; the dead stay listed, with why they ended."""

import msgspec

from cockpit.model.secret_values import withhold_in

WORKER_STATES = ("ALIVE", "DEAD")
# WorkerExitType, common.proto: unrequested ends.
UNWANTED_EXITS = ("SYSTEM_ERROR", "USER_ERROR", "NODE_OUT_OF_MEMORY")


class Worker(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A worker, driver or spill process; times in milliseconds since the epoch, None where Ray does not know."""

    worker_id: str | None = None
    is_alive: bool | None = None
    worker_type: str | None = None
    exit_type: str | None = None
    exit_detail: str | None = None
    node_id: str | None = None
    ip: str | None = None
    pid: int | None = None
    worker_launch_time_ms: int | None = None
    start_time_ms: int | None = None
    end_time_ms: int | None = None

    def __post_init__(self) -> None:
        withhold_in(self, "exit_detail")

    @property
    def state(self) -> str | None:
        """`ALIVE` or `DEAD`; None where Ray did not say."""
        return None if self.is_alive is None else WORKER_STATES[not self.is_alive]
