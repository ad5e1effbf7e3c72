"""Whether providers can pull the images of an SDL, before any money: they exist, are public, and come in time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec

from cockpit.clients.image_registry import ImageRefusedError, look_up
from cockpit.errors import CockpitError, RejectedError, UsageError
from cockpit.model.images import ImageFacts, ImageName, parse_image
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.image_sizes import known_bytes, may_outlast, slow_pull_words
from cockpit.sdl.nodes import child
from cockpit.sdl.view import Service

Lookup = Callable[[ImageName], Awaitable[ImageFacts]]

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


async def check_images(document: SdlDocument, until: float, lookup: Lookup | None = None) -> tuple[ImageCheck, ...]:
    """Every image that is deployed, each asked about once, all at the same time, until the event loop's time `until`.

    An image whose service has credentials is not asked about: they are the provider's to use.
    """
    view = document.cluster.view
    deployed = {row.service for row in view.rows}
    services = [one for one in view.services.values() if one.name in deployed and one.image]
    private = {one.image for one in services if _has_credentials(one)}
    images = dict.fromkeys(one.image for one in services)
    ask = lookup or LOOKUP
    return tuple(await asyncio.gather(*(_check(image, until, ask, asks=image not in private) for image in images)))


def _has_credentials(service: Service) -> bool:
    return child(service.node, "credentials") is not None


async def _check(image: str, until: float, lookup: Lookup, *, asks: bool) -> ImageCheck:
    if not asks:
        return ImageCheck(image=image, is_checked=False)
    try:
        name = parse_image(image)
        async with asyncio.timeout_at(until):
            found = await lookup(name)
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
