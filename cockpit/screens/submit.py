"""The submit dialog: everything that `rayakash-tui submit` takes, checked field by field."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Static, TextArea

from cockpit.clients.ray import RayClient
from cockpit.errors import CockpitError, UsageError
from cockpit.feeds.patience import Patience
from cockpit.model.uploads import UploadProgress
from cockpit.operations.jobs import saved, submissions
from cockpit.operations.jobs.capacity import wait_for_capacity
from cockpit.operations.jobs.clone import command_line
from cockpit.operations.jobs.fields import SubmitFields, capacity_of, first_problem, form_of, problem_of
from cockpit.operations.jobs.local_code import forgotten_file
from cockpit.operations.jobs.submit import SubmitForm, prepare, submit
from cockpit.operations.jobs.upload import plan_upload
from cockpit.operations.sending import NO_CONSENT, Consent
from cockpit.render import upload as render
from cockpit.render.text import visible
from cockpit.screens.choose import Choose
from cockpit.screens.dialog import BETWEEN_FIELDS, Dialog
from cockpit.screens.prompt import Prompt
from cockpit.screens.submit_rows import SubmitRows, name_of
from cockpit.secrets.names import DEFAULT_SCOPE
from cockpit.widgets.fields import PasteRefused
from cockpit.widgets.key_hints import Hint

PREVIEW_LINES = 4
OUTAGE_SECONDS = 300.0


class SubmitDialog(Dialog[str]):
    """Submits, and gives the submission ID. What was typed when it is left with Esc goes to `on_left`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "Submit", show=False, priority=True),
        Binding("ctrl+r", "recall", "Saved jobs and earlier submissions", show=False, priority=True),
        Binding("f2", "save_as", "Save as a job file", show=False, priority=True),
        Binding("ctrl+n", "clear", "Empty all fields", show=False, priority=True),
        *BETWEEN_FIELDS,
    ]
    HINTS = (
        Hint("ctrl+s", "submit", "submit"),
        Hint("tab", "next, complete"),
        Hint("ctrl+r", "saved jobs", "recall"),
        Hint("F2", "save as", "save_as"),
        Hint("ctrl+n", "empty", "clear"),
        Hint("esc", "close", "cancel", keep=True),
    )

    def __init__(
        self,
        client: RayClient,
        fields: SubmitFields | None = None,
        *,
        title: str = "Submit a job",
        withheld: tuple[str, ...] = (),
        package: str | None = None,
        secrets: tuple[str, ...] = (),
        scopes: tuple[str, ...] = (DEFAULT_SCOPE,),
        consent: Consent = NO_CONSENT,
        note: str = "",
        on_left: Callable[[SubmitFields], None] = lambda _: None,
    ) -> None:
        super().__init__(title)
        self._client = client
        self._fields = fields or SubmitFields()
        self._withheld = withheld
        self._package = package
        self._secrets = secrets
        self._scopes = scopes
        self._consent = consent
        self._note = note
        self._on_left = on_left
        self._is_sending = False

    def contents(self) -> list[Widget]:
        """Fields, the equivalent command, what went wrong, and the button."""
        about = (
            f"Stored secrets: {', '.join(self._secrets)}" if self._secrets else "KEY=ac-secret://NAME takes a secret"
        )
        rows = SubmitRows(self._fields, about_secrets=visible(about), package=self._package)
        return [
            VerticalScroll(rows, id="submit-fields", can_focus=False),
            Static("", id="submit-command", markup=False),
            Static("", id="submit-status", markup=False),
            Button("Submit", id="submit-button", variant="primary", compact=True),
        ]

    def on_mount(self) -> None:
        """Show what the given fields mean."""
        self._rows.go_to("entrypoint")
        self._show_command()
        self._preview()
        if self._withheld:
            names = ", ".join(self._withheld)
            self._say(f"The value of {names} is not known here: fill it in.", "warn")
        elif self._note:
            self._say(self._note, "warn")

    @property
    def _rows(self) -> SubmitRows:
        return self.query_one(SubmitRows)

    @property
    def fields(self) -> SubmitFields:
        """What is typed."""
        return self._rows.fields

    def action_cancel(self) -> None:
        """Leave, and keep what was typed for the next time."""
        self._on_left(self.fields)
        self.dismiss(None)

    def action_clear(self) -> None:
        """Begin with empty fields."""
        self._fill(SubmitFields())

    def _fill(self, fields: SubmitFields, note: str = "") -> None:
        self._withheld = ()
        self._rows.fill(fields)
        self._rows.go_to("entrypoint")
        self._say(note)
        self._preview()

    # While one types

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _show_command(self) -> None:
        fields = self.fields
        try:
            text = command_line(form_of(fields)) if fields.entrypoint.strip() else ""
        except CockpitError:
            text = ""  # what is wrong is said at the field once it is left
        self.query_one("#submit-command", Static).update(visible(text))

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """A field that is left is checked."""
        name = name_of(event.widget)
        if name is not None and not self._is_left:
            self._check(name)

    def _check(self, name: str) -> None:
        error = problem_of(self.fields, name)
        self._rows.show_problem(name, _sentence(error) if error is not None else "")

    @on(Input.Submitted)
    def _next_field(self) -> None:
        self.focus_next()

    @on(Input.Blurred, "#submit-working-dir")
    def _look_at_directory(self) -> None:
        self._preview()

    @work(exclusive=True, group="previews", exit_on_error=False)
    async def _preview(self) -> None:
        """What an upload would send, beside the field that names it."""
        source = self.fields.working_dir.strip()
        if not source:
            self._show_preview("")
            return
        self._show_preview("looking…")
        try:
            plan = await plan_upload(source)
            # What goes with it unnoticed matters more than what stays behind.
            lines = [render.summary(plan), *render.warnings(plan), *render.excluded(plan)]
            self._rows.show_problem("working_dir", "")
        except CockpitError as error:
            lines = []
            self._rows.show_problem("working_dir", _sentence(error))
        more = (
            [f"… {len(lines) - PREVIEW_LINES} more lines with `rayakash-tui submit`"]
            if len(lines) > PREVIEW_LINES
            else []
        )
        self._show_preview("\n".join([*lines[:PREVIEW_LINES], *more]))

    def _show_preview(self, text: str) -> None:
        preview = self.query_one("#upload-preview", Static)
        preview.update("\n".join(map(visible, text.split("\n"))))
        preview.display = bool(text)

    # Saved jobs

    @work(exclusive=True, group="recall", exit_on_error=False)
    async def action_recall(self) -> None:
        """Take a saved job, a sample of the gallery, or an earlier submission."""
        from cockpit.screens.recall import recall

        try:
            found = await recall(self.app)
        except CockpitError as error:
            self._say(_sentence(error), "error")
            return
        if found is not None:
            self._fill(found.fields, found.note)
            self._withheld = found.withheld

    @work(exclusive=True, group="recall", exit_on_error=False)
    async def action_save_as(self) -> None:
        """Write what is typed into a job file."""
        if (form := self._checked()) is None:
            return
        folder = form.working_dir if form.working_dir and "://" not in form.working_dir else "."
        title = "Save as a job file for `submit -f`"
        path = await self.app.push_screen_wait(Prompt(title, str(Path(folder) / saved.LOCAL)))
        if not path:
            return
        try:
            written = await asyncio.to_thread(saved.save, form, capacity_of(self.fields), Path(path))
        except CockpitError as error:
            self._say(_sentence(error), "error")
        else:
            self._say(f"Saved {written}.")

    # Submitting

    @on(Button.Pressed)
    def action_submit(self) -> None:
        """Check, upload, submit."""
        if not self._is_sending:
            self._send()

    def _checked(self) -> SubmitForm | None:
        """The form; None where a field is wrong, which then has the keys and says why."""
        fields = self.fields
        found = first_problem(fields)
        if found is None:
            try:
                self._refuse_withheld()
                return form_of(fields)
            except UsageError as error:
                found = "environment", error
        name, problem = found
        self._say("")
        self._rows.show_problem(name, _sentence(problem))
        self._rows.go_to(name)
        return None

    @work(exclusive=True, group="submissions", exit_on_error=False)
    async def _send(self) -> None:
        self._is_sending = True
        try:
            form = self._checked()
            if form is None or not await self._has_code(form):
                return
            form = form_of(self.fields)
            self._say("checking…")
            prepared = await prepare(form, scopes=self._scopes, in_thread=True)
            await self._wait()
            self._say("submitting…")
            submission_id = await submit(self._client, prepared, consent=self._consent, progress=self._show_progress)
            await self._remember(form, submission_id)
        except CockpitError as error:
            self._say(_sentence(error), "error")
        else:
            self.dismiss(submission_id)
        finally:
            self._is_sending = False

    async def _has_code(self, form: SubmitForm) -> bool:
        """Ask where the command names a file that is here and no directory is sent; False is back to the fields."""
        name = forgotten_file(form)
        if name is None:
            return True
        title = f"{name} is here, but the job is sent without a directory."
        options = [
            ("send", f"Send this directory: {Path.cwd()}"),
            ("without", "The cluster has the file"),
            ("back", "Back"),
        ]
        answer = await self.app.push_screen_wait(Choose(title, options))
        if answer == "send":
            self.query_one("#submit-working-dir", Input).value = "."
        elif answer != "without":
            self._rows.go_to("working_dir")
        return answer in ("send", "without")

    async def _wait(self) -> None:
        """Hold the job back until the cluster has what it needs; Esc ends the wait, and nothing was sent."""
        await wait_for_capacity(
            self._client,
            capacity_of(self.fields),
            patience=Patience(OUTAGE_SECONDS),
            on_missing=lambda text: self._say(f"Waiting: the cluster has {text}. Nothing is sent yet.", "warn"),
        )

    async def _remember(self, form: SubmitForm, submission_id: str) -> None:
        """Keep the form for the next time; the job runs, so a record that cannot be written is a warning."""
        try:
            await asyncio.to_thread(submissions.remember, form, submission_id, address=self._client.address)
        except CockpitError as error:
            self.app.notify(visible(error.title), title="Not in the history", severity="warning", markup=False)

    def _refuse_withheld(self) -> None:
        environment = form_of(self.fields).environment
        empty = [name for name in self._withheld if name in environment and not environment[name]]
        if empty:
            raise UsageError(f"{', '.join(empty)} has no value.", hint="Fill it in, or remove its line.")

    def _show_progress(self, progress: UploadProgress) -> None:
        self._say(render.progress(progress))

    def _say(self, text: str, tone: str = "") -> None:
        status = self.query_one("#submit-status", Static)
        status.set_classes(tone)
        status.update(visible(text))

    @on(PasteRefused)
    def _tell_refused(self, message: PasteRefused) -> None:
        message.stop()
        self._say(f"{message.characters:,} characters are too many for a field; nothing was pasted.", "error")


def _sentence(error: CockpitError) -> str:
    return " ".join(text for text in (error.title, error.hint) if text)
