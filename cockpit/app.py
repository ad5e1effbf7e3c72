"""The cockpit: binds keys to operations and panes to the cluster; what is done is done elsewhere."""

import asyncio
import traceback
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.actions import SkipAction
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from cockpit import settings
from cockpit.actions import ACTIONS, by_name, in_scope, key_name, keys_of
from cockpit.clients.ssh.questions import answer_ssh_with
from cockpit.errors import EXIT_OK, CockpitError
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.opening import Opener
from cockpit.panes.base import Pane
from cockpit.panes.header import TabLine
from cockpit.panes.registry import entries, entry_of
from cockpit.panes.sdl_messages import SdlLooked, SdlPasted, SdlShown, SecretTyped
from cockpit.panes.table_pane import TablePane
from cockpit.render.glyphs import ASCII, UNICODE
from cockpit.render.text import visible
from cockpit.screens.idle_notices import IdleNotices
from cockpit.screens.job_notices import JobNotices
from cockpit.screens.later import import_later
from cockpit.screens.pane_screen import PaneScreen
from cockpit.screens.workspace import Refusal, Workspace
from cockpit.secrets.passphrase import ask_with
from cockpit.secrets.references import process_store
from cockpit.settings import Notify, OwnCommand, Settings, Ui
from cockpit.textual_patches.terminal_app import TerminalApp
from cockpit.widgets.fields import PasteRefused
from cockpit.widgets.key_hints import KeyHints
from cockpit.widgets.live_table import LiveTable
from cockpit.widgets.table.kept import KeptArrangements
from cockpit.widgets.themes import DARK_RAMP, LIGHT_RAMP, THEMES

# Dialogs and hidden panes are imported on first use, so that the first frame does not wait for them.
if TYPE_CHECKING:
    from cockpit.panes.sdl import SdlPane

VAULT_CHECK_SECONDS = 30.0


def _bindings() -> list[BindingType]:
    bound = [
        Binding(",".join(action.keys), f"perform('{action.name}')", action.description, show=False, id=action.name)
        for action in ACTIONS
        if action.keys
    ]
    panes = [
        Binding(entry.key, f"show_pane('{entry.name}')", entry.title, show=False) for entry in entries() if entry.key
    ]
    return [*bound, *panes]


def _objects_provider() -> type[Provider]:
    from cockpit.screens.palette import ObjectsProvider

    return ObjectsProvider


async def _answer_refusal(work: Workspace, cluster: LiveCluster, error: Refusal) -> None:
    from cockpit.screens.cluster_actions import ClusterActions  # brings all of its dialogs

    await ClusterActions(work).refused(cluster, error)


def problems_of_keys(found: Settings) -> list[str]:
    """Sentences about the user's keys and own commands, as the cockpit would tell them at its start."""
    from cockpit.screens.key_check import key_problems
    from cockpit.screens.own_commands import own_problems

    return [*key_problems(found.ui.keys), *own_problems(found.commands, found.ui.keys)]


class CockpitApp(TerminalApp):
    """The screen that people keep open: one cluster at a time, a screen for each pane."""

    CSS_PATH = "cockpit.tcss"
    TITLE = "rayakash"
    BINDINGS: ClassVar[list[BindingType]] = _bindings()
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[Any]] = App.COMMANDS | {_objects_provider}
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (12, "-low"), (30, "-tall")]  # noqa: RUF012 - as Textual declares it
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (100, "-broad")]  # noqa: RUF012 - as Textual declares it

    def __init__(
        self,
        opener: Opener | None,
        *,
        ui: Ui | None = None,
        first_pane: str = "jobs",
        sdl: Path | None = None,
        ascii_only: bool = False,
        tables: Path | None = None,
        notify: Notify | None = None,
        asks_for_notices: bool = False,
        commands: Sequence[OwnCommand] = (),
        problems: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._problems = problems
        self._commands = commands
        self._ui = ui or Ui()
        self._arrangements = KeptArrangements(tables)
        for theme in THEMES:
            self.register_theme(theme)
        # Before the first stylesheet is read: a theme that comes later has it read three times more.
        self.set_reactive(App.theme, self._ui.theme if self._ui.theme in self.available_themes else THEMES[0].name)
        self.stylesheet.set_variables(self.get_css_variables())
        self.set_keymap(self._ui.keys)
        self._opener = opener
        self._first_pane = first_pane if first_pane in {entry.name for entry in entries()} else "overview"
        self._first_sdl = sdl
        self.glyphs = ASCII if ascii_only else UNICODE
        self._changes.ascii_only = ascii_only
        asking = self._ask_for_notices if asks_for_notices else None
        notices = JobNotices(self, notify or Notify(), self.write_terminal, asking)
        idle_notices = IdleNotices(self, notify or Notify(), self.write_terminal)
        self.workspace = Workspace(
            self,
            notices,
            idle_notices,
            keys=self._ui.keys,
            crashed=lambda error: self.crashed(error),
            answer_refusal=_answer_refusal,
            idle_seconds=60 * self._ui.idle_minutes,
        )
        self.workspace.last_report = "" if opener is None else "opening the cluster…"
        for entry in entries():
            self.add_mode(entry.name, partial(self._pane_screen, entry.name))
        self.begin_in(self._first_pane)

    def _pane_screen(self, name: str) -> PaneScreen:
        """The screen of a pane, made when it is first shown."""
        entry = entry_of(name)
        titles = [(other.key, other.title) for other in entries() if other.key]
        if not entry.key:
            titles.append((":", entry.title))
        pane = entry.make(glyphs=self.glyphs)
        if isinstance(pane, TablePane):
            pane.arrangement = self._arrangements.of(pane.table_id)
            if pane.NEEDS_CLUSTER:
                pane.arrangement_in = partial(self._arrangements.of, pane.table_id)
        screen = PaneScreen(pane, titles, keys=self._ui.keys, glyphs=self.glyphs)
        # It is made of the styles of now; Textual would have all of them read once more for each new screen.
        screen._css_update_count = self._css_update_count
        # And of its height: else all of it is styled once more as soon as it hears of that.
        heights = [name for least, name in self.VERTICAL_BREAKPOINTS or () if self.size.height >= least]
        widths = [name for least, name in self.HORIZONTAL_BREAKPOINTS or () if self.size.width >= least]
        screen.add_class(*heights[-1:], *widths[-1:], update=False)
        self.workspace.add(name, screen)
        return screen

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The ramp of load for themes that are not ours."""
        return LIGHT_RAMP if self.current_theme.dark is False else DARK_RAMP

    @property
    def cluster(self) -> LiveCluster | None:
        """The cluster on the screen."""
        return self.workspace.cluster

    async def on_mount(self) -> None:
        """Look for the cluster, with the first pane on the screen."""
        self._warn()
        self.set_interval(1.0, self.workspace.tick)
        self.set_interval(VAULT_CHECK_SECONDS, self._lock_idle_vault)
        self.run_worker(self.workspace.money.run(), group="money", exit_on_error=False)
        self.run_worker(self.workspace.tell_left_behind(), group="money", exit_on_error=False)
        self.watch_terminal()
        import_later(self)
        self.call_after_refresh(self._take_questions)
        if self._commands:
            self.call_after_refresh(self._take_commands)
        if self._opener is not None:
            self.call_after_refresh(self.workspace.open_cluster, self._opener)
        else:
            self.workspace.report("no cluster is open; press ctrl+k to choose one")
            if self._first_pane != "sdl":
                self.action_perform("contexts")
        if self._first_sdl is not None and self._sdl_pane is not None:
            from cockpit.screens import sdl_events

            sdl_events.begin_with(self.workspace, self._first_sdl)

    def _take_questions(self) -> None:
        """From now on the vault and ssh ask on the screen."""
        from cockpit.screens.passphrase import passphrase_asker
        from cockpit.screens.ssh_question import ssh_asker

        ask_with(passphrase_asker(self))
        answer_ssh_with(ssh_asker(self))

    def _ask_for_notices(self) -> None:
        from cockpit.screens import notice_question

        self.workspace.run(notice_question.ask(self.workspace))

    def _take_commands(self) -> None:
        """Bind the user's own commands, and tell which of them cannot be used."""
        from cockpit.screens import own_commands

        self.workspace.commands = own_commands.usable(self._commands, self._ui.keys)
        for at, command in enumerate(self.workspace.commands):
            self.bind(command.key, f"own({at})", description=command.label, show=False)
        for sentence in own_commands.own_problems(self._commands, self._ui.keys):
            self.notify(sentence, severity="warning", markup=False)

    def action_own(self, at: int) -> None:
        """Run a command of the user's, where it belongs."""
        from cockpit.screens import own_commands

        command, screen = self.workspace.commands[at], self.workspace.screen
        if screen is None or not isinstance(self.screen, PaneScreen):
            return
        if command.scope not in ("all", screen.pane.NAME):
            raise SkipAction
        self.workspace.run(own_commands.run(self.workspace, screen.pane, command))

    def _warn(self) -> None:
        """Tell what is wrong with the user's settings."""
        if self._ui.keys:
            from cockpit.screens.key_check import key_problems  # brings all panes

            for sentence in key_problems(self._ui.keys):
                self.notify(sentence, severity="warning", markup=False)
        for problem in (*self._problems, *filter(None, [self._arrangements.problem])):
            self.notify(problem, severity="warning", markup=False)
        if self._ui.start not in {entry.name for entry in entries()}:
            self.notify(f"Unknown pane {self._ui.start!r} in `[ui] start`.", severity="warning")
        if self._ui.theme not in self.available_themes:
            names = ", ".join(theme.name for theme in THEMES)
            self.notify(f"Unknown theme {self._ui.theme!r}. Themes: {names}.", severity="warning", markup=False)

    def on_unmount(self) -> None:
        """Nobody can be asked on the screen any more."""
        ask_with(None)
        answer_ssh_with(None)
        self.leave_terminal()

    def _lock_idle_vault(self) -> None:
        process_store().vault.lock_if_idle()

    @on(LiveTable.ArrangementChanged)
    def _keep_arrangement(self, event: LiveTable.ArrangementChanged) -> None:
        try:
            self._arrangements.keep(event.table.id or "", event.arrangement, self._sorted_in(event.table))
        except CockpitError as error:
            self.notify(error.title, severity="warning", markup=False)

    def _sorted_in(self, table: LiveTable) -> str:
        """The cluster whose rows a table sorts; empty for what belongs to no cluster."""
        panes = [screen.pane for screen in self.workspace.screens.values() if isinstance(screen.pane, TablePane)]
        pane = next((pane for pane in panes if pane.table_id == table.id), None)
        return self.cluster.name if pane is not None and pane.NEEDS_CLUSTER and self.cluster is not None else ""

    # Actions

    def action_show_pane(self, name: str) -> None:
        """Go to a pane; one that was narrowed to a job or a node shows the whole cluster again."""
        self.switch_mode(name)
        self.workspace.forget_way(name)
        self.workspace.screens[name].pane.look_at(None)

    def action_go_back(self) -> None:
        """Where nothing is left to close, Esc leads back from a log or a narrowed resource."""
        self.workspace.go_back()

    def action_perform(self, name: str) -> None:
        """Do what an action says, or tell why not."""
        action, screen = by_name(name), self.workspace.screen
        if screen is None or (not isinstance(self.screen, PaneScreen) and action.scope != "app"):
            return
        if action.scope not in ("app", screen.pane.NAME, *screen.pane.SCOPES):
            raise SkipAction  # the key may mean something else here
        self.workspace.perform(action, screen)

    @on(TabLine.Chosen)
    def _tab_chosen(self, event: TabLine.Chosen) -> None:
        if chosen := next((entry.name for entry in entries() if entry.key == event.key), None):
            self.workspace.forget_way(chosen)
            self.switch_mode(chosen)  # a resource without a number is in the line only while it is in front

    @on(PasteRefused)
    def _paste_refused(self, message: PasteRefused) -> None:
        self.notify(f"{message.characters:,} characters do not fit here. Nothing was pasted.", severity="warning")

    @on(Pane.Progressed)
    def _progressed(self, event: Pane.Progressed) -> None:
        self.show_title(event.text)

    @on(KeyHints.Pressed)
    def _hint_pressed(self, event: KeyHints.Pressed) -> None:
        if isinstance(self.screen, PaneScreen):
            self.action_perform(event.hint.action)

    # SDLs

    @property
    def _sdl_pane(self) -> "SdlPane | None":
        screen = self.workspace.screens.get("sdl")
        return cast("SdlPane", screen.pane) if screen is not None else None

    @on(SecretTyped)
    def _secret_typed(self, message: SecretTyped) -> None:
        from cockpit.screens import sdl_events

        sdl_events.secret_typed(self.workspace, message)

    @on(SdlPasted)
    def _sdl_pasted(self, message: SdlPasted) -> None:
        from cockpit.screens import sdl_events

        sdl_events.pasted(self.workspace, message)

    @on(SdlShown)
    def _sdl_shown(self) -> None:
        from cockpit.screens import sdl_events

        if self._first_sdl is None:
            sdl_events.offer_left_behind(self.workspace)

    @on(SdlLooked)
    def _looked_at_sdl(self) -> None:
        if self._sdl_pane is not None:
            from cockpit.screens import sdl_events

            sdl_events.look(self.workspace)

    async def go_to(self, pane: str, key: str) -> None:
        """Show a pane with the cursor on a row."""
        await self.switch_mode(pane)
        shown = self.workspace.screens[pane].pane
        if isinstance(shown, TablePane):
            self.call_after_refresh(shown.table.move_to, key)

    def action_command_palette(self) -> None:
        """As Textual does it, with a palette of ours."""
        from cockpit.screens.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    async def action_quit(self) -> None:
        """Leave; jobs go on. What is not saved is asked for first."""
        pane = self._sdl_pane
        if pane is not None and pane.desk.is_dirty:
            self.workspace.run(self._quit_from(pane))
            return
        if pane is not None:
            pane.desk.clear()
        await self.leave(EXIT_OK)

    async def _quit_from(self, pane: "SdlPane") -> None:
        from cockpit.screens import sdl_events

        if await sdl_events.may_leave(self.workspace):
            await asyncio.to_thread(pane.desk.clear)
            await self.leave(EXIT_OK)

    async def leave(self, code: int) -> None:
        """Let go of the clusters; jobs go on, and what is not saved is kept as a draft."""
        await self.workspace.leave_cluster()
        self.exit(code)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: actions, panes, jobs, themes."""
        pane_screen = self.workspace.screen
        scopes = ("app", pane_screen.pane.NAME, *pane_screen.pane.SCOPES) if pane_screen else ("app",)
        for action in in_scope(scopes):
            keys = " ".join(keys_of(action, self._ui.keys))
            yield SystemCommand(
                f"{action.label}  {keys}".rstrip(), action.description, partial(self.action_perform, action.name)
            )
        yield from self._sample_commands()
        for at, own in enumerate(self.workspace.commands):
            if pane_screen and own.scope in ("all", pane_screen.pane.NAME):
                text = visible(f"{own.label}  {key_name(own.key)}")
                yield SystemCommand(text, visible(own.command), partial(self.action_own, at))
        for entry in entries():
            yield SystemCommand(entry.title, f"Go to {entry.title}", partial(self.action_show_pane, entry.name))

    def _sample_commands(self) -> Iterable[SystemCommand]:
        """The samples of the gallery, where a job can be submitted."""
        if self.cluster is None or self.cluster.is_read_only:
            return
        from cockpit.operations import gallery
        from cockpit.screens import job_actions

        for name in gallery.NAMES:
            title = gallery.read_page(name).partition("\n")[0].removeprefix("# ")
            run = partial(lambda chosen: self.workspace.run(job_actions.submit_sample(self.workspace, chosen)), name)
            yield SystemCommand(f"Sample job {name}", title, run)

    # What goes wrong

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell of what went wrong in the background: in words, or as the bug that it is."""
        error = event.worker.error if event.state is WorkerState.ERROR else None
        if isinstance(error, CockpitError):
            text = "\n".join(part for part in (error.title, error.hint) if part)
            self.notify(text, severity="error", markup=False, timeout=10)
            if event.worker.group == "clusters":
                self.workspace.report(error.title)
        elif error is not None:
            self.crashed(error)

    def crashed(self, error: BaseException) -> None:
        """A bug: say so, keep its traceback in a file, and go on."""
        text = "".join(traceback.format_exception(error))
        path = settings.state_directory() / "crash.log"
        settings.write_private(path, text.encode(errors="backslashreplace"))
        lines = [("", "This is a bug in rayakash-tui; the cockpit keeps running."), ("file", str(path)), ("", "")]
        from cockpit.screens.text import TextDialog

        self.push_screen(TextDialog("Something went wrong", [*lines, *(("", line) for line in text.splitlines())]))
