"""Killing one actor: Ray 2.60 has no HTTP call for it, so a job of one line does it, for an actor that has a name."""

import secrets
import shlex

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError, RejectedError
from cockpit.model.actors import Actor
from cockpit.model.jobs import JobRequest
from cockpit.operations.profiling.targets import find_target
from cockpit.operations.why.subjects import find_subject
from cockpit.render.text import visible


async def find_actor(client: RayClient, text: str) -> Actor:
    """The living actor with this ID or the start of one. Raises NotFoundError, RejectedError."""
    subject = await find_subject(client, text)
    if subject.kind != "actor":
        raise NotFoundError(f"{text} is not an actor.", hint="`rayakash-tui actors` lists the actors.")
    actor = await client.state.actor(subject.id)
    if actor.is_over:
        raise RejectedError(f"Actor {subject.id} is dead already.")
    if not actor.name:
        raise await _without_name(client, actor)
    return actor


async def _without_name(client: RayClient, actor: Actor) -> RejectedError:
    """Only its own job can reach an actor without a name; its process can be ended on its node."""
    where = ""
    if actor.pid:
        target = await find_target(client, actor.actor_id or "")
        where = f"End its process: `kill {target.pid}` on node {target.node_id[:12]}."
    return RejectedError(
        f"Actor {actor.actor_id} has no name, and Ray kills only named actors from outside.", hint=where
    )


def source_of(actor: Actor) -> str:
    """The program that kills it; `ray.kill` restarts nothing."""
    return f"import ray; ray.init(); ray.kill(ray.get_actor({actor.name!r}, namespace={actor.ray_namespace!r}))"


async def kill_actor(client: RayClient, actor: Actor) -> str:
    """Submit the job that kills the actor; returns its submission ID."""
    request = JobRequest(
        entrypoint=f"python -c {shlex.quote(source_of(actor))}",
        submission_id=f"kill-actor-{secrets.token_hex(4)}",
        metadata={"rayakash.kills": visible(actor.actor_id or "")},
    )
    return await client.jobs.submit(request)
