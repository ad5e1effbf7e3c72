"""How a request that changes something ended: done, refused, or unknown, which only reading can resolve.

A request that signs a transaction may block for 36 s and report a failure although the transaction landed
(Console's tx-signer); a lost answer says nothing either. Such a request is never sent again by itself.
"""

from typing import Generic, TypeAlias, TypeVar

import msgspec

from cockpit.errors import CockpitError

T = TypeVar("T")


class Done(msgspec.Struct, Generic[T], frozen=True):
    """It happened."""

    value: T


class Refused(msgspec.Struct, frozen=True):
    """It did not happen: what was there before is still there, and costs what it did. `error` says why."""

    error: CockpitError


class Unknown(msgspec.Struct, frozen=True):
    """It may have happened, and may cost money; `error` is what came instead of an answer."""

    error: CockpitError


Outcome: TypeAlias = Done[T] | Refused | Unknown
