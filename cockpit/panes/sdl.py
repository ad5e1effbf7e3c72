"""The SDL pane: form and text on one document, its problems below; it works without any cluster."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from cockpit.actions import Action, key_name
from cockpit.errors import CockpitError, UsageError
from cockpit.feeds.watch import Watch
from cockpit.operations.background import aside
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.sdl_editor.check import Check, check, secret_places
from cockpit.operations.sdl_editor.choices import asks_market, choices_of, words_of
from cockpit.operations.sdl_editor.editing import Moved
from cockpit.operations.sdl_editor.form_edits import SECRET, edit_of
from cockpit.operations.sdl_editor.form_removals import removal_of
from cockpit.operations.sdl_editor.form_rows import FormRow, start_rows
from cockpit.operations.sdl_editor.history import Selection
from cockpit.panes.sdl_messages import SdlLooked, SdlPasted, SdlShown, SecretTyped
from cockpit.panes.sdl_status import status_pieces
from cockpit.panes.sdl_writing import SdlWriting
from cockpit.sdl.completion import Completion, complete, goes_on, is_worth_a_look
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.findings import Problem
from cockpit.sdl.fixes import apply_fix
from cockpit.sdl.foreign.reading import kind_of
from cockpit.sdl.secret_names import is_plain_secret
from cockpit.widgets.sdl_form import FIELDS_WITH_NUMBERS, FormView, SdlForm
from cockpit.widgets.sdl_problems import ProblemList
from cockpit.widgets.sdl_text import SdlText, is_whole_sdl
from cockpit.widgets.state_line import StateLine

# How long the hands have to rest until the text is looked at.
PAUSE_SECONDS = 0.03
# A death of the process loses what was typed since the last look at most.
LOOK_SECONDS = 0.5
WIDE = 100
# Of the actions of all panes, these mean something here.
WITHOUT_SDL = ("sdl_new", "sdl_open", "sdl_side")
KEPT = ("contexts", "command_palette", "open_resource", "theme", "help", "quit", "copy")


class SdlPane(SdlWriting):
    """Draws the desk, makes the edits that need no question, and asks for the rest by messages."""

    NAME = "sdl"
    TITLE = "SDL"
    NEEDS_CLUSTER: ClassVar[bool] = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.problems = ProblemList(glyphs=self.glyphs, id="sdl-problems")
        self.checked: Check | None = None
        self.recent: tuple[Path, ...] = ()
        self._is_checking = False
        self._pause: asyncio.TimerHandle | None = None
        self._was_dirty = False
        self.is_looking = False
        self._was_seen = False
        self._wanted_row = ""
        self._hinted: tuple[bool, bool, bool] | None = None
        self.note = ""

    def compose(self) -> ComposeResult:
        """A line about the SDL, form and text, the problems."""
        yield StateLine(id="sdl-head", ellipsis=self.glyphs.ellipsis)
        with Horizontal(id="sdl-body"):
            yield self.form
            yield self.text
        yield self.find
        yield self.problems

    def on_mount(self) -> None:
        """Look at the text, and from time to time at the file."""
        self.set_interval(LOOK_SECONDS, self._look)
        self._fit()
        self.look_at_secrets()
        self.recheck()

    def _look(self) -> None:
        if not self.is_looking and (self._is_awake or self.desk.is_dirty):
            self.is_looking = True
            self.post_message(SdlLooked())

    # --- a pane ---

    def watched(self, cluster: LiveCluster) -> list[Watch[Any]]:
        """Nothing: this pane does not depend on the cluster."""
        return []

    def wake(self) -> None:
        """The pane is seen."""
        super().wake()
        if self.app.focused is None:
            (self.text if self._side == "text" and self.is_narrow else self.form.view).focus()
        self.look_at_secrets()

    def why_disabled(self, action: Action) -> str | None:
        """Only what has to do with an SDL."""
        if action.scope == "app" and action.name not in KEPT:
            return f"{action.label} is not available in the SDL pane."
        return None

    def is_hinted(self, action: Action) -> bool:
        """Letters are letters while something is typed, and an empty desk has little to offer."""
        if self.desk.is_empty and (action.scope == "sdl" or action.name == "copy") and action.name not in WITHOUT_SDL:
            return False
        if action.scope == "sdl" and not self._fits_here(action.name):
            return False
        is_typing = isinstance(self.app.focused, SdlText | Input)
        shown = action.keys[0]
        return not is_typing or len(key_name(shown)) > 1

    def _fits_here(self, name: str) -> bool:
        """Whether a key would do anything for the row and the problems that are there."""
        row, problems = self.form.view.row, self.problems.problems
        match name:
            case "next_problem" | "fix_all" | "fix":
                return any(problem.fixable for problem in problems) if name != "next_problem" else bool(problems)
            case "keep_secret":
                return row is not None and row.field == "env"
            case "remove":
                return row is not None and row.is_removable
            case "complete":
                return self.text.has_focus
        return True

    def on_descendant_focus(self) -> None:
        """Other keys do something now."""
        self.post_message(self.StateChanged())

    @on(FormView.Moved)
    def _row_changed(self) -> None:
        self.post_message(self.StateChanged())

    # --- the document ---

    def show_desk(self) -> None:
        """Another document lies on the desk."""
        self.form.stop()
        self.find.display = False
        self.text.show_session(self.desk.session)
        self.problems.show(())
        self.checked = None
        self.form.show(())
        self.look_at_secrets()
        self.recheck()

    @on(SdlText.Edited)
    def _edited(self) -> None:
        self.recheck(PAUSE_SECONDS)

    def recheck(self, after: float = 0.0) -> None:
        """Look at the text once it rests."""
        if self._pause is not None:
            self._pause.cancel()
        self._pause = asyncio.get_running_loop().call_later(after, self._check_now)
        if after == 0.0 or self._was_dirty != self.desk.is_dirty:
            self._draw_head()

    def _check_now(self) -> None:
        if not self._is_checking and self.is_attached:
            self._check()

    @work(group="sdl-checks", exit_on_error=False)
    async def _check(self) -> None:
        """Check text after text in a thread, until the result is for the current text."""
        self._is_checking = True
        try:
            while True:
                session, secrets = self.desk.session, self.secrets
                version = session.version
                offset = self._offset if self.text.typed_version == version and self.text.has_focus else None
                found, offered = await asyncio.to_thread(_looked_at, session.text, version, secrets, offset)
                if session is self.desk.session and version == session.version and secrets is self.secrets:
                    self._show(found)
                    if offset is not None and offset == self._offset:
                        self.offer(offered)
                    return
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._is_checking = False

    def _show(self, found: Check) -> None:
        self.checked = found
        self.desk.session.adopt(found.document)
        is_empty = not self.desk.session.text.strip()
        self.problems.show(() if is_empty else found.lint.problems)
        self.text.show_marks({} if is_empty else found.worst_by_row)
        if found.failure is not None and not is_empty:
            self.form.grey(f"{found.failure.title} The form waits until the text is YAML again.")
        else:
            self.form.show(start_rows(self.recent) if self.desk.is_empty else found.rows)
            if self._wanted_row and self.form.view.move_to(self._wanted_row):
                self._wanted_row = ""
        self._draw_head()
        fixable = [problem.fixable for problem in self.problems.problems]
        if (state := (self.desk.is_empty, bool(fixable), any(fixable))) != self._hinted:
            self._hinted = state
            self.post_message(self.StateChanged())
        if not self._was_seen:
            self._was_seen = True
            self.post_message(SdlShown())

    def _draw_head(self) -> None:
        if self.is_attached:
            self._was_dirty = self.desk.is_dirty
            head = self.query_one("#sdl-head", StateLine)
            head.show(*status_pieces(self.desk, self.checked, self.note, ascii_only=self.glyphs.ellipsis != "…"))

    @work(group="sdl-secrets", exclusive=True, exit_on_error=False)
    async def look_at_secrets(self) -> None:
        """Find out which secrets there are; asking a keyring may take a moment."""
        scopes = self.desk.scopes
        found = await aside(lambda: secret_places(scopes))
        if found != self.secrets:
            self.secrets = found
            self.recheck()

    def go_to_row(self, key: str) -> None:
        """Put the form's cursor on a row that an edit has made, as soon as it is there."""
        self._wanted_row = key

    def tell(self, note: str) -> None:
        """Keep a sentence on the screen for as long as it is true; empty takes it away."""
        if note != self.note:
            self.note = note
            self._draw_head()

    def forget(self) -> None:
        """Forget how the text came to be, and how it looked: a secret value was in it."""
        self.desk.session.forget()
        self.text.forget_looks()
        self.recheck()

    # --- edits ---

    @property
    def _selection(self) -> Selection:
        return self.text.selection.start, self.text.selection.end

    def edit(self, label: str, edit: Callable[[SdlDocument], object]) -> bool:
        """Edit the document; its own error is shown if it refuses. Returns whether anything was done."""
        try:
            moved = self.desk.session.apply(label, edit, selection=self._selection)
        except CockpitError as error:
            self.refuse(error)
            return False
        self.follow(moved)
        return True

    def replace(self, label: str, text: str) -> None:
        """Take a whole other text, as one step."""
        self.follow(self.desk.session.replace(text, label, selection=self._selection))

    def follow(self, moved: Moved) -> None:
        """Show what the session has changed."""
        self.text.follow(moved)
        self._edited()

    def refuse(self, error: CockpitError) -> None:
        """Say what was refused, and why; nothing has changed."""
        if self.form.editing is not None:
            self.form.complain(" ".join(part for part in (error.title, error.hint) if part))
            return
        self.notify(" ".join(part for part in (error.title, error.hint) if part), severity="warning", markup=False)

    @on(FormView.Chosen)
    async def _chosen(self, message: FormView.Chosen) -> None:
        row = message.row
        if row.kind == "also":
            self.action_go_to_line()
        elif row.field == "start":
            await self.perform(str(row.args[0]))
        elif row.field and row.field != "group" and not self.form.view.is_grey:
            self.form.edit(row, *self._known_of(row))
            if asks_market(row):
                self.look_at_market()

    def _known_of(self, row: FormRow) -> tuple[list[str], Callable[[str], str] | None]:
        """The choices for a row, and the hint about them."""
        rows = self.form.view.rows
        return choices_of(row, rows, self.secrets or (), self.market), words_of(row, rows, self.market)

    def market_changed(self) -> None:
        """Offers have come: say them of the row that is edited."""
        if (row := self.form.editing) is not None:
            self.form.learn(row, *self._known_of(row))

    @on(SdlForm.Entered)
    def _entered(self, message: SdlForm.Entered) -> None:
        row, text = message.row, message.text
        if row.kind == "field" and text == row.text:
            self.form.stop()
            return
        if is_secret_typed(row, text):
            self.post_message(SecretTyped(row, text))
            return
        self.enter(row, text)

    def enter(self, row: FormRow, text: str) -> bool:
        """Put a value into a row of the form."""
        try:
            edit = edit_of(row, text)
        except UsageError as error:
            self.refuse(error)
            return False
        done = self.edit(f"{row.label.strip('+ ')}", edit)
        if done:
            self.form.stop()
        return done

    @on(FormView.Stepped)
    def _stepped(self, message: FormView.Stepped) -> None:
        row = message.row
        if row.field == "group":
            count = f"{row.args[0]}:count:"
            row = next((one for one in self.form.view.rows if one.key.startswith(count)), row)
        if row.field in FIELDS_WITH_NUMBERS and (row.text or "0").isdecimal():
            self.enter(row, str(max(0, int(row.text or "0") + message.by)))

    def action_remove(self) -> None:
        """Remove what the row under the cursor shows."""
        row = self.form.view.row
        if row is None or self.form.view.is_grey:
            return
        try:
            edit = removal_of(row)
        except UsageError as error:
            self.refuse(error)
            return
        if self.edit(f"remove {row.label}", edit):
            self.notify(f"Removed {row.label}; u brings it back.", markup=False, timeout=4)

    def action_undo(self) -> None:
        """Take the last step back, whether it was made in form or text."""
        label = self.desk.session.undo_label
        self.text.undo()
        self.notify(f"Undone: {label}" if label else "There is nothing to undo.", markup=False, timeout=2)

    def action_redo(self) -> None:
        """Do again what was taken back."""
        label = self.desk.session.redo_label
        self.text.redo()
        self.notify(f"Done again: {label}" if label else "There is nothing to redo.", markup=False, timeout=2)

    # --- problems ---

    @on(ProblemList.Chosen)
    def _problem_chosen(self, message: ProblemList.Chosen) -> None:
        self.go_to(message.problem.line - 1, message.problem.column - 1)

    def action_next_problem(self) -> None:
        """Go to the next problem below the cursor."""
        problem = self.problems.next(self.text.cursor_location[0])
        if problem is None:
            self.notify("No problems.", timeout=2)
        else:
            self.go_to(problem.line - 1, problem.column - 1)
            # The list takes the keys: in the text the `f` that fixes the problem would be typed into it.
            self.call_after_refresh(self.problems.focus)

    def action_fix(self) -> None:
        """Fix the problem under the cursor of the list."""
        problem = self.problems.problem
        if problem is None or problem.fix is None:
            self.notify("This problem has no automatic fix." if problem else "No problems.")
            return
        self.fix(problem)

    def fix(self, problem: Problem) -> None:
        """Make the edits of a fix."""
        fix = problem.fix
        if fix is None or self.checked is None or self.checked.version != self.desk.session.version:
            return  # the problem is of another text
        if self.edit(fix.title, lambda document: apply_fix(document, fix)):
            self.notify(f"Done: {fix.title}", markup=False, timeout=4)

    # --- where the keys go ---

    def action_sdl_side(self) -> None:
        """From the form to the text, or back."""
        self.show_side("form" if self.text.has_focus or (self.is_narrow and self._side == "text") else "text")

    def go_to(self, row: int, column: int) -> None:
        """Put the cursor of the text on a place, and give the text the keys."""
        self.show_side("text")
        self.call_after_refresh(self.text.go_to, row, column)

    def action_go_to_line(self) -> None:
        """Show the form's row in the text.

        Beside the form the keys stay where they are: the next letter is still a command. Where the
        text takes the form's place, or the row can be edited as text alone, the text has them.
        """
        row = self.form.view.row
        if row is None or not row.line:
            return
        if self.is_narrow or row.kind == "also":
            self.go_to(row.line - 1, 0)
        else:
            self.text.go_to(row.line - 1, 0)

    @on(SdlText.Left)
    def _text_left(self) -> None:
        self.show_side("form")

    @on(SdlText.Refused)
    def _paste_refused(self, message: SdlText.Refused) -> None:
        self.notify(message.reason, severity="warning", markup=False, timeout=8)

    @on(SdlText.Foreign)
    def _foreign_pasted(self, message: SdlText.Foreign) -> None:
        self.post_message(SdlPasted(message.text))

    @on(SdlText.Replaced)
    def _paste_replaced(self) -> None:
        self.notify("What was pasted took the place of the text; ctrl+z brings that back.", timeout=5)

    def on_paste(self, event: events.Paste) -> None:
        """A whole SDL can be pasted wherever the keys are; a part of one where it belongs."""
        event.stop()
        if self.desk.is_empty or is_whole_sdl(event.text) or kind_of(event.text):
            self.text.paste(event.text)
        else:
            self.notify("This is not a complete SDL. Press ctrl+t for the text view to paste a part.", timeout=5)

    def action_copy(self) -> None:
        """Copy the value of the row, or the whole text from elsewhere; through SSH too (OSC 52)."""
        row = self.form.view.row
        if self.form.view.has_focus and row is not None and (row.text or row.value):
            self.app.copy_to_clipboard(row.text or row.value)
            self.notify(f"Copied {row.label}; Y copies the whole SDL.", markup=False, timeout=2)
        else:
            self.action_sdl_copy()

    def action_sdl_copy(self) -> None:
        """Copy the whole text; through SSH too (OSC 52)."""
        self.app.copy_to_clipboard(self.desk.session.text)
        self.notify("Copied the whole SDL.", timeout=2)

    def on_resize(self, event: events.Resize) -> None:
        """Both sides where there is room for both."""
        self._fit()

    def _fit(self) -> None:
        self.set_class(self.size.width < WIDE, "-narrow")
        self.form.stop()


def _looked_at(
    text: str, version: int, secrets: Mapping[str, str] | None, offset: int | None
) -> tuple[Check, Completion | None]:
    """The problems of a text, and the completion to offer at an offset."""
    wanted = None
    if offset is not None and is_worth_a_look(text, offset):
        found = complete(text, offset, secrets=sorted(secrets or ()))
        wanted = found if found is not None and goes_on(found, text, offset) else None
    return check(text, version, secrets), wanted


def is_secret_typed(row: FormRow, text: str) -> bool:
    """Whether a value would be written to the file that belongs in the secret store."""
    name, value = (str(row.args[1]), text) if row.field == "env" else text.split("=", 1) if "=" in text else ("", "")
    fits = row.field in ("env", "env-add") and not value.strip().startswith(SECRET)
    return fits and is_plain_secret(name.strip(), value)
