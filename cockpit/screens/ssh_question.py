"""What ssh asks while it opens a tunnel, asked on the screen: its own question would be written over it."""

import asyncio
from collections.abc import Callable
from typing import Any

from textual import on
from textual.app import App
from textual.widget import Widget
from textual.widgets import Input, Label

from cockpit.clients.ssh.questions import AskSsh, SshQuestion
from cockpit.model.secret import Secret
from cockpit.render.text import visible
from cockpit.screens.dialog import Dialog
from cockpit.widgets.fields import Field, HiddenField
from cockpit.widgets.key_hints import Hint


class SshDialog(Dialog[Secret]):
    """Gives what was typed, None where the user gave up; `gone` is called when it has left, for any reason."""

    DEFAULT_CSS = """
    SshDialog #ssh-question { width: 1fr; height: auto; }
    """
    HINTS = (Hint("⏎", "answer", "submit"), Hint("esc", "give up", "cancel", keep=True))

    def __init__(self, question: SshQuestion, *, gone: Callable[[Secret | None], None] = lambda _: None) -> None:
        super().__init__(f"ssh {visible(question.destination)}")
        self._question = question
        self._gone = gone
        self._answer: Secret | None = None

    def contents(self) -> list[Widget]:
        """The question in ssh's words, and a line for the answer."""
        text = "\n".join(visible(line) for line in self._question.text.strip().splitlines())
        widgets: list[Widget] = [Label(text, markup=False, id="ssh-question")]
        if self._question.is_shown:
            widgets.append(Field(placeholder="yes, no, or the fingerprint that you expect", id="ssh-answer"))
        elif not self._question.is_notice:
            widgets.append(HiddenField(id="ssh-answer"))
        return widgets

    def on_mount(self) -> None:
        """One can type at once."""
        for field in self.query(Field):
            field.focus()

    def on_unmount(self) -> None:
        """Deliver the answer to its waiter, even if the app has ended."""
        self._gone(self._answer)

    def leave(self) -> None:
        """Go without an answer, whatever lies in front."""
        if self.is_attached and self in self.app.screen_stack:
            while self.app.screen is not self:
                self.app.pop_screen()
            self.dismiss(None)

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Take what is typed."""
        for field in self.query(Field):
            if field.value:
                self._answer = Secret(field.value)
                self.dismiss(self._answer)


def ssh_asker(app: App[Any]) -> AskSsh:
    """How ssh asks on the screen, to be given to `answer_ssh_with`. A question that is taken back leaves the screen."""

    async def ask(question: SshQuestion) -> Secret | None:
        if not app.is_running:
            return None
        answer: asyncio.Future[Secret | None] = asyncio.get_running_loop().create_future()

        def gone(typed: Secret | None) -> None:
            if not answer.done():
                answer.set_result(typed)

        dialog = SshDialog(question, gone=gone)
        with app._context():
            app.push_screen(dialog)
            try:
                return await answer
            finally:
                if not answer.done() or answer.cancelled():
                    dialog.leave()

    return ask
