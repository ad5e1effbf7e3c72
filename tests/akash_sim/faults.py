"""What goes wrong on purpose between a client and the simulated Console."""

import json
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec

from tests.akash_sim.world import SimWorld

Kind: TypeAlias = Literal[
    "answer",  # instead of the call
    "commit-answer",  # the call is carried out, and this is answered
    "refuse",  # nothing listens
    "cut-before",  # the connection breaks, and nothing was done
    "cut-after",  # it was done, and the answer is lost
    "cut-late",  # the answer is lost, and it is done `seconds` later
    "hang",  # silence for `seconds`, then this answer, and nothing was done
    "hang-commit",  # silence for `seconds`, then this answer, although it was done
    "truncate",  # done, and half of the answer
    "empty",  # done, and a 200 with nothing in it
    "page",  # done, and a page where JSON was expected
    "redirect",  # to another host
    "world",  # something happens to the network first
    "skip",  # `seconds` pass first
]


class Fault(msgspec.Struct, kw_only=True):
    """One fault; `match` is a method and the beginning of a path, and the first `after` such calls are spared."""

    match: str
    do: Kind
    times: int = 1
    after: int = 0
    status: int = 500
    body: Any = None
    headers: dict[str, str] = {}
    seconds: float = 0.0
    world: Callable[[SimWorld], object] | None = None

    def content(self) -> tuple[bytes, str]:
        """The body that it answers, and its type."""
        if isinstance(self.body, str):
            kind = "text/html" if self.body.startswith("<") else "text/plain"
            return self.body.encode(), kind
        return (json.dumps(self.body).encode() if self.body is not None else b""), "application/json"


class Faults:
    """The faults that are still to come."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Have these happen."""
        self._waiting.extend(faults)

    def clear(self) -> None:
        """Have no more of them happen."""
        self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The first one that is for this call."""
        for fault in self._waiting:
            wanted, _, prefix = fault.match.partition(" ")
            if method != wanted or not path.startswith(prefix):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._waiting.remove(fault)
            return fault
        return None


def error_body(error: str, message: str, code: str, kind: str = "client_error") -> dict[str, Any]:
    """An error as the Console writes it."""
    return {"error": error, "message": message, "code": code, "type": kind}


MANIFEST_LOST = error_body(
    "NotFoundError",
    "The lease for deployment 1 exists, but provider akash1 did not receive the manifest",
    "not_found",
)
NO_LEASE_YET = error_body("NotFoundError", "no lease for deployment\n", "not_found")
UNDELIVERED = error_body("BadGatewayError", "manifest not delivered", "manifest_not_delivered", "server_error")
UNREACHABLE = error_body("BadGatewayError", "provider unreachable", "provider_unreachable", "server_error")
UNKNOWN_ERROR = error_body("InternalServerError", "Service temporarily unavailable", "unknown_error", "server_error")
BAD_KEY = error_body("UnauthorizedError", "Invalid API key", "unauthorized")
SETTING_UP = error_body("ConflictError", "The account is still being set up", "conflict")
HTML_502 = "<html>\n<head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
