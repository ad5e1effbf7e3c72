"""How much a node pulls for an image, if known, and whether that may exceed a provider's time limit.

A provider closes a lease whose services are not all ready after about 8 minutes (akash-network/provider
`cluster/monitor.go`: 41 failed checks), pulls included. Sizes are of compressed layers, of an order of magnitude: those
of Ray from ray-project/ray#46378 (Ray and system at most 1 GiB, CUDA's development kit about 4, `ray-ml` about 10),
`ray-llm` from those and from what vLLM adds, the others from vllm-project/vllm#27154 and sgl-project/sglang#3673. Read
on `AS_OF`; a registry tells the size of one tag.
"""

from datetime import date

from cockpit.sdl.quantities import GI

AS_OF = date(2026, 11, 28)

PROVIDER_MINUTES = 8
USUAL_BITS_PER_SECOND = 100_000_000
"""A line that most providers have at least; the advice is about what takes longer than the patience over it."""

_SIZES_GI: tuple[tuple[str, str, int], ...] = (
    # Repository, part of the tag, GiB.
    ("rayproject/ray-llm", "", 10),
    ("rayproject/ray-ml", "cpu", 3),
    ("rayproject/ray-ml", "", 10),
    ("rayproject/ray", "-gpu", 5),
    ("rayproject/ray", "-cu", 5),
    ("rayproject/ray", "", 1),
    ("vllm/vllm-openai", "", 11),
    ("lmsysorg/sglang", "", 10),
)


def known_bytes(image: str) -> int | None:
    """What a node pulls, in bytes; None for an image that is not listed."""
    name, _, tag = image.removeprefix("docker.io/").partition("@")[0].partition(":")
    return next((size * GI for listed, part, size in _SIZES_GI if name == listed and part in tag), None)


def pull_minutes(size: int) -> float:
    """Minutes of pulling at `USUAL_BITS_PER_SECOND`; unpacking comes on top."""
    return size * 8 / USUAL_BITS_PER_SECOND / 60


def may_outlast(size: int) -> bool:
    """Whether the pull alone may take longer than a provider waits."""
    return pull_minutes(size) >= PROVIDER_MINUTES


def slow_pull_words(image: str, size: int) -> str:
    """The advice, for a size that a list or a registry gives."""
    pull = f"a pull at 100 Mbit/s takes {pull_minutes(size):.0f} min"
    patience = f"a provider closes a lease that is not ready after about {PROVIDER_MINUTES}"
    return f"The image {image} is about {size / GI:.0f} GiB: {pull}, and {patience}. A smaller image starts sooner."
