"""A secret as it is listed: where its value is and who refers to it, never the value."""

from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

Presence = Literal["missing", "stored", "unseen"]


class Use(msgspec.Struct, frozen=True):
    """Who refers to a secret: an SDL by its path or a context by its name, and the scopes that are looked in."""

    kind: Literal["SDL", "context"]
    where: str
    scopes: tuple[str, ...]

    @property
    def label(self) -> str:
        """The shortest name by which a person knows it."""
        return Path(self.where).name if self.kind == "SDL" else self.where


class SecretRow(msgspec.Struct, frozen=True, kw_only=True):
    """One secret. `place` is None if it is stored nowhere; `scope` is None in the environment.

    `unseen` is a value that should be there and cannot be seen now, as in a locked vault. `is_leftover` marks a second
    value of the same name and scope, which a move from one place to another left behind.
    """

    name: str
    scope: str | None
    place: str | None
    presence: Presence
    uses: tuple[Use, ...] = ()
    created: datetime | None = None
    changed: datetime | None = None
    is_leftover: bool = False

    @property
    def key(self) -> str:
        """What names the row for as long as it exists, wherever its value goes."""
        return f"{self.name}/{self.scope or ''}{f'/{self.place}' if self.is_leftover else ''}"
