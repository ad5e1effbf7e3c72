"""What any app of ours owes its terminal: few bytes, keys in order, and a sane terminal at the end."""

import os
import signal
from typing import Any

from textual import events
from textual.app import App
from textual.screen import Screen

from cockpit.local.processes import look_up
from cockpit.render.notices import title_sequence
from cockpit.render.text import visible
from cockpit.textual_patches.key_order import KeyOrder
from cockpit.textual_patches.terminal_changes import Smaller, TerminalChanges
from cockpit.widgets.ending import Ending


class TerminalApp(App[int]):
    """An app on a terminal that may be slow, be suspended, or go away."""

    def __init__(self) -> None:
        super().__init__()
        self._key_order = KeyOrder(self, super().on_event)
        self._changes = TerminalChanges()
        self._ending = Ending(self._end_with)
        self._title_shown = ""
        if "SSH_CONNECTION" in os.environ:
            self.animation_level = "none"

    async def on_event(self, event: events.Event) -> None:
        """Keys one after the other; all else as ever."""
        await self._key_order.on_event(event)

    def begin_in(self, mode: str) -> None:
        """Have the screen of a mode be the first: Textual would compose and style an empty one before it."""
        self._current_mode = mode
        self._screen_stacks = {mode: []}

    def watch_terminal(self) -> None:
        """Begin to hear of what happens to it."""
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())
        if not self.is_headless:
            self._ending.begin()
            self.set_interval(1.0, self._ending.look)

    def leave_terminal(self) -> None:
        """Hear no more of it."""
        self.show_title("")
        self._ending.end()

    def _end_with(self, code: int) -> None:
        self.run_worker(self.leave(code), group="ending", exit_on_error=False)

    async def leave(self, code: int) -> None:
        """Let go of everything, and end with this exit code."""
        self.exit(code)

    def write_terminal(self, sequence: str) -> None:
        """Have the terminal do what moves and draws nothing, such as to notify."""
        if sequence and self._driver is not None and not self.is_headless:
            self._driver.write(sequence)
            self._driver.flush()

    def show_title(self, text: str) -> None:
        """The terminal's title from now on; empty gives it back the one that it had."""
        before, self._title_shown = self._title_shown, text
        if text != before:
            self.write_terminal(title_sequence(text, before, os.environ))

    def on_resize(self) -> None:
        """The terminal may have moved its lines, or be another one: a browser's page that was loaded again."""
        self.action_redraw()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """As Textual does it, without what the terminal shows already; where that is all, nothing is written."""
        update = self._changes.smaller(renderable)
        if isinstance(update, Smaller) and self._writes and not update.text(self.console) and not self._cursor_moved:
            return
        super()._display(screen, update)

    @property
    def _writes(self) -> bool:
        """Whether Textual would write an update now, and not drop it."""
        is_open = self._running and not self._closed and not self.is_headless and self._driver is not None
        return is_open and not self._batch_count

    @property
    def _cursor_moved(self) -> bool:
        """Whether the terminal's own cursor, which follows what is typed, has to go elsewhere."""
        wanted = self.screen.outer_size.clamp_offset(self.cursor_position)
        return bool(wanted != self._previous_cursor_position)

    def action_suspend(self) -> None:
        """Leave the terminal to the shell until `fg`."""
        if has_job_control():
            self.action_suspend_process()
        else:
            self.notify("No shell to return to.", severity="warning")

    def action_suspend_process(self) -> None:
        """As Textual does it, for the whole process group: `make` or `uv run` above would go on waiting.

        The terminal is given back first. The shell takes it as soon as the wrapper has stopped, and setting its modes
        after that would stop this process once more (SIGTTOU).
        """
        if self._driver is None or not self._driver.can_suspend:
            return
        self._suspend_signal()
        self._driver.suspend_application_mode()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        try:
            os.killpg(0, signal.SIGTSTP)  # returns after `fg`, whose SIGCONT has the driver draw again
        finally:
            signal.signal(signal.SIGTSTP, handler)
        self._resume_signal()

    def action_help_quit(self) -> None:
        """What Ctrl-C does: Textual's own text is markup and names a key of its own."""
        keys = [key for key, active in self.active_bindings.items() if active.binding.id == "quit"]
        self.notify(f"Press {' or '.join(keys)} to quit." if keys else "Close this dialog first (esc), then quit.")

    def action_redraw(self) -> None:
        """Draw everything again, whatever the terminal shows."""
        self._changes.forget()
        self.screen.refresh()

    def notify(self, message: str, *, title: str = "", markup: bool = False, **options: Any) -> None:
        """Tell something in passing; whatever a cluster put into it stays a text."""
        shown = "\n".join(map(visible, message.split("\n")))
        super().notify(shown, title=visible(title), markup=markup, **options)

    def copy_to_clipboard(self, text: str) -> None:
        """Give a text to the terminal's clipboard; halves of surrogate pairs cannot go there."""
        super().copy_to_clipboard(text.encode(errors="replace").decode())

    def _fatal_error(self) -> None:
        """As Textual does it, but without the values of variables: a secret may be among them."""
        from rich.segment import Segment, Segments
        from rich.traceback import Traceback

        self.bell()
        shown = Traceback(show_locals=False, width=None)
        # Without styles: what is printed then goes through the gate of stderr, which no escape sequence passes.
        plain = Segment.strip_styles(self.console.render(shown, self.console.options))
        self._exit_renderables.append(Segments(plain))
        self._close_messages_no_wait()


def has_job_control() -> bool:
    """Whether a shell could bring this process group back: some parent is in the session, but not in the group.

    A group without one is orphaned: stopped, it would never go on (POSIX 3.264).
    """
    session, group, pid = os.getsid(0), os.getpgid(0), os.getppid()
    while pid > 1:
        try:
            if os.getsid(pid) != session:
                return False
            if os.getpgid(pid) != group:
                return True
        except ProcessLookupError:
            return False
        parent = look_up(pid)
        pid = parent.parent if parent is not None else 0
    return False
