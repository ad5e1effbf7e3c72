"""Replies recorded from a real Ray 2.60, where they are at hand."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("RAYAKASH_SHARED", _REPOSITORY.parent / "shared")) / "ray-samples"


class Sample(msgspec.Struct, frozen=True):
    """A recorded reply; `body` as it was sent."""

    status: int
    content_type: str
    body: Any

    @property
    def data(self) -> bytes:
        """The bytes of the body."""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


def sample(name: str) -> Sample:
    """The recording of that name; skips the test where the recordings are missing."""
    path = SAMPLES / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"no recorded replies at {SAMPLES} (set RAYAKASH_SHARED)")
    return msgspec.json.decode(path.read_bytes(), type=Sample)
