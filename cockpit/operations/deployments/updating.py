"""Changing a deployment in place: what differs by meaning is sent as a patch where it can, else as the whole SDL.

Source: Console's `PATCH /v1/deployments/{dseq}` (autumn 2026) takes image, env, command and args by service, a seal for
their references, and the manifest version that was looked at; `PUT` takes a whole SDL and no seal. Resources, replicas,
prices and public ports are on the chain: they need a new deployment.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from cockpit.clients.akash import settling
from cockpit.clients.akash.console import ConsoleClient
from cockpit.clients.akash.outcomes import Done, Outcome
from cockpit.clients.akash.sealing import seal
from cockpit.errors import RejectedError
from cockpit.model.akash.deployments import Deployment
from cockpit.model.secret import REFERENCE_PREFIX, Secret, reference_name
from cockpit.operations.deployments.images import check_images, require_images, unchecked
from cockpit.operations.deployments.journal import Entry, Journal, attempt_of
from cockpit.operations.deployments.preparing import (
    CHECKS_S,
    Prepared,
    as_deployed,
    check_document,
    outgoing,
    require_values,
)
from cockpit.operations.deployments.running import aligned, keep_copy, not_compared_words, running_sdl, scope_of
from cockpit.operations.secrets.references import references_in
from cockpit.sdl.differences import Difference, diff
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.files import read_document
from cockpit.sdl.view import Service
from cockpit.secrets.names import scopes_for
from cockpit.secrets.references import resolve_references

_PATCHED = ("image", "command", "args")

Services = Mapping[str, Mapping[str, Any]]
Send = Callable[[], Awaitable[Outcome[Deployment]]]


class UpdatePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a new SDL would change, by meaning; what cannot change in place needs a new deployment.

    `scope` is where the secrets of the deployment are. `not_compared` are variables whose values are unknown here.
    `patch` is what changes by service, None where only the whole SDL says it. References in it are not resolved.
    """

    dseq: str
    scope: str
    differences: tuple[Difference, ...]
    not_compared: tuple[str, ...] = ()
    hash_before: str
    version: str | None = None
    patch: dict[str, dict[str, Any]] | None = None

    @property
    def is_possible(self) -> bool:
        """Whether all of it can change in place."""
        return all(one.in_place for one in self.differences)


async def plan_update(
    console: ConsoleClient,
    dseq: str,
    after: SdlDocument,
    file: Path,
    before: Path | None = None,
    *,
    scope: str | None = None,
) -> UpdatePlan:
    """What an update to `after`, read from `file`, would change.

    `before` is the SDL that runs, where the Console does not keep it; `scope` is where its secrets are, else the scope
    that it was deployed with. Raises UsageError where the SDL that runs is not known.
    """
    found = await console.deployment(dseq)
    if found.is_closed:
        raise RejectedError(f"Deployment {dseq} is closed.", hint="Deploy the file: rayakash-tui deploy FILE")
    attempt = attempt_of(dseq)
    runs = read_document(before) if before is not None else running_sdl(found, attempt).document
    scopes = scopes_for(sdl=file, scope=scope_of(attempt, scope))
    old = await asyncio.to_thread(lambda: aligned(runs, after, scopes))
    differences = tuple(diff(old.document, after))
    has_patch = (await console.dialect()).has_patch
    return UpdatePlan(
        dseq=dseq,
        scope=scopes[0],
        differences=differences,
        not_compared=old.not_compared,
        hash_before=found.hash,
        version=found.manifest_version,
        patch=patch_of(old.document, after, differences) if has_patch else None,
    )


async def prepare_update(console: ConsoleClient, plan: UpdatePlan, document: SdlDocument, file: Path) -> Prepared:
    """Check what an update in place needs: the SDL, the values of the secrets that it sends, and the images.

    Raises RejectedError for errors of the SDL and images that cannot be pulled, NoValueError for secrets.
    """
    check_document(document, str(file))
    needed = [one.reference for one in references_in(document)] if plan.patch is None else _references(plan.patch)
    scopes = scopes_for(scope=plan.scope)
    await asyncio.to_thread(lambda: require_values(needed, scopes))
    images = await check_images(document, asyncio.get_running_loop().time() + CHECKS_S, scopes=scopes)
    require_images(images)
    is_sealed = bool(needed) and plan.patch is not None and await console.can_seal()
    deployed = as_deployed(document, file, plan.scope)
    return msgspec.structs.replace(
        deployed,
        plan=msgspec.structs.replace(deployed.plan, images=images, unchecked=unchecked(images)),
        travel="sealed" if is_sealed else "inside" if needed else "none",
        secrets=tuple(dict.fromkeys(str(reference_name(one)) for one in needed)),
    )


def warnings_of(plan: UpdatePlan, prepared: Prepared | None = None) -> list[str]:
    """What was not compared, not checked, or may take too long."""
    found = [not_compared_words(plan.not_compared)] if plan.not_compared else []
    if prepared is None:
        return found
    found += [one.advice for one in prepared.plan.images if one.advice]
    return found + ([f"Not checked: {', '.join(prepared.plan.unchecked)}."] if prepared.plan.unchecked else [])


def patch_of(
    before: SdlDocument, after: SdlDocument, differences: Sequence[Difference]
) -> dict[str, dict[str, Any]] | None:
    """The differences as the Console's patch; None where one is of another kind than image, env, command and args."""
    if not all(one.what in _PATCHED or one.what.startswith("env ") for one in differences):
        return None
    old, new = before.cluster.view.services, after.cluster.view.services
    changes = {name: _changes(old[name], new[name]) for name in new if name in old}
    return {name: change for name, change in changes.items() if change}


def _changes(old: Service, new: Service) -> dict[str, Any]:
    found: dict[str, Any] = {"image": new.image} if new.image != old.image else {}
    for name in ("command", "args"):
        words, others = ([item.value for item in getattr(one, name)] for one in (new, old))
        found |= {name: words} if words != others else {}
    env, others_env = _env(new), _env(old)
    changed: dict[str, str | None] = {name: value for name, value in env.items() if others_env.get(name) != value}
    changed |= dict.fromkeys(name for name in others_env if name not in env)
    return found | ({"env": changed} if changed else {})


def _env(service: Service) -> dict[str, str]:
    return {name: value for name, value, _, _ in service.env}


async def update(console: ConsoleClient, plan: UpdatePlan, prepared: Prepared) -> Deployment:
    """Carry an update out, and wait for the proof. Raises the refusal, and OutcomeUnknownError."""
    send = (
        await _patching(console, plan, prepared) if plan.patch is not None else await _putting(console, plan, prepared)
    )
    outcome = await settling.update(console, plan.dseq, send, hash_before=plan.hash_before)
    if not isinstance(outcome, Done):
        raise outcome.error
    _note(console, plan.dseq, prepared)
    return outcome.value


async def _patching(console: ConsoleClient, plan: UpdatePlan, prepared: Prepared) -> Send:
    """Send what differs: references sealed where the Console takes seals, else their values."""
    assert plan.patch is not None
    values = await asyncio.to_thread(lambda: _values(plan.patch or {}, scopes_for(scope=prepared.scope)))
    services, sealed = plan.patch, None
    if values and await console.can_seal():
        named = {str(reference_name(reference)): value for reference, value in values.items()}
        sealed = seal(await console.seal_context(), named, sdl=None, now=console.server_now())
    elif values:
        services = _revealed(plan.patch, values)

    async def send() -> Outcome[Deployment]:
        return await console.patch(plan.dseq, services, sealed_secrets=sealed, version=plan.version)

    return send


def _values(services: Services, scopes: Sequence[str]) -> dict[str, Secret]:
    return resolve_references(_references(services), scopes=scopes)


def _references(services: Services) -> list[str]:
    env = [value for change in services.values() for value in change.get("env", {}).values()]
    return [one for one in env if one is not None and one.startswith(REFERENCE_PREFIX)]


def _revealed(services: Services, values: Mapping[str, Secret]) -> dict[str, dict[str, Any]]:
    """The patch with values in the place of references: one that is left would reach the container as it is."""

    def value_of(text: str | None) -> str | None:
        return values[text].reveal() if text is not None and text in values else text

    return {
        name: {key: {one: value_of(text) for one, text in each.items()} if key == "env" else each
               for key, each in change.items()}
        for name, change in services.items()
    }  # fmt: skip


async def _putting(console: ConsoleClient, plan: UpdatePlan, prepared: Prepared) -> Send:
    """Send the whole SDL. It takes no seal: values go inside, so that no reference reaches a container."""
    sent = await outgoing(console, prepared)

    async def send() -> Outcome[Deployment]:
        return await console.put_sdl(plan.dseq, sent.sdl.reveal(), holds_values=bool(prepared.secrets))

    return send


def readable_secrets(prepared: Prepared) -> tuple[str, ...]:
    """The secrets whose values the Console gets to read by this update."""
    return () if prepared.travel == "sealed" else prepared.secrets


def _note(console: ConsoleClient, dseq: str, prepared: Prepared) -> None:
    """Let the journal say what runs from now on."""
    attempt = attempt_of(dseq)
    if attempt is None or not attempt.may_cost:
        return
    journal = Journal.resume(attempt.path)
    try:
        file = str(prepared.file.absolute())
        journal.write(Entry(step=attempt.step, at=console.clock.now().wall, file=file, sha256=prepared.sha256))
        keep_copy(journal.path, prepared.document)
    finally:
        journal.close()
