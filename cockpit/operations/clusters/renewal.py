"""Reconnects to a cluster whose token or certificate changed, without leaving the screen."""

import asyncio
from typing import Any

import msgspec

from cockpit import settings
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.tokens import FoundToken, checked_token, find_ray_token
from cockpit.errors import AuthenticationError, UntrustedError, UsageError
from cockpit.feeds.topics import JOBS, NODES, USAGE, VERSION, Topic
from cockpit.model.secret import Secret, reference_name
from cockpit.operations.background import aside
from cockpit.operations.clusters.connect import Ask, Selection, agree_to, choose
from cockpit.operations.clusters.contexts import set_in_context
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.trust import accept_change
from cockpit.secrets.references import process_store


def refusal_of(cluster: LiveCluster) -> AuthenticationError | UntrustedError | None:
    """Why the cluster no longer accepts the login, or is no longer trusted; None while all is well."""
    topics: tuple[Topic[Any], ...] = (VERSION, JOBS, NODES, USAGE)
    for topic in topics:
        error = cluster.hub.snapshot(topic).error
        if isinstance(error, AuthenticationError | UntrustedError):
            return error
    return None


def kept_under(cluster: LiveCluster) -> str | None:
    """The name under which the cluster's token is kept; None where no reference leads to it."""
    target = cluster.target
    context = target.context if target is not None else None
    return reference_name(context.token) if context is not None and context.token else None


async def token_again(cluster: LiveCluster) -> Secret:
    """The token from where it was found before: it may be another by now. Raises UsageError where there is none."""
    target = cluster.target

    def found() -> FoundToken | None:
        if target is not None and target.context is not None:
            return choose(Selection(context=target.name)).token
        return find_ray_token()

    token = await aside(found)
    if token is None:
        raise UsageError("No token in RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token.", hint="Type it here.")
    return token.value


async def use_token(cluster: LiveCluster, token: Secret, ask: Ask) -> None:
    """Show this token from now on, after the questions that it may raise, and ask the cluster again.

    Raises UsageError for an invalid token, AuthenticationError where the cluster refuses it.
    """
    token = checked_token(token.reveal(), "what was typed")
    if cluster.target is not None:
        given = msgspec.structs.replace(cluster.target, token=FoundToken(token, "what was typed"))
        await agree_to(msgspec.structs.replace(given, token_is_ambient=False), ask)
    await _renew(cluster, msgspec.structs.replace(cluster.endpoint, token=token))


async def keep_token(cluster: LiveCluster, token: Secret) -> str:
    """Keep the token where the context's reference leads to; returns a sentence about it. Raises UsageError."""
    name, target = kept_under(cluster), cluster.target
    if name is None or target is None:
        raise UsageError("The context does not name a secret to store the token in.")
    scope = target.scopes[0]
    stored = await aside(lambda: process_store().put(name, token, scope=scope))
    return f"Stored {name} in the {stored.place}, scope {stored.scope}."


async def accept_certificate(cluster: LiveCluster, fingerprint: str) -> None:
    """Trust the certificate that came in the place of the one before, here and the next time. Raises UsageError."""
    target, endpoint = cluster.target, cluster.endpoint
    if target is not None and target.context is not None and target.context.pin is not None:
        if target.name not in settings.load_settings().contexts:
            raise UsageError(
                f"{target.name} is a cluster of containers, whose certificate is that of its SDL.",
                hint="Run `rayakash-tui sdl down`, then `sdl up`, to create it again.",
            )
        await asyncio.to_thread(set_in_context, target.name, "pin", fingerprint)
    await _renew(cluster, msgspec.structs.replace(endpoint, tls=accept_change(endpoint, fingerprint)))


async def _renew(cluster: LiveCluster, endpoint: Endpoint) -> None:
    await cluster.client.transport.renew(endpoint)
    cluster.let_in()
