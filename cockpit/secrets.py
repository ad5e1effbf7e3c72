"""Values behind secret references.

Until the store is there, `ac-secret://NAME` resolves from the environment variable `RAYAKASH_SECRET_<NAME>`, which will
stay the first place that is looked at, for scripts and CI.
"""

import os
from collections.abc import Mapping

from cockpit.errors import UsageError
from cockpit.model.secret import REFERENCE_PREFIX, Secret, reference_name

ENVIRONMENT_PREFIX = "RAYAKASH_SECRET_"


def resolve_reference(reference: str, *, environment: Mapping[str, str] = os.environ) -> Secret:
    """The value that an `ac-secret://NAME` reference stands for.

    Raises UsageError where the reference is malformed or nothing is stored under its name.
    """
    name = reference_name(reference)
    if name is None:
        raise UsageError(
            f"{reference[:80]!r} is not a secret reference.",
            hint=f"Write {REFERENCE_PREFIX}NAME; NAME is made of letters, digits and _, at most 64 of them.",
        )
    value = environment.get(ENVIRONMENT_PREFIX + name)
    if not value:
        raise UsageError(
            f"The secret {name} has no value.",
            hint=f"Set it in the environment as {ENVIRONMENT_PREFIX}{name}.",
        )
    return Secret(value)
