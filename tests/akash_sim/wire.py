"""The simulated Console as a client's wire, without a socket: a call takes as long as its Python."""

import msgspec

from cockpit.clients.akash.console import ConsoleClient, console_endpoint
from cockpit.clients.transport import Endpoint, Params, Reply
from cockpit.errors import UnreachableError
from cockpit.model.secret import Secret
from tests.akash_sim.console import CutError, SimConsole, SimRequest


class SimWire:
    """Carries requests to a simulated Console; a `clients.akash.http.Wire`."""

    def __init__(self, console: SimConsole, endpoint: Endpoint) -> None:
        self.console = console
        self.endpoint = endpoint

    async def answer(
        self, method: str, path: str, *, params: Params = (), json: object = None, limit: int = 0, seconds: float
    ) -> Reply:
        """The Console's answer. Raises UnreachableError as the transport does."""
        headers = {name.lower(): value for name, value in self.endpoint.credentials().items()}
        body = msgspec.json.encode(json) if json is not None else b""
        request = SimRequest(method=method, path=path, query=dict(params), headers=headers, body=body)
        try:
            reply = self.console.exchange(request, seconds)
        except CutError as cut:
            error = UnreachableError(f"The connection to {self.endpoint.address} broke.", detail=str(cut))
            error.was_sent = cut.was_sent
            raise error from cut
        told = {name.lower(): value for name, value in reply.headers.items()}
        return Reply(reply.status, reply.content_type, reply.body, told.get("date", ""), told.get("retry-after", ""))

    async def close(self) -> None:
        """Nothing is open."""


def client_of(console: SimConsole, *, key: str | None = "") -> ConsoleClient:
    """A client of a simulated Console, on its virtual clock; with `key` None it has none."""
    value = console.world.keys[0].value if key == "" else key
    endpoint = console_endpoint("https://console.sim.example", Secret(value) if value else None)
    return ConsoleClient(SimWire(console, endpoint), clock=console.world.clock)
