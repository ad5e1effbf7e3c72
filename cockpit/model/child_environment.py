"""The environment of programs that we start and did not write: it holds no credentials of clusters or accounts."""

import os
import re
from collections.abc import Mapping

# Ray's token, our own secrets and vault passphrase, and the keys of Akash's Console.
_CREDENTIALS = re.compile(r"RAY_AUTH_TOKEN(?:_PATH)?|(?:RAYAKASH|AKASH|AKT)_.*")


def child_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that a browser, ssh, podman or a command of the user's gets."""
    return {name: value for name, value in environment.items() if not _CREDENTIALS.fullmatch(name)}
