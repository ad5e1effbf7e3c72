"""Taking secret values out of what is about to be written down."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cockpit.model.jobs import MASK
from cockpit.model.secret import Secret
from cockpit.model.secret_values import without_secrets

# Ray's own names for a job's environment, in both of its spellings, and for one that is JSON within JSON
# (dashboard/runtime_env_redaction.py).
_ENVIRONMENT_KEYS = ("env_vars", "envVars")
_SERIALIZED_KEYS = ("serialized_runtime_env", "serializedRuntimeEnv")
_MARKS = tuple(f'"{key}"'.encode() for key in (*_ENVIRONMENT_KEYS, *_SERIALIZED_KEYS))

# Shorter values are words such as `true` or `0`, which would be struck out everywhere.
SHORTEST_SECRET = 8
_HARMLESS = ("<redacted>", MASK)

WITHHELD = b""


class Masker:
    """Replaces env values by a mask, and wherever else a value stands that was once seen as one.

    Known from the start are the given secrets, such as the token. Values shorter than eight characters are masked
    only where they stand as env values.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._values: list[str] = []
        self.learn(secrets)

    def learn(self, secrets: Iterable[Secret]) -> None:
        """Know these values too."""
        for secret in secrets:
            self._learn(secret.reveal())

    def body(self, body: bytes) -> bytes:
        """A reply's body without secret values; empty where it should hold some and cannot be read."""
        has_environment = any(mark in body for mark in _MARKS)
        if not has_environment and not self._occurs_in(body):
            return body
        try:
            hidden = self._hidden(json.loads(body))
            # Afterwards: a value may precede the environment that identifies it.
            return json.dumps(self._without_values(hidden), separators=(",", ":")).encode()
        except (ValueError, RecursionError):
            return WITHHELD if has_environment else self.chunk(body)

    def text(self, text: str) -> str:
        """Words without the secret values that are known, by themselves or by their shape."""
        for value in self._values:
            text = text.replace(value, MASK)
        return without_secrets(text)

    def chunk(self, chunk: bytes) -> bytes:
        """A piece of a log without the secret values that are known; one that is cut between pieces stays."""
        for value in self._values:
            chunk = chunk.replace(value.encode("utf-8", "surrogatepass"), MASK.encode())
        return chunk

    def _learn(self, value: Any) -> None:
        if isinstance(value, str) and len(value) >= SHORTEST_SECRET and value not in (*_HARMLESS, *self._values):
            self._values.append(value)
            self._values.sort(key=len, reverse=True)

    def _occurs_in(self, body: bytes) -> bool:
        return any(form in body for value in self._values for form in _forms(value))

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._hidden_field(key, part) for key, part in value.items()}
        return [self._hidden(part) for part in value] if isinstance(value, list) else value

    def _hidden_field(self, key: str, value: Any) -> Any:
        if key in _ENVIRONMENT_KEYS and value is not None:
            return self._environment(value)
        if key in _SERIALIZED_KEYS and isinstance(value, str):
            return self._serialized(value)
        return self._hidden(value)

    def _environment(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return MASK
        for part in value.values():
            self._learn(part)
        return dict.fromkeys(value, MASK)

    def _serialized(self, value: str) -> str:
        try:
            return json.dumps(self._hidden(json.loads(value))) if value else value
        except (ValueError, RecursionError):
            return MASK

    def _without_values(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self._without_values(part) for key, part in value.items()}
        return [self._without_values(part) for part in value] if isinstance(value, list) else value


def _forms(value: str) -> Iterable[bytes]:
    """The JSON spellings of a string."""
    plain = json.dumps(value, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
    return {json.dumps(value)[1:-1].encode(), plain}
