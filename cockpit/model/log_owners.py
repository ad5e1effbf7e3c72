"""What an actor and a task are doing, as far as their logs are concerned."""

import msgspec

TASK_ENDS = ("FINISHED", "FAILED")


class ActorRow(msgspec.Struct, frozen=True):
    """An actor in Ray's state API; every field may be missing."""

    actor_id: str | None = None
    name: str | None = None
    class_name: str | None = None
    state: str | None = None
    job_id: str | None = None
    node_id: str | None = None
    pid: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether it will print no more."""
        return self.state == "DEAD"


class TaskRow(msgspec.Struct, frozen=True):
    """One attempt of a task in Ray's state API; every field may be missing."""

    task_id: str | None = None
    name: str | None = None
    state: str | None = None
    node_id: str | None = None
    worker_id: str | None = None
    attempt_number: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether it will print no more."""
        return self.state in TASK_ENDS
