"""Container images: where a reference such as `caddy:2.10.2` leads, and what a registry reports about one.

Grammar: github.com/distribution/reference. Without a host it is Docker Hub's, without a tag `latest` is meant.
"""

import re

import msgspec

from cockpit.errors import UsageError
from cockpit.model.secret import Secret

DOCKER_HUB = "docker.io"

_HUB_ALIASES = ("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,128}")
_LONGEST = 512


class ImageName(msgspec.Struct, frozen=True, kw_only=True):
    """An image's registry (host, with a port where one is given), repository, and tag or digest."""

    registry: str
    repository: str
    reference: str

    def __str__(self) -> str:
        mark = "@" if ":" in self.reference else ":"
        return f"{self.registry}/{self.repository}{mark}{self.reference}"


class ImageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a registry reports about an image: bytes of its compressed layers; None where an old manifest lacks them."""

    compressed_bytes: int | None
    layers: int = 0


class RegistryLogin(msgspec.Struct, frozen=True, kw_only=True):
    """The credentials of a service: for this registry alone, as a reference to an image would name it."""

    host: str
    username: Secret
    password: Secret

    def is_for(self, name: ImageName) -> bool:
        """Whether a container runtime would use them for an image."""
        host = self.host.removeprefix("https://").partition("/")[0].lower()
        return (DOCKER_HUB if host in _HUB_ALIASES else host) == name.registry.lower()


def parse_image(text: str) -> ImageName:
    """Where an image is, by its reference. Raises UsageError for what is not one."""
    name, _, digest = text.partition("@")
    head, slash, rest = name.partition("/")
    if slash and (head == "localhost" or "." in head or ":" in head):
        registry, path = head, rest
    else:
        registry, path = DOCKER_HUB, name
    repository, _, tag = path.partition(":")
    is_hub = registry in _HUB_ALIASES
    found = ImageName(
        registry=DOCKER_HUB if is_hub else registry,
        repository=f"library/{repository}" if is_hub and "/" not in repository else repository,
        reference=digest or tag or "latest",
    )
    is_valid = (
        len(text) <= _LONGEST
        and _HOST.fullmatch(registry)
        and _REPOSITORY.fullmatch(repository)
        and (_TAG.fullmatch(tag) if tag else ":" not in path)
        and (_DIGEST.fullmatch(digest) if digest else "@" not in text)
    )
    if not is_valid:
        raise UsageError(
            f"Invalid image: {text[:100]!r}.", hint="Write HOST/NAME:TAG or NAME:TAG, such as rayproject/ray:2.60.0."
        )
    return found
