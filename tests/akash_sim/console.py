"""The simulated Console: its REST API in two dialects, called without a socket.

`august` needs deposit and manifest, answers PUT, and mixes leases up in its list; `autumn` has names, search, PATCH,
runtime limits, seals, placement options and codes of its own.
"""

import base64
import email.utils
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import msgspec

from tests.akash_sim.bodies import (
    Shape,
    bid_body,
    deployment_body,
    dseq,
    gpu_prices,
    placement_options,
    provider_body,
    screened,
)
from tests.akash_sim.faults import Fault, Faults, error_body
from tests.akash_sim.market import BLOCKED_FOR_TRIALS
from tests.akash_sim.sdl import InvalidSdlError, groups_of, manifest_of, version_of, wanted_of
from tests.akash_sim.seals import SealBox, SealError
from tests.akash_sim.world import OWNER, RefusedError, SimDeployment, SimLease, SimWorld

Dialect: TypeAlias = Literal["august", "autumn"]
USER = "8c4f6a52-0000-4000-8000-000000000001"
PUBLIC = ("/v1/providers", "/v1/placement-options", "/v1/bid-screening", "/v1/gpu-prices", "/v1/doc", "/v1/blocks")
# How long the calls take, in virtual seconds.
SIGNING_S, READING_S, DETAIL_S = 6.0, 0.1, 1.0
LARGEST_SDL = 512 * 1024


class SimRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came; header names are lower case."""

    method: str
    path: str
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: bytes = b""


class SimReply(msgspec.Struct, kw_only=True):
    """An answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = {}


class CutError(Exception):
    """The connection broke; `was_sent` is False where nothing listened."""

    def __init__(self, words: str, *, was_sent: bool = True) -> None:
        super().__init__(words)
        self.was_sent = was_sent


class SimConsole:
    """Answers requests, with the faults that were asked for; `requests` are all that came."""

    def __init__(self, world: SimWorld | None = None, *, dialect: Dialect = "autumn") -> None:
        self.world = world or SimWorld()
        self.dialect: Dialect = dialect
        self.faults = Faults()
        self.shape = Shape()
        self.requests: list[SimRequest] = []
        self.balances_in_usd = False
        self.mispairs = dialect == "august"
        self.has_seals = dialect == "autumn"
        self.sealing = SealBox(USER)
        self.page_size = 100

    @property
    def is_new(self) -> bool:
        """Whether it speaks the newer dialect."""
        return self.dialect == "autumn"

    def count(self, method: str, path: str) -> int:
        """How many requests of a kind came."""
        return sum(request.method == method and request.path == path for request in self.requests)

    # One exchange, and what goes wrong in it

    def exchange(self, request: SimRequest, patience_s: float = 60.0) -> SimReply:
        """Answer a request, for which the client waits so long. Raises CutError."""
        self.requests.append(request)
        self.world.catch_up()
        fault = self.faults.take(request.method, request.path)
        return self._served(request, patience_s) if fault is None else self._faulty(fault, request, patience_s)

    def _faulty(self, fault: Fault, request: SimRequest, patience_s: float) -> SimReply:
        content, kind = fault.content()
        answer = SimReply(status=fault.status, body=content, content_type=kind, headers=fault.headers)
        if fault.do == "world":
            assert fault.world is not None
            fault.world(self.world)
            self.world.catch_up()
            return self._served(request, patience_s)
        if fault.do == "skip":
            self._pass(fault.seconds)
            return self._served(request, patience_s)
        if fault.do == "answer":
            return answer
        if fault.do == "redirect":
            return SimReply(status=307, headers={"Location": str(fault.body or "https://elsewhere.example/")})
        if fault.do == "refuse":
            raise CutError("connection refused", was_sent=False)
        if fault.do == "cut-before":
            raise CutError("connection reset")
        if fault.do == "cut-late":
            asked_at = self.world.clock.time()
            self.world.later(fault.seconds, lambda: self._carried_out(request, asked_at=asked_at))
            raise CutError("connection reset")
        if fault.do == "hang":
            return self._waited(fault.seconds, patience_s, answer)
        return self._committed(fault, request, patience_s, answer)

    def _committed(self, fault: Fault, request: SimRequest, patience_s: float, answer: SimReply) -> SimReply:
        reply = self._served(request, patience_s)
        if fault.do == "hang-commit":
            return self._waited(fault.seconds, patience_s, answer)
        if fault.do == "commit-answer":
            return answer
        if fault.do == "truncate":
            return msgspec.structs.replace(reply, body=reply.body[: len(reply.body) // 2])
        if fault.do == "empty":
            return msgspec.structs.replace(reply, body=b"")
        if fault.do == "page":
            return msgspec.structs.replace(reply, body=b"<html>please log in</html>", content_type="text/html")
        raise CutError("connection reset")

    def _waited(self, seconds: float, patience_s: float, answer: SimReply) -> SimReply:
        self._pass(min(seconds, patience_s))
        if seconds > patience_s:
            raise CutError("timed out")
        return answer

    def _pass(self, seconds: float) -> None:
        self.world.clock.advance(seconds)
        self.world.catch_up()

    def _served(self, request: SimRequest, patience_s: float) -> SimReply:
        reply, seconds = self._carried_out(request)
        self._pass(min(seconds, patience_s))
        if seconds > patience_s:
            raise CutError("timed out")
        date = email.utils.formatdate(self.world.clock.time(), usegmt=True)
        return msgspec.structs.replace(reply, headers={"Date": date, **reply.headers})

    def _carried_out(self, request: SimRequest, *, asked_at: float | None = None) -> tuple[SimReply, float]:
        try:
            self._check_key(request)
            do, arguments = self._route(request)
            if do is _POST_DEPLOYMENTS:
                return self._create(request, asked_at=asked_at)
            return do(self, request, *arguments)
        except RefusedError as error:
            body = error_body("Error", error.message, error.code) | ({"data": error.data} if error.data else {})
            return SimReply(status=error.status, body=json.dumps(body).encode()), READING_S
        except InvalidSdlError as error:
            return _reply(error_body("BadRequestError", str(error), "bad_request"), 400), READING_S
        except (KeyError, TypeError, ValueError) as error:
            issue = {"path": ["data"], "message": f"{type(error).__name__}: {error}", "code": "invalid_type"}
            body = error_body("BadRequestError", "The request is invalid", "validation_error", "validation_error")
            return _reply(body | {"data": [issue]}, 400), READING_S

    def _check_key(self, request: SimRequest) -> None:
        given = request.headers.get("x-api-key")
        if given and "authorization" in request.headers:
            raise RefusedError(400, "bad_request", "both authorization headers")
        if request.path.startswith(PUBLIC):
            return
        now = self.world.clock.time()
        known = [key for key in self.world.keys if key.value == given]
        if not known or known[0].is_revoked or now >= known[0].expires_at:
            raise RefusedError(401, "unauthorized", "Invalid API key")

    def _route(self, request: SimRequest) -> tuple["Handler", tuple[str, ...]]:
        for method, pattern, handler, is_new in _ROUTES:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method and (self.is_new or not is_new):
                return handler, match.groups()
        raise RefusedError(404, "not_found", "Not found")

    # Public

    def _placement_options(self, request: SimRequest) -> tuple[SimReply, float]:
        return _reply({"data": placement_options(self._shown())}), READING_S

    def _gpu_prices(self, request: SimRequest) -> tuple[SimReply, float]:
        return _reply(gpu_prices(self._shown())), READING_S

    def _shown(self) -> list[Any]:
        return [provider for provider in self.world.providers if provider.is_online and provider.is_audited]

    def _providers(self, request: SimRequest) -> tuple[SimReply, float]:
        return _reply([provider_body(provider, is_whole=False) for provider in self.world.providers]), READING_S

    def _provider(self, request: SimRequest, address: str) -> tuple[SimReply, float]:
        found = self.world.provider(address)
        if found is None:
            raise RefusedError(404, "not_found", "Provider not found")
        return _reply(provider_body(found, is_whole=True)), READING_S

    def _screening(self, request: SimRequest) -> tuple[SimReply, float]:
        body = json.loads(request.body)
        if not body.get("timezone"):
            raise ValueError("timezone is required")
        return _reply(screened(self._shown(), wanted_of(body))), READING_S

    def _blocks(self, request: SimRequest) -> tuple[SimReply, float]:
        proposer = {"address": "a", "operatorAddress": "b", "moniker": "sim", "avatarUrl": None}
        block = {"height": self.world.height(), "proposer": proposer, "transactionCount": 1}
        return _reply([block | {"totalTransactionCount": 9, "datetime": "2026-11-01T00:00:00.000Z"}]), READING_S

    def _document(self, request: SimRequest) -> tuple[SimReply, float]:
        fields: dict[str, Any] = {"sdl": {"type": "string"}}
        fields |= {"sealedSecrets": {"type": "string"}} if self.has_seals else {}
        data = {"type": "object", "properties": {"data": {"type": "object", "properties": fields}}}
        create = {"post": {"requestBody": {"content": {"application/json": {"schema": data}}}}}
        return _reply({"openapi": "3.0.0", "paths": {"/v1/deployments": create}}), READING_S

    # Account

    def _me(self, request: SimRequest) -> tuple[SimReply, float]:
        user = {"id": USER, "userId": "auth0|sim", "username": "sim", "email": "sim@example.com"}
        return _reply({"data": user | {"emailVerified": True, "subscribedToNewsletter": False}}), READING_S

    def _wallets(self, request: SimRequest) -> tuple[SimReply, float]:
        wallet = {
            "id": 1, "userId": USER, "creditAmount": float(self.world.available), "address": OWNER, "denom": "uact",
            "isTrialing": self.world.is_trial, "topUpMinAmountUsd": 20, "createdAt": "2026-01-01T00:00:00.000Z",
        }  # fmt: skip
        return _reply({"data": [wallet]}), READING_S

    def _balances(self, request: SimRequest) -> tuple[SimReply, float]:
        escrow = sum((each.record[0] for each in self._active()), Decimal(0))
        unit = Decimal(1_000_000) if self.balances_in_usd else Decimal(1)
        amounts = {"balance": self.world.available, "deployments": escrow, "total": self.world.available + escrow}
        return _reply({"data": {key: float(value / unit) for key, value in amounts.items()}}), READING_S

    def _seal_context(self, request: SimRequest) -> tuple[SimReply, float]:
        return _reply({"data": self.sealing.context()}), READING_S

    def _token(self, request: SimRequest) -> tuple[SimReply, float]:
        data = json.loads(request.body)["data"]
        now = int(self.world.clock.time())
        claims = {"iss": OWNER, "iat": now, "nbf": now, "exp": now + int(data["ttl"]), "version": "v1"}
        _check_leases_claim(data["leases"])
        return _reply({"data": {"token": self.world_token(claims | {"leases": data["leases"]})}}, 201), READING_S

    def world_token(self, claims: dict[str, Any]) -> str:
        """A token with these claims, signed so that the gateways of this world take it."""
        parts = [_base64url(json.dumps(part).encode()) for part in ({"alg": "ES256KADR36", "typ": "JWT"}, claims)]
        signed = ".".join(parts)
        return signed + "." + _base64url(hmac.digest(self.world.token_secret, signed.encode(), hashlib.sha256))

    # Deployments

    def _active(self) -> list[SimDeployment]:
        now = self.world.clock.time()
        return [each for each in self.world.deployments.values() if each.state == "active" and each.visible_at <= now]

    def _found(self, wanted: str) -> SimDeployment:
        found = self.world.deployment(wanted)
        if found is None:
            raise RefusedError(404, "not_found", "Deployment not found")
        return found

    def _one(self, deployment: SimDeployment) -> dict[str, Any]:
        return {"data": deployment_body(self.world, deployment, self.shape, is_new=self.is_new, status=True)}

    def _create(self, request: SimRequest, *, asked_at: float | None = None) -> tuple[SimReply, float]:
        data = json.loads(request.body)["data"]
        if not isinstance(data["sdl"], str) or len(data["sdl"]) > LARGEST_SDL:
            raise ValueError("sdl is not a string of at most 512 KiB")
        if not self.is_new and not isinstance(data.get("deposit"), int | float):
            raise RefusedError(400, "bad_request", "deposit is required")
        self._check_trial(data["sdl"])
        limit = data.get("runtimeLimitHours") if self.is_new else None
        if limit is not None and not 1 <= limit <= 48:
            raise ValueError("runtimeLimitHours must be 1 to 48")
        if self.is_new and data.get("sealedSecrets") is not None:
            self._open_seal(data)
        name = (data.get("name") or "+".join(sorted(_services(data["sdl"])))) if self.is_new else None
        made = self.world.create(data["sdl"], name=name, runtime_limit_h=limit, asked_at=asked_at)
        made.sealed = data.get("sealedSecrets") if self.is_new else None
        transaction = f"{self.world.random.getrandbits(256):064X}"
        signed = {"code": 0, "transactionHash": transaction, "rawLog": "[]", "hash": transaction}
        body = {"dseq": dseq(made.dseq, self.shape), "manifest": made.manifest, "signTx": signed}
        return _reply({"data": body}, 201), SIGNING_S

    def _open_seal(self, data: dict[str, Any]) -> None:
        try:
            self.sealing.open(data["sealedSecrets"], data["sdl"], self.world.clock.time())
        except SealError as error:
            raise RefusedError(error.status, "bad_request", str(error)) from error

    def _check_trial(self, sdl: str) -> None:
        models = {
            attribute.split("/")[3]
            for group in groups_of(sdl)
            for service in group.services
            for attribute in service.gpu_attributes
        }
        if self.world.is_trial and models & set(BLOCKED_FOR_TRIALS):
            words = f"{min(models)} not available on free trial: Add funds to unlock GPU access"
            raise RefusedError(402, "payment_required", words)

    def _list(self, request: SimRequest) -> tuple[SimReply, float]:
        query, now = request.query, self.world.clock.time()
        state = query.get("state", "active") if self.is_new else "active"
        search = query.get("search", "").lower() if self.is_new else ""
        for each in self.world.deployments.values():
            self.world.settle(each)
        found = [
            each
            for each in self.world.deployments.values()
            if each.state == state and each.visible_at <= now and search in f"{each.name or ''} {each.dseq}".lower()
        ]
        skip, limit = int(query.get("skip") or 0), min(int(query.get("limit") or self.page_size), self.page_size)
        page = found[skip : skip + limit]
        rows = [deployment_body(self.world, each, self.shape, is_new=self.is_new, status=False) for each in page]
        if self.mispairs:
            leases = [row["leases"] for row in rows]
            self.world.random.shuffle(leases)
            for row, mixed in zip(rows, leases, strict=True):
                row["leases"] = mixed
        total = None if self.shape.unknown else len(found)
        pagination = {"total": total, "skip": skip, "limit": limit, "hasMore": skip + limit < len(found)}
        return _reply({"data": {"deployments": rows, "pagination": pagination}}), READING_S

    def _get(self, request: SimRequest, wanted: str) -> tuple[SimReply, float]:
        return _reply(self._one(self._found(wanted))), DETAIL_S

    def _bids(self, request: SimRequest, wanted: str = "") -> tuple[SimReply, float]:
        found = self.world.deployment(wanted or request.query["dseq"])
        bids = self.world.bids(found) if found is not None else []
        rows = [bid_body(self.world, found, bid, self.shape) for bid in bids] if found is not None else []
        return _reply({"data": rows}), READING_S

    def _lease(self, request: SimRequest) -> tuple[SimReply, float]:
        body = json.loads(request.body)
        if not self.is_new and not isinstance(body.get("manifest"), str):
            raise ValueError("manifest is required")
        wanted = {str(lease["dseq"]) for lease in body["leases"]}
        if len(wanted) != 1:
            raise ValueError("leases of one deployment only")
        found = self._found(wanted.pop())
        choices = [(int(lease["gseq"]), str(lease["provider"])) for lease in body["leases"]]
        down = [address for _, address in choices if self._is_down(address)]
        if self.is_new and down and not found.costing:
            raise RefusedError(502, "provider_unreachable", f"Provider {down[0]} is unreachable")
        self.world.lease(found, choices)
        manifest = body.get("manifest", found.manifest) if not self.is_new else found.manifest
        for lease in found.costing:
            self._send_manifest(found, lease, manifest)
        return _reply(self._one(found)), SIGNING_S

    def _is_down(self, address: str) -> bool:
        provider = self.world.provider(address)
        return provider is not None and not provider.is_reachable

    def _send_manifest(self, deployment: SimDeployment, lease: SimLease, manifest: str) -> None:
        provider = lease.provider
        words = f"The lease for deployment {deployment.dseq} exists, but provider {provider.address} did not receive it"
        if not provider.is_reachable or (provider.manifest == "loses" and provider.losses > 0):
            provider.losses -= 1
            self._pass(75.0)
            status, code = (502, "manifest_not_delivered") if self.is_new else (404, "not_found")
            raise RefusedError(status, code, words)
        if provider.manifest == "refuses" or version_of(manifest) != deployment.hash:
            raise RefusedError(422, "unknown_error", "manifest version validation failed")
        if lease.manifest_at is None:
            lease.manifest_at = self.world.clock.time()

    def _close(self, request: SimRequest, wanted: str) -> tuple[SimReply, float]:
        found = self._found(wanted)
        if found.state == "closed":
            return _reply({"data": {"success": True}}), READING_S
        self.world.close(found)
        return _reply({"data": {"success": True}}), SIGNING_S

    def _put(self, request: SimRequest, wanted: str) -> tuple[SimReply, float]:
        found, sdl = self._found(wanted), json.loads(request.body)["data"]["sdl"]
        groups = groups_of(sdl)
        kept = [[(s.count, s.gpus, s.cpu_millicores, s.memory_bytes, s.storage) for s in g.services] for g in groups]
        had = [
            [(s.count, s.gpus, s.cpu_millicores, s.memory_bytes, s.storage) for s in g.services] for g in found.groups
        ]
        if kept != had:
            raise RefusedError(422, "deployment_resources_changed", "The change needs a new deployment")
        self._change(found, sdl)
        return _reply(self._one(found)), SIGNING_S

    def _change(self, found: SimDeployment, sdl: str) -> None:
        found.sdl, found.groups, found.manifest = sdl, groups_of(sdl), manifest_of(sdl)
        found.hash = version_of(found.manifest)
        for lease in found.costing:
            lease.ports_seed += 17
            self._send_manifest(found, lease, found.manifest)

    def _patch(self, request: SimRequest, wanted: str) -> tuple[SimReply, float]:
        import yaml

        found, data = self._found(wanted), json.loads(request.body)["data"]
        if data.get("ifManifestVersion") not in (None, found.hash):
            raise RefusedError(409, "deployment_definition_changed", "The definition has changed")
        document = yaml.safe_load(found.sdl)
        for name, changes in data.get("services", {}).items():
            if set(changes) - {"image", "env", "command", "args", "credentials", "expose", "storage"}:
                raise RefusedError(422, "deployment_resources_changed", "The change needs a new deployment")
            service = document["services"][name]
            service |= {key: changes[key] for key in ("image", "command", "args") if key in changes}
            _patch_env(service, changes.get("env", {}))
        if data.get("sealedSecrets") is not None:
            self.sealing.open(data["sealedSecrets"], None, self.world.clock.time())
        self._change(found, yaml.safe_dump(document))
        body = self._one(found)
        body["data"]["manifestVersion"] = found.hash
        return _reply(body), SIGNING_S

    def _settings(self, request: SimRequest, wanted: str) -> tuple[SimReply, float]:
        return _reply({"data": self._settings_body(self._found(wanted))}), READING_S

    def _set(self, request: SimRequest, wanted: str) -> tuple[SimReply, float]:
        found, data = self._found(wanted), json.loads(request.body)["data"]
        if "runtimeLimitHours" in data and self.is_new:
            hours = data["runtimeLimitHours"]
            if hours is not None and hours > (found.runtime_limit_h or 0) + 48:
                raise ValueError("a limit grows by at most 48 hours a call")
            found.runtime_limit_h = hours
        return _reply({"data": self._settings_body(found)}), READING_S

    def _settings_body(self, found: SimDeployment) -> dict[str, Any]:
        when = "2026-01-01T00:00:00.000Z"
        body: dict[str, Any] = {
            "id": USER, "userId": USER, "dseq": found.dseq, "autoTopUpEnabled": True, "estimatedTopUpAmount": 0,
            "topUpFrequencyMs": 3_600_000, "createdAt": when, "updatedAt": when,
        }  # fmt: skip
        if self.is_new:
            body |= {"runtimeLimitHours": found.runtime_limit_h, "runtimeEndsAt": None}
        return body


Handler: TypeAlias = Callable[..., tuple[SimReply, float]]
_POST_DEPLOYMENTS: Handler = SimConsole._create
_DSEQ = r"(\d+)"
_ROUTES: tuple[tuple[str, str, Handler, bool], ...] = (
    ("GET", "/v1/placement-options", SimConsole._placement_options, True),
    ("GET", "/v1/gpu-prices", SimConsole._gpu_prices, False),
    ("GET", "/v1/providers", SimConsole._providers, False),
    ("GET", r"/v1/providers/(\w+)", SimConsole._provider, False),
    ("POST", "/v1/bid-screening", SimConsole._screening, False),
    ("GET", "/v1/blocks", SimConsole._blocks, False),
    ("GET", "/v1/doc", SimConsole._document, False),
    ("GET", "/v1/user/me", SimConsole._me, False),
    ("GET", "/v1/wallets", SimConsole._wallets, False),
    ("GET", "/v1/balances", SimConsole._balances, False),
    ("GET", "/v1/sdl-secrets-context", SimConsole._seal_context, False),
    ("POST", "/v1/create-jwt-token", SimConsole._token, False),
    ("POST", "/v1/deployments", SimConsole._create, False),
    ("GET", "/v1/deployments", SimConsole._list, False),
    ("GET", f"/v1/deployments/{_DSEQ}", SimConsole._get, False),
    ("DELETE", f"/v1/deployments/{_DSEQ}", SimConsole._close, False),
    ("PUT", f"/v1/deployments/{_DSEQ}", SimConsole._put, False),
    ("PATCH", f"/v1/deployments/{_DSEQ}", SimConsole._patch, True),
    ("GET", "/v1/bids", SimConsole._bids, False),
    ("GET", f"/v1/bids/{_DSEQ}", SimConsole._bids, False),
    ("POST", "/v1/leases", SimConsole._lease, False),
    ("GET", f"/v2/deployment-settings/{_DSEQ}", SimConsole._settings, False),
    ("PATCH", f"/v2/deployment-settings/{_DSEQ}", SimConsole._set, False),
)


def _patch_env(service: dict[str, Any], changes: dict[str, str | None]) -> None:
    """Set variables, and take away those that are null."""
    env = dict(item.partition("=")[::2] for item in service.get("env") or [])
    env |= {name: value for name, value in changes.items() if value is not None}
    service["env"] = [f"{name}={value}" for name, value in env.items() if changes.get(name, "") is not None]


def _reply(body: Any, status: int = 200) -> SimReply:
    return SimReply(status=status, body=json.dumps(body).encode())


def _services(sdl: str) -> list[str]:
    return [service.name for group in groups_of(sdl) for service in group.services]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _check_leases_claim(claim: dict[str, Any]) -> None:
    """The three shapes of AEP-64; the schema of a token rejects anything else."""
    match claim:
        case {"access": "full"} if set(claim) == {"access"}:
            return
        case {"access": "scoped", "scope": [_, *_]}:
            return
        case {"access": "granular", "permissions": [_, *_] as permissions}:
            for permission in permissions:
                for each in permission.get("deployments", []):
                    if not isinstance(each["dseq"], int) or not each["scope"] or not each["services"]:
                        raise ValueError("a deployment of a granular token needs dseq, scope and services")
            return
    raise ValueError("leases is none of full, scoped, granular")
