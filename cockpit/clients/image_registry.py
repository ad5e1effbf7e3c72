"""What an image registry tells anybody of an image: that it exists, for which platform, and how large it is.

Protocol: OCI Distribution v2 with tokens, anonymous ones or for a login, as Docker Hub, GHCR and Quay have it
(github.com/opencontainers/distribution-spec; distribution.github.io/distribution/spec/auth/token).
"""

import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import parse_qsl, urljoin, urlsplit

from cockpit.clients.address import Address, parse_address
from cockpit.clients.akash.reading import fields, loads, rows, text, whole
from cockpit.clients.endpoint import Basic
from cockpit.clients.transport import MIB, Endpoint, Reply, Transport
from cockpit.errors import CockpitError, ServerError, UnreachableError, UsageError
from cockpit.model.images import DOCKER_HUB, ImageFacts, ImageName, RegistryLogin
from cockpit.model.secret import Secret

HUB_HOST = "registry-1.docker.io"
"""Where Docker Hub speaks this protocol; images name it docker.io."""
PLATFORM = ("linux", "amd64")  # Akash's providers run only this
REPLY_S = 8.0
MANIFEST_LIMIT = 4 * MIB  # the specification's own bound
MOST_REDIRECTS = 3
_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_MISSING = frozenset(("MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND", "NAME_INVALID"))
_DENIED = frozenset(("UNAUTHORIZED", "DENIED"))
_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')


class ImageRefusedError(CockpitError):
    """The registry answered, and no provider could pull the image.

    `fault`: `image-missing`, `image-private` (or missing: registries do not tell them apart), `image-credentials` or
    `image-platform`.
    """


async def look_up(name: ImageName, login: RegistryLogin | None = None) -> ImageFacts:
    """Ask an image's registry about it. Raises ImageRefusedError and UnreachableError.

    A login for another registry is not sent.
    """
    async with ImageRegistry(name, login) as registry:
        return await registry.facts()


class ImageRegistry:
    """Asks one registry about one image; use as an async context manager.

    Only https is spoken. A token goes to the registry's own origin alone, a login there and to the token service of
    its own domain; neither goes along with a redirect.
    """

    def __init__(self, name: ImageName, login: RegistryLogin | None = None) -> None:
        self._name = name
        host = HUB_HOST if name.registry == DOCKER_HUB else name.registry
        self._origin = parse_address(f"https://{host}")
        self._is_login_elsewhere = login is not None and not login.is_for(name)
        self._login = None if login is None or self._is_login_elsewhere else _basic(login)
        self._token: Secret | None = None
        self._basic: Basic | None = None
        self._transports: dict[tuple[str, bool, bool], Transport] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for transport in self._transports.values():
            await transport.close()

    async def facts(self) -> ImageFacts:
        """The image for the providers' platform."""
        found = await self._manifest(self._name.reference)
        if "manifests" in found:
            found = await self._manifest(self._of_platform(found))
        if not isinstance(found.get("layers"), list):
            return ImageFacts(compressed_bytes=None)
        sizes = [whole(one.get("size")) for one in (*rows(found["layers"]), fields(found.get("config")))]
        known = [one for one in sizes if one is not None and one >= 0]
        is_whole = len(known) == len(sizes) and len(rows(found["layers"])) == len(found["layers"])
        return ImageFacts(compressed_bytes=sum(known) if is_whole else None, layers=len(found["layers"]))

    def _of_platform(self, index: Mapping[str, Any]) -> str:
        """The digest of our platform's manifest in a list. Raises ImageRefusedError where there is none."""
        platforms = []
        for row in rows(index.get("manifests")):
            platform = fields(row.get("platform"))
            found = (text(platform.get("os")), text(platform.get("architecture")))
            if found == PLATFORM and (digest := text(row.get("digest"))):
                return digest
            platforms += ["/".join(found)] if all(found) and "unknown" not in found else []
        raise ImageRefusedError(
            f"The image {self._name} does not exist for {'/'.join(PLATFORM)}, the platform of Akash's providers.",
            detail=f"It exists for {', '.join(dict.fromkeys(platforms))[:200]}." if platforms else "",
            hint="Build it for that platform: docker buildx build --platform linux/amd64",
            fault="image-platform",
        )

    async def _manifest(self, reference: str) -> Mapping[str, Any]:
        url = f"{self._origin}/v2/{self._name.repository}/manifests/{reference}"
        reply, origin = await self._get(url)
        if reply.status == 401 and origin == self._origin and not self._is_let_in:
            await self._log_in(reply)
            reply, origin = await self._get(url)
        if reply.status != 200:
            # A host that it redirects to may require a token of its own, which says nothing of the image.
            raise self._failure(reply) if origin == self._origin or reply.status == 404 else self._untold(reply)
        return self._object(reply)

    @property
    def _is_let_in(self) -> bool:
        return self._token is not None or self._basic is not None

    async def _log_in(self, refusal: Reply) -> None:
        """Follow the registry's own challenge. Raises ImageRefusedError if it accepts none."""
        scheme, _, rest = refusal.challenge.partition(" ")
        told = {key.lower(): quoted or bare for key, quoted, bare in _PARAMETER.findall(rest)}
        if scheme.lower() == "basic":
            if self._login is None:
                raise self._private()
            self._basic = self._login
        elif scheme.lower() == "bearer" and told.get("realm"):
            self._token = await self._bearer_token(told["realm"], told.get("service", ""))
        else:
            raise self._failure(refusal)

    async def _bearer_token(self, realm: str, service: str) -> Secret:
        """The token that the registry's challenge leads to, for the login if there is one."""
        asked = [("scope", f"repository:{self._name.repository}:pull")]
        asked += [("service", service)] if service else []
        reply, _ = await self._get(realm, tuple(asked), login=self.login_for(realm))
        if reply.status in (401, 403):
            raise self._private()
        if reply.status != 200:
            raise self._failure(reply)
        body = self._object(reply)
        token = text(body.get("token")) or text(body.get("access_token"))
        if not token or not token.isascii() or not token.isprintable():
            raise self._malformed()
        return Secret(token)

    def login_for(self, realm: str) -> Basic | None:
        """The login, for a token service in the registry's own domain. Raises UnreachableError for any other."""
        if self._login is None:
            return None
        host, own = (urlsplit(realm).hostname or "").lower(), self._origin.host.lower()
        parent = own.partition(".")[2]
        if host == own or ("." in parent and (host == parent or host.endswith(f".{parent}"))):
            return self._login
        raise ServerError(
            f"The registry {self._name.registry} sends logins to {host[:100]}; the credentials were not sent there.",
            fault="foreign-realm",
        )

    # One request

    async def _get(
        self, url: str, params: tuple[tuple[str, str], ...] = (), *, login: Basic | None = None
    ) -> tuple[Reply, Address]:
        """The reply at an address, through at most three redirects, and whose it is. Raises UnreachableError.

        A `login` is shown to the first address, and not along with a redirect.
        """
        for _ in range(MOST_REDIRECTS + 1):
            try:
                parts = urlsplit(url)
                address = parse_address(f"{parts.scheme}://{parts.netloc}")
            except (UsageError, ValueError) as error:
                raise self._malformed() from error
            if not address.is_encrypted:
                raise self._malformed(f"It leads to {address}, which is not encrypted.")
            query = (*parse_qsl(parts.query, keep_blank_values=True), *params)
            reply = await self._transport(address, login).answer(
                "GET", parts.path or "/", params=query, headers={"Accept": _ACCEPT}, limit=MANIFEST_LIMIT,
                seconds=REPLY_S,
            )  # fmt: skip
            if reply.status not in (301, 302, 303, 307, 308) or not reply.location:
                return reply, address
            url, params, login = urljoin(url, reply.location), (), None
        raise self._malformed("It redirects without end.")

    def _transport(self, address: Address, login: Basic | None) -> Transport:
        is_ours = address == self._origin
        token = self._token if is_ours and login is None else None
        basic = login or (self._basic if is_ours else None)
        key = (str(address), token is not None, basic is not None)
        if key not in self._transports:
            self._transports[key] = Transport(
                Endpoint(address=address, token=token, basic=basic, use_proxy=not address.is_loopback)
            )
        return self._transports[key]

    # What a reply means

    def _object(self, reply: Reply) -> Mapping[str, Any]:
        try:
            found = loads(reply.body)
        except ValueError as error:
            raise self._malformed() from error
        if not isinstance(found, dict):
            raise self._malformed()
        return found

    def _failure(self, reply: Reply) -> CockpitError:
        """What a reply that is not a success means: only in the protocol's own words is it about the image."""
        try:
            codes = {text(row.get("code")) for row in rows(fields(loads(reply.body)).get("errors"))}
        except ValueError:
            codes = set()
        if reply.status == 404 and codes & _MISSING:
            return ImageRefusedError(
                f"The image {self._name} does not exist.", hint="Check its name and its tag.", fault="image-missing"
            )
        if reply.status in (401, 403) and codes & _DENIED:
            return self._private()
        if reply.status == 429:
            return ServerError(f"The registry {self._name.registry} limits the rate of requests.", fault="rate_limited")
        return self._untold(reply)

    def _untold(self, reply: Reply) -> UnreachableError:
        return ServerError(
            f"The registry {self._name.registry} did not describe {self._name} ({reply.status}).",
            fault=f"http-{reply.status}",
        )

    def _private(self) -> ImageRefusedError:
        if self._login is not None and not self._is_let_in:
            return self._bad_login()
        if self._login is not None:
            return ImageRefusedError(
                f"The image {self._name} does not exist, or its `credentials` may not pull it.",
                hint="Check the name, and what the account of the credentials may read.",
                fault="image-credentials",
            )
        return ImageRefusedError(
            f"The image {self._name} is private, or does not exist.",
            detail="The `credentials` of its service are for another registry." if self._is_login_elsewhere else "",
            hint=f"Set credentials.host to {self._name.registry}."
            if self._is_login_elsewhere
            else "Make it public, correct its name, or give the service `credentials`.",
            fault="image-private",
        )

    def _bad_login(self) -> ImageRefusedError:
        return ImageRefusedError(
            f"The registry {self._name.registry} rejected the `credentials` of the image {self._name}.",
            hint="Correct username and password of the service; providers would be rejected too.",
            fault="image-credentials",
        )

    def _malformed(self, detail: str = "") -> UnreachableError:
        return ServerError(
            f"{self._name.registry} does not answer as an image registry does.", detail=detail, fault="malformed"
        )


def _basic(login: RegistryLogin) -> Basic:
    return Basic(user=login.username.reveal(), password=login.password)
