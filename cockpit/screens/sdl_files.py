"""Opening and saving SDLs: what would be lost is asked for, what others changed is offered as a choice."""

import asyncio
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from textual.app import App

from cockpit.errors import UsageError
from cockpit.operations.background import aside
from cockpit.operations.sdl_editor import drafts as sdl_drafts
from cockpit.operations.sdl_editor.desk import opened
from cockpit.operations.sdl_editor.drafts import Draft
from cockpit.operations.sdl_editor.files import AlreadyThereError, ChangedOnDiskError, DiskState, shown_diff
from cockpit.operations.sdl_editor.recent import recent
from cockpit.panes.sdl import SdlPane
from cockpit.render.times import clock_time
from cockpit.screens.choose import Choose
from cockpit.screens.confirm import Confirm
from cockpit.screens.prompt import Prompt
from cockpit.screens.sdl_dialogs import DiffDialog, DiffView, OpenDialog
from cockpit.screens.sdl_foreign import ForeignSdl
from cockpit.sdl.foreign.reading import kind_of
from cockpit.sdl.secret_spans import values_gone

MOST_RECENT = 9


class SdlFiles:
    """The file of one pane."""

    def __init__(self, app: App[int], pane: SdlPane) -> None:
        self._app = app
        self._pane = pane
        self._foreign = ForeignSdl(app, pane)

    async def take_pasted(self, text: str) -> None:
        """Import what was pasted, a file of another tool, in the place of the text."""
        kind = kind_of(text)
        imported = await self._foreign.offer(text, "What was pasted", kind) if kind else None
        if imported is not None and await self.may_leave():
            await self.begin(*imported)

    # --- leaving ---

    async def may_leave(self) -> bool:
        """Whether the text may go: it is saved, or the user gives it up."""
        desk = self._pane.desk
        if not desk.is_dirty:
            return True
        options = [("save", "Save changes"), ("drop", "Discard changes"), ("stay", "Keep editing")]
        title = f"{desk.name} has unsaved changes."
        answer = await self._app.push_screen_wait(Choose(title, options))
        if answer == "save":
            return await self.save()
        return answer == "drop"

    # --- opening ---

    async def open(self, path: Path | None = None) -> None:
        """Open a file, or ask for one."""
        if path is None:
            known = await asyncio.to_thread(recent)
            path = await self._app.push_screen_wait(OpenDialog(known, glyphs=self._pane.glyphs))
        if path is not None and await self.may_leave():
            await self.open_path(path)

    async def open_path(self, path: Path) -> None:
        """Open a file; a draft of it is offered, and another editor of it is reported."""
        found = await asyncio.to_thread(opened, path)
        if kind := kind_of(found.file.text):
            imported = await self._foreign.offer(found.file.text, path.name, kind)
            if imported is not None:
                if found.lock is not None:
                    await asyncio.to_thread(found.lock.release)
                await self.begin(*imported)
                return
        if found.holder is not None:
            since = clock_time(int(found.holder.since * 1000), time.time())
            names = [f"process {found.holder.pid} on {found.holder.host}, since {since}"]
            question = f"{path.name} is edited elsewhere. Open it here too?"
            if not await self._app.push_screen_wait(Confirm(question, names, "The last one to save is asked.")):
                return
            if found.lock is not None:
                await asyncio.to_thread(found.lock.acquire, take_over=True)
        await asyncio.to_thread(self._pane.desk.clear)
        self._pane.desk.lay(found)
        self._pane.tell("")
        self._pane.show_desk()
        await self.offer_drafts(path)

    async def begin_with(self, path: Path) -> None:
        """Open the file that the command line names; one that is not there yet begins empty."""
        if await asyncio.to_thread(path.exists):
            await self.open_path(path)
        else:
            await self.begin("", str(path))
            await self.offer_drafts()

    async def begin(self, text: str, name: str) -> None:
        """Open a text without a file."""
        await asyncio.to_thread(self._pane.desk.clear)
        self._pane.desk.begin(text, name)
        self._pane.tell("")
        self._pane.show_desk()

    async def offer_left_behind(self) -> None:
        """The editor is seen for the first time: name the files used lately, and offer what was typed and has none."""
        pane = self._pane
        with suppress(UsageError):  # a list that cannot be read costs a convenience, and no editing
            pane.recent = tuple(await asyncio.to_thread(recent))[:MOST_RECENT]
            pane.recheck()
        if pane.desk.is_empty:
            await self.offer_drafts()

    async def offer_drafts(self, path: Path | None = None) -> None:
        """Offer what was typed and not saved when an editor died: of this file, or of no file at all."""
        draft = await asyncio.to_thread(_left_behind, path)
        if draft is None:
            return
        when = clock_time(int(draft.saved * 1000), time.time())
        name = draft.name if draft.path else "An SDL without a file"
        what = f"{name} was edited until {when} and not saved."
        options = [("take", "go on with what was typed"), ("later", "leave it for now"), ("drop", "give it up")]
        while True:
            choice = await self._app.push_screen_wait(Choose(what, [("look", "look at the difference"), *options]))
            if choice != "look":
                break
            loaded = await asyncio.to_thread(sdl_drafts.load, draft, reveal=False)
            lines = shown_diff(self._pane.desk.file.text, loaded.text, draft.name) or ["They are the same."]
            await self._app.push_screen_wait(DiffView("What was typed", lines))
        if choice == "take":
            loaded = await aside(partial(sdl_drafts.load, draft))  # the vault may ask for its passphrase
            self._pane.desk.take_up(draft, loaded)
            self._pane.show_desk()
            if loaded.missing:
                names = ", ".join(loaded.missing)
                self._app.notify(f"Fill in again: {names} ({loaded.why}).", severity="warning", markup=False)
        elif choice == "drop":
            await asyncio.to_thread(sdl_drafts.drop, draft)

    # --- saving ---

    async def save(self) -> bool:
        """Write the text into its file; whether that was done."""
        desk = self._pane.desk
        if desk.file.path is None:
            return await self.save_as()
        text = desk.session.text
        try:
            await asyncio.to_thread(desk.file.save, text)
        except ChangedOnDiskError as error:
            return await self._three_ways(error.state)
        return await self._told(text)

    async def save_as(self) -> bool:
        """Ask for a name and write the text there; whether that was done."""
        desk = self._pane.desk
        name = str(desk.file.path) if desk.file.path else str(Path.cwd() / (desk.suggested_name or "cluster.yaml"))
        typed = await self._app.push_screen_wait(Prompt("Save the SDL as", name, check=_require_name))
        if typed is None:
            return False
        path, text = Path(typed.strip()), desk.session.text
        try:
            await asyncio.to_thread(desk.file.save_as, path, text)
        except AlreadyThereError:
            question = Confirm("That file is there already. Replace it?", [str(path)], "What it holds is lost.")
            if not await self._app.push_screen_wait(question):
                return False
            await asyncio.to_thread(desk.file.save_as, path, text, replace=True)
        except ChangedOnDiskError as error:
            return await self._three_ways(error.state)
        return await self._told(text)

    async def _told(self, text: str) -> bool:
        desk = self._pane.desk
        await asyncio.to_thread(desk.saved, text)
        self._pane.tell("")
        self._pane.recheck()
        self._pane.look_at_secrets()
        self._app.notify(f"Saved {desk.file.path}.", markup=False, timeout=4)
        return not desk.is_dirty

    async def _three_ways(self, state: DiskState) -> bool:
        """Another program saved or removed the file: keep mine, theirs, or both."""
        desk = self._pane.desk
        what = "was removed" if state is DiskState.GONE else "was changed by another program"
        options = [("mine", "keep mine: replace what is there"), ("both", "keep both: mine into a file beside it")]
        if state is not DiskState.GONE:
            options = [("look", "look at the difference"), ("theirs", "take theirs: undo brings mine back"), *options]
        title = f"{desk.name} {what} since it was opened."
        while (answer := await self._app.push_screen_wait(Choose(title, options))) == "look":
            lines = await asyncio.to_thread(desk.file.diff, desk.session.text)
            await self._app.push_screen_wait(DiffView("From theirs to mine", lines))
        text = desk.session.text
        if answer == "mine":
            await asyncio.to_thread(desk.file.save, text, replace=True)
            return await self._told(text)
        if answer == "both":
            await asyncio.to_thread(desk.file.save_beside, text)
            return await self._told(text)
        if answer == "theirs":
            mine, theirs = desk.session.text, await asyncio.to_thread(desk.file.reread)
            self._pane.replace("take theirs", theirs)
            await asyncio.to_thread(desk.saved, theirs)
            await self._forget_moved(mine, theirs)
            self._pane.tell("")
            self._pane.recheck()
        return False

    async def show_diff(self) -> None:
        """What saving would change on the disk."""
        desk = self._pane.desk
        lines = await asyncio.to_thread(desk.file.diff, desk.session.text)
        if not lines:
            self._app.notify("Saving would change nothing.", timeout=3)
            return
        dialog = DiffDialog(f"Save {desk.name}?", lines)
        if await self._app.push_screen_wait(dialog):
            await self.save()

    # --- from time to time ---

    async def look(self) -> None:
        """Write the draft where anything new was typed, and notice what others did to the file."""
        try:
            desk = self._pane.desk
            if desk.noted():
                await asyncio.to_thread(desk.keep)
            if desk.is_time_to_look():
                await self._look_at_disk()
        finally:
            self._pane.is_looking = False

    async def _look_at_disk(self) -> None:
        pane, desk, session = self._pane, self._pane.desk, self._pane.desk.session
        state = await asyncio.to_thread(desk.file.disk_state)
        if state is DiskState.CHANGED and not session.is_dirty:
            theirs = await asyncio.to_thread(desk.file.reread)
            if session is desk.session and not session.is_dirty:
                before = session.text
                pane.replace("what is on the disk", theirs)
                session.saved(theirs)
                await self._forget_moved(before, theirs)
                pane.recheck()
                self._app.notify(f"{desk.name} was changed on the disk; it was read again.", markup=False)
        elif session is desk.session:
            pane.tell(_ON_DISK[state])

    async def _forget_moved(self, before: str, after: str) -> None:
        """Where a secret value has left the file, such as by an import, no undo brings it back into the text."""
        if await asyncio.to_thread(values_gone, before, after):
            self._pane.forget()


_ON_DISK = {DiskState.SAME: "", DiskState.GONE: "gone from the disk", DiskState.CHANGED: "changed on disk: ctrl+s"}


def _left_behind(path: Path | None) -> Draft | None:
    """The last draft of a file, or of no file, that no living editor writes and that says anything new."""
    wanted = None if path is None else path.absolute()
    for draft in sdl_drafts.drafts().found:
        if draft.path != wanted or draft.is_in_use:
            continue
        try:
            if not sdl_drafts.says_nothing_new(draft):
                return draft
        except UsageError:
            continue  # neither the draft nor the file is worth a question where it cannot be read
    return None


def _require_name(text: str) -> None:
    if not text.strip():
        raise UsageError("A file needs a name.")
