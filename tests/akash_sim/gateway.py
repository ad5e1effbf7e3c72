"""Gateways of the simulated providers: TLS with a certificate of the provider's address, status, and sockets.

Tokens are those that the simulated Console signs: scope, provider, lease and expiry are really checked.
"""

import base64
import contextlib
import datetime
import hashlib
import hmac
import http
import json
import logging
import os
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.akash_sim.bodies import lease_status
from tests.akash_sim.market import SimProvider
from tests.akash_sim.sdl import SimService
from tests.akash_sim.shells import run_on_pipes, run_on_terminal
from tests.akash_sim.world import SimDeployment, SimLease, SimWorld

SCOPES = {"status": "status", "logs": "logs", "kubeevents": "events", "shell": "shell"}
INTERNAL, NO_LEASE = 4000, 4001
Enter = Callable[[str, str, bool], list[str]]
_SILENT = logging.Logger("gateway", level=logging.CRITICAL + 1)  # tests look for tokens in what clients log


class SimGateway:
    """One provider's gateway on a free port; use as an async context manager.

    `lines` are what each service logs, `cut_every` breaks a log after so many lines, `folder` is where shells run;
    `enter` names the program that leads into a real container, given dseq, service and whether there is a terminal.
    """

    def __init__(
        self, world: SimWorld, provider: SimProvider, *, common_name: str | None = None, folder: Path | None = None,
        port: int = 0, enter: Enter | None = None,
    ) -> None:  # fmt: skip
        self.world = world
        self.provider = provider
        self.common_name = provider.address if common_name is None else common_name
        self.folder = folder
        self.lines: dict[str, list[str]] = {}
        self.cut_every: int | None = None
        self.cut_shell_after: int | None = None
        self.path = ""
        """A folder whose programs the shells prefer."""
        self.enter = enter
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.port = port
        self._server: Server | None = None
        self.certificate = b""

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()

    async def listen(self) -> None:
        """Take connections, with a certificate made now."""
        context, self.certificate = _server_context(self.common_name)
        self._server = await serve(
            self._talk, "127.0.0.1", self.port, ssl=context, process_request=self._answer, ping_interval=10,
            compression=None, max_size=2**22, logger=_SILENT,
        )  # fmt: skip
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        self.provider.host_uri = f"https://127.0.0.1:{self.port}"

    async def refuse(self) -> None:
        """Take none any more."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await server.wait_closed()

    # Whom it lets in

    def _refused(self, request: Request, action: str, lease: tuple[str, int, int]) -> http.HTTPStatus | None:
        """The status for a request that is not let in; None for one that is."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        claims = self._claims(token) if kind == "Bearer" else None
        if claims is None or not claims["nbf"] - 5 <= self.world.clock.time() < claims["exp"]:
            return http.HTTPStatus.UNAUTHORIZED
        scope = SCOPES[action]
        return None if _allows(claims["leases"], self.provider.address, lease, scope) else http.HTTPStatus.UNAUTHORIZED

    def _claims(self, token: str) -> dict[str, Any] | None:
        signed, _, signature = token.rpartition(".")
        expected = hmac.digest(self.world.token_secret, signed.encode(), hashlib.sha256)
        if not hmac.compare_digest(_decoded(signature), expected):
            return None
        claims = json.loads(_decoded(signed.partition(".")[2]))
        return claims if isinstance(claims, dict) else None

    def _found(self, dseq: str, gseq: int) -> tuple[SimDeployment, SimLease] | None:
        self.world.catch_up()
        deployment = self.world.deployment(dseq)
        leases = [
            lease
            for lease in (deployment.leases if deployment else [])
            if lease.gseq == gseq and lease.provider is self.provider and lease.costs and lease.manifest_at is not None
        ]
        return (deployment, leases[0]) if deployment is not None and leases else None

    # HTTP, answered before a socket opens

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        self.requests.append((request.path, dict(request.headers.raw_items())))
        wanted = _wanted(path)
        if wanted is None:
            return _response(404, b"")
        lease, action = wanted
        if (status := self._refused(request, action, lease)) is not None:
            return _response(status, json.dumps({"message": "unauthorized access"}).encode())
        if action != "status":
            return None
        found = self._found(lease[0], lease[1])
        if found is None:
            return _response(404, b"")
        body = lease_status(self.world, *found)
        return _response(200, json.dumps(body).encode()) if body is not None else _response(503, b"unavailable")

    # Sockets

    async def _talk(self, connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None
        url = urlsplit(request.path)
        wanted, query = _wanted(url.path), parse_qs(url.query, keep_blank_values=True)
        assert wanted is not None
        (dseq, gseq, _), action = wanted
        found = self._found(dseq, gseq)
        if found is None:
            await connection.close(NO_LEASE, "lease not found")
            return
        handlers: dict[str, Callable[..., Any]] = {
            "logs": self._logs, "kubeevents": self._events, "shell": self._shell,
        }  # fmt: skip
        try:
            await handlers[action](connection, *found, {key: values[-1] for key, values in query.items()})
        except* (ConnectionClosed, ConnectionAbortedError):
            pass

    async def _logs(
        self, connection: ServerConnection, deployment: SimDeployment, lease: SimLease, query: dict[str, str]
    ) -> None:
        wanted = [name for name in query.get("service", "").split(",") if name]
        services = [each for each in _services(deployment, lease) if not wanted or each.name in wanted]
        since = self.world.clock.time() - (lease.manifest_at or 0)
        if not all(self.provider.plan(service.name).has_started(since) for service in services):
            await connection.close(INTERNAL, "container is waiting to start")
            return
        sent = 0
        for service in services:
            lines = self.lines.get(service.name, [f"{service.name} started"])
            for line in lines[-int(query.get("tail", "-1")) :] if int(query.get("tail", "-1")) >= 0 else lines:
                await connection.send(json.dumps({"name": f"{service.name}-7c9d-x2x", "message": line}))
                sent += 1
                if self.cut_every is not None and sent >= self.cut_every:
                    connection.transport.abort()
                    return
        if query.get("follow") == "true":
            await connection.wait_closed()

    async def _events(
        self, connection: ServerConnection, deployment: SimDeployment, lease: SimLease, query: dict[str, str]
    ) -> None:
        since = self.world.clock.time() - (lease.manifest_at or 0)
        for service in _services(deployment, lease):
            for _, reason, note in self.provider.plan(service.name).events(service.image, since):
                kind = "Normal" if reason in ("Scheduled", "Pulling", "Pulled", "Started") else "Warning"
                thing = {"kind": "Pod", "namespace": "lease", "name": f"{service.name}-7c9d-x2x"}
                event = {"type": kind, "reportingController": "kubelet", "reason": reason, "note": note}
                await connection.send(json.dumps(event | {"object": thing}))

    async def _shell(
        self, connection: ServerConnection, deployment: SimDeployment, lease: SimLease, query: dict[str, str]
    ) -> None:
        service = query["service"]
        is_known = service in {one.name for one in _services(deployment, lease)}
        if not is_known or (self.folder is None and self.enter is None):
            await connection.close(INTERNAL, "no running pods")
            return
        command = [query[f"cmd{number}"] for number in range(100) if f"cmd{number}" in query]
        is_tty = query.get("tty") == "1"
        if self.enter is not None:
            command = [*self.enter(deployment.dseq, service, is_tty), *command]
        environment = {**os.environ, "PATH": f"{self.path}:{os.environ['PATH']}"}
        if is_tty:
            await run_on_terminal(connection, command, self.folder, environment)
        else:
            await run_on_pipes(connection, command, self.folder, environment, self.cut_shell_after)


def _wanted(path: str) -> tuple[tuple[str, int, int], str] | None:
    parts = path.strip("/").split("/")
    if len(parts) != 5 or parts[0] != "lease" or parts[4] not in SCOPES:
        return None
    return (parts[1], int(parts[2]), int(parts[3])), parts[4]


def _allows(leases: dict[str, Any], provider: str, lease: tuple[str, int, int], scope: str) -> bool:
    if leases["access"] == "full":
        return True
    if leases["access"] == "scoped":
        return scope in leases["scope"]
    return any(
        scope in each["scope"]
        and str(each["dseq"]) == lease[0]
        and each.get("gseq", lease[1]) == lease[1]
        and each.get("oseq", lease[2]) == lease[2]
        for permission in leases["permissions"]
        if permission["provider"] == provider
        for each in permission.get("deployments", [])
    )


def _services(deployment: SimDeployment, lease: SimLease) -> tuple[SimService, ...]:
    return deployment.groups[lease.gseq - 1].services


def _response(status: int, body: bytes) -> Response:
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
    return Response(int(status), http.HTTPStatus(status).phrase, headers, body)


def _decoded(text: str) -> bytes:
    with contextlib.suppress(ValueError):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return b""


def _server_context(common_name: str) -> tuple[ssl.SSLContext, bytes]:
    """TLS 1.3 with a self-signed certificate of a name, and that certificate in DER."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now, year = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=365)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - year)
        .not_valid_after(now + year)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with tempfile.NamedTemporaryFile() as file:
        file.write(private + certificate.public_bytes(pem))
        file.flush()
        context.load_cert_chain(file.name)
    return context, certificate.public_bytes(serialization.Encoding.DER)


@contextlib.asynccontextmanager
async def gateways(world: SimWorld, **rest: Any) -> AsyncIterator[dict[str, SimGateway]]:
    """A gateway for every provider, by address."""
    async with contextlib.AsyncExitStack() as stack:
        yield {
            provider.address: await stack.enter_async_context(SimGateway(world, provider, **rest))
            for provider in world.providers
        }
