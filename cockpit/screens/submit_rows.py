"""The fields of the submit dialog: sections, labels, placeholders, and what is wrong below each."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from cockpit.operations.background import aside
from cockpit.operations.jobs.fields import SubmitFields
from cockpit.operations.sdl_editor.paths import completed, paths_beginning
from cockpit.render.text import visible
from cockpit.widgets.fields import Field, LinesField

COMMAND = ("entrypoint", "Command", "for example: python train.py --epochs 3")
CODE = ("working_dir", "Directory", "a directory or zip to upload, or a URI; empty for none")
AMOUNTS = (("num_cpus", "CPUs", "none"), ("num_gpus", "GPUs", "none"), ("memory", "Memory", "such as 16Gi"))
WAIT = ("wait_for", "Wait for", "until the cluster has: gpus=8 nodes=2 timeout=30m")
MORE = (
    ("resources", "Resources", "NAME=AMOUNT …"),
    ("label_selector", "Labels", "ray.io/accelerator-type=H100 …"),
    ("metadata", "Metadata", "owner=mia experiment=7"),
    ("runtime_env", "Runtime env", "a YAML file, or JSON"),
    ("submission_id", "ID", "a new one if empty"),
)
LINES = (COMMAND, CODE, *AMOUNTS, WAIT, *MORE)
ARCHIVES = (".zip",)


def widget_id(name: str) -> str:
    """The ID of a field's widget."""
    return "submit-" + name.replace("_", "-")


class PathField(Field):
    """A field for the path of a directory or archive; Tab completes it, and leaves it where nothing is to complete."""

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "tab" and self.value and "://" not in self.value:
            typed = self.value
            found = await aside(lambda: paths_beginning(typed, ARCHIVES))
            whole = completed(typed, found)
            # The name of a directory is whole without its slash: Tab leaves it then.
            if whole not in (typed, typed + "/") and self.value == typed:
                self.value = whole
                self.cursor_position = len(whole)
                event.stop()
                event.prevent_default()  # and Textual passes the event to the field's own handler by itself


class Fold(Static, can_focus=True):
    """The title of a section that is folded: Enter, space or a click shows or hides what is below."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "fold", "Show or hide", show=False)]

    class Toggled(Message):
        """It was opened or closed."""

    def __init__(self, title: str, about: str) -> None:
        super().__init__("", markup=False, classes="submit-section", id="submit-fold")
        self._title, self._about = title, about
        self.is_open = False

    def on_mount(self) -> None:
        """Say what is folded."""
        self.open(self.is_open)

    def open(self, is_open: bool) -> None:
        """Show or hide what is below."""
        self.is_open = is_open
        self.update(f"▾ {self._title}" if is_open else f"▸ {self._title}  {self._about}")
        self.post_message(self.Toggled())

    def action_fold(self) -> None:
        """The other way."""
        self.open(not self.is_open)

    def on_click(self) -> None:
        """As Enter does."""
        self.action_fold()


class SubmitRows(Vertical):
    """All fields, in the order in which people think."""

    def __init__(self, fields: SubmitFields, *, about_secrets: str, package: str | None) -> None:
        super().__init__(id="submit-rows")
        self._given = fields
        self._about_secrets = about_secrets
        self._package = package

    def compose(self) -> ComposeResult:
        """Sections, and the rows of each."""
        yield _section("What")
        yield from self._row(*COMMAND)
        yield _section("Code")
        yield from self._row(*CODE, kind=PathField)
        if self._package is not None:
            sent = f"Sends today's code. The job ran with {self._package}; write that to run it again unchanged."
            yield Label(visible(sent), classes="field-hint field-note", markup=False)
        yield Static("", id="upload-preview", markup=False)
        yield _section("Needs")
        yield Horizontal(*[self._cell(*one) for one in AMOUNTS], id="submit-amounts")
        yield from [_error(name) for name, *_ in AMOUNTS]
        yield from self._row(*WAIT)
        yield _section("Environment")
        yield self._environment()
        yield _error("environment")
        yield Fold("More", "resources, labels, metadata, runtime environment, ID")
        yield Vertical(*[widget for one in MORE for widget in self._row(*one)], id="submit-more")

    def on_mount(self) -> None:
        """What is filled in is not folded away."""
        is_used = any(getattr(self._given, name) for name, *_ in MORE)
        self.query_one(Fold).open(is_used)

    def _row(self, name: str, label: str, placeholder: str, *, kind: type[Field] = Field) -> Sequence[Widget]:
        return [self._cell(name, label, placeholder, kind=kind), _error(name)]

    def _cell(self, name: str, label: str, placeholder: str, *, kind: type[Field] = Field) -> Widget:
        field = kind(getattr(self._given, name), placeholder=placeholder, id=widget_id(name))
        return Horizontal(Label(label, classes="field-label", markup=False), field, classes="field")

    def _environment(self) -> Widget:
        area = LinesField(self._given.environment, id=widget_id("environment"))
        hint = Label(self._about_secrets, classes="field-hint", markup=False)
        title = Label("Variables", classes="field-label", markup=False)
        return Horizontal(title, Vertical(area, hint), classes="field", id="submit-env")

    @on(Fold.Toggled)
    def _fold(self, event: Fold.Toggled) -> None:
        event.stop()
        self.query_one("#submit-more").display = self.query_one(Fold).is_open

    # What is typed

    @property
    def fields(self) -> SubmitFields:
        """What is typed."""
        texts = {name: self.query_one(f"#{widget_id(name)}", Input).value for name, *_ in LINES}
        return SubmitFields(environment=self.query_one(LinesField).text, **texts)

    def fill(self, fields: SubmitFields) -> None:
        """Put other texts into all fields."""
        for name, *_ in LINES:
            self.query_one(f"#{widget_id(name)}", Input).value = getattr(fields, name)
            self.show_problem(name, "")
        self.query_one(LinesField).text = fields.environment
        self.show_problem("environment", "")
        if any(getattr(fields, name) for name, *_ in MORE):
            self.query_one(Fold).open(True)

    def show_problem(self, name: str, text: str) -> None:
        """Say below a field what is wrong with it; nothing where nothing is."""
        label = self.query_one(f"#{widget_id(name)}-problem", Label)
        if str(label.content) != text:
            label.update(visible(text))
        label.display = bool(text)

    def go_to(self, name: str) -> None:
        """Put the keys into a field, wherever it is."""
        if name in [one for one, *_ in MORE]:
            self.query_one(Fold).open(True)
        self.query_one(f"#{widget_id(name)}").focus()
        self.call_after_refresh(self._bring, name)

    def _bring(self, name: str) -> None:
        """Scroll to a field, and to what is wrong with it below."""
        for widget in (f"#{widget_id(name)}", f"#{widget_id(name)}-problem"):
            self.query_one(widget).scroll_visible(animate=False)


def name_of(widget: Widget) -> str | None:
    """The name of the field that a widget is; None for any other."""
    names = {widget_id(name): name for name in (*(name for name, *_ in LINES), "environment")}
    return names.get(widget.id or "")


def _section(title: str) -> Label:
    return Label(title, classes="submit-section", markup=False)


def _error(name: str) -> Label:
    label = Label("", classes="field-problem", markup=False, id=f"{widget_id(name)}-problem")
    label.display = False
    return label
