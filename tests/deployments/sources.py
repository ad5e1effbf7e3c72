"""Who tells tests how a lease is doing."""

from collections.abc import Sequence

from cockpit.clients.akash.console import ConsoleClient
from cockpit.errors import NotFoundError, UnreachableError
from cockpit.model.akash.deployments import LeaseId, LeaseStatus


class ConsoleSource:
    """Asks the Console, as where a provider's gateway does not answer."""

    def __init__(self, console: ConsoleClient) -> None:
        self._console = console
        self.told: dict[str, Sequence[str]] = {}
        self.lines: dict[str, Sequence[str]] = {}

    async def status(self, lease: LeaseId) -> LeaseStatus:
        """The status that the Console passes on."""
        found = await self._console.deployment(lease.dseq)
        status = next((one.status for one in found.costing if one.id.is_same(lease)), None)
        if not found.costing:
            raise NotFoundError("The lease is gone.")
        if status is None:
            raise UnreachableError("The provider does not answer.")
        return status

    def events(self, service: str) -> Sequence[str]:
        """What the test has Kubernetes say."""
        return self.told.get(service, ())

    def log(self, service: str) -> Sequence[str]:
        """What the test has it log."""
        return self.lines.get(service, ())

    async def close(self) -> None:
        """Nothing is open."""
