"""The submit dialog: one column, in the order in which people think."""

import asyncio
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Label, Static, TextArea

from cockpit.clients.ray import RayClient
from cockpit.errors import CockpitError, UsageError
from cockpit.model.uploads import UploadProgress
from cockpit.operations.jobs import submissions
from cockpit.operations.jobs.clone import command_line
from cockpit.operations.jobs.fields import SubmitFields, form_of
from cockpit.operations.jobs.submit import SubmitForm, prepare, submit
from cockpit.operations.jobs.upload import plan_upload
from cockpit.operations.sending import NO_CONSENT, Consent
from cockpit.render import upload as render
from cockpit.render.text import visible
from cockpit.screens.dialog import Dialog
from cockpit.secrets.names import DEFAULT_SCOPE
from cockpit.widgets.fields import Field, LinesField, PasteRefused
from cockpit.widgets.key_hints import Hint

PREVIEW_LINES = 4

ROWS = (
    ("entrypoint", "Command", "python train.py --epochs 3"),
    ("working_dir", "Code", "a directory or zip to upload, or a URI; empty for none"),
)
RESOURCES = (("num_cpus", "CPUs", "0"), ("num_gpus", "GPUs", "0"), ("memory", "Memory", "16Gi"))
MORE = (
    ("resources", "Resources", "NAME=AMOUNT …"),
    ("label_selector", "Labels", "ray.io/accelerator-type=H100 …"),
    ("metadata", "Metadata", "owner=mia experiment=7"),
    ("runtime_env", "Runtime env", "a YAML file, or JSON"),
    ("submission_id", "Id", "fresh if empty"),
)


class SubmitDialog(Dialog[str]):
    """Asks for everything that `rayakash-tui submit` takes, submits, and gives the submission id."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "Submit", show=False, priority=True),
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]
    HINTS = (
        Hint("ctrl+s", "submit", "submit"),
        Hint("tab", "next field"),
        Hint("esc", "cancel", "cancel", keep=True),
    )

    def __init__(
        self,
        client: RayClient,
        fields: SubmitFields | None = None,
        *,
        title: str = "Submit a job",
        withheld: tuple[str, ...] = (),
        secrets: tuple[str, ...] = (),
        scopes: tuple[str, ...] = (DEFAULT_SCOPE,),
        consent: Consent = NO_CONSENT,
    ) -> None:
        super().__init__(title)
        self._client = client
        self._fields = fields or SubmitFields()
        self._withheld = withheld
        self._secrets = secrets
        self._scopes = scopes
        self._consent = consent
        self._is_sending = False

    def contents(self) -> list[Widget]:
        """Fields, the upload preview, the equivalent command, and what went wrong."""
        return [
            VerticalScroll(
                *[self._row(*row) for row in ROWS],
                Static("", id="upload-preview", markup=False),
                Horizontal(*[self._row(*row) for row in RESOURCES], id="submit-amounts"),
                self._environment(),
                Vertical(*[self._row(*row) for row in MORE], id="submit-more"),
                id="submit-fields",
            ),
            Static("", id="submit-command", markup=False),
            Static("", id="submit-status", markup=False),
        ]

    def _row(self, name: str, label: str, placeholder: str) -> Widget:
        field = Field(getattr(self._fields, name), placeholder=placeholder, id=_id(name))
        return Horizontal(Label(label, classes="field-label", markup=False), field, classes="field")

    def _environment(self) -> Widget:
        area = LinesField(self._fields.environment, id=_id("environment"))
        names = (
            f"available secrets: {', '.join(self._secrets)}" if self._secrets else "KEY=ac-secret://NAME takes a secret"
        )
        hint = Label(names, classes="field-hint", markup=False)
        return Horizontal(Label("Env", classes="field-label"), Vertical(area, hint), classes="field", id="submit-env")

    def on_mount(self) -> None:
        """Show what the given fields mean."""
        self.query_one(f"#{_id('entrypoint')}").focus()
        self._show_command()
        self._preview()
        if self._withheld:
            names = ", ".join(self._withheld)
            self._say(f"Ray keeps the value of {names} to itself: fill it in.", "warn")

    @property
    def fields(self) -> SubmitFields:
        """What is typed."""
        texts = {name: self.query_one(f"#{_id(name)}", Input).value for name, *_ in (*ROWS, *RESOURCES, *MORE)}
        return SubmitFields(environment=self.query_one(TextArea).text, **texts)

    @on(Input.Changed)
    @on(TextArea.Changed)
    def _show_command(self) -> None:
        fields = self.fields
        try:
            text = command_line(form_of(fields)) if fields.entrypoint.strip() else ""
        except CockpitError as error:
            text = error.title
        self.query_one("#submit-command", Static).update(visible(text))

    @on(Input.Blurred, "#submit-working-dir")
    @on(Input.Submitted, "#submit-working-dir")
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
        except CockpitError as error:
            lines = [error.title, *([error.hint] if error.hint else [])]
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

    def action_submit(self) -> None:
        """Check, upload, submit."""
        if not self._is_sending:
            self._send()

    @work(exclusive=True, group="submissions", exit_on_error=False)
    async def _send(self) -> None:
        self._is_sending = True
        try:
            self._refuse_withheld()
            self._say("checking…")
            form = form_of(self.fields)
            prepared = await prepare(form, scopes=self._scopes, in_thread=True)
            self._say("submitting…")
            submission_id = await submit(self._client, prepared, consent=self._consent, progress=self._show_progress)
            await self._remember(form, submission_id)
        except CockpitError as error:
            self._say(" ".join(text for text in (error.title, error.hint) if text), "error")
        else:
            self.dismiss(submission_id)
        finally:
            self._is_sending = False

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


def _id(name: str) -> str:
    return "submit-" + name.replace("_", "-")
