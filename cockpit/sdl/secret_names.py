"""Which env variables hold secrets, by their names and values."""

import re

from cockpit.model.env_names import KNOWN as _NAMES
from cockpit.model.env_names import is_secret_looking
from cockpit.model.secret import REFERENCE_PREFIX
from cockpit.model.secret_values import holds_secret

REFERENCE = REFERENCE_PREFIX

# The names that Ray on Akash is used with: True where the value is a secret.
KNOWN: dict[str, bool] = {known.name: known.is_secret for known in _NAMES.values()}

# What a draft has in the place of a secret that it may not hold.
WITHHELD = re.compile(r"<withheld-\w+-\d+>")
_STAND_IN = re.compile(r"\$[({]?\w+[)}]?|<[^>]*>|\{\{[^}]*\}\}")
_WORDS = ("true", "false", "none", "null", "0", "1", "changeme")


def is_secret_name(name: str) -> bool:
    """Whether a variable of that name is likely to hold a secret."""
    return is_secret_looking(name)


def is_plain_secret(name: str, value: str) -> bool:
    """Whether a secret stands in plain text, by the name of the variable or by the value's own shape."""
    return is_named_secret(name, value) or (not value.startswith(REFERENCE) and holds_secret(value))


def is_named_secret(name: str, value: str) -> bool:
    """Whether a name tells that its value is a secret: not empty, not a reference, not a variable or placeholder."""
    bare = value.strip()
    if not bare.strip("\"'") or value.startswith(REFERENCE) or _STAND_IN.fullmatch(bare):
        return False
    return bare.lower() not in _WORDS and is_secret_name(name)
