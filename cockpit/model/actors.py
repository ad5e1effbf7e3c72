"""Actors, as Ray's state API lists them; every field may be missing."""

import msgspec

from cockpit.model.secret_values import withhold_in

# In the order of an actor's life: lists that are asked for one after the other miss none that goes on meanwhile.
LIVING_STATES = ("DEPENDENCIES_UNREADY", "PENDING_CREATION", "ALIVE", "RESTARTING")
ACTOR_STATES = (*LIVING_STATES, "DEAD")

# Requested ways to end (ActorDiedErrorContext.Reason, gcs.proto).
_WANTED_ENDS = ("OUT_OF_SCOPE", "REF_DELETED", "RAY_KILL", "OWNER_DIED")


class _Died(msgspec.Struct, frozen=True, gc=False):
    error_message: str | None = None
    reason: str | None = None
    formatted_exception_string: str | None = None

    def __post_init__(self) -> None:
        withhold_in(self, "error_message", "formatted_exception_string")


class DeathCause(msgspec.Struct, frozen=True, gc=False):
    """Why an actor is dead: one of these is set."""

    actor_died_error_context: _Died | None = None
    creation_task_failure_context: _Died | None = None
    runtime_env_failed_context: _Died | None = None
    actor_unschedulable_context: _Died | None = None
    oom_context: _Died | None = None

    @property
    def reason(self) -> str | None:
        """One word of Ray's, such as `WORKER_DIED`."""
        if self.actor_died_error_context is not None:
            return self.actor_died_error_context.reason
        kinds = {
            "CREATION_TASK_FAILED": self.creation_task_failure_context,
            "RUNTIME_ENV_FAILED": self.runtime_env_failed_context,
            "UNSCHEDULABLE": self.actor_unschedulable_context,
            "OUT_OF_MEMORY": self.oom_context,
        }
        return next((word for word, context in kinds.items() if context is not None), None)

    @property
    def message(self) -> str | None:
        """Ray's own words; a traceback where the constructor failed."""
        contexts = (getattr(self, name) for name in self.__struct_fields__)
        died = next((context for context in contexts if context is not None), _Died())
        return died.error_message or died.formatted_exception_string

    @property
    def is_wanted(self) -> bool:
        """Whether the actor ended because its program ended or let go of it."""
        return self.reason in _WANTED_ENDS


class Actor(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An actor; `pid` is 0 and `node_id` empty or None until it has a process.

    What comes of `detail=true` alone is at its default without it. The runtime environment is left out: it holds
    the values of variables.
    """

    actor_id: str | None = None
    class_name: str | None = None
    state: str | None = None
    job_id: str | None = None
    name: str | None = None
    node_id: str | None = None
    pid: int | None = None
    ray_namespace: str | None = None
    required_resources: dict[str, float] | None = None
    label_selector: dict[str, str] | None = None
    placement_group_id: str | None = None
    is_detached: bool | None = None
    num_restarts: int | None = None
    death_cause: DeathCause | None = None

    @property
    def is_over(self) -> bool:
        """Whether it will print no more."""
        return self.state == "DEAD"
