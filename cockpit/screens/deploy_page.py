"""The deploy screen: plan, bids, lease, start, ready; at every step it says what exists and what it costs."""

import asyncio
import re
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ClassVar, Literal, TypeAlias

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Label, Static

from cockpit.clients.akash.console import ConsoleClient
from cockpit.errors import CockpitError
from cockpit.operations.background import aside
from cockpit.operations.deployments import account
from cockpit.operations.deployments.bids import HandPicked, key_of
from cockpit.operations.deployments.ending import Ended
from cockpit.operations.deployments.flow import Terms
from cockpit.operations.deployments.journal import Attempt
from cockpit.operations.deployments.news import RUN_PHASES, News
from cockpit.operations.deployments.progress import Progress
from cockpit.operations.deployments.progress_words import bid_table_row, end_words, service_lines
from cockpit.operations.deployments.reaching import Ready
from cockpit.operations.deployments.replacing import REPLACE
from cockpit.operations.deployments.telling import BID_COLUMNS, what_costs
from cockpit.operations.question import Question
from cockpit.render.cell_text import tamed
from cockpit.render.deployments import per_hour
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.text import visible
from cockpit.render.units import countdown
from cockpit.screens.choose import Choose
from cockpit.screens.confirm import Confirm
from cockpit.screens.dialog import Dialog
from cockpit.widgets.key_hints import Hint, KeyHints
from cockpit.widgets.live_table import LiveTable

Answer: TypeAlias = Literal["yes", "change", "run", "no"]
STAY, LEAVE, CLOSE = "stay", "leave", "close"
SAID_LINES, SAID_LINES_LOW = 6, 2
LOW = 30
_COLOR = re.compile("\x1b\\[[0-9;:]*m")


class Job:
    """What the page carries out: `run` is one deployment from its plan, or from where it was left, to its end.

    `attempt` tells where it is by its journal, `close` ends what exists.
    """

    def __init__(
        self,
        run: Callable[["DeployPage", ConsoleClient], Awaitable[Ready | None]],
        attempt: Callable[[], Attempt | None],
        close: Callable[[ConsoleClient, Attempt], Awaitable[Ended | None]],
    ) -> None:
        self.run = run
        self.attempt = attempt
        self.close = close


class DeployPage(Dialog[Ready]):
    """One deployment on its way; its result is the cluster that answers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "cancel", "Leave", show=False, priority=True),
        Binding("tab", "turn(1)", "Next service", show=False, priority=True),
        Binding("shift+tab", "turn(-1)", "Service before", show=False, priority=True),
        Binding("enter", "go_on", "Go on", show=False),
        Binding("e", "answer('change')", "Runtime and price", show=False),
        Binding("j", "answer('run')", "A job for it", show=False),
    ]

    def __init__(self, name: str, job: Job, *, glyphs: Glyphs = UNICODE, verb: str = "Deploy") -> None:
        super().__init__(f"{verb} {name}")
        self._job = job
        self._glyphs = glyphs
        self._akash: ConsoleClient | None = None
        self.progress = Progress()
        self.hand = HandPicked()
        self._asked: Question | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._failed: CockpitError | None = None
        self._ended: Ended | None = None
        self._before_end = ""
        self._ready: Ready | None = None
        self._is_closing = False
        self._service = ""
        self._groups: dict[int, str] = {}
        self._cap_words = ""
        self.log_title = ""
        """What the output of a job is called."""

    # --- what it is made of ---

    def contents(self) -> list[Widget]:
        """The steps, a line about this one, its details, and the messages."""
        table = LiveTable(BID_COLUMNS, glyphs=self._glyphs, id="deploy-bids")
        table.empty_sentence = "No bids yet. The first usually come within 30 s."
        return [
            Static("", id="deploy-steps"),
            Label("Checking the SDL, who could bid, and your balance…", id="deploy-state", markup=False),
            VerticalScroll(Static("", id="deploy-plan"), id="deploy-plan-scroll"),
            table,
            Static("", id="deploy-services", markup=False),
            VerticalScroll(Static("", id="deploy-output", markup=False), id="deploy-output-scroll"),
            Static("", id="deploy-said", markup=False),
            Label("", id="deploy-money", markup=False),
        ]

    def on_mount(self) -> None:
        """Begin, and have the clocks move."""
        self.set_interval(1.0, self.draw)
        self.draw()
        self._work = self.run_worker(self._carry_out(), group="deploy", exit_on_error=False)

    async def _carry_out(self) -> None:
        try:
            async with await aside(account.open_console) as console:
                self._akash = console
                ready = await self._job.run(self, console)
        except CockpitError as error:
            self._failed = error
            self.draw()
            return
        if self._ended is not None:
            self.draw()
            return
        if ready is None:
            self.dismiss(None)
            return
        self._ready = ready
        if ready.context is not None:
            self.dismiss(ready)
        self.draw()

    # --- what the flow tells and asks ---

    def hear(self, news: News) -> None:
        """Something happened."""
        self._asked = None
        self.progress.hear(news, self._now)
        self.draw()

    def use(self, terms: Terms, *, groups: dict[int, str], cap_words: str) -> Terms:
        """The terms with a person's choice among bids; `groups` are names by number, where there are several."""
        self._groups, self._cap_words = groups, cap_words
        return Terms(bid_timeout_s=terms.bid_timeout_s, hand=self.hand)

    async def agree(self, question: Question) -> Answer:
        """Show the plan, and wait for a key."""
        self._asked, self._answer = question, asyncio.get_running_loop().create_future()
        self.draw()
        try:
            return await self._answer
        finally:
            self._answer = None

    def show_end(self, ended: Ended, before: str = "") -> None:
        """All is done and closed: the page stays, and says so after what went `before`."""
        self._ended, self._before_end = ended, before
        self.draw()

    @property
    def ended(self) -> Ended | None:
        """What was closed from this page."""
        return self._ended

    async def ask(self, question: Question) -> bool:
        """Ask something that comes up later, such as whether to rent elsewhere."""
        answer = await self.app.push_screen_wait(Confirm(question.text, (), " ".join(question.lines)))
        return bool(answer)

    @asynccontextmanager
    async def closing(self) -> AsyncIterator[None]:
        """While a deployment that is replaced is closed: the page is not left until that is proven."""
        self._asked, self._is_closing = None, True
        self.draw()
        try:
            yield
        finally:
            self._is_closing = False
            self.draw()

    # --- keys ---

    def action_go_on(self) -> None:
        """Agree to the plan."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result("yes")
        elif self._failed is not None or self._ready is not None or self._ended is not None:
            self.action_cancel()

    def action_answer(self, answer: Answer) -> None:
        """Change the plan before agreeing to it: another runtime or price limit, or a job to run."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    @on(LiveTable.RowSelected)
    def _take_bid(self, event: LiveTable.RowSelected) -> None:
        row = next((one for one in self.progress.bids if key_of(one.bid) == event.key), None)
        if row is None or self.progress.phase != "bids":
            return
        if self.hand.cap is not None and row.usd_per_hour > self.hand.cap:
            notice = f"{per_hour(row.usd_per_hour)} is more than you agreed to: {per_hour(self.hand.cap)}."
            self.notify(notice, severity="warning", markup=False)
            return
        self.hand.pick(row)
        if len(self._group_names) > len(self.hand.keys):
            self.notify(f"Chosen for {self._group_names[row.bid.id.gseq]}. Choose one for each group.", markup=False)
        self.draw()

    @property
    def _group_names(self) -> dict[int, str]:
        """The groups by number where there are several: as the SDL names them, where it is at hand."""
        numbers = {row.bid.id.gseq for row in self.progress.bids} | set(self._groups)
        return {one: self._groups.get(one, f"group {one}") for one in numbers} if len(numbers) > 1 else {}

    def action_turn(self, by: int) -> None:
        """Show the events and the log of another service."""
        names = [one.name for one in self.progress.start.services] if self.progress.start else []
        if names:
            at = names.index(self._shown_service) if self._shown_service in names else 0
            self._service = names[(at + by) % len(names)]
            self.draw()

    def action_cancel(self) -> None:
        """Leave; where something exists, ask what is to become of it."""
        attempt = self._attempt
        if self._is_closing:
            self.notify("Closing is being proven; this takes up to three minutes.", markup=False)
        elif self._ended is not None or self._ready is not None or attempt is None or not attempt.may_cost:
            self._work.cancel()
            self.dismiss(self._ready)
        else:
            self.run_worker(self._leave(attempt), group="leave", exclusive=True, exit_on_error=False)

    async def _leave(self, attempt: Attempt) -> None:
        options = [
            (CLOSE, "Close it: its data is lost, its cost ends"),
            (LEAVE, "Leave it: R in Deployments (7) resumes it"),
            (STAY, "Stay here"),
        ]
        answer = await self.app.push_screen_wait(Choose(what_costs(attempt, self._now), options))
        if answer == LEAVE:
            self._work.cancel()
            self.dismiss(None)
        elif answer == CLOSE and self._akash is not None:
            self._work.cancel()
            await self._close(attempt)

    async def _close(self, attempt: Attempt) -> None:
        self._is_closing, self._failed = True, None
        self.draw()
        try:
            async with await aside(account.open_console) as console:
                self._ended = await self._job.close(console, self._attempt or attempt)
        except CockpitError as error:
            self._failed = error
        finally:
            self._is_closing = False
        if self._ended is None and self._failed is None:
            self._ended = Ended(dseq="")
        self.draw()

    # --- what is seen ---

    @property
    def _now(self) -> float:
        return self._akash.clock.now().wall if self._akash is not None else 0.0

    @property
    def _costs(self) -> bool:
        attempt = self._attempt
        return attempt is not None and attempt.may_cost

    @property
    def _attempt(self) -> Attempt | None:
        return self._job.attempt()

    def draw(self) -> None:
        """Show how things are now."""
        if not self.is_mounted:
            return
        phase = self.progress.phase
        self.query_one("#deploy-steps", Static).update(self._steps())
        self.query_one("#deploy-state", Label).update(_safe(self._state_line()))
        self._draw_plan()
        self._draw_bids()
        self._draw_start()
        self.query_one("#deploy-said", Static).update(_safe("\n".join(self._last_said())))
        self.query_one("#deploy-said").display = phase != "plan" or bool(self.progress.said)
        attempt = self._attempt
        money = what_costs(attempt, self._now) if attempt is not None and not self._is_closing else ""
        self.query_one("#deploy-money", Label).update(_safe(money))
        self.query_one("#deploy-money", Label).set_class(attempt is not None and attempt.may_cost, "-costs")
        self.query_one("#dialog-hints", KeyHints).show(self._hints())

    def _last_said(self) -> list[str]:
        """The last sentences that have room, long ones wrapped."""
        room = SAID_LINES if self.size.height >= LOW else SAID_LINES_LOW
        width, found = max(20, self.size.width - 4), list[str]()
        for text in reversed(self.progress.said):
            room -= len(textwrap.wrap(text, width)) or 1
            if room < 0 and found:
                break
            found.insert(0, text)
        return found

    def _steps(self) -> Content:
        phases = self.progress.phases
        names = [f"{number} {phase.title()}" for number, phase in enumerate(phases, 1)]
        here = phases.index(self.progress.phase)
        tones = ["$text-muted" if at < here else "bold $text-primary" if at == here else "" for at in range(len(names))]
        gap = Content(f" {'>' if self._glyphs.is_ascii else '▸'} ")
        return gap.join([Content.styled(name, tone) for name, tone in zip(names, tones, strict=True)])

    def _state_line(self) -> str:
        progress = self.progress
        if self._is_closing:
            return "Closing; confirming it takes up to three minutes."
        if self._ended is not None:
            return f"{self._before_end} {end_words(self._ended)}".strip()
        if self._failed is not None:
            return " ".join(part for part in (self._failed.title, self._failed.hint) if part)
        if self._asked is not None:
            return self._asked.text
        left = None if progress.bids_close_at is None else progress.bids_close_at - self._now
        match progress.phase:
            case "bids" if progress.bids:
                limit = f" {self._cap_words}" if self._cap_words else ""
                clock = f", open for {countdown(left)}" if left is not None else ""
                return f"{len(progress.bids)} bid{'s' if len(progress.bids) != 1 else ''}{clock}.{limit}"
            case "bids":
                return "Waiting for bids."
            case "start" | "ready" if progress.start is not None:
                return self._start_line()
        return progress.said[-1] if progress.said else "Checking the SDL, who could bid, and your balance…"

    def _start_line(self) -> str:
        start = self.progress.start
        assert start is not None
        if start.closes_at is None:
            return self.progress.said[-1] if self.progress.said else ""
        culprit = start.culprit
        waits = f"{culprit.name} is not ready. " if culprit else ""
        return f"{waits}The provider closes the lease in {countdown(start.closes_at - self._now)} unless all are ready."

    def _draw_plan(self) -> None:
        scroll = self.query_one("#deploy-plan-scroll")
        scroll.display = self.progress.phase == "plan"
        if self._asked is not None:
            lines = self._asked.lines
            tones = ["bold $text-error" if line in self._asked.alarms else "" for line in lines]
            shown = [Content.styled(_safe(line), tone) for line, tone in zip(lines, tones, strict=True)]
            self.query_one("#deploy-plan", Static).update(Content("\n").join(shown))

    def _draw_bids(self) -> None:
        table = self.query_one("#deploy-bids", LiveTable)
        is_seen = self.progress.phase in ("bids", "lease") and self._ended is None
        if is_seen and not table.display:
            table.display = True
            table.focus()
        table.display = is_seen
        if is_seen:
            table.set_rows(
                [bid_table_row(row, self._group_names.get(row.bid.id.gseq, "")) for row in self.progress.bids]
            )
            table.set_marks(self.hand.keys.values())

    @property
    def _shown_service(self) -> str:
        """The service that was turned to, else the one that keeps the others waiting."""
        start = self.progress.start
        if start is None:
            return ""
        culprit = start.culprit or next(iter(start.services), None)
        return self._service or (culprit.name if culprit else "")

    def _draw_start(self) -> None:
        is_running = self.progress.phase in RUN_PHASES
        start = self.progress.start if self.progress.phase in ("start", "ready") else None
        self.query_one("#deploy-services").display = start is not None
        self.query_one("#deploy-output-scroll").display = start is not None or is_running
        if is_running:
            self._show_output(self.log_title, _lines(self.progress.output) or ["Nothing was written yet."])
        if start is None:
            return
        self.query_one("#deploy-services", Static).update(_safe("\n".join(service_lines(start, self._shown_service))))
        one = next((one for one in start.services if one.name == self._shown_service), None)
        lines = [*one.events[-8:], *one.log] if one else []
        self._show_output(f"{one.name}: events and log" if one else "", lines or ["Nothing was reported yet."])

    def _show_output(self, title: str, lines: list[str]) -> None:
        scroll = self.query_one("#deploy-output-scroll")
        scroll.border_title = _safe(title)
        self.query_one("#deploy-output", Static).update(_safe("\n".join(lines)))
        if scroll.is_vertical_scroll_end:
            self.call_after_refresh(scroll.scroll_end, animate=False)

    def _hints(self) -> list[Hint]:
        leave = Hint("esc", "close or leave", "cancel", keep=True)
        if self._ended is not None or self._ready is not None or (not self._costs and self._failed is not None):
            return [Hint("esc", "close the page", "cancel", keep=True)]
        if self._failed is not None:
            return [leave]
        if self._asked is not None:
            return [
                Hint("⏎", "close it, ask for bids" if self._asked.about == REPLACE else "ask for bids", "go_on"),
                Hint("e", "runtime and price", "answer('change')"),
                Hint("j", "job", "answer('run')"),
                Hint("esc", "back, nothing is rented", "cancel", keep=True),
            ]
        if self.progress.phase == "bids":
            return [Hint("↑↓", "choose"), Hint("⏎", "take it"), leave]
        if self.progress.phase in ("start", "ready"):
            return [Hint("tab", "next service", "turn(1)"), leave]
        return [leave]


def _lines(output: bytes) -> list[str]:
    """What a job wrote, without colors; of a line that was written over, what stands there."""
    text = _COLOR.sub("", output.decode("utf-8", "replace"))
    return [line.rstrip("\r").rpartition("\r")[2] for line in text.splitlines()]


def _safe(text: str) -> str:
    return tamed("\n".join(map(visible, text.split("\n"))))
