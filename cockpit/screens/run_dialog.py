"""The dialog that asks what a cluster is rented for: a job file, when to close, and what to copy out before."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Label

from cockpit.errors import CockpitError
from cockpit.operations.deployments.run_plan import RunPlan, close_when_of
from cockpit.operations.sdl_editor.paths import completed, paths_beginning
from cockpit.render.cell_text import tamed
from cockpit.render.text import visible
from cockpit.screens.dialog import BETWEEN_FIELDS, Dialog
from cockpit.widgets.fields import Field
from cockpit.widgets.key_hints import Hint

KEEP = "keep"


class RunDialog(Dialog[RunPlan]):
    """Asks for a job and its end; `check` raises CockpitError for a plan that cannot be carried out.

    A plan without a job and without an end means a cluster alone.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False, priority=True),
        *BETWEEN_FIELDS,
    ]
    HINTS = (
        Hint("⏎", "take it", "submit"),
        Hint("↑↓", "fields"),
        Hint("tab", "complete a path"),
        Hint("esc", "cancel", "cancel", keep=True),
    )

    def __init__(
        self, before: RunPlan | None, check: Callable[[RunPlan], Awaitable[None]], *, likely: str = ""
    ) -> None:
        super().__init__("A job for this cluster")
        self._before = before
        self._check = check
        self._likely = likely

    def contents(self) -> list[Widget]:
        """Four fields, and what is wrong with them."""
        plan = self._before or RunPlan()
        job = str(plan.job) if plan.job else self._likely if self._before is None else ""
        when = plan.close_when.text if plan.close_when else "done" if self._before is None else KEEP
        return [
            Label("job file to submit and follow (empty: none)", classes="secret-label"),
            Field(job, placeholder="job.yaml", id="run-job"),
            Label("close when: done, idle:30m, or keep", classes="secret-label"),
            Field(when, placeholder=KEEP, id="run-close"),
            Label("results to copy out before, as SERVICE:PATH (empty: none)", classes="secret-label"),
            Field(" ".join(plan.fetch), placeholder="ray-head:/home/ray/results", id="run-fetch"),
            Label("folder on this machine for results and logs", classes="secret-label"),
            Field(str(plan.into), id="run-into"),
            Label("", id="run-problem", classes="dialog-problem", markup=False),
        ]

    def on_mount(self) -> None:
        """One can type at once."""
        self.query_one("#run-job").focus()

    def action_complete(self) -> None:
        """Complete a path; in other fields, go to the next."""
        field = self.focused
        if not isinstance(field, Input) or field.id not in ("run-job", "run-into") or not field.value:
            self.focus_next()
            return
        found = paths_beginning(field.value)
        if found:
            field.value = completed(field.value, found)
            field.cursor_position = len(field.value)

    def _plan(self) -> RunPlan:
        """What was typed. Raises UsageError."""
        job, when, fetch, into = (field.value.strip() for field in self.query(Field))
        plan = RunPlan(
            job=Path(job).expanduser().absolute() if job else None,
            close_when=None if when in ("", KEEP) else close_when_of(when),
            fetch=tuple(fetch.split()),
            into=Path(into or ".").expanduser(),
        )
        plan.check()
        return plan

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Give what was typed; what cannot be carried out is said."""
        self._take()

    @work(exclusive=True, exit_on_error=False)
    async def _take(self) -> None:
        problem = self.query_one("#run-problem", Label)
        try:
            plan = self._plan()
            await self._check(plan)
        except CockpitError as error:
            problem.update(tamed(visible(" ".join(part for part in (error.title, error.detail, error.hint) if part))))
            return
        self.dismiss(plan)
