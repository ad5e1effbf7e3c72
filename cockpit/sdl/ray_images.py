"""Releases of Ray and their stock images, for pick lists; others exist, and none is refused for not being here.

Source: PyPI and the tags of rayproject/ray, as of `AS_OF`.
"""

from datetime import date

AS_OF = date(2026, 11, 27)

STOCK = "rayproject/ray"
# Before it Ray did not support token authentication.
FIRST_WITH_TOKENS = (2, 52)
VERSIONS = (
    "2.60.0", "2.59.0", "2.58.1", "2.58.0", "2.57.1", "2.57.0", "2.56.1", "2.56.0", "2.55.1", "2.55.0", "2.54.1",
    "2.54.0", "2.53.0", "2.52.1", "2.52.0",
)  # fmt: skip
PYTHONS = ("3.11", "3.10", "3.12", "3.13")
GATEWAY = "caddy:2.10.2"


def stock_image(ray: str = VERSIONS[0], python: str = PYTHONS[0], *, gpu: bool = False) -> str:
    """The stock image of a release; `-gpu` carries CUDA."""
    return f"{STOCK}:{ray}-py{python.replace('.', '')}{'-gpu' if gpu else ''}"


# Tags of `ray-llm` that were pulled in public; the others follow from how Ray's build names them.
_SEEN_WITH_TORCH = ("2.58.0", "2.54.0")


def torch_image(ray: str = VERSIONS[0]) -> str:
    """Ray's image that also has torch, transformers and vLLM, for GPUs.

    Tags: `docker/ray-llm/cuda.wanda.yaml` of ray-project/ray builds Python 3.12 with CUDA 13.0; up to 2.55 it was 3.11
    with 12.8. `2.58.0-py312-cu130` and `2.54.0-py311-cu128` were pulled in public, the others follow them.
    """
    return f"{STOCK}-llm:{ray}-{'py312-cu130' if (release(ray) or (0, 0)) >= (2, 56) else 'py311-cu128'}"


def torch_image_doubt(image: str) -> str:
    """What to say of a tag that follows a pattern and was not seen; empty for one that was, and for other images."""
    name, _, tag = image.partition(":")
    if name != f"{STOCK}-llm" or tag.startswith(tuple(f"{seen}-" for seen in _SEEN_WITH_TORCH)):
        return ""
    return f"The tag {tag} follows the pattern of Ray's builds and was not seen: check that the registry has it."


def release(version: str) -> tuple[int, int] | None:
    """The first two numbers of a version, or None for a nightly build or no version."""
    parts = version.split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) >= 2 and all(part.isdecimal() for part in parts[:2]) else None


def stock_images() -> tuple[str, ...]:
    """The tags that the pick lists offer, the newest first."""
    return tuple(
        stock_image(ray, python, gpu=gpu) for ray in VERSIONS[:4] for python in PYTHONS[:3] for gpu in (False, True)
    )
