"""A simulated Console, and one deployment on its way there."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from cockpit.clients.address import Address
from cockpit.clients.akash.console import CreateRequest
from cockpit.errors import UnreachableError
from cockpit.operations.deployments.deploying import Deploying, Tools
from cockpit.operations.deployments.flow import Step, Terms
from cockpit.operations.deployments.groups import groups_of
from cockpit.operations.deployments.journal import Entry, Journal
from cockpit.operations.deployments.news import News
from cockpit.operations.deployments.plan import Plan, runtime_of
from cockpit.operations.deployments.preparing import Prepared, Wish, prepare
from cockpit.operations.question import Question
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.templates import template_named
from tests.akash_sim.console import SimConsole
from tests.akash_sim.samples import PLAIN
from tests.akash_sim.wire import client_of
from tests.deployments.sources import ConsoleSource


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
CPU = template_named("ray-cpu").text.replace("amount: ", "amount: 1")


class Run:
    """A deploy of a file, with what was said and asked."""

    def __init__(self, console: SimConsole, *, text: str = CPU, answers: bool = True, **wish: Any) -> None:
        self.sim = console
        self.client = client_of(console)
        self.text = text
        self.wish = Wish(**wish)
        self.said: list[str] = []
        self.news: list[News] = []
        self.asked: list[Question] = []
        self._answers = answers
        self.tried: list[Address] = []
        self.first_is_dead = False

    async def prepared(self) -> Prepared:
        """What is known before the question."""
        return await prepare(self.client, SdlDocument(self.text), Path("lab.yaml"), self.wish)

    async def __call__(self, terms: Terms = Terms(), *, waits: bool = True) -> Any:  # noqa: B008 - frozen
        """Deploy."""
        tools = Tools(source=lambda console, _: ConsoleSource(console), probe=self.probe)
        deploying = Deploying(self.client, await self.prepared(), terms, self.hear, waits=waits, tools=tools)
        return await deploying.run(self.ask)

    def hear(self, news: News) -> None:
        """Keep what is said."""
        self.news.append(news)
        self.said += [news.text] if news.text else []

    async def ask(self, question: Question) -> bool:
        """Keep the question."""
        self.asked.append(question)
        return self._answers

    async def probe(self, address: Address, pin: str | None) -> None:
        """Answer as the provider's port does."""
        self.tried.append(address)
        provider = next(one for one in self.sim.world.providers if one.host == address.host)
        lives = any(one.state == "active" for one in self.sim.world.deployments.values())
        is_dead = self.first_is_dead and address.host == self.tried[0].host
        if is_dead or not (provider.port_answers and lives):
            raise UnreachableError(f"{address} does not answer.")

    def costing(self) -> list[str]:
        """What exists and may cost."""
        self.sim.world.check()
        return [dseq for dseq, one in self.sim.world.deployments.items() if one.state == "active"]
