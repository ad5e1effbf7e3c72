"""Which log Ray is asked for, and what its refusals mean (ray-api section 2b)."""

import msgspec

from cockpit.clients.ray import older_logs
from cockpit.errors import NotFoundError, RejectedError, ServerError


class LogFile(msgspec.Struct, frozen=True, kw_only=True):
    """A log on a cluster: a file of a node, or what Ray finds by the id of an actor or a task.

    `suffix` is `out` or `err`: an actor and a task have a file for each.
    """

    node_id: str = ""
    filename: str = ""
    actor_id: str = ""
    task_id: str = ""
    suffix: str = "out"

    @property
    def params(self) -> dict[str, str]:
        """How Ray is asked for it."""
        if self.actor_id:
            return {"actor_id": self.actor_id, "suffix": self.suffix}
        if self.task_id:
            return {"task_id": self.task_id, "suffix": self.suffix}
        return {"node_id": self.node_id, "filename": self.filename}

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        if self.actor_id:
            return f"log {self.suffix} of actor {self.actor_id}"
        if self.task_id:
            return f"log {self.suffix} of task {self.task_id}"
        return f"log {self.filename} on node {self.node_id[:12]}"


def log_error(file: LogFile, error: ServerError) -> Exception:
    """The error for a log that Ray cannot serve: its file or node is gone, or Ray failed."""
    words = error.detail
    if older_logs.is_withheld(error):
        return RejectedError("This release of Ray cannot serve log files with token authentication on.", detail=words)
    if "please query actor log" in words:
        return RejectedError(
            f"Ray does not keep a separate log for task {file.task_id}: it ran in an actor.",
            detail=words,
            hint="Ask for the log of the actor (`logs --actor ID`).",
        )
    if "Agent for node" in words or "doesn't exist" in words:
        node = f"The node {file.node_id[:12]}" if file.node_id else "Its node"
        return NotFoundError(f"{node} is gone, and its logs with it.", detail=words)
    if "not found" in words or "Could not find" in words or "Missing log filename" in words:
        hint = "Ray hears of a task about a second after it starts, and forgets the oldest ones."
        return NotFoundError(f"There is no {file.name}.", detail=words, hint=hint if file.task_id else "")
    if "not scheduled yet" in words:
        return NotFoundError(f"There is no {file.name} yet: it has not been started.", detail=words)
    if "is not in" in words or "not in /" in words or "Invalid" in words:
        return RejectedError(f"Ray refuses the {file.name}.", detail=words)
    return error
