"""What a registry tells of an image, by its real protocol on TLS: facts, clear refusals, and what tells nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from cockpit.clients import image_registry
from cockpit.clients.image_registry import ImageRefusedError, look_up
from cockpit.errors import UnreachableError, UsageError
from cockpit.model.images import ImageFacts, RegistryLogin, parse_image
from cockpit.model.secret import Secret
from tests.akash_sim.registry import MIB, Day, SimImage, SimRegistry
from tests.wire.certificates import issue

pytestmark = pytest.mark.lengthy
IMAGES = {
    "lab/ray:2.60.0": SimImage(),
    "lab/single:1": SimImage(platforms=(), layers=(7 * MIB,)),
    "lab/secret:1": SimImage(is_private=True),
    "lab/arm:1": SimImage(platforms=("linux/arm64",)),
}


@pytest.fixture
async def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SimRegistry]:
    authority = issue(tmp_path, "authority", is_authority=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with SimRegistry(issue(tmp_path, by=authority).server(), **IMAGES) as server:
        yield server


async def _facts(registry: SimRegistry, image: str, login: RegistryLogin | None = None) -> ImageFacts:
    return await look_up(parse_image(f"{registry.host}/{image}"), login)


def _login(registry: SimRegistry, **changes: str) -> RegistryLogin:
    user, password = registry.login
    given = {"host": registry.host, "username": user, "password": password} | changes
    return RegistryLogin(host=given["host"], username=Secret(given["username"]), password=Secret(given["password"]))


async def test_the_layers_of_the_providers_platform_are_added_up(registry: SimRegistry) -> None:
    assert await _facts(registry, "lab/ray:2.60.0") == ImageFacts(compressed_bytes=25 * MIB + 1000, layers=2)
    # Challenge, token, list, manifest: the token goes to the registry and nowhere else, and is asked for once.
    asked = [(one.path, one.headers.get("authorization")) for one in registry.server.requests]
    let_in = f"Bearer {registry.token}"
    assert asked == [
        ("/v2/lab/ray/manifests/2.60.0", None),
        ("/token", None),
        ("/v2/lab/ray/manifests/2.60.0", let_in),
        ("/v2/lab/ray/manifests/sha256:" + "a" * 64, let_in),
    ]


async def test_without_a_list_and_without_tokens(registry: SimRegistry) -> None:
    registry.needs_token = False
    assert (await _facts(registry, "lab/single:1")).compressed_bytes == 7 * MIB + 1000
    assert len(registry.server.requests) == 1


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        ("lab/ray:9.9.9", "image-missing"),
        ("lab/nothing:1", "image-missing"),
        ("lab/secret:1", "image-private"),
        ("lab/arm:1", "image-platform"),
    ],
)
async def test_what_no_provider_could_pull_is_refused(registry: SimRegistry, image: str, fault: str) -> None:
    with pytest.raises(ImageRefusedError) as caught:
        await _facts(registry, image)
    assert caught.value.fault == fault
    assert image in caught.value.title
    assert caught.value.hint


async def test_a_login_opens_private_images_by_a_token(registry: SimRegistry) -> None:
    """Only the token service is shown the login."""
    assert (await _facts(registry, "lab/secret:1", _login(registry))).layers == 2
    shown = [(one.path, (one.headers.get("authorization") or "").partition(" ")[0]) for one in registry.server.requests]
    assert [scheme for path, scheme in shown if path == "/token"] == ["Basic"]
    assert {scheme for path, scheme in shown if path != "/token"} == {"", "Bearer"}


async def test_a_registry_that_takes_the_login_itself(registry: SimRegistry) -> None:
    registry.is_basic = True
    assert (await _facts(registry, "lab/ray:2.60.0", _login(registry))).layers == 2
    with pytest.raises(ImageRefusedError) as caught:
        await _facts(registry, "lab/ray:2.60.0", _login(registry, password="wrong"))
    assert caught.value.fault == "image-credentials"
    with pytest.raises(ImageRefusedError) as caught:
        await _facts(registry, "lab/ray:2.60.0")
    assert caught.value.fault == "image-private"


async def test_what_a_wrong_login_is_told(registry: SimRegistry) -> None:
    """Wrong, for another registry, or right for an image that is not there."""
    for image, login, words in (
        ("lab/secret:1", _login(registry, password="wrong"), "rejected the `credentials`"),
        ("lab/ray:2.60.0", _login(registry, username="other"), "rejected the `credentials`"),
        ("lab/secret:1", _login(registry, host="ghcr.io"), "are for another registry"),
        ("lab/nothing:1", _login(registry), "does not exist"),
    ):
        with pytest.raises(ImageRefusedError) as caught:
            await _facts(registry, image, login)
        told = f"{caught.value.title} {caught.value.detail} {caught.value.hint}"
        assert words in told
        assert registry.login[1] not in told


async def test_a_login_goes_to_its_own_registry_alone(registry: SimRegistry) -> None:
    """Neither to a token service elsewhere, nor along with a redirect, nor over plain http."""
    async with SimRegistry(registry.tls, **IMAGES) as elsewhere:
        registry.realm = f"https://localhost:{elsewhere.server.port}/token"
        with pytest.raises(UnreachableError, match="not sent there"):
            await _facts(registry, "lab/secret:1", _login(registry))
        registry.realm = f"http://127.0.0.1:{elsewhere.server.port}/token"
        with pytest.raises(UnreachableError, match="image registry"):
            await _facts(registry, "lab/secret:1", _login(registry))
        assert elsewhere.server.requests == []
        registry.realm, registry.is_basic, registry.moved_to = "", True, elsewhere.server.url
        elsewhere.needs_token = False
        assert (await _facts(registry, "lab/secret:1", _login(registry))).layers == 2
        assert all("authorization" not in one.headers for one in elsewhere.server.requests)


@pytest.mark.parametrize(
    ("registry_host", "realm", "is_sent"),
    [
        ("docker.io", "https://auth.docker.io/token", True),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth", True),
        ("ghcr.io", "https://ghcr.io/token", True),
        ("ghcr.io", "https://token.example/ghcr.io", False),
        ("registry.gitlab.com", "https://gitlab.com.example/jwt", False),
        ("docker.io", "https://notdocker.io/token", False),
    ],
)
def test_token_services_of_a_registrys_own_domain_get_the_login(registry_host: str, realm: str, is_sent: bool) -> None:
    login = RegistryLogin(host=registry_host, username=Secret("u"), password=Secret("p" * 8))
    asked = image_registry.ImageRegistry(parse_image(f"{registry_host}/lab/a:1"), login)
    if is_sent:
        assert asked.login_for(realm) is not None
    else:
        with pytest.raises(UnreachableError):
            asked.login_for(realm)


@pytest.mark.parametrize("day", [day for day in get_args(Day) if day != "good"])
async def test_a_bad_day_of_the_registry_says_nothing_of_the_image(
    registry: SimRegistry, day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it hang, take much memory, or lead to plain http."""
    monkeypatch.setattr(image_registry, "REPLY_S", 0.2 if day == "silent" else 8.0)
    registry.day = day
    with pytest.raises(UnreachableError):
        async with asyncio.timeout(20):
            await _facts(registry, "lab/ray:2.60.0")
    assert len(registry.server.requests) <= 1 + image_registry.MOST_REDIRECTS


async def test_the_token_does_not_follow_a_redirect(registry: SimRegistry, tmp_path: Path) -> None:
    authority = issue(tmp_path, "another", is_authority=True)
    (tmp_path / "both.pem").write_bytes((tmp_path / "authority.pem").read_bytes() + authority.file.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(tmp_path / "both.pem"))
        async with SimRegistry(issue(tmp_path, "elsewhere", by=authority).server(), **IMAGES) as elsewhere:
            elsewhere.needs_token = False
            registry.moved_to = elsewhere.server.url
            assert (await _facts(registry, "lab/ray:2.60.0")).layers == 2
            (request,) = elsewhere.server.requests
    assert "authorization" not in request.headers
    assert request.target.endswith("?sig=a%2Fb")


async def test_a_mirror_that_wants_a_token_of_its_own_says_nothing_of_the_image(registry: SimRegistry) -> None:
    """It would be called private else, and a good deployment stopped."""
    registry.needs_token = False
    async with SimRegistry(registry.tls, **IMAGES) as mirror:
        registry.moved_to = mirror.server.url
        with pytest.raises(UnreachableError):
            await _facts(registry, "lab/ray:2.60.0")
        assert "authorization" not in mirror.server.requests[0].headers


async def test_nobody_but_the_registry_itself_is_believed(
    registry: SimRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Exception, match="certificate"):
        await _facts(registry, "lab/ray:2.60.0")
    assert registry.server.requests == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("caddy", "docker.io/library/caddy:latest"),
        ("caddy:2.10.2", "docker.io/library/caddy:2.10.2"),
        ("rayproject/ray:2.60.0-py311", "docker.io/rayproject/ray:2.60.0-py311"),
        ("index.docker.io/caddy", "docker.io/library/caddy:latest"),
        ("ghcr.io/a/b-c/d_e:v1", "ghcr.io/a/b-c/d_e:v1"),
        ("localhost:5000/lab:1", "localhost:5000/lab:1"),
        ("caddy:2@sha256:" + "f" * 64, "docker.io/library/caddy@sha256:" + "f" * 64),
    ],
)
def test_references_lead_where_container_tools_would_go(text: str, found: str) -> None:
    assert str(parse_image(text)) == found


@pytest.mark.parametrize(
    "text", ["", ":", "Caddy", "caddy:", "caddy:a b", "a//b", "host.io/", "caddy@sha256:12", "-x.io/a", "a@", "x" * 600]
)
def test_what_is_no_reference_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="Invalid image"):
        parse_image(text)
