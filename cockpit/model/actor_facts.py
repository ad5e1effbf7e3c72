"""An actor with the task that made it, from whose events its way to a process is known."""

import msgspec

from cockpit.model.actors import Actor
from cockpit.model.tasks import Task


class ActorFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`creation` is the last attempt of its constructor; None where Ray has forgotten it."""

    actor: Actor
    creation: Task | None = None
