"""Secrets that the environment brings, for scripts and continuous integration."""

from collections.abc import Mapping

from cockpit.model.secret import Secret

ENVIRONMENT_PREFIX = "RAYAKASH_SECRET_"
PASSPHRASE_VARIABLE = "RAYAKASH_VAULT_PASSPHRASE"


def from_environment(name: str, environment: Mapping[str, str]) -> Secret | None:
    """The value of `RAYAKASH_SECRET_<NAME>`; None where it is not set or empty."""
    value = environment.get(ENVIRONMENT_PREFIX + name)
    return Secret(value) if value else None


def names_in(environment: Mapping[str, str]) -> list[str]:
    """The names of secrets that the environment holds, in order."""
    found = (key.removeprefix(ENVIRONMENT_PREFIX) for key, value in environment.items() if value and _is_ours(key))
    return sorted(name for name in found if name)


def _is_ours(key: str) -> bool:
    return key.startswith(ENVIRONMENT_PREFIX)
