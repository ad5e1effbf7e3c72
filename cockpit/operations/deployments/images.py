"""Whether providers can pull the images of an SDL, before any money: they exist, are public, and come in time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias

import msgspec

from cockpit.clients.image_registry import ImageRefusedError, look_up
from cockpit.errors import CockpitError, RejectedError, UsageError
from cockpit.model.images import ImageFacts, ImageName, RegistryLogin, parse_image
from cockpit.model.secret import REFERENCE_PREFIX, Secret
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.image_sizes import known_bytes, may_outlast, slow_pull_words
from cockpit.sdl.nodes import child
from cockpit.sdl.scalars import is_null
from cockpit.sdl.view import Service, string
from cockpit.secrets.failures import StoreUnavailableError
from cockpit.secrets.references import resolve_references
from cockpit.secrets.store import NoValueError

Lookup = Callable[[ImageName, RegistryLogin | None], Awaitable[ImageFacts]]

LOOKUP: Lookup = look_up
"""How registries are asked; tests have another."""


class ImageCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One image of the SDL. `problem` says why no provider can pull it; `is_checked` is False if that is not known.

    `compressed_bytes` is None where the size is not known; `advice` is about a pull that may take too long.
    """

    image: str
    is_checked: bool = True
    compressed_bytes: int | None = None
    problem: str = ""
    hint: str = ""
    advice: str = ""


async def check_images(
    document: SdlDocument, until: float, lookup: Lookup | None = None, *, scopes: Sequence[str] = ()
) -> tuple[ImageCheck, ...]:
    """Every image that is deployed, each asked about once, all at the same time, until the event loop's time `until`.

    One whose service has credentials is asked about with them, as a provider would; references are looked up in
    `scopes`.
    """
    view = document.cluster.view
    deployed = {row.service for row in view.rows}
    services = [one for one in view.services.values() if one.name in deployed and one.image]
    images = dict.fromkeys((one.image, _credentials(one)) for one in services)
    ask = lookup or LOOKUP
    return tuple(await asyncio.gather(*(_check(image, given, scopes, until, ask) for image, given in images)))


Given: TypeAlias = tuple[str, str, str]
"""Host, username and password as the SDL gives them: in plain text, or as references."""


def _credentials(service: Service) -> Given | None:
    node = child(service.node, "credentials")
    if node is None or is_null(node):
        return None
    host, username, password = (string(child(node, name)) for name in ("host", "username", "password"))
    return host, username, password


def _login(given: Given, scopes: Sequence[str]) -> RegistryLogin:
    """The login with the values of its references. Raises NoValueError, StoreUnavailableError."""
    host, *texts = given
    references = [text for text in texts if text.startswith(REFERENCE_PREFIX)]
    values = resolve_references(references, scopes=scopes) if references else {}
    username, password = (values.get(text) or Secret(text) for text in texts)
    return RegistryLogin(host=host, username=username, password=password)


async def _check(image: str, given: Given | None, scopes: Sequence[str], until: float, lookup: Lookup) -> ImageCheck:
    try:
        name = parse_image(image)
        login = await asyncio.to_thread(_login, given, scopes) if given else None
        async with asyncio.timeout_at(until):
            found = await lookup(name, login)
    except (NoValueError, StoreUnavailableError):  # where a value is needed, its lack stops the deploy by itself
        return ImageCheck(image=image, is_checked=False)
    except (ImageRefusedError, UsageError) as error:
        return ImageCheck(image=image, problem=f"{error.title} {error.detail}".strip(), hint=error.hint)
    except (CockpitError, TimeoutError):
        return ImageCheck(image=image, is_checked=False, advice=_advice(image, known_bytes(image)))
    size = found.compressed_bytes
    return ImageCheck(image=image, compressed_bytes=size, advice=_advice(image, size or known_bytes(image)))


def _advice(image: str, size: int | None) -> str:
    return slow_pull_words(image, size) if size is not None and may_outlast(size) else ""


def unchecked(images: Iterable[ImageCheck]) -> tuple[str, ...]:
    """The names of the checks that could not be made."""
    return tuple(f"the image {one.image}" for one in images if not one.is_checked)


def require_images(images: Sequence[ImageCheck]) -> None:
    """Raise RejectedError where an image cannot be pulled: its lease would be closed after minutes that cost."""
    problems = [one for one in images if one.problem]
    if problems:
        raise RejectedError(
            problems[0].problem if len(problems) == 1 else f"{len(problems)} images cannot be pulled.",
            detail="" if len(problems) == 1 else "\n".join(one.problem for one in problems),
            hint=f"{problems[0].hint} Nothing was sent.".strip(),
            fault="image",
        )
