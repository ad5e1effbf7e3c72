"""Try an SDL on this machine: from the file to running containers, a context, and the end of both."""

import asyncio
import base64
import binascii
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from cockpit import settings
from cockpit.clients.ray import RayClient
from cockpit.errors import UnreachableError, UsageError
from cockpit.local.containers import cluster, state
from cockpit.local.containers.cluster import Running
from cockpit.local.containers.engine import ContainerError, Engine
from cockpit.local.containers.plan import Container, Machine, Plan, plan_of
from cockpit.model.certificates import fingerprint_of
from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.operations.clusters.connect import LOCAL_CONTEXT, Selection, choose, connect
from cockpit.operations.secrets.references import is_env_item, references_in, render
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.paths import spelled
from cockpit.sdl.view import View
from cockpit.secrets.names import CERTIFICATE_NAME, TOKEN_NAME, checked_scope, scopes_for

PATIENCE_S = 600.0
POLL_S = 1.0

Report = Callable[[str], None]


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """What runs now; the context is None where no public port leads to a Ray dashboard."""

    name: str
    nodes: int
    containers: tuple[Running, ...]
    context: settings.Context | None
    notices: tuple[str, ...]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asks for beside the file: another name or scope, fewer replicas, another address to listen at."""

    name: str | None = None
    scope: str | None = None
    most: int | None = None
    bind: str = "127.0.0.1"


def bring_up(engine: Engine, document: SdlDocument, source: Path, wish: Wish, *, report: Report) -> Started:
    """Start what the document describes, with the values of its references; the cluster becomes a context.

    Raises UsageError and ContainerError, as `plan_of` and `cluster.start` do, and what `render` raises.
    """
    scope = scopes_for(sdl=source, scope=wish.scope)[0]
    name = checked_scope(wish.name or scope)
    _check_name(name)
    _check_references(document, source)
    rendered = render(document, scopes_for(scope=scope))
    plan = plan_of(View(SdlDocument(rendered.text.reveal()).tree.root), Machine(*engine.capacity()), most=wish.most)
    for notice in plan.notices:
        report(notice)
    pins = {one.service: _fingerprint(one) for one in plan.containers}
    found = cluster.start(engine, name, str(source), plan, bind=wish.bind, report=report)
    context, notices = _context(document, plan, found, pins)
    if context is not None:
        state.remember(name, state.Kept(context, scope))
    return Started(name=name, nodes=plan.nodes, containers=tuple(found), context=context, notices=notices)


def _check_name(name: str) -> None:
    """Raise UsageError where the context could not be kept, or would be another's: before anything runs."""
    state.container_contexts()
    if name == LOCAL_CONTEXT:
        raise UsageError(f"{name} is the context of `local up`.", hint="Use --name OTHER.")
    if name in settings.load_settings().contexts:
        raise UsageError(f"{settings.config_file()} has a context {name} of its own.", hint="Use --name OTHER.")


def _check_references(document: SdlDocument, source: Path) -> None:
    for one in references_in(document):
        if not is_env_item(one.path):
            raise UsageError(
                f"{source}:{one.line}: {spelled(one.path)} refers to a secret, which others on this machine would see.",
                hint="Give the secret a variable in env.",
            )


# --- the context -----------------------------------------------------------------------------------------------------


def _context(
    document: SdlDocument, plan: Plan, found: list[Running], pins: dict[str, str | None]
) -> tuple[settings.Context | None, tuple[str, ...]]:
    for service, port in plan.doors:
        door = next((one.ports[port] for one in found if one.service == service and port in one.ports), None)
        if door is not None:
            pin = pins[service]
            token, notices = _token(document, plan)
            return settings.Context(address=_address(door, is_encrypted=pin is not None), token=token, pin=pin), notices
    return None, ("No public port leads to a Ray dashboard, so no context was saved.",)


def _address(door: tuple[str, int], *, is_encrypted: bool) -> str:
    host, port = door
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"{'https' if is_encrypted else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _fingerprint(container: Container) -> str | None:
    """Of the certificate that the service was given; None where it was given none. Raises UsageError."""
    value = container.env.get(CERTIFICATE_NAME)
    if value is None:
        return None
    try:
        pem = base64.b64decode(value.reveal(), validate=True).decode("ascii")
        return fingerprint_of(ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE") :].strip()))
    except (binascii.Error, ValueError) as error:
        raise UsageError(
            f"services.{container.service}.env: {CERTIFICATE_NAME} is not a PEM certificate in base64.",
            hint="rayakash-tui secrets generate tls makes one.",
        ) from error


def _token(document: SdlDocument, plan: Plan) -> tuple[str | None, tuple[str, ...]]:
    """The reference to the token, as the file has it; a token that stands in the file is not copied elsewhere."""
    services = View(document.tree.root).services
    values = [services[one.service].env_value(TOKEN_NAME) for one in plan.containers if one.is_ray]
    reference = next((value for value in values if value and value.startswith(REFERENCE_PREFIX)), None)
    if reference is None and any(values):
        return None, (f"{TOKEN_NAME} is in the file; `secrets import` turns it into a reference for the context.",)
    return reference, ()


# --- until it is whole -----------------------------------------------------------------------------------------------


async def wait_until_whole(engine: Engine, started: Started, *, report: Report, seconds: float = PATIENCE_S) -> None:
    """Wait until every Ray node is alive.

    Raises ContainerError with the last words of a container that has ended for good, AuthenticationError, and
    UnreachableError where it takes too long.
    """
    if started.context is None:
        return
    target = await asyncio.to_thread(choose, Selection(context=started.name))
    deadline, alive, said = time.monotonic() + seconds, 0, -1
    async with await connect(target) as client:
        while alive < started.nodes:
            if alive != said:
                report(f"{alive} of {started.nodes} nodes are there.")
                said = alive
            await asyncio.to_thread(check, engine, started.name)
            if time.monotonic() > deadline:
                raise UnreachableError(
                    f"{alive} of {started.nodes} nodes are there after {seconds / 60:g} minutes.",
                    hint=f"{engine.name} logs CONTAINER tells more; names: rayakash-tui sdl ps.",
                )
            await asyncio.sleep(POLL_S)
            alive = await _alive(client)


async def _alive(client: RayClient) -> int:
    try:
        return sum(node.is_alive for node in (await client.nodes.list()).rows)
    except UnreachableError:  # not yet
        return 0


def check(engine: Engine, name: str) -> None:
    """Raise ContainerError where a container of the cluster has ended and is not started again."""
    found = cluster.running(engine, name)
    if not found:
        raise ContainerError(f"{name} was taken down meanwhile.")
    for one in found:
        if one.is_over:
            raise ContainerError(
                f"{one.container} ended with exit code {one.exit_code}.",
                detail="\n".join(cluster.last_words(engine, one.container)),
                hint="Mend that in the SDL and start again.",
            )


def bring_down(engine: Engine, name: str) -> int:
    """End the cluster and drop its context; returns how many containers there were. Raises ContainerError."""
    count = cluster.end(engine, name)
    state.forget(name)
    if settings.current_context() == name:
        settings.use_context(None)
    return count
