"""A simulated Console, and one deployment on its way there."""

from decimal import Decimal
from typing import Any

from cockpit.clients.akash.console import CreateRequest
from cockpit.operations.deployments.flow import News, Step
from cockpit.operations.deployments.groups import groups_of
from cockpit.operations.deployments.journal import Entry, Journal
from cockpit.operations.deployments.plan import Plan, runtime_of
from cockpit.sdl.document import SdlDocument
from tests.akash_sim.console import SimConsole
from tests.akash_sim.samples import PLAIN
from tests.akash_sim.wire import client_of


class Stage:
    """The step of one attempt, and what was said."""

    def __init__(self, console: SimConsole, *, sdl: str = PLAIN, token: str = "abc", **plan: Any) -> None:
        self.sim = console
        self.sdl = sdl
        self.said: list[News] = []
        self.client = client_of(console)
        hours = plan.pop("hours", 24)
        values: dict[str, Any] = {"groups": groups_of(SdlDocument(sdl)), "runtime": runtime_of(hours, has_limits=True)}
        self.plan = Plan(**{**values, **plan})
        at = self.client.clock.now().wall
        self.name = f"lab {token}"
        self.journal = Journal.begin(Entry(step="plan", at=at, token=token, name=self.name, file="/tmp/lab.yaml"))
        self.step = Step(self.client, self.journal, self.plan, self.said.append)

    @property
    def request(self) -> CreateRequest:
        """The create that was agreed to."""
        return CreateRequest(sdl=self.sdl, name=self.name, runtime_limit_hours=self.plan.runtime.at_create)

    @property
    def words(self) -> str:
        """All that was said."""
        return "\n".join(news.text for news in self.said)

    def steps(self) -> list[str]:
        """What is on disk."""
        return [entry.step for entry in self.journal.entries]

    def costing(self) -> list[str]:
        """The deployments that exist and may cost."""
        self.sim.world.check()
        return [dseq for dseq, one in self.sim.world.deployments.items() if one.state == "active"]


CHEAP = Decimal("0.01")
