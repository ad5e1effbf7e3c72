"""Which Ray is installed beside the cockpit, found out without importing it."""

import importlib.util
import re
from importlib import metadata

from cockpit.errors import LocalRayError

HINT = "pip install 'rayakash-tui[local]'"
DASHBOARD_NEEDS = ("aiohttp", "aiohttp_cors", "grpc", "opencensus", "prometheus_client", "pydantic")
FIRST_WITH_TOKENS = (2, 52)


def installed_ray() -> str:
    """The version of the installed Ray.

    Raises LocalRayError where there is none, where it lacks its dashboard, or where it is too old to ask for
    a token: then anybody who reaches its ports could run code as this user.
    """
    spec = importlib.util.find_spec("ray")
    if spec is None or spec.origin is None:  # a directory that happens to be called ray lacks an origin
        raise LocalRayError("Ray is not installed beside rayakash-tui.", hint=HINT)
    missing = [name for name in DASHBOARD_NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise LocalRayError("Ray is installed without its dashboard.", detail=", ".join(missing), hint=HINT)
    version = metadata.version("ray")
    if release(version) < FIRST_WITH_TOKENS:
        raise LocalRayError(f"Ray {version} does not support tokens (2.52 does).", hint=HINT)
    return version


def release(version: str) -> tuple[int, ...]:
    """The leading two numbers of a version: `2.60.0` is (2, 60)."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
