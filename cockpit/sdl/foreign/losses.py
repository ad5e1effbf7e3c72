"""What an import cannot carry over, and the secrets that it met; no value of one is ever part of a sentence."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cockpit.errors import CockpitError
from cockpit.model.secret import REFERENCE_PREFIX, Secret
from cockpit.sdl.secret_names import is_plain_secret

Config = Mapping[str, Any]

REFERENCE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
NO_COUNTERPART = "Akash has no counterpart."


class CannotRunError(CockpitError):
    """Head or workers of the file cannot run on Akash."""


class ImportLoss(msgspec.Struct, frozen=True):
    """A place of the foreign file, and what becomes of it."""

    path: str
    reason: str


class Losses:
    """Collects losses, each once, and the values of secrets that the file holds."""

    def __init__(self) -> None:
        self._found: dict[ImportLoss, None] = {}
        self.values: dict[str, Secret] = {}
        self._sources: dict[str, str] = {}

    def add(self, path: str, reason: str) -> None:
        """Note a loss."""
        self._found[ImportLoss(path, reason)] = None

    def all(self) -> tuple[ImportLoss, ...]:
        """Every loss, in the order of the file."""
        return tuple(self._found)

    def rest(self, path: str, node: Config, known: Iterable[str], reasons: Mapping[str, str] | None = None) -> None:
        """Note each key of a mapping that nothing was made of."""
        seen = set(known)
        for key, value in node.items():
            if key not in seen and value not in (None, {}, [], ""):
                self.add(f"{path}.{key}" if path else str(key), (reasons or {}).get(key, NO_COUNTERPART))

    def reference(self, wanted: str, source: str, value: Secret | None = None) -> str:
        """A reference to a secret; `source` tells apart two that would have the same name."""
        name = _reference_name(wanted)
        number = 2
        while self._sources.get(name, source) != source:
            name, number = f"{_reference_name(wanted)[:60]}_{number}", number + 1
        self._sources[name] = source
        if value is not None and value.reveal():
            self.values[name] = value
        return REFERENCE_PREFIX + name

    def kept_out(self, name: str, value: str) -> str:
        """The value of a variable, or a reference where it is a secret in plain text."""
        if is_plain_secret(name, value):
            return self.reference(name, f"{name}={value}", Secret(value))
        return value


def _reference_name(text: str) -> str:
    if REFERENCE_NAME.fullmatch(text):
        return text
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)[:64] or "_"
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"[:64]


def mapping(value: object) -> dict[str, Any]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """A scalar as its text; empty for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""
