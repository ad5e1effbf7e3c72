"""The Deployments pane: what the account rents on Akash, what it costs, what is left behind; it needs no cluster."""

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal
from functools import partial
from time import monotonic
from typing import Any, ClassVar

from textual import work
from textual.geometry import Size
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Label

from cockpit.actions import Action
from cockpit.errors import AuthenticationError, CockpitError
from cockpit.operations.background import aside
from cockpit.operations.deployments import account
from cockpit.operations.deployments.looking import Look, look
from cockpit.operations.deployments.preview import deployment_preview
from cockpit.operations.deployments.register import Register, Row, read
from cockpit.operations.deployments.telling import DEPLOYMENTS, table_row
from cockpit.panes.glance import REST_SECONDS
from cockpit.panes.own_table import OwnTablePane
from cockpit.render.deployments import dollars, per_hour
from cockpit.render.preview import Preview
from cockpit.render.table import TableSpec
from cockpit.render.text import visible
from cockpit.widgets.table.state import Phase

# A token is made for each look, so a deployment is looked at again at most twice a minute.
DETAIL_SECONDS = 30.0
NEED_ROW = frozenset(
    (
        *(f"deployment_{verb}" for verb in ("close", "connect", "extend", "redeploy", "shell", "update")),
        "show_detail",
        "copy",
    )
)
NEED_CLUSTER = frozenset(("submit", "open_dashboard"))


class DeploymentsPane(OwnTablePane[Register]):
    """Asks the Console when it is shown and on request; what was seen last stays while it is asked again."""

    SPEC: ClassVar[TableSpec[Any]] = DEPLOYMENTS
    HANDLERS = {"show_detail": "deployment_actions:show_detail"}  # noqa: RUF012 - read only
    ROW = "Deployment"
    EMPTY = "No deployments. Press n to deploy an SDL."

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.register: Register | None = None
        self._is_looking = False
        self._details: dict[str, Look] = {}
        self._asked: dict[str, float] = {}
        self._rest: Timer | None = None

    def compose_below(self) -> Iterable[Widget]:
        """What all of them cost, or what could not be read."""
        return [Label("", id="deployments-status", markup=False)]

    # What there is

    def action_refresh(self) -> None:
        """Ask again."""
        if not self._is_looking:
            self._look()

    @work(group="deployments", exit_on_error=False)
    async def _look(self) -> None:
        self._is_looking = True
        if self.register is None:
            self.table.set_state(Phase.LOADING, "asking Akash Console…")
        try:
            async with await aside(account.open_console) as console:
                self.show_register(await read(console))
        except CockpitError as error:
            self._show_failure(error)
        finally:
            self._is_looking = False

    def show_register(self, register: Register) -> None:
        """Put what was found on the screen."""
        self.register = register
        self.table.set_rows([table_row(row) for row in register.rows])
        self.table.set_state(Phase.READY)
        self.query_one("#deployments-status", Label).update(visible(status_line(register)))
        self.post_message(self.StateChanged())
        self.show_preview()

    def _show_failure(self, error: CockpitError) -> None:
        """What was seen last stays; without a key there was nothing."""
        sentence = " ".join(part for part in (error.title, error.hint) if part)
        phase = Phase.FAILED if self.register is None or isinstance(error, AuthenticationError) else Phase.STALE
        self.table.set_state(phase, sentence)

    # The preview

    def preview(self, room: Size) -> Preview:
        """Its money, its services, and where they are reached."""
        row = self.row
        return (
            super().preview(room) if row is None else deployment_preview(row, self._details.get(row.dseq), room.width)
        )

    def preview_changed(self) -> None:
        """Ask for the services of the deployment under the cursor, once it has been still for a moment."""
        if self._rest is not None:
            self._rest.stop()
        row = self.row if self._is_awake and self.has_preview else None
        if row is not None and monotonic() - self._asked.get(row.dseq, -DETAIL_SECONDS) >= DETAIL_SECONDS:
            self._rest = self.set_timer(REST_SECONDS, partial(self._ask_services, row.dseq))

    @work(group="deployment-preview", exclusive=True, exit_on_error=False)
    async def _ask_services(self, dseq: str) -> None:
        self._asked[dseq] = monotonic()
        with suppress(CockpitError):  # keep what the list says; `deployments status` reports why
            async with await aside(account.open_console) as console:
                self._details[dseq] = await look(console, dseq)
        self.show_preview()

    @property
    def row(self) -> Row | None:
        """The deployment under the cursor."""
        rows = self.register.rows if self.register else ()
        return next((row for row in rows if row.dseq == self.table.row_key), None)

    # What is done

    def why_disabled(self, action: Action) -> str | None:
        """What needs a row needs one."""
        if action.name == "mark":
            return "Deployments are acted on one at a time."
        if action.name in NEED_CLUSTER and self.cluster is None:
            return "No cluster is open. Press ctrl+k to choose one."
        if action.name in NEED_ROW and self.row is None:
            return "No deployment is selected."
        return None


def status_line(register: Register) -> str:
    """What all deployments together cost, and what is wrong."""
    price = sum((row.usd_per_hour for row in register.rows if row.usd_per_hour), Decimal(0))
    spent = sum((row.spent_usd for row in register.rows if row.spent_usd), Decimal(0))
    parts = [f"{per_hour(price)} in all, {dollars(spent)} so far"] if register.rows else []
    orphans = sum(row.is_orphan for row in register.rows)
    parts += [f"{orphans} hold money without a lease: close them"] if orphans else []
    parts += [f"whether {one.title} was created is unknown" for one in register.unresolved]
    parts += [] if register.has_all else ["the list is not complete"]
    return " · ".join(parts)
