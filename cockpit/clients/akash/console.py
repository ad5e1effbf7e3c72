"""Akash Console's API with a managed wallet: typed calls, each sent once unless sending it again changes nothing.

Read from akash-network/console (August 2026 and newer) and its reference pages. Two dialects are spoken: `august`
needs the manifest for a lease and knows no names, runtime limits or seals; `autumn` has them.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

import msgspec

from cockpit.clients.address import Address, parse_address
from cockpit.clients.akash.http import ConsoleHttp, Wire, server_time
from cockpit.clients.akash.outcomes import Done, Outcome, Refused, Unknown
from cockpit.clients.akash.reading import decimal, fields, flag, optional_text, rows, text, whole
from cockpit.clients.akash.waiting import Clock, MachineClock
from cockpit.clients.akash.wire import (
    bid_of,
    deployment_of,
    gpu_price_of,
    largest_free_nodes,
    provider_of,
    screened_of,
    screening_body,
)
from cockpit.clients.transport import Endpoint, Reply, Transport
from cockpit.errors import (
    AuthenticationError,
    NotFoundError,
    RejectedError,
    ServerError,
    UnreachableError,
    UntrustedError,
    UsageError,
)
from cockpit.model.akash.deployments import Deployment, DeploymentList, LeaseId
from cockpit.model.akash.market import Bid, GpuOffer, Provider, ScreenedProvider, ScreeningRequest
from cockpit.model.akash.money import UACT_PER_USD, Account, Balance, total_uact
from cockpit.model.secret import Secret

CONSOLE = "https://console-api.akash.network"
SIGN_S = 60.0  # a transaction has 30 s to land, and Console gives up on it after 36
LEASE_S = 300.0  # Console sends manifests for up to four minutes
DEPOSIT_USD = 0.5  # August asks for it, newer Consoles ignore it
FRESH_S = 30.0  # what free GPUs there are changes by the minute
PAGE = 100
MOST_PAGES = 20
TOKEN_S = 1800
MOST_HOURS_AT_CREATE = 48
_MICRO = 10_000

State: TypeAlias = Literal["active", "closed"]
Scope: TypeAlias = Literal["status", "logs", "events", "shell"]


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What this Console can do; `has_seals` is False until its document says that a create takes sealed secrets."""

    has_names: bool
    has_runtime_limits: bool
    has_patch: bool
    needs_manifest: bool


AUGUST = Dialect(has_names=False, has_runtime_limits=False, has_patch=False, needs_manifest=True)
AUTUMN = Dialect(has_names=True, has_runtime_limits=True, has_patch=True, needs_manifest=False)


class CreateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment to be made; `name` should hold a random token, by which a lost answer is found again.

    `hash` is the manifest's version in base64 where it is known. `runtime_limit_hours` is at most 48. An SDL that
    `holds_values` of secrets is not repeated in errors, and neither is what the Console says of it.
    """

    sdl: str
    name: str
    runtime_limit_hours: int | None = None
    sealed_secrets: str | None = None
    inherit_secrets_from: str | None = None
    hash: str | None = None
    holds_values: bool = True

    def __repr__(self) -> str:
        return f"CreateRequest(name={self.name!r})"


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """A new deployment. `manifest` goes back, byte for byte, with the lease; None where the answer was lost."""

    dseq: str
    manifest: str | None = None
    transaction: str = ""

    def __repr__(self) -> str:
        return f"Created(dseq={self.dseq!r})"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment's settings at the Console; `runtime_limit_hours` counts from its lease, None means no limit.

    `ends_at` is the time of the automatic end in ISO 8601; None until there is a lease.
    """

    auto_top_up: bool | None = None
    runtime_limit_hours: int | None = None
    ends_at: str | None = None


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a token opens: these services of one lease, at its provider alone."""

    lease: LeaseId
    services: tuple[str, ...]
    scope: tuple[Scope, ...]


class SealContext(msgspec.Struct, frozen=True, kw_only=True):
    """The public key that secrets are sealed with, and for whom."""

    kid: str
    sub: str
    jwk: Mapping[str, Any]
    required_claims: tuple[str, ...] = ()


def console_endpoint(url: str = CONSOLE, key: Secret | None = None) -> Endpoint:
    """Where a Console is, and the key that is sent to it alone. Raises UsageError for an address without TLS.

    It is reached through HTTPS_PROXY, save for NO_PROXY and loopback: a proxy tunnels TLS and sees no key. Plain http,
    which only loopback may be, goes through none.
    """
    address = parse_address(url)
    if not address.is_encrypted and not address.is_loopback:
        raise UsageError(
            f"{address} is not encrypted: the API key can spend all your credits, and goes over https only.",
            hint=f"Write https://{address.host}.",
        )
    use_proxy = address.is_encrypted and not address.is_loopback
    return Endpoint(address=address, headers={"x-api-key": key} if key else {}, use_proxy=use_proxy)


class ConsoleClient:
    """Typed calls to one Console; use as an async context manager, or call `close`.

    Calls that read raise UnreachableError, ServerError, AuthenticationError, NotFoundError or RejectedError; calls
    that change something return an Outcome.
    """

    def __init__(self, wire: Wire, *, clock: Clock | None = None) -> None:
        self.clock = clock or MachineClock()
        self.http = ConsoleHttp(wire, self.clock)
        self._placement: Mapping[str, Any] | None = None
        self._placed_at = self.clock.now()
        self._dialect: Dialect | None = None
        self._seals: bool | None = None

    @classmethod
    def at(cls, endpoint: Endpoint, *, clock: Clock | None = None) -> Self:
        """A client of the Console at `endpoint`; nothing is sent yet."""
        return cls(Transport(endpoint), clock=clock)

    @property
    def address(self) -> Address:
        """Where the Console is."""
        return self.http.wire.endpoint.address

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self.http.wire.close()

    def server_now(self) -> float:
        """The Console's time, in seconds since the epoch, by its last answer: ours may be wrong."""
        return self.clock.now().wall + self.http.ahead_s

    # What this Console can do

    async def dialect(self) -> Dialect:
        """What this Console can do; asked once, by a public path that only newer ones have."""
        if self._dialect is None:
            try:
                await self._placement_options()
            except NotFoundError:
                self._dialect = AUGUST
            else:
                self._dialect = AUTUMN
        return self._dialect

    async def can_seal(self) -> bool:
        """Whether a create takes sealed secrets, by the Console's own document; asked once.

        An older one provides a key for sealing, ignores the seal, and lets the reference reach the container.
        """
        if self._seals is None:
            reply = await self.http.read("/v1/doc", what="describe its API")
            self._seals = _takes_seals(fields(self.http.json(reply)))
        return self._seals

    async def _placement_options(self) -> Mapping[str, Any]:
        now = self.clock.now()
        if self._placement is None or now.since(self._placed_at) > FRESH_S:
            reply = await self.http.read("/v1/placement-options", what="list placement options")
            self._placement, self._placed_at = fields(self.http.data(reply)), now
        return self._placement

    # The market; no key is needed

    async def gpu_offers(self) -> tuple[GpuOffer, ...]:
        """Every model of GPU with its numbers and prices, and the largest free node where the Console tells."""
        reply = await self.http.read("/v1/gpu-prices", what="list GPU prices")
        body = self.http.json(reply)
        if not isinstance(fields(body).get("models"), list):
            raise self.http.malformed(reply)
        largest = largest_free_nodes(await self._placement_options()) if await self.dialect() == AUTUMN else {}
        offers = map(gpu_price_of, rows(body["models"]))
        return tuple(msgspec.structs.replace(offer, largest_free_node=largest.get(offer.gpu)) for offer in offers)

    async def providers(self) -> tuple[Provider, ...]:
        """Every provider, those that are offline included."""
        reply = await self.http.read("/v1/providers", what="list providers")
        body = self.http.json(reply)
        if not isinstance(body, list):
            raise self.http.malformed(reply)
        return tuple(filter(None, map(provider_of, rows(body))))

    async def provider(self, address: str) -> Provider:
        """One provider. Raises NotFoundError."""
        reply = await self.http.read(f"/v1/providers/{address}", what=f"find provider {address}")
        found = provider_of(fields(self.http.json(reply)))
        if found is None:
            raise self.http.malformed(reply)
        return found

    async def screen(self, request: ScreeningRequest) -> tuple[ScreenedProvider, ...]:
        """The providers that could bid for a group of services; nothing is made."""
        asked = screening_body(request)
        reply = await self.http.read("/v1/bid-screening", method="POST", what="screen providers", json=asked)
        body = self.http.json(reply)
        if not isinstance(fields(body).get("providers"), list):
            raise self.http.malformed(reply)
        return tuple(filter(None, map(screened_of, rows(body["providers"]))))

    async def height(self) -> int:
        """The height of the chain now."""
        reply = await self.http.read("/v1/blocks", what="read the chain's height", params={"limit": "1"})
        heights = [found for row in rows(self.http.json(reply)) if (found := whole(row.get("height"))) is not None]
        if not heights:
            raise self.http.malformed(reply)
        return max(heights)

    # The account

    async def account(self) -> Account:
        """Whose key it is, and whether the account is a trial."""
        user = fields(self.http.data(await self.http.read("/v1/user/me", what="tell whose key this is")))
        user_id = optional_text(user.get("id"))
        if user_id is None:
            return Account()
        reply = await self.http.read("/v1/wallets", what="read the wallet", params={"userId": user_id})
        wallet = next(iter(rows(self.http.data(reply))), {})
        return Account(
            user_id=user_id, address=optional_text(wallet.get("address")), is_trial=flag(wallet.get("isTrialing"))
        )

    async def balance(self, active: Sequence[Deployment] = ()) -> Balance:
        """The account's money; `active` are its own active deployments, by which the unit of the reply is proven.

        The source answers micro-ACT, the reference page shows USD, and the document says only "number".
        """
        found = fields(self.http.data(await self.http.read("/v1/balances", what="read the balance")))
        amounts = [decimal(found.get(key)) or Decimal(0) for key in ("balance", "deployments", "total")]
        escrow = total_uact(coin for deployment in active for coin in deployment.escrow.funds)
        divisor, is_certain = _unit(amounts, escrow)
        available, locked, total = (amount / divisor for amount in amounts)
        return Balance(available_usd=available, escrow_usd=locked, total_usd=total, unit_is_certain=is_certain)

    # Deployments: reading

    async def deployments(self, state: State = "active", *, search: str = "") -> DeploymentList:
        """The account's deployments in a state; leases are filed by their own dseq, since August mixes them up.

        A list's leases may therefore lack some: `deployment` is right about one.
        """
        found: list[Deployment] = []
        reported, has_all, unreadable = None, False, 0
        for page in range(MOST_PAGES):
            params = {"skip": str(page * PAGE), "limit": str(PAGE), "state": state}
            reply = await self.http.read(
                "/v1/deployments", what="list deployments", params=params | ({"search": search} if search else {})
            )
            reported = reported or server_time(reply)
            data = fields(self.http.data(reply))
            if not isinstance(data.get("deployments"), list):
                raise self.http.malformed(reply)
            page_rows = [deployment_of(fields(row)) for row in data["deployments"]]
            found += [row for row in page_rows if row is not None]
            unreadable += page_rows.count(None)
            if fields(data.get("pagination")).get("hasMore") is not True:
                has_all = True
                break
        kept = [row for row in _filed(found) if row.is_closed == (state == "closed")]
        return DeploymentList(deployments=tuple(kept), server_time=reported, has_all=has_all, unreadable=unreadable)

    async def deployment(self, dseq: str) -> Deployment:
        """One deployment with its leases. Raises NotFoundError.

        Slow, since the Console asks every provider: ask the provider itself where a status is all that is wanted.
        """
        reply = await self.http.read(f"/v1/deployments/{dseq}", what=f"find deployment {dseq}")
        return self._one(reply, dseq)

    def _one(self, reply: Reply, dseq: str) -> Deployment:
        found = deployment_of(fields(self.http.data(reply)))
        if found is None or found.dseq != dseq:
            raise self.http.malformed(reply)
        return msgspec.structs.replace(found, leases=tuple(lease for lease in found.leases if lease.id.dseq == dseq))

    async def bids(self, dseq: str) -> tuple[Bid, ...]:
        """The bids for a deployment, in no order; those of providers that Console's auditors have not signed lack."""
        reply = await self.http.read("/v1/bids", what=f"list bids for {dseq}", params={"dseq": dseq})
        data = self.http.data(reply)
        if not isinstance(data, list):
            raise self.http.malformed(reply)
        found = filter(None, map(bid_of, rows(data)))
        return tuple(bid for bid in found if bid.id.dseq == dseq)

    async def settings(self, dseq: str) -> Settings:
        """A deployment's settings. Raises NotFoundError."""
        reply = await self.http.read(f"/v2/deployment-settings/{dseq}", what=f"read the settings of {dseq}")
        return _settings(fields(self.http.data(reply)))

    # Deployments: changing; each is sent once

    async def create(self, request: CreateRequest) -> Outcome[Created]:
        """Make a deployment; escrow is locked, and it costs once it has a lease. Never sent again by itself.

        After Unknown ask `settling.find_created`.
        """
        dialect = await self.dialect()
        body: dict[str, Any] = {"sdl": request.sdl, "deposit": DEPOSIT_USD}
        if dialect.has_names:
            body["name"] = request.name
        if dialect.has_runtime_limits and request.runtime_limit_hours is not None:
            body["runtimeLimitHours"] = min(request.runtime_limit_hours, MOST_HOURS_AT_CREATE)
        if request.sealed_secrets is not None:
            await self._require_seals()
            body["sealedSecrets"] = request.sealed_secrets
        if request.inherit_secrets_from is not None:
            body["inheritSecretsFrom"] = request.inherit_secrets_from
        hides = request.holds_values
        sent = await self._sign(
            "POST", "/v1/deployments", {"data": body}, what="create the deployment", is_secret=hides
        )
        return _created(self.http, sent.value) if isinstance(sent, Done) else sent

    async def _require_seals(self) -> None:
        if not await self.can_seal():
            raise UsageError(
                "This Console does not support sealed secrets: the containers would get the references.",
                hint="Deploy with the values inside the SDL, or use another Console.",
            )

    async def post_leases(self, leases: Sequence[LeaseId], manifest: str | None) -> Outcome[Deployment]:
        """Accept bids, for all groups of one deployment in one call, and have the manifests sent.

        An error of any status may come although the leases exist: ask `settling.take_leases`, which reads them back.
        Raises UsageError where this Console needs the manifest, and the answer that held it was lost.
        """
        if manifest is None and (await self.dialect()).needs_manifest:
            raise UsageError(
                f"The manifest of deployment {leases[0].dseq} was lost with the Console's answer.",
                hint=f"Close it and deploy again: rayakash-tui deployments close {leases[0].dseq}",
                fault="manifest-lost",
            )
        body: dict[str, Any] = {"leases": [lease.wire for lease in leases]}
        if manifest is not None:
            body["manifest"] = manifest
        sent = await self._sign("POST", "/v1/leases", body, what="take the lease", seconds=LEASE_S, is_secret=True)
        return self._deployment_in(sent, leases[0].dseq)

    async def delete(self, dseq: str) -> Outcome[None]:
        """Ask for a deployment to be closed; its data is gone. Only `settling.close` knows that it is closed."""
        sent = await self._sign("DELETE", f"/v1/deployments/{dseq}", None, what=f"close deployment {dseq}")
        return Done(None) if isinstance(sent, Done) else sent

    async def put_sdl(self, dseq: str, sdl: str, *, holds_values: bool = True) -> Outcome[Deployment]:
        """Update a deployment by a whole SDL; sending it again changes nothing more."""
        body = {"data": {"sdl": sdl}}
        path = f"/v1/deployments/{dseq}"
        sent = await self._sign("PUT", path, body, what=f"update {dseq}", seconds=LEASE_S, is_secret=holds_values)
        return self._deployment_in(sent, dseq)

    async def patch(
        self, dseq: str, services: Mapping[str, Any], *, sealed_secrets: str | None = None, version: str | None = None
    ) -> Outcome[Deployment]:
        """Change what can change in place: image, env, command, args, accept, HTTP options, mounts; autumn only.

        `version` is the manifest's that the change was made for: another one now is a refusal.
        """
        data: dict[str, Any] = {"services": dict(services)}
        if sealed_secrets is not None:
            data["sealedSecrets"] = sealed_secrets
        if version is not None:
            data["ifManifestVersion"] = version
        path = f"/v1/deployments/{dseq}"
        sent = await self._sign("PATCH", path, {"data": data}, what=f"update {dseq}", seconds=LEASE_S, is_secret=True)
        return self._deployment_in(sent, dseq)

    async def set_runtime_limit(self, dseq: str, hours: int | None, *, known: int | None = None) -> Settings:
        """Have a deployment end by itself after so many hours from its start, in all; None lets it run on.

        A call adds at most 48 hours, so a longer time takes several; `known` is the limit that it has, where that need
        not be asked. Returns what the Console then says. Raises RejectedError where it does not say so, or knows no
        limits.
        """
        if not (await self.dialect()).has_runtime_limits:
            raise RejectedError(
                "This Console does not limit the runtime of deployments.",
                hint="The deployment does not end by itself: close it when you are done.",
                fault="unsupported",
            )
        now = known if known is not None or hours is None else (await self.settings(dseq)).runtime_limit_hours
        # Never by a first limit for one that has none: it may be older than that already.
        between = range(now + MOST_HOURS_AT_CREATE, hours, MOST_HOURS_AT_CREATE) if now and hours else ()
        for limit in (*between, hours):
            body = {"data": {"runtimeLimitHours": limit}}
            path = f"/v2/deployment-settings/{dseq}"
            await self.http.send("PATCH", path, what=f"extend {dseq}", json=body, seconds=SIGN_S)
        found = await self.settings(dseq)
        if found.runtime_limit_hours != hours:
            raise RejectedError(
                f"Akash Console did not change the runtime limit of {dseq}: it says {found.runtime_limit_hours} h.",
                fault="unproven",
            )
        return found

    # Secrets and tokens

    async def seal_context(self) -> SealContext:
        """The key that secrets are sealed with; see `sealing.seal`."""
        reply = await self.http.read("/v1/sdl-secrets-context", what="send its sealing key")
        data = fields(self.http.data(reply))
        claims = data.get("requiredClaims")
        return SealContext(
            kid=text(data.get("kid")),
            sub=text(data.get("sub")),
            jwk=fields(data.get("jwk")),
            required_claims=tuple(map(text, claims)) if isinstance(claims, list) else (),
        )

    async def provider_token(self, grants: Sequence[Grant], *, seconds: int = TOKEN_S) -> Secret:
        """A token for the providers of some leases, for their named services alone, at least one each.

        A token of access `scoped`, shown to one provider, would open every lease of the account at all others.
        """
        body = {"data": {"ttl": seconds, "leases": _granular(grants)}}
        reply = await self.http.read(
            "/v1/create-jwt-token", method="POST", what="make a token for the provider", json=body
        )
        token = text(fields(self.http.data(reply)).get("token"))
        if not token:
            raise self.http.malformed(reply)
        return Secret(token)

    # How a change ended

    async def _sign(
        self,
        method: str,
        path: str,
        body: object,
        *,
        what: str,
        seconds: float = SIGN_S,
        is_secret: bool = False,
    ) -> Outcome[Reply]:
        try:
            return Done(await self.http.send(method, path, what=what, json=body, seconds=seconds, is_secret=is_secret))
        except (UntrustedError, RejectedError, NotFoundError, AuthenticationError) as error:
            return Refused(error)
        except UnreachableError as error:
            return Unknown(error) if error.was_sent else Refused(error)

    def _deployment_in(self, sent: Outcome[Reply], dseq: str) -> Outcome[Deployment]:
        if not isinstance(sent, Done):
            return sent
        try:
            return Done(self._one(sent.value, dseq))
        except ServerError as error:
            return Unknown(error)


def _created(http: ConsoleHttp, reply: Reply) -> Outcome[Created]:
    try:
        data = fields(http.data(reply))
    except ServerError as error:
        return Unknown(error)
    dseq, signed = text(data.get("dseq")), fields(data.get("signTx"))
    code, transaction = whole(signed.get("code")), text(signed.get("transactionHash")) or text(signed.get("hash"))
    if code not in (0, None):
        log = text(signed.get("rawLog"))
        return Refused(
            RejectedError("The chain rejected the deployment's transaction.", detail=log, fault="transaction-failed")
        )
    if not dseq.isdigit() or code is None or not transaction:
        return Unknown(http.malformed(reply))
    return Done(Created(dseq=dseq, manifest=text(data.get("manifest")) or None, transaction=transaction))


def _filed(deployments: Sequence[Deployment]) -> list[Deployment]:
    """The deployments, each with the leases that name it, wherever in the list they stood."""
    leases = {lease.id: lease for deployment in deployments for lease in deployment.leases}
    return [
        msgspec.structs.replace(
            deployment, leases=tuple(lease for lease in leases.values() if lease.id.dseq == deployment.dseq)
        )
        for deployment in deployments
    ]


def _unit(amounts: Sequence[Decimal], escrow_uact: Decimal) -> tuple[Decimal, bool]:
    """By what to divide for USD, and whether that is certain."""
    micro, whole_usd = Decimal(UACT_PER_USD), Decimal(1)
    if escrow_uact > 0 and amounts[1] > 0:
        if abs(amounts[1] - escrow_uact) <= escrow_uact / 100:
            return micro, True
        if abs(amounts[1] * micro - escrow_uact) <= escrow_uact / 100:
            return whole_usd, True
    return (micro, True) if max(amounts) >= _MICRO else (micro, not any(amounts))


def _settings(data: Mapping[str, Any]) -> Settings:
    return Settings(
        auto_top_up=flag(data.get("autoTopUpEnabled")),
        runtime_limit_hours=whole(data.get("runtimeLimitHours")),
        ends_at=optional_text(data.get("runtimeEndsAt")),
    )


def _granular(grants: Sequence[Grant]) -> dict[str, Any]:
    permissions: dict[str, list[dict[str, Any]]] = {}
    for grant in grants:
        lease = grant.lease
        names = {"services": list(grant.services), "scope": list(grant.scope)}
        permissions.setdefault(lease.provider, []).append(
            {"dseq": int(lease.dseq), "gseq": lease.gseq, "oseq": lease.oseq, **names}
        )
    return {
        "access": "granular",
        "permissions": [
            {"provider": provider, "access": "granular", "deployments": deployments}
            for provider, deployments in permissions.items()
        ],
    }


def _takes_seals(document: Mapping[str, Any]) -> bool:
    create = fields(fields(fields(document.get("paths")).get("/v1/deployments")).get("post"))
    content = fields(fields(create.get("requestBody")).get("content"))
    schema = fields(fields(content.get("application/json")).get("schema"))
    return "sealedSecrets" in fields(fields(fields(schema.get("properties")).get("data")).get("properties"))
