"""One cluster examined step by step: settings, name, port, certificate, Ray, access, clock, latency, exposure."""

import asyncio
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Literal

import msgspec

from cockpit import settings
from cockpit.clients.address import Address, parse_address
from cockpit.clients.masking import Masker
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Transport
from cockpit.errors import (
    EXIT_OK,
    AuthenticationError,
    CockpitError,
    NotRayError,
    ServerError,
    UnreachableError,
    UntrustedError,
    UsageError,
)
from cockpit.operations.background import aside
from cockpit.operations.clusters.bastion import bastion_of
from cockpit.operations.clusters.connect import Selection, Target, choose, connect, endpoint_of
from cockpit.operations.clusters.credentials import tls_of
from cockpit.operations.clusters.exposure import look
from cockpit.operations.clusters.protection import protection_of
from cockpit.operations.clusters.trust import trusted_so_far
from cockpit.secrets.certificates import made_certificates
from cockpit.secrets.store import NoValueError

State = Literal["ok", "warn", "fail", "skip"]

CONNECT_S = 5.0
SKEW_S = 30.0
SLOW_S = 2.0

_CLASSES: tuple[tuple[type[CockpitError], str], ...] = (
    (NoValueError, "secret-missing"),
    (AuthenticationError, "not-let-in"),
    (UntrustedError, "certificate-untrusted"),
    (NotRayError, "not-ray"),
    (ServerError, "server-error"),
    (UnreachableError, "unreachable"),
    (UsageError, "settings"),
)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at: what came of it in words, the next step, and a word for programs if it is wrong."""

    name: str
    state: State
    words: str
    hint: str = ""
    fault: str = ""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster with its checks in the order they were made; `exit_code` is that of the first failure."""

    name: str
    address: str
    checks: tuple[Check, ...]
    exit_code: int = EXIT_OK

    @property
    def faults(self) -> list[str]:
        """What is wrong or needs a look, in words for programs."""
        return [check.fault for check in self.checks if check.fault]


def fault_of(error: CockpitError) -> str:
    """The word for programs of an error."""
    named = (name for kind, name in _CLASSES if isinstance(error, kind))
    return error.fault or next(named, "failed")


def failed(name: str, error: CockpitError) -> Check:
    """The check that ended in an error."""
    return Check(name=name, state="fail", words=error.title, hint=error.hint, fault=fault_of(error))


class _Examination:
    """The checks so far, and the exit code of the first that failed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.address = ""
        self.checks: list[Check] = []
        self.exit_code = EXIT_OK
        self.masker = Masker()

    def passed(self, name: str, words: str, state: State = "ok", *, hint: str = "", fault: str = "") -> None:
        self.checks.append(Check(name=name, state=state, words=words, hint=hint, fault=fault))

    def failed(self, name: str, error: CockpitError) -> None:
        self.checks.append(failed(name, error))
        self.exit_code = self.exit_code or error.exit_code

    def ended(self) -> Diagnosis:
        checks = tuple(
            msgspec.structs.replace(one, words=self.masker.text(one.words), hint=self.masker.text(one.hint))
            for one in self.checks
        )
        return Diagnosis(name=self.name, address=self.address, checks=checks, exit_code=self.exit_code)


async def diagnose(selection: Selection, name: str) -> Diagnosis:
    """Examine a cluster; whatever is wrong becomes a check, so nothing of it is raised.

    It sends nothing without approval, and does not accept an untrusted certificate.
    """
    examination = _Examination(name)
    target = await _target(examination, selection)
    if target is None:
        return examination.ended()
    examination.address = str(target.address)
    if target.token is not None:
        examination.masker.learn([target.token.value])
    examination.masker.learn(endpoint_of(target, target.tls, None).secrets())
    if await _way(examination, target) and examination.exit_code == EXIT_OK:
        await _cluster(examination, target)
    return examination.ended()


async def _target(examination: _Examination, selection: Selection) -> Target | None:
    """What was named; without its token where only that is missing, so that the way is examined all the same."""
    try:
        target = await aside(lambda: choose(selection))
    except CockpitError as error:
        examination.failed("settings", error)
        return _bare(selection.context) if selection.context else None
    source = f"token of {target.token.source}" if target.token else "no token"
    examination.passed("settings", f"{target.address}, {source}")
    return target


def _bare(name: str) -> Target | None:
    context = settings.load_settings().contexts.get(name)
    if context is None:
        return None
    try:
        bastion = bastion_of(context.ssh, context.ssh_port)
        tls, address = tls_of(name, context), parse_address(context.address)
    except UsageError:  # reported already
        return None
    return Target(name=name, address=address, tls=tls, context=context, bastion=bastion)


async def _way(examination: _Examination, target: Target) -> bool:
    """Whether the cluster can be asked, as known before the first request."""
    through = f"through {target.bastion.destination}" if target.bastion else ""
    if target.context is not None and target.context.proxy and not through:
        through = "through the proxy that the environment names"
    if through:
        examination.passed("name", f"looked up {through}", "skip")
        return True
    bare = Transport(endpoint_of(target, target.tls, None, is_bare=True))
    try:
        addresses = await bare.whereabouts()
    except CockpitError as error:
        examination.failed("name", error)
        return False
    examination.passed("name", f"{target.address.host} is {', '.join(addresses)}")
    try:
        await _knock(target.address)
    except CockpitError as error:
        examination.failed("port", error)
        return False
    examination.passed("port", f"{target.address.port} takes connections")
    return not target.address.is_encrypted or await _certificate(examination, target)


async def _knock(address: Address) -> None:
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except TimeoutError as error:
        raise UnreachableError(
            f"{address.host} does not answer at port {address.port} within {CONNECT_S:g} s.",
            hint="A firewall may block it, or the lease is closed.",
            fault="timeout",
        ) from error
    except ConnectionRefusedError as error:
        raise UnreachableError(
            f"{address.host} refuses connections at port {address.port}.",
            hint="The port of a lease changes with each deployment; or the head is not up yet.",
            fault="refused",
        ) from error
    except OSError as error:
        raise UnreachableError(
            f"{address.host} cannot be reached at port {address.port}.", detail=str(error), hint=str(error)
        ) from error
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def _certificate(examination: _Examination, target: Target) -> bool:
    endpoint = endpoint_of(target, target.tls, None, is_bare=True)
    if not target.tls.verify:
        examination.passed("certificate", "not verified: verify = false", "skip")
        return True
    tls = trusted_so_far(endpoint)
    transport = Transport(msgspec.structs.replace(endpoint, tls=tls))
    try:
        if tls.pin is None:
            await transport.meet(verify=True)
            examination.passed("certificate", "an authority vouches for it")
            return True
        found = await transport.meet(verify=tls.ca is not None)
    except UntrustedError as error:
        if await _made_here(transport, target):
            examination.passed("certificate", "it was made here")
            return True
        examination.failed("certificate", error)
        return False
    except CockpitError as error:
        examination.failed("certificate", error)
        return False
    if found != tls.pin:
        from cockpit.clients.tls_failures import changed

        examination.failed("certificate", changed(transport.endpoint, found))
        return False
    examination.passed("certificate", f"it is the pinned one, {found[:19]}…")
    return True


async def _made_here(transport: Transport, target: Target) -> bool:
    try:
        found = await transport.meet(verify=False)
        return any(made.fingerprint == found for made in made_certificates(target.scopes))
    except CockpitError:
        return False


async def _cluster(examination: _Examination, target: Target) -> None:
    try:
        client = await connect(target)
    except CockpitError as error:
        examination.failed(_step_of(error, "connection"), error)
        return
    try:
        await _answers(examination, client)
    finally:
        await client.close()


def _step_of(error: CockpitError, otherwise: str) -> str:
    """Where an error belongs: to the bastion, to the credentials, or elsewhere."""
    if error.fault.startswith("ssh"):
        return "ssh"
    return "access" if isinstance(error, AuthenticationError) else otherwise


async def _answers(examination: _Examination, client: RayClient) -> None:
    passage = client.transport.endpoint.passage
    try:
        if passage is not None:
            await passage.ready()
            examination.passed("ssh", f"{passage.through} accepts the login")
        mode = await client.authentication_mode()
        said = {None: "asks for no token: it is older than 2.52", "disabled": "asks for no token"}.get(mode)
        version = await client.version()
    except CockpitError as error:
        examination.failed(_step_of(error, "ray"), error)
        return
    examination.passed("ray", f"Ray {version.ray_version} answers")
    sent = "token accepted" if client.transport.endpoint.token is not None else "open: no token required"
    examination.passed("access", said or sent)
    await _timing(examination, client)
    await _exposure(examination, client)


async def _timing(examination: _Examination, client: RayClient) -> None:
    began, wall = time.monotonic(), time.time()
    try:
        reply = await client.transport.request("GET", "/api/version")
    except CockpitError as error:
        examination.failed("latency", error)
        return
    took = time.monotonic() - began
    _clock(examination, reply.date, wall + took / 2)
    is_slow = took > SLOW_S
    words = f"{1000 * took:.0f} ms for an answer"
    hint = "The line or the head is slow; the cockpit then polls less often." if is_slow else ""
    fault = "slow" if is_slow else ""
    examination.passed("latency", words, "warn" if is_slow else "ok", hint=hint, fault=fault)


def _clock(examination: _Examination, date: str, now: float) -> None:
    try:
        skew = parsedate_to_datetime(date).timestamp() - now
    except (TypeError, ValueError):
        examination.passed("clock", "the server did not send its time", "skip")
        return
    if abs(skew) <= SKEW_S:
        examination.passed("clock", "agrees with this machine's")
        return
    which = "ahead of" if skew > 0 else "behind"
    examination.passed(
        "clock",
        f"{abs(skew):.0f} s {which} this machine's",
        "warn",
        hint="Set the clock that is wrong: times of jobs and the validity of certificates depend on it.",
        fault="clock-skew",
    )


async def _exposure(examination: _Examination, client: RayClient) -> None:
    try:
        found = protection_of(client.transport.endpoint, await look(client))
    except CockpitError as error:
        examination.failed("exposure", error)
        return
    if found.tone == "error":
        examination.exit_code = examination.exit_code or CockpitError.exit_code
    states: dict[str, State] = {"error": "fail", "warn": "warn"}
    words = found.sentence or found.words
    examination.passed("exposure", words, states.get(found.tone, "ok"), fault=found.fault)
