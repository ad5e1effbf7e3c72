"""A fake image registry on TLS: anonymous tokens, lists of platforms, private images, redirects, and its bad days."""

import base64
import json
import ssl
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit

import msgspec

from tests.wire.server import Exchange, WireServer

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DIGEST = "sha256:" + "a" * 64
MIB = 1024 * 1024

Day: TypeAlias = Literal["good", "rate-limited", "page", "silent", "huge", "cut", "list", "redirects", "plain-realm"]


class SimImage(msgspec.Struct, kw_only=True):
    """An image: compressed layers in bytes, and the platforms of its list; without platforms it has no list."""

    layers: tuple[int, ...] = (20 * MIB, 5 * MIB)
    platforms: tuple[str, ...] = ("linux/arm64", "linux/amd64")
    is_private: bool = False

    def index(self) -> dict[str, Any]:
        """The list of its platforms, with an attestation beside."""
        names = [*(name.split("/") for name in self.platforms), ["unknown", "unknown"]]
        return {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [
                {"digest": DIGEST if name == ["linux", "amd64"] else "sha256:" + "b" * 64, "size": 500,
                 "platform": {"os": name[0], "architecture": name[1]}}
                for name in names
            ],
        }  # fmt: skip

    def manifest(self) -> dict[str, Any]:
        """The manifest for one platform; the configuration has 1,000 bytes."""
        layers = [{"digest": DIGEST, "size": size} for size in self.layers]
        return {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"size": 1000}, "layers": layers}


class SimRegistry:
    """Serves images by `NAME:TAG`; use as an async context manager. `token` is what it lets in with.

    `needs_token` False lets everybody in; `moved_to` is another server's address that manifests are redirected to.
    `login` is the user and password whose token opens private images; `realm` is where tokens are said to be, its own
    address unless given, and with `is_basic` it takes the login itself.
    """

    def __init__(self, tls: ssl.SSLContext, **images: SimImage) -> None:
        self.images: dict[str, SimImage] = dict(images)
        self.token = "canary-registry-token"
        self.needs_token = True
        self.day: Day = "good"
        self.moved_to = ""
        self.login = ("builder", "canary-registry-password")
        self.realm = ""
        self.is_basic = False
        self.tls = tls
        self.server = WireServer(self._handle, tls=tls)

    @property
    def host(self) -> str:
        """The host that references name."""
        return f"127.0.0.1:{self.server.port}"

    async def __aenter__(self) -> Self:
        await self.server.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.server.refuse()

    async def _handle(self, exchange: Exchange) -> None:
        url = urlsplit(exchange.request.target)
        if url.path == "/token":
            await self._give_token(exchange, parse_qs(url.query).get("scope", [""])[0])
            return
        if await self._has_bad_day(exchange):
            return
        repository, _, reference = url.path.removeprefix("/v2/").rpartition("/manifests/")
        shown = exchange.request.headers.get("authorization")
        if self.needs_token and (shown is None or (self.is_basic and shown != self._basic)):
            scheme = "http" if self.day == "plain-realm" else "https"
            realm = self.realm or f"{scheme}://{self.host}/token"
            bearer = f'Bearer realm="{realm}",service="sim",scope="repository:x:pull"'
            challenge = 'Basic realm="sim"' if self.is_basic else bearer
            await self._refuse(exchange, 401, "UNAUTHORIZED", {"WWW-Authenticate": challenge})
            return
        if self.moved_to and not reference.startswith("sha256:"):
            await exchange.reply(
                status=307, headers={"Location": f"{self.moved_to}{exchange.request.target}?sig=a%2Fb"}
            )
            return
        await self._serve(exchange, repository, reference)

    @property
    def _basic(self) -> str:
        return "Basic " + base64.b64encode(":".join(self.login).encode()).decode()

    async def _give_token(self, exchange: Exchange, scope: str) -> None:
        image = next(
            (one for name, one in self.images.items() if f"repository:{name.partition(':')[0]}:" in scope), None
        )
        shown = exchange.request.headers.get("authorization")
        if shown not in (None, self._basic):
            await self._refuse(exchange, 401, "UNAUTHORIZED")
        elif image is not None and image.is_private and shown is None:
            await self._refuse(exchange, 403, "DENIED")
        else:
            await exchange.reply({"token": self.token})

    async def _serve(self, exchange: Exchange, repository: str, reference: str) -> None:
        named = [one for name, one in self.images.items() if name.partition(":")[0] == repository]
        if not named:
            await self._refuse(exchange, 404, "NAME_UNKNOWN")
        elif reference.startswith("sha256:"):
            await exchange.reply(json.dumps(named[0].manifest()), content_type=MANIFEST)
        elif (image := self.images.get(f"{repository}:{reference}")) is None:
            await self._refuse(exchange, 404, "MANIFEST_UNKNOWN")
        elif image.platforms:
            await exchange.reply(json.dumps(image.index()), content_type=INDEX)
        else:
            await exchange.reply(json.dumps(image.manifest()), content_type=MANIFEST)

    async def _refuse(self, exchange: Exchange, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        body = {"errors": [{"code": code, "message": "what the registry says"}]}
        await exchange.reply(body, status=status, headers=headers)

    async def _has_bad_day(self, exchange: Exchange) -> bool:
        match self.day:
            case "rate-limited":
                await self._refuse(exchange, 429, "TOOMANYREQUESTS")
            case "page":
                await exchange.reply("<html>log in to the hotel's network</html>", status=403, content_type="text/html")
            case "silent":
                await exchange.never()
            case "huge":
                await exchange.start(200, {"Content-Length": str(5 * MIB), "Content-Type": MANIFEST})
                await exchange.raw(b" " * MIB)
            case "cut":
                exchange.cut()
            case "list":
                await exchange.reply([1, 2])
            case "redirects":
                await exchange.reply(status=302, headers={"Location": exchange.request.target})
            case "good" | "plain-realm":
                return False
        return True
