"""What goes wrong to order."""

import asyncio
from typing import Any

import msgspec

KINDS = ("hang", "error", "slow", "cut", "null", "empty")


class Fault(msgspec.Struct, kw_only=True):
    """Something that befalls requests whose path begins with `path`.

    `hang` never answers, `error` answers `status`, `slow` takes `seconds` to the first byte, `cut` breaks off in the
    middle of the body, `null` nulls every field of the rows, `empty` answers with nothing. `times` bounds how often;
    None is until it is cleared.
    """

    path: str
    kind: str
    status: int = 500
    seconds: float = 1.0
    times: int | None = None


class Faults:
    """The faults in force, the latest first; `befell` is set once the latest has befallen a request."""

    def __init__(self) -> None:
        self.befell = asyncio.Event()
        self._faults: list[Fault] = []
        self._cleared = asyncio.Event()

    def add(self, fault: Fault) -> None:
        """Put one into force."""
        if fault.kind not in KINDS:
            raise ValueError(f"a fault is one of {', '.join(KINDS)}, not {fault.kind!r}")
        self._faults.insert(0, fault)
        self.befell.clear()

    def clear(self) -> None:
        """End all of them; what hangs is answered now."""
        self._faults = []
        self._cleared.set()
        self._cleared = asyncio.Event()

    def take(self, path: str) -> Fault | None:
        """The fault that befalls a request for this path; one with `times` is used up by that."""
        for fault in self._faults:
            if path.startswith(fault.path) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                self.befell.set()
                return fault
        return None

    async def cleared(self) -> None:
        """Wait until the faults are cleared."""
        await self._cleared.wait()


def nulled(value: Any) -> Any:
    """The same shape with null for every value in it."""
    if isinstance(value, dict):
        return {key: nulled(part) for key, part in value.items()}
    return [nulled(part) for part in value] if isinstance(value, list) else None
