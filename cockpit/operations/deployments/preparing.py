"""Everything that is checked before any money: the file, its secrets, who could bid, and what the account has.

Checks that cannot be made are named and stop nothing; all requests together get ten seconds.
"""

import asyncio
import base64
import binascii
import hashlib
import ssl
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import msgspec

from cockpit.clients.akash.console import ConsoleClient, Dialect
from cockpit.clients.akash.sealing import seal
from cockpit.errors import AuthenticationError, CockpitError, RejectedError, UsageError
from cockpit.model.akash.market import GpuOffer, ScreenedProvider
from cockpit.model.akash.money import Account, Balance
from cockpit.model.certificates import fingerprint_of
from cockpit.model.secret import Secret, reference_name
from cockpit.operations.background import aside
from cockpit.operations.clusters.sdl_access import SdlAccess, access_of_document
from cockpit.operations.deployments.bids import Cap
from cockpit.operations.deployments.groups import Group, groups_of
from cockpit.operations.deployments.images import check_images, require_images, unchecked
from cockpit.operations.deployments.plan import Plan, Runtime, node_problems_of, observed_of, runtime_of
from cockpit.operations.deployments.run_plan import RunPlan
from cockpit.operations.secrets.references import Reference, references_in, render
from cockpit.sdl import rules
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.ray_cluster import Cluster
from cockpit.secrets.names import CERTIFICATE_NAME, KEY_NAME, TOKEN_NAME, scopes_for
from cockpit.secrets.references import process_store, resolve_reference, resolve_references
from cockpit.secrets.store import NoValueError, SecretStore
from cockpit.secrets.tls import generate_tls

CHECKS_S = 10.0
T = TypeVar("T")

SecretsTravel: TypeAlias = Literal["none", "sealed", "inside"]
"""Sealed for the Console, which opens them and gives them to the provider; or inside the SDL, over TLS."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asks for beside the file. `hours` None: it does not end by itself."""

    hours: int | None = 24
    cap: Cap | None = None
    scope: str | None = None


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that can be agreed to, and what is needed to carry it out; no secret value is in it.

    `made` names the secrets that will be made because they are missing; `run` is what follows once the cluster answers.
    """

    file: Path
    text: str
    plan: Plan
    scope: str
    travel: SecretsTravel
    secrets: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    run: RunPlan | None = None

    @property
    def sha256(self) -> str:
        """The hash of the file's text, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def document(self) -> SdlDocument:
        """The document, for reading."""
        return SdlDocument(self.text)

    @property
    def is_ray(self) -> bool:
        """Whether a Ray cluster will come of it."""
        return bool(Cluster(self.document.cluster.view).members)

    def access(self) -> SdlAccess:
        """How the cluster is reached: token by reference, fingerprint of its certificate. Raises UsageError."""
        found = access_of_document(self.document, self.scope)
        return found if found.pin else msgspec.structs.replace(found, pin=_fingerprint(self.document, self.scope))

    @property
    def nodes(self) -> int:
        """How many Ray nodes there will be."""
        members = {member.service.name for member in self.document.cluster.members}
        return sum(part.count for group in self.plan.groups for part in group.parts if part.service in members)


def _fingerprint(document: SdlDocument, scope: str) -> str | None:
    """Of a certificate that was stored by the user and not made here; None where there is none to be read."""
    values = (one.env_value(CERTIFICATE_NAME) for one in document.cluster.view.services.values())
    reference = next((value for value in values if value and reference_name(value)), None)
    if reference is None:
        return None
    try:
        pem = base64.b64decode(resolve_reference(reference, scopes=scopes_for(scope=scope)).reveal(), validate=True)
        text = pem.decode("ascii")
        return fingerprint_of(ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN CERTIFICATE") :].strip()))
    except (CockpitError, binascii.Error, ValueError):  # the container says so too; what it shows is asked about once
        return None


def check_document(document: SdlDocument, name: str) -> None:
    """Raise RejectedError, with every problem, for an SDL that Akash or Ray would refuse or that would not work."""
    lint = rules.lint(document)
    if lint.clean:
        return
    lines = [f"{name}:{one.line}:{one.column}: {one.message}" for one in lint.problems if one.severity == "error"]
    raise RejectedError(
        f"{name} has {len(lines)} error{'' if len(lines) == 1 else 's'}; nothing was sent.",
        detail="\n".join(lines),
        hint=f"`rayakash-tui sdl fix {name}` fixes what has one answer.",
        fault="sdl-errors",
    )


async def prepare(
    console: ConsoleClient, document: SdlDocument, file: Path, wish: Wish, *, store: SecretStore | None = None
) -> Prepared:
    """Check all that can be checked without spending anything.

    Raises RejectedError for errors of the SDL, NoValueError for secrets without a value that only the user knows,
    AuthenticationError where the key is not accepted, and UsageError.
    """
    check_document(document, str(file))
    groups = groups_of(document)
    scopes = scopes_for(sdl=file, scope=wish.scope)
    references = references_in(document)
    made = await asyncio.to_thread(_missing, references, scopes, store)
    cap = wish.cap.total(sum(group.gpus for group in groups)) if wish.cap else None
    plan, can_seal = await _asked(console, document, groups, wish, cap, scopes)
    return Prepared(
        file=file,
        text=document.text,
        plan=plan,
        scope=scopes[0],
        travel="none" if not references else "sealed" if can_seal else "inside",
        secrets=tuple(dict.fromkeys(one.name for one in references)),
        made=made,
    )


def as_deployed(document: SdlDocument, file: Path, scope: str | None = None) -> Prepared:
    """What is known of an SDL that runs already: the user is not asked, and the token is the only secret needed.

    Raises UsageError.
    """
    plan = Plan(groups=groups_of(document), runtime=Runtime(hours=None, at_create=None))
    found = scopes_for(sdl=file, scope=scope)[0]
    return Prepared(file=file, text=document.text, plan=plan, scope=found, travel="none")


AskValue = Callable[[str], Awaitable[Secret | None]]


async def prepare_asking(
    console: ConsoleClient, document: SdlDocument, file: Path, wish: Wish, ask: AskValue
) -> Prepared:
    """The same; secrets that only the user knows are asked for and stored first. Raises as `prepare` does."""
    try:
        return await prepare(console, document, file, wish)
    except NoValueError as error:
        for name in error.names:
            value = await ask(name)
            if value is None:
                raise
            scope = scopes_for(sdl=file, scope=wish.scope)[0]
            await aside(partial(process_store().put, name, value, scope=scope))
    return await prepare(console, document, file, wish)


# --- secrets ---------------------------------------------------------------------------------------------------------

_MADE_HERE = (TOKEN_NAME, CERTIFICATE_NAME, KEY_NAME)


def _missing(references: Sequence[Reference], scopes: Sequence[str], store: SecretStore | None) -> tuple[str, ...]:
    """The names without a value that are made here. Raises NoValueError for the others."""
    try:
        resolve_references([one.reference for one in references], scopes=scopes, store=store)
    except NoValueError as error:
        unknown = [name for name in error.names if name not in _MADE_HERE]
        if unknown:
            raise _no_values(unknown, scopes, error.detail) from None
        return tuple(error.names)
    return ()


def require_values(references: Sequence[str], scopes: Sequence[str]) -> None:
    """Raise NoValueError where a reference has no value: for a cluster that runs, nothing is made in its place."""
    try:
        resolve_references(references, scopes=scopes)
    except NoValueError as error:
        raise _no_values(error.names, scopes, error.detail) from None


def _no_values(names: Sequence[str], scopes: Sequence[str], detail: str) -> NoValueError:
    named = " and ".join(f"`rayakash-tui secrets set {name} --scope {scopes[0]}`" for name in names)
    failure = NoValueError(names, detail=detail)
    failure.hint = f"Store a value: {named}."
    return failure


def make_secrets(prepared: Prepared, store: SecretStore | None = None) -> None:
    """Make the token and the certificate that are missing. Raises StoreUnavailableError."""
    chosen = store or process_store()
    if TOKEN_NAME in prepared.made:
        chosen.generate(TOKEN_NAME, scope=prepared.scope)
    if CERTIFICATE_NAME in prepared.made or KEY_NAME in prepared.made:
        generate_tls(chosen, scope=prepared.scope, replace=True)


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent: the SDL with references and a seal, or with the values in it."""

    sdl: Secret
    sealed: str | None = None


async def outgoing(console: ConsoleClient, prepared: Prepared, store: SecretStore | None = None) -> Outgoing:
    """The SDL as it is sent, with the values just resolved; they stay in memory. Raises as resolving does."""
    scopes = scopes_for(scope=prepared.scope)
    if prepared.travel == "none":
        return Outgoing(sdl=Secret(prepared.text))
    if prepared.travel == "inside":
        rendered = await asyncio.to_thread(lambda: render(prepared.document, scopes, store=store))
        return Outgoing(sdl=rendered.text)
    references = [one.reference for one in references_in(prepared.document)]
    values = await asyncio.to_thread(lambda: resolve_references(references, scopes=scopes, store=store))
    named = {str(reference_name(reference)): value for reference, value in values.items()}
    context = await console.seal_context()
    now = console.server_now()  # ours may be wrong by more than a seal is valid
    return Outgoing(sdl=Secret(prepared.text), sealed=seal(context, named, sdl=prepared.text, now=now))


# --- what the Console is asked ---------------------------------------------------------------------------------------


class _ConsoleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the Console reported; None for what it did not."""

    dialect: Dialect | None
    offers: tuple[GpuOffer, ...] | None
    screened: tuple[ScreenedProvider, ...] | None
    balance: tuple[Balance, tuple[str, ...]] | None
    account: Account | None
    can_seal: bool | None


async def _asked(
    console: ConsoleClient,
    document: SdlDocument,
    groups: tuple[Group, ...],
    wish: Wish,
    cap: Decimal | None,
    scopes: Sequence[str],
) -> tuple[Plan, bool]:
    checks = _Checks()
    pulls = asyncio.create_task(check_images(document, checks.until, scopes=scopes))
    try:
        facts = await _ask_console(console, checks, groups, seals=bool(references_in(document)))
        images = await pulls
    finally:
        pulls.cancel()
    offers, (balance, active) = facts.offers or (), facts.balance or (None, None)
    has_limits = facts.dialect is not None and facts.dialect.has_runtime_limits
    plan = Plan(
        groups=groups,
        runtime=runtime_of(wish.hours, has_limits=has_limits),
        max_usd_per_hour=cap,
        available_usd=balance.available_usd if balance else None,
        balance_is_certain=balance.unit_is_certain if balance else True,
        is_trial=facts.account.is_trial if facts.account else None,
        screened=facts.screened,
        observed=observed_of(groups, offers),
        node_problems=tuple(node_problems_of(groups, offers)),
        images=images,
        unchecked=(*checks.failed, *unchecked(images)),
        has_limits=has_limits,
        active_dseqs=active,
    )
    return plan, bool(facts.can_seal)


async def _ask_console(
    console: ConsoleClient, checks: "_Checks", groups: tuple[Group, ...], *, seals: bool
) -> _ConsoleFacts:
    async def market() -> tuple[Dialect | None, tuple[GpuOffer, ...] | None]:
        # One after the other: what the second asks depends on the first, and nothing is asked twice.
        dialect = await checks.tried("whether the Console limits runtimes", console.dialect)
        return dialect, await checks.tried("GPU prices and node sizes", console.gpu_offers)

    (dialect, offers), screened, balance, account, can_seal = await asyncio.gather(
        market(),
        checks.tried("who could bid", lambda: _screened(console, groups)),
        checks.tried("the balance", lambda: balance_of(console)),
        checks.tried("whether this is a trial account", console.account),
        checks.tried("whether the Console takes sealed secrets", console.can_seal) if seals else _nothing(),
    )
    return _ConsoleFacts(
        dialect=dialect, offers=offers, screened=screened, balance=balance, account=account, can_seal=can_seal
    )  # fmt: skip


async def _nothing() -> None:
    return None


class _Checks:
    """Runs checks side by side until one time for all, and keeps the names of those that did not work."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.until = asyncio.get_running_loop().time() + CHECKS_S
        """The event loop's time after which nothing is waited for."""

    async def tried(self, name: str, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The answer; None where there was none in time. Raises AuthenticationError: nothing would work then."""
        try:
            async with asyncio.timeout_at(self.until):
                return await ask()
        except AuthenticationError:
            raise
        except (CockpitError, TimeoutError):
            self.failed.append(name)
            return None


async def _screened(console: ConsoleClient, groups: Sequence[Group]) -> tuple[ScreenedProvider, ...]:
    """The providers that could bid for any group; none if one of the groups gets no bid."""
    found = [await console.screen(group.request()) for group in groups]
    return tuple({one.address: one for each in found for one in each}.values()) if all(found) else ()


async def balance_of(console: ConsoleClient) -> tuple[Balance, tuple[str, ...]]:
    """The balance, and the active deployments that say its unit."""
    active = (await console.deployments("active")).deployments
    return await console.balance(active), tuple(one.dseq for one in active)


def require_possible(plan: Plan) -> None:
    """Raise what stops a deployment before the question: no money (UsageError), no image (RejectedError)."""
    require_money(plan)
    require_images(plan.images)


def require_money(plan: Plan) -> None:
    """Raise UsageError where the account cannot even pay the deposit of the create."""
    if plan.available_usd is not None and plan.balance_is_certain and plan.available_usd < plan.funding.deposit_usd:
        raise UsageError(
            f"The account has ${plan.available_usd:.2f}; a deployment needs ${plan.funding.deposit_usd:.2f} at least.",
            hint="Add credits at https://console.akash.network/billing.",
        )
